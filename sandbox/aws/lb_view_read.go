package aws

import (
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
)

// LoadBalancers are the application load balancers of all regions, by name, and the target groups to which they forward. It waits
// for nobody: the account's file is replaced as a whole, so it can be read at any time.
func (a *Account) LoadBalancers() ([]LoadBalancer, []TargetGroup, error) {
	tx, err := a.load()
	if err != nil {
		return nil, nil, err
	}
	v := balancing{tx.Objects}
	var balancers []LoadBalancer
	for _, o := range v.all(loadBalancerToken) {
		if o.Str("loadBalancerType") == "application" {
			balancers = append(balancers, v.balancer(o))
		}
	}
	slices.SortFunc(balancers, func(a, b LoadBalancer) int { return cmp.Compare(a.Name+a.ARN, b.Name+b.ARN) })
	return balancers, v.groups(balancers), nil
}

// balancing looks at objects of all regions: an ARN names its own.
type balancing struct{ objects []*Object }

func (v balancing) all(token string) []*Object {
	return slices.DeleteFunc(slices.Clone(v.objects), func(o *Object) bool { return o.Type != token })
}

func (v balancing) balancer(o *Object) LoadBalancer {
	b := LoadBalancer{
		ARN: o.ID, Name: o.Str("name"), DNSName: canonical(o.Str("dnsName")), IdleTimeout: time.Duration(o.Num("idleTimeout")) * time.Second,
		HTTP2: o.Bool("enableHttp2"), DropInvalidHeaders: o.Bool("dropInvalidHeaderFields"), PreserveHost: o.Bool("preserveHostHeader"),
		ForwardedFor: o.Str("xffHeaderProcessingMode"), ClientPort: o.Bool("enableXffClientPort"),
	}
	b.Names = v.leadTo(b.DNSName)
	for _, l := range v.all(listenerToken) {
		if l.Str("loadBalancerArn") == o.ID {
			b.Listeners = append(b.Listeners, v.listener(l))
		}
	}
	slices.SortFunc(b.Listeners, func(a, b Listener) int { return cmp.Compare(a.Port, b.Port) })
	return b
}

