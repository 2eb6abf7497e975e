package edge

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// firewall is the load balancer's security group: in from everywhere on 443 and 80. The ways out come with the routes.
func (b *builder) firewall() (*ec2.SecurityGroup, error) {
	// Without egress of its own: the provider takes AWS's rule "out to everywhere" away from a new group.
	group, err := ec2.NewSecurityGroup(b.ctx, b.name+albSuffix, &ec2.SecurityGroupArgs{
		VpcId: b.args.VpcId,
		// A change replaces the group, so it says nothing that may change.
		Description: pulumi.String("Public load balancer: 443 and 80 in, node ports out"),
		Tags:        b.tags(b.name),
	}, b.below)
	if err != nil {
		return nil, fmt.Errorf("security group: %w", err)
	}
	for _, port := range []struct {
		name, why string
		number    int
	}{{"https", "HTTPS from the internet", 443}, {"http", "HTTP from the internet, redirected to HTTPS", 80}} {
		in := vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: group.ID(), IpProtocol: pulumi.String("tcp"), FromPort: pulumi.Int(port.number), ToPort: pulumi.Int(port.number),
			Description: pulumi.String(port.why), Tags: b.tags(""),
		}
		v4, v6 := in, in
		v4.CidrIpv4, v6.CidrIpv6 = pulumi.String("0.0.0.0/0"), pulumi.String("::/0")
		if _, err := vpc.NewSecurityGroupIngressRule(b.ctx, b.name+"-"+port.name+"-ipv4", &v4, b.below); err != nil {
			return nil, fmt.Errorf("opening of %s: %w", port.name, err)
		}
		if !b.args.DualStack {
			continue
		}
		if _, err := vpc.NewSecurityGroupIngressRule(b.ctx, b.name+"-"+port.name+"-ipv6", &v6, b.below); err != nil {
			return nil, fmt.Errorf("opening of %s for IPv6: %w", port.name, err)
		}
	}
	return group, nil
}

func (b *builder) loadBalancer(firewall *ec2.SecurityGroup) (*lb.LoadBalancer, error) {
	addresses := "ipv4"
	if b.args.DualStack {
		addresses = "dualstack"
	}
	subnets := b.args.PublicSubnetIds.ToStringArrayOutput().ApplyT(func(ids []string) ([]string, error) {
		if problem := badSubnetCount(len(ids)); problem != "" {
			return nil, fmt.Errorf("publicSubnetIds %s", problem)
		}
		return ids, nil
	}).(pulumi.StringArrayOutput)
	bucket, after, err := b.logs()
	if err != nil {
		return nil, err
	}
	args := &lb.LoadBalancerArgs{
		LoadBalancerType:         pulumi.String("application"),
		Internal:                 pulumi.Bool(false),
		IpAddressType:            pulumi.String(addresses),
		Subnets:                  subnets,
		SecurityGroups:           pulumi.StringArray{firewall.ID()},
		DropInvalidHeaderFields:  pulumi.Bool(true),
		EnableDeletionProtection: pulumi.Bool(!b.args.AllowDeletion),
		EnableHttp2:              pulumi.Bool(true),
		IdleTimeout:              pulumi.Int(b.args.IdleTimeoutSeconds),
		Tags:                     b.tags(""),
	}
	if bucket != nil {
		args.AccessLogs = &lb.LoadBalancerAccessLogsArgs{Bucket: bucket.Bucket, Enabled: pulumi.Bool(true)}
	}
	alb, err := lb.NewLoadBalancer(b.ctx, b.name+albSuffix, args, b.below, pulumi.DependsOn(after))
	if err != nil {
		return nil, fmt.Errorf("load balancer: %w", err)
	}
	return alb, nil
}

func (b *builder) listeners(alb *lb.LoadBalancer, certificate pulumi.StringOutput) (https, http *lb.Listener, err error) {
	args := &lb.ListenerArgs{
		LoadBalancerArn: alb.Arn,
		Port:            pulumi.Int(443),
		Protocol:        pulumi.String("HTTPS"),
		SslPolicy:       pulumi.String(b.args.TlsPolicy),
		// The validation's ARN, not the certificate's: AWS refuses a certificate that is not issued yet.
		CertificateArn: certificate,
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("fixed-response"),
			FixedResponse: &lb.ListenerDefaultActionFixedResponseArgs{
				ContentType: pulumi.String("text/plain"), MessageBody: pulumi.String("not found"), StatusCode: pulumi.String("404"),
			},
		}},
		Tags: b.tags(""),
	}
	if b.args.TrustStoreArn != nil {
		args.MutualAuthentication = &lb.ListenerMutualAuthenticationArgs{Mode: pulumi.String("verify"), TrustStoreArn: b.args.TrustStoreArn}
	}
	https, err = lb.NewListener(b.ctx, b.name+"-https", args, b.below)
	if err != nil {
		return nil, nil, fmt.Errorf("listener 443: %w", err)
	}
	http, err = lb.NewListener(b.ctx, b.name+"-http", &lb.ListenerArgs{
		LoadBalancerArn: alb.Arn,
		Port:            pulumi.Int(80),
		Protocol:        pulumi.String("HTTP"),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("redirect"),
			Redirect: &lb.ListenerDefaultActionRedirectArgs{
				Port: pulumi.String("443"), Protocol: pulumi.String("HTTPS"), StatusCode: pulumi.String("HTTP_301"),
			},
		}},
		Tags: b.tags(""),
	}, b.below)
	if err != nil {
		return nil, nil, fmt.Errorf("listener 80: %w", err)
	}
	return https, http, nil
}

// webAclAssociationType is registered by its name: the package of pulumi-aws that has it takes more memory to compile than most
// machines have.
const webAclAssociationType = "aws:wafv2/webAclAssociation:WebAclAssociation"

// awsVersion is the version of pulumi-aws that the program is built with, which its own packages ask for too.
func awsVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/pulumi/pulumi-aws/sdk/v6" {
				return strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return ""
}

// firewallOfRequests puts the web application firewall in front, where there is one.
func (b *builder) firewallOfRequests(alb *lb.LoadBalancer) error {
	if b.args.WebAclArn == nil {
		return nil
	}
	var association pulumi.CustomResourceState
	err := b.ctx.RegisterResource(webAclAssociationType, b.name+"-waf", pulumi.Map{
		"resourceArn": alb.Arn, "webAclArn": b.args.WebAclArn,
	}, &association, b.below, pulumi.Version(awsVersion()))
	if err != nil {
		return fmt.Errorf("web application firewall: %w", err)
	}
	return nil
}
