package calendar_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/cronexpr"
	"pgregory.net/rapid"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/internal/check"
)

func n(i int) *int { return &i }

func at(t *testing.T, zone, text string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	moment, err := time.ParseInLocation("2006-01-02 15:04", text, loc)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func lines(all []calendar.Interval) string {
	var b strings.Builder
	for _, i := range all {
		fmt.Fprintf(&b, "%s %d–%d–%d\n", i.From.Format("Mon 02 15:04 -07"), i.Size.Min, i.Size.Desired, i.Size.Max)
	}
	return b.String()
}

func production() calendar.Schedule {
	return calendar.Schedule{
		TimeZone: "Europe/Madrid", Base: calendar.Size{Min: 2, Max: 6, Desired: 3},
		Nights:   &calendar.Nights{DownAt: "20:00", UpAt: "06:30", Size: calendar.Size{Min: 1, Max: 6, Desired: 2}},
		Weekends: &calendar.Weekends{From: "Fri 20:00", Until: "Mon 06:30", Size: calendar.Size{Max: 6, Desired: 1}},
	}
}

func TestIntervals(t *testing.T) {
	once := func(name, start string, size ...*int) calendar.Action {
		return calendar.Action{Name: name, Start: start, Min: size[0], Desired: size[1], Max: size[2]}
	}
	for name, tc := range map[string]struct {
		schedule    calendar.Schedule
		from, until string
		want        string
	}{
		"nights and weekends": {production(), "2026-10-07 12:00", "2026-10-12 12:00", `
Wed 07 12:00 +02 2–3–6
Wed 07 20:00 +02 1–2–6
Thu 08 06:30 +02 2–3–6
Thu 08 20:00 +02 1–2–6
Fri 09 06:30 +02 2–3–6
Fri 09 20:00 +02 0–1–6
Mon 12 06:30 +02 2–3–6`},
		"clocks go back in the weekend": {production(), "2026-10-24 12:00", "2026-10-26 12:00", `
Sat 24 12:00 +02 0–1–6
Mon 26 06:30 +01 2–3–6`},
		"an action at the time that does not exist runs when clocks go forward, one after it later": {
			calendar.Schedule{TimeZone: "Europe/Madrid", Base: calendar.Size{Max: 9, Desired: 1}, Actions: []calendar.Action{
				{Name: "in", Recurrence: "30 2 * * *", Desired: n(2)}, {Name: "after", Recurrence: "15 3 * * *", Desired: n(3)}, {Name: "back", Recurrence: "0 12 * * *", Desired: n(1)},
			}}, "2027-03-27 12:00", "2027-03-29 12:00", `
Sat 27 12:00 +01 0–1–9
Sun 28 03:00 +02 0–2–9
Sun 28 03:15 +02 0–3–9
Sun 28 12:00 +02 0–1–9
Mon 29 02:30 +02 0–2–9
Mon 29 03:15 +02 0–3–9`,
		},
		"of two at times that do not exist the later one holds": {
			calendar.Schedule{TimeZone: "Europe/Madrid", Base: calendar.Size{Max: 9, Desired: 1}, Actions: []calendar.Action{
				{Name: "late", Recurrence: "45 2 * * *", Desired: n(3)}, {Name: "early", Recurrence: "10 2 * * *", Desired: n(2)},
			}}, "2027-03-28 00:00", "2027-03-29 00:00", "\nSun 28 00:00 +01 0–3–9",
		},
		"at the time that is there twice an action runs the first time": {
			calendar.Schedule{TimeZone: "Europe/Madrid", Base: calendar.Size{Max: 9, Desired: 1}, Actions: []calendar.Action{
				{Name: "in", Recurrence: "30 2 * * *", Desired: n(2)}, {Name: "between", Recurrence: "45 2 * * *", Desired: n(3)},
			}}, "2026-10-25 00:00", "2026-10-25 12:00", `
Sun 25 00:00 +02 0–3–9
Sun 25 02:30 +02 0–2–9
Sun 25 02:45 +02 0–3–9`,
		},
		"base holds before the first action, and what is not set is left alone": {
			calendar.Schedule{Base: calendar.Size{Min: 1, Max: 6, Desired: 2}, Actions: []calendar.Action{
				once("more", "2026-11-02T08:00", nil, n(5), nil), once("ceiling", "2026-11-03T08:00", nil, nil, n(9)),
			}}, "2026-11-01 00:00", "2026-11-04 00:00", `
Sun 01 00:00 +00 1–2–6
Mon 02 08:00 +00 1–5–6
Tue 03 08:00 +00 1–5–9`,
		},
		"desired follows a minimum above it and a maximum below it": {
			calendar.Schedule{Base: calendar.Size{Min: 1, Max: 6, Desired: 2}, Actions: []calendar.Action{
				once("min", "2026-11-02T08:00", n(4), nil, n(6)), once("max", "2026-11-03T08:00", n(1), nil, n(3)), once("free", "2026-11-04T08:00", nil, nil, n(6)),
			}}, "2026-11-01 00:00", "2026-11-05 00:00", `
Sun 01 00:00 +00 1–2–6
Mon 02 08:00 +00 4–4–6
Tue 03 08:00 +00 1–3–3
Wed 04 08:00 +00 1–3–6`,
		},
		"an end brings base back, and a recurring action runs at its start too": {
			calendar.Schedule{Base: calendar.Size{Min: 1, Max: 6, Desired: 2}, Actions: []calendar.Action{
				{Name: "x", Recurrence: "0 9 * * *", Desired: n(5), Start: "2026-11-02T07:00", End: "2026-11-02T12:00"},
			}}, "2026-11-02 00:00", "2026-11-05 00:00", `
Mon 02 00:00 +00 1–2–6
Mon 02 07:00 +00 1–5–6
Mon 02 12:00 +00 1–2–6`,
		},
		"what ran before counts": {
			calendar.Schedule{Base: calendar.Size{Min: 1, Max: 6, Desired: 2}, Actions: []calendar.Action{{Name: "x", Recurrence: "0 9 1 2 *", Desired: n(5)}}},
			"2026-11-02 00:00", "2026-11-05 00:00", "\nMon 02 00:00 +00 1–5–6",
		},
		"nothing changes": {calendar.Schedule{Base: calendar.Size{Max: 6, Desired: 2}}, "2026-11-02 00:00", "2026-11-05 00:00", "\nMon 02 00:00 +00 0–2–6"},
	} {
		zone := tc.schedule.TimeZone
		if zone == "" {
			zone = "Etc/UTC"
		}
		got, err := tc.schedule.Intervals(at(t, zone, tc.from), at(t, zone, tc.until))
		if err != nil || lines(got) != tc.want[1:]+"\n" {
			t.Errorf("%s: %v\n%s\nwant%s", name, err, lines(got), tc.want)
		}
	}
}

var zones = []string{"Etc/UTC", "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Apia"}

func recurrence() *rapid.Generator[string] {
	field := func(lo, hi int, words ...string) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			a, b := rapid.IntRange(lo, hi).Draw(t, "a"), rapid.IntRange(lo, hi).Draw(t, "b")
			a, b = min(a, b), max(a, b)
			all := []string{"*", strconv.Itoa(a), fmt.Sprintf("%d,%d", a, b)}
			if a < b { // the other implementation takes 0-0 as a day of the week for all days
				all = append(all, fmt.Sprintf("%d-%d", a, b), fmt.Sprintf("%d-%d/%d", a, b, 1+(b-a)/2))
			}
			if words != nil {
				all = append(all, words[a%len(words)])
			}
			return rapid.SampledFrom(all).Draw(t, "form")
		})
	}
	return rapid.Custom(func(t *rapid.T) string {
		minute := rapid.SampledFrom([]string{"0", "30", "*/20", "7,59"}).Draw(t, "minute")
		return strings.Join([]string{
			minute, field(0, 23).Draw(t, "hour"), field(1, 28).Draw(t, "day"), field(1, 12, "jan", "Feb", "DEC").Draw(t, "month"),
			field(0, 6, "mon", "Sat", "SUN").Draw(t, "weekday"),
		}, " ")
	})
}

