package kubernetes

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

const (
	deploymentType = "kubernetes:apps/v1:Deployment"
	serviceType    = "kubernetes:core/v1:Service"
	secretType     = "kubernetes:core/v1:Secret"
	configMapType  = "kubernetes:core/v1:ConfigMap"
	namespaceType  = "kubernetes:core/v1:Namespace"
)

// nowhere is a kubeconfig of a cluster that does not answer.
const nowhere = `{"apiVersion":"v1","kind":"Config","current-context":"c",
"clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:1"}}],
"contexts":[{"name":"c","context":{"cluster":"c","user":"c"}}],"users":[{"name":"c","user":{"token":"t"}}]}`

func offline(t *testing.T, args ...string) *stack {
	t.Helper()
	all := map[string]string{"kubeconfig": nowhere, "namespace": "team"}
	for i := 0; i < len(args); i += 2 {
		all[args[i]] = args[i+1]
	}
	return newStack(t, all)
}

func TestPluginInfo(t *testing.T) {
	s := offline(t)
	info, err := s.client.GetPluginInfo(t.Context(), &emptypb.Empty{})
	if err != nil || info.GetVersion() != "4.30.0" {
		t.Fatal(info, err)
	}
}

func TestCheckCompletesInputs(t *testing.T) {
	s := offline(t)
	in := s.check("kubernetes:networking.k8s.io/v1:Ingress", "door", nil, map[string]any{"spec": map[string]any{"ingressClassName": nil}})
	for path, want := range map[string]string{
		"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata.namespace": "team",
		`metadata.annotations["pulumi.com/autonamed"]`: "true",
	} {
		if got := at(t, in, path); !got.IsString() || got.StringValue() != want {
			t.Errorf("%s is %v, want %q", path, got, want)
		}
	}
	name := at(t, in, "metadata.name").StringValue()
	if suffix, ok := strings.CutPrefix(name, "door-"); !ok || len(suffix) != 8 || strings.Trim(suffix, "0123456789abcdef") != "" {
		t.Errorf("name %q is not door- and eight hexadecimal digits", name)
	}
	if _, has := read(t, in)["spec"].ObjectValue()["ingressClassName"]; has {
		t.Error("a null was kept")
	}
	again := s.check("kubernetes:networking.k8s.io/v1:Ingress", "door", nil, map[string]any{})
	if got := at(t, again, "metadata.name").StringValue(); got != name {
		t.Errorf("the same seed gave %q, then %q", name, got)
	}
}

func TestCheckKeepsTheMadeUpName(t *testing.T) {
	s := offline(t)
	before := s.check(deploymentType, "app", nil, map[string]any{})
	after := s.check(deploymentType, "app", before, map[string]any{"spec": map[string]any{"replicas": 2}})
	if a, b := at(t, before, "metadata.name"), at(t, after, "metadata.name"); !a.DeepEquals(b) {
		t.Errorf("name changed from %v to %v", a, b)
	}
	if at(t, after, `metadata.annotations["pulumi.com/autonamed"]`).IsNull() {
		t.Error("not marked as autonamed any more, so a replacement would delete first")
	}
}

func TestCheckLeavesGivenNamesAlone(t *testing.T) {
	s := offline(t)
	in := s.check(deploymentType, "app", nil, map[string]any{"metadata": map[string]any{"name": "shop", "namespace": "other"}})
	if got := at(t, in, "metadata"); !got.DeepEquals(resource.NewPropertyValue(map[string]any{"name": "shop", "namespace": "other"})) {
		t.Errorf("metadata is %v", got)
	}
	unknownName := s.check(deploymentType, "app", nil, map[string]any{
		"metadata": map[string]any{"name": resource.MakeComputed(resource.NewStringProperty(""))},
	})
	if got := at(t, unknownName, "metadata.name"); !got.IsComputed() {
		t.Errorf("a name that is not known yet became %v", got)
	}
	if !at(t, unknownName, "metadata.annotations").IsNull() {
		t.Error("an object with a name of its own was marked autonamed")
	}
}

func TestAutonamingOfTheProject(t *testing.T) {
	s := offline(t)
	for _, c := range []struct {
		options *pulumirpc.CheckRequest_AutonamingOptions
		want    string
	}{
		{&pulumirpc.CheckRequest_AutonamingOptions{ProposedName: "app-prod", Mode: pulumirpc.CheckRequest_AutonamingOptions_ENFORCE}, "app-prod"},
		{&pulumirpc.CheckRequest_AutonamingOptions{Mode: pulumirpc.CheckRequest_AutonamingOptions_DISABLE}, ""},
	} {
		resp, err := s.client.Check(t.Context(), &pulumirpc.CheckRequest{
			Urn: urn(deploymentType, "app"), News: props(t, map[string]any{}), Autonaming: c.options,
		})
		if err != nil {
			t.Fatal(err)
		}
		got := at(t, resp.GetInputs(), "metadata.name")
		if c.want == "" && !got.IsNull() || c.want != "" && got.StringValue() != c.want {
			t.Errorf("%v: name is %v, want %q", c.options.GetMode(), got, c.want)
		}
	}
}

