package kubernetes

import (
	"maps"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// made is the state of an object that the API server answered as it was sent, with some of its own beside.
func (s *stack) made(typ, name string, inputs map[string]any) *object {
	s.t.Helper()
	o := &object{typ: typ, name: name, inputs: s.check(typ, name, nil, inputs)}
	live := toObject(read(s.t, o.inputs))
	live.SetUID("u-1")
	live.SetResourceVersion("7")
	if data, is := live.Object["stringData"]; is {
		s.t.Fatalf("stringData %v was not made data", data)
	}
	state := stateOf(toObject(read(s.t, o.inputs)), live, read(s.t, o.inputs), live.GetAPIVersion(), "m")
	marshalled, err := settings{secrets: true}.marshal(state)
	if err != nil {
		s.t.Fatal(err)
	}
	o.id, o.state = idOf(live), marshalled
	return o
}

func kinds(resp *pulumirpc.DiffResponse) map[string]string {
	out := map[string]string{}
	for p, d := range resp.GetDetailedDiff() {
		out[p] = d.GetKind().String()
	}
	return out
}

func app(image string, replicas int, labels map[string]any) map[string]any {
	return map[string]any{"spec": map[string]any{
		"replicas": replicas,
		"selector": map[string]any{"matchLabels": labels},
		"template": map[string]any{
			"metadata": map[string]any{"labels": labels},
			"spec": map[string]any{"containers": []any{map[string]any{
				"name": "app", "image": image,
				"resources": map[string]any{"requests": map[string]any{"cpu": "1000m"}},
			}}},
		},
	}}
}

func TestDiff(t *testing.T) {
	labels, others := map[string]any{"app": "a"}, map[string]any{"app": "b"}
	named := func(in map[string]any) map[string]any {
		in["metadata"] = map[string]any{"name": "n"}
		return in
	}
	data := func(v string) map[string]any { return map[string]any{"data": map[string]any{"k": v}} }
	text := func(v string) map[string]any { return map[string]any{"stringData": map[string]any{"k": v}} }
	for name, c := range map[string]struct {
		typ         string
		olds, news  map[string]any
		args        []string
		ignore      []string
		want        map[string]string
		replace     bool
		deleteFirst bool
	}{
		"nothing": {typ: deploymentType, olds: app("a:1", 2, labels), news: app("a:1", 2, labels), want: map[string]string{}},
		"same quantity in other words": {
			typ: deploymentType, olds: app("a:1", 2, labels), want: map[string]string{},
			news: func() map[string]any {
				in := app("a:1", 2, labels)
				c := in["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)
				c["resources"] = map[string]any{"requests": map[string]any{"cpu": "1"}}
				return in
			}(),
		},
		"image": {
			typ: deploymentType, olds: app("a:1", 2, labels), news: app("a:2", 2, labels),
			want: map[string]string{"spec.template.spec.containers[0].image": "UPDATE"},
		},
		"replicas ignored": {
			typ: deploymentType, olds: app("a:1", 2, labels), news: app("a:1", 3, labels), ignore: []string{"spec.replicas"},
			want: map[string]string{},
		},
		"selector of an autonamed Deployment": {
			typ: deploymentType, olds: app("a:1", 2, labels), news: app("a:1", 2, others), replace: true,
			want: map[string]string{"spec.selector.matchLabels.app": "UPDATE_REPLACE", "spec.template.metadata.labels.app": "UPDATE"},
		},
		"selector of a named Deployment": {
			typ: deploymentType, olds: named(app("a:1", 2, labels)), news: named(app("a:1", 2, others)), replace: true, deleteFirst: true,
			want: map[string]string{"spec.selector.matchLabels.app": "UPDATE_REPLACE", "spec.template.metadata.labels.app": "UPDATE"},
		},
		"Secret data": {
			typ: secretType, olds: text("v"), news: text("w"), replace: true,
			want: map[string]string{"data.k": "UPDATE_REPLACE"},
		},
		"Secret data, named": {
			typ: secretType, olds: named(data("dg==")), news: named(data("dw==")), replace: true, deleteFirst: true,
			want: map[string]string{"data.k": "UPDATE_REPLACE"},
		},
		"Secret data, mutable": {
			typ: secretType, olds: text("v"), news: text("w"), args: []string{"enableSecretMutable", "true"},
			want: map[string]string{"data.k": "UPDATE"},
		},
		"Secret from data to stringData": {
			typ: secretType, olds: data("dg=="), news: text("v"), want: map[string]string{},
		},
		"ConfigMap data": {
			typ: configMapType, olds: data("v"), news: data("w"), replace: true, want: map[string]string{"data.k": "UPDATE_REPLACE"},
		},
		"ConfigMap data, mutable": {
			typ: configMapType, olds: data("v"), news: data("w"), args: []string{"enableConfigMapMutable", "true"},
			want: map[string]string{"data.k": "UPDATE"},
		},
		"ConfigMap without data any more": {
			typ: configMapType, olds: data("v"), news: map[string]any{}, replace: true, want: map[string]string{"data": "DELETE_REPLACE"},
		},
		"no name any more": {
			typ: configMapType, olds: named(data("v")), news: data("v"), replace: true,
			want: map[string]string{"metadata.name": "DELETE_REPLACE"},
		},
		"Job template": {
			typ:     "kubernetes:batch/v1:Job",
			olds:    map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"restartPolicy": "Never"}}}},
			news:    map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"restartPolicy": "OnFailure"}}}},
			replace: true, want: map[string]string{"spec.template.spec.restartPolicy": "UPDATE_REPLACE"},
		},
		"Pod image": {
			typ:     "kubernetes:core/v1:Pod",
			olds:    map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "c", "image": "a"}}}},
			news:    map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "c", "image": "b"}}}},
			replace: true, want: map[string]string{"spec.containers[0].image": "UPDATE_REPLACE"},
		},
		"list grows and shrinks": {
			typ:  serviceType,
			olds: map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": 80}}, "externalIPs": []any{"10.0.0.1", "10.0.0.2"}}},
			news: map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": 80}, map[string]any{"port": 81}}, "externalIPs": []any{"10.0.0.1"}}},
			want: map[string]string{"spec.ports[1]": "ADD", "spec.externalIPs[1]": "DELETE"},
		},
		"not known yet": {
			typ: deploymentType, olds: app("a:1", 2, labels),
			news: map[string]any{"spec": resource.MakeComputed(resource.NewStringProperty(""))},
			want: map[string]string{"spec": "UPDATE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := offline(t, c.args...)
			resp := s.diff(s.made(c.typ, "x", c.olds), c.news, c.ignore...)
			if got := kinds(resp); !maps.Equal(got, c.want) {
				t.Errorf("differences %v, want %v", got, c.want)
			}
			if (len(resp.GetReplaces()) > 0) != c.replace || resp.GetDeleteBeforeReplace() != c.deleteFirst {
				t.Errorf("replaces %v, delete first %t", resp.GetReplaces(), resp.GetDeleteBeforeReplace())
			}
			if some := resp.GetChanges() == pulumirpc.DiffResponse_DIFF_SOME; some != (len(c.want) > 0) {
				t.Errorf("changes: %v", resp.GetChanges())
			}
		})
	}
}
