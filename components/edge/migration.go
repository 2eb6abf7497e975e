package edge

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/cutover"
	"github.com/slipway-iac/slipway/internal/check"
)

// oldName is what the old system is called in the names of its parts.
const oldName = "old"

// checkMigration is the migration with its defaults filled in.
func (args *HttpsLoadBalancerArgs) checkMigration(p *check.Problems) *cutover.Migration {
	if args.Migration == nil {
		return nil
	}
	at := p.At("migration")
	var names []string
	for i, r := range args.Routes {
		if r.Name == oldName {
			p.Addf(fmt.Sprintf("routes[%d].name", i), "is %q, must be another name with a migration: the old system's parts have it", r.Name)
		}
		if !r.answers() {
			names = append(names, r.Name)
		}
	}
	m := args.Migration.Checked(at, names)
	if m.Old.DnsName != "" {
		at.Addf("old.dnsName", "is %q, must be addresses: a load balancer does not ask DNS for its targets. HAProxy does", m.Old.DnsName)
	}
	if m.Old.HostHeader != "" {
		at.Addf("old.hostHeader", "is %q, must be left out: a load balancer passes on the Host that the client asked for, so that both systems must accept it. HAProxy sets it", m.Old.HostHeader)
	}
	for i, a := range m.Old.Addresses {
		if addr, err := netip.ParseAddr(a); err == nil && !reachable(addr, args.vpcRanges()) {
			at.Addf(fmt.Sprintf("old.addresses[%d]", i), "is %q, must lie in the VPC, or in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10: AWS takes no public address as a target", a)
		}
	}
	args.checkSticky(p, m)
	p.Required("vpcCidrs", len(args.VpcCidrs) > 0, `["10.20.0.0/16"]: a target outside the VPC is registered otherwise`)
	return &m
}

// checkSticky refuses a target that keeps its clients where weights lead there: AWS takes one only if the rule keeps them at their
// system too, and then no stage moves those that are there (https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2734).
func (args *HttpsLoadBalancerArgs) checkSticky(p *check.Problems, m cutover.Migration) {
	for i, r := range args.Routes {
		if r.StickySeconds == 0 {
			continue
		}
		for _, o := range args.Routes {
			if (o.Name == r.Name || o.SameTargetAs == r.Name) && sharedOut(m, o.Name) {
				p.Addf(fmt.Sprintf("routes[%d].stickySeconds", i), "is %d, must be left out before route %q is at stage %q: AWS takes weights only with the clients kept at the system where they are, which no stage would move. HAProxy keeps them by a cookie of its own",
					r.StickySeconds, o.Name, cutover.Done)
				break
			}
		}
	}
}

// sharedOut tells whether a route's requests go to both systems, as far as its stage can be read.
func sharedOut(m cutover.Migration, route string) bool {
	text, own := m.Routes[route]
	if !own {
		text = m.Stage
	}
	stage, err := cutover.ParseStage(text)
	return err == nil && !stage.Ended()
}

// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-type
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
}

func reachable(a netip.Addr, vpc []netip.Prefix) bool {
	return inside(a, privateRanges) || inside(a, vpc)
}

func inside(a netip.Addr, ranges []netip.Prefix) bool {
	for _, r := range ranges {
		if r.Contains(a) {
			return true
		}
	}
	return false
}

// vpcRanges are VpcCidrs, as far as they can be read.
func (args *HttpsLoadBalancerArgs) vpcRanges() (all []netip.Prefix) {
	for _, c := range args.VpcCidrs {
		if r, err := netip.ParsePrefix(c); err == nil {
			all = append(all, r)
		}
	}
	return all
}

// weighed are the names of the routes that have a target.
func (args *HttpsLoadBalancerArgs) weighed() (names []string) {
	for _, r := range args.Routes {
		if !r.answers() {
			names = append(names, r.Name)
		}
	}
	return names
}

