package balancing

import (
	"context"
	"fmt"
	"reflect"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
)

// definePoll is how soon it is seen that the API server serves a definition.
const definePoll = 20 * time.Millisecond

// define makes the CustomResourceDefinitions of all Kinds, or brings those of an older sandbox up to date, and waits until they are
// served.
func define(ctx context.Context, config *rest.Config) error {
	all, err := clientset.NewForConfig(config)
	if err != nil {
		return err
	}
	client := all.ApiextensionsV1().CustomResourceDefinitions()
	for _, k := range Kinds {
		want, err := definitionOf(k)
		if err != nil {
			return fmt.Errorf("definition of %s of %s: %w", kindName, k.Group, err)
		}
		have, err := client.Create(ctx, want, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			if have, err = client.Get(ctx, want.Name, metav1.GetOptions{}); err == nil && !reflect.DeepEqual(have.Spec.Versions, want.Spec.Versions) {
				have.Spec = want.Spec
				have, err = client.Update(ctx, have, metav1.UpdateOptions{})
			}
		}
		if err != nil {
			return fmt.Errorf("definition %s: %w", want.Name, err)
		}
		err = wait.PollUntilContextCancel(ctx, definePoll, true, func(ctx context.Context) (bool, error) {
			if served(have) {
				return true, nil
			}
			have, err = client.Get(ctx, want.Name, metav1.GetOptions{})
			return false, err
		})
		if err != nil {
			return fmt.Errorf("definition %s is not served: %w", want.Name, err)
		}
	}
	return nil
}

func served(d *apiextensionsv1.CustomResourceDefinition) bool {
	for _, c := range d.Status.Conditions {
		if c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue {
			return true
		}
	}
	return false
}
