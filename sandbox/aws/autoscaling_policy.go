package aws

import "reflect"

const scalingPolicyToken = "aws:autoscaling/policy:Policy"

func init() {
	metric := fields(map[string]Prop{
		"dimensions": setOf(fields(map[string]Prop{"name": text.must(), "value": text.must()})), "metricName": text.must(), "namespace": text.must(),
	})
	queries := func(stat map[string]Prop) Prop {
		return setOf(fields(map[string]Prop{
			"expression": text.within(1, 2047), "id": text.must().within(1, 255), "label": text.within(1, 2047), "returnData": flag.or(true),
			"metricStat": fields(withProps(stat, map[string]Prop{"metric": metric.must(), "stat": text.must(), "unit": text})),
		})).must()
	}
	bound := text.like(`^-?\d+(\.\d+)?$`, "a number")
	customized := fields(map[string]Prop{"metricDataQueries": queries(nil)})
	predefined := func(types ...string) Prop {
		return fields(map[string]Prop{"predefinedMetricType": text.must().in(types...), "resourceLabel": text.within(1, 1023)})
	}
	register(&Type{
		Token: scalingPolicyToken, Label: "Auto Scaling Policy", Service: "Auto Scaling", Within: []string{"autoscalingGroupName"},
		Ops:      Ops{"PutScalingPolicy", "PutScalingPolicy", "DeletePolicy"},
		AutoName: &AutoName{Prop: "name", Max: 255},
		Props: map[string]Prop{
			"adjustmentType": text.in("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"), "autoscalingGroupName": text.must().fixed().to(scalingGroupRef),
			"cooldown": number, "enabled": flag.or(true), "estimatedInstanceWarmup": number, "metricAggregationType": text.filled().in("Minimum", "Maximum", "Average"),
			"minAdjustmentMagnitude": number.within(1, 1e9), "name": text.filled().fixed().within(1, 255),
			"policyType": text.or("SimpleScaling").fixed().in("SimpleScaling", "StepScaling", "TargetTrackingScaling", "PredictiveScaling"),
			"predictiveScalingConfiguration": fields(map[string]Prop{
				"maxCapacityBreachBehavior": text.or("HonorMaxCapacity").in("HonorMaxCapacity", "IncreaseMaxCapacity"),
				"maxCapacityBuffer":         text.like(`^(\d{1,2}|100)$`, "0 to 100"),
				"metricSpecification": fields(map[string]Prop{
					"customizedCapacityMetricSpecification": customized, "customizedLoadMetricSpecification": customized, "customizedScalingMetricSpecification": customized,
					"predefinedLoadMetricSpecification":    predefined("ASGTotalCPUUtilization", "ASGTotalNetworkIn", "ASGTotalNetworkOut", "ALBTargetGroupRequestCount"),
					"predefinedMetricPairSpecification":    predefined("ASGCPUUtilization", "ASGNetworkIn", "ASGNetworkOut", "ALBRequestCount"),
					"predefinedScalingMetricSpecification": predefined(trackedMetrics...), "targetValue": number.must(),
				}).must(),
				"mode":                 text.or("ForecastOnly").in("ForecastOnly", "ForecastAndScale"),
				"schedulingBufferTime": text.like(`^(\d{1,3}|[12]\d{3}|3[0-5]\d{2})$`, "less than 3600"),
			}),
			"scalingAdjustment": number.not("stepAdjustments"),
			// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html
			"stepAdjustments": setOf(fields(map[string]Prop{
				"metricIntervalLowerBound": bound, "metricIntervalUpperBound": bound, "scalingAdjustment": number.must(),
			})).within(1, 20).not("scalingAdjustment"),
			"targetTrackingConfiguration": fields(map[string]Prop{
				"customizedMetricSpecification": fields(map[string]Prop{
					"metricDimensions": listOf(fields(map[string]Prop{"name": text.must(), "value": text.must()})), "metricName": text, "namespace": text,
					"metrics": queries(map[string]Prop{"period": number}).optional(), "period": number, "statistic": text.in("Average", "Minimum", "Maximum", "SampleCount", "Sum"), "unit": text,
				}).not("predefinedMetricSpecification"),
				"disableScaleIn": flag.or(false), "predefinedMetricSpecification": predefined(trackedMetrics...).not("customizedMetricSpecification"), "targetValue": number.must(),
			}),
		},
		Outputs:  []string{"arn"},
		Check:    checkPolicy,
		Validate: validateScalingPolicy,
		Create: func(tx *Tx, o *Object) error {
			o.ID = o.Str("name")
			o.Set("arn", tx.ARN("autoscaling", "scalingPolicy:"+uuid()+":autoScalingGroupName/"+o.Str("autoscalingGroupName")+":policyName/"+o.ID))
			aggregation := ""
			if o.Str("policyType") == "StepScaling" {
				aggregation = "Average"
			}
			o.fill("metricAggregationType", aggregation)
			return nil
		},
		Import: func(tx *Tx, id string) *Object {
			for _, p := range tx.All(scalingPolicyToken) {
				if p.Str("autoscalingGroupName")+"/"+p.ID == id {
					return p
				}
			}
			return nil
		},
	})
}

