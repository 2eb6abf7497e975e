package kubernetes

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// on pins a Deployment's pods to the test's own node.
func on(namespace string, in map[string]any) map[string]any {
	in["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)["nodeSelector"] = map[string]any{"test": namespace}
	return in
}

func initFailure(t *testing.T, err error) *pulumirpc.ErrorResourceInitFailed {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, d := range rpcerror.Convert(err).Details() {
		if f, is := d.(*pulumirpc.ErrorResourceInitFailed); is {
			return f
		}
	}
	t.Fatalf("the error does not tell of an object that exists: %v", err)
	return nil
}

func contains(reasons []string, text string) bool {
	return slices.ContainsFunc(reasons, func(r string) bool { return strings.Contains(r, text) })
}

func TestDeploymentLife(t *testing.T) {
	s, kube, ns := online(t)
	runNode(t, kube, ns)
	labels := map[string]any{"app": "a"}
	first := on(ns, app("a:1", 2, labels))

	preview, err := s.client.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn: urn(deploymentType, "a"), Properties: s.check(deploymentType, "a", nil, first), Preview: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := at(t, preview.GetProperties(), "spec.progressDeadlineSeconds"); !got.IsNumber() {
		t.Errorf("the preview is not the server's: no default for progressDeadlineSeconds, %v", got)
	}
	if got := at(t, preview.GetProperties(), "status"); !got.IsNull() {
		t.Errorf("the preview claims a status: %v", got)
	}
	if list, _ := kube.AppsV1().Deployments(ns).List(t.Context(), metav1.ListOptions{}); len(list.Items) != 0 {
		t.Fatal("the preview made a Deployment")
	}

	o := s.create(deploymentType, "a", first)
	if namespace, name, _ := strings.Cut(o.id, "/"); namespace != ns || !strings.HasPrefix(name, "a-") {
		t.Errorf("id is %q", o.id)
	}
	if got := at(t, o.state, "status.readyReplicas"); !got.IsNumber() || got.NumberValue() != 2 {
		t.Errorf("returned before its pods were ready: %v", got)
	}
	if !s.engine.said("Waiting for app ReplicaSet to be available (") {
		t.Errorf("the engine was not told what it waits for: %q", s.engine.messages)
	}
	if got := at(t, o.state, "__initialApiVersion"); got.StringValue() != "apps/v1" {
		t.Errorf("__initialApiVersion is %v", got)
	}
	if resp := s.diff(o, on(ns, app("a:1", 2, labels))); resp.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("the same program differs: %v", kinds(resp))
	}
	refreshed, err := s.refresh(o)
	if err != nil {
		t.Fatal(err)
	}
	if !read(t, refreshed.GetInputs()).DeepEquals(read(t, o.inputs)) {
		t.Errorf("a refresh changed the inputs:\n%v\n%v", refreshed.GetInputs(), o.inputs)
	}

	if err := s.update(o, on(ns, app("a:2", 3, labels))); err != nil {
		t.Fatal(err)
	}
	if got := at(t, o.state, "status.updatedReplicas").NumberValue(); got != 3 {
		t.Errorf("returned before the rollout was complete: %v", got)
	}
	_, name := splitID(o.id)
	live, err := kube.AppsV1().Deployments(ns).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil || live.Spec.Template.Spec.Containers[0].Image != "a:2" {
		t.Fatal(err, live)
	}

	if err := s.delete(o); err != nil {
		t.Fatal(err)
	}
	if list, _ := kube.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{}); len(list.Items) != 0 {
		t.Errorf("%d pods outlived their Deployment's deletion", len(list.Items))
	}
	if resp, err := s.refresh(o); err != nil || resp.GetId() != "" {
		t.Errorf("a deleted object is still there: %v %v", resp, err)
	}
	if err := s.delete(o); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
}

