package calendar_test

import (
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/internal/check"
)

// TestRunsOfAWeek: the actions between a week's first change and the next one's, with those of dates only in the week that has them.
func TestRunsOfAWeek(t *testing.T) {
	s := production()
	s.Actions = []calendar.Action{{Name: "sale", Start: "2026-11-27T08:00", Min: n(2), Desired: n(5)}}
	weeks, err := s.Weeks(at(t, "Europe/Madrid", "2026-08-12 09:00"))
	if err != nil {
		t.Fatal(err)
	}
	runs := func(w calendar.Week) string {
		var all []string
		for _, r := range w.Runs {
			all = append(all, r.At.Format("Mon 15:04 ")+r.Action.Name)
		}
		return strings.Join(all, ", ")
	}
	const usual = "Mon 06:30 weekends-up, Mon 20:00 nights-down, Tue 06:30 nights-up, Tue 20:00 nights-down, Wed 06:30 nights-up, Wed 20:00 nights-down, " +
		"Thu 06:30 nights-up, Thu 20:00 nights-down, Fri 06:30 nights-up, Fri 20:00 weekends-down"
	if got := runs(weeks[0]); got != usual {
		t.Errorf("a usual week has\n%s\nwant\n%s", got, usual)
	}
	found := false
	for _, w := range weeks {
		if sale := strings.Contains(runs(w), "Fri 08:00 sale"); sale != (w.Name == "the week of 23 Nov 2026") {
			t.Errorf("%s has %s", w.Name, runs(w))
		} else if sale {
			found = true
		}
	}
	if !found {
		t.Error("no week has the sale")
	}
}

// TestWhatHasBegunIsUsual, and what has yet to begin is not.
func TestWhatHasBegunIsUsual(t *testing.T) {
	for start, want := range map[string]float64{"2026-01-01T00:00": 7 * (12*3 + 12), "2026-10-01T00:00": 7 * 24} {
		s := calendar.Schedule{Base: calendar.Size{Max: 9, Desired: 1}, Actions: []calendar.Action{
			{Name: "up", Recurrence: "0 8 * * *", Desired: n(3), Start: start}, {Name: "down", Recurrence: "0 20 * * *", Desired: n(1)},
		}}
		weeks, err := s.Weeks(at(t, "Etc/UTC", "2026-08-12 09:00"))
		if err != nil || weeks[0].NodeHours() != want {
			t.Errorf("from %s on: %v, %v, want %v", start, weeks[0].NodeHours(), err, want)
		}
	}
}

// TestWhatIsOverSaysWhen, in the schedule's zone: a wrong year looks like an action that has run.
func TestWhatIsOverSaysWhen(t *testing.T) {
	s := calendar.Schedule{TimeZone: "Europe/Madrid", Base: calendar.Size{Max: 9, Desired: 1}, Actions: []calendar.Action{
		{Name: "sale", Start: "2025-11-28T07:00:00Z", End: "2025-11-29T08:00", Desired: n(5)},
		{Name: "summer", Recurrence: "0 9 * * 1", End: "2026-08-01T00:00", Desired: n(2)},
		{Name: "still", Recurrence: "0 10 * * 1", Start: "2026-08-01T00:00", Desired: n(2)},
		{Name: "in-force", Start: "2026-08-01T08:00", End: "2026-09-01T08:00", Desired: n(3)},
	}}
	now := at(t, s.TimeZone, "2026-08-12 09:00")
	var p check.Problems
	_, plan := s.Checked(&p, "week", now)
	var got []string
	for _, e := range plan {
		if says := e.Passed(s.TimeZone, now); e.Over(now) && says != "" {
			got = append(got, says)
		}
	}
	want := `actions[0] (sale) has its start on Fri 2025-11-28 08:00 Europe/Madrid, which has passed, so that Auto Scaling is not asked for it: take it out, or correct its start
actions[1] (summer) has ended on Sat 2026-08-01 00:00 Europe/Madrid: take it out, or correct its end`
	if !p.None() || strings.Join(got, "\n") != want {
		t.Errorf("%v\n%s\nwant\n%s", p.Err("t", "n"), strings.Join(got, "\n"), want)
	}
}
