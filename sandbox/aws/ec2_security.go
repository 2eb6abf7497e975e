package aws

import (
	"fmt"
	"hash/crc32"
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
			Delete: deleteSecurityGroup, Waits: true,
			Held: Held{"DependencyViolation", "resource %s has a dependent object"},
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
