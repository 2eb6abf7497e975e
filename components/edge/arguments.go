package edge

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/cutover"
	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/target"
)

// DefaultTlsPolicy serves TLS 1.2 and 1.3 with forward secrecy.
const DefaultTlsPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"

// TlsPolicies are the policies that HttpsLoadBalancerArgs.TlsPolicy takes: those of AWS that serve TLS 1.3, and not below TLS 1.2
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html). Those with PQ in the name
// also agree on keys that a quantum computer cannot find.
func TlsPolicies() []string {
	return []string{
		DefaultTlsPolicy,
		"ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
		"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06",
		"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06",
		"ELBSecurityPolicy-TLS13-1-3-2021-06",
		"ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04",
		"ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
		"ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
		"ELBSecurityPolicy-TLS13-1-2-PQ-2025-09",
		"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
		"ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
	}
}

const (
	// randomSuffix is what pulumi-aws adds to the name of a resource to make it unique: a hyphen and seven digits. It does not cut the name.
	randomSuffix = 8
	// maxName is the limit for the names of load balancers and target groups.
	maxName = 32
	// albSuffix is what the load balancer is called after the component's name.
	albSuffix = "-alb"
)

var (
	componentName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)
	routeName     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
)

// checked is args with the defaults filled in; it accepts nil.
func (args *HttpsLoadBalancerArgs) checked(name string, opts []pulumi.ResourceOption) (a HttpsLoadBalancerArgs, err error) {
	if args != nil {
		a = *args
	}
	var p check.Problems
	checkName(&p, name)
	a.checkNames(&p)
	a.TargetType = cmp.Or(a.TargetType, target.Instance)
	p.OneOf("targetType", string(a.TargetType), target.Types()...)
	a.checkPlace(&p)
	if err := a.checkPods(&p, opts); err != nil {
		return a, err
	}
	a.DrainSeconds = cmp.Or(a.DrainSeconds, 30)
	p.Between("drainSeconds", a.DrainSeconds, 1, 3600)
	a.SlowestRequestSeconds = cmp.Or(a.SlowestRequestSeconds, 20)
	p.Between("slowestRequestSeconds", a.SlowestRequestSeconds, 1, 3600)
	a.IdleTimeoutSeconds = cmp.Or(a.IdleTimeoutSeconds, max(60, a.SlowestRequestSeconds+10))
	p.Between("idleTimeoutSeconds", a.IdleTimeoutSeconds, 1, 4000)
	if i := a.IdleTimeoutSeconds; i >= 1 && i <= a.SlowestRequestSeconds {
		p.Addf("idleTimeoutSeconds", "is %d, must be more than slowestRequestSeconds (%d): nothing is sent while an answer is made", i, a.SlowestRequestSeconds)
	}
	a.TlsPolicy = cmp.Or(a.TlsPolicy, DefaultTlsPolicy)
	p.OneOf("tlsPolicy", a.TlsPolicy, TlsPolicies()...)
	a.CertificateTimeoutMinutes = cmp.Or(a.CertificateTimeoutMinutes, 30)
	p.Between("certificateTimeoutMinutes", a.CertificateTimeoutMinutes, 5, 180)
	checkArn(&p, "certificateArn", a.CertificateArn, "acm", "certificate/12345678-1234-1234-1234-123456789012")
	checkArn(&p, "trustStoreArn", a.TrustStoreArn, "elasticloadbalancing", "truststore/clients/0123456789abcdef")
	checkArn(&p, "webAclArn", a.WebAclArn, "wafv2", "regional/webacl/site/12345678-1234-1234-1234-123456789012")
	a.AccessLogs = a.AccessLogs.checked(&p)
	a.Routes = a.checkRoutes(&p, name)
	if a.Maintenance != nil {
		a.Maintenance.check(&p, a.Routes)
	}
	for i, c := range a.VpcCidrs {
		if _, err := netip.ParsePrefix(c); err != nil {
			p.Addf(fmt.Sprintf("vpcCidrs[%d]", i), "is %q, must be a range of addresses, like %q", c, "10.20.0.0/16")
		}
	}
	a.Migration = a.checkMigration(&p)
	p.Tags("tags", a.Tags)
	return a, p.Err(HttpsLoadBalancerType, name)
}

