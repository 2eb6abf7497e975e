package aws

import (
	"strings"
	"testing"
)

// adjust is an adjustment of a step scaling policy; "" is no bound.
func adjust(lower, upper string, by float64) any {
	out := object{"scalingAdjustment": by}
	for k, v := range map[string]string{"metricIntervalLowerBound": lower, "metricIntervalUpperBound": upper} {
		if v != "" {
			out[k] = v
		}
	}
	return out
}

// steps is what makes a step scaling policy of another.
func steps(adjustments ...any) object {
	return object{"policyType": "StepScaling", "adjustmentType": "ChangeInCapacity", "targetTrackingConfiguration": nil, "stepAdjustments": adjustments}
}

// forecast is what makes a predictive scaling policy of another.
func forecast(change object) object {
	c := object{"metricSpecification": object{"targetValue": 50.0, "predefinedMetricPairSpecification": object{"predefinedMetricType": "ASGCPUUtilization"}}}
	for k, v := range change {
		c[k] = v
	}
	return object{"policyType": "PredictiveScaling", "targetTrackingConfiguration": nil, "predictiveScalingConfiguration": c}
}

func TestPolicyRefusals(t *testing.T) {
	w := newWorld(t)
	exact := steps(adjust("0", "", -1))
	exact["adjustmentType"] = "ExactCapacity"
	var many []any
	for range 21 {
		many = append(many, adjust("0", "", 1))
	}
	pair, load := object{"predefinedMetricType": "ASGCPUUtilization"}, object{"predefinedMetricType": "ASGTotalCPUUtilization"}
	w.refuses([]refusal{
		{"policy", nil, "ValidationError: Only one TargetTrackingScaling policy for a given metric specification is allowed"},
		{"policy", object{"targetTrackingConfiguration": object{"targetValue": 0.0, "predefinedMetricSpecification": object{"predefinedMetricType": "ASGAverageNetworkIn"}}}, "must be more than 0"},
		{"policy", steps(adjust("", "", 1)), "can't be null in the same step adjustment"},
		{"policy", steps(adjust("5", "5", 1)), "must be greater than the lower bound"},
		{"policy", steps(adjust("five", "", 1)), "must be a number"},
		{"policy", steps(adjust("0", "10", 1), adjust("5", "", 2)), "can't overlap"},
		{"policy", steps(adjust("0", "10", 1), adjust("15", "", 2)), "can't have a gap"},
		{"policy", steps(adjust("0", "10", 1)), "one must have a null upper bound"},
		{"policy", steps(adjust("-10", "0", -1)), "one must have a null lower bound"},
		{"policy", steps(many...), "must have 1 to 20"},
		{"policy", exact, "must not be negative with ExactCapacity"},
		{"policy", forecast(object{"maxCapacityBreachBehavior": "IncreaseMaxCapacity"}), "maxCapacityBuffer is required"},
		{"policy", forecast(object{"maxCapacityBuffer": "10"}), "is taken only where maxCapacityBreachBehavior is IncreaseMaxCapacity"},
		{"policy", forecast(object{"maxCapacityBreachBehavior": "IncreaseMaxCapacity", "maxCapacityBuffer": "101"}), "must be 0 to 100"},
		{"policy", forecast(object{"schedulingBufferTime": "3600"}), "must be less than 3600"},
		{"policy", forecast(object{"metricSpecification": object{"targetValue": 50.0}}), "must have a metric pair"},
		{"policy", forecast(object{"metricSpecification": object{"targetValue": 50.0, "predefinedMetricPairSpecification": pair, "predefinedLoadMetricSpecification": load}}), "must have a metric pair"},
	})
}

// What the documentation allows is made: any order, one side or both, a forecast beside a target, a metric in another group.
func TestPoliciesThatAreTaken(t *testing.T) {
	w := newWorld(t)
	other := w.create(autoScalingGroupToken, "other", w.changed("scaled", nil))
	for name, change := range map[string]object{
		"above":         steps(adjust("10", "", 2), adjust("0", "10", 1)),
		"below":         steps(adjust("", "0", -1)),
		"both sides":    steps(adjust("", "-10", -1), adjust("-10", "10", 0), adjust("10", "", 1)),
		"forecast":      forecast(object{"schedulingBufferTime": "3599", "maxCapacityBreachBehavior": "IncreaseMaxCapacity", "maxCapacityBuffer": "0"}),
		"another group": {"autoscalingGroupName": other.ID},
		"other metric": {"targetTrackingConfiguration": object{"targetValue": 1.0, "customizedMetricSpecification": object{
			"namespace": "AWS/SQS", "metricName": "Depth", "statistic": "Average", "metricDimensions": list(object{"name": "QueueName", "value": "q"}),
		}}},
	} {
		if _, refused := w.try(scalingPolicyToken, strings.ReplaceAll(name, " ", "-"), w.changed("policy", change)); refused != "" {
			t.Errorf("%s: refused: %s", name, refused)
		}
	}
}
