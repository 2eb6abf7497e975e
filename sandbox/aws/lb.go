package aws

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
)

const loadBalancerToken = "aws:lb/loadBalancer:LoadBalancer"

var loadBalancerRef = &Ref{Types: []string{loadBalancerToken}, By: "arn", Code: "LoadBalancerNotFound", Message: "Load balancer '%s' not found"}

// loadBalancerName is the pattern of names of load balancers and target groups.
const (
	loadBalancerName = `^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`
	loadBalancerSays = "letters, digits and hyphens, no hyphen at either end"
)

func init() {
	logs := fields(map[string]Prop{"bucket": text.must(), "enabled": flag.or(false), "prefix": text})
	register(&Type{
		Token: loadBalancerToken, Label: "ELBv2 Load Balancer", Service: "Elastic Load Balancing v2",
		Ops:      Ops{"CreateLoadBalancer", "ModifyLoadBalancerAttributes", "DeleteLoadBalancer"},
		AutoName: &AutoName{Prop: "name", Max: 32},
		Props: map[string]Prop{
			"accessLogs": logs, "clientKeepAlive": number.or(3600.0).within(60, 604800), "connectionLogs": logs,
			"customerOwnedIpv4Pool": text.fixed(), "desyncMitigationMode": text.or("defensive").in("monitor", "defensive", "strictest"),
			"dnsRecordClientRoutingPolicy": text.or("any_availability_zone").in("availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone"),
			"dropInvalidHeaderFields":      flag.or(false), "enableCrossZoneLoadBalancing": flag.or(false), "enableDeletionProtection": flag.or(false),
			"enableHttp2": flag.or(true), "enableTlsVersionAndCipherSuiteHeaders": flag.or(false), "enableWafFailOpen": flag.or(false),
			"enableXffClientPort": flag.or(false), "enableZonalShift": flag.or(false),
			"enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": text.filled().in("on", "off"),
			"idleTimeout": number.or(60.0).within(1, 4000), "internal": flag.filled().fixed(),
			"ipAddressType": text.filled().in("ipv4", "dualstack", "dualstack-without-public-ipv4"), "ipamPools": fields(map[string]Prop{"ipv4IpamPoolId": text.must().to(ipamRef)}),
			"loadBalancerType":            text.or("application").fixed().in("application", "network", "gateway"),
			"minimumLoadBalancerCapacity": fields(map[string]Prop{"capacityUnits": number.must()}),
			"name":                        text.filled().fixed().not("namePrefix").within(1, 32).like(loadBalancerName, loadBalancerSays),
			"namePrefix":                  text.filled().fixed().not("name").within(1, 6), "preserveHostHeader": flag.or(false),
			"securityGroups": setOf(text.to(&Ref{
				Types: []string{securityGroupToken}, Code: "InvalidSecurityGroup", Message: "The security group '%s' does not exist", Holds: true,
			})).filled(),
			"subnetMappings": setOf(fields(map[string]Prop{
				"allocationId": text.to(&Ref{Types: []string{eipToken}, Code: "AllocationIdNotFound", Message: "The allocation IDs '%s' do not exist", Holds: true}),
				"ipv6Address":  text, "outpostId": text.filled(), "privateIpv4Address": text, "subnetId": text.must().to(balancedSubnetRef),
			})).filled().not("subnets"),
			"subnets": setOf(text.to(balancedSubnetRef)).filled().not("subnetMappings"), "tags": tagMap,
			"xffHeaderProcessingMode": text.or("append").in("append", "preserve", "remove"),
		},
		Outputs: []string{"arn", "arnSuffix", "dnsName", "vpcId", "zoneId"},
		Check: func(in Inputs) []Problem {
			if n := in.Object().Str("name"); strings.HasPrefix(n, "internal-") {
				return []Problem{{"name", fmt.Sprintf("is %q, must not begin with \"internal-\"", n)}}
			}
			if !in.Has("subnets") && !in.Has("subnetMappings") {
				return []Problem{{"subnets", "is required, or subnetMappings"}}
			}
			return nil
		},
		Validate: validateLoadBalancer, Create: createLoadBalancer, Update: describeLoadBalancer,
		Delete: func(tx *Tx, o *Object) error {
			if o.Bool("enableDeletionProtection") {
				return Errorf("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", o.ID)
			}
			for _, l := range tx.All(listenerToken) {
				if l.Str("loadBalancerArn") == o.ID {
					removeListener(tx, l)
					tx.Remove(l)
				}
			}
			return nil
		},
		Held: Held{"ResourceInUse", "Load balancer '%s' is in use"},
	})
}

