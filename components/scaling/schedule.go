// Package scaling changes the size of a node group by the clock.
package scaling

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/calendar"
)

// NodeScalingScheduleType is in every stack's state: to change it takes an alias and a major version.
const NodeScalingScheduleType = "slipway:index:NodeScalingSchedule"

// NodeScalingScheduleArgs says which group changes its size, when, and what it comes back to. At least one of
// OfficeHours, Nights, Weekends and Actions is required.
type NodeScalingScheduleArgs struct {
	// AutoScalingGroupName is the group behind the nodes, from EksCluster.AutoScalingGroupNames. Required. A node group whose
	// desired size is not owned by the schedule takes back what the schedule does. A change replaces all actions.
	AutoScalingGroupName pulumi.StringInput `pulumi:"autoScalingGroupName"`
	// TimeZone is the IANA name of the zone in which all times here are read, with its daylight saving: "Europe/Madrid".
	// Default "Etc/UTC".
	TimeZone string `pulumi:"timeZone,optional"`
	// Base is the size by day: what OfficeHours, Nights, Weekends and an Action's End come back to. It should be that of the node
	// group. Required.
	Base Size `pulumi:"base"`
	// OfficeHours makes the group smaller outside of them, from Monday to Friday; default not. Not with Nights or Weekends.
	OfficeHours *OfficeHours `pulumi:"officeHours,optional"`
	// Nights makes the group smaller at night; default not.
	Nights *Nights `pulumi:"nights,optional"`
	// Weekends makes the group smaller at the weekend; default not.
	Weekends *Weekends `pulumi:"weekends,optional"`
	// Actions are further changes of size, at most 125 with those of OfficeHours, Nights, Weekends and Ends; default none.
	// No two may fall on the same minute, which Auto Scaling refuses; where they do only in a night in which clocks go forward over one
	// of them, a warning says so.
	Actions []Action `pulumi:"actions,optional"`
}

// What a schedule is made of, and means, is package calendar's.
type (
	// Size of a node group, in nodes.
	Size = calendar.Size
	// OfficeHours takes the group to a size outside of them.
	OfficeHours = calendar.OfficeHours
	// Nights takes the group to a size every night.
	Nights = calendar.Nights
	// Weekends takes the group to a size once a week for some days.
	Weekends = calendar.Weekends
	// Action sets the size of the group, at one moment or again and again.
	Action = calendar.Action
)

// NodeScalingSchedule changes the size of a node group by the clock:
//
//	slipway:index:NodeScalingSchedule     NAME
//	└─ aws:autoscaling/schedule:Schedule  NAME-ACTION  office-hours-begin and -over, nights-down and -up, weekends-down and -up, each action, and its end
//
// An action that changes is deleted and made anew, never updated: an update would send back the next start time that AWS
// has computed, and be refused as lying in the past.
type NodeScalingSchedule struct {
	pulumi.ResourceState
	// Summary is the schedule in words, a line an action, in the order of the week; what happens on dates comes last.
	Summary pulumi.StringArrayOutput `pulumi:"summary"`
}

// NewNodeScalingSchedule reports every problem with args at once, before it registers anything.
func NewNodeScalingSchedule(ctx *pulumi.Context, name string, args *NodeScalingScheduleArgs, opts ...pulumi.ResourceOption) (*NodeScalingSchedule, error) {
	now := time.Now()
	a, plan, err := args.checked(name, now)
	if err != nil {
		return nil, err
	}
	punctual, err := inTime(ctx, name, a.TimeZone, plan, now)
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", NodeScalingScheduleType, name, err)
	}
	c := &NodeScalingSchedule{}
	if err := ctx.RegisterComponentResourceV2(NodeScalingScheduleType, name, a.recorded(), c, append(slices.Clone(opts), punctual)...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", NodeScalingScheduleType, name, err)
	}
	var live []calendar.Entry
	for _, e := range plan {
		if e.Over(now) {
			// Auto Scaling drops an action that is over by itself; to ask for it again would be refused.
			if says := e.Passed(a.TimeZone, now); says != "" {
				if err := ctx.Log.Info(says, &pulumi.LogArgs{Resource: c}); err != nil {
					return nil, err
				}
			}
			continue
		}
		live = append(live, e)
		_, err := autoscaling.NewSchedule(ctx, name+"-"+e.Name, schedule(e, name, a, now), pulumi.Parent(c),
			// The name stays, so the old one goes first. The trigger catches what the provider takes for no change: a start, end or
			// recurrence that is no longer given.
			pulumi.DeleteBeforeReplace(true), pulumi.ReplaceOnChanges([]string{"*"}), pulumi.ReplacementTrigger(definition(e, a.TimeZone)))
		if err != nil {
			return nil, fmt.Errorf("%s %q: action %q: %w", NodeScalingScheduleType, name, e.Name, err)
		}
	}
	for _, says := range calendar.Pushed(live, a.TimeZone, now) {
		if err := ctx.Log.Warn(says, &pulumi.LogArgs{Resource: c}); err != nil {
			return nil, err
		}
	}
	c.Summary = pulumi.ToStringArray(calendar.Summary(live, a.TimeZone)).ToStringArrayOutput()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"summary": c.Summary})
}

// unchanged leaves a part of the size alone; Pulumi's provider takes a part that is not given for 0.
const unchanged = -1

// definition changes when the user changes anything about the action, and not because time goes by.
func definition(e calendar.Entry, timeZone string) pulumi.Input {
	text, err := json.Marshal(struct {
		Action
		TimeZone string
	}{e.Action, timeZone})
	if err != nil {
		panic("an action of strings and numbers is no JSON: " + err.Error())
	}
	return pulumi.String(text)
}

func schedule(e calendar.Entry, name string, a NodeScalingScheduleArgs, now time.Time) *autoscaling.ScheduleArgs {
	s := &autoscaling.ScheduleArgs{
		AutoscalingGroupName: a.AutoScalingGroupName,
		ScheduledActionName:  pulumi.String(name + "-" + e.Name),
		MinSize:              sizePart(e.Min), MaxSize: sizePart(e.Max), DesiredCapacity: sizePart(e.Desired),
	}
	if e.Recurs() {
		s.Recurrence, s.TimeZone = pulumi.String(e.Recurrence), pulumi.String(a.TimeZone)
		if !e.Until.IsZero() {
			s.EndTime = moment(e.Until)
		}
	}
	if e.From.After(now) {
		s.StartTime = moment(e.From)
	}
	return s
}

func sizePart(p *int) pulumi.IntInput {
	if p == nil {
		return pulumi.Int(unchanged)
	}
	return pulumi.Int(*p)
}

// moment is a time as Auto Scaling takes it.
func moment(t time.Time) pulumi.String { return pulumi.String(t.UTC().Format("2006-01-02T15:04:05Z")) }
