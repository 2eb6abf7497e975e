// Package instancetypes knows what a node of an EC2 instance type offers to pods on EKS.
package instancetypes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Architectures, as Kubernetes spells them.
const (
	AMD64 = "amd64"
	ARM64 = "arm64"
)

// Type is an EC2 instance type.
type Type struct {
	// Name, for example m5.large.
	Name string
	// Arch is AMD64 or ARM64.
	Arch string
	// VCPU is the number of virtual CPUs.
	VCPU int
	// MemoryMiB as EC2 states it.
	MemoryMiB int
	// ENIs is how many network interfaces may be attached.
	ENIs int
	// IPsPerENI is how many IPv4 addresses one interface holds.
	IPsPerENI int
}

var table = func() map[string]Type {
	m := map[string]Type{}
	for _, t := range burstable {
		m[t.Name] = t
	}
	for _, f := range families {
		for _, s := range f.sizes {
			t := Type{f.name + "." + s.name, f.arch, s.vcpu, s.vcpu * f.mibPerVcpu, s.enis, s.ips}
			m[t.Name] = t
		}
	}
	return m
}()

// Lookup is the type of that name. The error of an unknown one lists the sizes of its family, or else the families.
func Lookup(name string) (Type, error) {
	if t, ok := table[name]; ok {
		return t, nil
	}
	family, _, _ := strings.Cut(name, ".")
	var sizes, all []string
	for _, n := range slices.Sorted(maps.Keys(table)) {
		f, _, _ := strings.Cut(n, ".")
		if f == family {
			sizes = append(sizes, n)
		}
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	if len(sizes) > 0 {
		return Type{}, fmt.Errorf("instance type %q is not known to the sandbox, it knows of this family %s", name, strings.Join(sizes, ", "))
	}
	return Type{}, fmt.Errorf("instance type %q is not known to the sandbox, it knows the families %s", name, strings.Join(all, ", "))
}

// Names of all known types, sorted.
func Names() []string { return slices.Sorted(maps.Keys(table)) }

// MaxPods is the pods that a node takes with the VPC CNI: each pod needs an address, the first of each interface is the
// interface's own, and two pods of the system use the host's. Managed node groups cap it at 110 below 30 vCPUs and at 250
// above (EKS user guide, "Choose an optimal instance type").
func (t Type) MaxPods() int {
	limit := 250
	if t.VCPU < 30 {
		limit = 110
	}
	return min(t.ENIs*(t.IPsPerENI-1)+2, limit)
}

// overheadPermille is the memory that hypervisor and kernel keep before the kubelet counts: Karpenter's default
// (vm-memory-overhead-percent 0.075). Real nodes lose 5 to 7.5 percent, so what fits here fits there.
const overheadPermille = 75

// Resources of a node: CPU in thousandths, memory in MiB.
type Resources struct {
	MilliCPU  int
	MemoryMiB int
	Pods      int
}

// Capacity is what the node has.
func (t Type) Capacity() Resources {
	return Resources{t.VCPU * 1000, t.MemoryMiB - t.MemoryMiB*overheadPermille/1000, t.MaxPods()}
}

// Allocatable is what pods may request: capacity less what EKS nodes reserve for the kubelet (255 MiB and 11 MiB for each
// possible pod; 6 % of the first CPU, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest) and the eviction
// threshold of 100 MiB (amazon-eks-ami, nodeadm/internal/kubelet).
func (t Type) Allocatable() Resources {
	c := t.Capacity()
	c.MemoryMiB -= 255 + 11*t.MaxPods() + 100
	c.MilliCPU -= reservedMilliCPU(t.VCPU)
	return c
}

func reservedMilliCPU(vcpu int) int {
	tenths := 0 // of a thousandth, so that 0.25 % of a CPU stays whole
	for i := range vcpu {
		switch {
		case i == 0:
			tenths += 600
		case i == 1:
			tenths += 100
		case i < 4:
			tenths += 50
		default:
			tenths += 25
		}
	}
	return tenths / 10
}