func TestFailedRolloutTellsThePodsReasons(t *testing.T) {
	for image, want := range map[string]string{
		"pull-error:1": `[ImagePullBackOff] Back-off pulling image "pull-error:1"`,
		"crash:1":      "exit code 3",
	} {
		t.Run(image, func(t *testing.T) {
			t.Parallel()
			s, kube, ns := online(t)
			runNode(t, kube, ns)
			in := on(ns, app(image, 1, map[string]any{"app": "a"}))
			in["spec"].(map[string]any)["progressDeadlineSeconds"] = 2
			_, err := s.tryCreate(deploymentType, "a", 60, in)
			f := initFailure(t, err)
			if !strings.Contains(err.Error(), "was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live") {
				t.Error(err)
			}
			if !contains(f.GetReasons(), want) || !contains(f.GetReasons(), "Minimum number of live Pods was not attained") {
				t.Errorf("reasons %q do not say %q", f.GetReasons(), want)
			}
			if got := at(t, f.GetProperties(), "metadata.uid"); f.GetId() == "" || got.IsNull() {
				t.Error("the engine does not get the object that exists")
			}
		})
	}
}

func TestUnschedulableTimesOut(t *testing.T) {
	s, _, ns := online(t)
	_, err := s.tryCreate(deploymentType, "a", 2, on(ns, app("a:1", 1, map[string]any{"app": "a"})))
	f := initFailure(t, err)
	if !strings.Contains(err.Error(), "timed out waiting to be Ready") {
		t.Error(err)
	}
	if !contains(f.GetReasons(), "node") {
		t.Errorf("reasons %q do not tell that no node takes the pod", f.GetReasons())
	}
}

func TestSkipAwait(t *testing.T) {
	s, _, ns := online(t)
	in := on(ns, app("a:1", 1, map[string]any{"app": "a"}))
	in["metadata"] = map[string]any{"annotations": map[string]any{"pulumi.com/skipAwait": "true"}}
	o := s.create(deploymentType, "a", in)
	if got := at(t, o.state, "status.readyReplicas"); got.IsNumber() {
		t.Errorf("pods ready without a node: %v", got)
	}
}

func TestCancelEndsTheWait(t *testing.T) {
	s, _, ns := online(t)
	failed := make(chan error, 1)
	go func() {
		_, err := s.tryCreate(deploymentType, "a", 0, on(ns, app("a:1", 1, map[string]any{"app": "a"})))
		failed <- err
	}()
	until(t, "the provider waits", func() bool { return s.engine.said("Waiting for app ReplicaSet") })
	if _, err := s.client.Cancel(t.Context(), &emptypb.Empty{}); err != nil {
		t.Fatal(err)
	}
	err := <-failed
	initFailure(t, err)
	if !strings.Contains(err.Error(), "Resource operation was cancelled") {
		t.Error(err)
	}
	s.create(configMapType, "after", map[string]any{})
}

func TestServiceWaitsForItsPods(t *testing.T) {
	s, kube, ns := online(t)
	labels := map[string]any{"app": "a"}
	spec := func(m map[string]any) map[string]any {
		m["ports"] = []any{map[string]any{"port": 80}}
		return map[string]any{"spec": m}
	}
	// None of these has pods to wait for.
	s.create(serviceType, "bare", spec(map[string]any{}))
	s.create(serviceType, "headless", spec(map[string]any{"clusterIP": "None", "selector": labels}))
	s.create(serviceType, "nobody", spec(map[string]any{"selector": map[string]any{"app": "nobody"}}))
	s.create(serviceType, "elsewhere", map[string]any{"spec": map[string]any{"type": "ExternalName", "externalName": "example.com"}})

	runNode(t, kube, ns)
	broken := on(ns, app("crash:1", 1, labels))
	broken["metadata"] = map[string]any{"annotations": map[string]any{"pulumi.com/skipAwait": "true"}}
	o := s.create(deploymentType, "a", broken)
	until(t, "the pod has crashed", func() bool {
		list, err := kube.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
		return err == nil && len(list.Items) == 1 && list.Items[0].Status.PodIP != ""
	})
	_, err := s.tryCreate(serviceType, "a", 2, spec(map[string]any{"selector": labels}))
	if f := initFailure(t, err); !contains(f.GetReasons(), "Service does not target any Pods") {
		t.Errorf("reasons: %q", f.GetReasons())
	}
	healthy := on(ns, app("a:1", 1, labels))
	if err := s.update(o, healthy); err != nil {
		t.Fatal(err)
	}
	made := s.create(serviceType, "b", spec(map[string]any{"selector": labels}))
	if at(t, made.state, "spec.clusterIP").IsNull() {
		t.Error("no cluster IP in the state")
	}
}

