package week

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-iac/slipway/capacity"
	"github.com/slipway-iac/slipway/internal/quantity"
)

// readApps takes what components/workload records of an AppDeployment for what its Demand would be.
func (s *Stack) readApps(apps, deployments []Resource) {
	seen := map[string]int{}
	for _, from := range apps {
		r := &reader{of: fmt.Sprintf("app %q", from.Name)}
		in := from.Inputs
		a := capacity.App{Name: from.Name}
		if seen[a.Name]++; seen[a.Name] > 1 {
			a.Name = fmt.Sprintf("%s (%d)", a.Name, seen[a.Name]) // below another parent
		}
		resources, _ := r.object(in, "", "resources")
		requests, ok := r.object(resources, "resources.", "requests")
		if !ok && len(r.problems) == 0 {
			r.addf("resources.requests", "is not there")
		}
		if ok {
			a.Requests = r.requests(requests, "resources.requests.", "ephemeralStorage", true)
		}
		if scaled, ok := r.object(in, "", "autoscaling"); ok {
			a.Min, a.Max = r.number(scaled, "autoscaling.", "min", true), r.number(scaled, "autoscaling.", "max", true)
		} else if _, unknown := value(in, "autoscaling"); !unknown {
			a.Min = r.number(in, "", "replicas", true)
			a.Max = a.Min
		}
		a.SurgeAtMin, a.SurgeAtMax = r.surge(in, a.Min), r.surge(in, a.Max)
		if spread, ok := r.object(in, "", "spread"); ok {
			a.Spread = capacity.Spread{Zones: r.text(spread, "spread.", "zones", false), Nodes: r.text(spread, "spread.", "nodes", false)}
		}
		if d := slices.IndexFunc(deployments, func(d Resource) bool { return d.Name == from.Name+"-deployment" }); d < 0 || !r.readPod(&a, deployments[d]) {
			s.Notes = append(s.Notes, r.of+": what containers beside its own request, its neighbours, priority and volumes are not known, and not looked at")
		}
		s.Unread = append(s.Unread, r.problems...)
		s.Capacity.Apps = append(s.Capacity.Apps, a)
	}
}

// amount is a quantity in parts of one.
func (r *reader) amount(m map[string]any, path, key string, parts int64, required bool) int64 {
	text := r.text(m, path, key, required)
	path += key
	if text == "" {
		return 0
	}
	q, err := quantity.Parse(text)
	if err != nil {
		r.addf(path, "is %q, must be a quantity, like 100m or 64Mi", text)
		return 0
	}
	n, whole := q.Times(parts)
	if !whole {
		r.addf(path, "is %q, must be a whole number of %s", text, map[int64]string{1: "bytes", 1000: "thousandths"}[parts])
	}
	return n
}

// surge is how many pods come on top of n in a release; a percentage is rounded up.
func (r *reader) surge(in map[string]any, n int) int {
	more := 0
	if rollout, ok := r.object(in, "", "rollout"); ok && r.text(rollout, "rollout.", "strategy", false) != "Recreate" {
		text := r.text(rollout, "rollout.", "maxSurge", true)
		digits, percent := strings.CutSuffix(text, "%")
		of, err := strconv.Atoi(digits)
		switch {
		case text == "":
		case err != nil || of < 0:
			r.addf("rollout.maxSurge", "is %q, must be a number or a percentage", text)
		case percent:
			more = (of*n + 99) / 100
		default:
			more = of
		}
	}
	if _, job := value(in, "beforeRelease"); job {
		more = max(more, 1)
	}
	return more
}
