package workload

import (
	"cmp"

	autoscalingv2 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/autoscaling/v2"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Autoscaling gives the number of pods to a HorizontalPodAutoscaler. Only for apps that keep nothing in the pod.
// The cluster needs metrics-server.
type Autoscaling struct {
	// Min is the fewest pods, 1 to Max. Required.
	Min int `pulumi:"min"`
	// Max is the most pods, Min to 500. Required.
	Max int `pulumi:"max"`
	// CPUPercent is the mean CPU use that is aimed at, in percent of resources.requests.cpu, which must be given.
	// At least one of CPUPercent and MemoryPercent is required.
	CPUPercent int `pulumi:"cpuPercent,optional"`
	// MemoryPercent is the mean memory use that is aimed at, in percent of resources.requests.memory, which must be given.
	MemoryPercent int `pulumi:"memoryPercent,optional"`
	// ScaleUpWindowSeconds is how long more pods must have been wanted before they come, 0 to 3600; default 0.
	ScaleUpWindowSeconds int `pulumi:"scaleUpWindowSeconds,optional"`
	// ScaleDownWindowSeconds is how long fewer pods must have been wanted before any goes, 1 to 3600, not less than
	// ScaleUpWindowSeconds; default 300. After it one pod or a quarter goes each minute.
	ScaleDownWindowSeconds int `pulumi:"scaleDownWindowSeconds,optional"`
}

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
	if args.CPUPercent == 0 && args.MemoryPercent == 0 {
		p.Addf("cpuPercent", "is not given and neither is memoryPercent, must be one of them at least, for example 60")
	}
	if given == nil {
		given = &Resources{}
	}
	target(p, "cpuPercent", args.CPUPercent, "cpu", given.Requests.CPU+given.Limits.CPU != "", r.cpuRequest, r.cpuLimit)
	target(p, "memoryPercent", args.MemoryPercent, "memory", given.Requests.Memory+given.Limits.Memory != "", r.memoryRequest, r.memoryLimit)

	args.ScaleDownWindowSeconds = cmp.Or(args.ScaleDownWindowSeconds, defaultScaleDownWindow)
	p.Between("scaleUpWindowSeconds", args.ScaleUpWindowSeconds, 0, 3600)
	if args.ScaleDownWindowSeconds < max(args.ScaleUpWindowSeconds, 1) || args.ScaleDownWindowSeconds > 3600 {
		p.Addf("scaleDownWindowSeconds", "is %d, must be 1 to 3600 and not less than scaleUpWindowSeconds (%d): pods that go sooner than they come make the number swing",
			args.ScaleDownWindowSeconds, args.ScaleUpWindowSeconds)
	}
	return args
}

func target(p *check.Problems, path string, percent int, resource string, chosen bool, request, limit kept) {
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

func (args Autoscaling) spec(deployment pulumi.StringInput) *autoscalingv2.HorizontalPodAutoscalerSpecArgs {
	var metrics autoscalingv2.MetricSpecArray
	for _, m := range []struct {
		resource string
		percent  int
	}{{"cpu", args.CPUPercent}, {"memory", args.MemoryPercent}} {
		if m.percent != 0 {
			metrics = append(metrics, &autoscalingv2.MetricSpecArgs{
				Type: pulumi.String("Resource"),
				Resource: &autoscalingv2.ResourceMetricSourceArgs{
					Name:   pulumi.String(m.resource),
					Target: &autoscalingv2.MetricTargetArgs{Type: pulumi.String("Utilization"), AverageUtilization: pulumi.Int(m.percent)},
				},
			})
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
	_, err := autoscalingv2.NewHorizontalPodAutoscaler(ctx, a.name+"-autoscaler", &autoscalingv2.HorizontalPodAutoscalerArgs{
		Metadata: &metav1.ObjectMetaArgs{Namespace: a.Namespace, Labels: labels(a.name)},
		Spec:     a.Autoscaling.spec(c.DeploymentName),
	}, pulumi.Parent(c))
	return err
}
