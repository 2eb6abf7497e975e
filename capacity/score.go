package capacity

import "math"

const mostScore = 100

// best are the nodes among feasible that share the highest score, of which kube-scheduler takes one at random: NodeResourcesFit
// with LeastAllocated, NodeResourcesBalancedAllocation, and PodTopologySpread at twice the weight, as in the defaults of Kubernetes
// 1.36. ImageLocality is left out: which node has which image nobody knows before.
func (s *state) best(batch int, feasible []int) []int {
	b := &s.p.batches[batch]
	if len(feasible) < 2 || b.loose {
		return feasible
	}
	spread := s.spreadScores(batch, feasible)
	var best []int
	highest := int64(math.MinInt64)
	for i, n := range feasible {
		score := s.leastAllocated(b, n) + s.balance(b, n)
		if spread != nil {
			score += 2 * spread[i]
		}
		if score > highest {
			best, highest = best[:0], score
		}
		if score == highest {
			best = append(best, n)
		}
	}
	return best
}

// leastAllocated is pkg/scheduler/framework/plugins/noderesources/least_allocated.go.
func (s *state) leastAllocated(b *batch, node int) int64 {
	var sum, weights int64
	for d := range b.scored {
		limit := s.p.limits[node][d]
		if limit == 0 {
			continue
		}
		weights++
		if asked := s.scored[node][d] + b.scored[d]; asked <= limit {
			sum += (limit - asked) * mostScore / limit
		}
	}
	if weights == 0 {
		return 0
	}
	return sum / weights
}

// balance is pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go: how much evener CPU and memory are used with
// the pod than without.
func (s *state) balance(b *batch, node int) int64 {
	if b.requests[0] == 0 && b.requests[1] == 0 {
		return 0
	}
	even := func(asked [2]int64) int64 {
		var fractions []float64
		for d := range asked {
			if limit := s.p.limits[node][d]; limit > 0 {
				fractions = append(fractions, min(float64(asked[d])/float64(limit), 1))
			}
		}
		deviation := 0.0
		if len(fractions) == 2 {
			deviation = math.Abs((fractions[0] - fractions[1]) / 2)
		}
		return int64((1 - deviation) * mostScore)
	}
	before := [2]int64{s.used[node][0], s.used[node][1]}
	after := [2]int64{before[0] + b.requests[0], before[1] + b.requests[1]}
	return mostScore/2 + (mostScore/2+even(after)-even(before))/2
}

// spreadScores is pkg/scheduler/framework/plugins/podtopologyspread/scoring.go; nil where no constraint is preferred.
func (s *state) spreadScores(batch int, feasible []int) []int64 {
	b := &s.p.batches[batch]
	type soft struct {
		zone bool
		skew int
	}
	var constraints []soft
	switch {
	case b.zones != SpreadRequired && b.nodes != SpreadRequired && b.zones != SpreadPreferred && b.nodes != SpreadPreferred:
		// Pods that say nothing get the scheduler's own.
		constraints = []soft{{false, 3}, {true, 5}}
	default:
		if b.zones == SpreadPreferred {
			constraints = append(constraints, soft{true, maxSkew})
		}
		if b.nodes == SpreadPreferred {
			constraints = append(constraints, soft{false, maxSkew})
		}
	}
	if len(constraints) == 0 {
		return nil
	}
	seen := make([]bool, s.p.zones)
	zones := 0
	for _, n := range feasible {
		if z := s.p.zone[n]; !seen[z] {
			seen[z] = true
			zones++
		}
	}
	scores := make([]int64, len(feasible))
	lowest, highest := int64(math.MaxInt64), int64(0)
	for i, n := range feasible {
		sum := 0.0
		for _, c := range constraints {
			places, there := len(feasible), int(s.counts[n][batch])
			if c.zone {
				places, there = zones, s.inZone[s.p.zone[n]][batch]
			}
			sum += float64(there)*math.Log(float64(places+2)) + float64(c.skew-1)
		}
		scores[i] = int64(math.Round(sum))
		lowest, highest = min(lowest, scores[i]), max(highest, scores[i])
	}
	for i := range scores {
		if highest == 0 {
			scores[i] = mostScore
			continue
		}
		scores[i] = mostScore * (highest + lowest - scores[i]) / highest
	}
	return scores
}
