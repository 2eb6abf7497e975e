package aws

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func forward(groups ...string) []any {
	var out []any
	for _, g := range groups {
		out = append(out, object{"arn": g})
	}
	return list(object{"type": "forward", "forward": object{"targetGroups": out}})
}

func TestLoadBalancerRefusals(t *testing.T) {
	w := newWorld(t)
	w.add("small", subnetToken, object{"vpcId": w.id("vpc"), "cidrBlock": "10.0.3.0/28", "availabilityZone": "us-west-2c"})
	isolated := w.create(vpcToken, "isolated", object{"cidrBlock": "10.9.0.0/16"})
	in := func(cidr, zone string) string {
		return w.create(subnetToken, cidr, object{"vpcId": isolated.ID, "cidrBlock": cidr, "availabilityZone": zone}).ID
	}
	a, b := in("10.9.0.0/24", "us-west-2a"), in("10.9.1.0/24", "us-west-2b")
	w.refuses([]refusal{
		{"balancer", object{"name": w.out("balancer", "name")}, "DuplicateLoadBalancerName"},
		{"balancer", object{"name": "this-name-is-longer-than-thirty-two"}, "must have 1 to 32"},
		{"balancer", object{"name": "a_b"}, "must be letters, digits and hyphens"},
		{"balancer", object{"name": "internal-x"}, "must not begin with"},
		{"balancer", object{"subnets": nil}, "subnets is required, or subnetMappings"},
		{"balancer", object{"subnets": list(w.id("publicA"))}, "ValidationError: At least two subnets in two different Availability Zones must be specified"},
		{"balancer", object{"subnets": list(w.id("publicA"), w.id("privateA"))}, "multiple subnets in the same Availability Zone"},
		{"balancer", object{"subnets": list("subnet-1")}, "SubnetNotFound"},
		{"balancer", object{"subnets": list(w.id("publicA"), w.id("small"))}, "Not enough IP space available in " + w.id("small")},
		{"balancer", object{"subnets": list(a, b), "securityGroups": nil}, "InvalidSubnet: VPC " + isolated.ID + " has no internet gateway"},
		{"balancer", object{"subnets": list(a, b), "internal": true}, "One or more security groups are invalid"},
		{"balancer", object{"securityGroups": list("sg-1")}, "InvalidSecurityGroup"},
		{"balancer", object{"idleTimeout": 4001.0}, "is 4001, must be 1 to 4000"},
		{"balancer", object{"accessLogs": object{"bucket": "b", "enabled": true}}, "Access Denied for bucket: b"},
		{"balancer", object{"subnets": list(w.id("publicA"), b)}, "The subnets must be in the same VPC"},
		{"targets", object{"slowStart": 30.0, "loadBalancingAlgorithmType": "least_outstanding_requests"}, "slowStart is not taken"},
		{"targets", object{"loadBalancingAnomalyMitigation": "on"}, "needs loadBalancingAlgorithmType weighted_random"},
		{"targets", object{"stickiness": object{"type": "app_cookie"}}, "cookieName is required"},
		{"targets", object{"healthCheck": object{"protocol": "TCP"}}, "is not taken where protocol is HTTP"},
		{"targets", object{"name": w.out("targets", "name")}, "DuplicateTargetGroupName"},
		{"targets", object{"vpcId": "vpc-1"}, "ValidationError: The VPC ID 'vpc-1' is not found"},
		{"targets", object{"vpcId": nil}, "vpcId is required where targetType is instance"},
		{"targets", object{"deregistrationDelay": 3601.0}, "is 3601, must be 0 to 3600"},
		{"targets", object{"slowStart": 10.0}, "must be 0 or 30 to 900"},
		{"targets", object{"healthCheck": object{"interval": 4.0}}, "is 4, must be 5 to 300"},
		{"targets", object{"healthCheck": object{"interval": 5.0, "timeout": 5.0}}, "must be less than healthCheck.interval (5)"},
		{"targets", object{"healthCheck": object{"path": "healthz"}}, "must be a path that begins with /"},
		{"targets", object{"healthCheck": object{"matcher": "ok"}}, "must be codes such as"},
		{"targets", object{"healthCheck": object{"port": "http"}}, "must be traffic-port or 1 to 65535"},
		{"targets", object{"stickiness": object{"type": "source_ip"}}, "does not go with protocol HTTP"},
		{"target", object{"targetId": "10.1.0.1"}, "is not within the VPC's CIDR"},
		{"target", object{"targetGroupArn": w.id("targets"), "targetId": "i-1"}, "InvalidTarget"},
		{"https", nil, "DuplicateListener"},
		{"https", object{"port": 444.0, "certificateArn": nil}, "A certificate must be specified for HTTPS listeners"},
		{"https", object{"port": 444.0, "certificateArn": "arn:none"}, "CertificateNotFound: Certificate 'arn:none' not found"},
		{"https", object{"port": 444.0, "sslPolicy": "none"}, "SSLPolicyNotFound"},
		{"https", object{"port": 444.0, "protocol": "TLS"}, "Listener protocol 'TLS' is not supported"},
		{"https", object{"port": nil}, "A port must be specified"},
		{"https", object{"port": 444.0, "protocol": nil, "certificateArn": nil, "sslPolicy": nil}, "A protocol must be specified"},
		{"http", object{"port": 81.0, "sslPolicy": "ELBSecurityPolicy-2016-08"}, "An SSL policy cannot be specified for HTTP listeners"},
		{"https", object{"port": 444.0, "defaultActions": list(object{"type": "fixed-response", "fixedResponse": object{"contentType": "text/plain"}, "redirect": object{"statusCode": "HTTP_301"}})}, "redirect is not taken where type is"},
		{"https", object{"port": 444.0, "defaultActions": list(object{"type": "forward", "targetGroupArn": w.id("targets")}, object{"type": "forward", "targetGroupArn": w.id("targets")})}, "the last action, and no other, must be forward"},
		{"listenerRule", object{"conditions": list(object{"pathPattern": object{"values": list("/a")}}, object{"pathPattern": object{"values": list("/b")}})}, "is given twice"},
		{"https", object{"port": 0.0}, "is 0, must be 1 to 65535"},
		{"https", object{"loadBalancerArn": "arn:none"}, "LoadBalancerNotFound"},
		{"https", object{"port": 444.0, "defaultActions": list(object{"type": "forward"})}, "defaultActions[0].targetGroupArn or forward is required"},
		{"https", object{"port": 444.0, "defaultActions": list(object{"type": "redirect"})}, "defaultActions[0].redirect is required"},
		{"https", object{"port": 444.0, "defaultActions": list(object{"type": "forward", "targetGroupArn": "arn:none"})}, "TargetGroupNotFound"},
		{"http", object{"port": 81.0, "defaultActions": list(object{"type": "redirect", "redirect": object{"statusCode": "HTTP_301"}})}, "creates a loop"},
		{"http", object{"port": 81.0, "defaultActions": list(object{"type": "redirect", "redirect": object{"query": "x=1", "statusCode": "HTTP_301"}})}, "creates a loop"},
		{"http", object{"port": 81.0, "certificateArn": w.id("certificate")}, "A certificate cannot be specified for HTTP listeners"},
		{"https", object{"port": 444.0, "mutualAuthentication": object{"mode": "verify", "trustStoreArn": "clients"}}, "must be the ARN of a trust store"},
		{"waf", nil, "WAFAssociatedItemException"},
		{"waf", object{"resourceArn": "arn:none"}, "LoadBalancerNotFound"},
		{"waf", object{"webAclArn": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/site/0a1b"}, "must be the ARN of a regional web ACL"},
		{"listenerRule", nil, "PriorityInUse: Priority '10' is currently in use"},
		{"listenerRule", object{"priority": 50001.0}, "is 50001, must be 1 to 50000"},
		{"listenerRule", object{"priority": 11.0, "listenerArn": "arn:none"}, "ListenerNotFound"},
		{"listenerRule", object{"conditions": list(object{"hostHeader": object{"values": list("a.b", "c.d", "e.f")}}, object{"pathPattern": object{"values": list("/a", "/b", "/c")}})}, "A rule can only have '5' condition values"},
		{"listenerRule", object{"conditions": list(object{"hostHeader": object{"values": list("a.b")}, "pathPattern": object{"values": list("/a")}})}, "must have exactly one kind of condition, has 2"},
		{"listenerRule", object{"conditions": list(object{"sourceIp": object{"values": list("10.0.0.1")}})}, "must be a network such as"},
		{"listenerRule", object{"conditions": list()}, "has 0 elements, must have 1 to 10"},
		{"listenerRule", object{"actions": list(object{"type": "forward", "forward": object{"targetGroups": list(object{"arn": w.id("targets"), "weight": 1000.0})}})}, "is 1000, must be 0 to 999"},
		{"listenerCertificate", object{"certificateArn": w.create(certificateToken, "pending", object{"domainName": "example.org", "validationMethod": "DNS"}).ID}, "UnsupportedCertificate"},
	})
}

// Requests that are shared out stick to their target only if they stick to its group.
func TestTargetsStickOnlyWithTheirGroup(t *testing.T) {
	w := newWorld(t)
	cookie := object{"stickiness": object{"type": "lb_cookie", "enabled": true}}
	for name, more := range map[string]object{"plain": nil, "other": nil, "sticky": cookie} {
		in := object{"port": 80.0, "protocol": "HTTP", "vpcId": w.id("vpc")}
		maps.Copy(in, more)
		w.add(name, targetGroupToken, in)
	}
	rule := func(priority float64, groups ...string) object {
		return object{
			"listenerArn": w.id("https"), "priority": priority, "conditions": list(object{"pathPattern": object{"values": list("/x")}}),
			"actions": forward(groups...),
		}
	}
	weights := rule(90, w.id("plain"), w.id("sticky"))
	if got := w.refused(listenerRuleToken, "weights", weights); !strings.Contains(got, "You must enable group stickiness on a rule") {
		t.Error(got)
	}
	weights["actions"].([]any)[0].(object)["forward"].(object)["stickiness"] = object{"enabled": true, "duration": 60.0}
	w.create(listenerRuleToken, "kept", weights)
	w.create(listenerRuleToken, "alone", rule(91, w.id("sticky")))
	w.revises([]revision{{"plain", cookie, nil}})
	w.create(listenerRuleToken, "free", rule(92, w.id("other"), w.id("targets")))
	if got := w.update(w.by["other"], w.changed("other", cookie)); !strings.Contains(got, "appears behind a rule with group stickiness disabled") {
		t.Error(got)
	}
}

func TestListenerTakesOnlyIssuedCertificates(t *testing.T) {
	w := newWorld(t)
	pending := w.create(certificateToken, "pending", object{"domainName": "example.org", "validationMethod": "DNS"})
	w.refuses([]refusal{{"https", object{"port": 444.0, "certificateArn": pending.ID}, "must have a fully-qualified domain name, a supported signature, and a supported key size."}})
}

func TestTargetGroupServesOneLoadBalancer(t *testing.T) {
	w := newWorld(t)
	other := w.create(loadBalancerToken, "other", object{"subnets": list(w.id("publicA"), w.id("publicB"))})
	in := object{"loadBalancerArn": other.ID, "port": 80.0, "protocol": "HTTP", "defaultActions": forward(w.id("targets"))}
	if got := w.refused(listenerToken, "l", in); !strings.Contains(got, "TargetGroupAssociationLimit") {
		t.Error(got)
	}
	elsewhere := w.create(vpcToken, "elsewhere", object{"cidrBlock": "10.9.0.0/16"})
	in["defaultActions"] = forward(w.create(targetGroupToken, "far", object{"port": 80.0, "protocol": "HTTP", "vpcId": elsewhere.ID}).ID)
	if got := w.refused(listenerToken, "l", in); !strings.Contains(got, "is in VPC '"+elsewhere.ID+"'") {
		t.Error(got)
	}
	in["defaultActions"] = forward(w.create(targetGroupToken, "tcp", object{"port": 80.0, "protocol": "TCP", "vpcId": w.id("vpc")}).ID)
	if got := w.refused(listenerToken, "l", in); !strings.Contains(got, "IncompatibleProtocols") {
		t.Error(got)
	}
}

func TestLoadBalancerRevisions(t *testing.T) {
	w := newWorld(t)
	w.revises([]revision{
		{"balancer", object{"idleTimeout": 120.0}, nil},
		{"balancer", object{"internal": true}, []string{"internal"}},
		{"balancer", object{"name": "door"}, []string{"name"}},
		{"balancer", object{"subnets": list(w.id("publicB"), w.id("publicA"))}, nil},
		{"targets", object{"deregistrationDelay": 60.0}, nil},
		{"targets", object{"healthCheck": object{"path": "/ready"}}, nil},
		{"targets", object{"port": 30081.0}, []string{"port"}},
		{"targets", object{"vpcId": "vpc-1"}, []string{"vpcId"}},
		{"https", object{"sslPolicy": "ELBSecurityPolicy-TLS13-1-3-2021-06"}, nil},
		{"https", object{"loadBalancerArn": "arn:other"}, []string{"loadBalancerArn"}},
		{"listenerRule", object{"priority": 20.0}, nil},
		{"listenerRule", object{"listenerArn": w.id("http")}, []string{"listenerArn"}},
		{"listenerCertificate", object{"certificateArn": w.id("certificate")}, []string{"certificateArn"}},
		{"target", object{"port": 8001.0}, []string{"port"}},
		{"waf", object{"webAclArn": "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/other/0a1b"}, []string{"webAclArn"}},
	})
	check := nested(w.by["targets"].Out["healthCheck"])
	if check["path"] != "/ready" || check["timeout"] != 5.0 || check["matcher"] != "200" {
		t.Errorf("health check %v", check)
	}
}

func TestLoadBalancerKeepsWhatIsInUse(t *testing.T) {
	w := newWorld(t)
	w.keeps("targets", "ResourceInUse: Target group '"+w.id("targets")+"' is currently in use by a listener or a rule")
	w.keeps("balancerGroup", "DependencyViolation")
	w.keeps("publicB", "DependencyViolation")
	for _, key := range []string{"nat", "eip"} {
		if refused := w.delete(w.by[key]); refused != "" {
			t.Fatal(refused)
		}
	}
	w.keeps("igw", "mapped public address")
	w.revises([]revision{{"balancer", object{"enableDeletionProtection": true}, nil}})
	w.keeps("balancer", "OperationNotPermitted: Load balancer '"+w.id("balancer")+"' cannot be deleted because deletion protection is enabled")
	w.revises([]revision{{"balancer", object{"enableDeletionProtection": false}, nil}})
	for _, key := range []string{"balancer", "https", "listenerRule", "listenerCertificate", "targets", "otherCertificate", "igw"} {
		if refused := w.delete(w.by[key]); refused != "" {
			t.Errorf("delete of %s: %s", key, refused)
		}
	}
}

func TestNetworkLoadBalancer(t *testing.T) {
	w := newWorld(t)
	n := w.create(loadBalancerToken, "n", object{"loadBalancerType": "network", "subnetMappings": list(object{"subnetId": w.id("publicA")})})
	name, _ := n.Out["dnsName"].(string)
	if !strings.HasSuffix(name, ".elb.us-west-2.amazonaws.com") || n.Out["zoneId"] != "Z18D5FSROUN65G" || !slices.Equal(Strings(n.Out["subnets"]), []string{w.id("publicA")}) {
		t.Errorf("%v", n.Out)
	}
	group := w.create(targetGroupToken, "tcp", object{"port": 80.0, "protocol": "TCP", "vpcId": w.id("vpc")})
	if check := nested(group.Out["healthCheck"]); check["protocol"] != "TCP" || check["timeout"] != 10.0 {
		t.Errorf("health check %v", check)
	}
	listener := w.create(listenerToken, "l", object{"loadBalancerArn": n.ID, "port": 80.0, "protocol": "TCP", "defaultActions": forward(group.ID)})
	if got := w.refused(listenerRuleToken, "r", w.changed("listenerRule", object{"listenerArn": listener.ID})); !strings.Contains(got, "Rules are not supported") {
		t.Error(got)
	}
	inside := w.create(loadBalancerToken, "i", object{"name": "inside", "internal": true, "subnets": list(w.id("publicA"), w.id("publicB"))})
	if name, _ := inside.Out["dnsName"].(string); !strings.HasPrefix(name, "internal-inside-") {
		t.Error(name)
	}
	if groups := Strings(inside.Out["securityGroups"]); !slices.Equal(groups, []string{w.out("vpc", "defaultSecurityGroupId")}) {
		t.Errorf("without security groups: %q", groups)
	}
}

func TestTargetGroupKnowsItsLoadBalancers(t *testing.T) {
	w := newWorld(t)
	arns := func() []string {
		var out []string
		if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
			out = tx.Find(targetGroupToken, "id", w.id("targets")).List("loadBalancerArns")
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got := arns(); !slices.Equal(got, []string{w.id("balancer")}) {
		t.Errorf("with a rule: %q", got)
	}
	if refused := w.delete(w.by["listenerRule"]); refused != "" {
		t.Fatal(refused)
	}
	if got := arns(); len(got) != 0 {
		t.Errorf("after the rule is gone: %q", got)
	}
}

func TestRulesWithoutPriorityComeLast(t *testing.T) {
	w := newWorld(t)
	for i := range 2 {
		r := w.create(listenerRuleToken, fmt.Sprint("r", i), w.changed("listenerRule", object{"priority": nil}))
		if r.Out["priority"] != float64(11+i) {
			t.Errorf("priority %v, want %d", r.Out["priority"], 11+i)
		}
	}
}
