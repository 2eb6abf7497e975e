package aws

import (
	"fmt"
	"hash/crc32"
	"net/netip"
	"slices"
	"strings"
)

const (
	vpcToken        = "aws:ec2/vpc:Vpc"
	subnetToken     = "aws:ec2/subnet:Subnet"
	networkACLToken = "aws:ec2/networkAcl:NetworkAcl"
)

var (
	vpcRef    = &Ref{Types: []string{vpcToken}, Code: "InvalidVpcID.NotFound", Message: "The vpc ID '%s' does not exist", Holds: true}
	subnetRef = &Ref{Types: []string{subnetToken}, Code: "InvalidSubnetID.NotFound", Message: "The subnet ID '%s' does not exist", Holds: true}
	ipamRef   = &Ref{Code: "InvalidIpamPoolId.NotFound", Message: "The IPAM pool ID '%s' does not exist"}
)

func init() {
	register(
		&Type{
			Token: vpcToken, Label: "EC2 VPC", Service: "EC2", Ops: Ops{"CreateVpc", "ModifyVpcAttribute", "DeleteVpc"},
			Props: map[string]Prop{
				"assignGeneratedIpv6CidrBlock": flag.not("ipv6CidrBlock", "ipv6IpamPoolId"), "cidrBlock": text.filled().fixed(),
				"enableDnsHostnames": flag.filled(), "enableDnsSupport": flag.or(true), "enableNetworkAddressUsageMetrics": flag.filled(),
				"instanceTenancy": text.or("default").in("default", "dedicated").fixed(),
				"ipv4IpamPoolId":  text.to(ipamRef).fixed(), "ipv4NetmaskLength": number.within(16, 28).fixed(),
				"ipv6CidrBlock": text.filled(), "ipv6CidrBlockNetworkBorderGroup": text.filled(),
				"ipv6IpamPoolId": text.to(ipamRef), "ipv6NetmaskLength": number.within(44, 60), "tags": tagMap,
			},
			Outputs: []string{
				"arn", "defaultNetworkAclId", "defaultRouteTableId", "defaultSecurityGroupId", "dhcpOptionsId", "ipv6AssociationId",
				"mainRouteTableId", "ownerId",
			},
			Check: checkVPC, Validate: validateVPC, Create: createVPC, Update: updateVPC,
			Waits: true,
			Held:  Held{"DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted."},
		},
		&Type{
			Token: subnetToken, Label: "EC2 Subnet", Service: "EC2", Ops: Ops{"CreateSubnet", "ModifySubnetAttribute", "DeleteSubnet"},
			Props: map[string]Prop{
				"assignIpv6AddressOnCreation": flag.or(false), "availabilityZone": text.filled().fixed().not("availabilityZoneId"),
				"availabilityZoneId": text.filled().fixed().not("availabilityZone"), "cidrBlock": text.fixed(),
				"customerOwnedIpv4Pool": text, "enableDns64": flag.or(false), "enableLniAtDeviceIndex": number,
				"enableResourceNameDnsARecordOnLaunch": flag.or(false), "enableResourceNameDnsAaaaRecordOnLaunch": flag.or(false),
				"ipv6CidrBlock": text, "ipv6Native": flag.or(false).fixed(), "mapCustomerOwnedIpOnLaunch": flag, "mapPublicIpOnLaunch": flag.or(false),
				"outpostArn": text.fixed(), "privateDnsHostnameTypeOnLaunch": text.filled().in("ip-name", "resource-name"),
				"tags": tagMap, "vpcId": text.must().fixed().to(vpcRef),
			},
			Outputs: []string{"arn", "ipv6CidrBlockAssociationId", "ownerId"},
			Check:   checkSubnet, Validate: validateSubnet, Create: createSubnet, Delete: func(tx *Tx, o *Object) error {
				tx.removeWhere(routeTableAssociationToken, func(a *Object) bool { return a.Str("subnetId") == o.ID })
				return nil
			},
			Waits: true,
			Held:  Held{"DependencyViolation", "The subnet '%s' has dependencies and cannot be deleted."},
		},
	)
}

