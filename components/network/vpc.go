// Package network holds the private network that a cluster lives in.
package network

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// VpcType is in every stack's state: to change it takes an alias and a major version.
const VpcType = "slipway:index:Vpc"

// The ways out to the internet that VpcArgs.NatGateways takes.
const (
	// NatOne is one NAT gateway for all zones: cheapest. If its zone fails, no private subnet reaches the internet.
	NatOne = "one"
	// NatPerZone is a NAT gateway in each zone: a zone's failure stays in that zone, and no traffic pays for crossing zones.
	NatPerZone = "perZone"
)

// VpcArgs says how large the network is and over how many zones it stretches.
type VpcArgs struct {
	// Cidr is the network's addresses, /16 to /23; default "10.0.0.0/16". Each zone's private subnet gets an eighth, its public
	// subnet a 32nd; addresses for four zones are set aside. A change replaces the VPC and all that is in it.
	Cidr string `pulumi:"cidr,optional"`
	// Zones is the number of availability zones, 2 to 4; default 3. More can be added later without moving a subnet; an EKS
	// control plane keeps the zones it was made with, its node groups may use new ones.
	Zones int `pulumi:"zones,optional"`
	// ZoneNames are the availability zones to use, 2 to 4 of one region, instead of the region's first ones by name. Add new
	// ones at the end: a subnet's addresses follow from its place here. To change one replaces the zone's subnets, which AWS
	// refuses while anything runs in them. Set them where EKS or an instance type is not offered everywhere, and where the
	// stack must run while a zone is down.
	ZoneNames []string `pulumi:"zoneNames,optional"`
	// NatGateways is how private subnets reach the internet: NatOne or NatPerZone; default NatOne. A change reroutes the
	// private subnets: connections that are open break, and the address the world sees changes in all zones but the first.
	NatGateways string `pulumi:"natGateways,optional"`
	// Tags for everything in it, on top of a Name and of what the provider adds by default.
	Tags map[string]string `pulumi:"tags,optional"`
}

// Vpc is a private network over several zones, with room for load balancers in public subnets and for nodes and pods in
// private ones. N counts the zones from 1:
//
//	slipway:index:Vpc                                       NAME
//	├─ aws:ec2/vpc:Vpc                                      NAME-vpc                 with DNS names for its hosts
//	├─ aws:ec2/defaultSecurityGroup:DefaultSecurityGroup    NAME-default             emptied, so that nothing is open by default
//	├─ aws:ec2/internetGateway:InternetGateway              NAME-internet
//	├─ aws:ec2/routeTable:RouteTable                        NAME-public
//	├─ aws:ec2/route:Route                                  NAME-public-internet
//	├─ aws:ec2/subnet:Subnet                                NAME-public-N            for internet-facing load balancers
//	├─ aws:ec2/routeTableAssociation:RouteTableAssociation  NAME-public-N
//	├─ aws:ec2/eip:Eip                                      NAME-nat-N               the first zone, or each with NatPerZone
//	├─ aws:ec2/natGateway:NatGateway                        NAME-nat-N               the first zone, or each with NatPerZone
//	├─ aws:ec2/subnet:Subnet                                NAME-private-N           for nodes, pods, internal load balancers
//	├─ aws:ec2/routeTable:RouteTable                        NAME-private-N
//	├─ aws:ec2/route:Route                                  NAME-private-N-internet  to the zone's NAT gateway, or the only one
//	└─ aws:ec2/routeTableAssociation:RouteTableAssociation  NAME-private-N
type Vpc struct {
	pulumi.ResourceState
	// VpcId is the id of the network.
	VpcId pulumi.StringOutput `pulumi:"vpcId"`
	// PublicSubnetIds has one subnet a zone. What takes them waits until they reach the internet, and is gone before they lose it.
	PublicSubnetIds pulumi.StringArrayOutput `pulumi:"publicSubnetIds"`
	// PrivateSubnetIds has one subnet a zone, in the same order. What takes them waits until they reach the internet, and is
	// gone before they lose it: a node that starts earlier never joins its cluster.
	PrivateSubnetIds pulumi.StringArrayOutput `pulumi:"privateSubnetIds"`
	// ZoneNames are the zones of the subnets, in the same order.
	ZoneNames pulumi.StringArrayOutput `pulumi:"zoneNames"`
	// NatAddresses are the public addresses from which the private subnets reach the internet, for others' allow lists.
	NatAddresses pulumi.StringArrayOutput `pulumi:"natAddresses"`
	// Cidr is the network's addresses.
	Cidr pulumi.StringOutput `pulumi:"cidr"`
}

// NewVpc reports every problem with args at once, before it registers anything.
func NewVpc(ctx *pulumi.Context, name string, args *VpcArgs, opts ...pulumi.ResourceOption) (*Vpc, error) {
	a, addresses, err := args.checked(name)
	if err != nil {
		return nil, err
	}
	c := &Vpc{}
	if err := ctx.RegisterComponentResourceV2(VpcType, name, a.recorded(), c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", VpcType, name, err)
	}
	for _, d := range doubts(addresses) {
		if err := ctx.Log.Warn(d, &pulumi.LogArgs{Resource: c}); err != nil {
			return nil, err
		}
	}
	if err := c.build(ctx, name, a, addresses); err != nil {
		return nil, fmt.Errorf("%s %q: %w", VpcType, name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"vpcId": c.VpcId, "publicSubnetIds": c.PublicSubnetIds, "privateSubnetIds": c.PrivateSubnetIds,
		"zoneNames": c.ZoneNames, "natAddresses": c.NatAddresses, "cidr": c.Cidr,
	})
}

func (c *Vpc) build(ctx *pulumi.Context, name string, a VpcArgs, addresses netip.Prefix) error {
	zones, err := a.zones(ctx, c)
	if err != nil {
		return err
	}
	b := &builder{ctx: ctx, name: name, tags: a.Tags, below: pulumi.Parent(c), zonesNamed: len(a.ZoneNames) > 0}
	if err := b.network(addresses); err != nil {
		return err
	}
	var public, private, names, nat pulumi.StringArray
	for i, zone := range zones {
		front, err := b.publicSubnet(i, zone, publicSubnet(addresses, i))
		if err != nil {
			return fmt.Errorf("public subnet in %s: %w", zone, err)
		}
		public, names = append(public, front.id), append(names, front.subnet.AvailabilityZone)
		if i == 0 || a.NatGateways == NatPerZone {
			address, err := b.natGateway(i, front.subnet)
			if err != nil {
				return fmt.Errorf("NAT gateway in %s: %w", zone, err)
			}
			nat = append(nat, address)
		}
		back, err := b.privateSubnet(i, zone, privateSubnet(addresses, i))
		if err != nil {
			return fmt.Errorf("private subnet in %s: %w", zone, err)
		}
		private = append(private, back.id)
	}
	c.VpcId, c.Cidr = b.vpc.ID().ToStringOutput(), b.vpc.CidrBlock
	c.PublicSubnetIds, c.PrivateSubnetIds = public.ToStringArrayOutput(), private.ToStringArrayOutput()
	c.ZoneNames, c.NatAddresses = names.ToStringArrayOutput(), nat.ToStringArrayOutput()
	return nil
}
