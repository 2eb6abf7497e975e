package network_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/network"
	"github.com/slipway-iac/slipway/internal/recorder"
)

const (
	subnetType = "aws:ec2/subnet:Subnet"
	routeType  = "aws:ec2/route:Route"
	natType    = "aws:ec2/natGateway:NatGateway"
)

// run makes a network against a recorder whose region has the given zones, and hands it to use.
func run(r *recorder.Recorder, zones string, args *network.VpcArgs, use func(*pulumi.Context, *network.Vpc) error) error {
	r.Outputs = map[string]func(pulumi.MockResourceArgs) resource.PropertyMap{
		"aws:ec2/eip:Eip": func(a pulumi.MockResourceArgs) resource.PropertyMap {
			return resource.PropertyMap{"publicIp": resource.NewProperty("203.0.113.7 of " + a.Name)}
		},
	}
	r.Calls = map[string]func(resource.PropertyMap) resource.PropertyMap{
		"aws:index/getAvailabilityZones:getAvailabilityZones": func(resource.PropertyMap) resource.PropertyMap {
			return resource.NewPropertyMapFromMap(map[string]any{"names": strings.Fields(zones), "zoneIds": []string{}, "id": "us-west-2"})
		},
	}
	return r.Run(func(ctx *pulumi.Context) error {
		c, err := network.NewVpc(ctx, "network", args)
		if err == nil && use != nil {
			return use(ctx, c)
		}
		return err
	})
}

const west = "us-west-2a us-west-2b us-west-2c us-west-2d"

