package aws

import "fmt"

const metricAlarmToken = "aws:cloudwatch/metricAlarm:MetricAlarm"

func init() {
	stat := map[string]Prop{
		"dimensions": {Kind: Map, Elem: &Prop{Kind: String}, Max: 30}, "metricName": text.must().within(1, 255), "namespace": text.within(1, 255),
		"period": number.must(), "stat": text.must(), "unit": text,
	}
	actions := setOf(text.like(`^arn:aws:`, "an ARN")).within(0, 5)
	register(&Type{
		Token: metricAlarmToken, Label: "CloudWatch Metric Alarm", Service: "CloudWatch", Ops: Ops{"PutMetricAlarm", "PutMetricAlarm", "DeleteAlarms"},
		AutoName: &AutoName{Prop: "name", Max: 255},
		Props: map[string]Prop{
			"actionsEnabled": flag.or(true), "alarmActions": actions, "alarmDescription": text.within(0, 1024),
			"comparisonOperator": text.must().in("GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold",
				"LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"),
			"datapointsToAlarm": number.within(1, 1e6), "dimensions": {Kind: Map, Elem: &Prop{Kind: String}, Max: 30, Without: []string{"metricQueries"}},
			"evaluateLowSampleCountPercentiles": text.filled().in("evaluate", "ignore"), "evaluationPeriods": number.must().within(1, 1e6),
			"extendedStatistic":       text.not("statistic", "metricQueries").like(`^(p|tm|wm|tc|ts)\d|^(TM|WM|PR|TC|TS)\(|^IQM$`, "such as p99 or TM(10%:90%)"),
			"insufficientDataActions": actions, "metricName": text.within(1, 255).not("metricQueries"),
			"metricQueries": setOf(fields(map[string]Prop{
				"accountId": text, "expression": text.within(1, 1024), "id": text.must().within(1, 255), "label": text, "metric": fields(stat), "period": number, "returnData": flag.or(false),
			})).within(0, 20), "name": text.filled().fixed().within(1, 255), "namespace": text.within(1, 255).not("metricQueries"), "okActions": actions,
			"period": number.not("metricQueries"), "statistic": text.not("extendedStatistic", "metricQueries").in("SampleCount", "Average", "Sum", "Minimum", "Maximum"),
			"tags": tagMap, "threshold": number.not("thresholdMetricId"), "thresholdMetricId": text.not("threshold").within(1, 255),
			"treatMissingData": text.or("missing").in("breaching", "notBreaching", "ignore", "missing"), "unit": text.not("metricQueries"),
		},
		Outputs: []string{"arn"},
		Check:   checkAlarm,
		Validate: func(tx *Tx, o, old *Object) error {
			if old == nil && tx.Find(metricAlarmToken, "id", o.Str("name")) != nil {
				return Errorf("ResourceConflict", "the alarm %s exists already: putting it would replace that one", o.Str("name"))
			}
			return nil
		},
		Create: func(tx *Tx, o *Object) error {
			o.ID = o.Str("name")
			o.Set("arn", tx.ARN("cloudwatch", "alarm:"+o.ID))
			o.fill("evaluateLowSampleCountPercentiles", "")
			return nil
		},
	})
}

func checkAlarm(in Inputs) []Problem {
	var out []Problem
	addf := func(path, format string, a ...any) { out = append(out, Problem{path, fmt.Sprintf(format, a...)}) }
	o := in.Object()
	if !in.Has("metricName") && !in.Has("metricQueries") {
		addf("metricName", "is required, or metricQueries")
	}
	if in.Has("metricName") {
		if !in.Has("statistic") && !in.Has("extendedStatistic") {
			addf("statistic", "is required with metricName, or extendedStatistic")
		}
		for _, name := range []string{"namespace", "period"} {
			if !in.Has(name) {
				addf(name, "is required with metricName")
			}
		}
	}
	if !in.Has("threshold") && !in.Has("thresholdMetricId") {
		addf("threshold", "is required, or thresholdMetricId")
	}
	if n := o.Num("period"); in.Has("period") && in.Known("period") && n != 10 && n != 20 && n != 30 && (n < 60 || n%60 != 0) {
		addf("period", "is %d, must be 10, 20, 30 or a multiple of 60", n)
	}
	if d, n := o.Num("datapointsToAlarm"), o.Num("evaluationPeriods"); in.Known("datapointsToAlarm") && in.Known("evaluationPeriods") && d > n {
		addf("datapointsToAlarm", "is %d, must be at most evaluationPeriods (%d)", d, n)
	}
	if span := periodsProblem(o.Num("period"), o.Num("evaluationPeriods")); in.Has("period") && in.Known("period") && in.Known("evaluationPeriods") && span != "" {
		addf("evaluationPeriods", "%s", span)
	}
	return out
}

// periodsProblem is why an alarm may not look back so far; "" where it may:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html.
func periodsProblem(period, periods int) string {
	const hour, day = 3600, 86400
	most := day
	if period >= hour {
		most = 7 * day
	}
	if period*periods <= most {
		return ""
	}
	return fmt.Sprintf("is %d, which makes %d seconds with a period of %d, must be at most %d in all (ValidationError)", periods, period*periods, period, most)
}
