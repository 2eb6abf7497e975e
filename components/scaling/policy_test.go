package scaling_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/scaling"
	"github.com/slipway-iac/slipway/internal/recorder"
)

const (
	policyType = "aws:autoscaling/policy:Policy"
	alarmType  = "aws:cloudwatch/metricAlarm:MetricAlarm"
)

// at is a bound.
func at(v float64) *float64 { return &v }

func queue(name string) *scaling.Metric {
	return &scaling.Metric{Namespace: "AWS/SQS", Name: "ApproximateNumberOfMessagesVisible", Dimensions: map[string]pulumi.StringInput{"QueueName": pulumi.String(name)}}
}

// more is a step that adds nodes above a threshold, fewer one that takes nodes away below it.
func more(name string, m *scaling.Metric, threshold float64) scaling.Step {
	return scaling.Step{
		Name: name, Metric: m, Comparison: "GreaterThanThreshold", Threshold: threshold, Adjustments: []scaling.Adjustment{{Lower: at(0), Change: 1}},
	}
}

func fewer(name string, m *scaling.Metric, threshold float64) scaling.Step {
	return scaling.Step{
		Name: name, Metric: m, Comparison: "LessThanThreshold", Threshold: threshold, Adjustments: []scaling.Adjustment{{Upper: at(0), Change: -1}},
	}
}

// load is a group that follows its CPU, what waits, and what came in the weeks before.
func load() *scaling.NodeScalingPolicyArgs {
	return &scaling.NodeScalingPolicyArgs{
		AutoScalingGroupName: pulumi.String("nodes-abc"), DesiredSizeOwner: "schedule",
		TargetTracking: []scaling.TargetTracking{
			{Name: "cpu", Target: 60, DisableScaleIn: true, WarmUpSeconds: 180},
			{Name: "backlog", Target: 12.5, Metric: &scaling.Metric{
				Namespace: "Shop", Name: "MessagesPerNode", Statistic: "Maximum",
				Dimensions: map[string]pulumi.StringInput{"Stage": pulumi.String("prod"), "Queue": pulumi.String("orders")},
			}},
		},
		Steps: []scaling.Step{
			{
				Name: "waiting", Metric: queue("orders"), Comparison: "GreaterThanOrEqualToThreshold", Threshold: 100, PeriodSeconds: 60, EvaluationPeriods: 3,
				TreatMissingData: "notBreaching", AdjustmentType: "PercentChangeInCapacity", MinMagnitude: 2, WarmUpSeconds: 240,
				Adjustments: []scaling.Adjustment{{Lower: at(400.5), Change: 50}, {Lower: at(0), Upper: at(400.5), Change: 10}},
			},
			fewer("idle", nil, 20),
		},
		Predictive: &scaling.Predictive{CPUPercent: 55},
		Tags:       map[string]string{"team": "shop"},
	}
}

func runPolicy(r *recorder.Recorder, args *scaling.NodeScalingPolicyArgs) error {
	var refused error
	err := r.Run(func(ctx *pulumi.Context) error {
		_, refused = scaling.NewNodeScalingPolicy(ctx, "load", args)
		return refused
	})
	// As NewNodeScalingPolicy said it, without what the engine draws around it.
	return cmp.Or(refused, err)
}

