package migration

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// tlsPolicy serves TLS 1.2 and 1.3 with forward secrecy.
const tlsPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"

const (
	// checkSeconds is from one of the load balancer's checks of a proxy to the next, failedChecks how many in a row take it out.
	checkSeconds, failedChecks = 10, 2
	// noticeSeconds is how long it may be until a proxy that leaves gets no new connections; a check may wait for nearly as long as
	// there is between two.
	noticeSeconds = (failedChecks + 1) * checkSeconds
)

// entrance is one of the two ways into the fleet.
type entrance struct {
	name         string
	outer, inner int
	tls          bool
	whatFor      string
}

var entrances = []entrance{
	{"https", 443, httpsPort, true, "HTTPS from the internet"},
	{"http", 80, httpPort, false, "HTTP from the internet, for the systems to answer or redirect"},
}

// firewalls are the security groups of the load balancer and of the proxies. Their rules are resources of their own that name both
// groups, so that they are gone before either group is deleted.
func (b *builder) firewalls() (outer, inner *ec2.SecurityGroup, err error) {
	group := func(suffix, description string) (*ec2.SecurityGroup, error) {
		g, err := ec2.NewSecurityGroup(b.ctx, b.name+suffix, &ec2.SecurityGroupArgs{
			VpcId: b.args.VpcId, Description: pulumi.String(description), Tags: b.tags(b.name + suffix),
		}, b.below)
		if err != nil {
			return nil, fmt.Errorf("security group %s: %w", suffix, err)
		}
		return g, nil
	}
	if outer, err = group("-nlb", "Network load balancer: 443 and 80 in, proxies out"); err != nil {
		return nil, nil, err
	}
	if inner, err = group("-proxy", "Proxies: requests of the load balancer in, both systems out"); err != nil {
		return nil, nil, err
	}
	for _, e := range entrances {
		if err := b.in(outer, "-nlb-"+e.name, e.outer, e.whatFor, vpc.SecurityGroupIngressRuleArgs{CidrIpv4: pulumi.String("0.0.0.0/0")}); err != nil {
			return nil, nil, err
		}
	}
	for _, port := range []int{httpsPort, httpPort, healthPort} {
		n := strconv.Itoa(port)
		if err := b.out(outer, "-nlb-"+n+"-out", port, "To the proxies", vpc.SecurityGroupEgressRuleArgs{ReferencedSecurityGroupId: inner.ID()}); err != nil {
			return nil, nil, err
		}
		if err := b.in(inner, "-proxy-"+n, port, "From the load balancer", vpc.SecurityGroupIngressRuleArgs{ReferencedSecurityGroupId: outer.ID()}); err != nil {
			return nil, nil, err
		}
	}
	return outer, inner, b.waysOut(inner)
}

// waysOut are what a proxy may reach, and who may reach its statistics page.
func (b *builder) waysOut(inner *ec2.SecurityGroup) error {
	if s := b.args.Statistics; s != nil {
		for _, c := range s.Sources {
			if err := b.in(inner, "-statistics-"+c, statisticsPort, "Statistics page", vpc.SecurityGroupIngressRuleArgs{CidrIpv4: pulumi.String(c)}); err != nil {
				return err
			}
		}
	}
	for _, port := range []int{443, 80} {
		if err := b.out(inner, "-proxy-"+strconv.Itoa(port)+"-out", port, "Systems, configuration and packages", vpc.SecurityGroupEgressRuleArgs{CidrIpv4: pulumi.String("0.0.0.0/0")}); err != nil {
			return err
		}
	}
	old := b.args.Migration.Old
	if old.Port == 443 || old.Port == 80 {
		return nil
	}
	for _, a := range old.Addresses {
		if err := b.out(inner, "-old."+a, old.Port, "The old system", vpc.SecurityGroupEgressRuleArgs{CidrIpv4: pulumi.String(a + "/32")}); err != nil {
			return err
		}
	}
	if old.DnsName == "" {
		return nil
	}
	// The addresses behind a name change.
	return b.out(inner, "-old."+old.DnsName, old.Port, "The old system", vpc.SecurityGroupEgressRuleArgs{CidrIpv4: pulumi.String("0.0.0.0/0")})
}

