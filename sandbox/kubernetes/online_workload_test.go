package kubernetes

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
		"unready:1":    "Readiness probe failed: HTTP probe failed with statuscode: 503 (4 times)",
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