// someSchedule changes the desired size at random times, to sizes that differ.
func someSchedule(t *rapid.T) calendar.Schedule {
	s := calendar.Schedule{TimeZone: rapid.SampledFrom(zones).Draw(t, "zone"), Base: calendar.Size{Max: 99, Desired: 1}}
	for i := range rapid.IntRange(1, 4).Draw(t, "actions") {
		s.Actions = append(s.Actions, calendar.Action{Name: fmt.Sprint("a", i), Recurrence: recurrence().Draw(t, "recurrence"), Desired: n(2 + i)})
	}
	return s
}

// someTime is often near a change of clocks.
func someTime(t *rapid.T, zone *time.Location) time.Time {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 3*366*24*60).Draw(t, "minutes")) * time.Minute)
	if _, end := start.In(zone).ZoneBounds(); !end.IsZero() && rapid.Bool().Draw(t, "near a change") {
		return end.Truncate(time.Minute).Add(-time.Duration(rapid.IntRange(0, 36*60).Draw(t, "before")) * time.Minute)
	}
	return start.In(zone)
}

// Every moment at which an action runs is one that a second implementation of cron finds, minute by minute on the clock of the
// zone; a minute that the clock shows twice counts the first time, and one that it jumps over at the jump.
func TestRunsAreThoseOfAnotherCron(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := recurrence().Draw(t, "recurrence")
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		other, err := cronexpr.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		dueAt := map[time.Time]bool{}
		wallOf := func(t time.Time) time.Time {
			return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
		}
		from := someTime(t, zone)
		until := from.Add(60 * time.Hour)
		for wall := other.Next(wallOf(from).Add(-80 * time.Hour)); !wall.IsZero() && wall.Before(wallOf(until).Add(80*time.Hour)); wall = other.Next(wall) {
			dueAt[wall] = true
		}
		due := func(wall time.Time) bool { return dueAt[wall] }
		var want []time.Time
		seen := map[time.Time]bool{}
		for m := from.Add(-26 * time.Hour); m.Before(until); m = m.Add(time.Minute) {
			now, before := wallOf(m), wallOf(m.Add(-time.Minute))
			runs := due(now) && !seen[now]
			seen[now] = true
			for skipped := before.Add(time.Minute); skipped.Before(now); skipped = skipped.Add(time.Minute) {
				runs = runs || due(skipped)
			}
			if runs && !m.Before(from) {
				want = append(want, m)
			}
		}
		var got []time.Time
		calendar.EachRun(text, from, until, func(at time.Time) { got = append(got, at) })
		slices.SortFunc(got, time.Time.Compare)
		got = slices.CompactFunc(got, time.Time.Equal)
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Fatalf("%q in %s from %s:\n%v\nwant\n%v", text, name, from, got, want)
		}
	})
}

