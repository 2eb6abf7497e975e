package review

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Exit codes of a review.
const (
	Fine    = 0 // nothing stands in the way
	Failed  = 1 // the preview could not be read, or failed
	Usage   = 2 // the call is wrong, such as an allowance that allows nothing, or a guard of what is no type
	Refused = 3 // something guarded would be replaced or deleted, and nobody has named it
)

// CommentLimit is how many bytes a comment may have. GitHub says 65,536 characters; bytes are never fewer.
// https://github.com/orgs/community/discussions/27190
const CommentLimit = 65000

// Options of a review; the zero value is one that allows nothing.
type Options struct {
	// Allow names resources that may be replaced or deleted though they are guarded, each by its name, by its URN, or, where neither fits a label,
	// by what a review proposes ("urn-" and 12 digits of the URN's SHA-256); exactly.
	Allow []string
	// Guard has further types that are guarded, such as "aws:s3/bucketV2:BucketV2"; a * at the end stands for any rest. One of another form is
	// wrong usage; one of a type that no provider has guards nothing.
	Guard []string
	// Stack names the stack, as PROJECT/STACK, where the input does not: an output that breaks off early, or a failure. Then a comment that
	// an earlier review has written is found all the same.
	Stack string
	// Week says in Markdown whether the pods fit the nodes over the week, and what the calendar changes; default nothing.
	Week func(*Preview) string
	// NodeHours counts the hours of nodes under a schedule; default as many as without it.
	NodeHours NodeHours
	// Limit is how many bytes Markdown may have; default CommentLimit.
	Limit int
	// FullAt says where the whole text is when Markdown has to be shortened, such as the URL of an artifact.
	FullAt string
}

// Report is what a review found.
type Report struct {
	// Marker is the first line of both texts, by which the comment is found again.
	Marker string
	// Markdown fits a comment, Full has everything.
	Markdown, Full string
	// Code is the exit code.
	Code int
	// Problems are a line each on what leads to the code, for a terminal.
	Problems []string
}

// Review judges a preview.
func Review(p *Preview, o Options) Report {
	project, stack := p.names(o.Stack)
	if p.Broken == "" && !p.Failed && len(p.Steps) == 0 {
		p.Broken = "the input has no steps: a whole preview has at least that of its stack"
	}
	plan := p.plan()
	plan.mean()
	plan.rename()
	wrong := plan.guard(o.Guard, o.Allow)
	unguarding := noTypes(o.Guard)
	var refused []*change
	for _, c := range plan.changes {
		if c.guard != "" && !c.allowed {
			refused = append(refused, c)
		}
	}
	r := Report{Marker: marker("review", project, stack)}
	hide := plan.hide()
	switch {
	case p.Broken != "":
		r.Code, r.Problems = Failed, append(r.Problems, p.Broken)
	case p.Failed:
		r.Code, r.Problems = Failed, append(r.Problems, "the preview failed")
	}
	for _, u := range unguarding {
		r.Code, r.Problems = cmp.Or(r.Code, Usage), append(r.Problems, "guard "+u)
	}
	for _, w := range wrong {
		r.Code, r.Problems = cmp.Or(r.Code, Usage), append(r.Problems, "allow "+hide(w))
	}
	for _, c := range refused {
		r.Code, r.Problems = cmp.Or(r.Code, Refused), append(r.Problems, hide(string(c.kind)+": "+c.URN.Name()+" ("+typeName(c.URN.Type())+"), "+c.guard))
	}
	for i := range r.Problems {
		r.Problems[i] = visible(r.Problems[i]) // a line of a log each, whatever is in it
	}
	w := writer{plan: plan, options: o, hide: hide, stack: strings.TrimPrefix(project+"/"+stack, "/"), marker: r.Marker, wrong: wrong, unguarding: unguarding, values: 120, causes: 8, mark: code}
	limit := cmp.Or(o.Limit, CommentLimit)
	r.Markdown = w.write(limit)
	w.values, w.causes = 10000, 1000
	r.Full = w.write(0)
	return r
}

// names are those of the project and the stack: the input's, or those of a PROJECT/STACK where it has none.
func (p *Preview) names(given string) (project, stack string) {
	if p.Stack != "" || given == "" {
		return p.Project, p.Stack
	}
	project, stack, _ = strings.Cut(given, "/")
	if stack == "" {
		project, stack = "", project
	}
	return project, stack
}

// hide takes values out of a text that one state has in the clear where the other has a secret.
func (p *Preview) hide() func(string) string {
	var plainTexts []string
	var walk func(a, b any)
	walk = func(a, b any) {
		if _, secret := a.(hidden); secret {
			if s, ok := b.(string); ok && utf8.RuneCountInString(s) >= 4 {
				plainTexts = append(plainTexts, s)
			}
			return
		}
		switch a := a.(type) {
		case map[string]any:
			b, _ := b.(map[string]any)
			for k := range a {
				walk(a[k], b[k])
			}
		case []any:
			b, _ := b.([]any)
			for i := range min(len(a), len(b)) {
				walk(a[i], b[i])
			}
		}
	}
	for _, s := range p.Steps {
		var sides []map[string]any
		for _, st := range []*State{s.Old, s.New} {
			if st != nil {
				sides = append(sides, st.Inputs, st.Outputs)
			}
		}
		for i := range sides {
			for j := range sides {
				if i != j {
					walk(sides[i], sides[j])
				}
			}
		}
	}
	if len(plainTexts) == 0 {
		return func(s string) string { return s }
	}
	// Longest first, so that what is left of one is not a part of another; in a fixed order.
	slices.SortFunc(plainTexts, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	var all []string
	for _, s := range slices.Compact(plainTexts) {
		all = append(all, s, hiddenText)
	}
	return strings.NewReplacer(all...).Replace
}
