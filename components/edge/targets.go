package edge

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// backend is where the requests of a route go.
type backend struct {
	group *lb.TargetGroup
	port  pulumi.IntOutput
	// ready is what must be there before requests are sent.
	ready []pulumi.Resource
}

// targets are the targets by the name of their route.
func (b *builder) targets(firewall *ec2.SecurityGroup) (map[string]backend, error) {
	all := map[string]backend{}
	for i, r := range b.args.Routes {
		if r.SameTargetAs != "" || r.answers() {
			continue
		}
		t, err := b.target(r, fmt.Sprintf("routes[%d]", i), firewall)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", r.Name, err)
		}
		all[r.Name] = t
	}
	for _, r := range b.args.Routes {
		if r.SameTargetAs != "" {
			all[r.Name] = all[r.SameTargetAs]
		}
	}
	return all, nil
}

// deregistrationSeconds is how long a target that leaves keeps the requests that it has.
func (args *HttpsLoadBalancerArgs) deregistrationSeconds() int {
	return max(args.DrainSeconds, args.SlowestRequestSeconds)
}

func (b *builder) target(r Route, path string, firewall *ec2.SecurityGroup) (t backend, err error) {
	kind, name := "instance", b.name+"-"+r.Name
	if b.args.TargetType.Pods() {
		kind, t.port = "ip", pulumi.Int(r.Service.PodPort).ToIntOutput()
	} else {
		t.port = r.port(path)
	}
	// No name given: a new port replaces the group, and its successor must be there before the rule leaves it.
	t.group, err = lb.NewTargetGroup(b.ctx, name, &lb.TargetGroupArgs{
		VpcId:               b.args.VpcId,
		TargetType:          pulumi.String(kind),
		Port:                t.port,
		Protocol:            pulumi.String("HTTP"),
		ProtocolVersion:     pulumi.String("HTTP1"),
		DeregistrationDelay: pulumi.Int(b.args.deregistrationSeconds()),
		HealthCheck:         healthCheck(r.HealthCheckPath, r.HealthCheckCodes, r.HealthCheckIntervalSeconds),
		Stickiness:          r.stickiness(),
		SlowStart:           r.slowStart(),
		// What the load balancer says holds where the group says nothing: all zones.
		LoadBalancingCrossZoneEnabled: crossZone(r.SameZoneOnly),
		Tags:                          b.groupTags(),
	}, b.below, r.alias(b.name, ""))
	if err != nil {
		return t, fmt.Errorf("target group: %w", err)
	}
	if b.args.TargetType.Pods() {
		return t, b.pods(r, &t, firewall)
	}
	if err := b.open(r.Name, "route "+r.Name, r.alias, &t, firewall); err != nil {
		return t, err
	}
	for _, group := range slices.Sorted(maps.Keys(b.args.AutoScalingGroupNames)) {
		a, err := autoscaling.NewAttachment(b.ctx, name+"."+group, &autoscaling.AttachmentArgs{
			AutoscalingGroupName: b.args.AutoScalingGroupNames[group], LbTargetGroupArn: t.group.Arn,
		}, b.below, r.alias(b.name, "."+group))
		if err != nil {
			return t, fmt.Errorf("attachment to %s: %w", group, err)
		}
		t.ready = append(t.ready, a)
	}
	return t, nil
}

func healthCheck(path, codes string, interval int) *lb.TargetGroupHealthCheckArgs {
	return &lb.TargetGroupHealthCheckArgs{
		Path:               pulumi.String(path),
		Port:               pulumi.String("traffic-port"),
		Protocol:           pulumi.String("HTTP"),
		Matcher:            pulumi.String(codes),
		Interval:           pulumi.Int(interval),
		Timeout:            pulumi.Int(checkTimeout(interval)),
		HealthyThreshold:   pulumi.Int(healthyChecks),
		UnhealthyThreshold: pulumi.Int(unhealthyChecks),
	}
}

func (r Route) stickiness() lb.TargetGroupStickinessPtrInput {
	switch {
	case r.StickySeconds == 0:
		return nil
	case r.StickyCookie == "":
		return &lb.TargetGroupStickinessArgs{Type: pulumi.String("lb_cookie"), CookieDuration: pulumi.Int(r.StickySeconds)}
	}
	return &lb.TargetGroupStickinessArgs{Type: pulumi.String("app_cookie"), CookieName: pulumi.String(r.StickyCookie), CookieDuration: pulumi.Int(r.StickySeconds)}
}

