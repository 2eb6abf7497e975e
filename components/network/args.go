package network

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

var zoneName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$`)

// checked is args with the defaults filled in, and the network's addresses; it accepts nil.
func (args *VpcArgs) checked(name string) (a VpcArgs, addresses netip.Prefix, err error) {
	if args != nil {
		a = *args
	}
	var p check.Problems
	a.Cidr = cmp.Or(a.Cidr, "10.0.0.0/16")
	addresses, problem := parseVpc(a.Cidr)
	if problem != "" {
		p.Addf("cidr", "%s", problem)
	}
	if n := len(a.ZoneNames); n > 0 {
		a.checkZoneNames(&p)
		if a.Zones != 0 && a.Zones != n {
			p.Addf("zones", "is %d, must be left out or the number of zoneNames (%d)", a.Zones, n)
		}
		a.Zones = n
	}
	a.Zones = cmp.Or(a.Zones, 3)
	if len(a.ZoneNames) == 0 {
		p.Between("zones", a.Zones, 2, maxZones)
	}
	a.NatGateways = cmp.Or(a.NatGateways, NatOne)
	p.OneOf("natGateways", a.NatGateways, NatOne, NatPerZone)
	p.Tags("tags", a.Tags)
	return a, addresses, p.Err(VpcType, name)
}

func (args *VpcArgs) checkZoneNames(p *check.Problems) {
	if n := len(args.ZoneNames); n < 2 || n > maxZones {
		p.Addf("zoneNames", "has %d entries, must have 2 to %d", n, maxZones)
	}
	for i, z := range args.ZoneNames {
		path := fmt.Sprintf("zoneNames[%d]", i)
		p.Match(path, z, zoneName, `an availability zone, like "us-west-2a"`)
		if first := args.ZoneNames[0]; zoneName.MatchString(z) && zoneName.MatchString(first) && region(z) != region(first) {
			p.Addf(path, "is %q, must be of the same region as zoneNames[0] (%s)", z, region(first))
		}
	}
	p.Unique("zoneNames", args.ZoneNames)
}

func region(zone string) string { return zone[:len(zone)-1] }

// noEks are the zones that EKS refuses for a control plane, by id, since each account has its own names for them:
// https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html.
var noEks = []string{"use1-az3", "usw1-az2", "cac1-az3"}

// zones are the availability zones to use: those named, or else the first of the region by name.
func (args *VpcArgs) zones(ctx *pulumi.Context, c *Vpc) ([]string, error) {
	if len(args.ZoneNames) > 0 {
		return args.ZoneNames, nil
	}
	state := "available"
	found, err := aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{
		State:          &state,
		ExcludeZoneIds: noEks,
		// Without local zones and wavelength zones, to which an account opts in: they hold no control plane.
		Filters: []aws.GetAvailabilityZonesFilter{{Name: "opt-in-status", Values: []string{"opt-in-not-required"}}},
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("looking up the region's availability zones (zoneNames makes that needless): %w", err)
	}
	if len(found.Names) < args.Zones {
		return nil, fmt.Errorf("zones is %d, but the region has %d that are available now and take EKS: %s", args.Zones, len(found.Names), strings.Join(found.Names, ", "))
	}
	return found.Names[:args.Zones], nil
}

// recorded is what the stack's state and policy packs see of the arguments.
func (args *VpcArgs) recorded() pulumi.Map {
	m := pulumi.Map{"cidr": pulumi.String(args.Cidr), "zones": pulumi.Int(args.Zones), "natGateways": pulumi.String(args.NatGateways)}
	if len(args.ZoneNames) > 0 {
		m["zoneNames"] = pulumi.ToStringArray(args.ZoneNames)
	}
	if len(args.Tags) > 0 {
		m["tags"] = pulumi.ToStringMap(args.Tags)
	}
	return m
}