func checkVPC(in Inputs) []Problem {
	var out []Problem
	o := in.Object()
	if c := o.Str("cidrBlock"); c != "" {
		if why := cidrProblem(c, false); why != "" {
			out = append(out, Problem{"cidrBlock", fmt.Sprintf("is %q, %s", c, why)})
		} else if b := prefix(c).Bits(); b < 16 || b > 28 {
			out = append(out, Problem{"cidrBlock", fmt.Sprintf("is %q, must be /16 to /28 (InvalidVpc.Range)", c)})
		}
	} else if !in.Has("cidrBlock") && !in.Has("ipv4IpamPoolId") {
		out = append(out, Problem{"cidrBlock", "is required, or ipv4IpamPoolId"})
	}
	return out
}

func validateVPC(tx *Tx, o, old *Object) error {
	if old == nil && len(tx.All(vpcToken)) >= 5 {
		return Errorf("VpcLimitExceeded", "The maximum number of VPCs has been reached.")
	}
	if o.Bool("enableDnsHostnames") && !o.Bool("enableDnsSupport") {
		return Errorf("InvalidParameterCombination", "DNS hostnames cannot be enabled for a VPC in which DNS support is disabled")
	}
	return nil
}

func createVPC(tx *Tx, o *Object) error {
	o.ID = tx.NewID("vpc")
	o.Set("arn", tx.ARN("ec2", "vpc/"+o.ID))
	o.Set("ownerId", AccountID)
	o.Set("dhcpOptionsId", fmt.Sprintf("dopt-%08x", crc32.ChecksumIEEE([]byte(tx.Region))))
	o.fill("enableDnsHostnames", false)
	o.fill("enableNetworkAddressUsageMetrics", false)
	acl := &Object{Type: networkACLToken, ID: tx.NewID("acl"), Region: tx.Region, Owner: o.Key(), Inputs: map[string]any{"vpcId": o.ID}}
	table := &Object{Type: routeTableToken, ID: tx.NewID("rtb"), Region: tx.Region, Owner: o.Key(), Inputs: map[string]any{"vpcId": o.ID}}
	group := &Object{
		Type: securityGroupToken, ID: tx.NewID("sg"), Region: tx.Region, Owner: o.Key(),
		Inputs: map[string]any{"vpcId": o.ID, "name": "default", "description": "default VPC security group"},
	}
	describeRouteTable(tx, table)
	describeSecurityGroup(tx, group)
	for _, made := range []*Object{acl, table, group} {
		tx.Add(made)
	}
	o.Set("defaultNetworkAclId", acl.ID)
	o.Set("defaultRouteTableId", table.ID)
	o.Set("mainRouteTableId", table.ID)
	o.Set("defaultSecurityGroupId", group.ID)
	return updateVPC(tx, o, o)
}

// updateVPC gives the VPC its IPv6 network, or takes it away.
func updateVPC(tx *Tx, o, _ *Object) error {
	switch {
	case o.Bool("assignGeneratedIpv6CidrBlock"):
		if o.Str("ipv6AssociationId") == "" {
			o.fill("ipv6CidrBlock", fmt.Sprintf("2001:db8:%s:%s00::/56", Hex(4), Hex(2)))
			o.fill("ipv6CidrBlockNetworkBorderGroup", tx.Region)
			o.Set("ipv6AssociationId", tx.NewID("vpc-cidr-assoc"))
		}
	case o.Inputs["ipv6CidrBlock"] != nil:
		o.Set("ipv6AssociationId", tx.NewID("vpc-cidr-assoc"))
	default:
		o.fill("ipv6CidrBlock", "")
		o.fill("ipv6CidrBlockNetworkBorderGroup", "")
		o.Set("ipv6AssociationId", "")
	}
	return nil
}