// A load balancer's target group points to the node port.
func TestServiceKeepsItsNodePort(t *testing.T) {
	s, _, _ := online(t)
	in := func(port int) map[string]any {
		return map[string]any{"spec": map[string]any{"type": "NodePort", "ports": []any{map[string]any{"port": port}}, "selector": map[string]any{"app": "nobody"}}}
	}
	o := s.create(serviceType, "a", in(80))
	before := at(t, o.state, "spec.ports[0].nodePort")
	labelled := in(80)
	labelled["metadata"] = map[string]any{"labels": map[string]any{"a": "b"}}
	for _, news := range []map[string]any{labelled, in(80)} {
		if err := s.update(o, news); err != nil {
			t.Fatal(err)
		}
		if now := at(t, o.state, "spec.ports[0].nodePort"); !before.IsNumber() || !now.DeepEquals(before) {
			t.Errorf("node port %v became %v", before, now)
		}
	}
}

func TestAutoscalerKeepsTheReplicas(t *testing.T) {
	s, kube, ns := online(t)
	runNode(t, kube, ns)
	labels := map[string]any{"app": "a"}
	without := func(image string) map[string]any {
		in := on(ns, app(image, 0, labels))
		delete(in["spec"].(map[string]any), "replicas")
		return in
	}
	o := s.create(deploymentType, "a", without("a:1"))
	_, name := splitID(o.id)
	scale := func(n int32) {
		if _, err := kube.AppsV1().Deployments(ns).UpdateScale(t.Context(), name,
			&autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns}, Spec: autoscalingv1.ScaleSpec{Replicas: n}},
			metav1.UpdateOptions{FieldManager: "kube-controller-manager"}); err != nil {
			t.Fatal(err)
		}
	}
	scale(3)
	if err := s.update(o, without("a:2"), "spec.replicas"); err != nil {
		t.Fatal(err)
	}
	if got := at(t, o.state, "spec.replicas").NumberValue(); got != 3 {
		t.Errorf("an update scaled to %v", got)
	}
	live, err := kube.AppsV1().Deployments(ns).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range live.ManagedFields {
		if strings.HasPrefix(f.Manager, "pulumi-kubernetes-") && strings.Contains(f.FieldsV1.String(), "f:replicas") {
			t.Error("the provider took the replicas from the autoscaler")
		}
	}
	scale(4)
	if err := s.update(o, without("a:3")); err != nil {
		t.Fatal(err)
	}
	if got := at(t, o.state, "spec.replicas").NumberValue(); got != 4 {
		t.Errorf("an update without ignoreChanges scaled to %v", got)
	}
}

