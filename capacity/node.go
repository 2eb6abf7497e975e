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
	// Size of the group; with OwnerSchedule that of the weeks holds instead. Up to 450 nodes are planned with; a warning says where there
	// are more, and then no pods that are left out are an error.
	Size calendar.Size
	// DiskGiB of a node; default 80.
	DiskGiB int
	// PrefixDelegation gives a node more addresses for pods than its interfaces have; default not.
	PrefixDelegation bool
	// MaxPods is what the kubelet is told to take, up to Instance.MostPods of each type; default what EKS tells it: Instance.MaxPods of
	// the type that takes fewest.
	MaxPods int
	// SystemReserved is kept for what runs beside pods on a node, beyond what EKS reserves; default nothing.
	SystemReserved Resources
	// KubeReservedMemory, in bytes, is reserved for the kubelet in place of what EKS reserves; default that.
	KubeReservedMemory int64
	// SubnetAddresses is how many addresses each subnet of the nodes has to give; default 0, not known: then nobody looks whether they
	// are enough.
	SubnetAddresses int
	// KeepsOff says that the nodes have a taint NoSchedule or NoExecute, which no app tolerates: then they take no pods; default no.
	KeepsOff bool
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
	if g.KeepsOff {
		return 0
	}
	if g.Owner == OwnerAutoscaler {
		return s.Max
	}
	return s.Desired
}

// planned is how many of them are planned with.
func (g NodeGroup) planned(s calendar.Size) int { return min(g.count(s), mostNodes) }

// leaves is what a node of that type has for pods, and how many it takes.
func (g NodeGroup) leaves(t Instance) (r Resources, pods int) {
	disk := g.DiskGiB
	if disk == 0 {
		disk = defaultDiskGiB
	}
	r, pods = t.Allocatable(disk, g.PrefixDelegation)
	if g.MaxPods > 0 {
		pods = g.MaxPods
	}
	if g.KubeReservedMemory > 0 {
		r.Memory += int64(t.kubeReservedMiB(g.PrefixDelegation))*mib - g.KubeReservedMemory
	}
	return Resources{
		MilliCPU: max(r.MilliCPU-g.SystemReserved.MilliCPU, 0), Memory: max(r.Memory-g.SystemReserved.Memory, 0), Ephemeral: r.Ephemeral,
	}, pods
}

// least is what every node of the group has at least. EKS gives all nodes of a group the number of pods of the type that takes fewest:
// https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html.
func (g NodeGroup) least() (least Resources, pods int) {
	for i, t := range g.Instances {
		r, n := g.leaves(t)
		if i == 0 {
			least, pods = r, n
			continue
		}
		least = Resources{min(least.MilliCPU, r.MilliCPU), min(least.Memory, r.Memory), min(least.Ephemeral, r.Ephemeral)}
		pods = min(pods, n)
	}
	return least, pods
}

// nodes are count nodes, evenly over the zones, the first ones having one more where it does not come out even.
func (g NodeGroup) nodes(count int) []Node {
	least, pods := g.least()
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
