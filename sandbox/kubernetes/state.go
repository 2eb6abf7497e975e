package kubernetes

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What the state holds beside the live object.
const (
	inputsKey            = "__inputs"
	initialAPIVersionKey = "__initialApiVersion"
	fieldManagerKey      = "__fieldManager"
)

// stateOf is what the engine keeps of an object: the object itself, the inputs that made it, the API version it was first
// made with, and the name under which the provider owns its fields. Whatever was secret in the inputs is secret here.
func stateOf(inputs, live *unstructured.Unstructured, from resource.PropertyMap, initialAPIVersion, manager string) resource.PropertyMap {
	state := fromObject(live.Object)
	kept := fromObject(inputs.Object)
	hideSecrets(state, from)
	hideSecrets(kept, from)
	state[inputsKey] = resource.NewObjectProperty(kept)
	state[initialAPIVersionKey] = resource.NewStringProperty(initialAPIVersion)
	state[fieldManagerKey] = resource.NewStringProperty(manager)
	return state
}

// readState takes a state apart again.
func readState(state resource.PropertyMap) (inputs, live *unstructured.Unstructured) {
	object := toMap(state)
	old, _ := object[inputsKey].(map[string]any)
	if old == nil {
		old = map[string]any{}
	}
	delete(object, inputsKey)
	return &unstructured.Unstructured{Object: old}, &unstructured.Unstructured{Object: object}
}

func initialAPIVersion(state resource.PropertyMap, inputs *unstructured.Unstructured) string {
	if v, ok := state[initialAPIVersionKey]; ok && v.IsString() {
		return v.StringValue()
	}
	return inputs.GetAPIVersion()
}

// hideSecrets marks in outs what is secret in ins, key by key, so that one secret does not hide a whole Deployment. A list
// with a secret in it is secret as a whole, since its order may differ. A Secret's data is always secret.
func hideSecrets(outs, ins resource.PropertyMap) {
	if kind, ok := outs["kind"]; ok && kind.IsString() && kind.StringValue() == "Secret" {
		for _, key := range []resource.PropertyKey{"data", "stringData"} {
			if v, ok := outs[key]; ok && !v.IsSecret() {
				outs[key] = resource.MakeSecret(v)
			}
		}
		return
	}
	for key, in := range ins {
		out, ok := outs[key]
		switch {
		case !ok:
		case out.IsObject() && in.IsObject():
			hideSecrets(out.ObjectValue(), in.ObjectValue())
		case !out.IsSecret() && in.ContainsSecrets():
			outs[key] = resource.MakeSecret(out)
		}
	}
}
