package capacity

import (
	"cmp"
	"math"
	"slices"
)

// outcome is how many pods of each batch are left without a node.
type outcome []int

func (o outcome) total() (sum int) {
	for _, n := range o {
		sum += n
	}
	return sum
}

// outcomes are all ends to which the scheduler may come when pods arrive in that order, with every way to break ties, the worst
// first; complete tells whether all ways were followed before budget ran out. One way is followed to its end whatever the budget.
func (p *problem) outcomes(order []int, budget int) (all []outcome, complete bool) {
	complete = true
	seen := map[print]bool{}
	s, left := newState(p), make(outcome, len(p.batches))
	var follow func(i int)
	follow = func(i int) {
		var placed [][2]int
		defer func() {
			for _, m := range placed {
				s.add(m[0], m[1], -1)
			}
		}()
		was := slices.Clone(left)
		defer func() { copy(left, was) }()
		for ; i < len(order); i++ {
			b := order[i]
			if left[b] > 0 { // the one before it found no place, and nobody leaves
				left[b]++
				continue
			}
			nodes := s.feasible(b)
			if len(nodes) == 0 {
				left[b]++
				continue
			}
			nodes = s.distinct(s.best(b, nodes))
			if len(nodes) == 1 || budget <= 0 && len(all) == 0 {
				complete = complete && len(nodes) == 1
				s.add(b, nodes[0], 1)
				placed = append(placed, [2]int{b, nodes[0]})
				continue
			}
			for _, n := range nodes {
				s.add(b, n, 1)
				if k := s.key(append([]int{i}, left...)...); !seen[k] {
					seen[k] = true
					if budget--; budget >= 0 {
						follow(i + 1)
					} else {
						complete = false
					}
				}
				s.add(b, n, -1)
			}
			return
		}
		if !slices.ContainsFunc(all, func(o outcome) bool { return slices.Equal(o, left) }) {
			all = append(all, slices.Clone(left))
		}
	}
	follow(0)
	slices.SortFunc(all, func(a, b outcome) int {
		return cmp.Or(cmp.Compare(b.total(), a.total()), slices.Compare(a, b))
	})
	return all, complete
}

// search looks through all states that can come about when pods arrive in whatever order and take whatever node has room, for one
// in which nothing is left to place (done), or for one in which a pod finds no node (not done). Since a batch that finds no node
// in a state finds none ever after, the second is a pod left out for good.
func (p *problem) search(done bool, budget int) (left outcome, found, complete bool) {
	complete = true
	seen := map[print]bool{}
	s, rest := newState(p), make(outcome, len(p.batches))
	for b := range p.batches {
		rest[b] = p.batches[b].count
	}
	order := p.bySize()
	if done {
		slices.Reverse(order)
	}
	var follow func() bool
	follow = func() bool {
		var moves [][2]int
		for _, b := range order {
			if rest[b] == 0 {
				continue
			}
			nodes := s.feasible(b)
			if len(nodes) == 0 {
				if !done {
					left = make(outcome, len(rest))
					left[b] = rest[b]
				}
				return !done
			}
			// To leave somebody out, fill all nodes alike; to place all, fill one after the other.
			slices.SortStableFunc(nodes, func(x, y int) int {
				c := cmp.Compare(s.fill(x), s.fill(y))
				if done {
					c = -c
				}
				return c
			})
			for _, n := range s.distinct(nodes) {
				moves = append(moves, [2]int{b, n})
			}
		}
		if len(moves) == 0 {
			return done
		}
		for _, m := range moves {
			s.add(m[0], m[1], 1)
			rest[m[0]]--
			ok := false
			if k := s.key(rest...); !seen[k] {
				seen[k] = true
				if budget--; budget >= 0 {
					ok = follow()
				} else {
					complete = false
				}
			}
			s.add(m[0], m[1], -1)
			rest[m[0]]++
			if ok || !complete {
				return ok
			}
		}
		return false
	}
	found = follow()
	return left, found, complete
}

// fill is how full a node is, of what it is fullest of.
func (s *state) fill(node int) (most float64) {
	for d, limit := range s.p.limits[node] {
		if limit > 0 {
			most = max(most, float64(s.used[node][d])/float64(limit))
		}
	}
	return most
}

// size is the largest share of a node that a pod of the batch takes.
func (p *problem) size(b *batch) (most float64) {
	for n := range p.nodes {
		for d, limit := range p.limits[n] {
			if free := limit - p.daemons[d]; b.requests[d] > 0 {
				share := math.Inf(1)
				if free > 0 {
					share = float64(b.requests[d]) / float64(free)
				}
				most = max(most, share)
			}
		}
	}
	return most
}

// bySize are the batches, that of the smallest pods first.
func (p *problem) bySize() []int {
	all := make([]int, len(p.batches))
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(x, y int) int { return cmp.Compare(p.size(&p.batches[x]), p.size(&p.batches[y])) })
	return all
}

// listed is the order in which the batches stand, with those of a higher priority first, as the scheduler's queue has it.
func (p *problem) listed() []int {
	all := make([]int, len(p.batches))
	for i := range all {
		all[i] = i
	}
	return p.queued(all)
}

func (p *problem) queued(batches []int) []int {
	batches = slices.Clone(batches)
	slices.SortStableFunc(batches, func(x, y int) int { return cmp.Compare(p.batches[y].priority, p.batches[x].priority) })
	return batches
}

// inTurn is the batches one after the other, pod by pod.
func (p *problem) inTurn(batches []int) (order []int) {
	for _, b := range batches {
		for range p.batches[b].count {
			order = append(order, b)
		}
	}
	return order
}

// mixed is a pod of each batch in turn, within each priority.
func (p *problem) mixed() (order []int) {
	rest := make([]int, len(p.batches))
	for b := range rest {
		rest[b] = p.batches[b].count
	}
	batches := p.listed()
	for len(batches) > 0 {
		same := 0
		for same < len(batches) && p.batches[batches[same]].priority == p.batches[batches[0]].priority {
			same++
		}
		for more := true; more; {
			more = false
			for _, b := range batches[:same] {
				if rest[b] > 0 {
					rest[b]--
					order = append(order, b)
					more = true
				}
			}
		}
		batches = batches[same:]
	}
	return order
}

// orders are some in which pods may arrive: as listed, the other way round, the smallest first, the largest first, and mixed.
func (p *problem) orders() [][]int {
	listed, small := p.listed(), p.bySize()
	back, large := slices.Clone(listed), slices.Clone(small)
	slices.Reverse(back)
	slices.Reverse(large)
	var all [][]int
	for _, o := range [][]int{listed, back, small, large} {
		all = append(all, p.inTurn(p.queued(o)))
	}
	return append(all, p.mixed())
}
