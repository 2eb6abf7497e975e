package workload

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/internal/provider"
	"github.com/slipway-iac/slipway/target"
)

// AppNamespaceType is in every stack's state: to change it takes an alias and a major version.
const AppNamespaceType = "slipway:index:AppNamespace"

// AppNamespaceArgs names a namespace.
type AppNamespaceArgs struct {
	// Name in the cluster, 1 to 63 lower-case letters, digits and hyphens; default the component's name. A change replaces the
	// namespace and ends everything in it.
	Name string `pulumi:"name,optional"`
	// PodSecurityVersion is the Kubernetes minor whose "restricted" rules hold, such as "v1.35"; default "latest", the cluster's
	// own. With a version an upgrade of the cluster brings no new rule by surprise. A change applies to new pods only.
	PodSecurityVersion string `pulumi:"podSecurityVersion,optional"`
	// OpenNetwork lets every pod connect to every other and to everything outside; default false: only what an AppDeployment's
	// Network declares, and name resolution. For the time in which apps are moved in whose routes nobody knows yet.
	OpenNetwork bool `pulumi:"openNetwork,optional"`
	// TargetType is what a load balancer outside sends this namespace's requests to: with target.IP and target.AutoModeIP pods wait until
	// it has found them healthy, and a release goes no faster. Give the apps and the load balancer the same. Default target.Instance:
	// none waits. A change applies to new pods only.
	TargetType target.Type `pulumi:"targetType,optional"`
}

// AppNamespace is a namespace that refuses pods which do not meet Pod Security "restricted", and connections that no app declares:
//
//	slipway:index:AppNamespace                        NAME
//	├─ kubernetes:core/v1:Namespace                   NAME-namespace
//	└─ kubernetes:networking.k8s.io/v1:NetworkPolicy  NAME-network    unless the network is open
type AppNamespace struct {
	pulumi.ResourceState
	// Name in the cluster. To pass it on makes what uses it wait for the namespace.
	Name pulumi.StringOutput `pulumi:"name"`
}

// NewAppNamespace reports every problem with args at once, before it registers anything. A Kubernetes provider must be among
// opts, or be a parent's.
func NewAppNamespace(ctx *pulumi.Context, name string, args *AppNamespaceArgs, opts ...pulumi.ResourceOption) (*AppNamespace, error) {
	a, err := args.checked(name, opts)
	if err != nil {
		return nil, err
	}
	c := &AppNamespace{}
	recorded := pulumi.Map{
		"name": pulumi.String(a.Name), "podSecurityVersion": pulumi.String(a.PodSecurityVersion), "openNetwork": pulumi.Bool(a.OpenNetwork),
	}
	if a.TargetType.Pods() {
		recorded["targetType"] = pulumi.String(a.TargetType)
	}
	if err := ctx.RegisterComponentResourceV2(AppNamespaceType, name, recorded, c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", AppNamespaceType, name, err)
	}
	ns, err := corev1.NewNamespace(ctx, name+"-namespace", &corev1.NamespaceArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(a.Name), Labels: a.labels()},
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("%s %q: namespace: %w", AppNamespaceType, name, err)
	}
	c.Name = ns.Metadata.Name().Elem()
	if !a.OpenNetwork {
		if err := c.network(ctx, name); err != nil {
			return nil, fmt.Errorf("%s %q: network: %w", AppNamespaceType, name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"name": c.Name})
}

// network denies what no other policy of the namespace allows.
func (c *AppNamespace) network(ctx *pulumi.Context, name string) error {
	_, err := networkingv1.NewNetworkPolicy(ctx, name+"-network", &networkingv1.NetworkPolicyArgs{
		Metadata: &metav1.ObjectMetaArgs{Namespace: c.Name, Labels: pulumi.StringMap{"app.kubernetes.io/managed-by": pulumi.String("pulumi")}},
		Spec: &networkingv1.NetworkPolicySpecArgs{
			PodSelector: &metav1.LabelSelectorArgs{}, PolicyTypes: pulumi.ToStringArray([]string{"Ingress", "Egress"}),
			Egress: networkingv1.NetworkPolicyEgressRuleArray{resolving()},
		},
	}, pulumi.Parent(c))
	return err
}

var podSecurityVersion = regexp.MustCompile(`^(latest|v1\.[0-9]{1,3})$`)

func (args *AppNamespaceArgs) checked(name string, opts []pulumi.ResourceOption) (a AppNamespaceArgs, err error) {
	if args != nil {
		a = *args
	}
	var p check.Problems
	a.Name, a.PodSecurityVersion = cmp.Or(a.Name, name), cmp.Or(a.PodSecurityVersion, "latest")
	if err := provider.RequireKubernetes(&p, opts); err != nil {
		return a, err
	}
	p.Match("name", a.Name, label, labelSays)
	if a.Name == "default" || strings.HasPrefix(a.Name, "kube-") {
		p.Addf("name", `is %q, must not be "default" or begin with "kube-": those are the cluster's own`, a.Name)
	}
	p.Match("podSecurityVersion", a.PodSecurityVersion, podSecurityVersion, `"latest" or a Kubernetes minor such as "v1.35"`)
	a.TargetType = cmp.Or(a.TargetType, target.Instance)
	p.OneOf("targetType", string(a.TargetType), target.Types()...)
	return a, p.Err(AppNamespaceType, name)
}

// labels enforce the level, and say it in the audit log and to whoever applies a manifest; one has the pods wait for a load balancer.
func (args AppNamespaceArgs) labels() pulumi.StringMap {
	l := pulumi.StringMap{"app.kubernetes.io/managed-by": pulumi.String("pulumi")}
	for _, mode := range []string{"enforce", "audit", "warn"} {
		l["pod-security.kubernetes.io/"+mode] = pulumi.String("restricted")
		l["pod-security.kubernetes.io/"+mode+"-version"] = pulumi.String(args.PodSecurityVersion)
	}
	if gate := args.TargetType.ReadinessGate(); gate != "" {
		l[gate] = pulumi.String("enabled")
	}
	return l
}
