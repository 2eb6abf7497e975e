package calendar

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/slipway-iac/slipway/internal/check"
)

func made(args Schedule) string {
	var p check.Problems
	var lines []string
	for _, m := range args.presets(&p) {
		lines = append(lines, fmt.Sprintf("%s: %s to %d", m.action.Name, m.action.Recurrence, *m.action.Desired))
	}
	if err := p.Err("t", "n"); err != nil {
		lines = append(lines, err.Error())
	}
	return strings.Join(lines, "\n")
}

func TestPresets(t *testing.T) {
	base, low, none := Size{2, 6, 3}, Size{1, 2, 1}, Size{0, 1, 0}
	nights := &Nights{DownAt: "20:00", UpAt: "07:00", Size: low}
	weekends := &Weekends{From: "Fri 20:00", Until: "Mon 07:00", Size: none}
	for name, tc := range map[string]struct {
		args Schedule
		want string
	}{
		"nights": {Schedule{Base: base, Nights: nights}, `
nights-down: 0 20 * * * to 1
nights-up: 0 7 * * * to 3`},
		"weekends": {Schedule{Base: base, Weekends: weekends}, `
weekends-down: 0 20 * * 5 to 0
weekends-up: 0 7 * * 1 to 3`},
		"office hours": {Schedule{Base: base, OfficeHours: &OfficeHours{From: "07:00", Until: "20:30", Size: none}}, `
office-hours-begin: 0 7 * * 1-5 to 3
office-hours-over: 30 20 * * 1-5 to 0`},
		"office hours over midnight, and nights": {Schedule{Base: base, Nights: nights, OfficeHours: &OfficeHours{From: "22:00", Until: "06:00", Size: Size{3, 2, 3}}}, `
nights-down: 0 20 * * * to 1
nights-up: 0 7 * * * to 3
t "n" has 3 invalid argument(s):
  officeHours.until is "06:00", must be later in the day than officeHours.from (22:00)
  officeHours must be left out beside nights and weekends: both say when the group is smaller
  officeHours.size.max is 2, must be at least 1 and at least min (3)`},
		"both": {Schedule{Base: base, Nights: nights, Weekends: weekends}, `
nights-down: 0 20 * * 1-4 to 1
nights-up: 0 7 * * 2-5 to 3
weekends-down: 0 20 * * 5 to 0
weekends-up: 0 7 * * 1 to 3`},
		"weekend from midnight to Sunday noon": {Schedule{Base: base, Nights: nights, Weekends: &Weekends{"Sat 00:00", "Sun 12:30", none}}, `
nights-down: 0 20 * * 0-5 to 1
nights-up: 0 7 * * 1-5 to 3
weekends-down: 0 0 * * 6 to 0
weekends-up: 30 12 * * 0 to 3`},
		"back in the middle of a night": {Schedule{Base: base, Nights: nights, Weekends: &Weekends{"Fri 20:00", "Mon 06:00", none}}, `
nights-down: 0 20 * * 1-4 to 1
nights-up: 0 7 * * 1-5 to 3
weekends-down: 0 20 * * 5 to 0
weekends-up: 0 6 * * 1 to 3
t "n" has 1 invalid argument(s):
  weekends.until is "Mon 06:00", must not lie inside a night (20:00 to 07:00): the nodes would come back in the middle of it`},
	} {
		if got := made(tc.args); got != strings.TrimSpace(tc.want) {
			t.Errorf("%s:\n%s\nwant%s", name, got, tc.want)
		}
	}
}

// Whatever nights and weekends are asked for: at every minute of the week the size is that of the weekend, or else of the
// night, or else the base, and no minute has two actions.
func TestPresetsGiveEachMinuteItsSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, low, none := Size{2, 6, 3}, Size{1, 2, 1}, Size{0, 1, 0}
		args := Schedule{Base: base}
		// On few hours, so that two moments often are the same.
		moment := func(days int, label string) int {
			return rapid.IntRange(0, days-1).Draw(t, label+" day")*day + rapid.SampledFrom([]int{0, 1, 7 * 60, 20 * 60, day - 1}).Draw(t, label)
		}
		down, up, from, until := moment(1, "down"), moment(1, "up"), moment(7, "from"), moment(7, "until")
		clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m%day/60, m%60) }
		weekday := func(m int) string { return time.Weekday(m / day).String()[:3] + " " + clock(m) }
		if rapid.Bool().Draw(t, "nights") {
			args.Nights = &Nights{clock(down), clock(up), low}
		}
		if rapid.Bool().Draw(t, "weekends") || args.Nights == nil {
			args.Weekends = &Weekends{weekday(from), weekday(until), none}
		}
		var p check.Problems
		actions := args.presets(&p)
		if !p.None() {
			t.Skip("an argument is wrong") // this draw only: what is refused has no actions to look at
		}
		crons := make([]recurrence, len(actions))
		for i, a := range actions {
			var problem string
			if crons[i], problem = parseRecurrence(a.action.Recurrence); problem != "" {
				t.Fatal(problem)
			}
		}
		sunday := time.Date(2024, 1, 7, 0, 0, 0, 0, time.UTC)
		size := -1
		for m := range 2 * week {
			var now []string
			for i, a := range actions {
				if crons[i].runsAt(sunday.Add(time.Duration(m) * time.Minute)) {
					now, size = append(now, a.action.Name), *a.action.Desired
				}
			}
			want := base.Desired
			if args.Nights != nil && inside(m%day, down, up, day) {
				want = low.Desired
			}
			if args.Weekends != nil && inside(m%week, from, until, week) {
				want = none.Desired
			}
			if len(now) > 1 || m >= week && size != want {
				t.Fatalf("%s: size %d, want %d; %v run", weekday(m%week), size, want, slices.Sorted(slices.Values(now)))
			}
		}
	})
}
