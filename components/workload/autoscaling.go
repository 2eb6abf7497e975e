package workload

import (
	"cmp"
	"regexp"
	"slices"

	autoscalingv2 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/autoscaling/v2"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/internal/quantity"
)

// Autoscaling gives the number of pods to a HorizontalPodAutoscaler. Only for apps that keep nothing in the pod.
// The cluster needs metrics-server. Of several targets the one that asks for the most pods counts.
type Autoscaling struct {
	// Min is the fewest pods, 1 to Max. Required.
	Min int `pulumi:"min"`
	// Max is the most pods, Min to 500. Required.
	Max int `pulumi:"max"`
	// CPUPercent is the mean CPU use that is aimed at, in percent of resources.requests.cpu, which must be given.
	// At least one of CPUPercent, MemoryPercent and Metrics is required. With sidecars the app's own container alone is measured.
	CPUPercent int `pulumi:"cpuPercent,optional"`
	// MemoryPercent is the mean memory use that is aimed at, in percent of resources.requests.memory, which must be given.
	MemoryPercent int `pulumi:"memoryPercent,optional"`
	// Metrics of the app's own or of systems around it; default none.
	Metrics []Metric `pulumi:"metrics,optional"`
	// ScaleUpWindowSeconds is how long more pods must have been wanted before they come, 0 to 3600; default 0.
	ScaleUpWindowSeconds int `pulumi:"scaleUpWindowSeconds,optional"`
	// ScaleDownWindowSeconds is how long fewer pods must have been wanted before any goes, 1 to 3600, not less than
	// ScaleUpWindowSeconds; default 300. After it one pod or a quarter goes each minute.
	ScaleDownWindowSeconds int `pulumi:"scaleDownWindowSeconds,optional"`
}

// Metric is a number that the pods follow, from the custom or external metrics API: the cluster needs an adapter that serves it,
// such as prometheus-adapter or KEDA.
type Metric struct {
	// Name of the metric, such as "http_requests_per_second", without "/" and "%". Required.
	Name string `pulumi:"name"`
	// AveragePerPod is aimed at, a quantity more than 0: "100", "500m". For an external metric, its value divided by the number of
	// pods. Required.
	AveragePerPod string `pulumi:"averagePerPod"`
	// External takes the metric from the external metrics API, as the length of a queue outside the cluster is; default false, one
	// of each pod.
	External bool `pulumi:"external,optional"`
	// Labels select among several series of the metric; default all.
	Labels map[string]string `pulumi:"labels,optional"`
}

// metricName is a segment of a path. https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names
var metricName = regexp.MustCompile(`^([^/%.]|\.[^/%.]|\.\.[^/%])[^/%]*$`)

const (
	mostPods               = 500
	defaultScaleDownWindow = 300
)

// checked wants the arguments of resources as the user gave them: a percentage of a default is a percentage of nothing anyone chose.
func (args Autoscaling) checked(p *check.Problems, given *Resources, r resources) Autoscaling {
	if args.Min == 0 {
		p.Required("min", false, "2")
	} else {
		p.Between("min", args.Min, 1, mostPods)
	}
	switch {
	case args.Max == 0:
		p.Required("max", false, "8")
	case args.Max < args.Min:
		p.Addf("max", "is %d, must be at least autoscaling.min (%d)", args.Max, args.Min)
	default:
		p.Between("max", args.Max, 1, mostPods)
	}
	if args.CPUPercent == 0 && args.MemoryPercent == 0 && len(args.Metrics) == 0 {
		p.Addf("cpuPercent", "is not given and neither are memoryPercent and metrics, must be one of them at least, for example 60")
	}
	args.Metrics = slices.Clone(args.Metrics)
	for i, m := range args.Metrics {
		at := p.At("metrics[%d]", i)
		if m.Name == "" {
			at.Required("name", false, `"http_requests_per_second"`)
		} else {
			at.Match("name", m.Name, metricName, `a name without "/" and "%", and not "." or "..": it stands in a path of the metrics API`)
		}
		if m.AveragePerPod == "" {
			at.Required("averagePerPod", false, `"100"`)
		} else if q, err := quantity.Parse(m.AveragePerPod); err != nil {
			at.Addf("averagePerPod", "is %q, %s", m.AveragePerPod, wrong(err, `a quantity such as "100" or "500m"`))
		} else if n, whole := q.Times(1000); n <= 0 {
			at.Addf("averagePerPod", "is %q, must be at least 1m", m.AveragePerPod)
		} else if whole {
			args.Metrics[i].AveragePerPod = q.String()
		}
	}
	if given == nil {
		given = &Resources{}
	}
	checkedTarget(p, "cpuPercent", args.CPUPercent, "cpu", given.Requests.CPU+given.Limits.CPU != "", r.cpuRequest, r.cpuLimit)
	checkedTarget(p, "memoryPercent", args.MemoryPercent, "memory", given.Requests.Memory+given.Limits.Memory != "", r.memoryRequest, r.memoryLimit)

	args.ScaleDownWindowSeconds = cmp.Or(args.ScaleDownWindowSeconds, defaultScaleDownWindow)
	p.Between("scaleUpWindowSeconds", args.ScaleUpWindowSeconds, 0, 3600)
	if args.ScaleDownWindowSeconds < max(args.ScaleUpWindowSeconds, 1) || args.ScaleDownWindowSeconds > 3600 {
		p.Addf("scaleDownWindowSeconds", "is %d, must be 1 to 3600 and not less than scaleUpWindowSeconds (%d): pods that go sooner than they come make the number swing",
			args.ScaleDownWindowSeconds, args.ScaleUpWindowSeconds)
	}
	return args
}

