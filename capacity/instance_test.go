package capacity

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// CPU and pods are what real nodes report (kubectl describe node); of memory, real nodes have a little more.
func TestAllocatable(t *testing.T) {
	for _, c := range []struct {
		name      string
		arch      string
		milliCPU  int64
		memoryMiB int64
		pods      int
		prefix    int
	}{
		{"t3.medium", "amd64", 1930, 4096 - 307 - 255 - 11*17 - 100, 17, 110},
		{"m5.large", "amd64", 1930, 8192 - 614 - 255 - 11*29 - 100, 29, 110},
		{"m5.xlarge", "amd64", 3920, 16384 - 1228 - 255 - 11*58 - 100, 58, 110},
		{"m5.2xlarge", "amd64", 7910, 32768 - 2457 - 255 - 11*58 - 100, 58, 110},
		{"m5.4xlarge", "amd64", 15890, 65536 - 4915 - 255 - 11*234 - 100, 110, 110}, // memory is reserved for the 234 by addresses
		{"c5.9xlarge", "amd64", 35840, 73728 - 5529 - 255 - 11*234 - 100, 234, 250},
		{"m5.24xlarge", "amd64", 95690, 393216 - 29491 - 255 - 11*737 - 100, 250, 250},
		{"m7g.medium", "arm64", 940, 4096 - 307 - 255 - 11*8 - 100, 8, 98},
		{"r7a.medium", "amd64", 940, 8192 - 614 - 255 - 11*8 - 100, 8, 98},
		{"r8g.large", "arm64", 1930, 16384 - 1228 - 255 - 11*29 - 100, 29, 110},
		{"c8g.xlarge", "arm64", 3920, 8192 - 614 - 255 - 11*58 - 100, 58, 110},
		{"i4i.24xlarge", "amd64", 95690, 786432 - 58982 - 255 - 11*437 - 100, 250, 250},
		{"t3a.small", "amd64", 1930, 2048 - 153 - 255 - 11*8 - 100, 8, 98},
	} {
		typ, err := Lookup(c.name)
		if err != nil {
			t.Error(err)
			continue
		}
		got, pods := typ.Allocatable(80, false)
		if want := (Resources{c.milliCPU, c.memoryMiB * mib, 71 * gib}); got != want || pods != c.pods || typ.Arch != c.arch {
			t.Errorf("%s: %+v, %d pods on %s, want %+v, %d on %s", c.name, got, pods, typ.Arch, want, c.pods, c.arch)
		}
		if got := typ.MaxPods(true); got != c.prefix {
			t.Errorf("%s: %d pods with prefixes, want %d", c.name, got, c.prefix)
		}
	}
}

// What a kubelet may be told at most; MaxPods is what EKS tells it by itself, and never more.
func TestMostPods(t *testing.T) {
	for name, want := range map[string][2]int{
		"m5.large": {29, 110}, "m7g.medium": {8, 98}, "m5.4xlarge": {234, 234}, "c5.9xlarge": {234, 250}, "m5.16xlarge": {250, 250},
	} {
		for i, prefixes := range []bool{false, true} {
			if got, why := table[name].MostPods(prefixes); got != want[i] || why == "" {
				t.Errorf("%s, prefixes %v: %d (%s), want %d", name, prefixes, got, why, want[i])
			}
		}
	}
	for _, name := range Names() {
		plain, _ := table[name].MostPods(false)
		prefixes, _ := table[name].MostPods(true)
		if table[name].MaxPods(false) > plain || table[name].MaxPods(true) > prefixes || prefixes < plain {
			t.Errorf("%s: %d of at most %d, with prefixes %d of %d", name, table[name].MaxPods(false), plain, table[name].MaxPods(true), prefixes)
		}
	}
}

func TestAddressesOfANode(t *testing.T) {
	for _, c := range []struct {
		name     string
		pods     int
		prefixes bool
		want     int
	}{
		{"m5.large", 2, false, 10},   // no pod needs one: the interface that every node has
		{"m5.large", 11, false, 20},  // 9 pods fill one, and one is kept ready
		{"m5.large", 12, false, 30},  //
		{"m5.large", 29, false, 30},  // there is no fourth
		{"m5.large", 110, true, 129}, // 7 blocks for 108 pods, one kept ready, and the address of the one interface that holds them
		{"m7g.medium", 98, true, 98}, // 6 blocks on two interfaces are all
	} {
		if got := table[c.name].Addresses(c.pods, c.prefixes); got != c.want {
			t.Errorf("%s with %d pods, prefixes %v: %d, want %d", c.name, c.pods, c.prefixes, got, c.want)
		}
	}
}

// What a group's kubelets are told counts, in place of what EKS would say.
func TestKubeletOfAGroup(t *testing.T) {
	group := NodeGroup{
		Name: "main", Instances: []Instance{table["m5.xlarge"], table["m5.large"]}, Zones: []string{"a"},
		MaxPods: 20, SystemReserved: Resources{MilliCPU: 100, Memory: 200 * mib}, KubeReservedMemory: 1024 * mib,
	}
	n := group.nodes(1)[0]
	if want := (Resources{1830, (8192 - 614 - 1024 - 100 - 200) * mib, 71 * gib}); n.Allocatable != want || n.Pods != 20 {
		t.Errorf("%+v, %d pods, want %+v", n.Allocatable, n.Pods, want)
	}
	group.MaxPods, group.SystemReserved, group.KubeReservedMemory = 0, Resources{Memory: 1 << 50}, 0
	if n := group.nodes(1)[0]; n.Allocatable.Memory != 0 || n.Pods != 29 {
		t.Errorf("%+v, %d pods", n.Allocatable, n.Pods)
	}
}

func TestUnknownTypeNamesWhatThereIs(t *testing.T) {
	for name, want := range map[string]string{
		"t3.huge":     `instance type "t3.huge" is in no table, which has of t3 2xlarge, large, medium, micro, small, xlarge: give its numbers`,
		"p5.48xlarge": `instance type "p5.48xlarge" is in no table, which has the families c5, c6a, `,
	} {
		if _, err := Lookup(name); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The sandbox's nodes must be those of the plan; its module cannot be imported here, so both hold on to this file.
func TestInstancesFile(t *testing.T) {
	var b strings.Builder
	b.WriteString("type\tarch\tvcpu\tmemoryMiB\tenis\tipsPerENI\tmilliCPU\tallocatableMiB\tpods\n")
	for _, name := range Names() {
		i := table[name]
		r, pods := i.Allocatable(80, false)
		fmt.Fprintf(&b, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", name, i.Arch, i.VCPU, i.MemoryMiB, i.ENIs, i.IPsPerENI, r.MilliCPU, r.Memory/mib, pods)
	}
	const file = "testdata/instances.tsv"
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is not what the table says; UPDATE=1 writes it anew", file)
	}
}

func TestEveryTypeHasRoomForPods(t *testing.T) {
	for _, name := range Names() {
		r, pods := table[name].Allocatable(20, false)
		if r.Memory < 256*mib || r.MilliCPU < 900 || r.Ephemeral < 16*gib || pods < 4 {
			t.Errorf("%s: %+v, %d pods", name, r, pods)
		}
		for _, l := range table[name].larger() {
			if l.MemoryMiB <= table[name].MemoryMiB || l.Arch != table[name].Arch {
				t.Errorf("%s is no larger %s", l.Name, name)
			}
		}
	}
}
