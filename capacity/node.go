package capacity

import (
	"fmt"
	"maps"

	"github.com/slipway-iac/slipway/calendar"
)

// Who decides how many nodes a group has: the values of NodeGroup.Owner, as components/cluster has them.
const (
	// OwnerFixed is the stack: NodeGroup.Size holds.
	OwnerFixed = "fixed"
	// OwnerSchedule is a schedule: the sizes of the weeks hold.
	OwnerSchedule = "schedule"
	// OwnerAutoscaler is a node autoscaler: the desired size grows up to the maximum when pods wait.
	OwnerAutoscaler = "autoscaler"
)

// NodeGroup is a number of like nodes over zones.
type NodeGroup struct {
	// Name of the group. Required.
	Name string
	// Instances are the types that will do. Required. Of several, nodes are taken to have the least of each resource.
	Instances []Instance
	// Zones, or subnets, over which the nodes are spread evenly, as an auto scaling group does. Required.
	Zones []string
	// Owner is OwnerFixed (the default), OwnerSchedule or OwnerAutoscaler.
	Owner string
	// Size of the group; with OwnerSchedule that of the weeks holds instead.
	Size calendar.Size
	// DiskGiB of a node; default 80.
	DiskGiB int
	// PrefixDelegation gives a node more addresses for pods than its interfaces have; default not.
	PrefixDelegation bool
	// Labels of the nodes beside those that every node has; default none.
	Labels map[string]string
}

const defaultDiskGiB = 80

// Labels that EKS puts on nodes.
const (
	labelZone = "topology.kubernetes.io/zone"
	labelHost = "kubernetes.io/hostname"
	labelType = "node.kubernetes.io/instance-type"
	labelArch = "kubernetes.io/arch"
	labelOS   = "kubernetes.io/os"
)

// Node is a node as the scheduler sees it.
type Node struct {
	// Name, of the group and a number.
	Name string
	// Group and Zone that it belongs to.
	Group, Zone string
	// Labels, among them those of zone, host name, instance type and architecture.
	Labels map[string]string
	// Allocatable is what pods may request, those of the system on every node among them.
	Allocatable Resources
	// Pods is how many may run, those of the system among them.
	Pods int
}

// count is how many nodes there are for pods, of the size that is in force.
func (g NodeGroup) count(s calendar.Size) int {
	if g.Owner == OwnerAutoscaler {
		return s.Max
	}
	return s.Desired
}

// nodes are count nodes, evenly over the zones, the first ones having one more where it does not come out even.
func (g NodeGroup) nodes(count int) []Node {
	disk := g.DiskGiB
	if disk == 0 {
		disk = defaultDiskGiB
	}
	var least Resources
	pods := 0
	for i, t := range g.Instances {
		r, n := t.Allocatable(disk, g.PrefixDelegation)
		if i == 0 {
			least, pods = r, n
			continue
		}
		least = Resources{min(least.MilliCPU, r.MilliCPU), min(least.Memory, r.Memory), min(least.Ephemeral, r.Ephemeral)}
		pods = min(pods, n)
	}
	all := make([]Node, 0, count)
	for i := range count {
		n := Node{Name: fmt.Sprintf("%s-%d", g.Name, i+1), Group: g.Name, Zone: g.Zones[i%len(g.Zones)], Allocatable: least, Pods: pods, Labels: map[string]string{}}
		maps.Copy(n.Labels, map[string]string{
			labelZone: n.Zone, labelHost: n.Name, labelType: g.Instances[0].Name, labelArch: g.Instances[0].Arch, labelOS: "linux",
			"eks.amazonaws.com/nodegroup": g.Name,
		})
		maps.Copy(n.Labels, g.Labels)
		all = append(all, n)
	}
	return all
}
