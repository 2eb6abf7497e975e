package kubernetes

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

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
