package aws

import (
	"fmt"
	"maps"
	"slices"

	"github.com/slipway-iac/slipway/sandbox/aws/targets"
)

const (
	targetGroupToken           = targets.GroupType
	targetGroupAttachmentToken = targets.TargetType
)

var targetGroupRef = &Ref{
	Types: []string{targetGroupToken}, By: "arn", Code: "TargetGroupNotFound", Message: "One or more target groups not found: '%s'", Holds: true,
}

func init() {
	percentage := text.or("off").like(`^(off|[1-9][0-9]?|100)$`, "off or 1 to 100")
	register(
		&Type{
			Token: targetGroupToken, Label: "ELBv2 Target Group", Service: "Elastic Load Balancing v2",
			Ops:      Ops{"CreateTargetGroup", "ModifyTargetGroup", "DeleteTargetGroup"},
			AutoName: &AutoName{Prop: "name", Max: 32},
			Props: map[string]Prop{
				"connectionTermination": flag.filled(), "deregistrationDelay": number.or(300.0).within(0, 3600),
				"healthCheck": fields(map[string]Prop{
					"enabled": flag.or(true), "healthyThreshold": number.or(3.0).within(2, 10), "interval": number.or(30.0).within(5, 300),
					"matcher":  text.filled().like(`^\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?)*$`, `codes such as "200", "200,301" or "200-299"`),
					"path":     text.filled().within(1, 1024).like("^/", "a path that begins with /"),
					"port":     text.or("traffic-port").like(`^(traffic-port|[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$`, "traffic-port or 1 to 65535"),
					"protocol": text.or("HTTP").in("HTTP", "HTTPS", "TCP"), "timeout": number.filled().within(2, 120),
					"unhealthyThreshold": number.or(3.0).within(2, 10),
				}).filled(),
				"ipAddressType": text.filled().fixed().in("ipv4", "ipv6"), "lambdaMultiValueHeadersEnabled": flag.or(false),
				"loadBalancingAlgorithmType":     text.filled().in("round_robin", "least_outstanding_requests", "weighted_random"),
				"loadBalancingAnomalyMitigation": text.filled().in("on", "off"),
				"loadBalancingCrossZoneEnabled":  text.filled().in("true", "false", "use_load_balancer_configuration"),
				"name":                           text.filled().fixed().not("namePrefix").within(1, 32).like(loadBalancerName, loadBalancerSays),
				"namePrefix":                     text.filled().fixed().not("name").within(1, 6), "port": number.fixed().within(1, 65535),
				"preserveClientIp": text.filled().in("true", "false"), "protocol": text.fixed().in("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE"),
				"protocolVersion": text.filled().fixed().in("HTTP1", "HTTP2", "GRPC"), "proxyProtocolV2": flag.or(false), "slowStart": number.or(0.0),
				"stickiness": fields(map[string]Prop{
					"cookieDuration": number.or(86400.0).within(0, 604800), "cookieName": text, "enabled": flag.or(true),
					"type": text.must().in("lb_cookie", "app_cookie", "source_ip", "source_ip_dest_ip", "source_ip_dest_ip_proto"),
				}).filled(),
				"tags": tagMap,
				"targetFailovers": listOf(fields(map[string]Prop{
					"onDeregistration": text.must().in("rebalance", "no_rebalance"), "onUnhealthy": text.must().in("rebalance", "no_rebalance"),
				})).filled(),
				"targetGroupHealth": fields(map[string]Prop{
					"dnsFailover":           fields(map[string]Prop{"minimumHealthyTargetsCount": text.or("off"), "minimumHealthyTargetsPercentage": percentage}),
					"unhealthyStateRouting": fields(map[string]Prop{"minimumHealthyTargetsCount": number.or(1.0), "minimumHealthyTargetsPercentage": percentage}),
				}).filled(),
				"targetHealthStates": listOf(fields(map[string]Prop{
					"enableUnhealthyConnectionTermination": flag.must(), "unhealthyDrainingInterval": number.or(0.0).within(0, 360000),
				})).filled(),
				"targetType": text.or("instance").fixed().in("instance", "ip", "lambda", "alb"),
				"vpcId":      text.fixed().to(&Ref{Types: []string{vpcToken}, Code: "ValidationError", Message: "The VPC ID '%s' is not found"}),
			},
			Outputs: []string{"arn", "arnSuffix", "loadBalancerArns"},
			Check:   checkTargetGroup,
			Validate: func(tx *Tx, o, old *Object) error {
				groups := tx.All(targetGroupToken)
				if old == nil && slices.ContainsFunc(groups, func(g *Object) bool { return g.Str("name") == o.Str("name") }) {
					return Errorf("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", o.Str("name"))
				}
				if old == nil && len(groups) >= 3000 {
					return Errorf("TooManyTargetGroups", "The maximum number of target groups has been reached")
				}
				return tx.mayStick(o, old)
			},
			Create: createTargetGroup, Update: describeTargetGroup,
			Delete: func(tx *Tx, o *Object) error {
				tx.removeWhere(targetGroupAttachmentToken, func(a *Object) bool { return a.Str("targetGroupArn") == o.ID })
				return nil
			},
			Waits: true,
			Held:  Held{"ResourceInUse", "Target group '%s' is currently in use by a listener or a rule"},
		},
		&Type{
			Token: targetGroupAttachmentToken, Label: "ELBv2 Target Group Attachment", Service: "Elastic Load Balancing v2",
			Ops: Ops{"RegisterTargets", "", "DeregisterTargets"},
			Props: map[string]Prop{
				"availabilityZone": text.fixed(), "port": number.fixed().within(1, 65535), "targetId": text.must().fixed(),
				"targetGroupArn": text.must().fixed().to(&Ref{Types: []string{targetGroupToken}, By: "arn", Code: targetGroupRef.Code, Message: targetGroupRef.Message}),
			},
			Validate: validateTarget,
			Create: func(_ *Tx, o *Object) error {
				o.ID = o.Str("targetGroupArn") + "-" + Hex(26)
				return nil
			},
		},
	)
}

