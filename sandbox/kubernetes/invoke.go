package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// Invoke reads YAML manifests, for yaml.ConfigFile and yaml.ConfigGroup. Charts and kustomizations are not supported.
func (p *provider) Invoke(_ context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	if req.GetTok() != "kubernetes:yaml:decode" {
		return nil, errors.New(unsupported("function", req.GetTok()))
	}
	args, err := unmarshal(req.GetArgs())
	if err != nil {
		return nil, fmt.Errorf("failed to unmarshal %v args during an Invoke call: %w", req.GetTok(), err)
	}
	text := plain(args["text"])
	if !text.IsString() {
		return nil, errors.New("missing required field 'text' of type string")
	}
	namespace := ""
	if v := plain(args["defaultNamespace"]); v.IsString() {
		namespace = v.StringValue()
	}
	objs, err := p.decode(text.StringValue(), namespace)
	if err != nil {
		return nil, err
	}
	list := make([]resource.PropertyValue, len(objs))
	for i, o := range objs {
		list[i] = resource.NewObjectProperty(fromObject(o.Object))
	}
	s, _, _ := p.at()
	out, err := s.marshal(resource.PropertyMap{"result": resource.NewArrayProperty(list)})
	if err != nil {
		return nil, err
	}
	return &pulumirpc.InvokeResponse{Return: out}, nil
}

// decode takes manifests apart, lists into their items, and fills the namespace in where a kind has one.
func (p *provider) decode(text, namespace string) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	docs := yaml.NewYAMLOrJSONDecoder(bytes.NewBufferString(text), 4096)
	for {
		var raw json.RawMessage
		if err := docs.Decode(&raw); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		obj := &unstructured.Unstructured{}
		if err := obj.UnmarshalJSON(raw); err != nil {
			return nil, err
		}
		items := []*unstructured.Unstructured{obj}
		if obj.IsList() {
			list, err := obj.ToList()
			if err != nil {
				return nil, err
			}
			items = nil
			for i := range list.Items {
				items = append(items, &list.Items[i])
			}
		}
		for _, o := range items {
			if namespace != "" && o.GetNamespace() == "" && p.namespaced(o.GroupVersionKind()) {
				o.SetNamespace(namespace)
			}
			out = append(out, o)
		}
	}
}
