// Package scaling changes the size of a node group by the clock.
package scaling

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// NodeScalingScheduleType is in every stack's state: to change it takes an alias and a major version.
const NodeScalingScheduleType = "slipway:index:NodeScalingSchedule"

// NodeScalingScheduleArgs says which group changes its size, when, and what it comes back to. At least one of Nights,
// Weekends and Actions is required.
type NodeScalingScheduleArgs struct {
	// AutoScalingGroupName is the group behind the nodes, from EksCluster.AutoScalingGroupNames. Required. A node group whose
	// desired size is not owned by the schedule takes back what the schedule does. A change replaces all actions.
	AutoScalingGroupName pulumi.StringInput `pulumi:"autoScalingGroupName"`
	// TimeZone is the IANA name of the zone in which all times here are read, with its daylight saving: "Europe/Madrid".
	// Default "Etc/UTC".
	TimeZone string `pulumi:"timeZone,optional"`
	// Base is the size by day: what Nights, Weekends and an Action's End come back to. It should be that of the node group.
	// Required.
	Base Size `pulumi:"base"`
	// Nights makes the group smaller at night; default not.
	Nights *Nights `pulumi:"nights,optional"`
	// Weekends makes the group smaller at the weekend; default not.
	Weekends *Weekends `pulumi:"weekends,optional"`
	// Actions are further changes of size, at most 125 with those of Nights, Weekends and Ends; default none. No two may fall
	// on the same minute, which Auto Scaling refuses.
	Actions []Action `pulumi:"actions,optional"`
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
	// Recurrence is when it runs, as crontab's five fields: "0 20 * * 1-5" is 20:00 from Monday to Friday. Without it the
	// action runs once, at Start.
	Recurrence string `pulumi:"recurrence,optional"`
	// Min is the new smallest number of nodes; nil leaves it alone. At least one of Min, Max and Desired is required. What is
	// set must fit whatever Base or another action may have left in force.
	Min *int `pulumi:"min,optional"`
	// Max is the new largest number of nodes; nil leaves it alone.
	Max *int `pulumi:"max,optional"`
	// Desired is the number of nodes from then on, until another action or policy changes it; nil leaves it alone.
	Desired *int `pulumi:"desired,optional"`
	// Start is the moment from which it counts, "2026-11-27T08:00" in TimeZone or with an offset of its own,
	// "2026-11-27T08:00:00Z". Auto Scaling runs a recurring action at Start too, whatever its Recurrence says. A Start that
	// has passed is no error: it is left out of what AWS is asked, since AWS refuses it. Default: at once.
	Start string `pulumi:"start,optional"`
	// End is the moment at which Base is back, written like Start. AWS only stops repeating then, and leaves the size as it
	// is; so an action of its own, NAME-end, restores Base. After that both are gone. Default: never.
	End string `pulumi:"end,optional"`
}

// NodeScalingSchedule changes the size of a node group by the clock:
//
//	slipway:index:NodeScalingSchedule     NAME
//	└─ aws:autoscaling/schedule:Schedule  NAME-ACTION  nights-down, nights-up, weekends-down, weekends-up, each action, and its end
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
	c := &NodeScalingSchedule{}
	if err := ctx.RegisterComponentResourceV2(NodeScalingScheduleType, name, a.recorded(), c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", NodeScalingScheduleType, name, err)
	}
	var live []entry
	for _, e := range plan {
		if e.over(now) {
			// Auto Scaling drops an action that is over by itself; to ask for it again would be refused.
			if err := ctx.Log.Info(fmt.Sprintf("action %q is over and can be taken out of the arguments", e.Name), &pulumi.LogArgs{Resource: c}); err != nil {
				return nil, err
			}
			continue
		}
		live = append(live, e)
		_, err := autoscaling.NewSchedule(ctx, name+"-"+e.Name, e.schedule(name, a, now), pulumi.Parent(c),
			// The name stays, so the old one goes first. The trigger catches what the provider takes for no change: a start, end or
			// recurrence that is no longer given.
			pulumi.DeleteBeforeReplace(true), pulumi.ReplaceOnChanges([]string{"*"}), pulumi.ReplacementTrigger(e.definition(a.TimeZone)))
		if err != nil {
			return nil, fmt.Errorf("%s %q: action %q: %w", NodeScalingScheduleType, name, e.Name, err)
		}
	}
	c.Summary = pulumi.ToStringArray(summary(live, a.TimeZone)).ToStringArrayOutput()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"summary": c.Summary})
}

// unchanged leaves a part of the size alone; Pulumi's provider takes a part that is not given for 0.
const unchanged = -1

func (e entry) schedule(name string, a NodeScalingScheduleArgs, now time.Time) *autoscaling.ScheduleArgs {
	s := &autoscaling.ScheduleArgs{
		AutoscalingGroupName: a.AutoScalingGroupName,
		ScheduledActionName:  pulumi.String(name + "-" + e.Name),
		MinSize:              sizePart(e.Min), MaxSize: sizePart(e.Max), DesiredCapacity: sizePart(e.Desired),
	}
	if e.recurs() {
		s.Recurrence, s.TimeZone = pulumi.String(e.Recurrence), pulumi.String(a.TimeZone)
		if !e.end.IsZero() {
			s.EndTime = moment(e.end)
		}
	}
	if e.start.After(now) {
		s.StartTime = moment(e.start)
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
