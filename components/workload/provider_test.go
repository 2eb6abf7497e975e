package workload_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/workload"
	"github.com/slipway-iac/slipway/internal/recorder"
)

const noProvider = `provider is required: a Kubernetes provider`

type team struct{ pulumi.ResourceState }

// Without a provider the objects would go to the cluster of the kubeconfig at hand.
func TestAProviderIsRequired(t *testing.T) {
	r := cluster()
	err := r.Run(func(ctx *pulumi.Context) error {
		_, err := workload.NewAppDeployment(ctx, "frontend", minimal())
		return err
	})
	if err == nil || !strings.Contains(err.Error(), noProvider) || r.Tree() != "" {
		t.Errorf("got %v, registered %s", err, r.Tree())
	}
	err = cluster().Run(func(ctx *pulumi.Context) error {
		_, err := workload.NewAppNamespace(ctx, "example", nil)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), noProvider) {
		t.Errorf("got %v", err)
	}
}

func TestAProviderOfAnotherPackageIsNone(t *testing.T) {
	err := cluster().Run(func(ctx *pulumi.Context) error {
		other := &pulumi.ProviderResourceState{}
		if err := ctx.RegisterResource("pulumi:providers:aws", "other", nil, other); err != nil {
			return err
		}
		_, err := workload.NewAppDeployment(ctx, "frontend", minimal(), pulumi.Provider(other))
		return err
	})
	if err == nil || !strings.Contains(err.Error(), noProvider) {
		t.Errorf("got %v", err)
	}
}

func TestEveryChildHasTheProvider(t *testing.T) {
	for how, run := range map[string]func(*pulumi.Context, *kubernetes.Provider) error{
		"Provider": func(ctx *pulumi.Context, p *kubernetes.Provider) error {
			return both(ctx, pulumi.Provider(p))
		},
		"Providers": func(ctx *pulumi.Context, p *kubernetes.Provider) error {
			return both(ctx, pulumi.Providers(p))
		},
		"a parent's": func(ctx *pulumi.Context, p *kubernetes.Provider) error {
			parent := &team{}
			if err := ctx.RegisterComponentResource("t:index:Team", "team", parent, pulumi.Providers(p)); err != nil {
				return err
			}
			return both(ctx, pulumi.Parent(parent))
		},
	} {
		t.Run(how, func(t *testing.T) {
			r := cluster()
			err := r.Run(func(ctx *pulumi.Context) error {
				provider, err := kubernetes.NewProvider(ctx, "cluster", nil)
				if err != nil {
					return err
				}
				return run(ctx, provider)
			})
			if err != nil {
				t.Fatal(err)
			}
			children := 0
			for _, a := range r.Seen() {
				if !strings.HasPrefix(a.TypeToken, "kubernetes:") {
					continue
				}
				children++
				if !strings.Contains(a.Provider, "pulumi:providers:kubernetes::cluster::") {
					t.Errorf("%s %s has the provider %q", a.TypeToken, a.Name, a.Provider)
				}
			}
			if children != 8 {
				t.Errorf("%d children:\n%s", children, r.Tree())
			}
		})
	}
}

func both(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
	ns, err := workload.NewAppNamespace(ctx, "example", nil, opts...)
	if err != nil {
		return err
	}
	args := frontend()
	args.Namespace = ns.Name
	_, err = workload.NewAppDeployment(ctx, "frontend", args, opts...)
	return err
}

func TestAppNamespace(t *testing.T) {
	r := cluster()
	var name string
	err := r.Run(func(ctx *pulumi.Context) error {
		provider, err := kubernetes.NewProvider(ctx, "cluster", nil)
		if err != nil {
			return err
		}
		ns, err := workload.NewAppNamespace(ctx, "apps", &workload.AppNamespaceArgs{Name: "example", PodSecurityVersion: "v1.35"}, pulumi.Provider(provider))
		if err != nil {
			return err
		}
		ns.Name.ApplyT(func(s string) string { name = s; return s })
		return nil
	})
	if err != nil || name != "example" {
		t.Errorf("name %q, %v", name, err)
	}
	r.Golden(t, "namespace")
	recorder.CheckDocTree(t, "appnamespace.go", "AppNamespace", r)
}

func TestAppNamespaceRefuses(t *testing.T) {
	for _, c := range []struct {
		args workload.AppNamespaceArgs
		want string
	}{
		{workload.AppNamespaceArgs{Name: "Example", PodSecurityVersion: "1.35"}, `slipway:index:AppNamespace "apps" has 2 invalid argument(s):
  name is "Example", must be 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last
  podSecurityVersion is "1.35", must be "latest" or a Kubernetes minor such as "v1.35"`},
		{workload.AppNamespaceArgs{Name: "kube-apps"}, `slipway:index:AppNamespace "apps" has 1 invalid argument(s):
  name is "kube-apps", must not be "default" or begin with "kube-": those are the cluster's own`},
	} {
		err := cluster().Run(func(ctx *pulumi.Context) error {
			provider, err := kubernetes.NewProvider(ctx, "cluster", nil)
			if err != nil {
				return err
			}
			_, err = workload.NewAppNamespace(ctx, "apps", &c.args, pulumi.Provider(provider))
			return err
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
}
