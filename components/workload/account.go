package workload

import (
	"cmp"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// ServiceAccount is who the pods are: towards the Kubernetes API if they get its token, and towards AWS through an EKS Pod
// Identity association, which names it and needs no token here.
type ServiceAccount struct {
	// Name in the cluster, up to 253 lower-case letters, digits, hyphens and periods; default the component's name. A change
	// replaces the account and rolls the pods.
	Name string `pulumi:"name,optional"`
	// MountToken gives the pods a token of the Kubernetes API; default false.
	MountToken bool `pulumi:"mountToken,optional"`
}

func (args *ServiceAccount) checked(p *check.Problems, component string) *ServiceAccount {
	if args == nil {
		return nil
	}
	s := *args
	s.Name = cmp.Or(s.Name, component)
	p.Match("name", s.Name, objectName, objectNameSays)
	if s.Name == "default" {
		p.Addf("name", `is "default", must be another: that one is the namespace's own`)
	}
	return &s
}

func (c *AppDeployment) account(ctx *pulumi.Context, a *app) (name pulumi.StringOutput, err error) {
	s, err := corev1.NewServiceAccount(ctx, a.name+"-account", &corev1.ServiceAccountArgs{
		// By name: the Pod Identity association and role bindings refer to it by that.
		Metadata:                     &metav1.ObjectMetaArgs{Name: pulumi.String(a.ServiceAccount.Name), Namespace: a.Namespace, Labels: labels(a.name)},
		AutomountServiceAccountToken: pulumi.Bool(false),
	}, pulumi.Parent(c))
	if err != nil {
		return name, err
	}
	return s.Metadata.Name().Elem(), nil
}
