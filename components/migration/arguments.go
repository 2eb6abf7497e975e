package migration

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	perrors "github.com/pulumi/pulumi/sdk/v3/go/pulumi/errors"

	"github.com/slipway-iac/slipway/cutover"
	"github.com/slipway-iac/slipway/internal/check"
)

const (
	// maxName is AWS's limit for the names of load balancers and target groups, randomSuffix what pulumi-aws adds to a name.
	maxName, randomSuffix = 32, 8
	// longestSuffix is what is called longest after the component's name.
	longestSuffix = "-https"
	// maxConfiguration is the largest parameter that AWS takes, in bytes:
	// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html.
	maxConfiguration = 8192
	// maxDnsName is the longest name that the new system's load balancer may turn out to have.
	maxDnsName = 253
	// usualCodes are the answers that the rendered configuration takes for healthy, and the default of cutover.
	usualCodes = "200-399"
	// onlyRoute is the one route of a site that has none of its own.
	onlyRoute = "all"
)

var (
	componentName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)
	instanceType  = regexp.MustCompile(`^[a-z]+[0-9]+[a-z-]*\.[a-z0-9]+$`)
	imageId       = regexp.MustCompile(`^(ami-[0-9a-f]{8,17}|resolve:ssm:[A-Za-z0-9_.:/-]+)$`)
	// armType is an instance type with a processor of AWS's own.
	armType = regexp.MustCompile(`^[a-z]+[0-9]+g`)
)

// checked is args with the defaults filled in; it accepts nil.
func (args *HaproxyFleetArgs) checked(name string) (a HaproxyFleetArgs, err error) {
	if args != nil {
		a = *args
	}
	var p check.Problems
	p.Match("name", name, componentName, "letters and digits, with hyphens between them: the load balancer's name begins with it")
	if n := len(name) + len(longestSuffix) + randomSuffix; n > maxName {
		p.Addf("name", "is %q, must be at most %d characters: a target group's name is it with %q and %d more characters, which makes %d, and AWS takes %d",
			name, maxName-len(longestSuffix)-randomSuffix, longestSuffix, randomSuffix, n, maxName)
	}
	a.checkPlace(&p)
	a.Instances = cmp.Or(a.Instances, 2)
	p.Between("instances", a.Instances, 2, 20)
	a.InstanceType = cmp.Or(a.InstanceType, "t3.small")
	p.Match("instanceType", a.InstanceType, instanceType, `a type like "t3.small"`)
	if a.ImageId == "" {
		architecture := "amd64"
		if armType.MatchString(a.InstanceType) {
			architecture = "arm64"
		}
		// Resolved when a proxy starts, so that a new image changes no preview: https://wiki.debian.org/Cloud/AmazonEC2Image.
		a.ImageId = "resolve:ssm:/aws/service/debian/release/12/latest/" + architecture
	}
	p.Match("imageId", a.ImageId, imageId, `an image like "ami-0123456789abcdef0"`)
	a.DrainSeconds = cmp.Or(a.DrainSeconds, 30)
	p.Between("drainSeconds", a.DrainSeconds, 1, 3600)
	if a.Statistics != nil {
		p.Required("statistics.password", a.Statistics.Password != nil, "a secret of the configuration")
		for i, s := range a.Statistics.Sources {
			if n, err := netip.ParsePrefix(s); err == nil && !n.Addr().Is4() {
				p.Addf(fmt.Sprintf("statistics.sources[%d]", i), "is %q, must be a network of IPv4: the proxies have no other addresses", s)
			}
		}
	}
	a.checkConfiguration(&p)
	p.Tags("tags", a.Tags)
	return a, p.Err(HaproxyFleetType, name)
}

func (args *HaproxyFleetArgs) checkPlace(p *check.Problems) {
	p.Required("new.name", args.New.Name != nil, "the DNS name of the new system's load balancer")
	p.Required("vpcId", args.VpcId != nil, `"vpc-0123456789abcdef0"`)
	checkSubnets(p, "publicSubnetIds", args.PublicSubnetIds)
	checkSubnets(p, "privateSubnetIds", args.PrivateSubnetIds)
	p.Required("certificateArn", args.CertificateArn != nil, "the ARN of an issued certificate for the site's names")
}

func checkSubnets(p *check.Problems, path string, ids pulumi.StringArrayInput) {
	p.Required(path, ids != nil, "two subnets of the VPC, in different zones")
	if known, plain := ids.(pulumi.StringArray); plain && len(known) < 2 {
		p.Addf(path, "has %d entries, must have at least 2, in different zones: a zone can be lost", len(known))
	}
}

