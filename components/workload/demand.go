package workload

import (
	"slices"

	"github.com/slipway-iac/slipway/capacity"
)

// Demand is what the app asks of the nodes: for capacity.Plan, together with those of the other apps and the node groups. An error
// is as of Check. A before-release job counts as a pod more during a release.
func (args *AppDeploymentArgs) Demand(name string) (capacity.App, error) {
	if err := args.Check(nil, name); err != nil {
		return capacity.App{}, err
	}
	a, _ := args.checked(name, nil) // what is wrong now is only not there yet
	app := capacity.App{
		Name: name, Requests: a.requests(), Min: a.fewestPods(), Max: a.mostPods(),
		Spread: capacity.Spread{Zones: a.spread.Zones, Nodes: a.spread.Nodes},
	}
	app.SurgeAtMin, app.SurgeAtMax = a.more(app.Min), a.more(app.Max)
	for _, n := range a.AwayFrom {
		switch {
		case !n.Required:
			app.Loose = true
		case n.Within == WithinNode:
			app.AwayFrom = append(app.AwayFrom, n.App)
		default:
			app.AwayFromInZone = append(app.AwayFromInZone, n.App)
		}
	}
	for _, n := range a.Near {
		app.Loose = true
		if n.Required {
			app.Unmodelled = append(app.Unmodelled, "a required nearness to "+n.App)
		}
	}
	if a.PriorityClass != "" {
		// What a class is worth is known to the cluster only.
		app.Unmodelled = append(app.Unmodelled, "a priority class")
	}
	if slices.ContainsFunc(a.Volumes, func(v Volume) bool { return v.Claim != "" }) {
		app.Unmodelled = append(app.Unmodelled, "a volume, which may be in one zone only")
	}
	return app, nil
}

// more is how many pods come on top of n in a release.
func (a *app) more(n int) int {
	more := 0
	if !a.rollout.recreate {
		more, _ = a.rollout.at(n)
	}
	if a.BeforeRelease != nil {
		more = max(more, 1)
	}
	return more
}

// requests of a pod: its container and the sidecars together, or an init container that asks for more before they start.
// https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
func (a *app) requests() capacity.Resources {
	sum := a.resources.asked()
	for _, s := range a.sidecars {
		r := s.resources.asked()
		sum = capacity.Resources{MilliCPU: sum.MilliCPU + r.MilliCPU, Memory: sum.Memory + r.Memory, Ephemeral: sum.Ephemeral + r.Ephemeral}
	}
	for _, i := range a.initContainers {
		r := i.resources.asked()
		sum = capacity.Resources{MilliCPU: max(sum.MilliCPU, r.MilliCPU), Memory: max(sum.Memory, r.Memory), Ephemeral: max(sum.Ephemeral, r.Ephemeral)}
	}
	return sum
}

func (r resources) asked() capacity.Resources {
	return capacity.Resources{MilliCPU: r.cpuRequest.number, Memory: r.memoryRequest.number, Ephemeral: r.ephemeralRequest.number}
}
