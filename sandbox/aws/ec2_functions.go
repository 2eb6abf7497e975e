package aws

import (
	"fmt"
	"slices"
	"strings"
)

func init() {
	common := map[string]Prop{"filters": setOf(filter), "tags": tagMap}
	vpcProps := withProps(common, map[string]Prop{"cidrBlock": text, "default": flag, "dhcpOptionsId": text, "id": text, "state": text})
	subnetProps := withProps(common, map[string]Prop{
		"availabilityZone": text, "availabilityZoneId": text, "cidrBlock": text, "defaultForAz": flag, "id": text, "ipv6CidrBlock": text, "state": text, "vpcId": text,
	})
	groupProps := withProps(common, map[string]Prop{"id": text, "name": text, "vpcId": text})
	registerFunctions(
		one("aws:ec2/getVpc:getVpc", vpcToken, "EC2 VPC", vpcProps),
		one("aws:ec2/getSubnet:getSubnet", subnetToken, "EC2 Subnet", subnetProps),
		one("aws:ec2/getSecurityGroup:getSecurityGroup", securityGroupToken, "EC2 Security Group", groupProps),
		one("aws:lb/getLoadBalancer:getLoadBalancer", loadBalancerToken, "ELBv2 Load Balancer", map[string]Prop{"arn": text, "name": text, "tags": tagMap}),
		one("aws:lb/getTargetGroup:getTargetGroup", targetGroupToken, "ELBv2 Target Group", map[string]Prop{"arn": text, "name": text, "tags": tagMap}),
		one("aws:lb/getListener:getListener", listenerToken, "ELBv2 Listener", map[string]Prop{"arn": text, "loadBalancerArn": text, "port": number, "tags": tagMap}),
		&Function{Token: "aws:ec2/getSubnets:getSubnets", Props: common, Call: func(tx *Tx, in Inputs) (map[string]any, error) {
			found, err := tx.matching(subnetToken, common, in)
			if err != nil {
				return nil, err
			}
			ids := []any{}
			for _, o := range found {
				ids = append(ids, o.ID)
			}
			out := map[string]any{"id": tx.Region, "ids": ids, "tags": nested(in.Values["tags"])}
			if f, ok := in.Values["filters"]; ok {
				out["filters"] = f
			}
			return out, nil
		}},
	)
}

// one is a function that finds exactly one object by its attributes, tags and filters.
func one(token, of, label string, props map[string]Prop) *Function {
	return &Function{Token: token, Props: props, Call: func(tx *Tx, in Inputs) (map[string]any, error) {
		found, err := tx.matching(of, props, in)
		if err != nil {
			return nil, err
		}
		switch len(found) {
		case 0:
			return nil, fmt.Errorf("no matching %s found", label)
		case 1:
		default:
			return nil, fmt.Errorf("multiple %ss matched; use additional constraints to reduce matches to a single %s", label, label)
		}
		out := types[of].state(found[0])
		out["id"] = found[0].ID
		out["tags"] = tx.tagsOf(found[0])
		delete(out, "tagsAll")
		switch of {
		case vpcToken:
			out["state"] = "available"
			out["default"], out["mainRouteTableId"] = false, found[0].Str("mainRouteTableId")
			out["cidrBlockAssociations"] = []any{map[string]any{"associationId": "vpc-cidr-assoc-" + strings.TrimPrefix(found[0].ID, "vpc-"), "cidrBlock": found[0].Str("cidrBlock"), "state": "associated"}}
		case subnetToken:
			out["state"] = "available"
			out["defaultForAz"], out["availableIpAddressCount"] = false, float64(int(1)<<(32-prefix(found[0].Str("cidrBlock")).Bits())-5)
		}
		return out, nil
	}}
}

// filterAttributes are the filters of EC2's API by the attribute that they compare, where it is not the same in camel case.
var filterAttributes = map[string]string{
	"vpc-id": "vpcId", "subnet-id": "id", "group-id": "id", "group-name": "name", "cidr": "cidrBlock", "cidr-block": "cidrBlock", "owner-id": "ownerId",
	"availability-zone": "availabilityZone", "availability-zone-id": "availabilityZoneId", "map-public-ip-on-launch": "mapPublicIpOnLaunch", "description": "description",
}

// matching is the objects that fit what a function was asked.
func (tx *Tx) matching(token string, props map[string]Prop, in Inputs) ([]*Object, error) {
	var out []*Object
	for _, o := range tx.All(token) {
		fits := true
		for name := range props {
			want, asked := in.Values[name]
			switch {
			case !asked:
			case name == "filters":
				for _, f := range objects(want) {
					ok, err := tx.passes(o, f)
					if err != nil {
						return nil, err
					}
					fits = fits && ok
				}
			case name == "tags":
				for k, v := range nested(want) {
					fits = fits && tx.tagsOf(o)[k] == v
				}
			case name == "state":
				fits = fits && want == "available"
			case name == "default" || name == "defaultForAz":
				fits = fits && want == false
			default:
				fits = fits && o.Get(name) == want
			}
		}
		if fits {
			out = append(out, o)
		}
	}
	return out, nil
}

func (tx *Tx) passes(o *Object, f map[string]any) (bool, error) {
	name, _ := f["name"].(string)
	values := Strings(f["values"])
	tags := tx.tagsOf(o)
	if key, ok := strings.CutPrefix(name, "tag:"); ok {
		v, _ := tags[key].(string)
		_, has := tags[key]
		return has && slices.ContainsFunc(values, func(p string) bool { return wildcard(p, v) }), nil
	}
	if name == "tag-key" {
		return slices.ContainsFunc(values, func(k string) bool { _, ok := tags[k]; return ok }), nil
	}
	if name == "state" {
		return slices.Contains(values, "available"), nil
	}
	attribute := filterAttributes[name]
	if attribute == "" {
		return false, Errorf("InvalidParameterValue", "The filter '%s' is invalid", name)
	}
	have := fmt.Sprint(o.Get(attribute))
	return slices.ContainsFunc(values, func(p string) bool { return wildcard(p, have) }), nil
}

// wildcard matches as filters do: * is any text, ? any character.
func wildcard(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		return wildcard(pattern[1:], s) || (s != "" && wildcard(pattern, s[1:]))
	case s == "":
		return false
	}
	return (pattern[0] == '?' || pattern[0] == s[0]) && wildcard(pattern[1:], s[1:])
}
