package scaling

import (
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Metric is one that CloudWatch has.
type Metric struct {
	// Namespace in which it is, like "AWS/SQS", 1 to 255 characters. Required.
	Namespace string `pulumi:"namespace"`
	// Name of the metric, like "ApproximateNumberOfMessagesVisible", 1 to 255 characters. Required.
	Name string `pulumi:"name"`
	// Dimensions that it has, at most 30, by name; all of them, or CloudWatch finds another metric or none. Default none.
	Dimensions map[string]pulumi.StringInput `pulumi:"dimensions,optional"`
	// Statistic of the values within a period: "Average", "Minimum", "Maximum", "Sum" or "SampleCount"; default "Average".
	Statistic string `pulumi:"statistic,optional"`
}

// maxDimensions: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html.
const maxDimensions = 30

var (
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Metric.html
	metricNamespace = regexp.MustCompile(`^[^:].{0,254}$`)
	metricName      = regexp.MustCompile(`^.{1,255}$`)
)

// checked is m with the default filled in; nil, the nodes' CPU, stays nil.
func (m *Metric) checked(p *check.Problems) *Metric {
	if m == nil {
		return nil
	}
	c := *m
	if c.Statistic == "" {
		c.Statistic = "Average"
	}
	p.Match("namespace", c.Namespace, metricNamespace, `1 to 255 characters that do not begin with ":", like "AWS/SQS"`)
	p.Match("name", c.Name, metricName, `1 to 255 characters, like "ApproximateNumberOfMessagesVisible"`)
	p.OneOf("statistic", c.Statistic, "Average", "Minimum", "Maximum", "Sum", "SampleCount")
	if n := len(c.Dimensions); n > maxDimensions {
		p.Addf("dimensions", "has %d, must be at most %d", n, maxDimensions)
	}
	for _, k := range c.dimensionNames() {
		at := `dimensions["` + k + `"]`
		if k == "" {
			p.Addf(at, "has no name, must have one")
		}
		p.Required(at, c.Dimensions[k] != nil && c.Dimensions[k] != pulumi.String(""), `"orders"`)
	}
	return &c
}

func (m *Metric) dimensionNames() []string { return slices.Sorted(maps.Keys(m.Dimensions)) }

// metric is m, or the group's CPU as EC2 measures it.
func (args *NodeScalingPolicyArgs) metric(m *Metric) Metric {
	if m != nil {
		return *m
	}
	return Metric{
		Namespace: "AWS/EC2", Name: "CPUUtilization", Statistic: "Average",
		Dimensions: map[string]pulumi.StringInput{"AutoScalingGroupName": args.AutoScalingGroupName},
	}
}

// same tells whether m and o are one metric, as far as that can be told before anything exists: a dimension that is the output of a
// resource equals itself only.
func (m Metric) same(o Metric) bool {
	return m.Namespace == o.Namespace && m.Name == o.Name && m.Statistic == o.Statistic && maps.EqualFunc(m.Dimensions, o.Dimensions, sameInput)
}

func sameInput(a, b pulumi.StringInput) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.TypeOf(a).Comparable() && a == b
}

func (m *Metric) recorded() pulumi.Map {
	out := pulumi.Map{"namespace": pulumi.String(m.Namespace), "name": pulumi.String(m.Name), "statistic": pulumi.String(m.Statistic)}
	if len(m.Dimensions) > 0 {
		out["dimensions"] = pulumi.StringMap(m.Dimensions)
	}
	return out
}

// checkFinite records a problem if v is none of the numbers that AWS takes.
func checkFinite(p *check.Problems, path string, v float64) bool {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		p.Addf(path, "is %v, must be a finite number", v)
		return false
	}
	return true
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
