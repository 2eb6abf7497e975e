package capacity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/calendar"
)

func atMin(a App) int      { return a.Min }
func atMax(a App) int      { return max(a.Max, a.Min) }
func surgeAtMin(a App) int { return a.SurgeAtMin }
func surgeAtMax(a App) int { return a.SurgeAtMax }

// cases is one for each load that makes a difference.
func (in Input) cases(sizes []calendar.Size) (all []Case) {
	nodes := in.nodes(sizes)
	if len(nodes) == 0 {
		return nil
	}
	add := func(l Load) Verdict {
		c := Case{Load: l, Nodes: in.describe(sizes), bounded: len(nodes) < in.count(sizes)}
		c.Verdict, c.LeftOut = in.try(l, sizes)
		if c.Verdict != Certain && !c.bounded {
			c.Change = in.change(l, sizes)
		}
		all = append(all, c)
		return c.Verdict
	}
	some := func(of func(App) bool) bool { return slices.ContainsFunc(in.Apps, of) }
	add(Minimum)
	if some(func(a App) bool { return a.Current > a.Min }) {
		add(Current)
	}
	if some(func(a App) bool { return a.SurgeAtMin > 0 }) {
		add(Release)
	}
	held := all[0].Verdict
	if some(func(a App) bool { return atMax(a) > a.Min }) {
		held = add(Maximum)
	}
	if some(func(a App) bool { return a.SurgeAtMax > 0 && atMax(a) > a.Min }) {
		add(MaximumRelease)
	}
	if held <= Expected && len(in.Apps) > 0 {
		add(Headroom)
	}
	add(ZoneLost)
	add(NodeDrained)
	return all
}

// try gives the verdict on a load, the worst of all nodes that may be lost.
func (in Input) try(l Load, sizes []calendar.Size) (worst Verdict, out []LeftOut) {
	pods := in.load(l, sizes)
	for _, nodes := range in.left(l, in.nodes(sizes)) {
		p := pose(nodes, *in.System, in.Apps, pods)
		v, o := p.judge()
		if v > worst || v == worst && o.total() > sum(out) {
			worst, out = v, in.leftOut(p, o)
		}
	}
	return worst, out
}

// load is how many pods that is.
func (in Input) load(l Load, sizes []calendar.Size) load {
	pods := load{atMin, none}
	switch l {
	case Current:
		pods.pods = func(a App) int { return max(a.Current, a.Min) }
	case Release:
		pods.surge = surgeAtMin
	case Maximum:
		pods.pods = atMax
	case MaximumRelease:
		pods = load{atMax, surgeAtMax}
	case Headroom:
		largest := in.largest(in.nodes(sizes))
		pods.pods = func(a App) int {
			if a.Name == largest {
				return atMax(a) + 1
			}
			return atMax(a)
		}
	}
	return pods
}

func sum(out []LeftOut) (n int) {
	for _, o := range out {
		n += o.Pods
	}
	return n
}

// left is the nodes that may be left, each possibility once.
func (in Input) left(l Load, nodes []Node) (all [][]Node) {
	var gone func(Node) string
	switch l {
	case ZoneLost:
		gone = func(n Node) string { return n.Zone }
	case NodeDrained:
		// The nodes of a group in a zone are alike, unless an app asks for one by its name.
		gone = func(n Node) string { return n.Group + " " + n.Zone }
		if slices.ContainsFunc(in.Apps, func(a App) bool { return len(a.NodeSelector) > 0 }) {
			gone = func(n Node) string { return n.Name }
		}
	default:
		return [][]Node{nodes}
	}
	done := map[string]bool{}
	for _, n := range nodes {
		if done[gone(n)] {
			continue
		}
		done[gone(n)] = true
		if l == ZoneLost {
			all = append(all, slices.DeleteFunc(slices.Clone(nodes), func(other Node) bool { return other.Zone == n.Zone }))
		} else {
			all = append(all, slices.DeleteFunc(slices.Clone(nodes), func(other Node) bool { return other.Name == n.Name }))
		}
	}
	return all
}

// leftOut is what the outcome is for each app.
func (in Input) leftOut(p *problem, o outcome) (out []LeftOut) {
	apps := slices.Concat(in.System.Cluster, in.Apps)
	for i, a := range apps {
		one := LeftOut{App: a.Name}
		for b := range p.batches {
			if p.batches[b].app == i {
				one.Of += p.batches[b].count
				if o != nil {
					one.Pods += o[b]
				}
			}
		}
		if one.Pods > 0 {
			out = append(out, one)
		}
	}
	return out
}

// largest is the app of whose pods the fewest go on a node.
func (in Input) largest(nodes []Node) string {
	share := func(a App) (most float64) {
		limits := nodes[0].Allocatable.amounts(nodes[0].Pods)
		for d, r := range a.Requests.amounts(1) {
			if limits[d] > 0 {
				most = max(most, float64(r)/float64(limits[d]))
			}
		}
		return most
	}
	return slices.MaxFunc(in.Apps, func(a, b App) int { return cmp.Compare(share(a), share(b)) }).Name
}

// describe says what nodes there are.
func (in Input) describe(sizes []calendar.Size) string {
	var parts []string
	for i, g := range in.Groups {
		n := g.planned(sizes[i])
		if n == 0 {
			continue
		}
		text := fmt.Sprintf("%d %s nodes", n, g.types())
		if n == 1 {
			text = fmt.Sprintf("1 %s node", g.types())
		}
		if all := g.count(sizes[i]); n < all {
			text = fmt.Sprintf("%d of %d %s nodes", n, all, g.types())
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " and ")
}

func (g NodeGroup) types() string {
	var names []string
	for _, t := range g.Instances {
		names = append(names, t.Name)
	}
	return strings.Join(names, " or ")
}
