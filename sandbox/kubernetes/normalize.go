package kubernetes

import (
	"encoding/base64"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// normalize gives equal meanings the same form, the one that the API server answers with: quantities and durations in
// canonical writing, a Secret's stringData as data. Nothing is added that the object did not say, and what only the
// server may set is taken out.
func normalize(obj *unstructured.Unstructured) *unstructured.Unstructured {
	if !hasUnknown(obj.Object) {
		obj = prune(canonical(obj), obj)
	}
	for _, field := range []string{
		"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "uid",
	} {
		unstructured.RemoveNestedField(obj.Object, "metadata", field)
	}
	return obj
}

func canonical(obj *unstructured.Unstructured) *unstructured.Unstructured {
	switch {
	case isCRD(obj):
		out := obj.DeepCopy()
		// The server drops the field where it is false, and fills status itself.
		if keep, found, err := unstructured.NestedBool(out.Object, "spec", "preserveUnknownFields"); err == nil && found && !keep {
			unstructured.RemoveNestedField(out.Object, "spec", "preserveUnknownFields")
		}
		unstructured.RemoveNestedField(out.Object, "status")
		return out
	case isCore(obj, "Secret"):
		return canonicalSecret(obj)
	}
	typed, err := scheme.Scheme.New(obj.GroupVersionKind())
	if err != nil {
		return obj
	}
	// What does not fit its type is for the server to refuse, in its own words.
	if runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, typed) != nil {
		return obj
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return obj
	}
	return &unstructured.Unstructured{Object: object}
}

func canonicalSecret(obj *unstructured.Unstructured) *unstructured.Unstructured {
	out := obj.DeepCopy()
	data, _, err := unstructured.NestedMap(out.Object, "data")
	if err != nil {
		return obj
	}
	if data == nil {
		data = map[string]any{}
	}
	for k, v := range data {
		if text, is := v.(string); is {
			if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
				data[k] = base64.StdEncoding.EncodeToString(raw)
			}
		}
	}
	text, _, err := unstructured.NestedStringMap(out.Object, "stringData")
	if err != nil {
		return obj
	}
	for k, v := range text {
		data[k] = base64.StdEncoding.EncodeToString([]byte(v))
	}
	if len(text) > 0 {
		unstructured.RemoveNestedField(out.Object, "stringData")
	}
	if len(data) > 0 {
		out.Object["data"] = data
	}
	return out
}

// prune keeps of an object what the shape also has, so that what the server added does not show as a difference.
func prune(obj, shape *unstructured.Unstructured) *unstructured.Unstructured {
	pruned := pruneMap(obj.Object, shape.Object)
	if isCore(obj, "Secret") {
		// A Secret written as stringData comes back as data.
		if data, ok := obj.Object["data"]; ok && shape.Object["stringData"] != nil {
			pruned["data"] = data
		}
	}
	return &unstructured.Unstructured{Object: pruned}
}

func pruneMap(source, shape map[string]any) map[string]any {
	out := make(map[string]any, len(shape))
	for key, value := range source {
		if want, ok := shape[key]; ok {
			out[key] = pruneValue(value, want)
		}
	}
	return out
}

func pruneValue(value, shape any) any {
	if value == nil || shape == nil || reflect.TypeOf(value) != reflect.TypeOf(shape) {
		return value
	}
	switch value := value.(type) {
	case map[string]any:
		return pruneMap(value, shape.(map[string]any))
	case []any:
		want := shape.([]any)
		out := make([]any, 0, len(want))
		for i := range min(len(value), len(want)) {
			out = append(out, pruneValue(value[i], want[i]))
		}
		return out
	default:
		return value
	}
}
