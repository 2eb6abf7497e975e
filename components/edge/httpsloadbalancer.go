// Package edge holds the public door of a system: what takes requests from the internet to the nodes.
package edge

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/cutover"
	"github.com/slipway-iac/slipway/target"
)

// HttpsLoadBalancerType is in every stack's state: to change it takes an alias and a major version.
const HttpsLoadBalancerType = "slipway:index:HttpsLoadBalancer"

// HttpsLoadBalancerArgs says under which names the system is reached, and which request goes to which app.
type HttpsLoadBalancerArgs struct {
	// Domain is the first name of the system, for example "example.com": lower case, at most 64 characters, no wildcard. Required.
	// It must lie in the zone. A change makes a new certificate and swaps it in while the old one serves, then moves the DNS
	// record: who asks for the old name finds nothing, so list the old name under AlternativeNames for a while.
	Domain string `pulumi:"domain"`
	// AlternativeNames are more names for the same door, each in the zone; "*.example.com" stands for every name one level below.
	// Default none; 100 names with Domain at most, and AWS grants 10 unless asked for more
	// (https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html). A change replaces the certificate, without a gap.
	AlternativeNames []string `pulumi:"alternativeNames,optional"`
	// ZoneName is the public Route 53 zone that holds the names, for example "example.com", looked up in the account of the
	// component's provider. Before a certificate is waited for it is an error if DNS leads to another zone of that name, see
	// ResolverVariable. Exactly one of ZoneName and ZoneId is required, unless CertificateArn is given: then without either no DNS
	// record is made, and the names are led here by whoever holds their zone.
	ZoneName string `pulumi:"zoneName,optional"`
	// ZoneId is the same by id, for a zone that this stack makes. Where the zone is made in the same run, only the update can see whether
	// DNS leads to it. A change replaces every DNS record.
	ZoneId pulumi.StringInput `pulumi:"zoneId,optional"`
	// CertificateArn is a certificate that is issued already, for Domain and all AlternativeNames, in the same region; whoever brought it
	// renews it. Default: one is made, proved through the zone, and renews itself.
	CertificateArn pulumi.StringInput `pulumi:"certificateArn,optional"`
	// TrustStoreArn makes clients show a certificate that an authority of this trust store has signed, and cuts off those without one.
	// Default none: any client. Targets see who it was in the header X-Amzn-Mtls-Clientcert-Subject.
	TrustStoreArn pulumi.StringInput `pulumi:"trustStoreArn,optional"`
	// AccessLogs keeps a line for each request in a bucket. Default nil: no logs.
	AccessLogs *AccessLogs `pulumi:"accessLogs,optional"`
	// WebAclArn is a web application firewall of AWS WAF, of the same region, that judges every request first. Default none.
	WebAclArn pulumi.StringInput `pulumi:"webAclArn,optional"`
	// VpcId is the network of the nodes. Required. A change replaces the security group and every target group.
	VpcId pulumi.StringInput `pulumi:"vpcId"`
	// PublicSubnetIds are two or more subnets in different zones, with a route to the internet. Required.
	PublicSubnetIds pulumi.StringArrayInput `pulumi:"publicSubnetIds"`
	// TargetType is what requests are sent to: target.Instance, Route.NodePort on every node; target.IP or target.AutoModeIP, the pods of
	// Route.Service. Give the namespace and the apps the same. Default target.Instance. With pods a Kubernetes provider must be among
	// the options (pulumi.Providers), and the controller must run. A change makes new target groups and moves the rules there; requests
	// may be answered 503 until the first health check has passed.
	TargetType target.Type `pulumi:"targetType,optional"`
	// NodeSecurityGroupId is the security group of the nodes, and with that of their pods; each port that a route needs is opened in it
	// for the load balancer alone. Required where a route has a target.
	NodeSecurityGroupId pulumi.StringInput `pulumi:"nodeSecurityGroupId,optional"`
	// AutoScalingGroupNames are the groups whose instances take requests, by a name that stays when the group is replaced: the
	// node group's. At least one for target.Instance, where a route has a target; not used for pods. A node group that is replaced brings a new auto scaling
	// group, and its attachments are replaced with it: the new group's first, then the old group's are removed.
	AutoScalingGroupNames map[string]pulumi.StringInput `pulumi:"autoScalingGroupNames,optional"`
	// Namespace of the Services whose pods take requests. Required for pods; not used for target.Instance. Give routes a new name with a
	// change: the controller refuses a second binding of a target group, and the old one is there until the new one is.
	Namespace pulumi.StringInput `pulumi:"namespace,optional"`
	// ClusterName is the EKS cluster's name. Required for target.AutoModeIP, whose controller may touch only target groups that are
	// tagged with it; not used otherwise.
	ClusterName pulumi.StringInput `pulumi:"clusterName,optional"`
	// Routes say which request goes where; at least one, at most 100, Maintenance among them. Their order means nothing: see
	// Route.Priority. A request that none of them matches is answered 404.
	Routes []Route `pulumi:"routes"`
	// Maintenance answers everything with a page instead. Default nil: the routes are asked.
	Maintenance *Maintenance `pulumi:"maintenance,optional"`
	// Migration shares the requests of every route between its target and an old system that is left behind. Default nil: there is none.
	// A change of its stage changes weights and nothing else; with stage "done", and without a migration, the old system's target
	// group is gone, which is refused while it still gets requests.
	Migration *cutover.Migration `pulumi:"migration,optional"`
	// VpcCidrs are the ranges of addresses of the VPC. Required with Migration: AWS registers an address outside in another way.
	VpcCidrs []string `pulumi:"vpcCidrs,optional"`
	// DrainSeconds is how long a pod or a node that leaves goes on serving, 1 to 3600; default 30. Give the apps the same number: their
	// pods serve on for that long. A node leaves when its group scales in or is replaced.
	DrainSeconds int `pulumi:"drainSeconds,optional"`
	// SlowestRequestSeconds is how long a request may take, 1 to 3600; default 20. Give the apps the same number. A target that leaves
	// keeps the requests that it has for the longer of DrainSeconds and this (the deregistration delay); AWS cuts what takes longer.
	// Nodes have to stay for as long: EksClusterArgs.DrainSeconds sees to it.
	SlowestRequestSeconds int `pulumi:"slowestRequestSeconds,optional"`
	// IdleTimeoutSeconds closes a connection on which nothing was sent for that long, 1 to 4000 and more than SlowestRequestSeconds;
	// default 60, or 10 more than SlowestRequestSeconds where that is longer. The apps must keep
	// idle connections open for longer than this, or clients see 502 now and then
	// (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-502-issues).
	IdleTimeoutSeconds int `pulumi:"idleTimeoutSeconds,optional"`
	// TlsPolicy is the protocols and ciphers offered, one of TlsPolicies(); default DefaultTlsPolicy. A change takes effect at once
	// for new connections.
	TlsPolicy string `pulumi:"tlsPolicy,optional"`
	// CertificateTimeoutMinutes is how long to wait for the certificate, 5 to 180; default 30. AWS needs 2 to 5 minutes, and
	// waits for ever if the zone is not the one the internet asks.
	CertificateTimeoutMinutes int `pulumi:"certificateTimeoutMinutes,optional"`
	// OverwriteRecords lets the names' records take the place of what the zone has for them, such as what leads to an old system: the names
	// move as the last step, when the load balancer answers. What was there is not kept, and `pulumi destroy` does not bring it back; and
	// resolvers go on with it until its TTL is over. Default false: a record that is there already is an error, in a preview too.
	OverwriteRecords bool `pulumi:"overwriteRecords,optional"`
	// DualStack also serves IPv6. The public subnets need IPv6 addresses then. Default false: IPv4 only.
	DualStack bool `pulumi:"dualStack,optional"`
	// AllowDeletion lets the load balancer be deleted. Default false: AWS refuses, so that no change and no destroy takes the door
	// away by mistake. To remove it, set this, update, and only then destroy.
	AllowDeletion bool `pulumi:"allowDeletion,optional"`
	// Tags for everything that can carry them, on top of what the provider adds by default.
	Tags map[string]string `pulumi:"tags,optional"`
}