// sticky tells whether a target group keeps its clients at their target.
func (o *Object) sticky() bool { return nested(o.Get("stickiness"))["enabled"] == true }

// mayStick refuses a target group that is to keep its clients behind a rule that does not keep them at the group.
func (tx *Tx) mayStick(o, old *Object) error {
	if old == nil || !o.sticky() {
		return nil
	}
	for token, actions := range map[string]string{listenerToken: "defaultActions", listenerRuleToken: "actions"} {
		for _, r := range tx.All(token) {
			if slices.Contains(weighedWithoutSticking(r.Inputs[actions]), old.ID) {
				return Errorf("InvalidConfigurationRequest", "This target group appears behind a rule with group stickiness disabled (%s). You must enable group stickiness before enabling target stickiness", old.ID)
			}
		}
	}
	return nil
}

func checkTargetGroup(in Inputs) []Problem {
	var out []Problem
	addf := func(path, format string, a ...any) { out = append(out, Problem{path, fmt.Sprintf(format, a...)}) }
	o := in.Object()
	kind, protocol := o.Str("targetType"), o.Str("protocol")
	for _, name := range []string{"port", "protocol", "vpcId"} {
		if kind != "lambda" && in.Known("targetType") && !in.Has(name) {
			addf(name, "is required where targetType is %s", kind)
		}
	}
	http := protocol == "HTTP" || protocol == "HTTPS"
	if n := o.Num("slowStart"); n != 0 && (n < 30 || n > 900) {
		addf("slowStart", "is %d, must be 0 or 30 to 900", n)
	} else if n != 0 && o.Str("loadBalancingAlgorithmType") == "least_outstanding_requests" {
		addf("slowStart", "is not taken with loadBalancingAlgorithmType least_outstanding_requests")
	}
	if o.Str("loadBalancingAnomalyMitigation") == "on" && o.Str("loadBalancingAlgorithmType") != "weighted_random" {
		addf("loadBalancingAnomalyMitigation", "is \"on\", which needs loadBalancingAlgorithmType weighted_random")
	}
	if s := nested(o.Get("stickiness")); in.Known("stickiness") && s["type"] != nil {
		cookie := s["type"] == "lb_cookie" || s["type"] == "app_cookie"
		if protocol != "" && in.Known("protocol") && cookie != http {
			addf("stickiness.type", "is %q, which does not go with protocol %s", s["type"], protocol)
		}
		if (s["type"] == "app_cookie") != (s["cookieName"] != nil) {
			addf("stickiness.cookieName", "is required where stickiness.type is app_cookie, and taken only there")
		}
	}
	h := nested(o.Get("healthCheck"))
	interval, hasInterval := h["interval"].(float64)
	timeout, hasTimeout := h["timeout"].(float64)
	if hasInterval && hasTimeout && timeout >= interval {
		addf("healthCheck.timeout", "is %v, must be less than healthCheck.interval (%v) (ValidationError)", timeout, interval)
	}
	if h["protocol"] == "TCP" {
		if http {
			addf("healthCheck.protocol", "is \"TCP\", which is not taken where protocol is %s", protocol)
		}
		for _, name := range []string{"path", "matcher"} {
			if h[name] != nil {
				addf("healthCheck."+name, "is not taken where healthCheck.protocol is TCP")
			}
		}
	}
	return out
}

