package capacity

import "github.com/slipway-iac/slipway/calendar"

// Scene is pods that have to find room on nodes: what a verdict is about, laid open for a comparison with a real scheduler.
type Scene struct {
	// Nodes with labels and what they have.
	Nodes []Node
	// PerNode are the pods that run on every node.
	PerNode []Pod
	// Batches of pods, the system's first.
	Batches []Batch

	p *problem
}

// Batch is pods of one app.
type Batch struct {
	App App
	// Pods is how many.
	Pods int
	// Release tells the pods that come more in a release: they are of a new version, and spread by themselves.
	Release bool
}

// Scenes are what a load means when the scheduled group has that size: one scene, or one for each zone or node that may be lost.
func (in Input) Scenes(l Load, scheduled calendar.Size) ([]Scene, error) {
	in, err := in.checked()
	if err != nil {
		return nil, err
	}
	var all []Scene
	sizes := in.sizes(scheduled)
	for _, nodes := range in.left(l, in.nodes(sizes)) {
		p := pose(nodes, *in.System, in.Apps, in.load(l, sizes))
		s := Scene{Nodes: nodes, PerNode: in.System.PerNode, p: p}
		seen := map[int]bool{}
		for _, b := range p.batches {
			s.Batches = append(s.Batches, Batch{App: in.app(b.app), Pods: b.count, Release: seen[b.app]})
			seen[b.app] = true
		}
		all = append(all, s)
	}
	return all, nil
}

func (in Input) app(i int) App {
	if n := len(in.System.Cluster); i >= n {
		return in.Apps[i-n]
	}
	return in.System.Cluster[i]
}

// Judge gives the verdict, and the pods of each batch that are left out in the worst case that was met; nil without one.
func (s Scene) Judge() (Verdict, []int) { return s.p.judge() }

// Outcomes are how many pods of each batch may end without a node when pods arrive in order, a batch's index for each: one outcome,
// or several where it depends on how the scheduler breaks ties. complete is false where there may be more than are listed.
func (s Scene) Outcomes(order []int) (all [][]int, complete bool) {
	ends, complete := s.p.outcomes(order, 100*tieBudget)
	for _, o := range ends {
		all = append(all, o)
	}
	return all, complete
}
