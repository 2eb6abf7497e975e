package cluster

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Taint keeps pods off a group's nodes unless they tolerate it.
type Taint struct {
	// Key of the taint, like "dedicated", written as a label's key is: at most 63 characters, with its prefix if it has one. Required.
	Key string `pulumi:"key"`
	// Value of the taint, at most 63 characters; default empty.
	Value string `pulumi:"value,optional"`
	// Effect is "NoSchedule", "PreferNoSchedule" or "NoExecute", which also ends pods that run there already. Required.
	Effect string `pulumi:"effect"`
}

// effects are EKS's words for those of Kubernetes.
var effects = map[string]string{"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}

var (
	// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
	labelKey   = regexp.MustCompile(`^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$`)
	labelValue = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$`)
	// https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html
	reservedKeys = []string{"kubernetes.io/", "k8s.io/", "eks.amazonaws.com/"}
)

// longestKey is what EKS takes of a label's or a taint's key, where Kubernetes takes as many behind a prefix of 253:
// https://docs.aws.amazon.com/eks/latest/APIReference/API_Taint.html.
const longestKey = 63

func (g NodeGroup) checkLabels(p *check.Problems) {
	key := func(path, k string) {
		p.Match(path, k, labelKey, `a label's key, like "team" or "example.com/team"`)
		if len(k) > longestKey && labelKey.MatchString(k) {
			p.Addf(path, "is %q, %d characters, must be at most %d with the prefix: EKS takes no more", k, len(k), longestKey)
		}
		for _, r := range reservedKeys {
			if strings.Contains(k, r) {
				p.Addf(path, "is %q, must not contain %q: Kubernetes and EKS keep it for themselves", k, r)
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(g.Labels)) {
		path := fmt.Sprintf("labels[%q]", k)
		key(path, k)
		if g.Labels[k] == "" {
			// https://github.com/aws/containers-roadmap/issues/2447
			p.Addf(path, `is "", must be 1 to 63 characters, like "true": EKS takes no label without a value`)
		}
		p.Match(path, g.Labels[k], labelValue, `a label's value: at most 63 letters, digits, "-", "_" and ".", from a letter or digit to one`)
	}
	if n := len(g.Taints); n > 50 {
		p.Addf("taints", "has %d entries, must have at most 50: EKS takes no more", n)
	}
	var seen []string
	for i, t := range g.Taints {
		at := fmt.Sprintf("taints[%d]", i)
		key(at+".key", t.Key)
		p.Match(at+".value", t.Value, labelValue, `at most 63 letters, digits, "-", "_" and ".", from a letter or digit to one`)
		p.OneOf(at+".effect", t.Effect, "NoSchedule", "PreferNoSchedule", "NoExecute")
		if j := slices.Index(seen, t.Key+" "+t.Effect); j >= 0 {
			p.Addf(at, "has the key and the effect of taints[%d]", j)
		}
		seen = append(seen, t.Key+" "+t.Effect)
	}
}

// keepsOff tells whether a pod without tolerations stays off the group's nodes.
func (g NodeGroup) keepsOff() bool {
	return slices.ContainsFunc(g.Taints, func(t Taint) bool { return t.Effect != "PreferNoSchedule" })
}

func (g NodeGroup) taints() awseks.NodeGroupTaintArray {
	var all awseks.NodeGroupTaintArray
	for _, t := range g.Taints {
		all = append(all, awseks.NodeGroupTaintArgs{Key: pulumi.String(t.Key), Value: pulumi.String(t.Value), Effect: pulumi.String(effects[t.Effect])})
	}
	return all
}
