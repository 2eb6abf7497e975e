package edge

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/internal/check"
)

// firstAutomatic is the lowest number that a route without Priority gets. Everything below in this file decides numbers that
// are in users' stacks: a change moves every rule of every load balancer.
const firstAutomatic = 1001

// hostBands are the numbers set aside for one kind of host each, the most specific first.
var hostBands = []struct {
	is   func(pattern) bool
	size int
}{
	{func(p pattern) bool { return p.kind() == exact }, 16000},
	{func(p pattern) bool { return p.kind() == wildcard && strings.Count(string(p), ".") >= 4 }, 8000},
	{func(p pattern) bool { return p.kind() == wildcard && strings.Count(string(p), ".") == 3 }, 8000},
	{func(p pattern) bool { return p.kind() == wildcard }, 8000},
	{func(pattern) bool { return true }, 8000},
}

// pathLengths is how many lengths of path patterns are told apart; longer ones count as of this length.
const pathLengths = 40

// automatic is the number of a route without Priority: a function of the route alone, so that no other route can change it,
// and lower for what is more specific. A list counts as its least specific entry.
func (r Route) automatic() int {
	host, path := slices.MaxFunc(patterns(r.Hosts), pattern.compare), slices.MaxFunc(patterns(r.Paths), pattern.compare)
	first := firstAutomatic
	for _, band := range hostBands {
		if !band.is(host) {
			first += band.size
			continue
		}
		// A quarter is for exact paths, half for patterns, a quarter for any path.
		quarter, length := band.size/4, 2*band.size/4/pathLengths
		switch path.kind() {
		case exact:
			return first + r.slot(quarter)
		case wildcard:
			return first + quarter + (pathLengths-min(path.shortest(), pathLengths))*length + r.slot(length)
		}
		return first + 3*quarter + r.slot(quarter)
	}
	panic("the last band is for every host")
}

// slot spreads routes over n places by their names. The first quarter is for those that ask for more than a host and a path.
func (r Route) slot(n int) int {
	h := fnv.New32a()
	h.Write([]byte(r.Name))
	if r.conditional() {
		return int(h.Sum32() % uint32(n/4))
	}
	return n/4 + int(h.Sum32()%uint32(n-n/4))
}

// priority is the number of the route's rule.
func (r Route) priority() int {
	if r.Priority != 0 {
		return r.Priority
	}
	return r.automatic()
}

// checkOrder finds the pairs of routes between which a request would be decided by chance, or one of which never gets a request.
func checkOrder(p *check.Problems, routes []Route) {
	for j, later := range routes {
		for i, earlier := range routes[:j] {
			if problem := between(earlier, later, fmt.Sprintf("routes[%d] (%s)", i, earlier.Name)); problem != "" {
				p.Addf(fmt.Sprintf("routes[%d]", j), "(%s) %s", later.Name, problem)
			}
		}
	}
}

// between is what is wrong with a and b together, said of b; aPath is how to call a.
func between(a, b Route, aPath string) string {
	undecided := ""
	for _, x := range a.matches() {
		for _, y := range b.matches() {
			switch {
			case !x.host.overlaps(y.host) || !x.path.overlaps(y.path) || !a.furtherOverlaps(b):
				continue
			case x == y:
				return fmt.Sprintf("matches the same as %s: %s", aPath, x)
			case a.Priority != 0 || b.Priority != 0:
				continue
			}
			if c := x.compare(y); c == 0 {
				undecided = fmt.Sprintf("and %s match some requests both (%s; %s), and neither is more specific: set priority on one of them", aPath, x, y)
			} else if d := cmp.Compare(a.priority(), b.priority()); d != 0 && c != d {
				undecided = fmt.Sprintf("and %s match some requests both (%s; %s), and would be asked in the wrong order: set priority on one of them, or split its lists into two routes", aPath, x, y)
			}
		}
	}
	if undecided != "" {
		return undecided
	}
	switch {
	case a.priority() < b.priority() && a.hides(b):
		return fmt.Sprintf("never gets a request: %s has priority %d and takes all of them first%s", aPath, a.priority(), a.instead())
	case a.priority() > b.priority() && b.hides(a):
		return fmt.Sprintf("has priority %d and takes every request of %s first, which never gets one%s", b.priority(), aPath, b.instead())
	case a.priority() != b.priority():
		return ""
	}
	if a.Priority != 0 && b.Priority != 0 {
		return fmt.Sprintf("has priority %d, the same as %s", b.Priority, aPath)
	}
	return fmt.Sprintf("and %s both come to priority %d: set another priority on one of them, 1 to 1000 to come first, 49001 to 50000 to come last", aPath, b.priority())
}

// instead is the way of a route that was meant to hide others for a while.
func (r Route) instead() string {
	if r.FixedResponse == nil {
		return ""
	}
	return "; for an answer instead of all routes there is maintenance"
}

// hides tells whether r surely takes every request that o would take. Conditions beyond host and path are the same or none of r.
func (r Route) hides(o Route) bool {
	if r.conditional() && r.further() != o.further() {
		return false
	}
	return !slices.ContainsFunc(o.matches(), func(y match) bool {
		return !slices.ContainsFunc(r.matches(), func(x match) bool { return x.host.contains(y.host) && x.path.contains(y.path) })
	})
}

// match is one combination of a host and a path that a route takes, and what else it asks for, in words.
type match struct {
	host, path pattern
	further    string
}

func (r Route) matches() (all []match) {
	for _, h := range patterns(r.Hosts) {
		for _, p := range patterns(r.Paths) {
			all = append(all, match{h, p, r.further()})
		}
	}
	return all
}

func (m match) compare(n match) int {
	return cmp.Or(m.host.compare(n.host), m.path.compare(n.path), m.compareFurther(n))
}

// compareFurther is negative where m alone asks for more. Of two that both do, neither is more specific.
func (m match) compareFurther(n match) int {
	switch {
	case m.further != "" && n.further == "":
		return -1
	case m.further == "" && n.further != "":
		return 1
	}
	return 0
}

func (m match) String() string {
	host, path := "host "+string(m.host), "path "+string(m.path)
	if m.host == anything {
		host = "any host"
	}
	if m.path == anything {
		path = "any path"
	}
	if m.further != "" {
		return host + ", " + path + ", " + m.further
	}
	return host + ", " + path
}
