package calendar

import (
	"cmp"
	"slices"
	"time"

	"github.com/slipway-iac/slipway/internal/check"
)

// Interval is the time from one change of the sizes to the next.
type Interval struct {
	// From and Until, without Until itself, in the schedule's zone.
	From, Until time.Time
	// Size that the schedule sets. Policies and autoscalers may move the desired number of nodes between Min and Max.
	Size Size
}

// Hours is how long it lasts.
func (i Interval) Hours() float64 { return i.Until.Sub(i.From).Hours() }

// Intervals are the sizes from..until, in time order, without a gap and without two neighbours of the same size. What ran in the
// year before from counts; what last ran longer ago does not, and Base holds.
func (s Schedule) Intervals(from, until time.Time) ([]Interval, error) {
	plan, zone, err := s.entries()
	if err != nil {
		return nil, err
	}
	return intervals(plan, s.Base, from.In(zone), until.In(zone)), nil
}

// NodeHours is the desired number of nodes times the hours that it holds, from..until.
func (s Schedule) NodeHours(from, until time.Time) (float64, error) {
	all, err := s.Intervals(from, until)
	sum := 0.0
	for _, i := range all {
		sum += float64(i.Size.Desired) * i.Hours()
	}
	return sum, err
}

// entries is the plan without what concerns AWS only.
func (s Schedule) entries() ([]Entry, *time.Location, error) {
	var p check.Problems
	zone := s.zone(&p)
	fits := checkSize(p.At("base"), s.Base)
	plan := s.plan(&p, zone)
	if fits {
		s.checkBounds(&p, plan)
	}
	return plan, zone, p.Err("calendar.Schedule", s.TimeZone)
}

func intervals(plan []Entry, base Size, from, until time.Time) (out []Interval) {
	if !from.Before(until) {
		return nil
	}
	size := base
	add := func(at time.Time, to Size) {
		switch n := len(out); {
		case n > 0 && out[n-1].From.Equal(at):
			out[n-1].Size = to
			if n > 1 && out[n-2].Size == to {
				out = out[:n-1]
			}
		case n == 0 || out[n-1].Size != to:
			out = append(out, Interval{From: at, Size: to})
		}
	}
	began := false
	for _, r := range runsOf(plan, from.AddDate(-1, 0, 0), until) {
		if !began && !r.at.Before(from) {
			began = true
			add(from, size)
		}
		size = r.does.after(size)
		if began {
			add(r.at, size)
		}
	}
	if !began {
		add(from, size)
	}
	for i := range out {
		out[i].Until = until
		if i+1 < len(out) {
			out[i].Until = out[i+1].From
		}
	}
	return out
}

// run is one time that an action runs.
type run struct {
	at   time.Time
	wall time.Time // what the clock should show, as if in UTC
	does Action
}

// runsOf is what runs from..until, in order; of several at the moment at which clocks go forward, in the order of their times.
func runsOf(plan []Entry, from, until time.Time) (all []run) {
	for _, e := range plan {
		add := func(at, wall time.Time) {
			if !at.Before(from) && at.Before(until) {
				all = append(all, run{at, wall, e.Action})
			}
		}
		if !e.From.IsZero() {
			add(e.From.In(from.Location()), civil(e.From))
		}
		if e.cron.SpecSchedule != nil {
			e.cron.each(from, until, func(at, wall time.Time) {
				if !at.Before(e.From) && (e.Until.IsZero() || !at.After(e.Until)) {
					add(at, wall)
				}
			})
		}
	}
	slices.SortStableFunc(all, func(a, b run) int { return cmp.Or(a.at.Compare(b.at), a.wall.Compare(b.wall)) })
	return all
}

// after is the size when the action has run: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
// tells how the desired size follows.
func (a Action) after(s Size) Size {
	for _, part := range []struct{ set, of *int }{{a.Min, &s.Min}, {a.Max, &s.Max}, {a.Desired, &s.Desired}} {
		if part.set != nil {
			*part.of = *part.set
		}
	}
	s.Desired = max(s.Min, min(s.Desired, s.Max))
	return s
}

// each calls do for every time that it runs from..until in the zone of from, and maybe for some beside.
func (r recurrence) each(from, until time.Time, do func(at, wall time.Time)) {
	hours, minutes := set(r.Hour), set(r.Minute)
	last := civil(until).AddDate(0, 0, 1)
	for day := civil(from).Truncate(24*time.Hour).AddDate(0, 0, -1); !day.After(last); day = day.AddDate(0, 0, 1) {
		if !r.onDay(day) {
			continue
		}
		for _, h := range hours {
			for _, m := range minutes {
				wall := day.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute)
				do(moment(wall, from.Location()), wall)
			}
		}
	}
}

// civil is what a clock shows at t, as if it were in UTC, where every date has 24 hours.
func civil(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// moment is when a clock in the zone shows wall: the first time if it does so twice, and the moment at which it jumps over wall if
// it never does.
func moment(wall time.Time, zone *time.Location) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
	start, end := t.ZoneBounds()
	switch shown := civil(t); {
	case shown.After(wall): // t is on the far side of the jump
		return start
	case shown.Before(wall):
		return end
	case !start.IsZero():
		_, before := start.Add(-1).Zone()
		_, now := t.Zone()
		if first := t.Add(time.Duration(now-before) * time.Second); first.Before(start) && civil(first).Equal(wall) {
			return first
		}
	}
	return t
}
