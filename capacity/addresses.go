package capacity

import (
	"fmt"

	"github.com/slipway-iac/slipway/calendar"
)

// addresses are the groups whose nodes, as many as there may be and full of pods, would take more addresses than their subnets have, in
// words. What else is in a subnet is not known, nor in how many pieces its free addresses are: with prefix delegation a block of
// sixteen has to be free in one piece. Nor are nodes that come beside the others while a group is updated or replaced counted.
func (in Input) addresses() (all []string) {
	for _, g := range in.Groups {
		nodes := g.Size.Max
		if g.Owner == OwnerSchedule {
			nodes = most(in.Weeks)
		}
		inZone := up(nodes, len(g.Zones))
		each, kind := 0, ""
		_, pods := g.least()
		for _, t := range g.Instances {
			if n := t.Addresses(pods, g.PrefixDelegation); n > each {
				each, kind = n, t.Name
			}
		}
		if g.SubnetAddresses == 0 || inZone*each <= g.SubnetAddresses {
			continue
		}
		of := ""
		if len(in.Groups) > 1 {
			of = " of group " + g.Name
		}
		all = append(all, fmt.Sprintf("at its maximum a subnet%s has %d %s nodes, which take %d addresses when full of pods, %d each, and it has %d: then pods wait for one. "+
			"Larger subnets, or fewer nodes or pods, would help", of, inZone, kind, inZone*each, each, g.SubnetAddresses))
	}
	return all
}

// most nodes that there may be in any of the weeks.
func most(weeks []calendar.Week) (n int) {
	for _, w := range weeks {
		for _, i := range w.Intervals {
			n = max(n, i.Size.Max)
		}
	}
	return n
}