// checkName refuses a name of the component that cannot begin the load balancer's.
func checkName(p *check.Problems, name string) {
	p.Match("name", name, componentName, "letters and digits, with hyphens between them: the load balancer's name begins with it")
	if strings.HasPrefix(name+albSuffix, "internal-") {
		p.Addf("name", "is %q, must not be or begin with %q: AWS keeps names of load balancers that begin so for itself", name, "internal")
	}
	if n := len(name) + len(albSuffix) + randomSuffix; n > maxName {
		p.Addf("name", "is %q, must be at most %d characters: the load balancer's name is it with %q and %d more characters, which makes %d, and AWS takes %d",
			name, maxName-len(albSuffix)-randomSuffix, albSuffix, randomSuffix, n, maxName)
	}
}

// checkPlace refuses what the door cannot be built into.
func (args *HttpsLoadBalancerArgs) checkPlace(p *check.Problems) {
	checkId(p, "vpcId", args.VpcId, "vpc-")
	// A door that only sends on, or answers itself, needs nobody behind it.
	alone := len(args.Routes) > 0 && len(args.weighed()) == 0
	if args.NodeSecurityGroupId != nil || !alone {
		checkId(p, "nodeSecurityGroupId", args.NodeSecurityGroupId, "sg-")
	}
	p.Required("publicSubnetIds", args.PublicSubnetIds != nil, "the public subnets of the VPC")
	if ids, plain := args.PublicSubnetIds.(pulumi.StringArray); plain {
		if problem := badSubnetCount(len(ids)); problem != "" {
			p.Addf("publicSubnetIds", "%s", problem)
		}
		for i, id := range ids {
			checkId(p, fmt.Sprintf("publicSubnetIds[%d]", i), id, "subnet-")
		}
	}
	p.Required("autoScalingGroupNames", len(args.AutoScalingGroupNames) > 0 || args.TargetType.Pods() || alone, `{"base": cluster.AutoScalingGroupNames["base"]}: without nodes there is nobody to answer`)
	for _, k := range slices.Sorted(maps.Keys(args.AutoScalingGroupNames)) {
		path := fmt.Sprintf("autoScalingGroupNames[%q]", k)
		if strings.TrimSpace(k) == "" {
			p.Addf(path, "has an empty key, must have the name of the node group")
		}
		v, plain := args.AutoScalingGroupNames[k].(pulumi.String)
		p.Required(path, args.AutoScalingGroupNames[k] != nil && (!plain || v != ""), "the name of the node group's auto scaling group")
	}
}

func badSubnetCount(n int) string {
	if n >= 2 {
		return ""
	}
	return fmt.Sprintf("has %d entries, must have at least 2, in different zones: AWS puts a load balancer into no less", n)
}

// checkId refuses an id that is missing, or known and of another kind.
func checkId(p *check.Problems, path string, id pulumi.StringInput, prefix string) {
	p.Required(path, id != nil, fmt.Sprintf("%q", prefix+"0123456789abcdef0"))
	if s, plain := id.(pulumi.String); plain && (!strings.HasPrefix(string(s), prefix) || string(s) == prefix) {
		p.Addf(path, "is %q, must be an id that begins with %q", string(s), prefix)
	}
}

// checkArn refuses an ARN that is known and of something else.
func checkArn(p *check.Problems, path string, arn pulumi.StringInput, service, example string) {
	if s, plain := arn.(pulumi.String); plain {
		kind, _, _ := strings.Cut(example, "/")
		parts := strings.SplitN(string(s), ":", 6)
		if len(parts) != 6 || parts[0] != "arn" || parts[2] != service || !strings.HasPrefix(parts[5], kind+"/") {
			p.Addf(path, "is %q, must be an ARN like %q", string(s), "arn:aws:"+service+":us-west-2:123456789012:"+example)
		}
	}
}

