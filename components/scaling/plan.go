package scaling

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// entry is one scheduled action of the plan.
type entry struct {
	Action
	path  string // the argument that asked for it
	cron  recurrence
	start time.Time // zero without one
	end   time.Time // zero without one
}

func newEntry(p *check.Problems, path string, a Action, zone *time.Location) entry {
	e := entry{Action: a, path: path}
	at := p.At("%s", path)
	if a.Recurrence != "" {
		var problem string
		if e.cron, problem = parseRecurrence(a.Recurrence); problem != "" {
			at.Addf("recurrence", "%s", problem)
		}
	}
	e.start, e.end = readMoment(at, "start", a.Start, zone), readMoment(at, "end", a.End, zone)
	if !e.start.IsZero() && !e.end.IsZero() && !e.end.After(e.start) {
		at.Addf("end", "is %q, must be after start (%q)", a.End, a.Start)
	}
	return e
}

func readMoment(p *check.Problems, path, text string, zone *time.Location) time.Time {
	if text == "" {
		return time.Time{}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.In(zone)
	}
	t, err := time.ParseInLocation("2006-01-02T15:04", text, zone)
	if err != nil {
		p.Addf(path, `is %q, must be a date and a time, "2026-11-27T08:00" in timeZone or "2026-11-27T08:00:00Z"`, text)
		return time.Time{}
	}
	return t
}

// restore brings the base back when e ends.
func (e entry) restore(base Size) entry {
	return entry{
		Action: Action{Name: e.Name + "-end", Min: &base.Min, Max: &base.Max, Desired: &base.Desired, Start: e.End},
		path:   e.path + ".end", start: e.end,
	}
}

// recurs tells an action that runs again and again from one that runs once.
func (e entry) recurs() bool { return e.Recurrence != "" }

// over tells whether it will never run again.
func (e entry) over(now time.Time) bool {
	if e.recurs() {
		return !e.end.IsZero() && !e.end.After(now)
	}
	return !e.start.After(now)
}

// definition changes when the user changes anything about the action, and not because time goes by.
func (e entry) definition(timeZone string) pulumi.Input {
	text, err := json.Marshal(struct {
		Action
		TimeZone string
	}{e.Action, timeZone})
	if err != nil {
		panic("an action of strings and numbers is no JSON: " + err.Error())
	}
	return pulumi.String(text)
}

// runsAt tells whether it runs in the minute of t.
func (e entry) runsAt(t time.Time) bool {
	if !e.start.IsZero() && e.start.Truncate(time.Minute).Equal(t.Truncate(time.Minute)) {
		return true
	}
	return e.cron.SpecSchedule != nil && !t.Before(e.start) && (e.end.IsZero() || !t.After(e.end)) && e.cron.runsAt(t)
}

// meets is a minute at which both run.
func (e entry) meets(other entry, now time.Time) (time.Time, bool) {
	if !e.start.IsZero() && other.runsAt(e.start) {
		return e.start, true
	}
	if !other.start.IsZero() && e.runsAt(other.start) {
		return other.start, true
	}
	if e.cron.SpecSchedule == nil || other.cron.SpecSchedule == nil {
		return time.Time{}, false
	}
	from, until := now, now.AddDate(100, 0, 0)
	for _, x := range []entry{e, other} {
		if x.start.After(from) {
			from = x.start
		}
		if !x.end.IsZero() && x.end.Before(until) {
			until = x.end
		}
	}
	return e.cron.meets(other.cron, from, until)
}

// checkMoments records each pair of actions that falls on one minute: "A scheduled action must have a unique time value",
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html.
func checkMoments(p *check.Problems, plan []entry, now time.Time) {
	for i, e := range plan {
		for _, other := range plan[:i] {
			t, meet := e.meets(other, now)
			if !meet {
				continue
			}
			when := t.Format("Mon 2006-01-02 15:04")
			if e.recurs() && other.recurs() && e.cron.weekly() && other.cron.weekly() {
				when = t.Format("Mon 15:04")
			}
			p.Addf(e.path, "runs at the same minute as %s (%s, %s): Auto Scaling refuses two actions for one moment", other.path, other.Name, when)
		}
	}
}

// checkBounds records an action whose size contradicts what it leaves alone: Auto Scaling would refuse it only when the
// moment comes. It asks that every minimum and maximum that Base or another action sets would fit, in whatever order they come.
func (args *NodeScalingScheduleArgs) checkBounds(p *check.Problems, plan []entry) {
	type source struct {
		path     string
		min, max *int
	}
	sources := []source{{"base", &args.Base.Min, &args.Base.Max}}
	for _, e := range plan {
		sources = append(sources, source{e.path, e.Min, e.Max})
	}
	for _, e := range plan {
		at := p.At("%s", e.path)
		if low := smallest(e.Min, smallest(e.Max, e.Desired)); low != nil && *low < 0 {
			continue
		}
		if e.Min != nil && e.Max != nil && *e.Min > *e.Max {
			at.Addf("max", "is %d, must be at least min (%d)", *e.Max, *e.Min)
			continue
		}
		if e.Desired != nil && (e.Min != nil && *e.Desired < *e.Min || e.Max != nil && *e.Desired > *e.Max) {
			at.Addf("desired", "is %d, must be %s", *e.Desired, between(e.Min, e.Max))
			continue
		}
		for _, s := range sources {
			if low := smallest(e.Max, e.Desired); e.Min == nil && s.min != nil && low != nil && *low < *s.min {
				at.Addf("min", "is left alone, but %s may have set it to %d, and this action goes down to %d: set min too", s.path, *s.min, *low)
				break
			}
			if high := largest(e.Min, e.Desired); e.Max == nil && s.max != nil && high != nil && *high > *s.max {
				at.Addf("max", "is left alone, but %s may have set it to %d, and this action goes up to %d: set max too", s.path, *s.max, *high)
				break
			}
		}
	}
}

func between(lo, hi *int) string {
	switch {
	case lo == nil:
		return fmt.Sprintf("at most max (%d)", *hi)
	case hi == nil:
		return fmt.Sprintf("at least min (%d)", *lo)
	}
	return fmt.Sprintf("%d to %d", *lo, *hi)
}

func smallest(a, b *int) *int {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

func largest(a, b *int) *int {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}
