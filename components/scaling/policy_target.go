package scaling

import (
	"cmp"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// TargetTracking holds a metric at a value: with more of it than Target Auto Scaling adds nodes at once, with less it takes nodes away
// slowly.
type TargetTracking struct {
	// Name tells policies apart: letters, digits, ".", "_" and "-", unique among TargetTracking and Steps. Required. A change makes the
	// policy anew before the old one goes, which AWS refuses as a second one of its metric: take the old one out in an update before.
	Name string `pulumi:"name"`
	// Metric to hold; default the average CPU of the group's nodes in percent. It must fall in proportion as nodes are added, like
	// messages for each node; the length of a queue does not.
	Metric *Metric `pulumi:"metric,optional"`
	// Target is the value to hold, more than 0; of CPU at most 100. Required.
	Target float64 `pulumi:"target"`
	// DisableScaleIn adds nodes only, and leaves taking them away to a step or the schedule; default both.
	DisableScaleIn bool `pulumi:"disableScaleIn,optional"`
	// WarmUpSeconds after its start a new node counts, in seconds: until then its metrics are left out, and it is not asked for a
	// second time. As long as a node takes to join and to start its pods. Default that of the group, 300 in a node group of EKS.
	WarmUpSeconds int `pulumi:"warmUpSeconds,optional"`
}

// What a Predictive does with its forecast.
const (
	// ForecastOnly shows it.
	ForecastOnly = "ForecastOnly"
	// ForecastAndScale adds nodes by it.
	ForecastAndScale = "ForecastAndScale"
)

// What a Predictive does where the forecast asks for more nodes than the group's maximum.
const (
	// HonorMaxCapacity stays at the maximum.
	HonorMaxCapacity = "HonorMaxCapacity"
	// IncreaseMaxCapacity raises the maximum. It stays raised until a scheduled action or somebody sets it.
	IncreaseMaxCapacity = "IncreaseMaxCapacity"
)

// Predictive has the nodes there before the load is, where that comes again every day or week. It forecasts once it has seen 24 hours,
// and only ever adds nodes: TargetTracking, Steps or the schedule take them away.
type Predictive struct {
	// Mode is ForecastOnly or ForecastAndScale; default ForecastOnly, which changes nothing: compare its forecast with what came before
	// the nodes depend on it.
	Mode string `pulumi:"mode,optional"`
	// CPUPercent is the average CPU of the nodes to plan for, in percent: 1 to 100. Required.
	CPUPercent int `pulumi:"cpuPercent"`
	// SchedulingBufferSeconds before the forecast hour the nodes are started, in seconds: 1 to 3599; default 300.
	SchedulingBufferSeconds int `pulumi:"schedulingBufferSeconds,optional"`
	// MaxCapacityBehavior is HonorMaxCapacity or IncreaseMaxCapacity; default HonorMaxCapacity.
	MaxCapacityBehavior string `pulumi:"maxCapacityBehavior,optional"`
	// MaxCapacityBufferPercent is how far above the forecast IncreaseMaxCapacity may go, in percent: 0 to 100; default 0.
	MaxCapacityBufferPercent int `pulumi:"maxCapacityBufferPercent,optional"`
}

// predictiveName stands for Predictive among the names of the policies.
const predictiveName = "predictive"

func (t TargetTracking) checked(p *check.Problems) TargetTracking {
	t.Metric = t.Metric.checked(p.At("metric"))
	if checkFinite(p, "target", t.Target) {
		switch {
		case t.Target <= 0:
			p.Addf("target", "is %s, must be more than 0", decimal(t.Target))
		case t.Metric == nil && t.Target > 100:
			p.Addf("target", "is %s, must be at most 100: it is CPU in percent", decimal(t.Target))
		}
	}
	checkWarmUp(p, t.WarmUpSeconds)
	return t
}

func checkWarmUp(p *check.Problems, seconds int) {
	if seconds < 0 {
		p.Addf("warmUpSeconds", "is %d, must be at least 1, or left out for the group's", seconds)
	}
}

func warmUp(seconds int) pulumi.IntPtrInput {
	if seconds == 0 {
		return nil
	}
	return pulumi.Int(seconds)
}

func (t TargetTracking) policy() *autoscaling.PolicyArgs {
	hold := &autoscaling.PolicyTargetTrackingConfigurationArgs{TargetValue: pulumi.Float64(t.Target), DisableScaleIn: pulumi.Bool(t.DisableScaleIn)}
	if m := t.Metric; m == nil {
		hold.PredefinedMetricSpecification = &autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
			PredefinedMetricType: pulumi.String("ASGAverageCPUUtilization"),
		}
	} else {
		var dimensions autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricDimensionArray
		for _, k := range m.dimensionNames() {
			dimensions = append(dimensions, &autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricDimensionArgs{
				Name: pulumi.String(k), Value: m.Dimensions[k],
			})
		}
		custom := &autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationArgs{
			Namespace: pulumi.String(m.Namespace), MetricName: pulumi.String(m.Name), Statistic: pulumi.String(m.Statistic),
		}
		if len(dimensions) > 0 {
			custom.MetricDimensions = dimensions
		}
		hold.CustomizedMetricSpecification = custom
	}
	return &autoscaling.PolicyArgs{
		PolicyType: pulumi.String("TargetTrackingScaling"), TargetTrackingConfiguration: hold, EstimatedInstanceWarmup: warmUp(t.WarmUpSeconds),
	}
}

// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PredictiveScalingConfiguration.html
func (f *Predictive) checked(p *check.Problems) *Predictive {
	c := *f
	c.Mode = cmp.Or(c.Mode, ForecastOnly)
	c.SchedulingBufferSeconds = cmp.Or(c.SchedulingBufferSeconds, 300)
	c.MaxCapacityBehavior = cmp.Or(c.MaxCapacityBehavior, HonorMaxCapacity)
	p.OneOf("mode", c.Mode, ForecastOnly, ForecastAndScale)
	p.Between("cpuPercent", c.CPUPercent, 1, 100)
	p.Between("schedulingBufferSeconds", c.SchedulingBufferSeconds, 1, 3599)
	p.OneOf("maxCapacityBehavior", c.MaxCapacityBehavior, HonorMaxCapacity, IncreaseMaxCapacity)
	p.Between("maxCapacityBufferPercent", c.MaxCapacityBufferPercent, 0, 100)
	if c.MaxCapacityBufferPercent != 0 && c.MaxCapacityBehavior == HonorMaxCapacity {
		p.Addf("maxCapacityBufferPercent", "is %d, must be left out with maxCapacityBehavior %q", c.MaxCapacityBufferPercent, HonorMaxCapacity)
	}
	return &c
}

func (f *Predictive) policy() *autoscaling.PolicyArgs {
	forecast := &autoscaling.PolicyPredictiveScalingConfigurationArgs{
		Mode:                 pulumi.String(f.Mode),
		SchedulingBufferTime: pulumi.String(strconv.Itoa(f.SchedulingBufferSeconds)), MaxCapacityBreachBehavior: pulumi.String(f.MaxCapacityBehavior),
		MetricSpecification: &autoscaling.PolicyPredictiveScalingConfigurationMetricSpecificationArgs{
			TargetValue: pulumi.Float64(f.CPUPercent),
			PredefinedMetricPairSpecification: &autoscaling.PolicyPredictiveScalingConfigurationMetricSpecificationPredefinedMetricPairSpecificationArgs{
				PredefinedMetricType: pulumi.String("ASGCPUUtilization"),
			},
		},
	}
	if f.MaxCapacityBehavior == IncreaseMaxCapacity {
		// AWS wants the buffer then, also where it is 0, and refuses it otherwise.
		forecast.MaxCapacityBuffer = pulumi.String(strconv.Itoa(f.MaxCapacityBufferPercent))
	}
	return &autoscaling.PolicyArgs{PolicyType: pulumi.String("PredictiveScaling"), PredictiveScalingConfiguration: forecast}
}