// recorded is what the stack's state and policy packs see of the arguments.
func (args *HttpsLoadBalancerArgs) recorded() pulumi.Map {
	groups := pulumi.StringMap{}
	for k, v := range args.AutoScalingGroupNames {
		groups[k] = v
	}
	routes := make(pulumi.Array, len(args.Routes))
	for i, r := range args.Routes {
		routes[i] = r.recorded()
	}
	m := pulumi.Map{
		"domain": pulumi.String(args.Domain), "vpcId": args.VpcId, "publicSubnetIds": args.PublicSubnetIds,
		"autoScalingGroupNames": groups, "routes": routes, "drainSeconds": pulumi.Int(args.DrainSeconds),
		"slowestRequestSeconds": pulumi.Int(args.SlowestRequestSeconds), "idleTimeoutSeconds": pulumi.Int(args.IdleTimeoutSeconds),
		"tlsPolicy": pulumi.String(args.TlsPolicy), "certificateTimeoutMinutes": pulumi.Int(args.CertificateTimeoutMinutes),
		"dualStack": pulumi.Bool(args.DualStack), "allowDeletion": pulumi.Bool(args.AllowDeletion),
	}
	if args.NodeSecurityGroupId != nil {
		m["nodeSecurityGroupId"] = args.NodeSecurityGroupId
	}
	if args.TargetType.Pods() {
		m["targetType"], m["namespace"] = pulumi.String(args.TargetType), args.Namespace
	}
	if len(args.AlternativeNames) > 0 {
		m["alternativeNames"] = pulumi.ToStringArray(args.AlternativeNames)
	}
	if args.ZoneName != "" {
		m["zoneName"] = pulumi.String(args.ZoneName)
	}
	if args.ZoneId != nil {
		m["zoneId"] = args.ZoneId
	}
	if args.OverwriteRecords {
		m["overwriteRecords"] = pulumi.Bool(true)
	}
	for key, arn := range map[string]pulumi.StringInput{"certificateArn": args.CertificateArn, "trustStoreArn": args.TrustStoreArn, "webAclArn": args.WebAclArn} {
		if arn != nil {
			m[key] = arn
		}
	}
	if args.AccessLogs != nil {
		m["accessLogs"] = pulumi.IntMap{"retentionDays": pulumi.Int(args.AccessLogs.RetentionDays)}
	}
	if args.Maintenance != nil {
		m["maintenance"] = pulumi.StringMap{"page": pulumi.String(args.Maintenance.Page)}
	}
	if args.Migration != nil {
		m["migration"], m["vpcCidrs"] = recordedMigration(args.Migration), pulumi.ToStringArray(args.VpcCidrs)
	}
	if len(args.Tags) > 0 {
		m["tags"] = pulumi.ToStringMap(args.Tags)
	}
	return m
}

func recordedMigration(m *cutover.Migration) pulumi.Map {
	out := pulumi.Map{"stage": pulumi.String(m.Stage), "old": pulumi.Map{
		"addresses": pulumi.ToStringArray(m.Old.Addresses), "port": pulumi.Int(m.Old.Port),
		"healthCheckPath": pulumi.String(m.Old.HealthCheckPath), "healthCheckCodes": pulumi.String(m.Old.HealthCheckCodes),
	}}
	if len(m.Routes) > 0 {
		out["routes"] = pulumi.ToStringMap(m.Routes)
	}
	if m.Force != "" {
		out["force"] = pulumi.String(m.Force)
	}
	return out
}

func (r Route) recorded() pulumi.Map {
	m := pulumi.Map{"name": pulumi.String(r.Name)}
	for key, s := range map[string]string{
		"formerName": r.FormerName, "sameTargetAs": r.SameTargetAs, "healthCheckPath": r.HealthCheckPath, "healthCheckCodes": r.HealthCheckCodes,
		"stickyCookie": r.StickyCookie,
	} {
		if s != "" {
			m[key] = pulumi.String(s)
		}
	}
	for key, n := range map[string]int{
		"priority": r.Priority, "healthCheckIntervalSeconds": r.HealthCheckIntervalSeconds, "stickySeconds": r.StickySeconds, "slowStartSeconds": r.SlowStartSeconds,
	} {
		if n != 0 {
			m[key] = pulumi.Int(n)
		}
	}
	for key, list := range map[string][]string{"hosts": r.Hosts, "paths": r.Paths, "methods": r.Methods, "sourceCidrs": r.SourceCidrs} {
		if len(list) > 0 {
			m[key] = pulumi.ToStringArray(list)
		}
	}
	if len(r.Headers) > 0 {
		headers := make(pulumi.Array, len(r.Headers))
		for i, h := range r.Headers {
			headers[i] = pulumi.Map{"name": pulumi.String(h.Name), "values": pulumi.ToStringArray(h.Values)}
		}
		m["headers"] = headers
	}
	if to := r.Redirect; to != nil {
		m["redirect"] = pulumi.Map{
			"host": pulumi.String(to.Host), "path": pulumi.String(to.Path), "query": pulumi.String(to.Query), "permanent": pulumi.Bool(to.Permanent),
		}
	}
	if f := r.FixedResponse; f != nil {
		m["fixedResponse"] = pulumi.Map{"status": pulumi.Int(f.Status), "body": pulumi.String(f.Body), "contentType": pulumi.String(f.ContentType)}
	}
	if r.SameZoneOnly {
		m["sameZoneOnly"] = pulumi.Bool(true)
	}
	if r.NodePort != nil {
		m["nodePort"] = r.NodePort
	}
	if r.Service != nil {
		m["service"] = r.Service.recorded()
	}
	return m
}
