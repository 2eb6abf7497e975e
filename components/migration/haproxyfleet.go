// Package migration holds what stands between an old system and the new one while a site moves, where an application load balancer
// alone will not do.
package migration

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/cutover"
)

// HaproxyFleetType is in every stack's state: to change it takes an alias and a major version.
const HaproxyFleetType = "slipway:index:HaproxyFleet"

// HaproxyFleetArgs says between which systems the requests are shared, and where the proxies run.
type HaproxyFleetArgs struct {
	// Migration is the old system and the stage. Required. A stage, and anything else of it, reaches the running proxies as a new
	// configuration within half a minute; no proxy is replaced and no connection dropped, but what then lasts for five minutes more, or
	// for DrainSeconds if that is longer. Plain HTTP goes to the systems as it comes for as long as the old one takes new sessions, since
	// that may need it. From "drain-legacy" on clients are redirected to https, but for those whom Cookie keeps at the old system: with
	// 302, of which nothing is left on the way back, and with 301 at "done".
	Migration *cutover.Migration `pulumi:"migration"`
	// New is the system that takes over. Required.
	New New `pulumi:"new"`
	// Routes are the parts of the site that can be at stages of their own, asked in this order; default one, "all", that takes every
	// request. A request that matches none is answered 404.
	Routes []Route `pulumi:"routes,optional"`
	// Cookie keeps a client at the system that it came to first, by cookies that begin so. Default: none, every request is shared out
	// anew.
	Cookie string `pulumi:"cookie,optional"`
	// VpcId is the network. Required. A change replaces everything.
	VpcId pulumi.StringInput `pulumi:"vpcId"`
	// PublicSubnetIds are two or more, in different zones, for the load balancer in front. Required.
	PublicSubnetIds pulumi.StringArrayInput `pulumi:"publicSubnetIds"`
	// PrivateSubnetIds are two or more, in the same zones, for the proxies; with a way out to the internet. Required.
	PrivateSubnetIds pulumi.StringArrayInput `pulumi:"privateSubnetIds"`
	// CertificateArn is the certificate with which TLS ends at the load balancer in front: issued, for the site's names. Required.
	CertificateArn pulumi.StringInput `pulumi:"certificateArn"`
	// Instances is how many proxies run, spread over the zones: 2 to 20; default 2. One of them can be lost at any time.
	Instances int `pulumi:"instances,optional"`
	// InstanceType of the proxies; default "t3.small". One with a "g" behind its generation, like "t4g.small", is for arm64. A change
	// replaces the proxies one at a time, new before old.
	InstanceType string `pulumi:"instanceType,optional"`
	// ImageId is a machine image of Debian 12 or later. Default: Debian's newest when a proxy starts.
	ImageId string `pulumi:"imageId,optional"`
	// DrainSeconds is how long a proxy that leaves may still answer what it has begun, 1 to 3600; default 30. It has this time from when
	// it is taken out of the load balancer, and once more when its machine stops, after the half minute in which the load balancer
	// notices; AWS waits a few minutes for a machine
	// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/TroubleshootingInstancesShuttingDown.html). A change replaces the proxies one at
	// a time, new before old.
	DrainSeconds int `pulumi:"drainSeconds,optional"`
	// Statistics is HAProxy's statistics page, on which systems can be taken out by hand. Default nil: none.
	Statistics *Statistics `pulumi:"statistics,optional"`
	// Tags for everything that can carry them, proxies and their disks too.
	Tags map[string]string `pulumi:"tags,optional"`
}

// New is the system that takes over, behind a load balancer of its own.
type New struct {
	// Name is the DNS name of its load balancer, resolved again while the proxies run. Required.
	Name pulumi.StringInput `pulumi:"name"`
	// Host is the name that its certificate is for, and the Host that it gets: "www.example.com". The proxies speak TLS with it, on port
	// 443. Required.
	Host string `pulumi:"host"`
	// HealthPath is asked with GET, 200 to 399 is healthy; default "/".
	HealthPath string `pulumi:"healthPath,optional"`
}

// Route is a part of the site.
type Route struct {
	// Name of the route: at most 32 lower-case letters, digits and hyphens. Required.
	Name string `pulumi:"name"`
	// Hosts are names, or "*.example.com" for every name below. Default any.
	Hosts []string `pulumi:"hosts,optional"`
	// Paths are beginnings of paths, by whole segments: "/api" takes /api and /api/x. Default any.
	Paths []string `pulumi:"paths,optional"`
}

// Statistics is the statistics page of each proxy, on port 8001.
type Statistics struct {
	// Password of the user "admin", a secret: 12 characters or more, printable ASCII. Required. A change replaces the proxies one at
	// a time.
	Password pulumi.StringInput `pulumi:"password"`
	// Sources are the networks in CIDR notation, of IPv4, that reach the page; others do not. Required: private ones, since the page is
	// plain HTTP.
	Sources []string `pulumi:"sources"`
}

