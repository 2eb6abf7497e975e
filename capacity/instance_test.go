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