func TestRemovedFieldsLeaveTheObject(t *testing.T) {
	s, kube, ns := online(t, "enableConfigMapMutable", "true")
	o := s.create(configMapType, "c", map[string]any{"metadata": map[string]any{"name": "c"}, "data": map[string]any{"a": "1", "b": "2"}})
	if err := s.update(o, map[string]any{"metadata": map[string]any{"name": "c"}, "data": map[string]any{"a": "1"}}); err != nil {
		t.Fatal(err)
	}
	live, err := kube.CoreV1().ConfigMaps(ns).Get(t.Context(), "c", metav1.GetOptions{})
	if err != nil || len(live.Data) != 1 {
		t.Errorf("%v %v", live.Data, err)
	}
	for _, f := range live.ManagedFields {
		if !strings.HasPrefix(f.Manager, "pulumi-kubernetes-") || f.Operation != metav1.ManagedFieldsOperationApply {
			t.Errorf("fields are owned by %s (%s)", f.Manager, f.Operation)
		}
	}
}

func TestConflictTellsWhatToDo(t *testing.T) {
	s, kube, ns := online(t, "enableConfigMapMutable", "true")
	in := func(v string) map[string]any {
		return map[string]any{"metadata": map[string]any{"name": "c"}, "data": map[string]any{"a": v}}
	}
	o := s.create(configMapType, "c", in("1"))
	if _, err := kube.CoreV1().ConfigMaps(ns).Patch(t.Context(), "c", types.MergePatchType, []byte(`{"data":{"a":"theirs"}}`),
		metav1.PatchOptions{FieldManager: "somebody"}); err != nil {
		t.Fatal(err)
	}
	err := s.update(o, in("2"))
	f := initFailure(t, err)
	if !contains(f.GetReasons(), "Server-Side Apply field conflict detected") || !contains(f.GetReasons(), `"somebody"`) {
		t.Errorf("reasons: %q", f.GetReasons())
	}
	forced := in("2")
	forced["metadata"].(map[string]any)["annotations"] = map[string]any{"pulumi.com/patchForce": "true"}
	if err := s.update(o, forced); err != nil {
		t.Error(err)
	}
}

func TestClientSideApply(t *testing.T) {
	s, kube, ns := online(t, "enableServerSideApply", "false", "enableConfigMapMutable", "true")
	o := s.create(configMapType, "c", map[string]any{"metadata": map[string]any{"name": "c"}, "data": map[string]any{"a": "1", "b": "2"}})
	if _, err := kube.CoreV1().ConfigMaps(ns).Patch(t.Context(), "c", types.MergePatchType, []byte(`{"data":{"theirs":"x"}}`),
		metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := s.update(o, map[string]any{"metadata": map[string]any{"name": "c"}, "data": map[string]any{"a": "3"}}); err != nil {
		t.Fatal(err)
	}
	live, err := kube.CoreV1().ConfigMaps(ns).Get(t.Context(), "c", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if live.Data["a"] != "3" || live.Data["theirs"] != "x" || len(live.Data) != 2 || live.Labels[managedByLabel] != "pulumi" {
		t.Errorf("data %v, labels %v", live.Data, live.Labels)
	}
}

func TestExistingObjectsAreNotTaken(t *testing.T) {
	s, _, _ := online(t)
	in := map[string]any{"metadata": map[string]any{"name": "c"}, "data": map[string]any{"a": "1"}}
	o := s.create(configMapType, "c", in)
	_, err := s.tryCreate(configMapType, "d", 0, in)
	if err == nil || !strings.Contains(err.Error(), "was not successfully created by the Kubernetes API server") ||
		!strings.Contains(err.Error(), `configmaps "c" already exists`) {
		t.Errorf("%v", err)
	}
	// Replaced by one of the same name in the same run.
	preview, err := s.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(configMapType, "c"), Properties: o.inputs, Preview: true})
	if err != nil || !read(t, preview.GetProperties()).DeepEquals(read(t, o.inputs)) {
		t.Errorf("%v %v", preview, err)
	}
}

func TestUpsert(t *testing.T) {
	s, _, ns := online(t, "upsertExistingObjects", "true")
	in := map[string]any{"metadata": map[string]any{"name": "default"}, "automountServiceAccountToken": false}
	o := s.create("kubernetes:core/v1:ServiceAccount", "sa", in)
	if o.id != ns+"/default" {
		t.Errorf("id is %q", o.id)
	}
}

