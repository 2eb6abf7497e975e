package network

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// maxZones is how many zones have their addresses set aside, whatever number is used: so a zone added later moves nothing.
const maxZones = 4

// The VPC's addresses, in parts of a 32nd. A private subnet takes four parts, since every pod there has an address of the
// VPC; a public one takes one, since only load balancers and NAT gateways live there. Twelve parts stay free:
//
//	0    4    8    12   16 17 18 19 20           32
//	│ p1 │ p2 │ p3 │ p4 │P1│P2│P3│P4│    free    │
const (
	privateBits  = 3
	publicBits   = 5
	firstPublic  = 16
	largestVpc   = 16
	smallestVpc  = smallestNet - publicBits
	smallestNet  = 28
	albSubnetMin = 27
)

// privateSubnet is the addresses of the private subnet in the zone at that place, 0 to 3.
func privateSubnet(vpc netip.Prefix, zone int) netip.Prefix { return part(vpc, privateBits, zone) }

// keptByAws is what AWS keeps of each subnet: its first four addresses and the last.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
const keptByAws = 5

// PrivateSubnetAddresses is how many addresses each private subnet has for nodes, pods and whatever else is in it; 0 for args that
// Check refuses.
func (args *VpcArgs) PrivateSubnetAddresses() int {
	_, vpc, err := args.checked("network")
	if err != nil {
		return 0
	}
	return 1<<(32-privateSubnet(vpc, 0).Bits()) - keptByAws
}

// publicSubnet is the addresses of the public subnet in the zone at that place, 0 to 3.
func publicSubnet(vpc netip.Prefix, zone int) netip.Prefix {
	return part(vpc, publicBits, firstPublic+zone)
}

// part is the nth of the 2^bits equal parts of p.
func part(p netip.Prefix, bits, n int) netip.Prefix {
	size := p.Bits() + bits
	first := p.Addr().As4()
	binary.BigEndian.PutUint32(first[:], binary.BigEndian.Uint32(first[:])+uint32(n)<<(32-size))
	return netip.PrefixFrom(netip.AddrFrom4(first), size)
}

// AWS makes no VPC in these: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html.
var refused = prefixes("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")

// RFC 1918, and the shared space of RFC 6598.
var private = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")

var docker = netip.MustParsePrefix("172.17.0.0/16")

// parseVpc is the VPC's addresses, or what is wrong with them. The addresses of Kubernetes services need no check: EKS
// takes 10.100.0.0/16 or 172.20.0.0/16, and no VPC of /16 or smaller overlaps both.
func parseVpc(cidr string) (vpc netip.Prefix, problem string) {
	vpc, err := netip.ParsePrefix(cidr)
	switch {
	case err != nil || !vpc.Addr().Is4():
		return vpc, fmt.Sprintf(`is %q, must be an IPv4 network, like "10.0.0.0/16"`, cidr)
	case vpc.Masked() != vpc:
		return vpc, fmt.Sprintf("is %q, must be %q: the bits after the first %d belong to hosts", cidr, vpc.Masked(), vpc.Bits())
	case vpc.Bits() < largestVpc:
		return vpc, fmt.Sprintf("is %q, must be /%d to /%d: AWS makes no VPC larger than /%d", cidr, largestVpc, smallestVpc, largestVpc)
	case vpc.Bits() > smallestVpc:
		all, public := 1<<(32-vpc.Bits()), vpc.Bits()+publicBits
		return vpc, fmt.Sprintf("is %q, must be /%d to /%d: of its %d addresses each zone, of up to %d, takes 1/%d for a private subnet and 1/%d for a public one, "+
			"that is %g addresses, and AWS makes no subnet smaller than /%d, %d addresses",
			cidr, largestVpc, smallestVpc, all, maxZones, 1<<privateBits, 1<<publicBits, float64(all)/float64(int(1)<<(public-vpc.Bits())), smallestNet, 1<<(32-smallestNet))
	}
	for _, r := range refused {
		if r.Overlaps(vpc) {
			return vpc, fmt.Sprintf("is %q, must lie outside %s, in which AWS makes no VPC", cidr, r)
		}
	}
	return vpc, ""
}

// doubts are what AWS accepts, but a user will meet later.
func doubts(vpc netip.Prefix) (all []string) {
	inside := false
	for _, r := range private {
		inside = inside || r.Overlaps(vpc) && r.Bits() <= vpc.Bits()
	}
	if !inside {
		all = append(all, fmt.Sprintf("cidr %s is not private address space: what has these addresses on the internet cannot be reached from here", vpc))
	}
	if docker.Overlaps(vpc) {
		all = append(all, fmt.Sprintf("cidr %s overlaps %s, which docker and some AWS services (Cloud9, SageMaker) use inside their hosts", vpc, docker))
	}
	if public := vpc.Bits() + publicBits; public > albSubnetMin {
		all = append(all, fmt.Sprintf("cidr %s gives public subnets of /%d; a load balancer asks for /%d to scale", vpc, public, albSubnetMin))
	}
	return all
}

func prefixes(all ...string) (out []netip.Prefix) {
	for _, s := range all {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}