func checkedTarget(p *check.Problems, path string, percent int, resource string, chosen bool, request, limit kept) {
	switch {
	case percent == 0:
		return
	case !chosen:
		p.Addf(path, "is %d, needs resources.requests.%s: the percentage refers to it", percent, resource)
		return
	case percent < 1 || percent > 1000:
		p.Addf(path, "is %d, must be 1 to 1000", percent)
		return
	case !request.given() || !limit.given() || request.number > limit.number:
		return
	}
	// The autoscaler acts when use is more than a tenth beyond the target, and use stops at the limit.
	highest := limit.number * 100 / request.number
	if reachable := highest * 10 / 11; int64(percent) > reachable {
		p.Addf(path, "is %d, must be at most %d: the limit (%s) is %d %% of the request (%s), use cannot pass it, and the autoscaler waits for a tenth more than its target",
			percent, reachable, limit.text, highest, request.text)
	}
}

// spec measures one container of the pods, or all of them together where it is "".
func (args Autoscaling) spec(deployment pulumi.StringInput, container string) *autoscalingv2.HorizontalPodAutoscalerSpecArgs {
	var metrics autoscalingv2.MetricSpecArray
	for _, m := range []struct {
		resource string
		percent  int
	}{{"cpu", args.CPUPercent}, {"memory", args.MemoryPercent}} {
		wanted := &autoscalingv2.MetricTargetArgs{Type: pulumi.String("Utilization"), AverageUtilization: pulumi.Int(m.percent)}
		switch {
		case m.percent == 0:
		case container == "":
			metrics = append(metrics, &autoscalingv2.MetricSpecArgs{
				Type:     pulumi.String("Resource"),
				Resource: &autoscalingv2.ResourceMetricSourceArgs{Name: pulumi.String(m.resource), Target: wanted},
			})
		default:
			metrics = append(metrics, &autoscalingv2.MetricSpecArgs{
				Type:              pulumi.String("ContainerResource"),
				ContainerResource: &autoscalingv2.ContainerResourceMetricSourceArgs{Name: pulumi.String(m.resource), Container: pulumi.String(container), Target: wanted},
			})
		}
	}
	for _, m := range args.Metrics {
		id := &autoscalingv2.MetricIdentifierArgs{Name: pulumi.String(m.Name)}
		if len(m.Labels) > 0 {
			id.Selector = &metav1.LabelSelectorArgs{MatchLabels: pulumi.ToStringMap(m.Labels)}
		}
		wanted := &autoscalingv2.MetricTargetArgs{Type: pulumi.String("AverageValue"), AverageValue: pulumi.String(m.AveragePerPod)}
		if m.External {
			metrics = append(metrics, &autoscalingv2.MetricSpecArgs{Type: pulumi.String("External"), External: &autoscalingv2.ExternalMetricSourceArgs{Metric: id, Target: wanted}})
		} else {
			metrics = append(metrics, &autoscalingv2.MetricSpecArgs{Type: pulumi.String("Pods"), Pods: &autoscalingv2.PodsMetricSourceArgs{Metric: id, Target: wanted}})
		}
	}
	policy := func(kind string, value, seconds int) *autoscalingv2.HPAScalingPolicyArgs {
		return &autoscalingv2.HPAScalingPolicyArgs{Type: pulumi.String(kind), Value: pulumi.Int(value), PeriodSeconds: pulumi.Int(seconds)}
	}
	return &autoscalingv2.HorizontalPodAutoscalerSpecArgs{
		ScaleTargetRef: &autoscalingv2.CrossVersionObjectReferenceArgs{
			ApiVersion: pulumi.String("apps/v1"), Kind: pulumi.String("Deployment"), Name: deployment,
		},
		MinReplicas: pulumi.Int(args.Min),
		MaxReplicas: pulumi.Int(args.Max),
		Metrics:     metrics,
		Behavior: &autoscalingv2.HorizontalPodAutoscalerBehaviorArgs{
			ScaleUp: &autoscalingv2.HPAScalingRulesArgs{
				StabilizationWindowSeconds: pulumi.Int(args.ScaleUpWindowSeconds),
				SelectPolicy:               pulumi.String("Max"),
				Policies:                   autoscalingv2.HPAScalingPolicyArray{policy("Percent", 100, 15), policy("Pods", 4, 15)},
			},
			ScaleDown: &autoscalingv2.HPAScalingRulesArgs{
				StabilizationWindowSeconds: pulumi.Int(args.ScaleDownWindowSeconds),
				SelectPolicy:               pulumi.String("Max"),
				Policies:                   autoscalingv2.HPAScalingPolicyArray{policy("Percent", 25, 60), policy("Pods", 1, 60)},
			},
		},
	}
}

func (c *AppDeployment) autoscaler(ctx *pulumi.Context, a *app) error {
	// A sidecar's use is not the app's, and one without a request would leave the autoscaler without a figure.
	var measured string
	if len(a.Sidecars) > 0 {
		measured = a.name
	}
	_, err := autoscalingv2.NewHorizontalPodAutoscaler(ctx, a.name+"-autoscaler", &autoscalingv2.HorizontalPodAutoscalerArgs{
		Metadata: &metav1.ObjectMetaArgs{Namespace: a.Namespace, Labels: labels(a.name)},
		Spec:     a.Autoscaling.spec(c.DeploymentName, measured),
	}, pulumi.Parent(c))
	return err
}
