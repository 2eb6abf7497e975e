package scaling

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

const (
	// maxPolicies of one group: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html.
	maxPolicies = 50
	// maxPolicyName is AWS's limit for the names of policies and alarms.
	maxPolicyName = 255
	// pulumiSuffix is what Pulumi puts behind a name to make it unique.
	pulumiSuffix = "-1234567"
	// ownerSchedule is cluster.OwnerSchedule; components do not import each other.
	ownerSchedule = "schedule"
)

var policyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// checked is args with the defaults filled in; it accepts nil.
func (args *NodeScalingPolicyArgs) checked(name string) (a NodeScalingPolicyArgs, err error) {
	if args != nil {
		a = *args
	}
	var p check.Problems
	p.Required("autoScalingGroupName", a.AutoScalingGroupName != nil, `cluster.AutoScalingGroupNames["main"]`)
	a.checkOwner(&p)
	if len(a.TargetTracking)+len(a.Steps) == 0 && a.Predictive == nil {
		p.Addf("targetTracking", "is required where neither steps nor predictive is given")
	}
	names := policyNames{component: name, first: map[string]string{}}
	if a.Predictive != nil {
		names.first[predictiveName] = "predictive"
		a.Predictive = a.Predictive.checked(p.At("predictive"))
	}
	targets := make([]TargetTracking, len(a.TargetTracking))
	for i, t := range a.TargetTracking {
		at := p.At("targetTracking[%d]", i)
		names.check(at, t.Name)
		targets[i] = t.checked(at)
	}
	steps := make([]Step, len(a.Steps))
	for i, s := range a.Steps {
		at := p.At("steps[%d]", i)
		names.check(at, s.Name)
		steps[i] = s.checked(at)
	}
	a.TargetTracking, a.Steps = targets, steps
	n := len(targets) + len(steps)
	if a.Predictive != nil {
		n++
	}
	if n > maxPolicies {
		p.Addf("steps", "makes %d policies with targetTracking and predictive, must be at most %d: Auto Scaling takes no more for a group", n, maxPolicies)
	}
	a.checkFights(&p)
	p.Tags("tags", a.Tags)
	return a, p.Err(NodeScalingPolicyType, name)
}

func (args *NodeScalingPolicyArgs) checkOwner(p *check.Problems) {
	why := "the owner that leaves the number of nodes to Auto Scaling"
	switch args.DesiredSizeOwner {
	case ownerSchedule:
		return
	case "":
		p.Required("desiredSizeOwner", false, `"schedule", as the node group says`)
		return
	case "fixed":
		why = "the stack owns the number of nodes, and takes back what a policy does when it is updated"
	case "autoscaler":
		why = "an autoscaler in the cluster owns the number of nodes, and takes back what a policy does"
	}
	p.Addf("desiredSizeOwner", "is %q, must be %q: %s", args.DesiredSizeOwner, ownerSchedule, why)
}

// policyNames tells whether the names of policies are good, and none is there twice.
type policyNames struct {
	component string
	first     map[string]string
}

func (n policyNames) check(p *check.Problems, name string) {
	if name == "" {
		p.Required("name", false, `"cpu"`)
		return
	}
	p.Match("name", name, policyName, `letters, digits, ".", "_" and "-", like "cpu"`)
	if other, dup := n.first[name]; dup {
		p.Addf("name", "is %q, which is that of %s too", name, other)
	} else {
		n.first[name] = p.Path("")
	}
	if all := len(n.component) + len("-") + len(name) + len(pulumiSuffix); all > maxPolicyName {
		p.Addf("name", "is %q, which makes %d characters with the component's name and Pulumi's suffix, must be at most %d", name, all, maxPolicyName)
	}
}

