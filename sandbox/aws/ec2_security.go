package aws

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
)

const (
	securityGroupToken        = "aws:ec2/securityGroup:SecurityGroup"
	defaultSecurityGroupToken = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	securityGroupRuleToken    = "aws:ec2/securityGroupRule:SecurityGroupRule"
	ingressRuleToken          = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressRuleToken           = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"

	// rulesPerGroup is AWS's quota of rules in one direction; each network, prefix list and group counts.
	rulesPerGroup = 60
)

var (
	// groupRef names a group that the object uses: the group stays as long as the object does.
	groupRef = &Ref{Types: []string{securityGroupToken}, Code: "InvalidGroup.NotFound", Message: "The security group '%s' does not exist", Holds: true}
	// ownGroupRef names the group that a rule belongs to: the rule goes with it.
	ownGroupRef = &Ref{Types: []string{securityGroupToken}, Code: "InvalidGroup.NotFound", Message: "The security group '%s' does not exist"}
	// peerGroupRef names the other side of a rule. Groups of other accounts are written ACCOUNT/GROUP.
	peerGroupRef = &Ref{
		Types: []string{securityGroupToken}, Code: "InvalidGroup.NotFound", Message: "The security group '%s' does not exist",
		Outside: func(v string) bool { return strings.Contains(v, "/") },
	}
	prefixListRef = &Ref{Code: "InvalidPrefixListID.NotFound", Message: "The prefix list ID '%s' does not exist", Outside: func(v string) bool { return managedPrefixLists[v] }}

	// managedPrefixLists are AWS's own in us-west-2, of its gateway endpoints (S3, DynamoDB).
	managedPrefixLists = map[string]bool{"pl-68a54001": true, "pl-00a54069": true}

	ruleDescription = text.within(0, 255).like(`^[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]*$`, "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*")
	inlineRule      = fields(map[string]Prop{
		"cidrBlocks": listOf(text), "description": ruleDescription, "fromPort": number.must(), "ipv6CidrBlocks": listOf(text),
		"prefixListIds": listOf(text.to(prefixListRef)), "protocol": text.must(), "securityGroups": setOf(text.to(groupRef)), "self": flag.or(false), "toPort": number.must(),
	})
)