func TestClusterScopedKindsGetNoNamespace(t *testing.T) {
	s := offline(t)
	for _, typ := range []string{namespaceType, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "kubernetes:storage.k8s.io/v1:StorageClass"} {
		if got := at(t, s.check(typ, "x", nil, map[string]any{}), "metadata.namespace"); !got.IsNull() {
			t.Errorf("%s got the namespace %v", typ, got)
		}
	}
	s.check("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", "crd", nil, map[string]any{"spec": map[string]any{
		"group": "example.com", "scope": "Cluster", "names": map[string]any{"kind": "Planet", "plural": "planets"},
	}})
	if got := at(t, s.check("kubernetes:example.com/v1:Planet", "mars", nil, map[string]any{}), "metadata.namespace"); !got.IsNull() {
		t.Errorf("a kind that the program defines for the whole cluster got the namespace %v", got)
	}
}

func TestSecretsStaySecret(t *testing.T) {
	s := offline(t)
	in := s.check(secretType, "db", nil, map[string]any{"stringData": map[string]any{"password": "hunter2"}})
	for _, key := range []string{"data", "stringData"} {
		if v := read(t, in)[resource.PropertyKey(key)]; !v.IsNull() && !v.IsSecret() {
			t.Errorf("%s of a Secret is in the clear: %v", key, v)
		}
	}
	in = s.check(deploymentType, "app", nil, map[string]any{"spec": map[string]any{
		"replicas": 2,
		"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{
			"name": "app", "env": []any{map[string]any{"name": "P", "value": resource.MakeSecret(resource.NewStringProperty("hunter2"))}},
		}}}},
	}})
	if !at(t, in, "spec.template.spec.containers").IsSecret() {
		t.Error("the list with the secret in it is not secret")
	}
	if at(t, in, "spec.replicas").IsSecret() {
		t.Error("what has nothing to do with the secret became secret")
	}
}

func TestRefusedTypes(t *testing.T) {
	s := offline(t)
	for typ, want := range map[string]string{
		"kubernetes:apps/v1:DeploymentPatch": `does not support the resource type "kubernetes:apps/v1:DeploymentPatch"`,
		"kubernetes:apps/v1:DeploymentList":  "list resources exist for compatibility",
		"kubernetes:helm.sh/v3:Release":      `does not support the resource type "kubernetes:helm.sh/v3:Release"`,
	} {
		_, err := s.client.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn(typ, "x"), News: props(t, map[string]any{})})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", typ, err, want)
		}
	}
	if _, err := s.client.Check(t.Context(), &pulumirpc.CheckRequest{
		Urn: urn("kubernetes:example.com/v1:AllowList", "x"), News: props(t, map[string]any{}),
	}); err != nil {
		t.Errorf("a custom kind that ends in List was refused: %v", err)
	}
	if _, err := s.client.Construct(t.Context(), &pulumirpc.ConstructRequest{Type: "kubernetes:helm.sh/v4:Chart"}); err == nil ||
		!strings.Contains(err.Error(), `"kubernetes:helm.sh/v4:Chart"`) {
		t.Errorf("a chart: %v", err)
	}
	if _, err := s.client.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "kubernetes:helm:template"}); err == nil ||
		!strings.Contains(err.Error(), `"kubernetes:helm:template"`) {
		t.Errorf("a helm template: %v", err)
	}
}

func TestDecodeYAML(t *testing.T) {
	s := offline(t)
	resp, err := s.client.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "kubernetes:yaml:decode", Args: props(t, map[string]any{
		"defaultNamespace": "shop",
		"text": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n---\n" +
			"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: b}}\n",
	})})
	if err != nil {
		t.Fatal(err)
	}
	want := resource.NewPropertyValue([]any{
		map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "namespace": "shop"}},
		map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "b"}},
	})
	if got := read(t, resp.GetReturn())["result"]; !got.DeepEquals(want) {
		t.Errorf("got %v", got)
	}
}