func TestPreviewInANamespaceToCome(t *testing.T) {
	s, _, _ := online(t)
	in := s.check(configMapType, "c", nil, map[string]any{"metadata": map[string]any{"namespace": "not-there-yet"}})
	resp, err := s.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(configMapType, "c"), Properties: in, Preview: true})
	if err != nil || !read(t, resp.GetProperties()).DeepEquals(read(t, in)) {
		t.Errorf("%v %v", resp, err)
	}
}

func TestPreviewWithUnknowns(t *testing.T) {
	s, _, _ := online(t)
	in := s.check(configMapType, "c", nil, map[string]any{"data": map[string]any{"a": resource.MakeComputed(resource.NewStringProperty(""))}})
	resp, err := s.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(configMapType, "c"), Properties: in, Preview: true})
	if err != nil || !at(t, resp.GetProperties(), "data.a").IsComputed() {
		t.Errorf("%v %v", resp, err)
	}
}

func TestPreviewTellsWhatTheServerRefuses(t *testing.T) {
	s, _, _ := online(t)
	in := s.check(deploymentType, "a", nil, app("a:1", 2, map[string]any{"app": "Not A Label"}))
	_, err := s.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(deploymentType, "a"), Properties: in, Preview: true})
	if err == nil || !strings.Contains(err.Error(), "a valid label must be") {
		t.Errorf("%v", err)
	}
}

func TestPreviewOfAnUpdateChangesNothing(t *testing.T) {
	s, kube, ns := online(t, "enableConfigMapMutable", "true")
	in := func(v string) map[string]any {
		return map[string]any{"metadata": map[string]any{"name": "c"}, "data": map[string]any{"a": v}}
	}
	o := s.create(configMapType, "c", in("1"))
	resp, err := s.client.Update(t.Context(), &pulumirpc.UpdateRequest{
		Urn: urn(o.typ, o.name), Id: o.id, Olds: o.state, News: s.check(o.typ, o.name, o.inputs, in("2")), Preview: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := at(t, resp.GetProperties(), "data.a").StringValue(); got != "2" {
		t.Errorf("the preview says %q", got)
	}
	if live, err := kube.CoreV1().ConfigMaps(ns).Get(t.Context(), "c", metav1.GetOptions{}); err != nil || live.Data["a"] != "1" {
		t.Errorf("%v %v", live.Data, err)
	}
}

func TestRefreshSeesDrift(t *testing.T) {
	s, kube, ns := online(t, "enableConfigMapMutable", "true")
	in := map[string]any{"metadata": map[string]any{"name": "c"}, "data": map[string]any{"a": "1"}}
	o := s.create(configMapType, "c", in)
	if _, err := kube.CoreV1().ConfigMaps(ns).Patch(t.Context(), "c", types.MergePatchType, []byte(`{"data":{"a":"2","more":"x"}}`),
		metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	resp, err := s.refresh(o)
	if err != nil {
		t.Fatal(err)
	}
	o.state = resp.GetProperties()
	if got := kinds(s.diff(o, in)); len(got) != 1 || got["data.a"] != "UPDATE" {
		t.Errorf("differences after the refresh: %v", got)
	}
}

func TestImport(t *testing.T) {
	s, _, ns := online(t)
	in := map[string]any{"metadata": map[string]any{"name": "c"}, "data": map[string]any{"a": "1"}}
	s.create(configMapType, "c", in)
	resp, err := s.refresh(&object{typ: configMapType, name: "imported", id: ns + "/c"})
	if err != nil {
		t.Fatal(err)
	}
	want := resource.NewPropertyMapFromMap(map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"a": "1"}, "metadata": map[string]any{"name": "c", "namespace": ns},
	})
	if got := read(t, resp.GetInputs()); !got.DeepEquals(want) {
		t.Errorf("inputs are %v", got)
	}
	o := &object{typ: configMapType, name: "imported", id: resp.GetId(), inputs: resp.GetInputs(), state: resp.GetProperties()}
	if resp := s.diff(o, in); resp.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("the program that it was made by differs: %v", kinds(resp))
	}
	if gone, err := s.refresh(&object{typ: configMapType, name: "x", id: ns + "/nothing"}); err != nil || gone.GetId() != "" {
		t.Errorf("%v %v", gone, err)
	}
}

