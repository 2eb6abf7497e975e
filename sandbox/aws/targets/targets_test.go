package targets_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/aws/targets"
)

type object = map[string]any

// account has a network, a group of addresses, and one of instances.
func account(t *testing.T) (*aws.Account, targets.Account) {
	t.Helper()
	a, err := aws.OpenAccount(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	change(t, a, func(tx *aws.Tx) {
		tx.Add(&aws.Object{Type: "aws:ec2/vpc:Vpc", ID: "vpc-1", Region: "us-west-2", Inputs: object{"cidrBlock": "10.0.0.0/16"}})
		for id, kind := range map[string]string{"ip": "ip", "instance": "instance"} {
			tx.Add(&aws.Object{Type: targets.GroupType, ID: id, Region: "us-west-2", Inputs: object{"name": id, "targetType": kind, "vpcId": "vpc-1", "port": 80.0, "tags": object{"a": "<&>"}}})
		}
	})
	return a, targets.Account(filepath.Dir(a.File()))
}

func change(t *testing.T, a *aws.Account, f func(*aws.Tx)) {
	t.Helper()
	if err := a.Do("us-west-2", func(tx *aws.Tx) error { f(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func of(t *testing.T, a targets.Account, group string) string {
	t.Helper()
	all, err := a.All()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, one := range all[group] {
		out = append(out, fmt.Sprintf("%s:%d", one.ID, one.Port))
	}
	return strings.Join(out, " ")
}

func TestRegisterAndDeregister(t *testing.T) {
	a, g := account(t)
	change(t, a, func(tx *aws.Tx) { // a target of a stack, at the group's port
		tx.Add(&aws.Object{Type: targets.TargetType, ID: "own", Region: "us-west-2", Inputs: object{"targetGroupArn": "ip", "targetId": "10.0.0.1"}, URN: "urn"})
	})
	one, two, own := targets.Target{ID: "10.0.0.2", Port: 8080, By: "me"}, targets.Target{ID: "100.64.0.7", Port: 8080, Zone: targets.AllZones}, targets.Target{ID: "10.0.0.1", Port: 80}
	for _, step := range []struct {
		register, deregister []targets.Target
		want                 string
	}{
		{[]targets.Target{one, two}, nil, "10.0.0.1:80 10.0.0.2:8080 100.64.0.7:8080"},
		{[]targets.Target{two, own, one}, nil, "10.0.0.1:80 10.0.0.2:8080 100.64.0.7:8080"}, // they are there
		{[]targets.Target{{ID: "10.0.0.2", Port: 9090}}, []targets.Target{two, {ID: "10.0.0.2", Port: 1}}, "10.0.0.1:80 10.0.0.2:8080 10.0.0.2:9090"},
		{nil, []targets.Target{own}, "10.0.0.2:8080 10.0.0.2:9090"},
	} {
		if err := g.Change("ip", step.register, step.deregister); err != nil {
			t.Fatal(err)
		}
		if got := of(t, g, "ip"); got != step.want {
			t.Errorf("+%v -%v: %s, want %s", step.register, step.deregister, got, step.want)
		}
	}
	all, err := g.All()
	if err != nil || all["ip"][0] != one || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	counts, err := a.Resources()
	if err != nil || counts[targets.TargetType] != 0 {
		t.Errorf("they count as resources of a stack: %v, %v", counts, err)
	}
	change(t, a, func(tx *aws.Tx) {
		if got := tx.Find(targets.GroupType, "id", "ip").Get("tags"); !reflect.DeepEqual(got, object{"a": "<&>"}) {
			t.Errorf("what stood beside them is now %v", got)
		}
		tx.Remove(tx.Find(targets.GroupType, "id", "ip"))
		if left := tx.All(targets.TargetType); len(left) != 0 {
			t.Errorf("%d targets outlive their group", len(left))
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	a, g := account(t)
	before, err := os.ReadFile(a.File())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		group, id, zone, want string
	}{
		{"gone", "10.0.0.2", "", "TargetGroupNotFound: One or more target groups not found: 'gone'"},
		{"instance", "10.0.0.2", "", "ValidationError: the target type of 'instance' is instance, and addresses are targets of type ip"},
		{"ip", "web-1", "", "ValidationError: The IP address 'web-1' is not a valid IPv4 address"},
		{"ip", "10.1.0.2", "", `ValidationError: The IP address '10.1.0.2' is not within the VPC's CIDR; outside of it set availabilityZone to "all"`},
		{"ip", "203.0.113.1", "all", `ValidationError: The IP address '203.0.113.1' is not within the VPC's CIDR; outside of it set availabilityZone to "all"`},
		{"ip", "127.0.0.1", "all", `ValidationError: The IP address '127.0.0.1' is not within the VPC's CIDR; outside of it set availabilityZone to "all"`},
	} {
		err := g.Change(c.group, []targets.Target{{ID: "10.0.0.9", Port: 80}, {ID: c.id, Port: 80, Zone: c.zone}}, nil)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s in %s: %v, want %s", c.id, c.group, err, c.want)
		}
	}
	var missing *targets.NotFound
	if err := g.Change("gone", nil, []targets.Target{{ID: "10.0.0.9", Port: 80}}); !errors.As(err, &missing) {
		t.Errorf("deregistered from a group that is not there: %v", err)
	}
	if after, err := os.ReadFile(a.File()); err != nil || string(after) != string(before) {
		t.Errorf("what was refused has changed the account (%v)", err)
	}
	if all, err := targets.Account(t.TempDir()).All(); err != nil || len(all) != 0 {
		t.Errorf("an account in which nothing was ever made has %v, %v", all, err)
	}
	if err := os.WriteFile(a.File(), []byte(`{"version":1,"obj`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.Change("ip", nil, nil); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("a damaged file: %v", err)
	}
}

// The provider and the control plane write at the same time, and neither undoes what the other did.
func TestBesideTheModel(t *testing.T) {
	a, g := account(t)
	const n = 20
	var all sync.WaitGroup
	all.Go(func() {
		for i := range n {
			change(t, a, func(tx *aws.Tx) { tx.Add(&aws.Object{Type: "test", ID: strconv.Itoa(i)}) })
		}
	})
	all.Go(func() {
		for i := range n {
			if err := g.Change("ip", []targets.Target{{ID: fmt.Sprintf("10.0.1.%d", i), Port: 80}}, nil); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	change(t, a, func(tx *aws.Tx) {
		if made, registered := len(tx.All("test")), len(tx.All(targets.TargetType)); made != n || registered != n {
			t.Errorf("%d objects and %d targets, want %d of each", made, registered, n)
		}
	})
}