// checkFights refuses policies of which one undoes or repeats what another does.
func (args *NodeScalingPolicyArgs) checkFights(p *check.Problems) {
	for i, t := range args.TargetTracking {
		for j, other := range args.TargetTracking[:i] {
			if args.metric(t.Metric).same(args.metric(other.Metric)) {
				p.Addf(fmt.Sprintf("targetTracking[%d].metric", i), "is that of targetTracking[%d]: Auto Scaling takes one target tracking policy a metric", j)
			}
		}
	}
	for i, s := range args.Steps {
		path := fmt.Sprintf("steps[%d].metric", i)
		for j, t := range args.TargetTracking {
			switch {
			case !args.metric(s.Metric).same(args.metric(t.Metric)):
			case s.adds():
				p.Addf(path, "is that of targetTracking[%d], which adds nodes by it too, and they would fight: give one of them", j)
			case s.removes() && !t.DisableScaleIn:
				p.Addf(path, "is that of targetTracking[%d], which takes nodes away by it too, and they would fight: give one of them, or that one disableScaleIn", j)
			}
		}
		for j, o := range args.Steps[:i] {
			if args.metric(s.Metric).same(args.metric(o.Metric)) && s.overlaps(o) && ((s.adds() && o.removes()) || (s.removes() && o.adds())) {
				p.Addf(fmt.Sprintf("steps[%d].threshold", i), "is %s (%s), must not overlap that of steps[%d], %s (%s): one adds nodes where the other takes them away",
					decimal(s.Threshold), s.Comparison, j, decimal(o.Threshold), o.Comparison)
			}
		}
	}
}

// recorded is what the stack's state and policy packs see of the arguments.
func (args *NodeScalingPolicyArgs) recorded() pulumi.Map {
	m := pulumi.Map{"autoScalingGroupName": args.AutoScalingGroupName, "desiredSizeOwner": pulumi.String(args.DesiredSizeOwner)}
	var targets, steps pulumi.Array
	for _, t := range args.TargetTracking {
		one := pulumi.Map{"name": pulumi.String(t.Name), "target": pulumi.Float64(t.Target), "disableScaleIn": pulumi.Bool(t.DisableScaleIn)}
		recordBoth(one, t.Metric, t.WarmUpSeconds)
		targets = append(targets, one)
	}
	for _, s := range args.Steps {
		steps = append(steps, s.recorded())
	}
	if len(targets) > 0 {
		m["targetTracking"] = targets
	}
	if len(steps) > 0 {
		m["steps"] = steps
	}
	if f := args.Predictive; f != nil {
		m["predictive"] = pulumi.Map{
			"mode": pulumi.String(f.Mode), "cpuPercent": pulumi.Int(f.CPUPercent), "schedulingBufferSeconds": pulumi.Int(f.SchedulingBufferSeconds),
			"maxCapacityBehavior": pulumi.String(f.MaxCapacityBehavior), "maxCapacityBufferPercent": pulumi.Int(f.MaxCapacityBufferPercent),
		}
	}
	if len(args.Tags) > 0 {
		m["tags"] = pulumi.ToStringMap(args.Tags)
	}
	return m
}

func (s Step) recorded() pulumi.Map {
	var adjustments pulumi.Array
	for _, a := range s.Adjustments {
		one := pulumi.Map{"change": pulumi.Int(a.Change)}
		if a.Lower != nil {
			one["lower"] = pulumi.Float64(*a.Lower)
		}
		if a.Upper != nil {
			one["upper"] = pulumi.Float64(*a.Upper)
		}
		adjustments = append(adjustments, one)
	}
	m := pulumi.Map{
		"name": pulumi.String(s.Name), "comparison": pulumi.String(s.Comparison), "threshold": pulumi.Float64(s.Threshold),
		"periodSeconds": pulumi.Int(s.PeriodSeconds), "evaluationPeriods": pulumi.Int(s.EvaluationPeriods),
		"treatMissingData": pulumi.String(s.TreatMissingData), "adjustmentType": pulumi.String(s.AdjustmentType), "adjustments": adjustments,
	}
	if s.MinMagnitude != 0 {
		m["minMagnitude"] = pulumi.Int(s.MinMagnitude)
	}
	recordBoth(m, s.Metric, s.WarmUpSeconds)
	return m
}

// recordBoth records what TargetTracking and Step both have, and may leave out.
func recordBoth(m pulumi.Map, metric *Metric, warmUpSeconds int) {
	if metric != nil {
		m["metric"] = metric.recorded()
	}
	if warmUpSeconds != 0 {
		m["warmUpSeconds"] = pulumi.Int(warmUpSeconds)
	}
}
