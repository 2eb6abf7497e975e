package review

import (
	"maps"
	"slices"
	"strings"
)

// kind is what happens to a resource, in a reviewer's words.
type kind string

const (
	created   kind = "created"
	updated   kind = "updated"
	replaced  kind = "replaced"
	deleted   kind = "deleted"
	forgotten kind = "left in the cloud, and forgotten by Pulumi"
	imported  kind = "imported"
	read      kind = "read"
	unchanged kind = "unchanged"
)

func kindOf(s Step) kind {
	switch s.Op {
	case "create":
		return created
	case "update":
		return updated
	case "replace", "create-replacement", "import-replacement":
		// What the stack only looked at belongs to another and stays, whether the stack takes it over, by its ID, or makes one of its own.
		switch {
		case s.Old == nil || !s.Old.External:
			return replaced
		case s.New != nil && s.New.ID != "":
			return imported
		}
		return created
	case "delete", "delete-replaced":
		if s.Old != nil && s.Old.Retain {
			return forgotten
		}
		return deleted
	case "import":
		return imported
	case "read", "refresh", "read-replacement", "discard", "discard-replaced":
		return read // what the stack only looks at
	}
	return unchanged
}

// change is what a step does to a resource of a provider.
type change struct {
	Step
	kind kind
	// causes are the inputs that force a replacement, or those that an update changes.
	causes []Difference
	// waits are resources whose values are known only when those are there.
	waits []URN
	// from are changed inputs of the component that it belongs to: what the program says.
	from []origin
	// means is what it does to users, empty where that is nothing that is known.
	means string
	// guard says why it is refused unless somebody names it; empty where it is not.
	guard string
	// allowed says that somebody did.
	allowed bool
	// moved is the resource that is made in its place, where it looks like the same one under another name.
	moved URN
}

// origin is a component with the inputs of it that differ.
type origin struct {
	urn    URN
	inputs []Difference
	// exact says that a value of the change is in each of them.
	exact bool
}

// plan is a preview's steps, put together.
type plan struct {
	*Preview
	changes []*change
	byURN   map[URN]Step
	// components that change inputs, and whether anything below them changes.
	origins map[URN]origin
	causing map[URN]bool
	// unprotected are resources whose protection is taken off.
	unprotected []URN
	counts      map[kind]int
	components  int
}

func (p *Preview) plan() *plan {
	out := &plan{Preview: p, byURN: map[URN]Step{}, origins: map[URN]origin{}, causing: map[URN]bool{}, counts: map[kind]int{}}
	for _, s := range p.Steps {
		if old, ok := out.byURN[s.URN]; !ok || old.New == nil {
			out.byURN[s.URN] = s
		}
		if !s.custom() && s.Op == "update" {
			if d := s.differences(); len(d) > 0 {
				out.origins[s.URN] = origin{urn: s.URN, inputs: d}
			}
		}
	}
	replacing := map[URN]bool{}
	for _, s := range p.Steps {
		switch k := kindOf(s); {
		case s.URN.Type() == stackType:
			continue
		case s.Old != nil && s.New != nil && s.Old.Protect && !s.New.Protect:
			out.unprotected = append(out.unprotected, s.URN)
			fallthrough
		default:
			if !s.custom() {
				out.components++
				// A protected component stands for what it holds.
				if k != deleted && k != replaced || s.Old == nil || !s.Old.Protect {
					continue
				}
			} else {
				out.counts[k]++
			}
			if k == unchanged || k == read {
				continue
			}
			replacing[s.URN] = replacing[s.URN] || k == replaced || k == created || k == deleted
			out.changes = append(out.changes, &change{Step: s, kind: k})
		}
	}
	for _, c := range out.changes {
		switch c.kind {
		case replaced:
			c.causes = c.Step.causes()
		case updated:
			if c.causes = c.differences(); len(c.causes) == 0 {
				for _, path := range slices.Sorted(maps.Keys(c.Detailed)) {
					c.causes = append(c.causes, c.against(path))
				}
			}
		}
		if c.kind == replaced || c.kind == updated {
			c.waits = c.waitsFor(replacing)
		}
		c.from = out.componentsOf(c)
	}
	return out
}

// waitsFor are the resources that change and that unknown inputs come from; of a replacement without a cause of its own, those that it
// depends on.
func (c *change) waitsFor(replacing map[URN]bool) []URN {
	if c.New == nil {
		return nil
	}
	found := map[URN]bool{}
	for _, d := range c.causes {
		if _, isUnknown := d.New.(unknown); !isUnknown && !strings.Contains(shown(d.New), shown(unknown{})) {
			continue
		}
		top, _, _ := strings.Cut(d.Path, ".")
		top, _, _ = strings.Cut(top, "[")
		for _, u := range c.New.PropertyDependencies[top] {
			found[u] = found[u] || replacing[u]
		}
	}
	if len(c.causes) == 0 && c.kind == replaced {
		for _, u := range c.New.Dependencies {
			found[u] = found[u] || replacing[u]
		}
	}
	var all []URN
	for _, u := range slices.Sorted(maps.Keys(found)) {
		if found[u] && u != c.URN {
			all = append(all, u)
		}
	}
	return all
}

// componentsOf are the changed inputs of the nearest component above a change that has any: those with a value of the change in them
// where there are such, else all.
func (p *plan) componentsOf(c *change) []origin {
	st := c.state()
	for depth := 0; st != nil && st.Parent != "" && depth < 100; depth++ {
		parent := st.Parent
		if o, ok := p.origins[parent]; ok {
			p.causing[parent] = true
			if c.kind == created {
				return nil
			}
			var exact []Difference
			for _, d := range o.inputs {
				if slices.ContainsFunc(c.causes, func(cause Difference) bool { return sameMove(cause, d) }) {
					exact = append(exact, d)
				}
			}
			switch {
			case len(exact) > 0:
				return []origin{{parent, exact, true}}
			case len(c.waits) > 0:
				return nil // it follows another resource, not the component's inputs
			case c.kind == deleted:
				o.inputs = losing(o.inputs)
			}
			return []origin{o}
		}
		st = p.byURN[parent].state()
	}
	return nil
}

// losing are the inputs that lose something, as what makes a resource go does; all where there is none.
func losing(inputs []Difference) []Difference {
	var lost []Difference
	for _, d := range inputs {
		if d.New == nil {
			lost = append(lost, d)
		}
	}
	if len(lost) == 0 {
		return inputs
	}
	return lost
}

// sameMove says whether two differences are from the same value to the same value.
func sameMove(a, b Difference) bool {
	return shown(a.Old) == shown(b.Old) && shown(a.New) == shown(b.New)
}

// typeName is the token of a type without what says the same twice: aws:eks/nodeGroup, not aws:eks/nodeGroup:NodeGroup.
func typeName(token string) string {
	if i := strings.LastIndex(token, ":"); i > 0 && strings.Contains(token[:i], "/") && strings.EqualFold(token[strings.LastIndex(token[:i], "/")+1:i], token[i+1:]) {
		return token[:i]
	}
	return token
}