func TestUnreachableCluster(t *testing.T) {
	s := offline(t)
	o := &object{typ: configMapType, name: "c", id: "team/c"}
	o.inputs = s.check(o.typ, o.name, nil, map[string]any{"metadata": map[string]any{"name": "c"}})
	preview, err := s.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(o.typ, o.name), Properties: o.inputs, Preview: true})
	if err != nil || !read(t, preview.GetProperties()).DeepEquals(read(t, o.inputs)) {
		t.Errorf("a preview without a cluster should answer with the inputs: %v %v", preview, err)
	}
	o.state = o.inputs
	_, err = s.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(o.typ, o.name), Properties: o.inputs})
	const want = "configured Kubernetes cluster is unreachable: unable to load schema information from the API server: "
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("create: %v", err)
	}
	if _, err := s.refresh(o); err == nil || !strings.Contains(err.Error(), "PULUMI_K8S_DELETE_UNREACHABLE") {
		t.Errorf("refresh: %v", err)
	}
	if err := s.delete(o); err == nil || !strings.Contains(err.Error(), "PULUMI_K8S_DELETE_UNREACHABLE") {
		t.Errorf("delete: %v", err)
	}
	gone := offline(t, "deleteUnreachable", "true")
	if resp, err := gone.refresh(o); err != nil || resp.GetId() != "" {
		t.Errorf("refresh with deleteUnreachable: %v %v", resp, err)
	}
	if err := gone.delete(o); err != nil {
		t.Errorf("delete with deleteUnreachable: %v", err)
	}
	kept := offline(t, "skipUpdateUnreachable", "true")
	if resp, err := kept.refresh(o); err != nil || resp.GetId() != o.id {
		t.Errorf("refresh with skipUpdateUnreachable: %v %v", resp, err)
	}
}

func TestBrokenKubeconfigIsNotReplacedByTheAmbientOne(t *testing.T) {
	t.Setenv("KUBECONFIG", "/nonexistent")
	s := newStack(t, map[string]string{"kubeconfig": "{not a kubeconfig"})
	in := s.check(configMapType, "c", nil, map[string]any{})
	_, err := s.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(configMapType, "c"), Properties: in})
	if err == nil || !strings.Contains(err.Error(), "configured Kubernetes cluster is unreachable: failed to parse kubeconfig data") {
		t.Error(err)
	}
}

func TestDiffConfig(t *testing.T) {
	s := offline(t)
	other := strings.ReplaceAll(nowhere, "127.0.0.1:1", "127.0.0.1:2")
	newToken := strings.ReplaceAll(nowhere, `"token":"t"`, `"token":"u"`)
	unknownConfig := resource.MakeComputed(resource.NewStringProperty(""))
	for name, c := range map[string]struct {
		olds, news map[string]any
		replaces   []string
	}{
		"another server":                  {map[string]any{"kubeconfig": nowhere}, map[string]any{"kubeconfig": other}, []string{"kubeconfig"}},
		"new credentials":                 {map[string]any{"kubeconfig": nowhere}, map[string]any{"kubeconfig": newToken}, nil},
		"unknown":                         {map[string]any{"kubeconfig": nowhere}, map[string]any{"kubeconfig": unknownConfig}, []string{"kubeconfig"}},
		"unknown, same identifier":        {map[string]any{"kubeconfig": nowhere, "clusterIdentifier": "a"}, map[string]any{"kubeconfig": unknownConfig, "clusterIdentifier": "a"}, nil},
		"another server, same identifier": {map[string]any{"kubeconfig": nowhere, "clusterIdentifier": "a"}, map[string]any{"kubeconfig": other, "clusterIdentifier": "a"}, nil},
		"identifier changed":              {map[string]any{"kubeconfig": nowhere, "clusterIdentifier": "a"}, map[string]any{"kubeconfig": nowhere, "clusterIdentifier": "b"}, []string{"clusterIdentifier"}},
		"identifier added":                {map[string]any{"kubeconfig": nowhere}, map[string]any{"kubeconfig": nowhere, "clusterIdentifier": "b"}, nil},
	} {
		resp, err := s.client.DiffConfig(t.Context(), &pulumirpc.DiffRequest{
			Urn: urn("pulumi:providers:kubernetes", "k"), Olds: props(t, c.olds), News: props(t, c.news),
		})
		if err != nil {
			t.Fatal(err)
		}
		if resp.GetChanges() != pulumirpc.DiffResponse_DIFF_SOME || !slices.Equal(resp.GetReplaces(), c.replaces) {
			t.Errorf("%s: %v, replaces %v, want %v", name, resp.GetChanges(), resp.GetReplaces(), c.replaces)
		}
	}
	same, err := s.client.DiffConfig(t.Context(), &pulumirpc.DiffRequest{
		Olds: props(t, map[string]any{"kubeconfig": nowhere}), News: props(t, map[string]any{"kubeconfig": nowhere}),
	})
	if err != nil || same.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE {
		t.Error(same, err)
	}
}

func TestCheckConfig(t *testing.T) {
	s := offline(t)
	resp, err := s.client.CheckConfig(t.Context(), &pulumirpc.CheckRequest{
		Urn: urn("pulumi:providers:kubernetes", "k"), News: props(t, map[string]any{"strictMode": "true"}),
	})
	if err != nil || len(resp.GetFailures()) != 2 {
		t.Errorf("strict mode without a cluster: %v %v", resp, err)
	}
}
