package edge

import (
	"crypto/tls"
	"net/netip"
	"reflect"
	"testing"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

func named(name string, names ...string) *balancer {
	return &balancer{LoadBalancer: aws.LoadBalancer{Name: name, DNSName: name + "-1.us-west-2.elb.amazonaws.com", Names: names}}
}

func TestBalancerOfAName(t *testing.T) {
	two := &table{balancers: []*balancer{named("a", "*.example.com", "example.com"), named("b", "api.example.com", "*.eu.example.com")}}
	one := &table{balancers: two.balancers[:1]}
	for _, c := range []struct {
		table      *table
		name, want string
	}{
		{two, "example.com", "a"},
		{two, "WWW.Example.com.", "a"},
		{two, "deep.www.example.com", "a"},
		{two, "api.example.com", "b"},     // a record of its own goes before the wildcard
		{two, "x.eu.example.com", "b"},    // the longer wildcard goes before the shorter
		{two, "eu.example.com", "a"},      // which does not stand for the name itself
		{two, "x.api.example.com", "a"},   //
		{two, "example.org", ""},          //
		{two, "", ""},                     //
		{two, "127.0.0.1", ""},            //
		{one, "127.0.0.1", "a"},           // the only one takes everything
		{&table{}, "www.example.com", ""}, //
		{two, "b-1.us-west-2.elb.amazonaws.com", "b"},
	} {
		got := ""
		if b := c.table.find(c.name); b != nil {
			got = b.Name
		}
		if got != c.want {
			t.Errorf("%q leads to %q, want %q", c.name, got, c.want)
		}
	}
}

func TestCertificateOfAName(t *testing.T) {
	first, second := &tls.Config{}, &tls.Config{}
	l := &listener{secure: []secure{{[]string{"example.com"}, first}, {[]string{"API.example.com", "*.eu.example.com"}, second}}}
	for name, want := range map[string]*tls.Config{
		"example.com": first, "api.Example.com": second, "x.eu.example.com": second, "y.x.eu.example.com": first, "eu.example.com": first, "": first,
	} {
		if got := l.settings(name); got != want {
			t.Errorf("%q gets the wrong certificate", name)
		}
	}
	if (&listener{}).settings("example.com") != nil {
		t.Error("a certificate out of nothing")
	}
}

func TestVersionsOfPolicies(t *testing.T) {
	for policy, want := range map[string][2]uint16{
		"ELBSecurityPolicy-2016-08":                    {tls.VersionTLS10, tls.VersionTLS12},
		"ELBSecurityPolicy-FS-2018-06":                 {tls.VersionTLS10, tls.VersionTLS12},
		"ELBSecurityPolicy-TLS-1-1-2017-01":            {tls.VersionTLS11, tls.VersionTLS12},
		"ELBSecurityPolicy-FS-1-2-Res-2020-10":         {tls.VersionTLS12, tls.VersionTLS12},
		"ELBSecurityPolicy-TLS13-1-0-2021-06":          {tls.VersionTLS10, tls.VersionTLS13},
		"ELBSecurityPolicy-TLS13-1-2-2021-06":          {tls.VersionTLS12, tls.VersionTLS13},
		"ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04": {tls.VersionTLS12, tls.VersionTLS13},
		"ELBSecurityPolicy-TLS13-1-3-2021-06":          {tls.VersionTLS13, tls.VersionTLS13},
	} {
		if oldest, newest := versions(policy); [2]uint16{oldest, newest} != want {
			t.Errorf("%s takes %x to %x, want %x", policy, oldest, newest, want)
		}
	}
}

func TestMembers(t *testing.T) {
	h := here{own: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nodes: []Node{
		{Name: "n2", Group: "general", Address: "10.0.0.12", Instance: "i-2", Real: true},
		{Name: "n1", Group: "general", Address: "10.0.0.11", Instance: "i-1"},
		{Name: "n3", Group: "other", Address: "10.0.0.13", Instance: "i-3"},
		{Name: "n4", Group: "spot", Address: "10.0.0.14", Instance: "i-4", Leaving: true},
		{Name: "n5", Group: "spot", Address: "10.0.0.15", Instance: "i-5"},
	}, pods: []Pod{{Name: "shop/web-1", Address: "10.0.0.77", Node: "n1"}, {Name: "shop/web-2", Address: "100.64.3.9", Node: "n2"}}}
	real := func(id, noun, address string, port int) member {
		return member{id: id, port: port, noun: noun, name: id, address: address}
	}
	canned := func(id, noun, why string, port int) member {
		return member{id: id, port: port, noun: noun, name: id, why: why}
	}
	for _, c := range []struct {
		name string
		view aws.TargetGroup
		want []member
	}{
		{
			"nodes of the groups that are attached",
			aws.TargetGroup{Type: "instance", Port: 30080, ScalingGroups: []aws.ScalingGroup{{Name: "eks-general", NodeGroup: "general", Desired: 9}}},
			[]member{canned("n1", "node", noPods, 30080), real("n2", "node", "10.0.0.12", 30080)},
		},
		{
			"not those that leave",
			aws.TargetGroup{Type: "instance", Port: 30080, ScalingGroups: []aws.ScalingGroup{{Name: "eks-spot", NodeGroup: "spot", Desired: 2}}},
			[]member{canned("n5", "node", noPods, 30080)},
		},
		{
			"instances of a group that is no node group's",
			aws.TargetGroup{Type: "instance", Port: 80, ScalingGroups: []aws.ScalingGroup{{Name: "fleet", Desired: 2}}},
			[]member{canned("fleet instance 1", "target", noMachine, 80), canned("fleet instance 2", "target", noMachine, 80)},
		},
		{
			"a node that is there twice counts once",
			aws.TargetGroup{Type: "instance", Port: 80, ScalingGroups: []aws.ScalingGroup{{NodeGroup: "other"}}, Targets: []aws.Target{{ID: "i-3", Port: 80}, {ID: "i-3", Port: 81}}},
			[]member{canned("n3", "node", noPods, 80), canned("n3", "node", noPods, 81)},
		},
		{
			"addresses: only those of this machine are reached",
			aws.TargetGroup{Type: "ip", Targets: []aws.Target{{ID: "10.0.0.11", Port: 1}, {ID: "10.0.0.12", Port: 2}, {ID: "100.64.3.4", Port: 3}, {ID: "127.0.0.9", Port: 4}, {ID: "192.0.2.1", Port: 5}, {ID: "192.0.2.2", Port: 6}}},
			[]member{
				canned("10.0.0.11", "target", notHere, 1), real("10.0.0.12", "target", "10.0.0.12", 2), real("100.64.3.4", "target", "100.64.3.4", 3),
				real("127.0.0.9", "target", "127.0.0.9", 4), real("192.0.2.1", "target", "192.0.2.1", 5), canned("192.0.2.2", "target", notHere, 6),
			},
		},
		{
			"addresses of pods: those of real nodes are reached",
			aws.TargetGroup{Type: "ip", Targets: []aws.Target{{ID: "100.64.3.9", Port: 8080}, {ID: "10.0.0.77", Port: 8080}}},
			[]member{
				{id: "10.0.0.77", port: 8080, noun: "pod", name: "shop/web-1", why: noCode},
				{id: "100.64.3.9", port: 8080, noun: "pod", name: "shop/web-2", address: "100.64.3.9"},
			},
		},
		{"functions", aws.TargetGroup{Type: "lambda", Targets: []aws.Target{{ID: "arn:f"}}}, []member{canned("arn:f", "target", noMachine, 0)}},
	} {
		if got := h.members(c.view); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n%+v\nwant\n%+v", c.name, got, c.want)
		}
	}
	if (here{}).reaches("100.64.3.4") {
		t.Error("without real nodes there is no network of pods")
	}
}