// checkConfiguration renders haproxy.cfg once with a stand-in for the name that is not known yet, so that everything that is wrong
// with it is said before anything is made.
func (args *HaproxyFleetArgs) checkConfiguration(p *check.Problems) {
	if len(args.Routes) == 0 {
		args.Routes = []Route{{Name: onlyRoute}}
	}
	names := make([]string, len(args.Routes))
	for i, r := range args.Routes {
		names[i] = r.Name
	}
	if args.Migration == nil {
		p.Required("migration", false, `{stage: "legacy", old: {addresses: ["10.0.0.10"]}}`)
		return
	}
	before := p.Len()
	m := args.Migration.Checked(p.At("migration"), names)
	args.Migration = &m
	if m.Old.HealthCheckCodes != usualCodes {
		p.Addf("migration.old.healthCheckCodes", "is %q, must be left out: HAProxy takes 200 to 399 for healthy here", m.Old.HealthCheckCodes)
	}
	if p.Len() > before {
		return // what comes of a stage is known only of one that can be read
	}
	c := args.config("new.example.com")
	var said check.Problems
	c.Check(&said)
	var each *perrors.InputPropertiesError
	if errors.As(said.Err(HaproxyFleetType, ""), &each) {
		for _, e := range each.Errors {
			p.Addf(asWritten(e.PropertyPath), "%s", e.Reason)
		}
		return
	}
	if text, err := c.Render(); err != nil {
		p.Addf("", "give no configuration: %s", err)
	} else if n := len(text) + maxDnsName; n > maxConfiguration {
		p.Addf("routes", "make a configuration of up to %d bytes, must make at most %d, which is AWS's limit for a parameter: fewer routes, hosts or paths", n, maxConfiguration)
	}
}

// asWritten is the argument behind a part of haproxy.Config.
func asWritten(path string) string {
	switch path {
	case "old.name":
		return "migration.old.dnsName"
	case "old.host":
		return "migration.old.hostHeader"
	case "old.healthPath":
		return "migration.old.healthCheckPath"
	}
	if strings.HasPrefix(path, "old.") {
		return "migration." + path
	}
	return path
}

// Check finds every problem with args but that the network and the load balancer behind are not there yet. A stack that checks all its
// parts before it makes the first one registers nothing when anything is wrong.
func (args *HaproxyFleetArgs) Check(_ *pulumi.Context, name string) error {
	_, err := args.checked(name)
	return check.Before(err, "vpcId", "publicSubnetIds", "privateSubnetIds", "new.name", "certificateArn")
}

// recorded is what the stack's state and policy packs see of the arguments.
func (args *HaproxyFleetArgs) recorded() pulumi.Map {
	m := pulumi.Map{
		"new": pulumi.Map{"name": args.New.Name, "host": pulumi.String(args.New.Host), "healthPath": pulumi.String(args.New.HealthPath)}, "migration": recordedMigration(args.Migration), "vpcId": args.VpcId,
		"publicSubnetIds": args.PublicSubnetIds, "privateSubnetIds": args.PrivateSubnetIds,
		"certificateArn": args.CertificateArn, "instances": pulumi.Int(args.Instances), "instanceType": pulumi.String(args.InstanceType),
		"imageId": pulumi.String(args.ImageId), "drainSeconds": pulumi.Int(args.DrainSeconds),
	}
	if args.Cookie != "" {
		m["cookie"] = pulumi.String(args.Cookie)
	}
	routes := make(pulumi.Array, len(args.Routes))
	for i, r := range args.Routes {
		routes[i] = pulumi.Map{"name": pulumi.String(r.Name), "hosts": pulumi.ToStringArray(r.Hosts), "paths": pulumi.ToStringArray(r.Paths)}
	}
	m["routes"] = routes
	if s := args.Statistics; s != nil {
		m["statistics"] = pulumi.Map{"password": pulumi.ToSecret(s.Password), "sources": pulumi.ToStringArray(s.Sources)}
	}
	if len(args.Tags) > 0 {
		m["tags"] = pulumi.ToStringMap(args.Tags)
	}
	return m
}

func recordedMigration(m *cutover.Migration) pulumi.Map {
	out := pulumi.Map{"stage": pulumi.String(m.Stage), "old": pulumi.Map{
		"addresses": pulumi.ToStringArray(m.Old.Addresses), "dnsName": pulumi.String(m.Old.DnsName), "port": pulumi.Int(m.Old.Port),
		"healthCheckPath": pulumi.String(m.Old.HealthCheckPath), "hostHeader": pulumi.String(m.Old.HostHeader),
	}}
	if len(m.Routes) > 0 {
		out["routes"] = pulumi.ToStringMap(m.Routes)
	}
	if m.Force != "" {
		out["force"] = pulumi.String(m.Force)
	}
	return out
}

// parameterPath is where the fleet's parameters are.
func (b *builder) parameterPath(what string) string {
	return "/" + strings.Join([]string{"slipway", b.ctx.Project(), b.ctx.Stack(), b.name, what}, "/")
}
