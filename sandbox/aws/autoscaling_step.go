package aws

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// stepProblems finds what AWS refuses in the adjustments of a step scaling policy:
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StepAdjustment.html.
func stepProblems(steps []map[string]any, adjustmentType string) []Problem {
	type interval struct{ lower, upper float64 }
	var out []Problem
	addf := func(format string, a ...any) {
		out = append(out, Problem{"stepAdjustments", fmt.Sprintf(format, a...) + " (ValidationError)"})
	}
	bound := func(v any, none float64) float64 {
		s, _ := v.(string)
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
		return none
	}
	var all []interval
	for _, s := range steps {
		i := interval{bound(s["metricIntervalLowerBound"], math.Inf(-1)), bound(s["metricIntervalUpperBound"], math.Inf(1))}
		switch {
		case math.IsInf(i.lower, -1) && math.IsInf(i.upper, 1):
			addf("the upper and lower bound can't be null in the same step adjustment")
		case i.lower >= i.upper:
			addf("the upper bound (%v) must be greater than the lower bound (%v)", i.upper, i.lower)
		}
		if n, _ := s["scalingAdjustment"].(float64); n < 0 && adjustmentType == "ExactCapacity" {
			addf("the scaling adjustment is %v, must not be negative with ExactCapacity", n)
		}
		all = append(all, i)
	}
	if len(out) > 0 || len(all) == 0 {
		return out
	}
	slices.SortFunc(all, func(a, b interval) int { return cmp.Or(cmp.Compare(a.lower, b.lower), cmp.Compare(a.upper, b.upper)) })
	for i, next := range all[1:] {
		switch end := all[i].upper; {
		case next.lower < end:
			addf("the ranges of step adjustments can't overlap: one ends at %v, the next begins at %v", end, next.lower)
		case next.lower > end:
			addf("the ranges of step adjustments can't have a gap: one ends at %v, the next begins at %v", end, next.lower)
		}
	}
	if low := all[0].lower; low < 0 && !math.IsInf(low, -1) {
		addf("a step adjustment has a negative lower bound (%v), so one must have a null lower bound", low)
	}
	if high := all[len(all)-1].upper; high > 0 && !math.IsInf(high, 1) {
		addf("a step adjustment has a positive upper bound (%v), so one must have a null upper bound", high)
	}
	return out
}

// forecastProblems finds what AWS refuses in a predictive scaling policy:
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PredictiveScalingConfiguration.html.
func forecastProblems(c map[string]any) []Problem {
	if len(c) == 0 {
		return nil
	}
	path := "predictiveScalingConfiguration."
	var out []Problem
	raises, buffer := c["maxCapacityBreachBehavior"] == "IncreaseMaxCapacity", c["maxCapacityBuffer"] != nil
	if raises && !buffer {
		out = append(out, Problem{path + "maxCapacityBuffer", "is required where maxCapacityBreachBehavior is IncreaseMaxCapacity"})
	}
	if !raises && buffer {
		out = append(out, Problem{path + "maxCapacityBuffer", "is taken only where maxCapacityBreachBehavior is IncreaseMaxCapacity"})
	}
	m := nested(c["metricSpecification"])
	has := func(part string) bool { return m[part] != nil }
	pair := has("predefinedMetricPairSpecification")
	load := has("predefinedLoadMetricSpecification") || has("customizedLoadMetricSpecification")
	scaling := has("predefinedScalingMetricSpecification") || has("customizedScalingMetricSpecification")
	if pair == (load && scaling) || (pair && (load || scaling)) {
		out = append(out, Problem{path + "metricSpecification", "must have a metric pair, or one scaling metric and one load metric"})
	}
	return out
}