func init() {
	rule := map[string]Prop{
		"cidrIpv4": text, "cidrIpv6": text, "description": ruleDescription, "fromPort": number.within(-1, 65535), "ipProtocol": text.must(),
		"prefixListId": text.to(prefixListRef), "referencedSecurityGroupId": text.to(peerGroupRef),
		"securityGroupId": text.must().fixed().to(ownGroupRef), "tags": tagMap, "toPort": number.within(-1, 65535),
	}
	single := func(token, label, direction string) *Type {
		return &Type{
			Token: token, Label: label, Service: "EC2",
			Ops:   Ops{"AuthorizeSecurityGroup" + direction, "ModifySecurityGroupRules", "RevokeSecurityGroup" + direction},
			Props: rule, Outputs: []string{"arn", "securityGroupRuleId"}, Check: checkSingleRule,
			Validate: func(tx *Tx, o, old *Object) error { return tx.addable(o, old) },
			Create: func(tx *Tx, o *Object) error {
				o.ID = tx.NewID("sgr")
				o.Set("securityGroupRuleId", o.ID)
				o.Set("arn", tx.ARN("ec2", "security-group-rule/"+o.ID))
				return nil
			},
		}
	}
	register(
		&Type{
			Token: securityGroupToken, Label: "Security Group", Service: "EC2",
			Ops:      Ops{"CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "DeleteSecurityGroup"},
			AutoName: &AutoName{Prop: "name", Max: 255},
			Props: map[string]Prop{
				"description": text.or("Managed by Pulumi").fixed().within(1, 255).like(ruleDescription.Match.String(), ruleDescription.Says),
				"egress":      setOf(inlineRule).filled(), "ingress": setOf(inlineRule).filled(),
				"name": text.filled().fixed().not("namePrefix").within(1, 255), "namePrefix": text.filled().fixed().not("name").within(1, 229),
				"revokeRulesOnDelete": flag.or(false), "tags": tagMap, "vpcId": text.filled().fixed().to(vpcRef),
			},
			Outputs: []string{"arn", "ownerId"},
			Check:   checkSecurityGroup, Validate: validateSecurityGroup,
			Create: func(tx *Tx, o *Object) error {
				o.ID = tx.NewID("sg")
				if p := o.Str("namePrefix"); p != "" {
					o.fill("name", p+Hex(26))
				}
				describeSecurityGroup(tx, o)
				return nil
			},
			Delete: deleteSecurityGroup,
			Held:   Held{"DependencyViolation", "resource %s has a dependent object"},
		},
		&Type{
			Token: defaultSecurityGroupToken, Label: "Default Security Group", Service: "EC2",
			Ops: Ops{"DescribeSecurityGroups", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"},
			Props: map[string]Prop{
				"egress": setOf(inlineRule), "ingress": setOf(inlineRule), "revokeRulesOnDelete": flag.or(false), "tags": tagMap,
				"vpcId": text.must().fixed().to(&Ref{Types: []string{vpcToken}, Code: vpcRef.Code, Message: vpcRef.Message}),
			},
			Outputs: []string{"arn", "description", "name", "namePrefix", "ownerId"},
			Check:   checkSecurityGroup,
			Create:  adoptDefaultSecurityGroup,
			Update: func(tx *Tx, o, _ *Object) error {
				setRules(tx.Find(securityGroupToken, "id", o.ID), o)
				return nil
			},
		},
		&Type{
			Token: securityGroupRuleToken, Label: "Security Group Rule", Service: "EC2",
			Ops: Ops{"AuthorizeSecurityGroupIngress", "UpdateSecurityGroupRuleDescriptionsIngress", "RevokeSecurityGroupIngress"},
			Props: map[string]Prop{
				"cidrBlocks": listOf(text).fixed().not("self", "sourceSecurityGroupId"), "description": ruleDescription,
				"fromPort": number.must().fixed(), "ipv6CidrBlocks": listOf(text).fixed().not("self", "sourceSecurityGroupId"),
				"prefixListIds": listOf(text.to(prefixListRef)).fixed(), "protocol": text.must().fixed(),
				"securityGroupId": text.must().fixed().to(ownGroupRef), "self": flag.fixed().not("cidrBlocks", "ipv6CidrBlocks", "sourceSecurityGroupId"),
				"sourceSecurityGroupId": text.filled().fixed().to(peerGroupRef).not("cidrBlocks", "ipv6CidrBlocks", "self"),
				"toPort":                number.must().fixed(), "type": text.must().fixed().in("ingress", "egress"),
			},
			Outputs: []string{"securityGroupRuleId"},
			Check:   func(in Inputs) []Problem { return append(ruleProblems("", in), peerProblems(in)...) },
			Validate: func(tx *Tx, o, old *Object) error {
				return tx.addable(o, old)
			},
			Create: func(tx *Tx, o *Object) error {
				o.ID = fmt.Sprintf("sgrule-%d", crc32.ChecksumIEEE([]byte(o.Str("securityGroupId")+strings.Join(peersOf(o), " ")+o.Str("type"))))
				o.Set("securityGroupRuleId", tx.NewID("sgr"))
				o.fill("sourceSecurityGroupId", "")
				return nil
			},
			Import: importRule,
		},
		single(ingressRuleToken, "VPC Security Group Ingress Rule", "Ingress"),
		single(egressRuleToken, "VPC Security Group Egress Rule", "Egress"),
	)
}

func describeSecurityGroup(tx *Tx, o *Object) {
	o.Set("arn", tx.ARN("ec2", "security-group/"+o.ID))
	o.Set("ownerId", AccountID)
	o.fill("ingress", []any{})
	o.fill("egress", []any{}) // the provider takes out the rule to everywhere that AWS puts into a new group
	o.fill("namePrefix", "")
}

// protocols by their number, as AWS answers them.
var protocols = map[string]string{"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}

// protocolOf is a protocol in the one way AWS writes it; "" if it is none.
func protocolOf(s string) string {
	s = strings.ToLower(s)
	if p := protocols[s]; p != "" {
		return p
	}
	if slices.Contains([]string{"tcp", "udp", "icmp", "icmpv6", "-1"}, s) {
		return s
	}
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n <= 255 {
		return s
	}
	return ""
}

// ruleProblems finds what is wrong with protocol, ports and networks of a rule whose properties begin at path.
func ruleProblems(path string, in Inputs) []Problem {
	var out []Problem
	addf := func(name, format string, a ...any) {
		out = append(out, Problem{join(path, name), fmt.Sprintf(format, a...)})
	}
	o := in.Object()
	if in.Known("fromPort") && in.Known("toPort") && in.Known("protocol") {
		from, to := o.Num("fromPort"), o.Num("toPort")
		switch p := protocolOf(o.Str("protocol")); p {
		case "":
			addf("protocol", "is %q, must be tcp, udp, icmp, icmpv6, -1 or a number", o.Str("protocol"))
		case "-1":
			if from != 0 || to != 0 {
				addf("fromPort", "(%d) and toPort (%d) must both be 0 to use the 'ALL' \"-1\" protocol!", from, to)
			}
		case "tcp", "udp":
			if from < 0 || from > 65535 {
				addf("fromPort", "is %d, must be 0 to 65535", from)
			}
			if to < from || to > 65535 {
				addf("toPort", "is %d, must be fromPort (%d) to 65535", to, from)
			}
		}
	}
	for _, name := range []string{"cidrBlocks", "ipv6CidrBlocks"} {
		for i, c := range o.List(name) {
			if why := cidrProblem(c, name == "ipv6CidrBlocks"); why != "" {
				addf(fmt.Sprintf("%s[%d]", name, i), "is %q, %s", c, why)
			}
		}
	}
	return out
}

func peerProblems(in Inputs) []Problem {
	o := in.Object()
	for _, name := range []string{"cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "sourceSecurityGroupId"} {
		if in.Has(name) {
			return nil
		}
	}
	if o.Bool("self") || !in.Known("self") {
		return nil
	}
	return []Problem{{"cidrBlocks", "is required, or ipv6CidrBlocks, prefixListIds, self, sourceSecurityGroupId"}}
}

func checkSecurityGroup(in Inputs) []Problem {
	var out []Problem
	if n := in.Object().Str("name"); strings.HasPrefix(strings.ToLower(n), "sg-") || strings.EqualFold(n, "default") {
		out = append(out, Problem{"name", fmt.Sprintf("is %q, must not be \"default\" and not begin with \"sg-\"", n)})
	}
	for _, direction := range []string{"ingress", "egress"} {
		for i, r := range objects(in.Values[direction]) {
			out = append(out, ruleProblems(fmt.Sprintf("%s[%d]", direction, i), inputs(r))...)
		}
	}
	return out
}

func checkSingleRule(in Inputs) []Problem {
	var out []Problem
	o := in.Object()
	peers := 0
	for _, name := range []string{"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"} {
		if in.Has(name) {
			peers++
		}
		c := o.Str(name)
		if why := cidrProblem(c, name == "cidrIpv6"); strings.HasPrefix(name, "cidr") && c != "" && why != "" {
			out = append(out, Problem{name, fmt.Sprintf("is %q, %s", c, why)})
		}
	}
	if peers != 1 {
		out = append(out, Problem{"cidrIpv4", fmt.Sprintf("give exactly one of cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId; %d are given", peers)})
	}
	switch p := protocolOf(o.Str("ipProtocol")); p {
	case "":
		if in.Known("ipProtocol") {
			out = append(out, Problem{"ipProtocol", fmt.Sprintf("is %q, must be tcp, udp, icmp, icmpv6, -1 or a number", o.Str("ipProtocol"))})
		}
	case "tcp", "udp":
		if !in.Has("fromPort") || !in.Has("toPort") {
			out = append(out, Problem{"fromPort", "and toPort are required with " + p})
		} else if in.Known("fromPort") && in.Known("toPort") && o.Num("fromPort") > o.Num("toPort") {
			out = append(out, Problem{"toPort", fmt.Sprintf("is %d, must be at least fromPort (%d)", o.Num("toPort"), o.Num("fromPort"))})
		}
	}
	return out
}

func validateSecurityGroup(tx *Tx, o, old *Object) error {
	if o.Str("vpcId") == "" {
		return Errorf("VPCIdNotSpecified", "No default VPC for this user")
	}
	count := 0
	for _, g := range tx.All(securityGroupToken) {
		count++
		if old == nil && g.Str("vpcId") == o.Str("vpcId") && o.Str("name") != "" && g.Str("name") == o.Str("name") {
			return Errorf("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", o.Str("name"), o.Str("vpcId"))
		}
	}
	if old == nil && count >= 2500 {
		return Errorf("SecurityGroupLimitExceeded", "The maximum number of security groups has been reached.")
	}
	for _, direction := range []string{"ingress", "egress"} {
		seen := map[string]bool{}
		for _, r := range objects(o.Inputs[direction]) {
			for _, p := range peersOf(&Object{Inputs: r}) {
				if seen[p] {
					return duplicateRule(p)
				}
				seen[p] = true
			}
		}
		if len(seen) > rulesPerGroup {
			return tooManyRules()
		}
	}
	return nil
}

func duplicateRule(peer string) error {
	return Errorf("InvalidPermission.Duplicate", "the specified rule %q already exists", peer+", ALLOW")
}

func tooManyRules() error {
	return Errorf("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
}

// peersOf is each single permission of a rule, worded as AWS does: "peer: 0.0.0.0/0, TCP, from port: 443, to port: 443".
func peersOf(o *Object) []string {
	var peers []string
	for _, name := range []string{"cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups"} {
		peers = append(peers, o.List(name)...)
	}
	for _, name := range []string{"sourceSecurityGroupId", "cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"} {
		if s := o.Str(name); s != "" {
			peers = append(peers, s)
		}
	}
	if o.Bool("self") {
		own := o.Str("securityGroupId")
		if own == "" {
			own = "self"
		}
		peers = append(peers, own)
	}
	p := protocolOf(o.Str("protocol") + o.Str("ipProtocol"))
	for i := range peers {
		if peers[i] = "peer: " + peers[i]; p == "-1" {
			peers[i] += ", ALL"
			continue
		}
		peers[i] += fmt.Sprintf(", %s, from port: %d, to port: %d", strings.ToUpper(p), o.Num("fromPort"), o.Num("toPort"))
	}
	return peers
}

// directionOf tells whether an object is a rule for what comes in or goes out.
func directionOf(o *Object) string {
	switch o.Type {
	case ingressRuleToken:
		return "ingress"
	case egressRuleToken:
		return "egress"
	}
	return o.Str("type")
}

// addable is why a rule cannot be added to its group.
func (tx *Tx) addable(o, old *Object) error {
	own := tx.Find(securityGroupToken, "id", o.Str("securityGroupId"))
	var have []string
	for _, r := range objects(own.Get(directionOf(o))) {
		have = append(have, peersOf(&Object{Inputs: withGroup(r, own.ID)})...)
	}
	for _, token := range []string{securityGroupRuleToken, ingressRuleToken, egressRuleToken} {
		for _, r := range tx.All(token) {
			if r.Str("securityGroupId") == own.ID && directionOf(r) == directionOf(o) && (old == nil || r.ID != old.ID) {
				have = append(have, peersOf(r)...)
			}
		}
	}
	add := peersOf(o)
	for _, p := range add {
		if slices.Contains(have, p) {
			return duplicateRule(p)
		}
	}
	if len(have)+len(add) > rulesPerGroup {
		return tooManyRules()
	}
	return nil
}

func withGroup(rule map[string]any, group string) map[string]any {
	out := map[string]any{"securityGroupId": group}
	for k, v := range rule {
		out[k] = v
	}
	return out
}

func deleteSecurityGroup(tx *Tx, o *Object) error {
	if o.Owner != "" {
		return Errorf("CannotDelete", "the specified group: %q name: %q cannot be deleted by a user", o.ID, o.Str("name"))
	}
	rules := []string{securityGroupRuleToken, ingressRuleToken, egressRuleToken}
	for _, token := range rules {
		for _, r := range tx.All(token) {
			if r.Str("securityGroupId") != o.ID && (r.Str("sourceSecurityGroupId") == o.ID || r.Str("referencedSecurityGroupId") == o.ID) {
				return Errorf("DependencyViolation", "resource %s has a dependent object (in use by %s %s)", o.ID, r.Type, r.ID)
			}
		}
	}
	for _, token := range rules {
		tx.removeWhere(token, func(r *Object) bool { return r.Str("securityGroupId") == o.ID })
	}
	return nil
}

// adoptDefaultSecurityGroup takes the group that came with the VPC over: it then has just the rules that are given.
func adoptDefaultSecurityGroup(tx *Tx, o *Object) error {
	group := tx.Find(securityGroupToken, "id", tx.Find(vpcToken, "id", o.Str("vpcId")).Str("defaultSecurityGroupId"))
	o.ID = group.ID
	setRules(group, o)
	for _, name := range []string{"arn", "description", "name", "ownerId"} {
		o.Set(name, group.Get(name))
	}
	o.Set("namePrefix", "")
	return nil
}

func setRules(group, from *Object) {
	for _, direction := range []string{"ingress", "egress"} {
		group.Set(direction, []any{})
		if v := from.Inputs[direction]; v != nil {
			group.Set(direction, v)
		}
	}
}

// importRule finds a rule by what users write: sg-1_ingress_tcp_80_80_10.0.0.0/8.
func importRule(tx *Tx, id string) *Object {
	for _, r := range tx.All(securityGroupRuleToken) {
		var peers []string
		for _, name := range []string{"cidrBlocks", "ipv6CidrBlocks", "prefixListIds"} {
			peers = append(peers, r.List(name)...)
		}
		if s := r.Str("sourceSecurityGroupId"); s != "" {
			peers = append(peers, s)
		}
		if r.Bool("self") {
			peers = append(peers, "self")
		}
		written := fmt.Sprintf("%s_%s_%s_%d_%d_%s", r.Str("securityGroupId"), r.Str("type"), r.Str("protocol"), r.Num("fromPort"), r.Num("toPort"), strings.Join(peers, "_"))
		if written == id {
			return r
		}
	}
	return nil
}