// minutes runs fn for each minute, with the interval that it falls into.
func minutes(t *rapid.T, all []calendar.Interval, from, until time.Time, fn func(calendar.Interval)) {
	i := 0
	for m := from; m.Before(until); m = m.Add(time.Minute) {
		for i < len(all) && !m.Before(all[i].Until) {
			i++
		}
		if i == len(all) || m.Before(all[i].From) {
			t.Fatalf("no interval has %s", m)
		}
		fn(all[i])
	}
}

func TestIntervalsTileAndAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := someSchedule(t)
		zone, err := time.LoadLocation(s.TimeZone)
		if err != nil {
			t.Fatal(err)
		}
		from := someTime(t, zone)
		until := from.Add(time.Duration(rapid.IntRange(1, 20*24*60).Draw(t, "length")) * time.Minute)
		all, err := s.Intervals(from, until)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 || !all[0].From.Equal(from) || !all[len(all)-1].Until.Equal(until) {
			t.Fatalf("not from %s until %s: %v", from, until, all)
		}
		for i, one := range all {
			if !one.From.Before(one.Until) || i > 0 && (!all[i-1].Until.Equal(one.From) || all[i-1].Size == one.Size) {
				t.Fatalf("interval %d of %v", i, all)
			}
		}
		nodeMinutes := 0
		minutes(t, all, from, until, func(i calendar.Interval) { nodeMinutes += i.Size.Desired })
		sum, err := s.NodeHours(from, until)
		if err != nil || math.Abs(sum-float64(nodeMinutes)/60) > 1e-6 {
			t.Fatalf("%v node-hours, by minute %v: %v", sum, float64(nodeMinutes)/60, err)
		}
		// A part is what the whole has there: where one begins to look changes nothing.
		later := from.Add(until.Sub(from) / 2).Truncate(time.Minute)
		part, err := s.Intervals(later, until)
		if err != nil {
			t.Fatal(err)
		}
		rest := slices.DeleteFunc(slices.Clone(all), func(i calendar.Interval) bool { return !i.Until.After(later) })
		if later.Before(until) && later.After(from) {
			rest[0].From = later.In(zone)
			if lines(part) != lines(rest) {
				t.Fatalf("from %s:\n%s\nwant\n%s", later, lines(part), lines(rest))
			}
		}
	})
}

