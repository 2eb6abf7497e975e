package workload

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

const (
	// WithinZone compares the zones of two pods' nodes.
	WithinZone = "Zone"
	// WithinNode compares the nodes.
	WithinNode = "Node"
)

var topologyKeys = map[string]string{WithinZone: "topology.kubernetes.io/zone", WithinNode: "kubernetes.io/hostname"}

// Neighbour is another app of the namespace, by which the pods of this one are placed. A change rolls the pods.
type Neighbour struct {
	// App is the other app's name. Required.
	App string `pulumi:"app"`
	// Within is WithinZone (the default) or WithinNode.
	Within string `pulumi:"within,optional"`
	// Required leaves a pod pending rather than place it otherwise; default false, as well as the free room allows.
	Required bool `pulumi:"required,optional"`
}

func (a *app) checkedPlacement(p *check.Problems) {
	where := map[Neighbour]string{}
	for _, k := range []struct {
		path string
		list []Neighbour
	}{{"near", a.Near}, {"awayFrom", a.AwayFrom}} {
		for i, n := range k.list {
			at := p.At("%s[%d]", k.path, i)
			at.Match("app", n.App, label, labelSays)
			if n.App == a.name {
				at.Addf("app", "is %q, the app itself, must be another: spread says how its own pods are kept apart", n.App)
			}
			if n.Within != "" {
				at.OneOf("within", n.Within, WithinZone, WithinNode)
			} else {
				n.Within = WithinZone
			}
			n.Required = false
			if other, twice := where[n]; twice {
				at.Addf("", "names %q within a %s, as %s does", n.App, n.Within, other)
			}
			where[n] = at.Path("")
		}
	}
	if a.PriorityClass != "" {
		p.Match("priorityClass", a.PriorityClass, objectName, objectNameSays)
	}
}

func (a *app) affinity() corev1.AffinityPtrInput {
	if len(a.Near)+len(a.AwayFrom) == 0 {
		return nil
	}
	all := &corev1.AffinityArgs{}
	if must, should := terms(a.Near); len(a.Near) > 0 {
		all.PodAffinity = &corev1.PodAffinityArgs{RequiredDuringSchedulingIgnoredDuringExecution: must, PreferredDuringSchedulingIgnoredDuringExecution: should}
	}
	if must, should := terms(a.AwayFrom); len(a.AwayFrom) > 0 {
		all.PodAntiAffinity = &corev1.PodAntiAffinityArgs{RequiredDuringSchedulingIgnoredDuringExecution: must, PreferredDuringSchedulingIgnoredDuringExecution: should}
	}
	return all
}

func terms(list []Neighbour) (must corev1.PodAffinityTermArray, should corev1.WeightedPodAffinityTermArray) {
	for _, n := range list {
		key := topologyKeys[n.Within]
		if key == "" {
			key = topologyKeys[WithinZone]
		}
		term := corev1.PodAffinityTermArgs{LabelSelector: &metav1.LabelSelectorArgs{MatchLabels: selector(n.App)}, TopologyKey: pulumi.String(key)}
		if n.Required {
			must = append(must, term)
		} else {
			should = append(should, corev1.WeightedPodAffinityTermArgs{Weight: pulumi.Int(100), PodAffinityTerm: term})
		}
	}
	return must, should
}
