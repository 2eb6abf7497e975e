package edge

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/internal/provider"
	"github.com/slipway-iac/slipway/target"
)

// Service is an app's Service, whose pods take the requests of a route.
type Service struct {
	// Name in the cluster. Required.
	Name pulumi.StringInput `pulumi:"name"`
	// Port of the Service, 1 to 65535; default 80.
	Port int `pulumi:"port,optional"`
	// PodPort is the port that the pods listen on, 1 to 65535. Required. It is opened in the nodes' security group for the load balancer,
	// once for all routes that have it. A change makes a new target group and moves the rule there.
	PodPort int `pulumi:"podPort"`
}

func (s *Service) checked(p *check.Problems) *Service {
	p.Required("", s != nil, "&edge.Service{Name: app.ServiceName, PodPort: 8000}: requests go to pods")
	if s == nil {
		return nil
	}
	out := *s
	p.Required("name", s.Name != nil, "the ServiceName of the app")
	if out.Port == 0 {
		out.Port = 80
	}
	p.Between("port", out.Port, 1, 65535)
	if out.PodPort == 0 {
		p.Required("podPort", false, "8000")
	} else {
		p.Between("podPort", out.PodPort, 1, 65535)
	}
	return &out
}

func (s *Service) recorded() pulumi.Map {
	return pulumi.Map{"name": s.Name, "port": pulumi.Int(s.Port), "podPort": pulumi.Int(s.PodPort)}
}

// checkPods refuses a door that cannot reach pods.
func (args *HttpsLoadBalancerArgs) checkPods(p *check.Problems, opts []pulumi.ResourceOption) error {
	if !args.TargetType.Pods() {
		return nil
	}
	p.Required("namespace", args.Namespace != nil, "namespace.Name, where targetType is "+string(args.TargetType))
	p.Required("clusterName", args.ClusterName != nil || args.TargetType != target.AutoModeIP, "cluster.ClusterName, where targetType is "+string(args.TargetType))
	return provider.RequireKubernetes(p, opts)
}

// groupTags are those of a target group: the controller of EKS Auto Mode may touch only groups of its cluster.
// https://docs.aws.amazon.com/eks/latest/userguide/auto-elb-example.html
func (b *builder) groupTags() pulumi.StringMap {
	tags := b.tags("")
	if b.args.TargetType == target.AutoModeIP {
		tags["eks:eks-cluster-name"] = b.args.ClusterName
	}
	return tags
}

// pods opens the way to the pods of a route, and has the controller register them. The rule waits for the binding, not for what the
// controller makes of it: it finds no pod healthy before a rule leads to the target group, and pods that wait for it would wait for ever
// (https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3753).
func (b *builder) pods(r Route, t *backend, firewall *ec2.SecurityGroup) error {
	if err := b.openOnce(r.Service.PodPort, t, firewall); err != nil {
		return err
	}
	metadata := pulumi.Map{"namespace": b.args.Namespace, "labels": pulumi.StringMap{"app.kubernetes.io/managed-by": pulumi.String("pulumi")}}
	opts := []pulumi.ResourceOption{
		// The controller refuses another target group; and the name is Pulumi's, so that the new binding is there before the old one goes.
		pulumi.ReplaceOnChanges([]string{"spec.targetGroupARN"}),
		// The ways are open before the first pod is checked.
		pulumi.DependsOn(t.ready), b.below, r.alias(b.name, ""),
	}
	if b.args.TargetType == target.IP {
		// The first thing that the controller does. Without one nobody would say that no pod is ever registered.
		metadata["annotations"] = pulumi.StringMap{"pulumi.com/waitFor": pulumi.String("jsonpath={.metadata.finalizers}")}
		opts = append(opts, pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "3m", Update: "3m"}))
	}
	var binding pulumi.CustomResourceState
	err := b.ctx.RegisterResource("kubernetes:"+b.args.TargetType.Binding()+":TargetGroupBinding", b.name+"-"+r.Name, pulumi.Map{
		"apiVersion": pulumi.String(b.args.TargetType.Binding()), "kind": pulumi.String("TargetGroupBinding"), "metadata": metadata,
		"spec": pulumi.Map{
			"targetGroupARN": t.group.Arn, "targetType": pulumi.String("ip"),
			"serviceRef": pulumi.Map{"name": r.Service.Name, "port": pulumi.Int(r.Service.Port)},
		},
	}, &binding, opts...)
	if err != nil {
		return fmt.Errorf("binding of the pods: %w", err)
	}
	t.ready = append(t.ready, &binding)
	return nil
}

// openOnce opens a port of the pods for all routes that have it: AWS holds one opening of a port in a security group.
func (b *builder) openOnce(port int, t *backend, firewall *ec2.SecurityGroup) error {
	if b.opened == nil {
		b.opened = map[int][]pulumi.Resource{}
	}
	if b.opened[port] == nil {
		none := func(string, string) pulumi.ResourceOption { return pulumi.Aliases(nil) }
		if err := b.open(fmt.Sprintf("pods.%d", port), fmt.Sprintf("pods at port %d", port), none, t, firewall); err != nil {
			return err
		}
		b.opened[port] = t.ready
		return nil
	}
	t.ready = append(t.ready, b.opened[port]...)
	return nil
}
