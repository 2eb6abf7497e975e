// Package provider tells whether a component was given a Kubernetes provider.
package provider

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

const (
	kubernetes = "pulumi:providers:kubernetes"
	anyToken   = "kubernetes:core/v1:Namespace"
)

// RequireKubernetes refuses a component without a Kubernetes provider of its own or of a parent: the default provider sends
// objects to whatever cluster the kubeconfig at hand points to. https://github.com/pulumi/pulumi/issues/2059
func RequireKubernetes(p *check.Problems, opts []pulumi.ResourceOption) error {
	o, err := pulumi.NewResourceOptions(opts...)
	if err != nil {
		return err
	}
	for _, given := range append(o.Providers, o.Provider) {
		// One that a plugin host hands on by reference has no type yet.
		if given != nil && (given.PulumiResourceType() == kubernetes || given.PulumiResourceType() == "") {
			return nil
		}
	}
	if parent, ok := o.Parent.(interface {
		GetProvider(token string) pulumi.ProviderResource
	}); ok && parent.GetProvider(anyToken) != nil {
		return nil
	}
	p.Addf("provider", "is required: a Kubernetes provider, for example the option pulumi.Provider(cluster.Provider): "+
		"without one the objects go to whatever cluster the kubeconfig at hand points to")
	return nil
}
