package aws

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const listenerRuleToken = "aws:lb/listenerRule:ListenerRule"

var (
	authentication = map[string]Prop{
		"authenticationRequestExtraParams": {Kind: Map, Elem: &Prop{Kind: String}, Max: 10},
		"onUnauthenticatedRequest":         text.filled().in("deny", "allow", "authenticate"), "scope": text.or("openid"),
		"sessionCookieName": text.or("AWSELBAuthSessionCookie"), "sessionTimeout": number.or(604800.0).within(1, 604800),
	}
	// actionProp is an action of a listener or of a rule.
	actionProp = fields(map[string]Prop{
		"authenticateCognito": fields(withProps(authentication, map[string]Prop{"userPoolArn": text.must(), "userPoolClientId": text.must(), "userPoolDomain": text.must()})),
		"authenticateOidc": fields(withProps(authentication, map[string]Prop{
			"authorizationEndpoint": text.must(), "clientId": text.must(), "clientSecret": text.must().secret(), "issuer": text.must(),
			"tokenEndpoint": text.must(), "userInfoEndpoint": text.must(),
		})),
		"fixedResponse": fields(map[string]Prop{
			"contentType": text.must().in("text/plain", "text/css", "text/html", "application/javascript", "application/json"),
			"messageBody": text.within(0, 1024), "statusCode": text.filled().like(`^[245]\d\d$`, "a code 2XX, 4XX or 5XX"),
		}),
		"forward": fields(map[string]Prop{
			"stickiness":   fields(map[string]Prop{"duration": number.must().within(1, 604800), "enabled": flag.or(false)}),
			"targetGroups": setOf(fields(map[string]Prop{"arn": text.must().to(targetGroupRef), "weight": number.or(1.0).within(0, 999)})).must().within(1, 5),
		}),
		"order": number.filled().within(1, 50000),
		"redirect": fields(map[string]Prop{
			"host": text.or("#{host}").within(1, 128), "path": text.or("/#{path}").within(1, 128).like("^/", "a path that begins with /"),
			"port":     text.or("#{port}").like(`^(#\{port\}|[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$`, "#{port} or 1 to 65535"),
			"protocol": text.or("#{protocol}").in("#{protocol}", "HTTP", "HTTPS"), "query": text.or("#{query}").within(0, 128),
			"statusCode": text.must().in("HTTP_301", "HTTP_302"),
		}),
		"targetGroupArn": text.to(targetGroupRef),
		"type":           text.must().in("forward", "redirect", "fixed-response", "authenticate-cognito", "authenticate-oidc"),
	})
	conditionProp = fields(map[string]Prop{
		"hostHeader": fields(map[string]Prop{"values": setOf(text.within(1, 128)).must().within(1, 1000)}),
		"httpHeader": fields(map[string]Prop{
			"httpHeaderName": text.must().within(1, 40).like(`^[A-Za-z0-9!#$%&'*+.^_`+"`"+`|~-]{1,40}$`, "a header name"),
			"values":         setOf(text.within(1, 128)).must().within(1, 1000),
		}),
		"httpRequestMethod": fields(map[string]Prop{"values": setOf(text.like(`^[A-Za-z-_]{1,40}$`, "a method such as GET")).must().within(1, 1000)}),
		"pathPattern":       fields(map[string]Prop{"values": setOf(text.within(1, 128)).must().within(1, 1000)}),
		"queryStrings":      setOf(fields(map[string]Prop{"key": text.within(0, 128), "value": text.must().within(1, 128)})),
		"sourceIp":          fields(map[string]Prop{"values": setOf(text).must().within(1, 1000)}),
	})

	// actionParts is the property that an action of each type needs.
	actionParts = map[string]string{
		"redirect": "redirect", "fixed-response": "fixedResponse", "authenticate-cognito": "authenticateCognito", "authenticate-oidc": "authenticateOidc",
	}
)

