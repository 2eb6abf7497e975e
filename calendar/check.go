package calendar

import (
	"fmt"
	"time"

	"github.com/slipway-iac/slipway/internal/check"
)

func checkSize(p *check.Problems, s Size) (fits bool) {
	if s.Min < 0 {
		p.Addf("min", "is %d, must be at least 0", s.Min)
	}
	if s.Max < 1 || s.Max < s.Min {
		p.Addf("max", "is %d, must be at least 1 and at least min (%d)", s.Max, s.Min)
		return false
	}
	p.Between("desired", s.Desired, s.Min, s.Max)
	return s.Min >= 0 && s.Min <= s.Desired && s.Desired <= s.Max
}

// check is what is wrong with the action by itself.
func (a Action) check(p *check.Problems) {
	if a.Name == "" {
		p.Required("name", false, `"lunch"`)
	} else {
		p.Match("name", a.Name, actionName, `letters, digits, ".", "_" and "-", like "lunch"`)
	}
	if a.Recurrence == "" && a.Start == "" {
		p.Addf("recurrence", "is required, or start for an action that runs once")
	}
	if a.Min == nil && a.Max == nil && a.Desired == nil {
		p.Addf("desired", "is required, or min or max: the action changes nothing")
	}
	for _, part := range []struct {
		path string
		got  *int
	}{{"min", a.Min}, {"max", a.Max}, {"desired", a.Desired}} {
		if part.got != nil && *part.got < 0 {
			p.Addf(part.path, "is %d, must be at least 0; leave it out to leave the size alone", *part.got)
		}
	}
}

func checkNames(p *check.Problems, component string, plan []Entry) {
	first := map[string]string{}
	for _, e := range plan {
		if other, dup := first[e.Name]; dup && e.Name != "" {
			p.Addf(e.Path, "makes an action called %q, as does %s", e.Name, other)
			continue
		}
		first[e.Name] = e.Path
		if n := len(component) + len("-") + len(e.Name); n > maxName {
			p.Addf(e.Path, "makes an action called %q, %d characters with %q in front, must be at most %d", e.Name, n, component+"-", maxName)
		}
	}
}

// checkMoments records each pair of actions that falls on one minute: "A scheduled action must have a unique time value",
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html.
func checkMoments(p *check.Problems, plan []Entry, now time.Time) {
	for i, e := range plan {
		for _, other := range plan[:i] {
			t, meet := e.meets(other, now)
			if !meet {
				continue
			}
			when := t.Format("Mon " + minuteFormat)
			if e.Recurs() && other.Recurs() && e.cron.weekly() && other.cron.weekly() {
				when = t.Format("Mon 15:04")
			}
			p.Addf(e.Path, "runs at the same minute as %s (%s, %s %s): Auto Scaling refuses two actions for one moment", other.Path, other.Name, when, now.Location())
		}
	}
}

// Pushed says which actions of a plan in a zone come to run at the same minute only because clocks go forward over one of them, a line a
// pair, for the year from now on. Auto Scaling takes them, and tells nowhere which comes last.
func Pushed(plan []Entry, timeZone string, now time.Time) (lines []string) {
	zone, err := time.LoadLocation(timeZone)
	if err != nil {
		return nil // no schedule was checked with it
	}
	for _, jump := range jumps(now.In(zone), now.AddDate(1, 0, 0)) {
		var then []Entry
		for _, e := range plan {
			if len(runsOf([]Entry{e}, jump, jump.Add(time.Minute))) == 0 {
				continue
			}
			for _, other := range then {
				lines = append(lines, fmt.Sprintf("%s (%s) and %s (%s) run at the same minute on %s %s, when clocks go forward to it: which of them holds then is not sure, so move one of them out of the time that is skipped",
					other.Path, other.Name, e.Path, e.Name, jump.Format("Mon "+minuteFormat), timeZone))
			}
			then = append(then, e)
		}
	}
	return lines
}

// jumps are the moments from..until, in the zone of from, at which clocks go forward.
func jumps(from, until time.Time) (all []time.Time) {
	for t := from; ; {
		_, next := t.ZoneBounds()
		if next.IsZero() || next.After(until) {
			return all
		}
		if clocks(t, next) == "forward" {
			all = append(all, next)
		}
		t = next
	}
}

// checkBounds records an action whose size contradicts what it leaves alone: Auto Scaling would refuse it only when the
// moment comes. It asks that every minimum and maximum that Base or another action sets would fit, in whatever order they come.
func (s Schedule) checkBounds(p *check.Problems, plan []Entry) {
	type source struct {
		path     string
		min, max *int
	}
	sources := []source{{"base", &s.Base.Min, &s.Base.Max}}
	for _, e := range plan {
		sources = append(sources, source{e.Path, e.Min, e.Max})
	}
	for _, e := range plan {
		at := p.At("%s", e.Path)
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
		low, high := smallest(e.Max, e.Desired), largest(e.Min, e.Desired)
		for _, other := range sources {
			if e.Min == nil && other.min != nil && low != nil && *low < *other.min {
				at.Addf("min", "is left alone, but %s may have set it to %d, and this action goes down to %d: set min too", other.path, *other.min, *low)
				break
			}
		}
		for _, other := range sources {
			if e.Max == nil && other.max != nil && high != nil && *high > *other.max {
				at.Addf("max", "is left alone, but %s may have set it to %d, and this action goes up to %d: set max too", other.path, *other.max, *high)
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