func TestWeeks(t *testing.T) {
	s := production()
	s.Actions = []calendar.Action{{Name: "sale", Start: "2026-11-24T08:00", End: "2026-11-24T18:00", Min: n(8), Desired: n(8), Max: n(12)}}
	weeks, err := s.Weeks(at(t, s.TimeZone, "2026-10-07 12:00"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range weeks {
		got = append(got, fmt.Sprintf("%s: %s to %s, %.1f node-hours", w.Name, w.Intervals[0].From.Format("Mon 02 Jan 15:04"), w.Intervals[len(w.Intervals)-1].Until.Format("Mon 02 Jan 15:04"), w.NodeHours()))
	}
	want := `a usual week: Mon 26 Oct 06:30 to Mon 02 Nov 06:30, 345.0 node-hours
the week of 19 Oct 2026, when clocks go back: Mon 19 Oct 06:30 to Mon 26 Oct 06:30, 346.0 node-hours
the week of 22 Mar 2027, when clocks go forward: Mon 22 Mar 06:30 to Mon 29 Mar 06:30, 344.0 node-hours
the week of 23 Nov 2026: Mon 23 Nov 06:30 to Mon 30 Nov 06:30, 395.0 node-hours`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

func TestDescribe(t *testing.T) {
	s := production()
	weeks, err := s.Weeks(at(t, s.TimeZone, "2026-10-07 12:00"))
	if err != nil {
		t.Fatal(err)
	}
	for desired, want := range map[int]string{3: "Mon–Fri 06:30 to 20:00", 2: "Mon–Thu 20:00 to 06:30", 1: "Fri 20:00 to Mon 06:30"} {
		all := slices.DeleteFunc(slices.Clone(weeks[0].Intervals), func(i calendar.Interval) bool { return i.Size.Desired != desired })
		if got := calendar.Describe(all); got != want {
			t.Errorf("%d nodes: %s, want %s", desired, got, want)
		}
	}
	weeks, err = calendar.Schedule{Base: s.Base}.Weeks(at(t, s.TimeZone, "2026-10-07 12:00"))
	if err != nil || len(weeks) != 1 || calendar.Describe(weeks[0].Intervals) != "all week" || weeks[0].NodeHours() != 3*168 {
		t.Errorf("without a change: %v %v", weeks, err)
	}
}

func TestAScheduleThatIsWrongHasNoIntervals(t *testing.T) {
	_, err := calendar.Schedule{TimeZone: "Mars/Olympus", Actions: []calendar.Action{{Recurrence: "hourly"}}}.Intervals(time.Now(), time.Now().Add(time.Hour))
	if err == nil || !strings.Contains(err.Error(), "has 5 invalid argument(s)") {
		t.Errorf("got %v", err)
	}
}

// A moment that no clock shows is an error, one that comes twice is the first.
func TestStartsWhenClocksChange(t *testing.T) {
	s := calendar.Schedule{TimeZone: "Europe/Madrid", Base: calendar.Size{Max: 9, Desired: 1}, Actions: []calendar.Action{
		{Name: "x", Start: "2027-03-28T02:30", End: "2027-10-31T02:30", Desired: n(2)},
	}}
	from, until := at(t, s.TimeZone, "2027-10-31 00:00"), at(t, s.TimeZone, "2027-11-01 00:00")
	const want = `actions[0].start is "2027-03-28T02:30", must be a time that clocks in Europe/Madrid show: that night they go forward over it, to 2027-03-28T03:00`
	if _, err := s.Intervals(from, until); err == nil || !strings.HasSuffix(err.Error(), "has 1 invalid argument(s):\n  "+want) {
		t.Errorf("got %v, want %s", err, want)
	}
	s.Actions[0].Start = "2027-03-28T03:00"
	all, err := s.Intervals(from, until)
	if err != nil || lines(all) != "Sun 31 00:00 +02 0–2–9\nSun 31 02:30 +02 0–1–9\n" {
		t.Errorf("%v\n%s", err, lines(all))
	}
}

// Samoa had no 30 December 2011: what should have run that day runs as the 31st begins.
func TestADayThatClocksSkip(t *testing.T) {
	from := at(t, "Pacific/Apia", "2011-12-31 00:00")
	var got []string
	calendar.EachRun("30 6,18 * * *", from.Add(-7*time.Hour), from.Add(24*time.Hour), func(at time.Time) { got = append(got, at.Format("02 15:04")) })
	if want := "29 18:30, 31 00:00, 31 00:00, 31 06:30, 31 18:30"; strings.Join(got, ", ") != want {
		t.Errorf("it runs %s, want %s", strings.Join(got, ", "), want)
	}
	got = nil
	calendar.EachRun("30 6 * * *", from, from.Add(time.Hour), func(at time.Time) { got = append(got, at.Format("02 15:04")) })
	if strings.Join(got, ", ") != "31 00:00" {
		t.Errorf("it runs %v", got)
	}
}

// What falls on one minute because clocks go forward is told from what does so on any other day.
func TestPushedTogether(t *testing.T) {
	now := at(t, "Europe/Madrid", "2026-11-01 00:00")
	for name, c := range map[string]struct {
		zone    string
		actions []calendar.Action
		want    string
	}{
		"one skipped, one at the moment after": {
			"Europe/Madrid",
			[]calendar.Action{{Name: "a", Recurrence: "30 2 * * *"}, {Name: "b", Recurrence: "0 3 * * *"}},
			"actions[0] (a) and actions[1] (b) run at the same minute on Sun 2027-03-28 03:00 Europe/Madrid, when clocks go forward to it: which of them holds then is not sure, so move one of them out of the time that is skipped",
		},
		"both skipped":             {"Europe/Madrid", []calendar.Action{{Name: "a", Recurrence: "30 2 * * *"}, {Name: "b", Recurrence: "15 2 * * 0"}}, "actions[0] (a) and actions[1] (b) run at the same minute on Sun 2027-03-28 03:00 Europe/Madrid"},
		"one once":                 {"Europe/Madrid", []calendar.Action{{Name: "a", Recurrence: "30 2 * * *"}, {Name: "b", Start: "2027-03-28T03:00"}}, "actions[0] (a) and actions[1] (b) run at the same minute on Sun 2027-03-28 03:00 Europe/Madrid"},
		"at midnight":              {"Africa/Cairo", []calendar.Action{{Name: "a", Recurrence: "0 0 * * *"}, {Name: "b", Recurrence: "0 1 * * *"}}, "actions[0] (a) and actions[1] (b) run at the same minute on Fri 2027-04-30 01:00 Africa/Cairo"},
		"after it":                 {"Europe/Madrid", []calendar.Action{{Name: "a", Recurrence: "30 2 * * *"}, {Name: "b", Recurrence: "1 3 * * *"}}, ""},
		"before it":                {"Europe/Madrid", []calendar.Action{{Name: "a", Recurrence: "59 1 * * *"}, {Name: "b", Recurrence: "0 3 * * *"}}, ""},
		"not that day":             {"Europe/Madrid", []calendar.Action{{Name: "a", Recurrence: "30 2 * * 1-6"}, {Name: "b", Recurrence: "0 3 * * *"}}, ""},
		"begins later":             {"Europe/Madrid", []calendar.Action{{Name: "a", Recurrence: "30 2 * * *", Start: "2027-03-28T04:00"}, {Name: "b", Recurrence: "0 3 * * *"}}, ""},
		"a zone that never does":   {"Etc/UTC", []calendar.Action{{Name: "a", Recurrence: "30 2 * * *"}, {Name: "b", Recurrence: "0 3 * * *"}}, ""},
		"the night they go back":   {"Europe/Madrid", []calendar.Action{{Name: "a", Recurrence: "30 2 * 10 *"}, {Name: "b", Recurrence: "0 3 * 10 *"}}, ""},
		"one action, twice itself": {"Europe/Madrid", []calendar.Action{{Name: "a", Recurrence: "0,30 2 * * *"}}, ""},
	} {
		s := calendar.Schedule{TimeZone: c.zone, Base: calendar.Size{Min: 1, Max: 3, Desired: 2}, Actions: c.actions}
		for i := range s.Actions {
			s.Actions[i].Desired = n(1)
		}
		var p check.Problems
		_, plan := s.Checked(&p, "week", now)
		if err := p.Err("schedule", name); err != nil {
			t.Error(err)
			continue
		}
		got := strings.Join(calendar.Pushed(plan, c.zone, now), "\n")
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" || strings.Contains(got, "\n") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Two actions at a time that is skipped meet at the moment at which clocks go forward over it.
func TestMeetsAtASkippedTime(t *testing.T) {
	s := calendar.Schedule{TimeZone: "Europe/Madrid", Base: calendar.Size{Min: 1, Max: 3, Desired: 2}, Actions: []calendar.Action{
		{Name: "a", Recurrence: "30 2 28 3 *", Desired: n(1)}, {Name: "b", Recurrence: "30 2 28 3 *", Desired: n(3)},
	}}
	var p check.Problems
	s.Checked(&p, "week", at(t, "Europe/Madrid", "2026-11-01 00:00"))
	const want = "actions[1] runs at the same minute as actions[0] (a, Sun 2027-03-28 03:00 Europe/Madrid): Auto Scaling refuses two actions for one moment"
	if err := p.Err("schedule", "week"); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}
