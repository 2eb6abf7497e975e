package workload

import (
	"net/netip"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Network is who may connect to the app's pods, and where they may connect to, beyond what the namespace allows all. It holds
// where the cluster enforces NetworkPolicy, as EKS does with the vpc-cni add-on's enableNetworkPolicy.
type Network struct {
	// From are those who may connect to Port, besides the node's own probes. Default every pod of the namespace; an empty list is
	// nobody. With a Service of type NodePort, or a TargetType, anyone may, since the nodes and the load balancer send with their own
	// addresses: there the nodes' security group is the guard.
	From []Peer `pulumi:"from,optional"`
	// To are the destinations that the pods may connect to, besides name resolution and the Database. Default none in an
	// AppNamespace, which denies what nobody declares, and everything elsewhere; a list, also an empty one, denies the rest anywhere.
	To []Destination `pulumi:"to,optional"`
}

// Peer is an app, a namespace, or a range of addresses.
type Peer struct {
	// App is the name of an app, of this namespace or of Namespace.
	App string `pulumi:"app,optional"`
	// Namespace is the name of another namespace; default this one where App is given.
	Namespace string `pulumi:"namespace,optional"`
	// Cidr is a range of addresses outside the cluster, such as "10.20.0.0/16"; not together with the others.
	Cidr string `pulumi:"cidr,optional"`
}

// Destination is a port of a peer.
type Destination struct {
	// App is the name of an app, of this namespace or of Namespace.
	App string `pulumi:"app,optional"`
	// Namespace is the name of another namespace; default this one where App is given.
	Namespace string `pulumi:"namespace,optional"`
	// Cidr is a range of addresses outside the cluster, such as "0.0.0.0/0"; not together with the others.
	Cidr string `pulumi:"cidr,optional"`
	// Port that is connected to by TCP, 1 to 65535: the pods' own, not the Service's. Required.
	Port int `pulumi:"port"`
}

func (d Destination) peer() Peer { return Peer{App: d.App, Namespace: d.Namespace, Cidr: d.Cidr} }

// open tells whether requests come from outside the cluster, under addresses that no policy can name.
func (a *app) open() bool {
	return a.TargetType.Pods() || a.Service != nil && a.Service.Type == NodePort
}

func (a *app) checkedNetwork(p *check.Problems) {
	args := a.Network
	if args == nil {
		return
	}
	switch {
	case args.From == nil:
	case a.TargetType.Pods():
		p.Addf("from", "is given, must be unset with targetType %q: the load balancer connects under its own addresses, which change; the nodes' security group says who may connect", a.TargetType)
	case a.open():
		p.Addf("from", "is given, must be unset with service.type %q: the nodes pass requests on under their own addresses; the nodes' security group says who may connect", NodePort)
	}
	for i, f := range args.From {
		f.checked(p.At("from[%d]", i))
	}
	for i, d := range args.To {
		at := p.At("to[%d]", i)
		d.peer().checked(at)
		if d.Port == 0 {
			at.Required("port", false, "8000")
		} else {
			at.Between("port", d.Port, 1, 65535)
		}
	}
}

func (f Peer) checked(p *check.Problems) {
	switch {
	case f == Peer{}:
		p.Addf("", "names nobody, must have app, namespace or cidr")
	case f.Cidr != "" && f.App+f.Namespace != "":
		p.Addf("cidr", "is %q, must be unset with app or namespace", f.Cidr)
	case f.Cidr != "":
		checkedCidr(p, "cidr", f.Cidr)
	}
	if f.App != "" {
		p.Match("app", f.App, label, labelSays)
	}
	if f.Namespace != "" {
		p.Match("namespace", f.Namespace, label, labelSays)
	}
}

func checkedCidr(p *check.Problems, path, given string) {
	if c, err := netip.ParsePrefix(given); err != nil {
		p.Addf(path, `is %q, must be a range of addresses such as "10.20.0.0/16" or "10.20.0.7/32"`, given)
	} else if c != c.Masked() {
		p.Addf(path, "is %q, must have no bits beyond its mask: %q", given, c.Masked())
	}
}

func (f Peer) input() networkingv1.NetworkPolicyPeerArgs {
	var in networkingv1.NetworkPolicyPeerArgs
	if f.Cidr != "" {
		in.IpBlock = &networkingv1.IPBlockArgs{Cidr: pulumi.String(f.Cidr)}
		return in
	}
	if f.Namespace != "" {
		in.NamespaceSelector = &metav1.LabelSelectorArgs{MatchLabels: pulumi.StringMap{"kubernetes.io/metadata.name": pulumi.String(f.Namespace)}}
	}
	if f.App != "" {
		// What runs before its release, too.
		in.PodSelector = &metav1.LabelSelectorArgs{MatchExpressions: both(f.App)}
	}
	return in
}

// both select the pods that serve and those that run before a release.
func both(app string) metav1.LabelSelectorRequirementArray {
	names := []string{app}
	// An app with a longer name has no Job, and the API server refuses a policy with a value that no label can have.
	if job := app + beforeRelease; len(job) <= longestLabel {
		names = append(names, job)
	}
	return metav1.LabelSelectorRequirementArray{metav1.LabelSelectorRequirementArgs{
		Key: pulumi.String(nameLabel), Operator: pulumi.String("In"), Values: pulumi.ToStringArray(names),
	}}
}

func ports(protocols []string, port int) (all networkingv1.NetworkPolicyPortArray) {
	for _, protocol := range protocols {
		all = append(all, networkingv1.NetworkPolicyPortArgs{Protocol: pulumi.String(protocol), Port: pulumi.Int(port)})
	}
	return all
}

// podIdentity is where the EKS Pod Identity agent of the node gives credentials.
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
var podIdentity = Destination{Cidr: "169.254.170.23/32", Port: 80}

// resolving is allowed by its port alone: names are resolved by pods, by a cache on the node, or by EKS itself, and no selector
// catches all of them.
func resolving() networkingv1.NetworkPolicyEgressRuleArgs {
	return networkingv1.NetworkPolicyEgressRuleArgs{Ports: ports([]string{"UDP", "TCP"}, 53)}
}

// network comes before the pods: a new route must be open when the first of them asks for it.
func (c *AppDeployment) network(ctx *pulumi.Context, a *app) ([]pulumi.Resource, error) {
	ingress := networkingv1.NetworkPolicyIngressRuleArgs{Ports: ports([]string{"TCP"}, a.Port)}
	var from networkingv1.NetworkPolicyPeerArray
	switch {
	case a.open():
	case a.Network == nil || a.Network.From == nil:
		from = append(from, networkingv1.NetworkPolicyPeerArgs{PodSelector: &metav1.LabelSelectorArgs{}})
	default:
		for _, f := range a.Network.From {
			from = append(from, f.input())
		}
	}
	rules := networkingv1.NetworkPolicyIngressRuleArray{}
	if ingress.From = from; from != nil || a.open() {
		rules = append(rules, ingress)
	}
	types := []string{"Ingress"}
	var egress networkingv1.NetworkPolicyEgressRuleArray
	if to, declared := a.destinations(); declared {
		types, egress = append(types, "Egress"), append(egress, resolving())
		for _, d := range to {
			egress = append(egress, networkingv1.NetworkPolicyEgressRuleArgs{
				To: networkingv1.NetworkPolicyPeerArray{d.peer().input()}, Ports: ports([]string{"TCP"}, d.Port),
			})
		}
	}
	policy, err := networkingv1.NewNetworkPolicy(ctx, a.name+"-network", &networkingv1.NetworkPolicyArgs{
		Metadata: &metav1.ObjectMetaArgs{Namespace: a.Namespace, Labels: labels(a.name)},
		Spec: &networkingv1.NetworkPolicySpecArgs{
			PodSelector: &metav1.LabelSelectorArgs{MatchExpressions: both(a.name)},
			PolicyTypes: pulumi.ToStringArray(types), Ingress: rules, Egress: egress,
		},
	}, pulumi.Parent(c))
	return []pulumi.Resource{policy}, err
}

// destinations are all that the app may connect to; declared is false where its namespace decides.
func (a *app) destinations() (to []Destination, declared bool) {
	if n := a.Network; n != nil && n.To != nil {
		to, declared = append(to, n.To...), true
	}
	if d := a.Database; d != nil {
		for _, cidr := range d.Cidrs {
			to = append(to, Destination{Cidr: cidr, Port: d.Port})
		}
		declared = true
	}
	if declared && a.ServiceAccount != nil {
		to = append(to, podIdentity)
	}
	return to, declared
}
