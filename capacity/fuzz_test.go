package capacity_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/capacity"
)

// FuzzPlan takes whatever there is for a system: a plan refuses it or gives the same answer twice, and keeps to what it says.
func FuzzPlan(f *testing.F) {
	f.Add([]byte{3, 2, 6, 1, 10, 10, 2, 8, 1, 1, 20, 20, 2, 2, 1, 2})
	f.Add([]byte{1, 1, 1, 0, 200, 200, 9, 9, 9, 0})
	f.Add([]byte{4, 0, 9, 2, 0, 0, 3, 3, 3, 8, 255, 0, 1, 0, 0, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		next := func(below int) int {
			if len(data) == 0 {
				return 0
			}
			b := int(data[0]) % below
			data = data[1:]
			return b
		}
		modes := []string{"", capacity.SpreadOff, capacity.SpreadPreferred, capacity.SpreadRequired, "?"}
		names := capacity.Names()
		typ, err := capacity.Lookup(names[next(len(names))])
		if err != nil {
			t.Fatal(err)
		}
		in := capacity.Input{Groups: []capacity.NodeGroup{{
			Name: "g", Instances: []capacity.Instance{typ}, Zones: []string{"a", "b", "c"}[:1+next(3)],
			Owner: []string{"", capacity.OwnerFixed, capacity.OwnerAutoscaler, capacity.OwnerSchedule}[next(4)],
			Size:  calendar.Size{Min: next(3), Desired: next(6), Max: next(8)},
		}}}
		if in.Groups[0].Owner == capacity.OwnerSchedule {
			w, err := calendar.Schedule{Base: calendar.Size{Max: 6, Desired: next(5)}, Nights: &calendar.Nights{DownAt: "20:00", UpAt: "07:00", Size: calendar.Size{Max: 3, Desired: next(3)}}}.Weeks(time.Unix(1.8e9, 0))
			if err != nil {
				t.Fatal(err)
			}
			in.Weeks = w[:1]
		}
		for i := 0; len(data) > 0 && i < 3; i++ {
			in.Apps = append(in.Apps, capacity.App{
				Name: string(rune('p' + next(4))), Requests: capacity.Resources{MilliCPU: int64(next(256)) * 20, Memory: int64(next(256)) * 32 * mib},
				Min: next(5) - 1, Max: next(7), SurgeAtMin: next(3), SurgeAtMax: next(3), Loose: next(2) == 1,
				Spread: capacity.Spread{Zones: modes[next(len(modes))], Nodes: modes[next(len(modes))]},
			})
		}
		r, err := capacity.Plan(in)
		again, err2 := capacity.Plan(in)
		if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() || !reflect.DeepEqual(r, again) {
			t.Fatalf("%v %v\n%+v\n%+v", err, err2, r, again)
		}
		if err != nil {
			return
		}
		for _, i := range r.Weeks[0].Intervals {
			verdict := map[capacity.Load]capacity.Verdict{}
			for _, c := range i.Cases {
				verdict[c.Load] = c.Verdict
				if c.Verdict == capacity.Certain && len(c.LeftOut) > 0 || c.Verdict > capacity.Expected && len(c.LeftOut) == 0 {
					t.Fatalf("%+v", c)
				}
			}
			required := false
			for _, a := range in.Apps {
				required = required || a.Spread.Zones == capacity.SpreadRequired || a.Spread.Nodes == capacity.SpreadRequired
			}
			for _, l := range []capacity.Load{capacity.ZoneLost, capacity.NodeDrained, capacity.Release, capacity.Maximum, capacity.Headroom} {
				if v, tried := verdict[l]; tried && v == capacity.Certain && verdict[capacity.Minimum] > capacity.Expected && !required {
					t.Fatalf("%s is certain, the minimum %s", l, verdict[capacity.Minimum])
				}
			}
		}
		_, _ = r.Err(), r.Warnings()
	})
}