func TestRegistered(t *testing.T) {
	r := &recorder.Recorder{}
	got := make(chan string, 1)
	err := run(r, west, &network.VpcArgs{NatGateways: network.NatPerZone, Tags: map[string]string{"team": "thoughts"}}, func(_ *pulumi.Context, c *network.Vpc) error {
		pulumi.All(c.VpcId, c.Cidr, c.ZoneNames, c.PublicSubnetIds, c.PrivateSubnetIds, c.NatAddresses).ApplyT(func(all []any) string {
			got <- fmt.Sprintf("%v %v %v %v %v %v", all...)
			return ""
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "network-vpc_id 10.0.0.0/16 [us-west-2a us-west-2b us-west-2c] [network-public-1_id network-public-2_id network-public-3_id]" +
		" [network-private-1_id network-private-2_id network-private-3_id] [203.0.113.7 of network-nat-1 203.0.113.7 of network-nat-2 203.0.113.7 of network-nat-3]"
	if got := <-got; got != want {
		t.Errorf("outputs\n%v\nwant\n%s", got, want)
	}
	r.Golden(t, "vpc")
	recorder.CheckDocTree(t, "vpc.go", "Vpc", r)
}

func TestOneNatGatewayServesAllZones(t *testing.T) {
	r := &recorder.Recorder{}
	if err := run(r, west, &network.VpcArgs{Zones: 4}, nil); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(r.Tree(), natType); n != 1 {
		t.Errorf("%d NAT gateways, want 1", n)
	}
	for zone := 1; zone <= 4; zone++ {
		in := r.Find(t, routeType, fmt.Sprintf("network-private-%d-internet", zone)).Inputs
		if got := in["natGatewayId"].StringValue(); got != "network-nat-1_id" || in["routeTableId"].StringValue() != fmt.Sprintf("network-private-%d_id", zone) {
			t.Errorf("zone %d leaves by %s on %s", zone, got, in["routeTableId"].StringValue())
		}
	}
}

// A network grows, its gateways are multiplied: what exists must be registered as before, or it is replaced under running nodes.
func TestGrowingMovesNothing(t *testing.T) {
	small, large := &recorder.Recorder{}, &recorder.Recorder{}
	if err := run(small, west, &network.VpcArgs{Zones: 2}, nil); err != nil {
		t.Fatal(err)
	}
	if err := run(large, west, &network.VpcArgs{Zones: 4, NatGateways: network.NatPerZone}, nil); err != nil {
		t.Fatal(err)
	}
	for _, a := range small.Seen() {
		if !strings.HasPrefix(a.TypeToken, "aws:") || a.Name == "network-private-2-internet" {
			continue
		}
		if b := large.Find(t, a.TypeToken, a.Name); !a.Inputs.DeepEquals(b.Inputs) {
			t.Errorf("%s %s: %v became %v", a.TypeToken, a.Name, a.Inputs, b.Inputs)
		}
	}
	before, after := small.Find(t, routeType, "network-private-2-internet").Inputs, large.Find(t, routeType, "network-private-2-internet").Inputs
	if before["natGatewayId"] == after["natGatewayId"] || before["routeTableId"] != after["routeTableId"] {
		t.Errorf("the second zone's route should change its gateway and nothing else: %v became %v", before, after)
	}
}

// A zone that is out drops from the look-up; the subnets of the others must not follow.
func TestZonesLookedUpAreUsedOnceOnly(t *testing.T) {
	for _, tc := range []struct {
		args *network.VpcArgs
		want []string
	}{
		{&network.VpcArgs{}, []string{"availabilityZone"}},
		{&network.VpcArgs{ZoneNames: []string{"us-west-2c", "us-west-2a"}}, nil},
	} {
		r := &recorder.Recorder{}
		if err := run(r, west, tc.args, nil); err != nil {
			t.Fatal(err)
		}
		s := r.Find(t, subnetType, "network-private-1")
		if got := s.RegisterRPC.GetIgnoreChanges(); !slices.Equal(got, tc.want) {
			t.Errorf("%v: ignored are %v, want %v", tc.args, got, tc.want)
		}
		if !s.RegisterRPC.GetDeleteBeforeReplace() {
			t.Error("two subnets with the same addresses cannot be, even for a moment")
		}
	}
}

func TestNamedZonesAreUsedInTheirOrder(t *testing.T) {
	r := &recorder.Recorder{}
	if err := run(r, "", &network.VpcArgs{ZoneNames: []string{"us-west-2c", "us-west-2a"}}, nil); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"network-public-1": "us-west-2c", "network-private-2": "us-west-2a"} {
		if got := r.Find(t, subnetType, name).Inputs["availabilityZone"].StringValue(); got != want {
			t.Errorf("%s is in %s, want %s", name, got, want)
		}
	}
}

func TestWhoTakesASubnetWaitsForItsRoute(t *testing.T) {
	r := &recorder.Recorder{}
	err := run(r, west, nil, func(ctx *pulumi.Context, c *network.Vpc) error {
		user := &struct{ pulumi.CustomResourceState }{}
		return ctx.RegisterResource("test:index:Nodes", "nodes", pulumi.Map{"private": c.PrivateSubnetIds, "public": c.PublicSubnetIds}, user)
	})
	if err != nil {
		t.Fatal(err)
	}
	nodes := r.Find(t, "test:index:Nodes", "nodes")
	for property, want := range map[string][]string{
		"private": {"RouteTableAssociation::network-private-3", "Route::network-private-3-internet", "Subnet::network-private-3"},
		"public":  {"RouteTableAssociation::network-public-1", "Route::network-public-internet"},
	} {
		deps := strings.Join(nodes.RegisterRPC.GetPropertyDependencies()[property].GetUrns(), "\n") + "\n"
		for _, w := range want {
			if !strings.Contains(deps, w+"\n") {
				t.Errorf("the %s subnets wait for\n%s, not for %s", property, deps, w)
			}
		}
	}
}

func TestRegionWithTooFewZones(t *testing.T) {
	r := &recorder.Recorder{}
	err := run(r, "us-west-1a us-west-1c", nil, nil)
	want := `slipway:index:Vpc "network": zones is 3, but the region has 2 that are available now and take EKS: us-west-1a, us-west-1c`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if strings.Contains(r.Tree(), "aws:") {
		t.Errorf("registered in spite of it:\n%s", r.Tree())
	}
}

func TestEverythingWrongAtOnce(t *testing.T) {
	r := &recorder.Recorder{}
	err := run(r, west, &network.VpcArgs{
		Cidr: "10.0.0.0/28", Zones: 3, NatGateways: "two", Tags: map[string]string{"": "x"},
		ZoneNames: []string{"us-west-2a", "us-west-2", "eu-west-1b", "us-west-2a", "us-west-2-lax-1a"},
	}, nil)
	want := `slipway:index:Vpc "network" has 9 invalid argument(s):
  cidr is "10.0.0.0/28", must be /16 to /23: of its 16 addresses each zone, of up to 4, takes 1/8 for a private subnet and 1/32 for a public one, that is 0.5 addresses, and AWS makes no subnet smaller than /28, 16 addresses
  zoneNames has 5 entries, must have 2 to 4
  zoneNames[1] is "us-west-2", must be an availability zone, like "us-west-2a"
  zoneNames[2] is "eu-west-1b", must be of the same region as zoneNames[0] (us-west-2)
  zoneNames[4] is "us-west-2-lax-1a", must be an availability zone, like "us-west-2a"
  zoneNames[3] is "us-west-2a", the same as zoneNames[0]
  zones is 3, must be left out or the number of zoneNames (5)
  natGateways is "two", must be one of "one", "perZone"
  tags[""] has a key of 0 characters, must be 1 to 128`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if seen := r.Tree(); strings.Contains(seen, "slipway:") {
		t.Errorf("registered in spite of it:\n%s", seen)
	}
}

func TestNumberOfZones(t *testing.T) {
	for _, n := range []int{-1, 1, 5} {
		want := fmt.Sprintf("slipway:index:Vpc \"network\" has 1 invalid argument(s):\n  zones is %d, must be 2 to 4", n)
		if err := run(&recorder.Recorder{}, west, &network.VpcArgs{Zones: n}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: got %v", n, err)
		}
	}
}

func TestPreviewShowsAllOfItWithIdsUnknown(t *testing.T) {
	done, preview := &recorder.Recorder{}, &recorder.Recorder{Preview: true}
	if err := run(done, west, nil, nil); err != nil {
		t.Fatal(err)
	}
	err := run(preview, west, nil, func(_ *pulumi.Context, c *network.Vpc) error {
		c.PrivateSubnetIds.ApplyT(func(ids []string) string {
			t.Errorf("the ids are %v before anything exists", ids)
			return ""
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if preview.Tree() != done.Tree() {
		t.Errorf("preview shows\n%s\nand then comes\n%s", preview.Tree(), done.Tree())
	}
}