var trackedMetrics = []string{"ASGAverageCPUUtilization", "ASGAverageNetworkIn", "ASGAverageNetworkOut", "ALBRequestCountPerTarget"}

func validateScalingPolicy(tx *Tx, o, old *Object) error {
	n := 0
	for _, p := range tx.All(scalingPolicyToken) {
		if p.Str("autoscalingGroupName") != o.Str("autoscalingGroupName") || (old != nil && p.ID == old.ID) {
			continue
		}
		if n++; p.Str("name") == o.Str("name") {
			return Errorf("AlreadyExists", "the group %s has a scaling policy %s already: putting it would replace that one", o.Str("autoscalingGroupName"), o.Str("name"))
		}
		if m := trackedMetric(o); m != nil && reflect.DeepEqual(m, trackedMetric(p)) {
			return Errorf("ValidationError", "Only one TargetTrackingScaling policy for a given metric specification is allowed.")
		}
	}
	if n >= 50 {
		return Errorf("LimitExceeded", "You've reached the limit of 50 scaling policies for this Auto Scaling group")
	}
	return nil
}

// trackedMetric is what a target tracking policy follows; nil where o is none.
func trackedMetric(o *Object) any {
	t := nested(o.Inputs["targetTrackingConfiguration"])
	if m := t["predefinedMetricSpecification"]; m != nil {
		return m
	}
	return t["customizedMetricSpecification"]
}

// policyParts is what a scaling policy of each type needs; it takes none of the others'.
var policyParts = []struct{ kind, part string }{
	{"SimpleScaling", "scalingAdjustment"},
	{"StepScaling", "stepAdjustments"},
	{"TargetTrackingScaling", "targetTrackingConfiguration"},
	{"PredictiveScaling", "predictiveScalingConfiguration"},
}

func checkPolicy(in Inputs) []Problem {
	var out []Problem
	o := in.Object()
	kind := o.Str("policyType")
	if !in.Known("policyType") {
		return nil
	}
	for _, p := range policyParts {
		switch {
		case kind == p.kind && !in.Has(p.part):
			out = append(out, Problem{p.part, "is required where policyType is " + kind})
		case kind != p.kind && in.Has(p.part):
			out = append(out, Problem{p.part, "is not taken where policyType is " + kind})
		}
	}
	byStep := kind == "SimpleScaling" || kind == "StepScaling"
	if byStep && !in.Has("adjustmentType") {
		out = append(out, Problem{"adjustmentType", "is required where policyType is " + kind})
	}
	if in.Has("cooldown") && kind != "SimpleScaling" {
		out = append(out, Problem{"cooldown", "is not taken where policyType is " + kind})
	}
	if in.Has("estimatedInstanceWarmup") && kind == "SimpleScaling" {
		out = append(out, Problem{"estimatedInstanceWarmup", "is not taken where policyType is SimpleScaling"})
	}
	if in.Has("minAdjustmentMagnitude") && in.Known("adjustmentType") && o.Str("adjustmentType") != "PercentChangeInCapacity" {
		out = append(out, Problem{"minAdjustmentMagnitude", "is taken only where adjustmentType is PercentChangeInCapacity"})
	}
	if in.Known("stepAdjustments") {
		out = append(out, stepProblems(objects(o.Inputs["stepAdjustments"]), o.Str("adjustmentType"))...)
	}
	out = append(out, forecastProblems(nested(o.Inputs["predictiveScalingConfiguration"]))...)
	t := nested(o.Get("targetTrackingConfiguration"))
	if v, ok := t["targetValue"].(float64); ok && v <= 0 {
		out = append(out, Problem{"targetTrackingConfiguration.targetValue", "must be more than 0"})
	}
	if len(t) > 0 && t["predefinedMetricSpecification"] == nil && t["customizedMetricSpecification"] == nil {
		out = append(out, Problem{"targetTrackingConfiguration.predefinedMetricSpecification", "is required, or customizedMetricSpecification"})
	}
	if m := nested(t["predefinedMetricSpecification"]); m["predefinedMetricType"] == "ALBRequestCountPerTarget" && m["resourceLabel"] == nil {
		out = append(out, Problem{"targetTrackingConfiguration.predefinedMetricSpecification.resourceLabel", "is required where predefinedMetricType is ALBRequestCountPerTarget"})
	}
	return out
}
