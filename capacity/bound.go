package capacity

import "slices"

// certain tells whether every pod finds a node whatever the order in which pods come and whatever node with room each takes. It
// is a bound: true is a proof, false is not.
//
// For a pod to be left out, the others must keep it off every node that it may go to. To keep it off a node they must take so much
// of one resource that it no longer fits, and of each resource there is only as much as all others request together.
func (p *problem) certain() bool {
	for b := range p.batches {
		if p.batches[b].count > 0 && !p.alwaysFits(b) {
			return false
		}
	}
	return true
}

func (p *problem) alwaysFits(batch int) bool {
	b := &p.batches[batch]
	if slices.Contains(b.awayOnNode, true) || slices.Contains(b.awayInZone, true) {
		return false
	}
	blocked := func(nodes []int) int { return p.mostBlocked(batch, nodes) }
	eligible := make([]int, 0, p.nodes)
	byZone := make([][]int, p.zones)
	for n := range p.nodes {
		if b.eligible[n] {
			eligible = append(eligible, n)
			byZone[p.zone[n]] = append(byZone[p.zone[n]], n)
		}
	}
	switch {
	case b.nodes == SpreadRequired && b.zones == SpreadRequired:
		return false
	case b.nodes == SpreadRequired:
		// Nodes without a pod of the batch may be taken; where each has one, there may be just one that has the fewest.
		return blocked(eligible)+min(b.count-1, len(eligible)-1) < len(eligible)
	case b.zones == SpreadRequired:
		// The zone with the fewest may be any.
		for _, nodes := range byZone {
			if len(nodes) > 0 && blocked(nodes) == len(nodes) {
				return false
			}
		}
		return len(eligible) > 0
	}
	return blocked(eligible) < len(eligible)
}

// mostBlocked is how many of the nodes others can keep the batch off, at most.
//
// Of one resource, they must cover what a node lacks to be too full, its need. A pod counts for one node only, with no more than
// that node needs, so the needs of all blocked nodes are at most the sum of what each pod can give to one.
func (p *problem) mostBlocked(batch int, nodes []int) (count int) {
	b := &p.batches[batch]
	var open []int
	for _, n := range nodes {
		if !p.has(n, p.daemons, b) {
			count++ // without any help
			continue
		}
		open = append(open, n)
	}
	for d, request := range b.requests {
		if request == 0 {
			continue
		}
		var step int64 // divides whatever sum others can come to
		for i := range p.batches {
			if p.others(i, batch) > 0 {
				step = gcd(step, p.batches[i].requests[d])
			}
		}
		if step == 0 {
			continue
		}
		needs := make([]int64, 0, len(open))
		for _, n := range open {
			free := p.limits[n][d] - p.daemons[d]
			need := (free - request + 1 + step - 1) / step * step
			if need <= free { // else what others can take leaves either room for the pod or less than nothing
				needs = append(needs, need)
			}
		}
		if len(needs) == 0 {
			continue
		}
		slices.Sort(needs)
		var give int64
		for i := range p.batches {
			give += p.others(i, batch) * min(p.batches[i].requests[d], needs[len(needs)-1])
		}
		for _, need := range needs {
			if give -= need; give < 0 {
				break
			}
			count++
		}
	}
	return min(count, len(nodes))
}

// others is how many pods there are of a batch beside one of batch.
func (p *problem) others(of, batch int) int64 {
	if of == batch {
		return int64(p.batches[of].count - 1)
	}
	return int64(p.batches[of].count)
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// impossible tells whether the pods request more than all nodes have together.
func (p *problem) impossible() bool {
	for d := range p.daemons {
		var asked, free int64
		for n := range p.nodes {
			free += max(p.limits[n][d]-p.daemons[d], 0)
		}
		for b := range p.batches {
			asked += int64(p.batches[b].count) * p.batches[b].requests[d]
		}
		if asked > free {
			return true
		}
	}
	return false
}
