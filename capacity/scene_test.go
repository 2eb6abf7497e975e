package capacity_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/capacity"
)

func TestScenes(t *testing.T) {
	in := production(t)
	night := calendar.Size{Min: 2, Desired: 2, Max: 6}
	for l, want := range map[capacity.Load]struct {
		scenes, nodes int
		pods          []int // coredns, metrics-server, the apps, and the pods that a release adds
	}{
		capacity.Minimum:        {1, 2, []int{2, 2, 2, 2, 2}},
		capacity.Release:        {1, 2, []int{2, 2, 2, 2, 2, 1, 1, 1}},
		capacity.MaximumRelease: {1, 2, []int{2, 2, 8, 2, 2, 2, 1, 1}},
		capacity.Headroom:       {1, 2, []int{2, 2, 9, 2, 2}},
		capacity.ZoneLost:       {2, 1, []int{2, 2, 2, 2, 2}},
	} {
		scenes, err := in.Scenes(l, night)
		if err != nil || len(scenes) != want.scenes {
			t.Fatalf("%s: %d scenes, %v", l, len(scenes), err)
		}
		s := scenes[0]
		var pods []int
		for i, b := range s.Batches {
			pods = append(pods, b.Pods)
			if b.Release != (i >= 5) {
				t.Errorf("%s: %s of a release: %v", l, b.App.Name, b.Release)
			}
		}
		if len(s.Nodes) != want.nodes || len(s.PerNode) != 3 || !reflect.DeepEqual(pods, want.pods) {
			t.Errorf("%s: %d nodes, %v pods, want %d, %v", l, len(s.Nodes), pods, want.nodes, want.pods)
		}
		if v, left := s.Judge(); v != capacity.Certain || left != nil {
			t.Errorf("%s: %s, %v", l, v, left)
		}
	}
}

// Two small pods lie on one node each, as the scheduler likes it, and the large one waits; when it comes first, nobody does.
func TestOutcomesOfAnOrder(t *testing.T) {
	in := production(t)
	in.System = &capacity.System{}
	in.Apps = []capacity.App{
		{Name: "small", Requests: capacity.Resources{MilliCPU: 900, Memory: mib}, Min: 2},
		{Name: "large", Requests: capacity.Resources{MilliCPU: 1800, Memory: mib}, Min: 1},
	}
	scenes, err := in.Scenes(capacity.Minimum, calendar.Size{Desired: 2, Max: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		order []int
		want  [][]int
	}{{[]int{0, 0, 1}, [][]int{{0, 1}}}, {[]int{1, 0, 0}, [][]int{{0, 0}}}} {
		if got, complete := scenes[0].Outcomes(c.order); !complete || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %v, want %v", c.order, got, c.want)
		}
	}
}

// A system of the size of a large team's is planned while somebody waits for a preview.
func BenchmarkPlan(b *testing.B) {
	typ, err := capacity.Lookup("m6i.2xlarge")
	if err != nil {
		b.Fatal(err)
	}
	in := capacity.Input{Groups: []capacity.NodeGroup{{Name: "main", Instances: []capacity.Instance{typ}, Zones: []string{"a", "b", "c"}, Size: calendar.Size{Min: 30, Desired: 30, Max: 60}}}}
	for i := range 30 {
		in.Apps = append(in.Apps, capacity.App{
			Name: "app" + time.Duration(i).String(), Requests: capacity.Resources{MilliCPU: int64(200 + 50*i), Memory: int64(256+64*i) * mib}, Min: 5, Max: 12, SurgeAtMin: 2, SurgeAtMax: 3,
			Spread: capacity.Spread{Zones: capacity.SpreadPreferred, Nodes: capacity.SpreadPreferred},
		})
	}
	for b.Loop() {
		if _, err := capacity.Plan(in); err != nil {
			b.Fatal(err)
		}
	}
}
