package cluster

import (
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func record(groups map[string]string) resource.PropertyMap {
	in := resource.PropertyMap{}
	for k, v := range groups {
		in[resource.PropertyKey(k)] = resource.NewProperty(v)
	}
	return resource.PropertyMap{"input": resource.NewProperty(in)}
}

func TestWhatAChangeOfGroupsDrains(t *testing.T) {
	b := &builder{name: "cluster", EksClusterArgs: EksClusterArgs{DrainMinutes: 15, NodeGroups: []NodeGroup{{Name: "main", DesiredSize: 2}, {Name: "green", DesiredSize: 1}, {Name: "burst"}}}}
	for name, c := range map[string]struct {
		before, now map[string]string
		leave, stay []string
		arriving    []string
		nothing     bool
	}{
		"nothing changes": {before: map[string]string{"main": "cluster-main-0000001"}, now: map[string]string{"main": "cluster-main-0000001"}, nothing: true},
		"a group more":    {before: map[string]string{"main": "cluster-main-0000001"}, now: map[string]string{"main": "cluster-main-0000001", "b": "cluster-b-0000002"}, nothing: true},
		"replaced": {
			before: map[string]string{"main": "cluster-main-0000001", "b": "cluster-b-0000001"}, now: map[string]string{"main": "cluster-main-0000002", "b": "cluster-b-0000001"},
			leave: []string{"cluster-main-0000001"}, stay: []string{"cluster-main-0000002", "cluster-b-0000001", "elsewhere", "cluster2-main-0000001", "cluster-main-x"}, arriving: []string{"cluster-main-0000002"},
		},
		"replaced a second time before the first was done": {
			before: map[string]string{"main": "cluster-main-0000001"}, now: map[string]string{"main": "cluster-main-0000003"},
			leave: []string{"cluster-main-0000001", "cluster-main-0000002"}, stay: []string{"cluster-main-0000003", "cluster2-main-0000002"}, arriving: []string{"cluster-main-0000003"},
		},
		"renamed a second time before the first was done": {
			before: map[string]string{"main": "cluster-main-0000001"}, now: map[string]string{"api": "cluster-api-0000003", "b": "cluster-b-0000001"},
			leave: []string{"cluster-main-0000001", "cluster-web-0000002", "cluster-two-words-0000002"}, arriving: []string{"cluster-api-0000003", "cluster-b-0000001"},
			stay: []string{"cluster-api-0000003", "cluster-b-0000001", "cluster2-web-0000002", "my-cluster-web-0000002", "cluster-0000002", "cluster-web", "cluster-web-000002", "gpu-0000002", ""},
		},
		"removed": {
			before: map[string]string{"main": "cluster-main-0000001", "old": "named-by-hand"}, now: map[string]string{"main": "cluster-main-0000001"},
			leave: []string{"named-by-hand"}, stay: []string{"cluster-main-0000001"},
		},
		"renamed": {
			before: map[string]string{"blue": "cluster-blue-0000001"}, now: map[string]string{"green": "cluster-green-0000002"},
			leave: []string{"cluster-blue-0000001"}, stay: []string{"cluster-green-0000002"}, arriving: []string{"cluster-green-0000002"},
		},
		"replaced by one that begins without a node": {
			before: map[string]string{"burst": "cluster-burst-0000001"}, now: map[string]string{"burst": "cluster-burst-0000002"},
			leave: []string{"cluster-burst-0000001"}, stay: []string{"cluster-burst-0000002"},
		},
		"taken back": {
			before: map[string]string{"main": "cluster-main-0000001"}, now: map[string]string{"main": "cluster-main-0000001"}, nothing: true,
		},
	} {
		move := b.move(carriers(record(c.before)), carriers(record(c.now)))
		if (move == nil) != c.nothing {
			t.Errorf("%s: drained is %v", name, move != nil)
		}
		if move == nil {
			continue
		}
		for _, g := range c.leave {
			if !move.Leaving(g) {
				t.Errorf("%s: %s stays", name, g)
			}
		}
		for _, g := range c.stay {
			if move.Leaving(g) {
				t.Errorf("%s: %s leaves", name, g)
			}
		}
		if !slices.Equal(move.Arriving, c.arriving) {
			t.Errorf("%s: %v arrive, want %v", name, move.Arriving, c.arriving)
		}
	}
	secret := record(map[string]string{"a": "b"})
	secret["input"] = resource.MakeSecret(secret["input"])
	if got := carriers(secret); got["a"] != "b" {
		t.Errorf("a record that is secret holds %v", got)
	}
}