func checkSubnet(in Inputs) []Problem {
	var out []Problem
	o := in.Object()
	if c := o.Str("cidrBlock"); c != "" {
		if why := cidrProblem(c, false); why != "" {
			out = append(out, Problem{"cidrBlock", fmt.Sprintf("is %q, %s", c, why)})
		} else if b := prefix(c).Bits(); b < 16 || b > 28 {
			out = append(out, Problem{"cidrBlock", fmt.Sprintf("is %q, must be /16 to /28 (InvalidSubnet.Range)", c)})
		}
	} else if !in.Has("cidrBlock") && !o.Bool("ipv6Native") {
		out = append(out, Problem{"cidrBlock", "is required, unless ipv6Native is true"})
	}
	if c := o.Str("ipv6CidrBlock"); c != "" {
		if why := cidrProblem(c, true); why != "" {
			out = append(out, Problem{"ipv6CidrBlock", fmt.Sprintf("is %q, %s", c, why)})
		}
	}
	return out
}

func validateSubnet(tx *Tx, o, old *Object) error {
	vpc := tx.Find(vpcToken, "id", o.Str("vpcId"))
	if c := o.Str("ipv6CidrBlock"); c != "" && !inside(prefix(c), prefix(vpc.Str("ipv6CidrBlock"))) {
		return Errorf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", c)
	}
	if old != nil {
		return nil
	}
	zones := zonesOf(tx.Region)
	if z := o.Str("availabilityZone"); z != "" && !slices.Contains(zones, z) {
		return Errorf("InvalidParameterValue", "Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %s.",
			z, strings.Join(zones, ", "))
	}
	if id := o.Str("availabilityZoneId"); id != "" && !slices.ContainsFunc(zones, func(z string) bool { return zoneID(z) == id }) {
		return Errorf("InvalidParameterValue", "Value (%s) for parameter availabilityZoneId is invalid.", id)
	}
	own := prefix(o.Str("cidrBlock"))
	if own.IsValid() && !inside(own, prefix(vpc.Str("cidrBlock"))) {
		return Errorf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", own)
	}
	count := 0
	for _, s := range tx.All(subnetToken) {
		if s.Str("vpcId") != vpc.ID {
			continue
		}
		count++
		if other := prefix(s.Str("cidrBlock")); own.IsValid() && other.Overlaps(own) {
			return Errorf("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", own)
		}
	}
	if count >= 200 {
		return Errorf("SubnetLimitExceeded", "The maximum number of subnets has been reached.")
	}
	return nil
}

func createSubnet(tx *Tx, o *Object) error {
	o.ID = tx.NewID("subnet")
	o.Set("arn", tx.ARN("ec2", "subnet/"+o.ID))
	o.Set("ownerId", AccountID)
	zone := zonesOf(tx.Region)[0]
	for _, z := range zonesOf(tx.Region) {
		if o.Str("availabilityZone") == z || o.Str("availabilityZoneId") == zoneID(z) {
			zone = z
		}
	}
	o.fill("availabilityZone", zone)
	o.fill("availabilityZoneId", zoneID(zone))
	o.fill("privateDnsHostnameTypeOnLaunch", "ip-name")
	association := ""
	if o.Str("ipv6CidrBlock") != "" {
		association = tx.NewID("subnet-cidr-assoc")
	}
	o.Set("ipv6CidrBlockAssociationId", association)
	return nil
}

// vpcOf is the VPC of a subnet; "" where there is no such subnet.
func (tx *Tx) vpcOf(subnet string) string {
	if s := tx.Find(subnetToken, "id", subnet); s != nil {
		return s.Str("vpcId")
	}
	return ""
}

// privateAddress is an address of a subnet for the n-th network interface in it; the first four are AWS's own.
func (tx *Tx) privateAddress(subnet string, n int) string {
	a := netip.IPv4Unspecified()
	if s := tx.Find(subnetToken, "id", subnet); s != nil {
		a = prefix(s.Str("cidrBlock")).Addr()
	}
	for range n + 4 {
		a = a.Next()
	}
	return a.String()
}