// HttpsLoadBalancer is the one public door of the system. TLS ends here, with a certificate that renews itself; plain HTTP is
// redirected. ROUTE is a route's name, GROUP a key of AutoScalingGroupNames, HOST one of the names:
//
//	slipway:index:HttpsLoadBalancer                              NAME
//	├─ aws:ec2/securityGroup:SecurityGroup                       NAME-alb
//	├─ aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule NAME-https-ipv4       443 from the internet
//	├─ aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule NAME-https-ipv6       only with DualStack
//	├─ aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule NAME-http-ipv4        80 from the internet, for the redirect
//	├─ aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule NAME-http-ipv6        only with DualStack
//	├─ aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule   NAME-ROUTE-out        out to the node port, and nowhere else
//	├─ aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule NAME-ROUTE-in         into the nodes' group, at the node port
//	├─ aws:s3/bucketV2:BucketV2                                  NAME-logs             only with AccessLogs
//	├─ aws:s3/bucketPolicy:BucketPolicy                          NAME-logs             load balancers write, nobody in the open
//	├─ aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock    NAME-logs
//	├─ aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2 NAME-logs
//	├─ aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2 NAME-logs
//	├─ aws:lb/loadBalancer:LoadBalancer                          NAME-alb
//	├─ aws:wafv2/webAclAssociation:WebAclAssociation             NAME-waf              only with WebAclArn
//	├─ aws:acm/certificate:Certificate                           NAME-certificate      not with CertificateArn
//	├─ aws:route53/record:Record                                 NAME-HOST-proof       one for "x" and "*.x": they share it
//	├─ aws:acm/certificateValidation:CertificateValidation       NAME-certificate      what the listener waits for
//	├─ aws:lb/listener:Listener                                  NAME-https            404 unless a route matches
//	├─ aws:lb/listener:Listener                                  NAME-http             301 to https
//	├─ aws:lb/targetGroup:TargetGroup                            NAME-old              only while a migration is under way
//	├─ aws:lb/targetGroupAttachment:TargetGroupAttachment        NAME-old.ADDRESS      the old system
//	├─ aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule   NAME-old.ADDRESS      out to it
//	├─ aws:lb/listenerRule:ListenerRule                          NAME-maintenance      only with Maintenance: 503, before all others
//	├─ aws:lb/targetGroup:TargetGroup                            NAME-ROUTE            not with Redirect and FixedResponse
//	├─ aws:autoscaling/attachment:Attachment                     NAME-ROUTE.GROUP      the group's instances, as they come and go
//	├─ kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding       NAME-ROUTE            instead of those where requests go to pods
//	├─ aws:lb/listenerRule:ListenerRule                          NAME-ROUTE            after its attachments and openings
//	├─ aws:route53/record:Record                                 NAME-HOST-a           after the rules: no name before there are answers
//	└─ aws:route53/record:Record                                 NAME-HOST-aaaa        only with DualStack
type HttpsLoadBalancer struct {
	pulumi.ResourceState
	// Url is where to look: "https://DOMAIN/".
	Url pulumi.StringOutput `pulumi:"url"`
	// LoadBalancerDnsName is the name that AWS gave it. Its certificate does not hold for that name.
	LoadBalancerDnsName pulumi.StringOutput `pulumi:"loadBalancerDnsName"`
	// LoadBalancerArn is the load balancer's ARN, for alarms and for a web application firewall.
	LoadBalancerArn pulumi.StringOutput `pulumi:"loadBalancerArn"`
	// LoadBalancerName is the name in the console.
	LoadBalancerName pulumi.StringOutput `pulumi:"loadBalancerName"`
	// LoadBalancerZoneId is AWS's zone for the load balancer's name, which an alias record elsewhere needs.
	LoadBalancerZoneId pulumi.StringOutput `pulumi:"loadBalancerZoneId"`
	// SecurityGroupId is the load balancer's security group.
	SecurityGroupId pulumi.StringOutput `pulumi:"securityGroupId"`
	// CertificateArn is the certificate's ARN, known once it is issued.
	CertificateArn pulumi.StringOutput `pulumi:"certificateArn"`
	// TargetGroupArns has the target group of each route that has one by the route's name.
	TargetGroupArns pulumi.StringMapOutput `pulumi:"targetGroupArns"`
}