func TestSecretStateIsSecret(t *testing.T) {
	s, _, _ := online(t)
	o := s.create(secretType, "db", map[string]any{"stringData": map[string]any{"password": "hunter2"}})
	if strings.Contains(withoutSecrets(t, read(t, o.state)), "aHVudGVyMg==") {
		t.Error("the password is in the state in the clear")
	}
	if v := read(t, o.state)["data"]; !v.IsSecret() || v.SecretValue().Element.ObjectValue()["password"].StringValue() != "aHVudGVyMg==" {
		t.Errorf("data is %v", v)
	}
	if resp := s.diff(o, map[string]any{"stringData": map[string]any{"password": "hunter2"}}); resp.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("the same program differs: %v", kinds(resp))
	}
}

// withoutSecrets writes out what is not marked as secret.
func withoutSecrets(t *testing.T, m resource.PropertyMap) string {
	t.Helper()
	out, err := json.Marshal(m.MapRepl(nil, func(v resource.PropertyValue) (any, bool) { return "[secret]", v.IsSecret() }))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestFinalizersHoldADeletion(t *testing.T) {
	s, kube, ns := online(t)
	o := s.create(configMapType, "c", map[string]any{"metadata": map[string]any{"name": "c", "finalizers": []any{"example.com/hold"}}})
	_, err := s.client.Delete(t.Context(), &pulumirpc.DeleteRequest{Urn: urn(o.typ, o.name), Id: o.id, Properties: o.state, Timeout: 2})
	f := initFailure(t, err)
	if !contains(f.GetReasons(), "finalizers might be preventing deletion (example.com/hold)") {
		t.Errorf("reasons: %q", f.GetReasons())
	}
	if _, err := kube.CoreV1().ConfigMaps(ns).Patch(context.Background(), "c", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`),
		metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := s.delete(o); err != nil {
		t.Error(err)
	}
}

func TestNamespaceGoesWithItsContent(t *testing.T) {
	s, kube, _ := online(t)
	ns := s.create(namespaceType, "shop", map[string]any{})
	if strings.Contains(ns.id, "/") {
		t.Errorf("id is %q", ns.id)
	}
	s.create(configMapType, "c", map[string]any{"metadata": map[string]any{"namespace": ns.id, "name": "c"}})
	if err := s.delete(ns); err != nil {
		t.Fatal(err)
	}
	if _, err := kube.CoreV1().Namespaces().Get(t.Context(), ns.id, metav1.GetOptions{}); !missing(err) {
		t.Errorf("the namespace is still there: %v", err)
	}
}

func TestCustomResources(t *testing.T) {
	s, _, ns := online(t)
	kind := strings.ReplaceAll(ns, "-", "")
	group := kind + ".example.com"
	crd := func(column string) map[string]any {
		return map[string]any{
			"metadata": map[string]any{"name": "planets." + group},
			"spec": map[string]any{
				"group": group, "scope": "Cluster", "names": map[string]any{"kind": "Planet", "plural": "planets", "singular": "planet"},
				"versions": []any{map[string]any{
					"name": "v1", "served": true, "storage": true,
					"schema": map[string]any{"openAPIV3Schema": map[string]any{
						"type": "object", "x_kubernetes_preserve_unknown_fields": true, "description": column,
					}},
				}},
			},
		}
	}
	planet := map[string]any{"metadata": map[string]any{"name": "mars"}, "spec": map[string]any{"moons": 2}}
	typ := "kubernetes:" + group + "/v1:Planet"
	// The planet has to wait for its definition, which another program makes.
	others, _, _ := online(t)
	var wg sync.WaitGroup
	var mars *object
	wg.Go(func() { mars, _ = s.tryCreate(typ, "mars", 0, planet) })
	until(t, "the planet waits for its kind", func() bool { return s.engine.said("creation failed") })
	definition := others.create("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", "crd", crd("one"))
	wg.Wait()
	if mars == nil || mars.id != "mars" {
		t.Fatalf("the planet was not made: %v", mars)
	}
	if err := s.update(mars, map[string]any{"metadata": map[string]any{"name": "mars"}, "spec": map[string]any{"moons": 3}}); err != nil {
		t.Fatal(err)
	}
	if got := at(t, mars.state, "spec.moons").NumberValue(); got != 3 {
		t.Errorf("moons: %v", got)
	}
	if resp := others.diff(definition, crd("one")); resp.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("the same definition differs: %v", kinds(resp))
	}
	if err := others.update(definition, crd("two")); err != nil {
		t.Error(err)
	}
	if v := at(t, definition.state, "__inputs.metadata.resourceVersion"); !v.IsNull() {
		t.Errorf("the state claims that the program said resourceVersion %v", v)
	}
	if err := others.delete(definition); err != nil {
		t.Fatal(err)
	}
	if resp, err := s.refresh(mars); err != nil || resp.GetId() != "" {
		t.Errorf("an object of a kind that is gone: %v %v", resp, err)
	}
	if err := s.delete(mars); err != nil {
		t.Errorf("deleting an object of a kind that is gone: %v", err)
	}
}

func TestWaitFor(t *testing.T) {
	s, kube, ns := online(t)
	in := func(expr string) map[string]any {
		return map[string]any{"metadata": map[string]any{"name": "c", "annotations": map[string]any{"pulumi.com/waitFor": expr}}, "data": map[string]any{"a": "1"}}
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.tryCreate(configMapType, "c", 60, in(`["jsonpath={.data.a}=1","jsonpath={.data.b}"]`))
		done <- err
	}()
	until(t, "the provider waits", func() bool { return s.engine.said(`Waiting for condition "jsonpath={.data.b}"`) })
	if _, err := kube.CoreV1().ConfigMaps(ns).Patch(t.Context(), "c", types.MergePatchType, []byte(`{"data":{"b":"x"}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestManyAtOnce(t *testing.T) {
	s, _, _ := online(t)
	var wg sync.WaitGroup
	for _, name := range strings.Split("abcdefghijklmnopqrst", "") {
		wg.Go(func() { s.create(configMapType, name, map[string]any{"data": map[string]any{"k": name}}) })
	}
	wg.Wait()
}

func TestStatefulSetAndDaemonSet(t *testing.T) {
	s, kube, ns := online(t)
	runNode(t, kube, ns)
	set := func(image string) map[string]any {
		in := on(ns, app(image, 2, map[string]any{"app": "set"}))
		in["spec"].(map[string]any)["serviceName"] = "set"
		return in
	}
	o := s.create("kubernetes:apps/v1:StatefulSet", "set", set("a:1"))
	if err := s.update(o, set("a:2")); err != nil {
		t.Fatal(err)
	}
	if a, b := at(t, o.state, "status.currentRevision"), at(t, o.state, "status.updateRevision"); !a.DeepEquals(b) {
		t.Errorf("returned before the rollout was complete: %v %v", a, b)
	}
	each := on(ns, app("a:1", 1, map[string]any{"app": "each"}))
	delete(each["spec"].(map[string]any), "replicas")
	d := s.create("kubernetes:apps/v1:DaemonSet", "each", each)
	if got := at(t, d.state, "status.numberAvailable").NumberValue(); got != 1 {
		t.Errorf("available: %v", got)
	}
}
