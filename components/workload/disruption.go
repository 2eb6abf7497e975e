package workload

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

const (
	// SpreadPreferred places pods apart as well as the free room allows.
	SpreadPreferred = "ScheduleAnyway"
	// SpreadRequired leaves a pod pending rather than place it unevenly.
	SpreadRequired = "DoNotSchedule"
	// SpreadOff does not look at where the other pods are.
	SpreadOff = "Off"
)

// Spread is how the pods of one app are kept apart, so that one zone or node does not take all of them down.
type Spread struct {
	// Zones is SpreadPreferred (the default), SpreadRequired or SpreadOff.
	Zones string `pulumi:"zones,optional"`
	// Nodes is SpreadPreferred (the default), SpreadRequired or SpreadOff.
	Nodes string `pulumi:"nodes,optional"`
}

func (args *Spread) checked(p *check.Problems) (s Spread) {
	if args != nil {
		s = *args
	}
	for _, f := range []struct {
		path  string
		value *string
	}{{"zones", &s.Zones}, {"nodes", &s.Nodes}} {
		if *f.value == "" {
			*f.value = SpreadPreferred
		}
		p.OneOf(f.path, *f.value, SpreadPreferred, SpreadRequired, SpreadOff)
	}
	return s
}

func (args Spread) constraints(name string) corev1.TopologySpreadConstraintArray {
	var all corev1.TopologySpreadConstraintArray
	for _, c := range []struct{ key, how string }{{"topology.kubernetes.io/zone", args.Zones}, {"kubernetes.io/hostname", args.Nodes}} {
		if c.how == SpreadOff {
			continue
		}
		all = append(all, &corev1.TopologySpreadConstraintArgs{
			MaxSkew:           pulumi.Int(1),
			TopologyKey:       pulumi.String(c.key),
			WhenUnsatisfiable: pulumi.String(c.how),
			LabelSelector:     &metav1.LabelSelectorArgs{MatchLabels: selector(name)},
			// Each version is spread by itself: in a rolling update the old pods, soon gone, would leave the new ones uneven, or
			// with SpreadRequired block them.
			MatchLabelKeys: pulumi.ToStringArray([]string{"pod-template-hash"}),
			// By default a cordoned node counts as an empty place, and with SpreadRequired the pods of a drained node stay pending.
			NodeTaintsPolicy: pulumi.String("Honor"),
		})
	}
	return all
}

const defaultDisruptionBudget = "1"

func (args *AppDeploymentArgs) checkedBudget(p *check.Problems, pods int) amount {
	budget, ok := checkedAmount(p, "disruptionBudget", args.DisruptionBudget, defaultDisruptionBudget)
	switch {
	case !ok:
	case budget.value == 0:
		p.Addf("disruptionBudget", "is %q, must let one pod go at least: with none, no node with such a pod can be drained or updated", budget)
	case budget.percent && budget.value > 100:
		p.Addf("disruptionBudget", "is %q, must be at most 100%%", budget)
	case pods > 1 && budget.ofUp(pods) >= pods:
		p.Addf("disruptionBudget", "is %q, must leave a pod serving: %s of %d replicas may go at once", budget, budget.share(pods, budget.ofUp(pods), "up"), pods)
	}
	return budget
}

func (c *AppDeployment) budget(ctx *pulumi.Context, a *app) error {
	_, err := policyv1.NewPodDisruptionBudget(ctx, a.name+"-budget", &policyv1.PodDisruptionBudgetArgs{
		Metadata: &metav1.ObjectMetaArgs{Namespace: a.Namespace, Labels: labels(a.name)},
		Spec: &policyv1.PodDisruptionBudgetSpecArgs{
			MaxUnavailable: a.budget.input(),
			Selector:       &metav1.LabelSelectorArgs{MatchLabels: selector(a.name)},
			// Pods that never became ready serve nobody; by default they block a drain for ever.
			UnhealthyPodEvictionPolicy: pulumi.String("AlwaysAllow"),
		},
	}, pulumi.Parent(c))
	return err
}
