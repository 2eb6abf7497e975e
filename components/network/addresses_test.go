package network

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// vpcs draws any network that AWS and the arithmetic accept.
func vpcs() *rapid.Generator[netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) netip.Prefix {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], rapid.Uint32().Draw(t, "address"))
		return netip.PrefixFrom(netip.AddrFrom4(a), rapid.IntRange(largestVpc, smallestVpc).Draw(t, "bits")).Masked()
	})
}

func TestPrivateSubnetAddresses(t *testing.T) {
	for cidr, want := range map[string]int{"": 8192 - 5, "10.20.0.0/16": 8192 - 5, "10.20.0.0/23": 64 - 5, "10.20.0.0/24": 0} {
		if got := (&VpcArgs{Cidr: cidr}).PrivateSubnetAddresses(); got != want {
			t.Errorf("%q: %d, want %d", cidr, got, want)
		}
	}
}

func TestSubnetsNeverOverlapAndStayInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vpc := vpcs().Draw(t, "vpc")
		var all []netip.Prefix
		for zone := range maxZones {
			all = append(all, privateSubnet(vpc, zone), publicSubnet(vpc, zone))
		}
		for i, s := range all {
			if s.Masked() != s || s.Bits() > smallestNet || s.Bits() <= vpc.Bits() || !vpc.Contains(s.Addr()) {
				t.Fatalf("%s is no subnet of %s", s, vpc)
			}
			for _, other := range all[:i] {
				if s.Overlaps(other) {
					t.Fatalf("%s overlaps %s in %s", s, other, vpc)
				}
			}
		}
		if privateSubnet(vpc, 0).Bits() >= publicSubnet(vpc, 0).Bits() {
			t.Fatal("nodes and pods have no more room than load balancers")
		}
	})
}

// What is known of old stacks: a change of these moves every subnet that exists.
func TestSubnetsOfTheDefaultNetwork(t *testing.T) {
	vpc := netip.MustParsePrefix("10.0.0.0/16")
	var got []string
	for zone := range maxZones {
		got = append(got, privateSubnet(vpc, zone).String(), publicSubnet(vpc, zone).String())
	}
	want := "10.0.0.0/19 10.0.128.0/21 10.0.32.0/19 10.0.136.0/21 10.0.64.0/19 10.0.144.0/21 10.0.96.0/19 10.0.152.0/21"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	for cidr, want := range map[string]string{
		"10.0.0.0":       `is "10.0.0.0", must be an IPv4 network, like "10.0.0.0/16"`,
		"fd00::/16":      `is "fd00::/16", must be an IPv4 network, like "10.0.0.0/16"`,
		"10.0.0.1/16":    `is "10.0.0.1/16", must be "10.0.0.0/16": the bits after the first 16 belong to hosts`,
		"10.0.0.0/15":    `is "10.0.0.0/15", must be /16 to /23: AWS makes no VPC larger than /16`,
		"10.0.0.0/24":    `is "10.0.0.0/24", must be /16 to /23: of its 256 addresses each zone, of up to 4, takes 1/8 for a private subnet and 1/32 for a public one, that is 8 addresses, and AWS makes no subnet smaller than /28, 16 addresses`,
		"10.0.0.0/32":    `is "10.0.0.0/32", must be /16 to /23: of its 1 addresses each zone, of up to 4, takes 1/8 for a private subnet and 1/32 for a public one, that is 0.03125 addresses, and AWS makes no subnet smaller than /28, 16 addresses`,
		"169.254.8.0/22": `is "169.254.8.0/22", must lie outside 169.254.0.0/16, in which AWS makes no VPC`,
		"10.0.0.0/16":    "",
		"10.0.0.0/23":    "",
		"172.20.0.0/16":  "",
		"10.100.0.0/16":  "",
		"52.94.0.0/16":   "",
	} {
		if _, got := parseVpc(cidr); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", cidr, got, want)
		}
	}
}

func TestDoubts(t *testing.T) {
	for cidr, want := range map[string]string{
		"10.0.0.0/16":    "",
		"100.64.0.0/16":  "",
		"52.94.0.0/16":   "cidr 52.94.0.0/16 is not private address space: what has these addresses on the internet cannot be reached from here",
		"172.17.64.0/20": "cidr 172.17.64.0/20 overlaps 172.17.0.0/16, which docker and some AWS services (Cloud9, SageMaker) use inside their hosts",
		"10.0.0.0/23":    "cidr 10.0.0.0/23 gives public subnets of /28; a load balancer asks for /27 to scale",
	} {
		if got := strings.Join(doubts(netip.MustParsePrefix(cidr)), "|"); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", cidr, got, want)
		}
	}
}
