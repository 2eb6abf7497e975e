package kubernetes

import (
	"math"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// unknown stands in an object for a value that another resource has yet to give.
type unknown struct{}

// The SDK writes some names of JSON schemas with underscores.
var dashed = map[resource.PropertyKey]string{
	"x_kubernetes_embedded_resource":       "x-kubernetes-embedded-resource",
	"x_kubernetes_int_or_string":           "x-kubernetes-int-or-string",
	"x_kubernetes_list_map_keys":           "x-kubernetes-list-map-keys",
	"x_kubernetes_list_type":               "x-kubernetes-list-type",
	"x_kubernetes_map_type":                "x-kubernetes-map-type",
	"x_kubernetes_preserve_unknown_fields": "x-kubernetes-preserve-unknown-fields",
	"x_kubernetes_validations":             "x-kubernetes-validations",
}

var underscored = func() map[string]resource.PropertyKey {
	back := make(map[string]resource.PropertyKey, len(dashed))
	for k, v := range dashed {
		back[v] = k
	}
	return back
}()

func unmarshal(props *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(props, plugin.MarshalOptions{KeepUnknowns: true, SkipNulls: true, KeepSecrets: true})
}

func (s settings) marshal(props resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(props, plugin.MarshalOptions{KeepUnknowns: true, SkipNulls: true, KeepSecrets: s.secrets})
}

// toObject makes the API's form of properties: secrets laid open, whole numbers as integers, nothing null.
func toObject(props resource.PropertyMap) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: toMap(props)}
}

func toMap(props resource.PropertyMap) map[string]any {
	out := make(map[string]any, len(props))
	for k, v := range props {
		if v.IsNull() {
			continue
		}
		name, renamed := dashed[k]
		if !renamed {
			name = string(k)
		}
		out[name] = toValue(v)
	}
	return out
}

func toValue(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return toValue(v.SecretValue().Element)
	case v.IsComputed():
		return unknown{}
	case v.IsOutput():
		if !v.OutputValue().Known {
			return unknown{}
		}
		return toValue(v.OutputValue().Element)
	case v.IsObject():
		return toMap(v.ObjectValue())
	case v.IsArray():
		out := make([]any, 0, len(v.ArrayValue()))
		for _, e := range v.ArrayValue() {
			out = append(out, toValue(e))
		}
		return out
	case v.IsNumber():
		if n := v.NumberValue(); n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int64(n)
		}
		return v.NumberValue()
	case v.IsNull():
		return nil
	default:
		return v.V
	}
}

// fromObject is the way back.
func fromObject(object map[string]any) resource.PropertyMap {
	out := make(resource.PropertyMap, len(object))
	for k, v := range object {
		key, renamed := underscored[k]
		if !renamed {
			key = resource.PropertyKey(k)
		}
		out[key] = fromValue(v)
	}
	return out
}

func fromValue(v any) resource.PropertyValue {
	switch v := v.(type) {
	case unknown:
		return resource.MakeComputed(resource.NewStringProperty(""))
	case map[string]any:
		return resource.NewObjectProperty(fromObject(v))
	case []any:
		out := make([]resource.PropertyValue, 0, len(v))
		for _, e := range v {
			out = append(out, fromValue(e))
		}
		return resource.NewArrayProperty(out)
	case int64:
		return resource.NewNumberProperty(float64(v))
	default:
		return resource.NewPropertyValue(v)
	}
}

// hasUnknown tells whether anything in a value is yet to be known.
func hasUnknown(v any) bool {
	switch v := v.(type) {
	case unknown:
		return true
	case map[string]any:
		for _, e := range v {
			if hasUnknown(e) {
				return true
			}
		}
	case []any:
		for _, e := range v {
			if hasUnknown(e) {
				return true
			}
		}
	}
	return false
}