func init() {
	register(&Type{
		Token: listenerRuleToken, Label: "ELBv2 Listener Rule", Service: "Elastic Load Balancing v2", Ops: Ops{"CreateRule", "ModifyRule", "DeleteRule"},
		Props: map[string]Prop{
			"actions": listOf(actionProp).must().within(1, 50), "conditions": setOf(conditionProp).must().within(1, 10),
			"listenerArn": text.must().fixed().to(listenerRef), "priority": number.filled().within(1, 50000), "tags": tagMap,
		},
		Outputs: []string{"arn"},
		Check: func(in Inputs) []Problem {
			return append(actionProblems("actions", in.Values["actions"]), conditionProblems(in.Values["conditions"])...)
		},
		Validate: validateRule,
		Create: func(tx *Tx, o *Object) error {
			listener, _ := listenerOf(tx, o.Str("listenerArn"))
			o.ID = strings.Replace(listener.ID, ":listener/", ":listener-rule/", 1) + "/" + Hex(16)
			o.Set("arn", o.ID)
			highest := 0
			for _, r := range tx.All(listenerRuleToken) {
				if r.Str("listenerArn") == listener.ID {
					highest = max(highest, r.Num("priority"))
				}
			}
			o.fill("priority", float64(highest+1))
			tx.describeAttachments(o, nil)
			return nil
		},
		Update: func(tx *Tx, o, _ *Object) error {
			tx.describeAttachments(o, nil)
			return nil
		},
		Delete: func(tx *Tx, o *Object) error {
			tx.describeAttachments(nil, o)
			return nil
		},
	})
}

// forwardsTo are the target groups that a list of actions names.
func forwardsTo(actions any) []string {
	var out []string
	for _, a := range objects(actions) {
		if arn, _ := a["targetGroupArn"].(string); arn != "" {
			out = append(out, arn)
		}
		for _, g := range objects(nested(a["forward"])["targetGroups"]) {
			if arn, _ := g["arn"].(string); arn != "" {
				out = append(out, arn)
			}
		}
	}
	return out
}

// weighedWithoutSticking are the target groups among which actions share requests without keeping a client at one of them. None of
// them may keep its clients: https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2734.
func weighedWithoutSticking(actions any) []string {
	var out []string
	for _, a := range objects(actions) {
		f := nested(a["forward"])
		if groups := objects(f["targetGroups"]); len(groups) > 1 && nested(f["stickiness"])["enabled"] != true {
			for _, g := range groups {
				arn, _ := g["arn"].(string)
				out = append(out, arn)
			}
		}
	}
	return out
}

func actionProblems(path string, actions any) []Problem {
	var out []Problem
	list := objects(actions)
	for i, a := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		kind, _ := a["type"].(string)
		if part := actionParts[kind]; part != "" && a[part] == nil {
			out = append(out, Problem{join(at, part), fmt.Sprintf("is required where type is %q", kind)})
		}
		for other, part := range actionParts {
			if kind != other && a[part] != nil {
				out = append(out, Problem{join(at, part), fmt.Sprintf("is not taken where type is %q", kind)})
			}
		}
		if forward := a["targetGroupArn"] != nil || a["forward"] != nil; (kind == "forward") != forward {
			out = append(out, Problem{join(at, "targetGroupArn"), "or forward is required where type is \"forward\", and taken only there"})
		}
		if last := i == len(list)-1; strings.HasPrefix(kind, "authenticate-") == last {
			out = append(out, Problem{join(at, "type"), fmt.Sprintf("is %q: the last action, and no other, must be forward, redirect or fixed-response", kind)})
		}
	}
	return out
}

