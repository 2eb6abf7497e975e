// Package nodes keeps the cluster's Node objects in step with the node groups of the account: as many as desired, spread
// over the zones, of the size of their instance type, drained before they go. KWOK plays the kubelets.
package nodes

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// member is a Node object as the plan sees it.
type member struct {
	name     string
	groupID  string
	template string
	subnetID string
	ready    bool
	leaving  bool
	created  time.Time
}

// launch is a node to be made.
type launch struct {
	group  *view.NodeGroup
	subnet view.Subnet
}

// template changes when nodes of the group must be replaced; labels and taints are not part of it, EKS changes those in
// place.
func template(g *view.NodeGroup) string {
	parts := []any{g.InstanceTypes, g.DiskSizeGiB, g.AmiType, g.CapacityType, g.Version, g.ReleaseVersion}
	if g.MaxPods > 0 {
		parts = append(parts, g.MaxPods)
	}
	b, _ := json.Marshal(parts)
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:6])
}

// plan says which nodes to make and which must leave, so that each group comes to its desired number of nodes of its
// present template. As an auto scaling group does, new nodes go where the group has fewest, and the zone that has most
// gives one up first, its oldest. Nodes of an older template stay until new ones are ready. Nodes of a group that is gone leave.
func plan(groups []view.NodeGroup, members []member) (launches []launch, leave []string) {
	known := map[string]bool{}
	for i := range groups {
		g := &groups[i]
		known[g.ID] = true
		l, out := planGroup(g, members)
		launches, leave = append(launches, l...), append(leave, out...)
	}
	for _, m := range members {
		if !known[m.groupID] && !m.leaving {
			leave = append(leave, m.name)
		}
	}
	return launches, leave
}

func planGroup(g *view.NodeGroup, members []member) (launches []launch, leave []string) {
	var fresh, stale []member
	for _, m := range members {
		switch {
		case m.groupID != g.ID || m.leaving:
		case m.template == template(g):
			fresh = append(fresh, m)
		default:
			stale = append(stale, m)
		}
	}
	perSubnet := map[string]int{}
	ready := 0
	for _, m := range fresh {
		perSubnet[m.subnetID]++
		if m.ready {
			ready++
		}
	}
	for range g.Desired - len(fresh) {
		s := slices.MinFunc(g.Subnets, func(a, b view.Subnet) int { return cmp.Compare(perSubnet[a.ID], perSubnet[b.ID]) })
		perSubnet[s.ID]++
		launches = append(launches, launch{g, s})
	}
	byAge := func(a, b member) int {
		return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.name, b.name))
	}
	for range len(fresh) - g.Desired {
		m := slices.MaxFunc(fresh, func(a, b member) int {
			return cmp.Or(cmp.Compare(perSubnet[a.subnetID], perSubnet[b.subnetID]), -byAge(a, b))
		})
		perSubnet[m.subnetID]--
		fresh = slices.DeleteFunc(fresh, func(o member) bool { return o.name == m.name })
		leave = append(leave, m.name)
	}
	slices.SortFunc(stale, byAge)
	for _, m := range stale[:min(len(stale), max(0, len(stale)-(g.Desired-ready)))] {
		leave = append(leave, m.name)
	}
	return launches, leave
}