// leadTo are the names whose alias or CNAME records end at a load balancer. Routing policies of Route 53 are left out: each
// record counts.
func (v balancing) leadTo(balancer string) []string {
	found := []string{balancer}
	for i := 0; i < len(found); i++ {
		for _, r := range v.all(recordToken) {
			to := ""
			switch kind := r.Str("type"); {
			case kind == "CNAME":
				to = firstOf(r.List("records"))
			case kind == "A" || kind == "AAAA":
				for _, alias := range objects(r.Get("aliases")) {
					to, _ = alias["name"].(string)
				}
			}
			name := strings.ReplaceAll(canonical(r.Str("fqdn")), `\052`, "*") // as Route 53 writes the asterisk
			if strings.TrimPrefix(canonical(to), "dualstack.") == found[i] && !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	return slices.Sorted(slices.Values(found[1:]))
}

func (v balancing) listener(o *Object) Listener {
	l := Listener{ARN: o.ID, Protocol: o.Str("protocol"), Port: o.Num("port"), TLSPolicy: o.Str("sslPolicy")}
	l.ClientCertificates, _ = nested(o.Get("mutualAuthentication"))["mode"].(string)
	arns := []string{o.Str("certificateArn")}
	for _, c := range v.all(listenerCertificateToken) {
		if c.Str("listenerArn") == o.ID {
			arns = append(arns, c.Str("certificateArn"))
		}
	}
	for _, arn := range arns {
		for _, c := range v.all(certificateToken) {
			if c.ID == arn {
				l.Certificates = append(l.Certificates, Certificate{ARN: arn, Names: certificateNames(c)})
			}
		}
	}
	for _, r := range v.all(listenerRuleToken) {
		if r.Str("listenerArn") == o.ID {
			l.Rules = append(l.Rules, Rule{
				ARN: r.ID, Name: resourceName(r), Priority: r.Num("priority"), Conditions: conditionsOf(r.Inputs["conditions"]), Actions: actionsOf(r.Inputs["actions"]),
			})
		}
	}
	slices.SortFunc(l.Rules, func(a, b Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	l.Rules = append(l.Rules, Rule{ARN: o.ID, Name: resourceName(o), Actions: actionsOf(o.Inputs["defaultActions"])})
	return l
}

// resourceName is the name of the stack's resource for which an object was made.
func resourceName(o *Object) string {
	u, err := urn.Parse(o.URN)
	if err != nil {
		return ""
	}
	return u.Name()
}

// certificateNames are the names of a certificate; those of one that was imported stand in its body.
func certificateNames(o *Object) []string {
	if !o.has("certificateBody") {
		return namesOf(o)
	}
	block, _ := pem.Decode([]byte(o.Str("certificateBody")))
	if block == nil {
		return nil
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return c.DNSNames
}

func conditionsOf(conditions any) []Condition {
	var out []Condition
	for _, c := range objects(conditions) {
		for kind, v := range c {
			n := Condition{Kind: kind, Values: Strings(nested(v)["values"])}
			n.Header, _ = nested(v)["httpHeaderName"].(string)
			for _, q := range objects(v) {
				key, _ := q["key"].(string)
				value, _ := q["value"].(string)
				n.Queries = append(n.Queries, Query{key, value})
			}
			out = append(out, n)
		}
	}
	return out
}

func actionsOf(actions any) []Action {
	var out []Action
	for _, a := range objects(actions) {
		n := Action{}
		n.Kind, _ = a["type"].(string)
		if arn, ok := a["targetGroupArn"].(string); ok {
			n.Forward = []Share{{arn, 1}}
		}
		if f := nested(a["forward"]); len(f) > 0 {
			n.Forward = nil
			for _, g := range objects(f["targetGroups"]) {
				arn, _ := g["arn"].(string)
				n.Forward = append(n.Forward, Share{arn, wholeNumber(g["weight"])})
			}
			if s := nested(f["stickiness"]); s["enabled"] == true {
				n.StickyFor = seconds(s["duration"])
			}
		}
		r := &Object{Inputs: nested(a["redirect"])}
		n.Redirect = Redirect{Protocol: r.Str("protocol"), Host: r.Str("host"), Port: r.Str("port"), Path: r.Str("path"), Query: r.Str("query"), Status: 301}
		if r.Str("statusCode") == "HTTP_302" {
			n.Redirect.Status = 302
		}
		f := &Object{Inputs: nested(a["fixedResponse"])}
		n.Fixed = FixedResponse{Status: numberOf(f.Str("statusCode"), 200), ContentType: f.Str("contentType"), Body: f.Str("messageBody")}
		out = append(out, n)
	}
	return out
}

// numberOf is a number that was checked before; what is none, such as "off", is other.
func numberOf(s string, other int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return other
	}
	return n
}

func seconds(v any) time.Duration { return time.Duration(wholeNumber(v)) * time.Second }

// groups are the target groups that balancers name, by name.
func (v balancing) groups(balancers []LoadBalancer) []TargetGroup {
	used := map[string]bool{}
	for _, b := range balancers {
		for _, l := range b.Listeners {
			for _, r := range l.Rules {
				for _, a := range r.Actions {
					for _, s := range a.Forward {
						used[s.Group] = true
					}
				}
			}
		}
	}
	var out []TargetGroup
	for _, o := range v.all(targetGroupToken) {
		if used[o.ID] {
			out = append(out, v.group(o))
		}
	}
	slices.SortFunc(out, func(a, b TargetGroup) int { return cmp.Compare(a.Name+a.ARN, b.Name+b.ARN) })
	return out
}

func (v balancing) group(o *Object) TargetGroup {
	g := TargetGroup{
		ARN: o.ID, Name: o.Str("name"), Type: o.Str("targetType"), Protocol: o.Str("protocol"), Version: o.Str("protocolVersion"), Port: o.Num("port"),
		Algorithm: o.Str("loadBalancingAlgorithmType"), Deregistration: seconds(o.Get("deregistrationDelay")),
	}
	c := &Object{Inputs: nested(o.Get("healthCheck"))}
	g.Check = HealthCheck{
		Enabled: c.Bool("enabled"), Protocol: c.Str("protocol"), Port: c.Str("port"), Path: c.Str("path"), Matcher: c.Str("matcher"),
		Interval: seconds(c.Get("interval")), Timeout: seconds(c.Get("timeout")), Healthy: c.Num("healthyThreshold"), Unhealthy: c.Num("unhealthyThreshold"),
	}
	if s := (&Object{Inputs: nested(o.Get("stickiness"))}); s.Bool("enabled") {
		g.Sticky = Stickiness{Cookie: s.Str("type"), AppCookie: s.Str("cookieName"), For: seconds(s.Get("cookieDuration"))}
	}
	routing := nested(nested(o.Get("targetGroupHealth"))["unhealthyStateRouting"])
	g.MinHealthy = wholeNumber(routing["minimumHealthyTargetsCount"])
	percent, _ := routing["minimumHealthyTargetsPercentage"].(string)
	g.MinHealthyPercent = numberOf(percent, 0)
	for _, a := range v.all(targetGroupAttachmentToken) {
		if a.Str("targetGroupArn") == o.ID {
			g.Targets = append(g.Targets, Target{ID: a.Str("targetId"), Port: cmp.Or(a.Num("port"), g.Port)})
		}
	}
	for _, s := range v.all(autoScalingGroupToken) {
		if v.registers(s, o.ID) {
			g.ScalingGroups = append(g.ScalingGroups, v.scalingGroup(s))
		}
	}
	return g
}

// registers tells whether the instances of an auto scaling group are targets of a target group.
func (v balancing) registers(scaling *Object, group string) bool {
	for _, a := range v.all(groupAttachmentToken) {
		if a.Str("autoscalingGroupName") == scaling.Str("name") && a.Str("lbTargetGroupArn") == group && a.Region == scaling.Region {
			return true
		}
	}
	for _, s := range objects(scaling.Get("trafficSources")) {
		if s["identifier"] == group {
			return true
		}
	}
	return contains(scaling, "targetGroupArns", group)
}

func (v balancing) scalingGroup(o *Object) ScalingGroup {
	s := ScalingGroup{Name: o.Str("name"), Desired: o.Num("desiredCapacity")}
	for _, n := range v.all(nodeGroupToken) {
		if n.Key() == o.Owner {
			s.NodeGroup = n.Str("nodeGroupName")
		}
	}
	return s
}
