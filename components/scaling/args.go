package scaling

import (
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/internal/check"
)

// checked is args with the defaults filled in, and the plan that follows from them; it accepts nil.
func (args *NodeScalingScheduleArgs) checked(name string, now time.Time) (a NodeScalingScheduleArgs, plan []calendar.Entry, err error) {
	if args != nil {
		a = *args
	}
	var p check.Problems
	p.Required("autoScalingGroupName", a.AutoScalingGroupName != nil, `cluster.AutoScalingGroupNames["main"]`)
	s, plan := a.Calendar().Checked(&p, name, now)
	a.TimeZone = s.TimeZone
	return a, plan, p.Err(NodeScalingScheduleType, name)
}

// Calendar is the schedule without the group that it is for: when which size holds, in plain Go. It accepts nil.
func (args *NodeScalingScheduleArgs) Calendar() calendar.Schedule {
	if args == nil {
		return calendar.Schedule{}
	}
	return calendar.Schedule{TimeZone: args.TimeZone, Base: args.Base, OfficeHours: args.OfficeHours, Nights: args.Nights, Weekends: args.Weekends, Actions: args.Actions}
}

// recorded is what the stack's state and policy packs see of the arguments.
func (args *NodeScalingScheduleArgs) recorded() pulumi.Map {
	size := func(s Size) pulumi.Map {
		return pulumi.Map{"min": pulumi.Int(s.Min), "max": pulumi.Int(s.Max), "desired": pulumi.Int(s.Desired)}
	}
	m := pulumi.Map{"autoScalingGroupName": args.AutoScalingGroupName, "timeZone": pulumi.String(args.TimeZone), "base": size(args.Base)}
	if o := args.OfficeHours; o != nil {
		m["officeHours"] = pulumi.Map{"from": pulumi.String(o.From), "until": pulumi.String(o.Until), "size": size(o.Size)}
	}
	if n := args.Nights; n != nil {
		m["nights"] = pulumi.Map{"downAt": pulumi.String(n.DownAt), "upAt": pulumi.String(n.UpAt), "size": size(n.Size)}
	}
	if w := args.Weekends; w != nil {
		m["weekends"] = pulumi.Map{"from": pulumi.String(w.From), "until": pulumi.String(w.Until), "size": size(w.Size)}
	}
	var actions pulumi.Array
	for _, a := range args.Actions {
		one := pulumi.Map{"name": pulumi.String(a.Name)}
		for k, v := range map[string]string{"recurrence": a.Recurrence, "start": a.Start, "end": a.End} {
			if v != "" {
				one[k] = pulumi.String(v)
			}
		}
		for k, v := range map[string]*int{"min": a.Min, "max": a.Max, "desired": a.Desired} {
			if v != nil {
				one[k] = pulumi.Int(*v)
			}
		}
		actions = append(actions, one)
	}
	if len(actions) > 0 {
		m["actions"] = actions
	}
	return m
}
