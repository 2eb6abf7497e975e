package aws

import (
	"slices"
	"time"
)

// Now is the account's time, in UTC: the machine's, until `sandbox clock` has moved it; from then on it stands still between
// moves, so that what was seen once is seen again. It is for what AWS compares with its clock: when scheduled actions run, and from when
// to when certificates hold. The rest has the machine's time: ids and waits, what only says when a thing was made, and what clients
// compare with their own clock, such as the end of a token.
func (tx *Tx) Now() time.Time {
	if tx.Clock != nil {
		return tx.Clock.UTC()
	}
	return time.Now().UTC()
}

// Pending is a scheduled action and when it runs next.
type Pending struct {
	// At is in the action's time zone.
	At time.Time
	// Group is the name of the auto scaling group, Label what people call it: the name of its node group, if it has one.
	Group, Label string
	Action       string
	// Min, Max and Desired are what it sets; -1 leaves one alone.
	Min, Max, Desired int

	object *Object
}

// Firing is a scheduled action that ran.
type Firing struct {
	Pending
	// Before and After are the group's sizes.
	Before, After Size
	// Suspended: the group's scheduled actions are, so this one did nothing.
	Suspended bool
	// Refused is why Auto Scaling could not do what the action asks; nil if it did.
	Refused error
}

// Size is the size of an auto scaling group.
type Size struct{ Min, Max, Desired int }

// ScaledGroup is an auto scaling group as the clock shows it.
type ScaledGroup struct {
	Name, Label string
	Size
	// Suspended: its scheduled actions do not run.
	Suspended bool
}

// ScaledGroups is those of all regions, oldest first.
func (tx *Tx) ScaledGroups() []ScaledGroup {
	var out []ScaledGroup
	for _, g := range tx.Objects {
		if g.Type == autoScalingGroupToken {
			out = append(out, ScaledGroup{g.Str("name"), tx.labelOf(g), sizeOf(g), suspended(g)})
		}
	}
	return out
}

func sizeOf(g *Object) Size {
	return Size{wholeNumber(g.Get("minSize")), wholeNumber(g.Get("maxSize")), wholeNumber(g.Get("desiredCapacity"))}
}

// suspended: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html.
func suspended(g *Object) bool {
	return slices.Contains(g.List("suspendedProcesses"), "ScheduledActions")
}

func (tx *Tx) labelOf(group *Object) string {
	for _, o := range tx.Objects {
		if o.Type == nodeGroupToken && o.Key() == group.Owner && o.Region == group.Region {
			return o.Str("nodeGroupName")
		}
	}
	return group.Str("name")
}

// Pending is the scheduled actions that will still run, the next one first. Those of one moment come in the order in which they
// were specified, in which Auto Scaling runs them:
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html.
func (tx *Tx) Pending() []Pending {
	var out []Pending
	for _, s := range tx.Objects {
		if s.Type != scheduleToken {
			continue
		}
		at, err := time.Parse(scheduleTime, s.Str("startTime"))
		if err != nil {
			continue // a recurrence that no date fits
		}
		if end, err := time.Parse(scheduleTime, s.Str("endTime")); err == nil && at.After(end) {
			continue
		}
		p := Pending{
			At: at.In(zoneOf(s)), Group: s.Str("autoscalingGroupName"), Action: s.Str("scheduledActionName"),
			Min: s.Num("minSize"), Max: s.Num("maxSize"), Desired: s.Num("desiredCapacity"), object: s,
		}
		if p.Label = p.Group; tx.groupOf(s) != nil {
			p.Label = tx.labelOf(tx.groupOf(s))
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Pending) int { return a.At.Compare(b.At) })
	return out
}

// groupOf is the auto scaling group of a scheduled action.
func (tx *Tx) groupOf(s *Object) *Object {
	for _, g := range tx.Objects {
		if g.Type == autoScalingGroupToken && g.Region == s.Region && g.Str("name") == s.Str("autoscalingGroupName") {
			return g
		}
	}
	return nil
}

// zoneOf is the time zone of a scheduled action; Auto Scaling's default is UTC.
func zoneOf(s *Object) *time.Location {
	zone, err := time.LoadLocation(s.Str("timeZone"))
	if err != nil {
		return time.UTC
	}
	return zone
}

// Advance moves the clock forward to the next moment, no later than to, at which scheduled actions run, and runs them. Those that
// were due before the account's present time come first, all at once: nothing but Advance runs them, though AWS would have. An
// empty answer means that there are no more and that the clock is at to.
func (tx *Tx) Advance(to time.Time) []Firing {
	tx.Touch()
	now := tx.Now()
	next := tx.Pending()
	if len(next) == 0 || next[0].At.After(to) {
		at := to.UTC()
		tx.Clock = &at
		tx.dropEnded(at)
		return nil
	}
	until := next[0].At
	if until.After(now) {
		at := until.UTC()
		tx.Clock = &at
	} else {
		until = now
	}
	var fired []Firing
	for ; len(next) > 0 && !next[0].At.After(until); next = tx.Pending() {
		fired = append(fired, tx.fire(next[0]))
	}
	tx.dropEnded(until)
	return fired
}

// fire runs a scheduled action and sets when it runs next. One without a recurrence is gone after it ran.
func (tx *Tx) fire(p Pending) Firing {
	f := Firing{Pending: p}
	s := p.object
	g := tx.groupOf(s)
	if g != nil {
		f.Before = sizeOf(g)
	}
	switch {
	case g == nil:
		f.Refused = Errorf("ValidationError", "AutoScalingGroup name not found - no such group: %s", p.Group)
	case suspended(g):
		f.Suspended, f.After = true, f.Before
	default:
		region := tx.Region
		tx.Region = s.Region
		f.Refused = tx.Resize(p.Group, p.Min, p.Max, p.Desired)
		tx.Region = region
		f.After = sizeOf(g)
	}
	if c, err := parseCron(s.Str("recurrence")); err == nil {
		s.Set("startTime", startText(c.next(p.At)))
	} else {
		tx.Remove(s)
	}
	return f
}

// dropEnded removes actions that have reached their end time: they do not stay in the account.
func (tx *Tx) dropEnded(now time.Time) {
	for _, s := range slices.Clone(tx.Objects) {
		if s.Type != scheduleToken {
			continue
		}
		if end, err := time.Parse(scheduleTime, s.Str("endTime")); err == nil && !end.After(now) {
			tx.Remove(s)
		}
	}
}

// ResetClock gives the account the machine's time back, and recurring actions their next run after it. Sizes stay as they are, and
// actions that are gone stay so.
func (tx *Tx) ResetClock() {
	if tx.Clock == nil {
		return
	}
	tx.Clock = nil
	tx.Touch()
	for _, s := range tx.Objects {
		c, err := parseCron(s.Str("recurrence"))
		if s.Type != scheduleToken || err != nil {
			continue
		}
		next := startText(c.next(tx.Now().In(zoneOf(s))))
		// One that has not begun yet begins when it was told to.
		if given, _ := s.Inputs["startTime"].(string); given > next {
			next = given
		}
		s.Set("startTime", next)
	}
}

func startText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(scheduleTime)
}