var balancedSubnetRef = &Ref{Types: []string{subnetToken}, Code: "SubnetNotFound", Message: "The subnet ID '%s' does not exist", Holds: true}

// loadBalancerSubnets are the subnets of a load balancer, whichever way they were given.
func loadBalancerSubnets(o *Object) []string {
	if m, ok := o.Inputs["subnetMappings"]; ok {
		var out []string
		for _, e := range objects(m) {
			if s, ok := e["subnetId"].(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return Strings(o.Inputs["subnets"])
}

func validateLoadBalancer(tx *Tx, o, old *Object) error {
	application := o.Str("loadBalancerType") == "application"
	count := 0
	for _, l := range tx.All(loadBalancerToken) {
		if old == nil && l.Str("name") == o.Str("name") {
			return Errorf("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", o.Str("name"))
		}
		if l.Str("loadBalancerType") == o.Str("loadBalancerType") {
			count++
		}
	}
	if old == nil && count >= 50 {
		return Errorf("TooManyLoadBalancers", "The maximum number of load balancers has been reached")
	}
	subnets := loadBalancerSubnets(o)
	zones, vpc := map[string]string{}, tx.vpcOf(subnets[0])
	for _, id := range subnets {
		s := tx.Find(subnetToken, "id", id)
		if s.Str("vpcId") != vpc {
			return Errorf("InvalidConfigurationRequest", "The subnets must be in the same VPC: '%s' is in '%s' and '%s' in '%s'", subnets[0], vpc, id, s.Str("vpcId"))
		}
		zone := s.Str("availabilityZone")
		if zones[zone] != "" {
			return Errorf("InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		zones[zone] = id
		if application && prefix(s.Str("cidrBlock")).Bits() > 27 {
			return Errorf("InvalidSubnet", "Not enough IP space available in %s. ELB requires at least 8 free IP addresses in each subnet.", id)
		}
	}
	if application && len(zones) < 2 {
		return Errorf("ValidationError", "At least two subnets in two different Availability Zones must be specified")
	}
	if !o.Bool("internal") && o.Str("loadBalancerType") != "gateway" && tx.gatewayOf(vpc) == nil {
		return Errorf("InvalidSubnet", "VPC %s has no internet gateway", vpc)
	}
	for _, id := range o.List("securityGroups") {
		if tx.Find(securityGroupToken, "id", id).Str("vpcId") != vpc {
			return Errorf("InvalidConfigurationRequest", "One or more security groups are invalid: '%s' is not in '%s'", id, vpc)
		}
	}
	for _, name := range []string{"accessLogs", "connectionLogs"} {
		if l := nested(o.Get(name)); l["enabled"] == true {
			bucket, _ := l["bucket"].(string)
			prefix, _ := l["prefix"].(string)
			if err := tx.mayLog(bucket, prefix); err != nil {
				return err
			}
		}
	}
	return nil
}

func createLoadBalancer(tx *Tx, o *Object) error {
	if p := o.Str("namePrefix"); p != "" {
		o.fill("name", p+Hex(26))
	}
	o.fill("namePrefix", "")
	o.fill("internal", false)
	o.fill("ipAddressType", "ipv4")
	name := o.Str("name")
	kind := map[string]string{"application": "app", "network": "net", "gateway": "gwy"}[o.Str("loadBalancerType")]
	suffix := kind + "/" + name + "/" + Hex(16)
	o.ID = tx.ARN("elasticloadbalancing", "loadbalancer/"+suffix)
	o.Set("arn", o.ID)
	o.Set("arnSuffix", suffix)
	host := name
	if o.Bool("internal") {
		host = "internal-" + name
	}
	number := crc32.ChecksumIEEE([]byte(o.ID))
	if kind == "app" {
		o.Set("dnsName", fmt.Sprintf("%s-%d.%s.elb.amazonaws.com", host, number, tx.Region))
	} else {
		o.Set("dnsName", fmt.Sprintf("%s-%08x%s.elb.%s.amazonaws.com", host, number, Hex(8), tx.Region))
	}
	o.Set("zoneId", balancerZone(tx.Region, kind))
	enforce := ""
	if kind == "net" {
		enforce = "on"
	}
	o.fill("enforceSecurityGroupInboundRulesOnPrivateLinkTraffic", enforce)
	return describeLoadBalancer(tx, o, o)
}

func describeLoadBalancer(tx *Tx, o, _ *Object) error {
	subnets := loadBalancerSubnets(o)
	vpc := tx.vpcOf(subnets[0])
	o.Set("vpcId", vpc)
	if !o.hasInput("subnets") {
		o.Set("subnets", anys(subnets))
	}
	if !o.hasInput("subnetMappings") {
		var mappings []any
		for _, s := range subnets {
			mappings = append(mappings, map[string]any{"subnetId": s, "allocationId": "", "ipv6Address": "", "outpostId": "", "privateIpv4Address": ""})
		}
		o.Set("subnetMappings", mappings)
	}
	if !o.hasInput("securityGroups") {
		groups := []any{}
		if o.Str("loadBalancerType") == "application" {
			groups = append(groups, tx.Find(vpcToken, "id", vpc).Str("defaultSecurityGroupId"))
		}
		o.Set("securityGroups", groups)
	}
	return nil
}

func (o *Object) hasInput(name string) bool { _, ok := o.Inputs[name]; return ok }

// balancerZones are the hosted zones of application load balancers ("Elastic Load Balancing endpoints and quotas", AWS
// General Reference).
var balancerZones = map[string]string{
	"us-east-1": "Z35SXDOTRQ7X7K", "us-east-2": "Z3AADJGX6KTTL2", "us-west-1": "Z368ELLRRE2KJ0", "us-west-2": "Z1H1FL5HABSF5",
	"ca-central-1": "ZQSVJUPU6J1EY", "eu-central-1": "Z215JYRZR1TBD5", "eu-west-1": "Z32O12XQLNTSW2", "eu-west-2": "ZHURV8PSTC4K8",
	"eu-west-3": "Z3Q77PNBQS71R4", "eu-north-1": "Z23TAZ6LKFMNIO", "eu-south-1": "Z3ULH7SSC9OV64", "ap-east-1": "Z3DQVH9N71FHZ0",
	"ap-south-1": "ZP97RAFLXTNZK", "ap-northeast-1": "Z14GRHDCWA56QT", "ap-northeast-2": "ZWKZPGTI48KDX", "ap-northeast-3": "Z5LXEXXYW11ES",
	"ap-southeast-1": "Z1LMS91P8CMLE5", "ap-southeast-2": "Z1GM3OXH4ZPM65", "sa-east-1": "Z2P70J7HTTTPLU", "me-south-1": "ZS929ML54UICD",
	"af-south-1": "Z268VQBMOI5EKX",
}

// balancerZone is the hosted zone in which the names of a region's load balancers lie. Where AWS's own is not listed
// above, it is made up of region and kind, the same every time.
func balancerZone(region, kind string) string {
	if z := balancerZones[region]; kind == "app" && z != "" {
		return z
	}
	if region == "us-west-2" && kind == "net" {
		return "Z18D5FSROUN65G"
	}
	return fmt.Sprintf("Z0%08X%08X", crc32.ChecksumIEEE([]byte(region)), crc32.ChecksumIEEE([]byte(kind+region)))
}

// attachedTo are the load balancers whose listeners or rules forward to a target group.
func (tx *Tx) attachedTo(group string) []string {
	var out []string
	add := func(balancer string) {
		if !slices.Contains(out, balancer) {
			out = append(out, balancer)
		}
	}
	for _, l := range tx.All(listenerToken) {
		if slices.Contains(forwardsTo(l.Inputs["defaultActions"]), group) {
			add(l.Str("loadBalancerArn"))
		}
	}
	for _, r := range tx.All(listenerRuleToken) {
		if l := tx.Find(listenerToken, "arn", r.Str("listenerArn")); l != nil && slices.Contains(forwardsTo(r.Inputs["actions"]), group) {
			add(l.Str("loadBalancerArn"))
		}
	}
	return out
}
