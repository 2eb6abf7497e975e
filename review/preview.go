// Package review turns what `pulumi preview --json` prints into what a reviewer of a pull request has to know: what is replaced or
// deleted, why and what that does to users, what is released, and what it costs.
package review

import (
	"slices"
	"strings"
)

// Preview is what a Pulumi program is about to do to a stack.
type Preview struct {
	// Project and Stack name the stack; empty where the input does not say.
	Project, Stack string
	// Config has the stack's configuration, with secrets as "[secret]".
	Config map[string]string
	// Steps has at most one step for each state of a resource, in the order of their URNs.
	Steps []Step
	// Diagnostics are the errors and warnings, in the order in which they were said.
	Diagnostics []Diagnostic
	// Failed says that the preview ended with an error, so that Steps are only those that came before.
	Failed bool
	// Broken says what is wrong with the input where it is not a whole preview; empty where it is.
	Broken string
	// Partial says that something is replaced, and the steps that carry that out are not there, as without --show-replacement-steps: then
	// what is deleted together with it, and not made again, is not there either.
	Partial bool
	// Whole says that Steps hold what does not change too, as with --show-sames.
	Whole bool
	// results are what a stream says of steps once they were carried out, summary how many steps there were of which operation.
	results []Step
	summary map[string]int
}

// Diagnostic is what the engine, a provider or the program has said.
type Diagnostic struct {
	URN      URN
	Message  string
	Severity string
}

// Step is what happens to one resource.
type Step struct {
	// Op is the engine's word for it: same, create, update, replace, delete, read, import and others.
	Op  string
	URN URN
	// Old is the resource as it is, New as it will be; nil where there is none.
	Old, New *State
	// Reasons are the paths that force a replacement, Detailed the kind of change by the path; either may be empty.
	Reasons  []string
	Detailed map[string]string
}

// State is a resource with values as clean makes them.
type State struct {
	ID                               string
	Custom, Protect, Retain, Pending bool
	// External says that the stack only reads the resource, which belongs to another.
	External             bool
	Parent               URN
	Inputs, Outputs      map[string]any
	Dependencies         []URN
	PropertyDependencies map[string][]URN
	secretOutputs        []string
	// ignored are the paths whose changes the stack ignores; a stream does not have them.
	ignored []string
}

// URN names a resource: urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME.
type URN string

func (u URN) part(i int) string {
	if parts := strings.SplitN(strings.TrimPrefix(string(u), "urn:pulumi:"), "::", 4); i < len(parts) {
		return parts[i]
	}
	return ""
}

// Stack is the stack's name.
func (u URN) Stack() string { return u.part(0) }

// Project is the project's name.
func (u URN) Project() string { return u.part(1) }

// Type is the resource's type token, without those of its parents.
func (u URN) Type() string { t := u.part(2); return t[strings.LastIndex(t, "$")+1:] }

// Name is the resource's name in the program.
func (u URN) Name() string { return u.part(3) }

const stackType = "pulumi:pulumi:Stack"

// state is the resource as it will be, or as it was.
func (s Step) state() *State {
	if s.New != nil {
		return s.New
	}
	return s.Old
}

// custom says whether the resource is one of a provider, not a component that groups others. The CLI leaves states out that it cannot
// write: such a resource is taken for one that matters.
func (s Step) custom() bool { st := s.state(); return st == nil || st.Custom }

// finish brings the steps into order, one for each state of a resource, and fills in what follows from them.
func (p *Preview) finish(sames int) {
	var steps []Step
	logical, made := map[URN]bool{}, map[URN]bool{}
	for _, s := range p.Steps {
		switch s.Op {
		case "replace":
			logical[s.URN] = true
		case "create-replacement", "import-replacement", "read-replacement":
			made[s.URN] = true
		}
	}
	for _, s := range p.Steps {
		// A replacement is one step, and with --show-replacement-steps two more that carry it out.
		if logical[s.URN] && (s.Op == "create-replacement" || s.Op == "import-replacement" || s.Op == "delete-replaced") || made[s.URN] && s.Op == "delete-replaced" {
			continue
		}
		steps = append(steps, s)
	}
	p.Partial = len(logical) > 0 && len(made) == 0
	slices.SortStableFunc(steps, func(a, b Step) int {
		return strings.Compare(string(a.URN)+"\x00"+a.Op, string(b.URN)+"\x00"+b.Op)
	})
	p.Steps = steps
	seen := 0
	for _, s := range p.Steps {
		if p.Stack == "" {
			p.Stack, p.Project = s.URN.Stack(), s.URN.Project()
		}
		if s.Op == "same" {
			seen++
		}
	}
	p.Whole = seen >= sames && !p.Failed && p.Broken == ""
	for _, d := range p.Diagnostics {
		p.Failed = p.Failed || d.Severity == "error"
	}
	if p.Failed {
		p.Whole = false
	}
}