func (r Route) slowStart() pulumi.IntPtrInput {
	if r.SlowStartSeconds == 0 {
		return nil
	}
	return pulumi.Int(r.SlowStartSeconds)
}

func crossZone(sameZoneOnly bool) pulumi.StringPtrInput {
	if sameZoneOnly {
		return pulumi.String("false")
	}
	return nil
}

// open lets the load balancer reach a port: out of its own group, and into the nodes'. Both are resources of their own that name both
// groups, so that they are gone before either group is deleted.
func (b *builder) open(what, words string, alias func(name, suffix string) pulumi.ResourceOption, t *backend, firewall *ec2.SecurityGroup) error {
	name := b.name + "-" + what
	out, err := vpc.NewSecurityGroupEgressRule(b.ctx, name+"-out", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: firewall.ID(), ReferencedSecurityGroupId: b.args.NodeSecurityGroupId,
		IpProtocol: pulumi.String("tcp"), FromPort: t.port, ToPort: t.port,
		Description: pulumi.String("Requests and health checks of " + words), Tags: b.tags(""),
	}, b.below, alias(b.name, "-out"))
	if err != nil {
		return fmt.Errorf("way out: %w", err)
	}
	in, err := vpc.NewSecurityGroupIngressRule(b.ctx, name+"-in", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: b.args.NodeSecurityGroupId, ReferencedSecurityGroupId: firewall.ID(),
		IpProtocol: pulumi.String("tcp"), FromPort: t.port, ToPort: t.port,
		Description: pulumi.String("Load balancer " + b.name + ", " + words), Tags: b.tags(""),
	}, b.below, alias(b.name, "-in"))
	if err != nil {
		return fmt.Errorf("way into the nodes: %w", err)
	}
	t.ready = append(t.ready, out, in)
	return nil
}

// rules send the requests to the targets.
func (b *builder) rules(https *lb.Listener, targets map[string]backend, old *backend) (rules []pulumi.Resource, err error) {
	drainFirst, err := b.drainFirst()
	if err != nil {
		return nil, err
	}
	for _, r := range b.args.Routes {
		args := &lb.ListenerRuleArgs{ListenerArn: https.Arn, Priority: pulumi.Int(r.priority()), Conditions: r.conditions(), Tags: b.tags("")}
		var after []pulumi.Resource
		if r.answers() {
			args.Actions = r.answer()
		} else {
			t := targets[r.Name]
			args.Actions, after = b.forward(r, t, old), t.ready
			if old != nil {
				after = slices.Concat(after, old.ready)
			}
		}
		rule, err := lb.NewListenerRule(b.ctx, b.name+"-"+r.Name, args, b.below, pulumi.DependsOn(after), r.alias(b.name, ""), drainFirst)
		if err != nil {
			return nil, fmt.Errorf("rule of route %s: %w", r.Name, err)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// targetGroupArns is the target groups' ARNs by route, or an error if two routes turn out to have the same port: AWS would refuse
// the second opening in words that do not say why. Nothing but the output waits for it, so that a route whose port is not
// known yet does not make the others unknown.
func (b *builder) targetGroupArns(targets map[string]backend) pulumi.StringMapOutput {
	arns := pulumi.StringMap{}
	ports := pulumi.IntArray{}
	var owners []string
	for _, r := range b.args.Routes {
		if r.answers() {
			continue
		}
		arns[r.Name] = targets[r.Name].group.Arn
		if r.SameTargetAs == "" && !b.args.TargetType.Pods() {
			ports, owners = append(ports, targets[r.Name].port), append(owners, r.Name)
		}
	}
	return ports.ToIntArrayOutput().ApplyT(func(ports []int) (pulumi.StringMapOutput, error) {
		for i, p := range ports {
			if j := slices.Index(ports, p); j < i {
				return pulumi.StringMapOutput{}, fmt.Errorf("nodePort of route %q %s", owners[i], samePort(p, owners[j]))
			}
		}
		return arns.ToStringMapOutput(), nil
	}).(pulumi.StringMapOutput)
}
