package instancetypes

import (
	"strings"
	"testing"
)

// The numbers are those that real nodes report (kubectl describe node), memory apart, of which real nodes have a little more.
func TestNodesOfKnownTypes(t *testing.T) {
	for _, c := range []struct {
		name     string
		arch     string
		pods     int
		milliCPU int
		memory   int
	}{
		{"t3.medium", AMD64, 17, 1930, 4096 - 307 - 255 - 11*17 - 100},
		{"m5.large", AMD64, 29, 1930, 8192 - 614 - 255 - 11*29 - 100},
		{"m5.xlarge", AMD64, 58, 3920, 16384 - 1228 - 255 - 11*58 - 100},
		{"m5.2xlarge", AMD64, 58, 7910, 32768 - 2457 - 255 - 11*58 - 100},
		{"m5.4xlarge", AMD64, 110, 15890, 65536 - 4915 - 255 - 11*110 - 100}, // 234 by addresses
		{"c5.9xlarge", AMD64, 234, 35840, 73728 - 5529 - 255 - 11*234 - 100},
		{"m5.24xlarge", AMD64, 250, 95690, 393216 - 29491 - 255 - 11*250 - 100}, // 737 by addresses
		{"m7g.medium", ARM64, 8, 940, 4096 - 307 - 255 - 11*8 - 100},
	} {
		typ, err := Lookup(c.name)
		if err != nil {
			t.Error(err)
			continue
		}
		got := typ.Allocatable()
		if want := (Resources{c.milliCPU, c.memory, c.pods}); got != want || typ.Arch != c.arch {
			t.Errorf("%s: %+v on %s, want %+v on %s", c.name, got, typ.Arch, want, c.arch)
		}
		if capacity := typ.Capacity(); capacity.MilliCPU != typ.VCPU*1000 || capacity.MemoryMiB <= got.MemoryMiB {
			t.Errorf("%s: capacity %+v", c.name, capacity)
		}
	}
}

func TestEveryTypeHasRoomForPods(t *testing.T) {
	for _, name := range Names() {
		typ, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if a := typ.Allocatable(); a.MemoryMiB < 256 || a.MilliCPU < 900 || a.Pods < 4 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestUnknownTypeNamesWhatThereIs(t *testing.T) {
	_, err := Lookup("t3.huge")
	if err == nil || !strings.Contains(err.Error(), `instance type "t3.huge" is not known to the sandbox, it knows of this family t3.2xlarge, t3.large, `) {
		t.Errorf("known family: %v", err)
	}
	_, err = Lookup("p5.48xlarge")
	if err == nil || !strings.Contains(err.Error(), "it knows the families c5, c6a, ") {
		t.Errorf("unknown family: %v", err)
	}
}
