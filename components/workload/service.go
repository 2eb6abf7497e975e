package workload

import (
	"cmp"
	"regexp"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/target"
)

const (
	// ClusterIP is reached from inside the cluster only.
	ClusterIP = "ClusterIP"
	// NodePort is reached at the same port of every node too, for a load balancer outside.
	NodePort = "NodePort"
)

// Service is the name and port under which others reach the pods.
type Service struct {
	// Name in the cluster, the host name that other pods use: up to 63 lower-case letters, digits and hyphens, a letter first.
	// Default the component's name. A change makes a new Service, and takes the old one away at the end of the update, when
	// all that was given AppDeployment.ServiceName has followed; whoever has the old name from elsewhere finds nobody then. A NodePort
	// that is given has to change with it, since the two Services exist side by side.
	Name string `pulumi:"name,optional"`
	// Port that others connect to, 1 to 65535; default 80.
	Port int `pulumi:"port,optional"`
	// Type is ClusterIP or NodePort; default NodePort where the app's TargetType is target.Instance, else ClusterIP.
	Type string `pulumi:"type,optional"`
	// NodePort is the port on the nodes, 30000 to 32767, only with type NodePort; default one that Kubernetes picks and keeps. For
	// a fixed one, 30000 to 30085 are never picked for others. A change breaks open connections.
	NodePort int `pulumi:"nodePort,optional"`
}

var serviceName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

const serviceNameSays = "1 to 63 lower-case letters, digits and hyphens, a letter first: it is a host name"

func (args *AppDeploymentArgs) checkedService(p *check.Problems, component string) *Service {
	if args.TargetType != "" {
		p.OneOf("targetType", string(args.TargetType), target.Types()...)
		p.Required("service", args.Service != nil, "&workload.Service{}, with targetType: it says which pods the load balancer sends to")
	}
	byDefault := ClusterIP
	if args.TargetType == target.Instance {
		byDefault = NodePort
	}
	return args.Service.checked(p.At("service"), component, byDefault, args.TargetType)
}

func (args *Service) checked(p *check.Problems, component, byDefault string, reached target.Type) *Service {
	if args == nil {
		return nil
	}
	s := *args
	s.Name, s.Port, s.Type = cmp.Or(s.Name, component), cmp.Or(s.Port, 80), cmp.Or(s.Type, byDefault)
	p.Match("name", s.Name, serviceName, serviceNameSays)
	p.Between("port", s.Port, 1, 65535)
	p.OneOf("type", s.Type, ClusterIP, NodePort)
	if reached == target.Instance && s.Type == ClusterIP {
		p.Addf("type", "is %q, must be %q with targetType %q: the load balancer sends to a port of the nodes", s.Type, NodePort, reached)
	}
	switch {
	case s.NodePort == 0:
	case s.Type != NodePort:
		p.Addf("nodePort", "is %d, must be unset with type %q", s.NodePort, s.Type)
	default:
		p.Between("nodePort", s.NodePort, 30000, 32767)
	}
	return &s
}

func (c *AppDeployment) service(ctx *pulumi.Context, a *app, after []pulumi.Resource) error {
	port := &corev1.ServicePortArgs{
		Name: pulumi.String(portName), Port: pulumi.Int(a.Service.Port), Protocol: pulumi.String("TCP"),
		// By name: when Port changes, old and new pods are each reached at their own while they are exchanged.
		TargetPort: pulumi.String(portName),
	}
	spec := &corev1.ServiceSpecArgs{Type: pulumi.String(a.Service.Type), Selector: selector(a.name), Ports: corev1.ServicePortArray{port}}
	if a.Service.Type == NodePort {
		if a.Service.NodePort != 0 {
			port.NodePort = pulumi.Int(a.Service.NodePort)
		}
		// Every node answers, also one without a pod. With "Local" a load balancer that targets nodes goes on sending to a node
		// whose last pod has left until its own health check notices. The client's address comes in X-Forwarded-For.
		spec.ExternalTrafficPolicy = pulumi.String("Cluster")
	}
	opts := []pulumi.ResourceOption{pulumi.Parent(c), a.timing.timeouts(a.rollout, a.mostPods())}
	if a.BeforeRelease != nil {
		// A new Service waits for its first pods, which the command holds back: its wait begins when the command has ended.
		opts = append(opts, pulumi.DependsOn(after))
	}
	s, err := corev1.NewService(ctx, a.name+"-service", &corev1.ServiceArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(a.Service.Name), Namespace: a.Namespace, Labels: labels(a.name)},
		Spec:     spec,
	}, opts...)
	if err != nil {
		return err
	}
	c.ServiceName = s.Metadata.Name().Elem()
	c.NodePort = s.Spec.Ports().Index(pulumi.Int(0)).NodePort().Elem()
	return nil
}