func conditionProblems(conditions any) []Problem {
	var out []Problem
	seen := map[string]bool{}
	values := 0
	for i, c := range objects(conditions) {
		at := fmt.Sprintf("conditions[%d]", i)
		if len(c) != 1 {
			out = append(out, Problem{at, fmt.Sprintf("must have exactly one kind of condition, has %d", len(c))})
		}
		for kind, v := range c {
			if seen[kind] && kind != "httpHeader" && kind != "queryStrings" {
				out = append(out, Problem{join(at, kind), "is given twice: a rule takes one"})
			}
			seen[kind] = true
			if l, ok := v.([]any); ok {
				values += len(l)
			}
			vs, _ := nested(v)["values"].([]any)
			values += len(vs)
			if kind == "sourceIp" {
				for j, cidr := range Strings(vs) {
					if cidrProblem(cidr, false) != "" && cidrProblem(cidr, true) != "" {
						out = append(out, Problem{fmt.Sprintf("%s.sourceIp.values[%d]", at, j), fmt.Sprintf("is %q, must be a network such as 192.0.2.0/24", cidr)})
					}
				}
			}
		}
	}
	if values > 5 {
		out = append(out, Problem{"conditions", fmt.Sprintf("have %d values: A rule can only have '5' condition values (ValidationError)", values)})
	}
	return out
}

// validateActions is why a load balancer cannot do what a listener's or a rule's actions say.
func (tx *Tx) validateActions(balancer, listener *Object, actions any) error {
	for _, arn := range forwardsTo(actions) {
		g := tx.Find(targetGroupToken, "arn", arn)
		if vpc := g.Str("vpcId"); vpc != "" && vpc != balancer.Str("vpcId") {
			return Errorf("InvalidConfigurationRequest", "Target group '%s' is in VPC '%s', and load balancer '%s' in VPC '%s'", arn, vpc, balancer.ID, balancer.Str("vpcId"))
		}
		http := g.Str("protocol") == "HTTP" || g.Str("protocol") == "HTTPS" || g.Str("targetType") == "lambda"
		if http != (balancer.Str("loadBalancerType") == "application") {
			return Errorf("IncompatibleProtocols", "The specified protocols '%s' and '%s' of target group '%s' are incompatible", listener.Str("protocol"), g.Str("protocol"), arn)
		}
		if used := tx.attachedTo(arn); slices.ContainsFunc(used, func(b string) bool { return b != balancer.ID }) {
			return Errorf("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s", arn)
		}
	}
	for _, arn := range weighedWithoutSticking(actions) {
		if tx.Find(targetGroupToken, "arn", arn).sticky() {
			return Errorf("InvalidConfigurationRequest", "You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups")
		}
	}
	for _, a := range objects(actions) {
		r := nested(a["redirect"])
		if len(r) == 0 {
			continue
		}
		port, protocol := r["port"], r["protocol"]
		same := (port == "#{port}" || port == strconv.Itoa(listener.Num("port"))) && (protocol == "#{protocol}" || protocol == listener.Str("protocol"))
		// Another query alone is no way out: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html.
		if same && r["host"] == "#{host}" && r["path"] == "/#{path}" {
			return Errorf("InvalidLoadBalancerAction", "The redirect configuration is not valid because it creates a loop.")
		}
	}
	return nil
}

func validateRule(tx *Tx, o, old *Object) error {
	listener, balancer := listenerOf(tx, o.Str("listenerArn"))
	if balancer == nil || balancer.Str("loadBalancerType") != "application" {
		return Errorf("UnsupportedOperation", "Rules are not supported by the listener '%s'", listener.ID)
	}
	n := 0
	for _, r := range tx.All(listenerRuleToken) {
		if r.Str("listenerArn") != listener.ID || (old != nil && r.ID == old.ID) {
			continue
		}
		if n++; o.has("priority") && r.Num("priority") == o.Num("priority") {
			return Errorf("PriorityInUse", "Priority '%d' is currently in use", o.Num("priority"))
		}
	}
	if n >= 100 {
		return Errorf("TooManyRules", "The maximum number of rules on a load balancer has been reached")
	}
	return tx.validateActions(balancer, listener, o.Inputs["actions"])
}
