package network

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const everywhere = "0.0.0.0/0"

// builder makes the children of one Vpc.
type builder struct {
	ctx        *pulumi.Context
	name       string
	tags       map[string]string
	below      pulumi.ResourceOption
	zonesNamed bool

	vpc         *ec2.Vpc
	internet    *ec2.InternetGateway
	publicTable *ec2.RouteTable
	publicRoute *ec2.Route
	nat         *ec2.NatGateway
}

// reachable is a subnet, and its id, which is known to others only once the subnet reaches the internet.
type reachable struct {
	subnet *ec2.Subnet
	id     pulumi.StringOutput
}

// network makes what all zones share.
func (b *builder) network(addresses netip.Prefix) (err error) {
	b.vpc, err = ec2.NewVpc(b.ctx, b.name+"-vpc", &ec2.VpcArgs{
		CidrBlock: pulumi.String(addresses.String()), EnableDnsHostnames: pulumi.Bool(true), EnableDnsSupport: pulumi.Bool(true), Tags: b.tagged("vpc"),
	}, b.below)
	if err != nil {
		return fmt.Errorf("VPC: %w", err)
	}
	// AWS lets all members of a VPC's default group talk to each other, and puts there what names no group.
	if _, err := ec2.NewDefaultSecurityGroup(b.ctx, b.name+"-default", &ec2.DefaultSecurityGroupArgs{VpcId: b.vpc.ID(), Tags: b.tagged("default")}, b.below); err != nil {
		return fmt.Errorf("default security group: %w", err)
	}
	if b.internet, err = ec2.NewInternetGateway(b.ctx, b.name+"-internet", &ec2.InternetGatewayArgs{VpcId: b.vpc.ID(), Tags: b.tagged("internet")}, b.below); err != nil {
		return fmt.Errorf("internet gateway: %w", err)
	}
	if b.publicTable, err = ec2.NewRouteTable(b.ctx, b.name+"-public", &ec2.RouteTableArgs{VpcId: b.vpc.ID(), Tags: b.tagged("public")}, b.below); err != nil {
		return fmt.Errorf("public route table: %w", err)
	}
	b.publicRoute, err = ec2.NewRoute(b.ctx, b.name+"-public-internet", &ec2.RouteArgs{
		RouteTableId: b.publicTable.ID(), DestinationCidrBlock: pulumi.String(everywhere), GatewayId: b.internet.ID(),
	}, b.below)
	if err != nil {
		return fmt.Errorf("public route: %w", err)
	}
	return nil
}

func (b *builder) publicSubnet(i int, zone string, addresses netip.Prefix) (reachable, error) {
	suffix := fmt.Sprintf("public-%d", i+1)
	s, err := b.subnet(suffix, zone, addresses, "kubernetes.io/role/elb", true)
	if err != nil {
		return reachable{}, err
	}
	return b.routed(suffix, s, b.publicTable, b.publicRoute)
}

// natGateway makes the way out of the private subnets of this zone and of those after it, up to the next gateway.
func (b *builder) natGateway(i int, s *ec2.Subnet) (address pulumi.StringOutput, err error) {
	suffix := fmt.Sprintf("nat-%d", i+1)
	ip, err := ec2.NewEip(b.ctx, b.name+"-"+suffix, &ec2.EipArgs{Domain: pulumi.String("vpc"), Tags: b.tagged(suffix)}, b.below)
	if err != nil {
		return address, err
	}
	// AWS refuses to detach an internet gateway while addresses of its VPC are in use.
	b.nat, err = ec2.NewNatGateway(b.ctx, b.name+"-"+suffix, &ec2.NatGatewayArgs{AllocationId: ip.ID(), SubnetId: s.ID(), Tags: b.tagged(suffix)},
		b.below, pulumi.DependsOn([]pulumi.Resource{b.internet}))
	return ip.PublicIp, err
}

// privateSubnet has a route table of its own even where all lead to one NAT gateway, so that a change of NatGateways
// changes routes in place.
func (b *builder) privateSubnet(i int, zone string, addresses netip.Prefix) (reachable, error) {
	suffix := fmt.Sprintf("private-%d", i+1)
	s, err := b.subnet(suffix, zone, addresses, "kubernetes.io/role/internal-elb", false)
	if err != nil {
		return reachable{}, err
	}
	table, err := ec2.NewRouteTable(b.ctx, b.name+"-"+suffix, &ec2.RouteTableArgs{VpcId: b.vpc.ID(), Tags: b.tagged(suffix)}, b.below)
	if err != nil {
		return reachable{}, err
	}
	route, err := ec2.NewRoute(b.ctx, b.name+"-"+suffix+"-internet", &ec2.RouteArgs{
		RouteTableId: table.ID(), DestinationCidrBlock: pulumi.String(everywhere), NatGatewayId: b.nat.ID(),
	}, b.below)
	if err != nil {
		return reachable{}, err
	}
	return b.routed(suffix, s, table, route)
}

// subnet makes a subnet that load balancer controllers find by its role.
func (b *builder) subnet(suffix, zone string, addresses netip.Prefix, role string, public bool) (*ec2.Subnet, error) {
	tags := b.tagged(suffix)
	tags[role] = pulumi.String("1")
	// A second subnet with the same addresses is refused, so the old one goes first.
	opts := []pulumi.ResourceOption{b.below, pulumi.DeleteBeforeReplace(true)}
	if !b.zonesNamed {
		// The list of zones that are available changes with outages and with new zones; a subnet that exists stays where it is.
		opts = append(opts, pulumi.IgnoreChanges([]string{"availabilityZone"}))
	}
	return ec2.NewSubnet(b.ctx, b.name+"-"+suffix, &ec2.SubnetArgs{
		VpcId: b.vpc.ID(), CidrBlock: pulumi.String(addresses.String()), AvailabilityZone: pulumi.String(zone), MapPublicIpOnLaunch: pulumi.Bool(public), Tags: tags,
	}, opts...)
}

// routed puts a subnet on a route table. Whoever takes the id depends on the route too: without that, nodes start before
// they can pull an image, and lose the internet before they are gone.
func (b *builder) routed(suffix string, s *ec2.Subnet, table *ec2.RouteTable, route *ec2.Route) (reachable, error) {
	a, err := ec2.NewRouteTableAssociation(b.ctx, b.name+"-"+suffix, &ec2.RouteTableAssociationArgs{RouteTableId: table.ID(), SubnetId: s.ID()}, b.below)
	if err != nil {
		return reachable{}, err
	}
	id := pulumi.OutputWithDependencies(b.ctx.Context(), s.ID().ToStringOutput(), a, route).(pulumi.StringOutput)
	return reachable{subnet: s, id: id}, nil
}

// tagged is the tags of one child: a name for the console, and what the user adds.
func (b *builder) tagged(suffix string) pulumi.StringMap {
	tags := pulumi.StringMap{"Name": pulumi.String(b.name + "-" + suffix)}
	for k, v := range b.tags {
		tags[k] = pulumi.String(v)
	}
	return tags
}
