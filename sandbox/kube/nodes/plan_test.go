package nodes

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

func group(desired int) view.NodeGroup {
	return view.NodeGroup{ID: "g", Name: "general", InstanceTypes: []string{"m5.large"}, Desired: desired, Subnets: []view.Subnet{
		{ID: "a", Zone: "us-west-2a", Cidr: "10.0.0.0/20"}, {ID: "b", Zone: "us-west-2b", Cidr: "10.0.16.0/20"}, {ID: "c", Zone: "us-west-2c", Cidr: "10.0.32.0/20"},
	}}
}

// on makes ready nodes of g in these subnets, the first the oldest, named n0, n1, …
func on(g view.NodeGroup, subnets ...string) (all []member) {
	for i, s := range subnets {
		all = append(all, member{name: fmt.Sprintf("n%d", i), groupID: g.ID, template: template(&g), subnetID: s, ready: true, created: time.Unix(int64(i), 0)})
	}
	return all
}

func TestPlan(t *testing.T) {
	three := group(3)
	older := three
	older.Version = "1.33"
	half := on(three, "a", "b", "c")
	half[1].ready, half[2].ready = false, false
	leaving := on(three, "a", "b", "c")
	leaving[0].leaving = true
	rename := func(m []member) []member {
		for i := range m {
			m[i].name = "old" + m[i].name
		}
		return m
	}
	for name, c := range map[string]struct {
		group    view.NodeGroup
		members  []member
		launches string
		leave    string
	}{
		"new group, one in each zone":               {three, nil, "[a b c]", "[]"},
		"more nodes than zones":                     {group(5), nil, "[a b c a b]", "[]"},
		"as desired":                                {three, on(three, "a", "b", "c"), "[]", "[]"},
		"the empty zone first":                      {group(4), on(three, "a", "a", "c"), "[b]", "[]"},
		"the fullest zone gives first, its oldest":  {group(2), on(three, "b", "a", "a"), "[]", "[n1]"},
		"equal zones, the oldest":                   {group(2), on(three, "a", "b", "c"), "[]", "[n0]"},
		"to none":                                   {group(0), on(three, "a", "b"), "[]", "[n0 n1]"},
		"one that leaves counts no longer":          {three, leaving, "[a]", "[]"},
		"new version: old ones stay until new ones": {three, rename(on(older, "a", "b", "c")), "[a b c]", "[]"},
		"new version: as many go as are ready":      {three, append(half, rename(on(older, "a", "b", "c"))...), "[]", "[oldn0]"},
		"new version: done":                         {three, append(on(three, "a", "b", "c"), rename(on(older, "a", "b", "c"))...), "[]", "[oldn0 oldn1 oldn2]"},
		"another group's nodes go with it":          {group(0), on(view.NodeGroup{ID: "gone", InstanceTypes: []string{"m5.large"}}, "a"), "[]", "[n0]"},
	} {
		t.Run(name, func(t *testing.T) {
			l, leave := plan([]view.NodeGroup{c.group}, c.members)
			subnets := []string{}
			for _, x := range l {
				subnets = append(subnets, x.subnet.ID)
			}
			slices.Sort(leave)
			if got := fmt.Sprint(subnets); got != c.launches {
				t.Errorf("launches %s, want %s", got, c.launches)
			}
			if got := fmt.Sprint(leave); got != c.leave {
				t.Errorf("leave %s, want %s", got, c.leave)
			}
		})
	}
}

func TestLabelsAndTaintsFollowTheGroup(t *testing.T) {
	g := group(1)
	g.Labels = map[string]string{"tier": "web", "team": "shop"}
	g.Taints = []view.Taint{{Key: "only", Value: "web", Effect: "NO_SCHEDULE"}}
	n, err := newNode("us-east-1", launch{&g, g.Subnets[0]}, netip.MustParseAddr("10.0.12.34"))
	if err != nil {
		t.Fatal(err)
	}
	if n.Name != "ip-10-0-12-34.ec2.internal" || n.Labels["tier"] != "web" || n.Labels[labelGroup] != "general" {
		t.Errorf("node %s with labels %v", n.Name, n.Labels)
	}
	// What others put on the node stays.
	n.Labels["mine"] = "yes"
	n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule})
	g.Labels = map[string]string{"tier": "api"}
	g.Taints = []view.Taint{{Key: "only", Value: "api", Effect: "NoExecute"}}
	if err := apply(n, &g); err != nil {
		t.Fatal(err)
	}
	if _, kept := n.Labels["team"]; kept || n.Labels["tier"] != "api" || n.Labels["mine"] != "yes" {
		t.Errorf("labels %v", n.Labels)
	}
	want := []corev1.Taint{
		{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule},
		{Key: "only", Value: "api", Effect: corev1.TaintEffectNoExecute},
	}
	if !slices.Equal(n.Spec.Taints, want) {
		t.Errorf("taints %v, want %v", n.Spec.Taints, want)
	}
}

// The scheduler sees as many pods as the kubelet would be told to take.
func TestPodsOfANode(t *testing.T) {
	for name, c := range map[string]struct {
		types []string
		told  int
		want  int64
	}{
		"what the type has addresses for": {[]string{"m5.large"}, 0, 29},
		"the fewest of several":           {[]string{"m5.xlarge", "m5.large"}, 0, 29},
		"what it is told":                 {[]string{"m5.large"}, 110, 110},
	} {
		g := group(1)
		before := template(&g)
		g.InstanceTypes, g.MaxPods = c.types, c.told
		n, err := newNode("us-east-1", launch{&g, g.Subnets[0]}, netip.MustParseAddr("10.0.12.34"))
		if err != nil {
			t.Fatal(err)
		}
		if a, all := n.Status.Allocatable.Pods().Value(), n.Status.Capacity.Pods().Value(); a != c.want || all != c.want {
			t.Errorf("%s: %d of %d, want %d", name, a, all, c.want)
		}
		if c.told > 0 && template(&g) == before {
			t.Errorf("%s: nodes that were told otherwise stay", name)
		}
	}
}

func TestFreeAddress(t *testing.T) {
	p := netip.MustParsePrefix("10.0.0.16/28")
	used := map[netip.Addr]bool{}
	for {
		a, ok := free(p, used)
		if !ok {
			break
		}
		if used[a] || !p.Contains(a) {
			t.Fatalf("%s was given twice or is outside", a)
		}
		used[a] = true
	}
	if len(used) != 11 || used[netip.MustParseAddr("10.0.0.19")] || used[netip.MustParseAddr("10.0.0.31")] {
		t.Errorf("a /28 gave %d addresses, want the 11 that AWS gives: %v", len(used), used)
	}
}
