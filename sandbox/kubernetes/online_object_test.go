package kubernetes

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

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

// What a command that was killed had made can be changed by the next one, without a conflict of field managers.
func TestMadeFindsTheFieldManager(t *testing.T) {
	s, _, ns := online(t, "enableConfigMapMutable", "true")
	in := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "c", "namespace": ns}, "data": map[string]any{"a": "1"}}
	o := s.create(configMapType, "c", in)
	path, err := kubeconfig()
	if err != nil {
		t.Fatal(err)
	}
	outputs, err := Made(t.Context(), path, in)
	if err != nil {
		t.Fatal(err)
	}
	if want := read(t, o.state)[fieldManagerKey].StringValue(); outputs[fieldManagerKey] != want {
		t.Errorf("the field manager is %v, want %q", outputs[fieldManagerKey], want)
	}
	in["metadata"].(map[string]any)["name"] = "nothing"
	if outputs, err := Made(t.Context(), path, in); outputs != nil || err != nil {
		t.Errorf("what is not there is %v, %v", outputs, err)
	}
}
