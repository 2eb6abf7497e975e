package workload

import (
	"cmp"

	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/target"
)

// HealthCheck is what a load balancer in front is to ask: what the readiness probe asks, as often, so that both judge alike. Where that
// probe asks no page at Port, the load balancer asks for HealthPath.
func (args *AppDeploymentArgs) HealthCheck() target.HealthCheck {
	a := *args
	a.HealthPath, a.DrainSeconds = cmp.Or(a.HealthPath, "/"), cmp.Or(a.DrainSeconds, defaultDrainSeconds)
	// What is wrong with the probes is said where the app is checked.
	var unsaid check.Problems
	h := target.HealthCheck{Path: a.HealthPath, Codes: "200-399"} // as for the node: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#probe-check-methods
	probe := a.checkedProbes(&unsaid).readiness
	if probe == nil {
		return h
	}
	if probe.HTTP != nil && probe.HTTP.Port == a.Port {
		h.Path = probe.HTTP.Path
	}
	h.IntervalSeconds = max(probe.PeriodSeconds, 5) // AWS asks no oftener
	return h
}
