package instancetypes

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"
)

// The library plans with a table of its own, in another module; its tests write down what it says. A simulated node is what the
// plan took it for, and has no less memory than that.
func TestNodesAreThoseOfThePlan(t *testing.T) {
	f, err := os.Open("../../../capacity/testdata/instances.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = '\t'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	plan := map[string][]string{}
	for _, row := range rows[1:] {
		plan[row[0]] = row[1:]
	}
	for _, name := range Names() {
		row, ok := plan[name]
		if !ok {
			t.Errorf("%s is not in the plan's table", name)
			continue
		}
		n := make([]int, len(row))
		for i := 1; i < len(row); i++ {
			if n[i], err = strconv.Atoi(row[i]); err != nil {
				t.Fatal(err)
			}
		}
		typ, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if want := (Type{name, row[0], n[1], n[2], n[3], n[4]}); typ != want {
			t.Errorf("%+v, in the plan %+v", typ, want)
		}
		if a := typ.Allocatable(); a.MilliCPU != n[5] || a.MemoryMiB < n[6] || a.Pods != n[7] {
			t.Errorf("%s: %+v, in the plan %d, %d, %d", name, a, n[5], n[6], n[7])
		}
	}
}
