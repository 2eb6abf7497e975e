package haproxy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/internal/check"
)

// checkRoutes fills in the defaults of the routes and checks them.
func (c *Config) checkRoutes(p *check.Problems) {
	p.Required("routes", len(c.Routes) > 0, "one route without hosts and paths, which takes everything")
	if n := len(c.Routes); n > maxRoutes {
		p.Addf("routes", "has %d entries, must have at most %d", n, maxRoutes)
	}
	c.Routes = slices.Clone(c.Routes)
	first := map[string]int{}
	for i := range c.Routes {
		r := &c.Routes[i]
		at := p.At("routes[%d]", i)
		r.OldState, r.NewState = cmp.Or(r.OldState, Ready), cmp.Or(r.NewState, Ready)
		r.check(at, c)
		if j, dup := first[r.Name]; dup {
			at.Addf("name", "is %q, the same as %s", r.Name, p.Path(fmt.Sprintf("routes[%d].name", j)))
			continue
		}
		first[r.Name] = i
		if j := slices.IndexFunc(c.Routes[:i], func(before Route) bool { return before.hides(*r) }); j >= 0 {
			at.Addf("", "(%s) is never reached: %s (%s) comes before and takes all of it", r.Name, p.Path(fmt.Sprintf("routes[%d]", j)), c.Routes[j].Name)
		}
	}
}

func (r *Route) check(p *check.Problems, c *Config) {
	p.Match("name", r.Name, routeName, "at most 32 lower-case letters, digits and hyphens, the first one a letter, the last one no hyphen")
	checkNumber(p, "hosts", len(r.Hosts))
	for i, h := range r.Hosts {
		path := fmt.Sprintf("hosts[%d]", i)
		p.Match(path, h, routeHost, `a name in lower case, like "www.example.com" or "*.example.com"`)
		checkLength(p, path, h, maxName)
	}
	p.Unique("hosts", r.Hosts)
	checkNumber(p, "paths", len(r.Paths))
	for i, s := range r.Paths {
		checkPath(p, fmt.Sprintf("paths[%d]", i), s, routePath, pathCharacters+` between slashes, like "/api"; it takes everything below it too`)
	}
	p.Unique("paths", r.Paths)
	for _, side := range []struct {
		name   string
		weight int
		state  State
		exists bool
	}{{"old", r.OldWeight, r.OldState, c.Old != nil}, {"new", r.NewWeight, r.NewState, c.New != nil}} {
		p.Between(side.name+"Weight", side.weight, 0, 100)
		p.OneOf(side.name+"State", string(side.state), string(Ready), string(Drain), string(Maint))
		if !side.exists && side.weight != 0 {
			p.Addf(side.name+"Weight", "is %d, must be 0: there is no %s system", side.weight, side.name)
		}
	}
	if r.OldWeight == 0 && r.NewWeight == 0 {
		p.Required("newWeight", false, "100: one side must take new sessions")
		return
	}
	if r.OldState.share(r.OldWeight) <= 0 && r.NewState.share(r.NewWeight) <= 0 {
		p.Addf("", "(%s) has oldState %q with oldWeight %d and newState %q with newWeight %d, one side must take new sessions",
			r.Name, r.OldState, r.OldWeight, r.NewState, r.NewWeight)
	}
}

// share is what a side with weight w takes of the new sessions.
func (s State) share(w int) int {
	if s != Ready {
		return 0
	}
	return w
}

// hides tells whether r, which is asked first, takes every request that other would take.
func (r Route) hides(other Route) bool {
	return covers(r.Hosts, other.Hosts, "*", func(of, h string) bool {
		suffix, wild := strings.CutPrefix(of, "*")
		return wild && strings.HasSuffix(strings.TrimPrefix(h, "*"), suffix)
	}) && covers(r.Paths, other.Paths, "/", func(of, s string) bool {
		return of == "/" || strings.HasPrefix(s, of+"/")
	})
}

// covers tells whether each of other is one of all or below one; an empty list is everything.
func covers(all, other []string, everything string, below func(of, s string) bool) bool {
	if len(all) == 0 {
		return true
	}
	if len(other) == 0 {
		other = []string{everything}
	}
	return !slices.ContainsFunc(other, func(s string) bool {
		return !slices.ContainsFunc(all, func(of string) bool { return of == s || below(of, s) })
	})
}
