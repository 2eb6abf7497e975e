package scaling

import (
	"cmp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Step changes the number of nodes when a metric goes beyond a threshold, the more the further it goes.
type Step struct {
	// Name tells policies apart: letters, digits, ".", "_" and "-", unique among TargetTracking and Steps. Required. A change makes
	// policy and alarm anew.
	Name string `pulumi:"name"`
	// Metric that the alarm watches; default the average CPU of the group's nodes in percent.
	Metric *Metric `pulumi:"metric,optional"`
	// Comparison of the metric with Threshold that raises the alarm: "GreaterThanThreshold", "GreaterThanOrEqualToThreshold",
	// "LessThanThreshold" or "LessThanOrEqualToThreshold". Required.
	Comparison string `pulumi:"comparison"`
	// Threshold of the alarm, in the metric's unit. Default 0.
	Threshold float64 `pulumi:"threshold,optional"`
	// PeriodSeconds are summed up to one value by the metric's statistic, in seconds: 10, 30 or a multiple of 60; default 300. It must
	// not be shorter than the metric's own: nodes without detailed monitoring tell their CPU every 300 seconds, and an alarm that looks
	// more often finds no data.
	PeriodSeconds int `pulumi:"periodSeconds,optional"`
	// EvaluationPeriods is how many periods on end the metric must be beyond the threshold: 1 or more, and no more than a day in all, a
	// week where the period is an hour or longer; default 1.
	EvaluationPeriods int `pulumi:"evaluationPeriods,optional"`
	// TreatMissingData says what periods without data count for: "missing" changes nothing, "ignore" keeps an alarm that is raised, and
	// its changes, going; "breaching" and "notBreaching" count as beyond the threshold or not. Default "missing".
	TreatMissingData string `pulumi:"treatMissingData,optional"`
	// AdjustmentType is what the adjustments' Change means: "ChangeInCapacity" so many nodes more, "ExactCapacity" so many in all,
	// "PercentChangeInCapacity" so many percent more; default "ChangeInCapacity".
	AdjustmentType string `pulumi:"adjustmentType,optional"`
	// MinMagnitude is the fewest nodes that a percentage changes, 1 or more; only with "PercentChangeInCapacity"; default 1.
	MinMagnitude int `pulumi:"minMagnitude,optional"`
	// Adjustments share out all values beyond the threshold, each to one of them: where one ends, the next begins. 1 to 20. Required.
	Adjustments []Adjustment `pulumi:"adjustments"`
	// WarmUpSeconds after its start a new node counts, in seconds: until then an alarm that goes on does not ask for it again. Default
	// that of the group, 300 in a node group of EKS.
	WarmUpSeconds int `pulumi:"warmUpSeconds,optional"`
}

// Adjustment is what a Step does while the metric lies between two bounds.
type Adjustment struct {
	// Lower bound, as difference to the step's threshold: 15 is a value of 65 where the threshold is 50. With a "Greater" comparison
	// the first adjustment has 0; with a "Less" one it has none, for everything below.
	Lower *float64 `pulumi:"lower,optional"`
	// Upper bound, as difference to the step's threshold. With a "Greater" comparison the last adjustment has none, for everything
	// above; with a "Less" one it has 0.
	Upper *float64 `pulumi:"upper,optional"`
	// Change of the number of nodes, as AdjustmentType says; less than 0 takes nodes away. Required.
	Change int `pulumi:"change"`
}

// maxAdjustments: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html.
const maxAdjustments = 20

const (
	changeInCapacity = "ChangeInCapacity"
	exactCapacity    = "ExactCapacity"
	percentChange    = "PercentChangeInCapacity"
)

func (s Step) checked(p *check.Problems) Step {
	s.PeriodSeconds = cmp.Or(s.PeriodSeconds, 300)
	s.EvaluationPeriods = cmp.Or(s.EvaluationPeriods, 1)
	s.TreatMissingData = cmp.Or(s.TreatMissingData, "missing")
	s.AdjustmentType = cmp.Or(s.AdjustmentType, changeInCapacity)
	s.Metric = s.Metric.checked(p.At("metric"))
	comparisons := []string{"GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"}
	p.OneOf("comparison", s.Comparison, comparisons...)
	checkFinite(p, "threshold", s.Threshold)
	s.checkPeriods(p)
	p.OneOf("treatMissingData", s.TreatMissingData, "missing", "ignore", "breaching", "notBreaching")
	p.OneOf("adjustmentType", s.AdjustmentType, changeInCapacity, exactCapacity, percentChange)
	switch {
	case s.AdjustmentType == percentChange:
		s.MinMagnitude = cmp.Or(s.MinMagnitude, 1)
		if s.MinMagnitude < 1 {
			p.Addf("minMagnitude", "is %d, must be at least 1", s.MinMagnitude)
		}
	case s.MinMagnitude != 0:
		p.Addf("minMagnitude", "is %d, must be left out with adjustmentType %q: only percentages have it", s.MinMagnitude, s.AdjustmentType)
	}
	p.Required("adjustments", len(s.Adjustments) > 0, "[{lower: 0, change: 1}]")
	if n := len(s.Adjustments); n > maxAdjustments {
		p.Addf("adjustments", "has %d, must be at most %d", n, maxAdjustments)
	}
	for i, a := range s.Adjustments {
		if a.Change < 0 && s.AdjustmentType == exactCapacity {
			p.At("adjustments[%d]", i).Addf("change", "is %d, must be at least 0: with %q it is the number of nodes", a.Change, exactCapacity)
		}
	}
	if len(s.Adjustments) > 0 && !s.adds() && !s.removes() {
		p.Addf("adjustments", "change nothing, must add or take away nodes")
	}
	if slices.Contains(comparisons, s.Comparison) {
		s.checkBounds(p)
	}
	checkWarmUp(p, s.WarmUpSeconds)
	return s
}

// checkPeriods: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html. Its 20 seconds are left out,
// which Pulumi's provider refuses (https://github.com/hashicorp/terraform-provider-aws/issues/42389).
func (s Step) checkPeriods(p *check.Problems) {
	const hour, day = 3600, 86400
	period := s.PeriodSeconds
	switch {
	case period < 10 || (period != 10 && period != 30 && period%60 != 0):
		p.Addf("periodSeconds", "is %d, must be 10, 30 or a multiple of 60", period)
		return
	case period < 60 && s.Metric == nil:
		p.Addf("periodSeconds", "is %d, must be at least 60: EC2 tells CPU no more often", period)
	}
	most := day
	if period >= hour {
		most = 7 * day
	}
	if most /= period; s.EvaluationPeriods < 1 || s.EvaluationPeriods > most {
		p.Addf("evaluationPeriods", "is %d, must be 1 to %d with periods of %d seconds", s.EvaluationPeriods, most, period)
	}
}

func (s Step) policy() *autoscaling.PolicyArgs {
	var adjustments autoscaling.PolicyStepAdjustmentArray
	for _, a := range s.Adjustments {
		one := &autoscaling.PolicyStepAdjustmentArgs{ScalingAdjustment: pulumi.Int(a.Change)}
		if a.Lower != nil {
			one.MetricIntervalLowerBound = pulumi.String(decimal(*a.Lower))
		}
		if a.Upper != nil {
			one.MetricIntervalUpperBound = pulumi.String(decimal(*a.Upper))
		}
		adjustments = append(adjustments, one)
	}
	args := &autoscaling.PolicyArgs{
		PolicyType: pulumi.String("StepScaling"), AdjustmentType: pulumi.String(s.AdjustmentType), StepAdjustments: adjustments,
		EstimatedInstanceWarmup: warmUp(s.WarmUpSeconds),
	}
	if s.MinMagnitude != 0 {
		args.MinAdjustmentMagnitude = pulumi.Int(s.MinMagnitude)
	}
	// How Auto Scaling makes one value of the alarm's, of which the adjustment is chosen.
	args.MetricAggregationType = pulumi.String("Average")
	if m := s.Metric; m != nil && (m.Statistic == "Minimum" || m.Statistic == "Maximum") {
		args.MetricAggregationType = pulumi.String(m.Statistic)
	}
	return args
}

func (s Step) alarm(m Metric, policy pulumi.StringInput, tags map[string]string) *cloudwatch.MetricAlarmArgs {
	return &cloudwatch.MetricAlarmArgs{
		AlarmDescription: pulumi.String("Changes the number of nodes"),
		AlarmActions:     pulumi.Array{policy},
		Namespace:        pulumi.String(m.Namespace), MetricName: pulumi.String(m.Name), Dimensions: pulumi.StringMap(m.Dimensions), Statistic: pulumi.String(m.Statistic),
		ComparisonOperator: pulumi.String(s.Comparison), Threshold: pulumi.Float64(s.Threshold),
		Period: pulumi.Int(s.PeriodSeconds), EvaluationPeriods: pulumi.Int(s.EvaluationPeriods), TreatMissingData: pulumi.String(s.TreatMissingData),
		Tags: pulumi.ToStringMap(tags),
	}
}
