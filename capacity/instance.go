package capacity

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Instance is an EC2 instance type. One that the table does not know can be given with its numbers.
type Instance struct {
	// Name, for example m5.large. Required.
	Name string
	// Arch is the processor as Kubernetes spells it, "amd64" or "arm64".
	Arch string
	// VCPU is the number of virtual CPUs, 1 or more. Required.
	VCPU int
	// MemoryMiB as EC2 states it, in MiB. Required.
	MemoryMiB int
	// ENIs is how many network interfaces may be attached, 1 or more. Required.
	ENIs int
	// IPsPerENI is how many IPv4 addresses one interface holds, 2 or more. Required.
	IPsPerENI int
}

// Lookup is the type of that name. The error for an unknown one lists the sizes of its family, or else the families.
func Lookup(name string) (Instance, error) {
	if t, ok := table[name]; ok {
		return t, nil
	}
	family, _, _ := strings.Cut(name, ".")
	var sizes, all []string
	for _, n := range Names() {
		f, size, _ := strings.Cut(n, ".")
		if f == family {
			sizes = append(sizes, size)
		}
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	if len(sizes) > 0 {
		return Instance{}, fmt.Errorf("instance type %q is in no table, which has of %s %s: give its numbers", name, family, strings.Join(sizes, ", "))
	}
	return Instance{}, fmt.Errorf("instance type %q is in no table, which has the families %s: give its numbers", name, strings.Join(all, ", "))
}

// Names of all types in the table, sorted.
func Names() []string { return slices.Sorted(maps.Keys(table)) }

// larger are the types of the same family with more CPU, the smallest first.
func (t Instance) larger() (all []Instance) {
	family, _, _ := strings.Cut(t.Name, ".")
	for _, name := range Names() {
		if f, _, _ := strings.Cut(name, "."); f == family && table[name].VCPU >= t.VCPU && table[name].MemoryMiB > t.MemoryMiB {
			all = append(all, table[name])
		}
	}
	slices.SortFunc(all, func(a, b Instance) int { return a.MemoryMiB - b.MemoryMiB })
	return all
}

// addresses is how many pods the VPC CNI can give an address to, and two of the system that use the node's own: the first address
// of each interface is the interface's. With prefix delegation each of the others becomes a block of sixteen.
// https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html
func (t Instance) addresses(prefixDelegation bool) int {
	n := t.ENIs * (t.IPsPerENI - 1)
	if prefixDelegation {
		n *= prefixSize
	}
	return n + hostPods
}

const (
	// prefixSize is the addresses of a block that prefix delegation hands out, a /28.
	prefixSize = 16
	// hostPods are aws-node and kube-proxy, which use the node's own address.
	hostPods = 2
	// https://github.com/kubernetes/community/blob/master/sig-scalability/configs-and-limits/thresholds.md, and what AWS has tested.
	podsOnSmall = 110
	podsOnLarge = 250
	largeVCPU   = 30
)

func (t Instance) recommended() int {
	if t.VCPU < largeVCPU {
		return podsOnSmall
	}
	return podsOnLarge
}

// MaxPods is how many pods EKS lets run on a node, those of the system among them: as many as there are addresses, and in a managed
// node group no more than 110 below 30 vCPUs and 250 above.
// https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html#max-pods-precedence
func (t Instance) MaxPods(prefixDelegation bool) int {
	return min(t.addresses(prefixDelegation), t.recommended())
}

// MostPods is how many pods a node's kubelet may be told to take, and why no more: as many as there are addresses, for without one a
// pod never starts. Where prefix delegation gives more than enough it is what AWS recommends, or what the type takes without.
func (t Instance) MostPods(prefixDelegation bool) (pods int, why string) {
	plain, blocks, recommended := t.addresses(false), t.addresses(true), t.recommended()
	switch {
	case prefixDelegation && blocks <= recommended:
		return blocks, fmt.Sprintf("%d network interfaces × %d blocks of %d addresses, and %d pods that need none", t.ENIs, t.IPsPerENI-1, prefixSize, hostPods)
	case prefixDelegation && plain <= recommended:
		return recommended, fmt.Sprintf("AWS recommends no more on %d vCPUs", t.VCPU)
	case plain > podsOnLarge:
		return podsOnLarge, "EKS runs no node with more"
	}
	return plain, fmt.Sprintf("%d network interfaces × %d addresses for pods, and %d pods that need none", t.ENIs, t.IPsPerENI-1, hostPods)
}

// Addresses is how many of its subnet's addresses a node takes with that many pods on it, those of the system among them. The VPC CNI
// fills each interface that it attaches and keeps one more ready (WARM_ENI_TARGET=1), or with prefix delegation one block
// (WARM_PREFIX_TARGET=1).
// https://github.com/aws/amazon-vpc-cni-k8s/blob/master/docs/eni-and-ip-target.md
func (t Instance) Addresses(pods int, prefixDelegation bool) int {
	pods, perENI := max(pods-hostPods, 0), t.IPsPerENI-1
	if !prefixDelegation {
		return min(up(pods, perENI)+1, t.ENIs) * t.IPsPerENI
	}
	blocks := min(up(pods, prefixSize)+1, t.ENIs*perENI)
	return blocks*prefixSize + up(blocks, perENI)
}

// up is a/b, rounded up.
func up(a, b int) int { return (a + b - 1) / b }

const (
	mib = 1 << 20
	gib = 1 << 30

	// overheadPermille is the memory that hypervisor and kernel keep before the kubelet counts: Karpenter's default
	// (vm-memory-overhead-percent 0.075). Real nodes lose 5 to 7.5 percent, so what fits here fits there.
	// https://karpenter.sh/docs/reference/settings/
	overheadPermille = 75
	// https://github.com/awslabs/amazon-eks-ami, nodeadm/internal/kubelet/config.go: evictionHard, kubeReserved.
	evictionMiB          = 100
	reservedDiskGiB      = 1
	evictionDiskPercent  = 10
	reservedMiB          = 255
	reservedMiBForOnePod = 11
)

// Allocatable is what pods may request of a node with that disk, and how many may run: what is there less what EKS reserves for
// the kubelet and the eviction threshold. Memory is reserved for as many pods as there are addresses, also where fewer may run.
func (t Instance) Allocatable(diskGiB int, prefixDelegation bool) (r Resources, pods int) {
	pods = t.MaxPods(prefixDelegation)
	memory := t.MemoryMiB - t.MemoryMiB*overheadPermille/1000 - t.kubeReservedMiB(prefixDelegation) - evictionMiB
	return Resources{
		MilliCPU:  int64(t.VCPU*1000 - reservedMilliCPU(t.VCPU)),
		Memory:    int64(max(memory, 0)) * mib,
		Ephemeral: max(int64(diskGiB)*gib*(100-evictionDiskPercent)/100-reservedDiskGiB*gib, 0),
	}, pods
}

func (t Instance) kubeReservedMiB(prefixDelegation bool) int {
	return reservedMiB + reservedMiBForOnePod*max(t.MaxPods(prefixDelegation), t.addresses(false))
}

// reservedMilliCPU is 6 % of the first CPU, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest.
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
	return (tenths + 9) / 10
}
