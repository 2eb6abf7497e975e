package aws

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

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
