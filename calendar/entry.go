package calendar

import (
	"time"

	"github.com/slipway-iac/slipway/internal/check"
)

// Entry is one scheduled action that a schedule comes to.
type Entry struct {
	Action
	// Path is the argument that asked for it.
	Path string
	// From is the action's Start, and Until its End; zero without one.
	From, Until time.Time

	cron recurrence
}

func newEntry(p *check.Problems, path string, a Action, zone *time.Location) Entry {
	e := Entry{Action: a, Path: path}
	at := p.At("%s", path)
	if a.Recurrence != "" {
		var problem string
		if e.cron, problem = parseRecurrence(a.Recurrence); problem != "" {
			at.Addf("recurrence", "%s", problem)
		}
	}
	e.From, e.Until = readMoment(at, "start", a.Start, zone), readMoment(at, "end", a.End, zone)
	if !e.From.IsZero() && !e.Until.IsZero() && !e.Until.After(e.From) {
		at.Addf("end", "is %q, must be after start (%q)", a.End, a.Start)
	}
	return e
}

// wallFormat is a date and a time without a zone.
const wallFormat = "2006-01-02T15:04"

// readMoment takes a time that clocks show twice for the first.
func readMoment(p *check.Problems, path, text string, zone *time.Location) time.Time {
	if text == "" {
		return time.Time{}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.In(zone)
	}
	wall, err := time.Parse(wallFormat, text)
	if err != nil {
		p.Addf(path, `is %q, must be a date and a time, "2026-11-27T08:00" in timeZone or "2026-11-27T08:00:00Z"`, text)
		return time.Time{}
	}
	t := moment(wall, zone)
	if shown := t.Format(wallFormat); shown != text {
		p.Addf(path, "is %q, must be a time that clocks in %s show: that night they go forward over it, to %s", text, zone, shown)
	}
	return t
}

// restore brings the base back when e ends.
func (e Entry) restore(base Size) Entry {
	return Entry{
		Action: Action{Name: e.Name + "-end", Min: &base.Min, Max: &base.Max, Desired: &base.Desired, Start: e.End},
		Path:   e.Path + ".end", From: e.Until,
	}
}

// Recurs tells an action that runs again and again from one that runs once.
func (e Entry) Recurs() bool { return e.Recurrence != "" }

// Over tells whether it will never run again.
func (e Entry) Over(now time.Time) bool {
	if e.Recurs() {
		return !e.Until.IsZero() && !e.Until.After(now)
	}
	return !e.From.After(now)
}

// runsAt tells whether it runs in the minute of t.
func (e Entry) runsAt(t time.Time) bool {
	if !e.From.IsZero() && e.From.Truncate(time.Minute).Equal(t.Truncate(time.Minute)) {
		return true
	}
	return e.cron.SpecSchedule != nil && !t.Before(e.From) && (e.Until.IsZero() || !t.After(e.Until)) && e.cron.runsAt(t)
}

// meets is a minute from now on at which both run. A start that has passed is asked of nobody any more.
func (e Entry) meets(other Entry, now time.Time) (time.Time, bool) {
	if e.From.After(now) && other.runsAt(e.From) {
		return e.From, true
	}
	if other.From.After(now) && e.runsAt(other.From) {
		return other.From, true
	}
	if e.cron.SpecSchedule == nil || other.cron.SpecSchedule == nil {
		return time.Time{}, false
	}
	from, until := now, now.AddDate(100, 0, 0)
	for _, x := range []Entry{e, other} {
		if x.From.After(from) {
			from = x.From
		}
		if !x.Until.IsZero() && x.Until.Before(until) {
			until = x.Until
		}
	}
	return e.cron.meets(other.cron, from, until)
}
