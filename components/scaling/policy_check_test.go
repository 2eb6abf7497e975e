package scaling_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"pgregory.net/rapid"

	"github.com/slipway-iac/slipway/components/scaling"
	"github.com/slipway-iac/slipway/internal/recorder"
)

func TestPoliciesEverythingWrongAtOnce(t *testing.T) {
	r := &recorder.Recorder{}
	tooMany := make([]scaling.Adjustment, 21)
	for i := range tooMany {
		tooMany[i] = scaling.Adjustment{Lower: at(float64(i)), Upper: at(float64(i + 1)), Change: 1}
	}
	tooMany[20].Upper = nil
	err := runPolicy(r, &scaling.NodeScalingPolicyArgs{
		DesiredSizeOwner: "autoscaler",
		TargetTracking: []scaling.TargetTracking{
			{Target: 101, WarmUpSeconds: -1},
			{Name: "a b", Metric: &scaling.Metric{Namespace: ":x", Statistic: "p99", Dimensions: map[string]pulumi.StringInput{"": pulumi.String("x"), "B": pulumi.String(""), "C": nil}}},
			{Name: "predictive", Metric: queue("q"), Target: math.Inf(1)},
		},
		Steps: []scaling.Step{
			{Name: "s", Comparison: ">", TreatMissingData: "no", AdjustmentType: "Percent", PeriodSeconds: 45, Threshold: math.NaN()},
			{
				Name: "s", Comparison: "GreaterThanThreshold", PeriodSeconds: 30, EvaluationPeriods: 2881, AdjustmentType: "ExactCapacity", MinMagnitude: 1,
				Metric: nil, Adjustments: []scaling.Adjustment{{Change: -1}, {Lower: at(5), Upper: at(5), Change: 1}, {Lower: at(math.Inf(1)), Change: 1}},
			},
			{Name: strings.Repeat("n", 243), Metric: queue("r"), Comparison: "GreaterThanThreshold", PeriodSeconds: 7200, EvaluationPeriods: 85, AdjustmentType: "PercentChangeInCapacity", MinMagnitude: -1, Adjustments: tooMany},
			{Name: "none", Metric: queue("s"), Comparison: "LessThanThreshold", Adjustments: []scaling.Adjustment{{Upper: at(0)}}},
		},
		Predictive: &scaling.Predictive{Mode: "On", SchedulingBufferSeconds: 3600, MaxCapacityBufferPercent: 101},
		Tags:       map[string]string{"aws:x": "y"},
	})
	want := `slipway:index:NodeScalingPolicy "load" has 41 invalid argument(s):
  autoScalingGroupName is required, for example cluster.AutoScalingGroupNames["main"]
  desiredSizeOwner is "autoscaler", must be "schedule": an autoscaler in the cluster owns the number of nodes, and takes back what a policy does
  predictive.mode is "On", must be one of "ForecastOnly", "ForecastAndScale"
  predictive.cpuPercent is 0, must be 1 to 100
  predictive.schedulingBufferSeconds is 3600, must be 1 to 3599
  predictive.maxCapacityBufferPercent is 101, must be 0 to 100
  predictive.maxCapacityBufferPercent is 101, must be left out with maxCapacityBehavior "HonorMaxCapacity"
  targetTracking[0].name is required, for example "cpu"
  targetTracking[0].target is 101, must be at most 100: it is CPU in percent
  targetTracking[0].warmUpSeconds is -1, must be at least 1, or left out for the group's
  targetTracking[1].name is "a b", must be letters, digits, ".", "_" and "-", like "cpu"
  targetTracking[1].metric.namespace is ":x", must be 1 to 255 characters that do not begin with ":", like "AWS/SQS"
  targetTracking[1].metric.name is "", must be 1 to 255 characters, like "ApproximateNumberOfMessagesVisible"
  targetTracking[1].metric.statistic is "p99", must be one of "Average", "Minimum", "Maximum", "Sum", "SampleCount"
  targetTracking[1].metric.dimensions[""] has no name, must have one
  targetTracking[1].metric.dimensions["B"] is required, for example "orders"
  targetTracking[1].metric.dimensions["C"] is required, for example "orders"
  targetTracking[1].target is 0, must be more than 0
  targetTracking[2].name is "predictive", which is that of predictive too
  targetTracking[2].target is +Inf, must be a finite number
  steps[0].comparison is ">", must be one of "GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"
  steps[0].threshold is NaN, must be a finite number
  steps[0].periodSeconds is 45, must be 10, 30 or a multiple of 60
  steps[0].treatMissingData is "no", must be one of "missing", "ignore", "breaching", "notBreaching"
  steps[0].adjustmentType is "Percent", must be one of "ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"
  steps[0].adjustments is required, for example [{lower: 0, change: 1}]
  steps[1].name is "s", which is that of steps[0] too
  steps[1].periodSeconds is 30, must be at least 60: EC2 tells CPU no more often
  steps[1].evaluationPeriods is 2881, must be 1 to 2880 with periods of 30 seconds
  steps[1].minMagnitude is 1, must be left out with adjustmentType "ExactCapacity": only percentages have it
  steps[1].adjustments[0].change is -1, must be at least 0: with "ExactCapacity" it is the number of nodes
  steps[1].adjustments[0] has neither lower nor upper, must have lower 0 where it is the only one
  steps[1].adjustments[1].upper is 5, must be more than lower (5)
  steps[1].adjustments[2].lower is +Inf, must be a finite number
  steps[2].name is "` + strings.Repeat("n", 243) + `", which makes 256 characters with the component's name and Pulumi's suffix, must be at most 255
  steps[2].evaluationPeriods is 85, must be 1 to 84 with periods of 7200 seconds
  steps[2].minMagnitude is -1, must be at least 1
  steps[2].adjustments has 21, must be at most 20
  steps[3].adjustments change nothing, must add or take away nodes
  steps[1].metric is that of targetTracking[0], which adds nodes by it too, and they would fight: give one of them
  tags["aws:x"] has a key that begins with "aws:", which AWS keeps for itself`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if seen := r.Tree(); strings.Contains(seen, "slipway:") {
		t.Errorf("registered in spite of it:\n%s", seen)
	}
}

