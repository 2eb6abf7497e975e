package scaling

import (
	"cmp"
	"fmt"
	"regexp"
	"time"
	// The zones' rules, so that a schedule means the same on every machine that runs the program.
	_ "time/tzdata"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html
const maxActions = 125

// maxName is the longest name of a scheduled action, with the component's in front of it.
const maxName = 255

var (
	actionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	zoneName   = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)
)

// checked is args with the defaults filled in, and the plan that follows from them; it accepts nil.
func (args *NodeScalingScheduleArgs) checked(name string, now time.Time) (a NodeScalingScheduleArgs, plan []entry, err error) {
	if args != nil {
		a = *args
	}
	var p check.Problems
	p.Required("autoScalingGroupName", a.AutoScalingGroupName != nil, `cluster.AutoScalingGroupNames["main"]`)
	a.TimeZone = cmp.Or(a.TimeZone, "Etc/UTC")
	zone, err := time.LoadLocation(a.TimeZone)
	if err != nil || !zoneName.MatchString(a.TimeZone) || a.TimeZone == "Local" {
		p.Addf("timeZone", `is %q, must be the IANA name of a time zone, like "Europe/Madrid"`, a.TimeZone)
		zone = time.UTC
	}
	baseFits := checkSize(p.At("base"), a.Base)
	if a.Nights == nil && a.Weekends == nil && len(a.Actions) == 0 {
		p.Addf("actions", "is required where neither nights nor weekends is given")
	}
	for _, made := range a.presets(&p) {
		plan = append(plan, newEntry(&p, made.path, made.action, zone))
	}
	for i, action := range a.Actions {
		path := fmt.Sprintf("actions[%d]", i)
		action.check(p.At("%s", path))
		e := newEntry(&p, path, action, zone)
		plan = append(plan, e)
		if !e.end.IsZero() {
			plan = append(plan, e.restore(a.Base))
		}
	}
	if n := len(plan); n > maxActions {
		p.Addf("actions", "makes %d scheduled actions with nights, weekends and ends, must be at most %d", n, maxActions)
	}
	checkNames(&p, name, plan)
	if baseFits {
		a.checkBounds(&p, plan)
	}
	checkMoments(&p, plan, now.In(zone))
	return a, plan, p.Err(NodeScalingScheduleType, name)
}

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

func checkNames(p *check.Problems, component string, plan []entry) {
	first := map[string]string{}
	for _, e := range plan {
		if other, dup := first[e.Name]; dup && e.Name != "" {
			p.Addf(e.path, "makes an action called %q, as does %s", e.Name, other)
			continue
		}
		first[e.Name] = e.path
		if n := len(component) + len("-") + len(e.Name); n > maxName {
			p.Addf(e.path, "makes an action called %q, %d characters with %q in front, must be at most %d", e.Name, n, component+"-", maxName)
		}
	}
}

// recorded is what the stack's state and policy packs see of the arguments.
func (args *NodeScalingScheduleArgs) recorded() pulumi.Map {
	size := func(s Size) pulumi.Map {
		return pulumi.Map{"min": pulumi.Int(s.Min), "max": pulumi.Int(s.Max), "desired": pulumi.Int(s.Desired)}
	}
	m := pulumi.Map{"autoScalingGroupName": args.AutoScalingGroupName, "timeZone": pulumi.String(args.TimeZone), "base": size(args.Base)}
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
