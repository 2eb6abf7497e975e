package capacity

import (
	"fmt"
	"slices"
)

// Verdict is whether all pods find a node.
type Verdict int

// The verdicts, the best first.
const (
	// Certain is proven: whatever the order in which pods come, whatever node with room each takes.
	Certain Verdict = iota
	// Expected is what the scheduler's own scores come to, in all orders that were tried and however it breaks ties; but an unlucky
	// arrangement, as many releases and drains may leave behind, could leave a pod out, or could not be ruled out.
	Expected
	// Uncertain depends on the order in which pods come, or on how ties are broken, or on luck.
	Uncertain
	// Never is that no arrangement was found that holds all pods. With few pods there is none.
	Never
)

// String is the verdict in words.
func (v Verdict) String() string {
	return [...]string{"certain", "expected", "uncertain", "never"}[v]
}

// How many states a search looks at, at most, before it gives up: then the verdict is one that promises less. That is for systems
// of up to smallSystem pods × nodes; larger ones, of which each state takes longer, get fewer.
const (
	tieBudget   = 200
	freeBudget  = 1500
	smallSystem = 600
)

func (p *problem) affords(budget int) int {
	pods := 0
	for b := range p.batches {
		pods += p.batches[b].count
	}
	return max(budget*smallSystem/max(smallSystem, pods*p.nodes), 10)
}

// judge gives the verdict on p, and how many pods of each batch are left out in the worst case that was met.
func (p *problem) judge() (Verdict, outcome) {
	if p.certain() {
		return Certain, nil
	}
	var worst outcome
	fits := false
	for _, order := range p.orders() {
		all, _ := p.outcomes(order, p.affords(tieBudget))
		for _, o := range all {
			fits = fits || o.total() == 0
		}
		if len(all) > 0 && all[0].total() > worst.total() {
			worst = all[0]
		}
		if fits && worst.total() > 0 {
			return Uncertain, worst
		}
	}
	if worst.total() == 0 {
		unlucky, found, complete := p.search(false, p.affords(freeBudget))
		if !found && complete {
			return Certain, nil
		}
		return Expected, unlucky
	}
	if !p.impossible() {
		if _, found, _ := p.search(true, p.affords(freeBudget)); found {
			return Uncertain, worst
		}
	}
	return Never, worst
}

// load is how many pods of each app there are.
type load struct {
	pods  func(App) int
	surge func(App) int
}

func none(App) int { return 0 }

// pose makes the problem of the apps on the nodes. Apps of the system come first.
func pose(nodes []Node, system System, apps []App, l load) *problem {
	apps = slices.Concat(system.Cluster, apps)
	p := &problem{nodes: len(nodes)}
	for _, d := range system.PerNode {
		for i, r := range d.Requests.amounts(1) {
			p.daemons[i] += r
		}
		for i, r := range scored(d.Requests) {
			p.scoredDaemons[i] += r
		}
	}
	zones := map[string]int{}
	for _, n := range nodes {
		if _, known := zones[n.Zone]; !known {
			zones[n.Zone] = len(zones)
		}
		p.zone = append(p.zone, zones[n.Zone])
		p.limits = append(p.limits, n.Allocatable.amounts(n.Pods))
	}
	p.zones = len(zones)
	for _, count := range []func(App) int{l.pods, l.surge} {
		for i, a := range apps {
			if c := count(a); c > 0 {
				p.batches = append(p.batches, a.batch(i, c, nodes))
			}
		}
	}
	p.keepApart(apps)
	p.kinds()
	return p
}

func (a App) batch(app, count int, nodes []Node) batch {
	b := batch{
		app: app, count: count, requests: a.Requests.amounts(1), scored: scored(a.Requests), priority: a.Priority,
		zones: a.Spread.Zones, nodes: a.Spread.Nodes, loose: a.Loose, eligible: make([]bool, len(nodes)),
	}
	for n, node := range nodes {
		b.eligible[n] = true
		for k, v := range a.NodeSelector {
			b.eligible[n] = b.eligible[n] && node.Labels[k] == v
		}
	}
	return b
}

// keepApart works both ways: the scheduler looks at the anti-affinity of pods that are there as well as of the one that comes.
func (p *problem) keepApart(apps []App) {
	for x := range p.batches {
		p.batches[x].awayOnNode, p.batches[x].awayInZone = make([]bool, len(p.batches)), make([]bool, len(p.batches))
	}
	for x := range p.batches {
		for y := range p.batches {
			a, b := apps[p.batches[x].app], apps[p.batches[y].app]
			if slices.Contains(a.AwayFrom, b.Name) {
				p.batches[x].awayOnNode[y], p.batches[y].awayOnNode[x] = true, true
			}
			if slices.Contains(a.AwayFromInZone, b.Name) {
				p.batches[x].awayInZone[y], p.batches[y].awayInZone[x] = true, true
			}
		}
	}
}

// kinds numbers the nodes by what sets them apart, but for their zone.
func (p *problem) kinds() {
	numbers := map[string]int{}
	for n := range p.nodes {
		eligible := make([]bool, len(p.batches))
		for b := range p.batches {
			eligible[b] = p.batches[b].eligible[n]
		}
		text := fmt.Sprint(p.limits[n], eligible)
		if _, known := numbers[text]; !known {
			numbers[text] = len(numbers)
		}
		p.kind = append(p.kind, numbers[text])
	}
}