func TestPoliciesRefused(t *testing.T) {
	exactly := func(s scaling.Step) scaling.Step {
		s.AdjustmentType = "ExactCapacity"
		s.Adjustments[0].Change = 3
		return s
	}
	inclusive := func(s scaling.Step) scaling.Step {
		s.Comparison = strings.Replace(s.Comparison, "Than", "ThanOrEqualTo", 1)
		return s
	}
	bounds := func(comparison string, adjustments ...scaling.Adjustment) []scaling.Step {
		return []scaling.Step{{Name: "s", Comparison: comparison, Threshold: 50, Adjustments: adjustments}}
	}
	const above, below = "GreaterThanThreshold", "LessThanOrEqualToThreshold"
	ownCPU := &scaling.Metric{Namespace: "AWS/EC2", Name: "CPUUtilization", Dimensions: map[string]pulumi.StringInput{"AutoScalingGroupName": pulumi.String("nodes-abc")}}
	cpu := scaling.TargetTracking{Name: "cpu", Target: 60}
	cpuOut := scaling.TargetTracking{Name: "cpu", Target: 60, DisableScaleIn: true}
	for name, tc := range map[string]struct {
		targets []scaling.TargetTracking
		steps   []scaling.Step
		owner   string
		want    string
	}{
		"nothing":       {want: "targetTracking is required where neither steps nor predictive is given"},
		"no owner":      {[]scaling.TargetTracking{cpu}, nil, "-", `desiredSizeOwner is required, for example "schedule", as the node group says`},
		"a fixed size":  {[]scaling.TargetTracking{cpu}, nil, "fixed", `desiredSizeOwner is "fixed", must be "schedule": the stack owns the number of nodes, and takes back what a policy does when it is updated`},
		"no such owner": {[]scaling.TargetTracking{cpu}, nil, "policy", `desiredSizeOwner is "policy", must be "schedule": the owner that leaves the number of nodes to Auto Scaling`},
		"two targets of CPU": {
			[]scaling.TargetTracking{cpu, {Name: "b", Target: 70, Metric: ownCPU}},
			nil, "",
			"targetTracking[1].metric is that of targetTracking[0]: Auto Scaling takes one target tracking policy a metric",
		},
		"two targets of a queue": {
			[]scaling.TargetTracking{{Name: "a", Target: 5, Metric: queue("q")}, cpu, {Name: "b", Target: 6, Metric: queue("q")}},
			nil, "",
			"targetTracking[2].metric is that of targetTracking[0]: Auto Scaling takes one target tracking policy a metric",
		},
		"a target and a step that add": {
			[]scaling.TargetTracking{cpuOut},
			[]scaling.Step{more("up", ownCPU, 80)},
			"",
			"steps[0].metric is that of targetTracking[0], which adds nodes by it too, and they would fight: give one of them",
		},
		"a target and a step that take away": {
			[]scaling.TargetTracking{cpu},
			[]scaling.Step{fewer("down", nil, 20)},
			"",
			"steps[0].metric is that of targetTracking[0], which takes nodes away by it too, and they would fight: give one of them, or that one disableScaleIn",
		},
		"an exact number fights both ways": {
			[]scaling.TargetTracking{cpuOut},
			[]scaling.Step{exactly(fewer("down", nil, 20))},
			"",
			"steps[0].metric is that of targetTracking[0], which adds nodes by it too, and they would fight: give one of them",
		},
		"an exact number may be fewer": {
			nil,
			[]scaling.Step{exactly(more("up", queue("q"), 50)), more("further", queue("q"), 80)},
			"",
			"steps[1].threshold is 80 (GreaterThanThreshold), must not overlap that of steps[0], 50 (GreaterThanThreshold): one adds nodes where the other takes them away",
		},
		"up and down at once": {
			nil,
			[]scaling.Step{more("up", queue("q"), 50), fewer("down", queue("q"), 50.5)},
			"",
			"steps[1].threshold is 50.5 (LessThanThreshold), must not overlap that of steps[0], 50 (GreaterThanThreshold): one adds nodes where the other takes them away",
		},
		"down and up at one value": {
			nil,
			[]scaling.Step{inclusive(fewer("down", queue("q"), 50)), inclusive(more("up", queue("q"), 50))},
			"",
			"steps[1].threshold is 50 (GreaterThanOrEqualToThreshold), must not overlap that of steps[0], 50 (LessThanOrEqualToThreshold): one adds nodes where the other takes them away",
		},
		"a gap at the threshold":       {nil, bounds(above, scaling.Adjustment{Lower: at(10), Change: 1}), "", "steps[0].adjustments[0].lower is 10, must be 0: the alarm is raised from the threshold on"},
		"below what raises the alarm":  {nil, bounds(above, scaling.Adjustment{Upper: at(10), Change: 1}, scaling.Adjustment{Lower: at(10), Change: 2}), "", "steps[0].adjustments[0].lower is left out, must be 0: the alarm is raised from the threshold on"},
		"an end":                       {nil, bounds(above, scaling.Adjustment{Lower: at(0), Upper: at(10), Change: 1}), "", "steps[0].adjustments[0].upper is 10, must be left out: the alarm is raised however far above the threshold"},
		"a gap":                        {nil, bounds(above, scaling.Adjustment{Lower: at(10.5), Change: 2}, scaling.Adjustment{Lower: at(0), Upper: at(10), Change: 1}), "", "steps[0].adjustments[0].lower is 10.5, must be 10, where adjustments[1] ends: values between have no adjustment"},
		"an overlap":                   {nil, bounds(above, scaling.Adjustment{Lower: at(0), Upper: at(10), Change: 1}, scaling.Adjustment{Lower: at(5), Change: 2}), "", "steps[0].adjustments[1].lower is 5, must be 10, where adjustments[0] ends: values between have two adjustments"},
		"an overlap without end":       {nil, bounds(above, scaling.Adjustment{Lower: at(0), Change: 1}, scaling.Adjustment{Lower: at(5), Change: 2}), "", "steps[0].adjustments[0].upper is left out, must be 5, where adjustments[1] begins: values beyond have two adjustments"},
		"above what raises the alarm":  {nil, bounds(below, scaling.Adjustment{Upper: at(5), Change: -1}), "", "steps[0].adjustments[0].upper is 5, must be 0: the alarm is raised up to the threshold"},
		"a beginning":                  {nil, bounds(below, scaling.Adjustment{Lower: at(-50), Upper: at(0), Change: -1}), "", "steps[0].adjustments[0].lower is -50, must be left out: the alarm is raised however far below the threshold"},
		"an overlap without beginning": {nil, bounds(below, scaling.Adjustment{Upper: at(-5), Change: -2}, scaling.Adjustment{Upper: at(0), Change: -1}), "", "steps[0].adjustments[1].lower is left out, must be -5, where adjustments[0] ends: values between have two adjustments"},
		"no bounds below":              {nil, bounds(below, scaling.Adjustment{Change: -1}), "", "steps[0].adjustments[0] has neither lower nor upper, must have upper 0 where it is the only one"},
		"too many policies":            {manyTargets(51), nil, "", "steps makes 51 policies with targetTracking and predictive, must be at most 50: Auto Scaling takes no more for a group"},
		"no evaluation":                {nil, []scaling.Step{{Name: "s", Comparison: above, EvaluationPeriods: -1, Adjustments: []scaling.Adjustment{{Lower: at(0), Change: 1}}}}, "", "steps[0].evaluationPeriods is -1, must be 1 to 288 with periods of 300 seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			owner := strings.TrimPrefix(cmp.Or(tc.owner, "schedule"), "-")
			err := runPolicy(&recorder.Recorder{}, &scaling.NodeScalingPolicyArgs{
				AutoScalingGroupName: pulumi.String("nodes-abc"), DesiredSizeOwner: owner, TargetTracking: tc.targets, Steps: tc.steps,
			})
			want := "slipway:index:NodeScalingPolicy \"load\" has 1 invalid argument(s):\n  " + tc.want
			if err == nil || err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

func manyTargets(n int) (out []scaling.TargetTracking) {
	for i := range n {
		name := fmt.Sprintf("t%d", i)
		out = append(out, scaling.TargetTracking{Name: name, Target: 1, Metric: queue(name)})
	}
	return out
}

func TestPoliciesThatDoNotFight(t *testing.T) {
	other := queue("q")
	other.Statistic = "Maximum"
	for name, args := range map[string]*scaling.NodeScalingPolicyArgs{
		"out by a target, in by a step": {TargetTracking: []scaling.TargetTracking{{Name: "cpu", Target: 60, DisableScaleIn: true}}, Steps: []scaling.Step{fewer("down", nil, 20)}},
		"out and in apart":              {Steps: []scaling.Step{more("up", queue("q"), 50), fewer("down", queue("q"), 50)}},
		"of two queues":                 {TargetTracking: []scaling.TargetTracking{{Name: "a", Target: 5, Metric: queue("a")}, {Name: "b", Target: 5, Metric: queue("b")}}},
		"of two statistics":             {Steps: []scaling.Step{more("up", queue("q"), 50), fewer("down", other, 90)}},
		"twice out":                     {Steps: []scaling.Step{more("some", queue("q"), 50), more("many", queue("q"), 500)}},
		"a forecast of the same CPU":    {TargetTracking: []scaling.TargetTracking{{Name: "cpu", Target: 60}}, Predictive: &scaling.Predictive{CPUPercent: 60}},
	} {
		args.AutoScalingGroupName, args.DesiredSizeOwner = pulumi.String("nodes-abc"), "schedule"
		if err := runPolicy(&recorder.Recorder{}, args); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Adjustments are taken exactly where each value that raises the alarm has one of them, and no other value has.
func TestBoundsShareOutWhatIsBeyond(t *testing.T) {
	const reach = 4
	bound := rapid.Custom(func(t *rapid.T) *float64 {
		if rapid.Bool().Draw(t, "none") {
			return nil
		}
		return at(float64(rapid.IntRange(-reach, reach).Draw(t, "bound")))
	})
	// Mostly good ones, of which at most one bound is changed.
	rapid.Check(t, func(t *rapid.T) {
		above := rapid.Bool().Draw(t, "above")
		cuts := rapid.SliceOfNDistinct(rapid.IntRange(1, reach), 0, 3, rapid.ID).Draw(t, "cuts")
		edges := []*float64{at(0)}
		slices.Sort(cuts)
		for _, c := range cuts {
			edges = append(edges, at(float64(c)))
		}
		edges = append(edges, nil)
		comparison := "GreaterThanThreshold"
		if !above {
			comparison = "LessThanThreshold"
			slices.Reverse(edges)
			for _, e := range edges {
				if e != nil && *e != 0 {
					*e = -*e
				}
			}
		}
		var list []scaling.Adjustment
		for i := range len(edges) - 1 {
			list = append(list, scaling.Adjustment{Lower: edges[i], Upper: edges[i+1], Change: 1})
		}
		if rapid.Bool().Draw(t, "changed") {
			a := &list[rapid.IntRange(0, len(list)-1).Draw(t, "which")]
			if rapid.Bool().Draw(t, "lower") {
				a.Lower = bound.Draw(t, "to")
			} else {
				a.Upper = bound.Draw(t, "to")
			}
		}
		list = rapid.Permutation(list).Draw(t, "order")

		good := true
		for _, a := range list {
			good = good && (a.Lower != nil || a.Upper != nil)
		}
		for v := -reach - 0.5; v < reach+1; v++ {
			n := 0
			for _, a := range list {
				if (a.Lower == nil || *a.Lower < v) && (a.Upper == nil || v < *a.Upper) {
					n++
				}
			}
			want := 0
			if above == (v > 0) {
				want = 1
			}
			good = good && n == want
		}
		// An empty range has no value, and is refused all the same.
		for _, a := range list {
			good = good && (a.Lower == nil || a.Upper == nil || *a.Lower < *a.Upper)
		}
		args := &scaling.NodeScalingPolicyArgs{DesiredSizeOwner: "schedule", Steps: []scaling.Step{{Name: "s", Comparison: comparison, Adjustments: list}}}
		if err := args.Check(nil, "load"); (err == nil) != good {
			t.Fatalf("good %v, but %v", good, err)
		}
	})
}
