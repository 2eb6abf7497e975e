package week

import (
	"fmt"
	"slices"

	"github.com/slipway-iac/slipway/capacity"
)

const (
	kubernetesDeploymentType = "kubernetes:apps/v1:Deployment"
	labelName                = "app.kubernetes.io/name"
	keyNode                  = "kubernetes.io/hostname"
)

// readPod takes what an AppDeployment does not record from the Deployment below it: what containers beside its own request, neighbours,
// a priority, volumes. known is false where there is no such Deployment, or it does not show its pods yet.
func (r *reader) readPod(a *capacity.App, deployment Resource) (known bool) {
	spec, _ := deployment.Inputs["spec"].(map[string]any)
	template, _ := spec["template"].(map[string]any)
	pod, known := template["spec"].(map[string]any)
	if !known {
		return false
	}
	var sum capacity.Resources
	var inits []capacity.Resources
	for _, key := range []string{"containers", "initContainers"} {
		for i, v := range r.list(pod, "", key) {
			c, _ := v.(map[string]any)
			resources, _ := c["resources"].(map[string]any)
			requests, _ := resources["requests"].(map[string]any)
			asks := r.requests(requests, fmt.Sprintf("%s[%d].resources.requests.", key, i), "ephemeral-storage", false)
			if key == "initContainers" && c["restartPolicy"] != "Always" {
				inits = append(inits, asks)
				continue
			}
			sum = capacity.Resources{MilliCPU: sum.MilliCPU + asks.MilliCPU, Memory: sum.Memory + asks.Memory, Ephemeral: sum.Ephemeral + asks.Ephemeral}
		}
	}
	// As workload.AppDeploymentArgs.Demand counts them.
	for _, asks := range inits {
		sum = capacity.Resources{MilliCPU: max(sum.MilliCPU, asks.MilliCPU), Memory: max(sum.Memory, asks.Memory), Ephemeral: max(sum.Ephemeral, asks.Ephemeral)}
	}
	a.Requests = sum
	affinity, _ := pod["affinity"].(map[string]any)
	for _, kind := range []string{"podAffinity", "podAntiAffinity"} {
		terms, _ := affinity[kind].(map[string]any)
		must, should := r.list(terms, kind+".", "requiredDuringSchedulingIgnoredDuringExecution"), r.list(terms, kind+".", "preferredDuringSchedulingIgnoredDuringExecution")
		a.Loose = a.Loose || len(should) > 0 || kind == "podAffinity" && len(must) > 0
		for _, v := range must {
			term, _ := v.(map[string]any)
			selector, _ := term["labelSelector"].(map[string]any)
			labels, _ := selector["matchLabels"].(map[string]any)
			other, _ := labels[labelName].(string)
			switch {
			case other == "":
				a.Unmodelled = append(a.Unmodelled, "a required "+kind+" to pods that are not known")
			case kind == "podAffinity":
				a.Unmodelled = append(a.Unmodelled, "a required nearness to "+other)
			case term["topologyKey"] == keyNode:
				a.AwayFrom = append(a.AwayFrom, other)
			default:
				a.AwayFromInZone = append(a.AwayFromInZone, other)
			}
		}
	}
	if class, there := value(pod, "priorityClassName"); there && class != "" {
		a.Unmodelled = append(a.Unmodelled, "a priority class")
	}
	if slices.ContainsFunc(r.list(pod, "", "volumes"), func(v any) bool {
		m, _ := v.(map[string]any)
		_, claim := value(m, "persistentVolumeClaim")
		return claim
	}) {
		a.Unmodelled = append(a.Unmodelled, "a volume, which may be in one zone only")
	}
	return true
}

// requests are the amounts below path. Memory and CPU have to be there where required says so.
func (r *reader) requests(m map[string]any, path, ephemeral string, required bool) capacity.Resources {
	return capacity.Resources{
		MilliCPU: r.amount(m, path, "cpu", 1000, required), Memory: r.amount(m, path, "memory", 1, required), Ephemeral: r.amount(m, path, ephemeral, 1, false),
	}
}
