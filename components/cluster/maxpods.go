package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/capacity"
	"github.com/slipway-iac/slipway/internal/check"
)

// InstanceSize is what decides how many pods fit on an instance type, in the numbers of
//
//	aws ec2 describe-instance-types --instance-types TYPE --query 'InstanceTypes[0].[VCpuInfo.DefaultVCpus,MemoryInfo.SizeInMiB,NetworkInfo.MaximumNetworkInterfaces,NetworkInfo.Ipv4AddressesPerInterface]'
type InstanceSize struct {
	// VCPU is the number of virtual CPUs, 1 to 1000. Required.
	VCPU int `pulumi:"vcpu"`
	// MemoryMiB is the memory in MiB, 512 or more. Required.
	MemoryMiB int `pulumi:"memoryMiB"`
	// NetworkInterfaces is how many may be attached, 1 to 100. Required.
	NetworkInterfaces int `pulumi:"networkInterfaces"`
	// AddressesPerInterface is how many IPv4 addresses one interface holds, 2 to 100. Required.
	AddressesPerInterface int `pulumi:"addressesPerInterface"`
}

// instance is the size as package capacity has it.
func (s InstanceSize) instance(name string) capacity.Instance {
	arch := "amd64"
	if instanceType.MatchString(name) && processor(name) == arm64 {
		arch = "arm64"
	}
	return capacity.Instance{Name: name, Arch: arch, VCPU: s.VCPU, MemoryMiB: s.MemoryMiB, ENIs: s.NetworkInterfaces, IPsPerENI: s.AddressesPerInterface}
}

// Instance is one of the group's instance types in numbers: those of InstanceSizes, or else of capacity's table. The error says that
// neither has it.
func (g NodeGroup) Instance(name string) (capacity.Instance, error) {
	if s, ok := g.InstanceSizes[name]; ok {
		return s.instance(name), nil
	}
	t, err := capacity.Lookup(name)
	if err != nil {
		return t, fmt.Errorf("%w in instanceSizes", err)
	}
	return t, nil
}

func (g NodeGroup) checkInstanceSizes(p *check.Problems) {
	for _, name := range slices.Sorted(maps.Keys(g.InstanceSizes)) {
		path, s := fmt.Sprintf("instanceSizes[%q]", name), g.InstanceSizes[name]
		at := p.At("%s", path)
		at.Between("vcpu", s.VCPU, 1, 1000)
		at.Between("memoryMiB", s.MemoryMiB, 512, 100<<20)
		at.Between("networkInterfaces", s.NetworkInterfaces, 1, 100)
		at.Between("addressesPerInterface", s.AddressesPerInterface, 2, 100)
		switch known, err := capacity.Lookup(name); {
		case !slices.Contains(g.InstanceTypes, name):
			p.Addf(path, "is the size of none of instanceTypes, must be of one of %s", strings.Join(g.InstanceTypes, ", "))
		case err == nil && known != s.instance(name):
			p.Addf(path, "is of vcpu %d, memoryMiB %d, networkInterfaces %d, addressesPerInterface %d, must be left out: this release knows the type, with %d, %d, %d and %d",
				s.VCPU, s.MemoryMiB, s.NetworkInterfaces, s.AddressesPerInterface, known.VCPU, known.MemoryMiB, known.ENIs, known.IPsPerENI)
		}
	}
}

// checkPods holds maxPods to what each type may be told; of types of which the numbers are not known, to what EKS runs on any.
func (g NodeGroup) checkPods(p *check.Problems, prefixes bool) {
	if g.Kubelet == nil || g.Kubelet.MaxPods == 0 {
		return
	}
	const path = "kubelet.maxPods"
	pods, fewest, most, with := g.Kubelet.MaxPods, 11, 250, 250 // ten are the system's own
	var each []string                                           // what a type takes and why, once, and the types of which that is true
	types := map[string][]string{}
	for _, name := range g.InstanceTypes {
		t, err := g.Instance(name)
		if err != nil {
			continue // unsure says so
		}
		n, why := t.MostPods(prefixes)
		more, _ := t.MostPods(true)
		most, with = min(most, n), min(with, more)
		says := fmt.Sprintf("up to %d (%s)", n, why)
		if types[says] == nil {
			each = append(each, says)
		}
		types[says] = append(types[says], name)
	}
	if fewest = min(fewest, most); pods >= fewest && pods <= most {
		return
	}
	if len(each) == 0 || pods < fewest {
		p.Between(path, pods, fewest, most)
		return
	}
	for i, says := range each {
		each[i] = strings.Join(types[says], ", ") + " " + says
	}
	because := strings.Join(each, "; ")
	if !prefixes && with > most {
		because += fmt.Sprintf(". With prefixDelegation it may be %d", with)
	}
	p.Addf(path, "is %d, must be %d to %d: %s", pods, fewest, most, because)
}

// unsure are the things about pods per node that nobody can tell, a line each: AWS takes them, and a user would meet them later.
func (a EksClusterArgs) unsure() (lines []string) {
	for i, g := range a.NodeGroups {
		for j, name := range g.InstanceTypes {
			_, err := g.Instance(name)
			switch at := fmt.Sprintf("nodeGroups[%d].instanceTypes[%d]", i, j); {
			case err == nil:
			case g.Kubelet != nil && g.Kubelet.MaxPods != 0:
				lines = append(lines, fmt.Sprintf("%s: whether it has addresses for nodeGroups[%d].kubelet.maxPods (%d) is not known: %v", at, i, g.Kubelet.MaxPods, err))
			case a.PrefixDelegation:
				lines = append(lines, fmt.Sprintf("%s: nodes are told to take %d pods, of which it is not known whether the type has addresses for them: %v", at, g.podsWithPrefixes(), err))
			}
		}
	}
	return lines
}

// podsWithPrefixes is the most pods that every one of the types takes with prefix delegation; of a type of which nothing but its name
// is known, what AWS recommends for the CPUs that the name says.
func (g NodeGroup) podsWithPrefixes() (least int) {
	for i, name := range g.InstanceTypes {
		t, err := g.Instance(name)
		if err != nil {
			t = InstanceSize{VCPU: vcpus(name), NetworkInterfaces: 100, AddressesPerInterface: 2}.instance(name)
		}
		if n := t.MaxPods(true); i == 0 || n < least {
			least = n
		}
	}
	return least
}