func (b *builder) in(group *ec2.SecurityGroup, suffix string, port int, why string, from vpc.SecurityGroupIngressRuleArgs) error {
	from.SecurityGroupId, from.IpProtocol, from.Description, from.Tags = group.ID(), pulumi.String("tcp"), pulumi.String(why), b.tags("")
	from.FromPort, from.ToPort = pulumi.Int(port), pulumi.Int(port)
	if _, err := vpc.NewSecurityGroupIngressRule(b.ctx, b.name+suffix, &from, b.below); err != nil {
		return fmt.Errorf("way in %s: %w", suffix, err)
	}
	return nil
}

func (b *builder) out(group *ec2.SecurityGroup, suffix string, port int, why string, to vpc.SecurityGroupEgressRuleArgs) error {
	to.SecurityGroupId, to.IpProtocol, to.Description, to.Tags = group.ID(), pulumi.String("tcp"), pulumi.String(why), b.tags("")
	to.FromPort, to.ToPort = pulumi.Int(port), pulumi.Int(port)
	if _, err := vpc.NewSecurityGroupEgressRule(b.ctx, b.name+suffix, &to, b.below); err != nil {
		return fmt.Errorf("way out %s: %w", suffix, err)
	}
	return nil
}

// front is the load balancer before the proxies, and the target groups that they register with.
func (b *builder) front(outer *ec2.SecurityGroup) (*lb.LoadBalancer, []*lb.TargetGroup, error) {
	nlb, err := lb.NewLoadBalancer(b.ctx, b.name+"-nlb", &lb.LoadBalancerArgs{
		LoadBalancerType: pulumi.String("network"),
		Internal:         pulumi.Bool(false),
		Subnets:          b.args.PublicSubnetIds,
		SecurityGroups:   pulumi.StringArray{outer.ID()},
		// A proxy takes the requests of every zone, so that a zone without one is no zone without the site.
		EnableCrossZoneLoadBalancing: pulumi.Bool(true),
		Tags:                         b.tags(""),
	}, b.below)
	if err != nil {
		return nil, nil, fmt.Errorf("load balancer: %w", err)
	}
	var groups []*lb.TargetGroup
	for _, e := range entrances {
		group, err := b.entrance(nlb, e)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", e.name, err)
		}
		groups = append(groups, group)
	}
	return nlb, groups, nil
}

func (b *builder) entrance(nlb *lb.LoadBalancer, e entrance) (*lb.TargetGroup, error) {
	group, err := lb.NewTargetGroup(b.ctx, b.name+"-"+e.name, &lb.TargetGroupArgs{
		VpcId:      b.args.VpcId,
		TargetType: pulumi.String("instance"),
		Port:       pulumi.Int(e.inner),
		Protocol:   pulumi.String("TCP"),
		// The proxies tell the systems who asked.
		PreserveClientIp:    pulumi.String("true"),
		DeregistrationDelay: pulumi.Int(b.args.DrainSeconds),
		HealthCheck: &lb.TargetGroupHealthCheckArgs{
			Protocol: pulumi.String("HTTP"), Port: pulumi.String(strconv.Itoa(healthPort)), Path: pulumi.String("/healthz"), Matcher: pulumi.String("200"),
			Interval: pulumi.Int(checkSeconds), HealthyThreshold: pulumi.Int(2), UnhealthyThreshold: pulumi.Int(failedChecks),
		},
		Tags: b.tags(""),
	}, b.below)
	if err != nil {
		return nil, fmt.Errorf("target group: %w", err)
	}
	args := &lb.ListenerArgs{
		LoadBalancerArn: nlb.Arn,
		Port:            pulumi.Int(e.outer),
		Protocol:        pulumi.String("TCP"),
		DefaultActions:  lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{Type: pulumi.String("forward"), TargetGroupArn: group.Arn}},
		Tags:            b.tags(""),
	}
	if e.tls {
		args.Protocol, args.SslPolicy, args.CertificateArn = pulumi.String("TLS"), pulumi.String(tlsPolicy), b.args.CertificateArn
	}
	if _, err := lb.NewListener(b.ctx, b.name+"-"+e.name, args, b.below); err != nil {
		return nil, fmt.Errorf("listener: %w", err)
	}
	return group, nil
}
