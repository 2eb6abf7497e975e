package kubernetes

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	v1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
)

// Made looks for the object of a resource that a command had begun to create, and is nil where it is not there; else it has the
// outputs that the resource would have in the state: its inputs, and the field manager under which they were applied, without
// which the next change conflicts with it.
func Made(ctx context.Context, kubeconfig string, inputs map[string]any) (map[string]any, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	c, err := connect(config)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{Object: inputs}
	client, err := c.clientFor(object)
	if err != nil {
		return nil, err
	}
	live, err := client.Get(ctx, object.GetName(), v1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	outputs := map[string]any{}
	for key, value := range inputs {
		outputs[key] = value
	}
	for _, m := range live.GetManagedFields() {
		if strings.HasPrefix(m.Manager, managerPrefix) {
			outputs[fieldManagerKey] = m.Manager
		}
	}
	return outputs, nil
}