func TestPoliciesRegistered(t *testing.T) {
	r := &recorder.Recorder{Outputs: map[string]func(pulumi.MockResourceArgs) resource.PropertyMap{
		policyType: func(a pulumi.MockResourceArgs) resource.PropertyMap {
			return resource.PropertyMap{"arn": resource.NewStringProperty("arn:" + a.Name), "name": resource.NewStringProperty(a.Name + "-1234567")}
		},
		alarmType: func(a pulumi.MockResourceArgs) resource.PropertyMap {
			return resource.PropertyMap{"name": resource.NewStringProperty(a.Name + "-7654321")}
		},
	}}
	names := make(chan string, 2)
	err := r.Run(func(ctx *pulumi.Context) error {
		c, err := scaling.NewNodeScalingPolicy(ctx, "load", load())
		if err == nil {
			for _, out := range []pulumi.StringMapOutput{c.PolicyNames, c.AlarmNames} {
				out.ApplyT(func(m map[string]string) string { names <- fmt.Sprint(m); return "" })
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{<-names, <-names}
	slices.Sort(got)
	want := []string{
		"map[backlog:load-backlog-1234567 cpu:load-cpu-1234567 idle:load-idle-1234567 predictive:load-predictive-1234567 waiting:load-waiting-1234567]",
		"map[idle:load-idle-7654321 waiting:load-waiting-7654321]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("names are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// An alarm without its own policy's ARN would be raised, and nothing would change.
	if got := fmt.Sprint(recorder.Plain(r.Find(t, alarmType, "load-waiting").Inputs["alarmActions"])); got != "[arn:load-waiting]" {
		t.Errorf("the alarm of waiting acts on %s", got)
	}
	r.Golden(t, "policy")
	recorder.CheckDocTree(t, "policy.go", "NodeScalingPolicy", r)
}

// AWS demands the buffer together with IncreaseMaxCapacity, also where it is 0, and refuses it otherwise.
func TestBufferOnlyWhereTheMaximumMayBeRaised(t *testing.T) {
	for behavior, want := range map[string]any{"": nil, scaling.HonorMaxCapacity: nil, scaling.IncreaseMaxCapacity: "0"} {
		args, r := load(), &recorder.Recorder{}
		args.Predictive = &scaling.Predictive{CPUPercent: 55, Mode: scaling.ForecastAndScale, MaxCapacityBehavior: behavior}
		if err := runPolicy(r, args); err != nil {
			t.Fatal(err)
		}
		forecast := recorder.Plain(r.Find(t, policyType, "load-predictive").Inputs["predictiveScalingConfiguration"]).(map[string]any)
		if got := forecast["maxCapacityBuffer"]; got != want {
			t.Errorf("%q: the buffer is %v, want %v", behavior, got, want)
		}
	}
}

func TestPoliciesAreCheckedBeforeTheGroupIs(t *testing.T) {
	args := load()
	args.AutoScalingGroupName = nil
	if err := args.Check(nil, "load"); err != nil {
		t.Error(err)
	}
	args.DesiredSizeOwner = "fixed"
	if err := args.Check(nil, "load"); err == nil || !strings.Contains(err.Error(), "has 1 invalid argument(s):\n  desiredSizeOwner is") {
		t.Errorf("got %v", err)
	}
	if err := (*scaling.NodeScalingPolicyArgs)(nil).Check(nil, "load"); err == nil || !strings.Contains(err.Error(), "desiredSizeOwner is required") {
		t.Errorf("nil: got %v", err)
	}
}

func TestPreviewOfPoliciesOnAGroupThatDoesNotExistYet(t *testing.T) {
	unknown := func(pulumi.MockResourceArgs) resource.PropertyMap {
		return resource.PropertyMap{"arn": resource.NewStringProperty("")}
	}
	r := &recorder.Recorder{Preview: true, Outputs: map[string]func(pulumi.MockResourceArgs) resource.PropertyMap{policyType: unknown}}
	var refused error
	err := r.Run(func(ctx *pulumi.Context) error {
		group := &struct{ pulumi.CustomResourceState }{}
		if err := ctx.RegisterResource("test:index:Group", "group", pulumi.Map{}, group); err != nil {
			return err
		}
		args := load()
		name := group.ID().ToStringOutput()
		args.AutoScalingGroupName = name
		if _, err := scaling.NewNodeScalingPolicy(ctx, "load", args); err != nil {
			return err
		}
		// One and the same output is one and the same metric.
		args.TargetTracking = append(args.TargetTracking, scaling.TargetTracking{Name: "again", Target: 5, Metric: &scaling.Metric{
			Namespace: "AWS/EC2", Name: "CPUUtilization", Dimensions: map[string]pulumi.StringInput{"AutoScalingGroupName": name},
		}})
		refused = args.Check(ctx, "twice")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// The recorder leaves out what is not known.
	if in := r.Find(t, policyType, "load-idle").Inputs; in.HasValue("autoscalingGroupName") {
		t.Errorf("the policy has %v", in)
	}
	in := r.Find(t, alarmType, "load-idle").Inputs
	if got := fmt.Sprint(recorder.Plain(in["alarmActions"]), recorder.Plain(in["dimensions"]), in["threshold"].NumberValue()); got != "[<nil>] map[] 20" {
		t.Errorf("the alarm has %s", got)
	}
	if refused == nil || !strings.Contains(refused.Error(), "targetTracking[2].metric is that of targetTracking[0]") {
		t.Errorf("got %v", refused)
	}
}
