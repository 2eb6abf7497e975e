// Package calendar knows what a schedule of node sizes means: which actions it comes to, when they run in their time zone, and
// how many nodes there are from each change to the next. It is plain Go; components/scaling renders the same schedule to AWS.
//
// What a scheduled action does to the sizes is as Amazon EC2 Auto Scaling has it: a size that is not set is left alone, and where
// the desired size is left alone, it follows a minimum that rises above it and a maximum that falls below it.
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
//
// A recurrence "automatically adjusts for DST", says AWS, and nothing more: what becomes of a local time that does not exist on
// the night when clocks go forward, or exists twice when they go back, no page of theirs tells. Here it is as in Vixie cron, to
// whose format they refer: the first runs at the moment of the change, the second only the first time.
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
package calendar

import (
	"cmp"
	"fmt"
	"regexp"
	"time"
	// The zones' rules, so that a schedule means the same on every machine that runs the program.
	_ "time/tzdata"

	"github.com/slipway-iac/slipway/internal/check"
)

// Schedule is the sizes of a node group by the clock. At least one of OfficeHours, Nights, Weekends and Actions is required, unless
// the size never changes and Base alone is of interest.
type Schedule struct {
	// TimeZone is the IANA name of the zone in which all times are read, with its daylight saving: "Europe/Madrid". Default
	// "Etc/UTC".
	TimeZone string
	// Base is the size by day: what OfficeHours, Nights, Weekends and an Action's End come back to, and what holds before the first
	// action. Required.
	Base Size
	// OfficeHours makes the group smaller outside of them; default not. Not with Nights or Weekends.
	OfficeHours *OfficeHours
	// Nights makes the group smaller at night; default not.
	Nights *Nights
	// Weekends makes the group smaller at the weekend; default not.
	Weekends *Weekends
	// Actions are further changes of size, at most 125 with those of OfficeHours, Nights, Weekends and Ends; default none.
	Actions []Action
}

// Size of a node group, in nodes.
type Size struct {
	// Min is the fewest nodes, 0 or more.
	Min int `pulumi:"min"`
	// Max is the most nodes, 1 or more, and at least Min.
	Max int `pulumi:"max"`
	// Desired is the number of nodes to start with, Min to Max; scaling policies and autoscalers may change it after.
	Desired int `pulumi:"desired"`
}

// Action sets the size of the group, at one moment or again and again.
type Action struct {
	// Name tells actions apart: letters, digits, ".", "_" and "-". Unique among the schedule's. Required. In the console it stands
	// behind the component's name.
	Name string `pulumi:"name"`
	// Recurrence is when it runs, as crontab's five fields: "0 20 * * 1-5" is 20:00 from Monday to Friday, and both 0 and 7 are
	// Sunday. Without it the action runs once, at Start.
	Recurrence string `pulumi:"recurrence,optional"`
	// Min is the new smallest number of nodes; nil leaves it alone. At least one of Min, Max and Desired is required. What is
	// set must fit whatever Base or another action may have left in force.
	Min *int `pulumi:"min,optional"`
	// Max is the new largest number of nodes; nil leaves it alone.
	Max *int `pulumi:"max,optional"`
	// Desired is the number of nodes from then on, until another action or policy changes it; nil leaves it alone.
	Desired *int `pulumi:"desired,optional"`
	// Start is the moment from which it counts, "2026-11-27T08:00" in TimeZone (the first, where clocks go back over it) or with an
	// offset of its own, "2026-11-27T08:00:00Z". Auto Scaling runs a recurring action at Start too, whatever its Recurrence says. A start of
	// a recurring action that has passed is left out of what AWS is asked, which refuses it. An action that is over, by its Start or its
	// End, is refused where it comes new into a stack (in NodeScalingSchedule), and no error where the stack had it before. Default: at once.
	Start string `pulumi:"start,optional"`
	// End is the moment at which Base is back, written like Start. AWS only stops repeating then, and leaves the size as it
	// is; so an action of its own, NAME-end, restores Base. After that both are gone. Default: never.
	End string `pulumi:"end,optional"`
}

// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html
const maxActions = 125

// maxName is the longest name of a scheduled action, with the component's in front of it.
const maxName = 255

var (
	actionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	zoneName   = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)
)

// Checked is s with its defaults filled in, and the actions that it comes to; every problem is recorded in p. The names of the
// actions in AWS begin with component. Moments at which two actions collide are looked for from now on.
func (s Schedule) Checked(p *check.Problems, component string, now time.Time) (Schedule, []Entry) {
	zone := s.zone(p)
	s.TimeZone = cmp.Or(s.TimeZone, "Etc/UTC")
	baseFits := checkSize(p.At("base"), s.Base)
	if s.OfficeHours == nil && s.Nights == nil && s.Weekends == nil && len(s.Actions) == 0 {
		p.Addf("actions", "is required where none of officeHours, nights and weekends is given")
	}
	plan := s.plan(p, zone)
	if n := len(plan); n > maxActions {
		p.Addf("actions", "makes %d scheduled actions with officeHours, nights, weekends and ends, must be at most %d", n, maxActions)
	}
	checkNames(p, component, plan)
	if baseFits {
		s.checkBounds(p, plan)
	}
	checkMoments(p, plan, now.In(zone))
	return s, plan
}

func (s Schedule) zone(p *check.Problems) *time.Location {
	name := cmp.Or(s.TimeZone, "Etc/UTC")
	zone, err := time.LoadLocation(name)
	if err != nil || !zoneName.MatchString(name) || name == "Local" {
		p.Addf("timeZone", `is %q, must be the IANA name of a time zone, like "Europe/Madrid"`, name)
		return time.UTC
	}
	return zone
}

// plan is the actions in the order of the arguments.
func (s Schedule) plan(p *check.Problems, zone *time.Location) (plan []Entry) {
	for _, made := range s.presets(p) {
		plan = append(plan, newEntry(p, made.path, made.action, zone))
	}
	for i, action := range s.Actions {
		path := fmt.Sprintf("actions[%d]", i)
		action.check(p.At("%s", path))
		e := newEntry(p, path, action, zone)
		plan = append(plan, e)
		if !e.Until.IsZero() {
			plan = append(plan, e.restore(s.Base))
		}
	}
	return plan
}