func createTargetGroup(tx *Tx, o *Object) error {
	if p := o.Str("namePrefix"); p != "" {
		o.fill("name", p+Hex(26))
	}
	o.fill("namePrefix", "")
	suffix := "targetgroup/" + o.Str("name") + "/" + Hex(16)
	o.ID = tx.ARN("elasticloadbalancing", suffix)
	o.Set("arn", o.ID)
	o.Set("arnSuffix", suffix)
	o.Set("loadBalancerArns", []any{})
	return describeTargetGroup(tx, o, o)
}

func describeTargetGroup(_ *Tx, o, _ *Object) error {
	http := o.Str("protocol") == "HTTP" || o.Str("protocol") == "HTTPS"
	check := map[string]any{
		"enabled": true, "healthyThreshold": 3.0, "interval": 30.0, "matcher": "200", "path": "/", "port": "traffic-port", "protocol": "HTTP",
		"timeout": 5.0, "unhealthyThreshold": 3.0,
	}
	if !http && o.hasInput("protocol") {
		check["protocol"], check["timeout"], check["matcher"], check["path"] = "TCP", 10.0, "", ""
	}
	given := nested(o.Inputs["healthCheck"])
	if p := given["protocol"]; p == "HTTP" || p == "HTTPS" {
		check["matcher"], check["path"] = "200", "/"
	}
	maps.Copy(check, given)
	o.Set("healthCheck", check)
	version := ""
	if http {
		version = "HTTP1"
	}
	sticky := "lb_cookie"
	if !http {
		sticky = "source_ip"
	}
	for name, v := range map[string]any{
		"connectionTermination": false, "ipAddressType": "ipv4", "loadBalancingAlgorithmType": "round_robin", "loadBalancingAnomalyMitigation": "off",
		"loadBalancingCrossZoneEnabled": "use_load_balancer_configuration", "preserveClientIp": "", "protocolVersion": version,
		"stickiness":         map[string]any{"enabled": false, "type": sticky, "cookieDuration": 86400.0, "cookieName": ""},
		"targetFailovers":    []any{map[string]any{"onDeregistration": "", "onUnhealthy": ""}},
		"targetHealthStates": []any{map[string]any{"enableUnhealthyConnectionTermination": true, "unhealthyDrainingInterval": 0.0}},
		"targetGroupHealth": map[string]any{
			"dnsFailover":           map[string]any{"minimumHealthyTargetsCount": "1", "minimumHealthyTargetsPercentage": "off"},
			"unhealthyStateRouting": map[string]any{"minimumHealthyTargetsCount": 1.0, "minimumHealthyTargetsPercentage": "off"},
		},
	} {
		o.fill(name, v)
	}
	return nil
}

func validateTarget(tx *Tx, o, _ *Object) error {
	group, id := tx.Find(targetGroupToken, "arn", o.Str("targetGroupArn")), o.Str("targetId")
	switch group.Str("targetType") {
	case "instance":
		if tx.Find(instanceToken, "id", id) == nil {
			return Errorf("InvalidTarget", "The following targets are not in a running state and cannot be registered: '%s'", id)
		}
	case "ip":
		vpc := tx.Find(vpcToken, "id", group.Str("vpcId"))
		if err := targets.CheckAddress(id, o.Str("availabilityZone"), vpc.Str("cidrBlock")); err != nil {
			return Errorf("ValidationError", "%s", err)
		}
	case "alb":
		if tx.Find(loadBalancerToken, "arn", id) == nil {
			return Errorf("InvalidTarget", "The following targets are not application load balancers: '%s'", id)
		}
	}
	return nil
}