// old is the target group of the system that is left behind; nil where there is none, or none any more.
func (b *builder) old(firewall *ec2.SecurityGroup) (*backend, error) {
	m := b.args.Migration
	if m == nil || m.Ended(b.args.weighed()) {
		return nil, nil
	}
	t, name := &backend{}, b.name+"-"+oldName
	var err error
	t.group, err = lb.NewTargetGroup(b.ctx, name, &lb.TargetGroupArgs{
		VpcId:               b.args.VpcId,
		TargetType:          pulumi.String("ip"),
		Port:                pulumi.Int(m.Old.Port),
		Protocol:            pulumi.String("HTTP"),
		ProtocolVersion:     pulumi.String("HTTP1"),
		DeregistrationDelay: pulumi.Int(b.args.deregistrationSeconds()),
		HealthCheck:         healthCheck(m.Old.HealthCheckPath, m.Old.HealthCheckCodes, min(usualInterval, longestInterval(b.args.DrainSeconds))),
		Tags:                b.tags(""),
	}, b.below)
	if err != nil {
		return nil, fmt.Errorf("the old system's target group: %w", err)
	}
	for _, address := range m.Old.Addresses {
		out, err := vpc.NewSecurityGroupEgressRule(b.ctx, name+"."+address, &vpc.SecurityGroupEgressRuleArgs{
			SecurityGroupId: firewall.ID(), CidrIpv4: pulumi.String(address + "/32"), IpProtocol: pulumi.String("tcp"),
			FromPort: pulumi.Int(m.Old.Port), ToPort: pulumi.Int(m.Old.Port),
			Description: pulumi.String("Requests and health checks of the old system"), Tags: b.tags(""),
		}, b.below)
		if err != nil {
			return nil, fmt.Errorf("way out to the old system at %s: %w", address, err)
		}
		args := &lb.TargetGroupAttachmentArgs{TargetGroupArn: t.group.Arn, TargetId: pulumi.String(address), Port: pulumi.Int(m.Old.Port)}
		if addr, err := netip.ParseAddr(address); err == nil && !inside(addr, b.args.vpcRanges()) {
			args.AvailabilityZone = pulumi.String("all") // what AWS wants of an address that no subnet holds
		}
		a, err := lb.NewTargetGroupAttachment(b.ctx, name+"."+address, args, b.below)
		if err != nil {
			return nil, fmt.Errorf("the old system at %s: %w", address, err)
		}
		t.ready = append(t.ready, out, a)
	}
	return t, nil
}

// forward is the action of a route with a target: to it alone, or to it and the old system by weight. The pair is the same in every
// stage, so that a stage changes weights and nothing else, and weights are given always: AWS takes a missing one for 1.
func (b *builder) forward(r Route, t backend, old *backend) lb.ListenerRuleActionArray {
	if old == nil || b.args.Migration.At(r.Name).Ended() {
		return lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{Type: pulumi.String("forward"), TargetGroupArn: t.group.Arn}}
	}
	oldShare, newShare := b.args.Migration.At(r.Name).Weights()
	return lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{Type: pulumi.String("forward"), Forward: &lb.ListenerRuleActionForwardArgs{
		TargetGroups: lb.ListenerRuleActionForwardTargetGroupArray{
			&lb.ListenerRuleActionForwardTargetGroupArgs{Arn: t.group.Arn, Weight: pulumi.Int(newShare)},
			&lb.ListenerRuleActionForwardTargetGroupArgs{Arn: old.group.Arn, Weight: pulumi.Int(oldShare)},
		},
	}}}
}

// drainFirst refuses, in a preview too, a change of a rule that takes the old system away while it gets requests. Only the state knows
// that: the configuration says where to go, not from where.
func (b *builder) drainFirst() (pulumi.ResourceOption, error) {
	if m := b.args.Migration; m != nil && m.Force == cutover.SkipDrain {
		return pulumi.ResourceHooks(nil), nil
	}
	hook, err := b.ctx.RegisterResourceHook(b.name+"-drain-first", func(change *pulumi.ResourceHookArgs) error {
		if len(forwardedTo(change.NewInputs)) > 1 {
			return nil
		}
		done, err := cutover.ParseStage(cutover.Done)
		if err != nil {
			return err
		}
		if err := done.Step(b.oldShare(change.OldInputs)); err != nil {
			return fmt.Errorf("%w. Or set migration.force to %q", err, cutover.SkipDrain)
		}
		return nil
	}, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	return pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeUpdate: []*pulumi.ResourceHook{hook}}), nil
}

// oldShare is the weight of the old system in a rule's inputs; 0 where it is not there. It is found by its group's name: a refresh
// gives the groups of a pair in any order.
func (b *builder) oldShare(rule resource.PropertyMap) int {
	for _, g := range forwardedTo(rule) {
		if !g.IsObject() {
			continue
		}
		arn, weight := g.ObjectValue()["arn"], g.ObjectValue()["weight"]
		if arn.IsString() && weight.IsNumber() && strings.Contains(arn.StringValue(), ":targetgroup/"+b.name+"-"+oldName+"-") {
			return int(weight.NumberValue())
		}
	}
	return 0
}

// forwardedTo are the target groups that a rule's inputs share requests among.
func forwardedTo(rule resource.PropertyMap) []resource.PropertyValue {
	at := resource.NewObjectProperty(rule)
	groups, ok := resource.PropertyPath{"actions", 0, "forward", "targetGroups"}.Get(at)
	if !ok || !groups.IsArray() {
		return nil
	}
	return groups.ArrayValue()
}
