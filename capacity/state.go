package capacity

import "cmp"

// amounts is what is limited on a node: CPU, memory, ephemeral storage, and the number of pods.
type amounts [4]int64

const podCount = 3

func (r Resources) amounts(pods int) amounts {
	return amounts{r.MilliCPU, r.Memory, r.Ephemeral, int64(pods)}
}

// What the scheduler takes a pod without requests for when it scores nodes: pkg/scheduler/util/pod_resources.go.
const (
	defaultMilliCPU = 100
	defaultMemory   = 200 * mib
)

func scored(r Resources) [2]int64 {
	return [2]int64{cmp.Or(r.MilliCPU, defaultMilliCPU), cmp.Or(r.Memory, defaultMemory)}
}

// batch is a number of pods that are spread together: those of an app, or those that come more in a release.
type batch struct {
	app      int // in the list of apps
	count    int
	requests amounts
	scored   [2]int64
	priority int

	zones, nodes string // Spread
	loose        bool
	eligible     []bool // by node, for its labels
	awayOnNode   []bool // by batch
	awayInZone   []bool // by batch
}

// problem is pods and the nodes that they have to find room on.
type problem struct {
	batches []batch
	nodes   int
	limits  []amounts // by node
	daemons amounts   // on every node
	// scoredDaemons is as the scheduler counts them when it scores.
	scoredDaemons [2]int64
	zone          []int // by node
	zones         int
	kind          []int // by node: like nodes have like numbers, whatever their zone
}

// state is how many pods of each batch are on each node.
type state struct {
	p      *problem
	counts [][]int16 // node, batch
	used   []amounts
	scored [][2]int64
	inZone [][]int // zone, batch

	nodePrints, zonePrints []print
	printed                bool // since the last change
}

func newState(p *problem) *state {
	s := &state{p: p, used: make([]amounts, p.nodes), scored: make([][2]int64, p.nodes), nodePrints: make([]print, p.nodes), zonePrints: make([]print, p.zones)}
	for n := range p.nodes {
		s.counts = append(s.counts, make([]int16, len(p.batches)))
		s.used[n], s.scored[n] = p.daemons, p.scoredDaemons
	}
	for range p.zones {
		s.inZone = append(s.inZone, make([]int, len(p.batches)))
	}
	return s
}

// add puts by pods of the batch on the node, or takes them off.
func (s *state) add(batch, node, by int) {
	b := &s.p.batches[batch]
	s.printed = false
	s.counts[node][batch] += int16(by)
	s.inZone[s.p.zone[node]][batch] += by
	for d := range s.used[node] {
		s.used[node][d] += int64(by) * b.requests[d]
	}
	for d := range s.scored[node] {
		s.scored[node][d] += int64(by) * b.scored[d]
	}
}

// has tells whether nodes of that number hold what is requested, as NodeResourcesFit does: what is not requested is not looked at.
func (p *problem) has(node int, used amounts, b *batch) bool {
	for d, r := range b.requests {
		if r > 0 && used[d]+r > p.limits[node][d] {
			return false
		}
	}
	return true
}

// feasible are the nodes that one more pod of the batch may go to: the filters of kube-scheduler's default plugins NodeAffinity,
// NodeResourcesFit, PodTopologySpread and InterPodAffinity.
func (s *state) feasible(batch int) (nodes []int) {
	b := &s.p.batches[batch]
	fewestOnNode, fewestInZone := s.fewest(batch)
	for n := range s.p.nodes {
		switch z := s.p.zone[n]; {
		case !b.eligible[n], !s.p.has(n, s.used[n], b):
		case b.nodes == SpreadRequired && int(s.counts[n][batch])+1-fewestOnNode > maxSkew:
		case b.zones == SpreadRequired && s.inZone[z][batch]+1-fewestInZone > maxSkew:
		case s.kept(b, n):
		default:
			nodes = append(nodes, n)
		}
	}
	return nodes
}

const maxSkew = 1

// fewest pods of a batch that a node has, and a zone, of those that its pods may go to by their labels.
func (s *state) fewest(batch int) (onNode, inZone int) {
	b := &s.p.batches[batch]
	onNode, inZone = -1, -1
	if b.nodes != SpreadRequired && b.zones != SpreadRequired {
		return 0, 0
	}
	for n := range s.p.nodes {
		if !b.eligible[n] {
			continue
		}
		if c := int(s.counts[n][batch]); onNode < 0 || c < onNode {
			onNode = c
		}
		if c := s.inZone[s.p.zone[n]][batch]; inZone < 0 || c < inZone {
			inZone = c
		}
	}
	return onNode, inZone
}

// kept tells whether an anti-affinity keeps the batch off the node.
func (s *state) kept(b *batch, node int) bool {
	for other := range s.p.batches {
		if b.awayOnNode[other] && s.counts[node][other] > 0 || b.awayInZone[other] && s.inZone[s.p.zone[node]][other] > 0 {
			return true
		}
	}
	return false
}

// print is a fingerprint of 128 bits, far too long for two states of one search to share one by chance.
type print [2]uint64

// of is the fingerprint of a sequence of numbers.
func (p print) of(numbers ...uint64) print {
	for _, n := range numbers {
		p[0], p[1] = scramble(p[0]^n), scramble(p[1]+n+0x9e3779b97f4a7c15)
	}
	return p
}

// with is the fingerprint of a set with one more in it, in whatever order they come.
func (p print) with(other print) print {
	return print{p[0] + scramble(other[0]), p[1] + scramble(other[1])}
}

// scramble is the finalizer of splitmix64, which leaves no bit where it was.
func scramble(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// prints are fingerprints of what each node and each zone holds, equal for like nodes and zones with the same pods.
func (s *state) prints() (nodes, zones []print) {
	nodes, zones = s.nodePrints, s.zonePrints
	if s.printed {
		return nodes, zones
	}
	s.printed = true
	clear(zones)
	for n, counts := range s.counts {
		one := print{1, 2}.of(uint64(s.p.kind[n]))
		for _, c := range counts {
			one = one.of(uint64(c))
		}
		nodes[n] = one
		zones[s.p.zone[n]] = zones[s.p.zone[n]].with(one)
	}
	return nodes, zones
}

// distinct leaves one of each kind of node: two that are alike, in the same zone or in zones that are alike, are one choice.
func (s *state) distinct(nodes []int) []int {
	if len(nodes) < 2 {
		return nodes
	}
	holds, zones := s.prints()
	seen := map[[2]print]bool{}
	var out []int
	for _, n := range nodes {
		if k := [2]print{zones[s.p.zone[n]], holds[n]}; !seen[k] {
			seen[k] = true
			out = append(out, n)
		}
	}
	return out
}

// key is equal for states that differ only in which of several like nodes, or like zones, has what.
func (s *state) key(more ...int) (k print) {
	_, zones := s.prints()
	for _, z := range zones {
		k = k.with(z.of(7))
	}
	for _, m := range more {
		k = k.of(uint64(m))
	}
	return k
}
