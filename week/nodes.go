package week

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/capacity"
)

// readNodes takes the groups from the one cluster, and the zones from its network.
func (s *Stack) readNodes(resources []Resource) {
	clusters := of(resources, clusterType)
	if len(clusters) != 1 {
		s.unread("the stack has %d of %s, must have one", len(clusters), clusterType)
		return
	}
	r := &reader{of: fmt.Sprintf("cluster %q", clusters[0].Name)}
	in := clusters[0].Inputs
	zones := s.zones(in, of(resources, vpcType))
	scheduled := 0
	for i, v := range r.list(in, "", "nodeGroups") {
		path := fmt.Sprintf("nodeGroups[%d].", i)
		m, ok := v.(map[string]any)
		if !ok {
			r.addf(strings.TrimSuffix(path, "."), "is not known before the stack is there, or no object")
			continue
		}
		g := capacity.NodeGroup{
			Name: r.text(m, path, "name", true), Owner: r.text(m, path, "desiredSizeOwner", false), DiskGiB: r.number(m, path, "diskSizeGiB", false), Zones: zones,
			Size: calendar.Size{Min: r.number(m, path, "minSize", true), Max: r.number(m, path, "maxSize", true), Desired: r.number(m, path, "desiredSize", true)},
		}
		if subnets := r.list(m, path, "subnetIds"); len(subnets) > 0 {
			var sure bool
			if g.Zones, sure = zonesOf(subnets, in, zones); !sure {
				s.Notes = append(s.Notes, fmt.Sprintf("node group %q: which zones its subnets are in is not known; it is taken for the first %d", g.Name, len(g.Zones)))
			}
		}
		// It is the cluster's, and recorded only where it is true.
		g.PrefixDelegation, _ = in["prefixDelegation"].(bool)
		r.readKubelet(&g, m, path)
		for j, v := range r.list(m, path, "taints") {
			taint, _ := v.(map[string]any)
			at := fmt.Sprintf("%staints[%d].", path, j)
			g.KeepsOff = g.KeepsOff || r.text(taint, at, "effect", true) != "PreferNoSchedule"
		}
		sizes, _ := r.object(m, path, "instanceSizes")
		for j, v := range r.list(m, path, "instanceTypes") {
			at := fmt.Sprintf("%sinstanceTypes[%d]", path, j)
			name := r.asText(v, at)
			t, err := capacity.Lookup(name)
			if size, given := r.object(sizes, path+"instanceSizes.", name); given {
				t, err = r.instance(name, size, path+"instanceSizes."+name+"."), nil
			}
			if name != "" && err != nil {
				r.addf(at, "%v in instanceSizes", err)
			}
			g.Instances = append(g.Instances, t)
		}
		if g.Owner == capacity.OwnerSchedule {
			scheduled++
		}
		s.Capacity.Groups = append(s.Capacity.Groups, g)
	}
	if scheduled != 1 && len(r.problems) == 0 {
		r.addf("nodeGroups", "has %d groups whose desiredSizeOwner is %q, must have one: which the schedule is for is not known", scheduled, capacity.OwnerSchedule)
	}
	s.Unread = append(s.Unread, r.problems...)
}

// readKubelet takes what a group's kubelets are told: a number or an amount that is not given is recorded as 0 or as an empty text.
func (r *reader) readKubelet(g *capacity.NodeGroup, m map[string]any, path string) {
	k, ok := r.object(m, path, "kubelet")
	if !ok {
		return
	}
	path += "kubelet."
	g.MaxPods = r.number(k, path, "maxPods", false)
	g.SystemReserved = capacity.Resources{MilliCPU: r.amount(k, path, "systemReservedCpu", 1000, false), Memory: r.amount(k, path, "systemReservedMemory", 1, false)}
	g.KubeReservedMemory = r.amount(k, path, "kubeReservedMemory", 1, false)
}

// instance is a type of which the stack gives the numbers.
func (r *reader) instance(name string, size map[string]any, path string) capacity.Instance {
	return capacity.Instance{
		Name: name, VCPU: r.number(size, path, "vcpu", true), MemoryMiB: r.number(size, path, "memoryMiB", true),
		ENIs: r.number(size, path, "networkInterfaces", true), IPsPerENI: r.number(size, path, "addressesPerInterface", true),
	}
}

// zones are names for as many zones as the cluster's nodes are in. What they are called matters to no verdict.
func (s *Stack) zones(cluster map[string]any, vpcs []Resource) []string {
	n := 0
	switch subnets, known := cluster["privateSubnetIds"].([]any); {
	case len(vpcs) == 1:
		r := &reader{of: fmt.Sprintf("network %q", vpcs[0].Name)}
		if n = len(r.list(vpcs[0].Inputs, "", "zoneNames")); n == 0 {
			n = r.number(vpcs[0].Inputs, "", "zones", true)
		}
		s.Unread = append(s.Unread, r.problems...)
	case known:
		// EKS takes one subnet of each zone, and nodes are spread over subnets.
		n = len(subnets)
	default:
		s.unread("in how many zones the nodes are is not known: the stack has %d of %s, and the cluster's privateSubnetIds are not known", len(vpcs), vpcType)
	}
	var all []string
	for z := range min(n, 26) {
		all = append(all, string(rune('a'+z)))
	}
	return all
}

// zonesOf are the zones of a group that has subnets of its own: those of the same subnets of the cluster, of which there is one a zone,
// or else as many; sure tells which.
func zonesOf(subnets []any, cluster map[string]any, zones []string) (own []string, sure bool) {
	all, _ := cluster["privateSubnetIds"].([]any)
	for _, subnet := range subnets {
		id, known := subnet.(string)
		i := slices.IndexFunc(all, func(other any) bool { return known && other == any(id) })
		if i < 0 || i >= len(zones) {
			n := min(len(subnets), len(zones))
			return zones[:n], n == len(zones)
		}
		if !slices.Contains(own, zones[i]) {
			own = append(own, zones[i])
		}
	}
	return own, true
}

func (s *Stack) unread(format string, a ...any) {
	if line := fmt.Sprintf(format, a...); !slices.Contains(s.Unread, line) {
		s.Unread = append(s.Unread, line)
	}
}