// NewHttpsLoadBalancer reports every problem with args at once, before it registers anything. Where requests go to pods a Kubernetes
// provider must be among opts, or be a parent's.
func NewHttpsLoadBalancer(ctx *pulumi.Context, name string, args *HttpsLoadBalancerArgs, opts ...pulumi.ResourceOption) (*HttpsLoadBalancer, error) {
	a, err := args.checked(name, opts)
	if err != nil {
		return nil, err
	}
	c := &HttpsLoadBalancer{}
	if err := ctx.RegisterComponentResourceV2(HttpsLoadBalancerType, name, a.recorded(), c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", HttpsLoadBalancerType, name, err)
	}
	if err := c.build(&builder{ctx: ctx, name: name, args: a, below: pulumi.Parent(c)}); err != nil {
		return nil, fmt.Errorf("%s %q: %w", HttpsLoadBalancerType, name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"url": c.Url, "loadBalancerDnsName": c.LoadBalancerDnsName, "loadBalancerArn": c.LoadBalancerArn, "loadBalancerName": c.LoadBalancerName,
		"loadBalancerZoneId": c.LoadBalancerZoneId, "securityGroupId": c.SecurityGroupId, "certificateArn": c.CertificateArn,
		"targetGroupArns": c.TargetGroupArns,
	})
}

