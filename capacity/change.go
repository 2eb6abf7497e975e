package capacity

import (
	"fmt"
	"slices"

	"github.com/slipway-iac/slipway/calendar"
)

const (
	// moreNodes is how many are tried beyond twice those that there are.
	moreNodes = 16
	// searched is how many numbers of nodes are tried where rules are in the way of a proof, which then takes a search for each.
	searched = 6
)

// change is the smallest one that makes the verdict on a load Certain, in words: more nodes of a group, or else larger ones; empty
// if neither does.
func (in Input) change(l Load, sizes []calendar.Size) string {
	// The group that follows the weeks first: it is the one that somebody made small.
	order := make([]int, 0, len(in.Groups))
	for i, g := range in.Groups {
		switch {
		case g.KeepsOff:
		case g.Owner == OwnerSchedule:
			order = slices.Insert(order, 0, i)
		default:
			order = append(order, i)
		}
	}
	for _, i := range order {
		if n, ok := in.moreNodes(l, sizes, i); ok {
			text := fmt.Sprintf("%d nodes", n)
			if len(in.Groups) > 1 {
				text += " in group " + in.Groups[i].Name
			}
			if n > sizes[i].Max && in.Groups[i].Owner != OwnerAutoscaler {
				text += fmt.Sprintf(" (the maximum is %d)", sizes[i].Max)
			}
			return text
		}
	}
	for _, i := range order {
		if len(in.Groups[i].Instances) != 1 {
			continue
		}
		for _, t := range in.Groups[i].Instances[0].larger() {
			other := in
			other.Groups = slices.Clone(in.Groups)
			other.Groups[i].Instances = []Instance{t}
			if other.proven(l, sizes) {
				text := fmt.Sprintf("as many %s nodes", t.Name)
				if len(in.Groups) > 1 {
					text += " in group " + in.Groups[i].Name
				}
				return text
			}
		}
	}
	return ""
}

// moreNodes is the fewest nodes of the group that make the verdict Certain.
func (in Input) moreNodes(l Load, sizes []calendar.Size, group int) (int, bool) {
	now := in.Groups[group].planned(sizes[group])
	with := func(n int) []calendar.Size {
		more := slices.Clone(sizes)
		more[group] = calendar.Size{Min: more[group].Min, Desired: n, Max: n}
		return more
	}
	certain := func(n int) bool {
		v, _ := in.try(l, with(n))
		return v == Certain
	}
	most := min(2*now+moreNodes, mostNodes)
	for n := now + 1; n <= most; n++ {
		if !in.proven(l, with(n)) {
			continue
		}
		for n > now+1 && certain(n-1) {
			n--
		}
		return n, true
	}
	if !in.usual(l, with(most)) {
		return 0, false // whatever is in the way, it is not too few nodes
	}
	for n := now + 1; n <= min(now+searched, most); n++ {
		if in.usual(l, with(n)) && certain(n) {
			return n, true
		}
	}
	return 0, false
}

// proven is certain where that needs no search.
func (in Input) proven(l Load, sizes []calendar.Size) bool {
	for _, nodes := range in.left(l, in.nodes(sizes)) {
		if !pose(nodes, *in.System, in.Apps, in.load(l, sizes)).certain() {
			return false
		}
	}
	return true
}

// usual is whether the pods find room when they come as they are listed.
func (in Input) usual(l Load, sizes []calendar.Size) bool {
	for _, nodes := range in.left(l, in.nodes(sizes)) {
		p := pose(nodes, *in.System, in.Apps, in.load(l, sizes))
		if all, _ := p.outcomes(p.inTurn(p.listed()), 1); len(all) > 0 && all[0].total() > 0 {
			return false
		}
	}
	return true
}