// HaproxyFleet is two or more HAProxies outside Kubernetes, behind a network load balancer with TLS, that share the requests of a site
// between an old system and a new one. SIDE is https or http, PORT a port, CIDR a network, ADDRESS one of the old
// system's:
//
//	slipway:index:HaproxyFleet                                   NAME
//	├─ aws:ec2/securityGroup:SecurityGroup                       NAME-nlb
//	├─ aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule NAME-nlb-SIDE         443 and 80 from the internet
//	├─ aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule   NAME-nlb-PORT-out     to the proxies, and nowhere else
//	├─ aws:ec2/securityGroup:SecurityGroup                       NAME-proxy
//	├─ aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule NAME-proxy-PORT       from the load balancer
//	├─ aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule NAME-statistics-CIDR  only with Statistics
//	├─ aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule   NAME-proxy-PORT-out   443 and 80, for the new system, packages and the configuration
//	├─ aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule   NAME-old.ADDRESS      the old system, where its port is another
//	├─ aws:ssm/parameter:Parameter                               NAME-config           haproxy.cfg, which the proxies follow
//	├─ aws:ssm/parameter:Parameter                               NAME-password         only with Statistics; encrypted
//	├─ aws:iam/role:Role                                         NAME
//	├─ aws:iam/rolePolicy:RolePolicy                             NAME                  the parameters, and nothing else
//	├─ aws:iam/instanceProfile:InstanceProfile                   NAME
//	├─ aws:ec2/launchTemplate:LaunchTemplate                     NAME
//	├─ aws:lb/loadBalancer:LoadBalancer                          NAME-nlb
//	├─ aws:lb/targetGroup:TargetGroup                            NAME-SIDE
//	├─ aws:lb/listener:Listener                                  NAME-SIDE
//	└─ aws:autoscaling/group:Group                               NAME
type HaproxyFleet struct {
	pulumi.ResourceState
	// LoadBalancerDnsName is the name in front of the proxies; lead the site's names there with an alias record.
	LoadBalancerDnsName pulumi.StringOutput `pulumi:"loadBalancerDnsName"`
	// LoadBalancerZoneId is AWS's zone for it, which an alias record needs.
	LoadBalancerZoneId pulumi.StringOutput `pulumi:"loadBalancerZoneId"`
	// SecurityGroupId is the proxies' security group, to be let in where the old system has a firewall.
	SecurityGroupId pulumi.StringOutput `pulumi:"securityGroupId"`
	// AutoScalingGroupName is the proxies' group.
	AutoScalingGroupName pulumi.StringOutput `pulumi:"autoScalingGroupName"`
	// Configuration is haproxy.cfg as the proxies get it. It holds no secret.
	Configuration pulumi.StringOutput `pulumi:"configuration"`
}

// NewHaproxyFleet reports every problem with args at once, before it registers anything.
func NewHaproxyFleet(ctx *pulumi.Context, name string, args *HaproxyFleetArgs, opts ...pulumi.ResourceOption) (*HaproxyFleet, error) {
	a, err := args.checked(name)
	if err != nil {
		return nil, err
	}
	c := &HaproxyFleet{}
	if err := ctx.RegisterComponentResourceV2(HaproxyFleetType, name, a.recorded(), c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", HaproxyFleetType, name, err)
	}
	if err := c.build(&builder{ctx: ctx, name: name, args: a, below: pulumi.Parent(c)}); err != nil {
		return nil, fmt.Errorf("%s %q: %w", HaproxyFleetType, name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"loadBalancerDnsName": c.LoadBalancerDnsName, "loadBalancerZoneId": c.LoadBalancerZoneId, "securityGroupId": c.SecurityGroupId,
		"autoScalingGroupName": c.AutoScalingGroupName, "configuration": c.Configuration,
	})
}

func (c *HaproxyFleet) build(b *builder) error {
	outer, inner, err := b.firewalls()
	if err != nil {
		return err
	}
	c.Configuration = b.configuration()
	parameters, err := b.parameters(c.Configuration)
	if err != nil {
		return err
	}
	template, err := b.template(inner, parameters)
	if err != nil {
		return err
	}
	nlb, groups, err := b.front(outer)
	if err != nil {
		return err
	}
	fleet, err := b.fleet(template, groups, parameters)
	if err != nil {
		return err
	}
	c.LoadBalancerDnsName, c.LoadBalancerZoneId = nlb.DnsName, nlb.ZoneId
	c.SecurityGroupId, c.AutoScalingGroupName = inner.ID().ToStringOutput(), fleet.Name
	return nil
}

// builder makes the parts of one fleet; each of its methods makes some of them.
type builder struct {
	ctx   *pulumi.Context
	name  string
	args  HaproxyFleetArgs
	below pulumi.ResourceOrInvokeOption
}

// tags are the caller's, with a Name where the console shows one.
func (b *builder) tags(named string) pulumi.StringMap {
	m := pulumi.StringMap{}
	if named != "" {
		m["Name"] = pulumi.String(named)
	}
	for k, v := range b.args.Tags {
		m[k] = pulumi.String(v)
	}
	return m
}