func (c *HttpsLoadBalancer) build(b *builder) error {
	zone, err := b.zone()
	if err != nil {
		return err
	}
	firewall, err := b.firewall()
	if err != nil {
		return err
	}
	alb, err := b.loadBalancer(firewall)
	if err != nil {
		return err
	}
	if err := b.firewallOfRequests(alb); err != nil {
		return err
	}
	certificate, err := b.certificate(zone)
	if err != nil {
		return err
	}
	https, http, err := b.listeners(alb, certificate)
	if err != nil {
		return err
	}
	targets, err := b.targets(firewall)
	if err != nil {
		return err
	}
	old, err := b.old(firewall)
	if err != nil {
		return err
	}
	rules, err := b.rules(https, targets, old)
	if err != nil {
		return err
	}
	if b.args.Maintenance != nil {
		if err := b.maintenance(https); err != nil {
			return err
		}
	}
	if err := b.aliases(zone, alb, append(rules, https, http)); err != nil {
		return err
	}
	c.Url = pulumi.Sprintf("https://%s/", b.args.Domain)
	c.LoadBalancerDnsName, c.LoadBalancerArn, c.LoadBalancerName, c.LoadBalancerZoneId = alb.DnsName, alb.Arn, alb.Name, alb.ZoneId
	c.SecurityGroupId, c.CertificateArn = firewall.ID().ToStringOutput(), certificate
	c.TargetGroupArns = b.targetGroupArns(targets)
	return nil
}

// builder makes the parts of one door; each of its methods makes one of them.
type builder struct {
	ctx   *pulumi.Context
	name  string
	args  HttpsLoadBalancerArgs
	below pulumi.ResourceOrInvokeOption
	// hosted is the zone, nil where that is not known; nil itself where nothing is proved through one.
	hosted func() *hosted
	// opened are the ports of pods that the load balancer can reach already.
	opened map[int][]pulumi.Resource
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
