// Package check collects every problem with a component's arguments before any resource is registered,
// so that a user fixes one list instead of one item a run.
package check

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	perrors "github.com/pulumi/pulumi/sdk/v3/go/pulumi/errors"
)

// Problems is what is wrong with one component's arguments, in the order of the checks.
type Problems struct {
	prefix string
	found  *[]perrors.InputPropertyErrorDetails
}

// At is the same list of problems with every path below path: At("nodeGroups[0]").Addf("min", …) says "nodeGroups[0].min".
func (p *Problems) At(format string, a ...any) *Problems {
	return &Problems{prefix: p.Path(fmt.Sprintf(format, a...)), found: p.list()}
}

// Addf records that the argument at path is wrong: say what was given, then what is allowed, then why where that surprises.
func (p *Problems) Addf(path, format string, a ...any) {
	l := p.list()
	*l = append(*l, perrors.InputPropertyErrorDetails{PropertyPath: p.Path(path), Reason: fmt.Sprintf(format, a...)})
}

// Required records a problem if the argument at path is not given.
func (p *Problems) Required(path string, given bool, example string) {
	if !given {
		p.Addf(path, "is required, for example %s", example)
	}
}

// Between records a problem if got is outside lo to hi.
func (p *Problems) Between(path string, got, lo, hi int) {
	if got < lo || got > hi {
		p.Addf(path, "is %d, must be %d to %d", got, lo, hi)
	}
}

// OneOf records a problem if got is none of allowed.
func (p *Problems) OneOf(path, got string, allowed ...string) {
	if !slices.Contains(allowed, got) {
		p.Addf(path, "is %q, must be one of %s", got, strings.Join(quoted(allowed), ", "))
	}
}

// Match records a problem if got does not match want; says tells in words what is allowed.
func (p *Problems) Match(path, got string, want *regexp.Regexp, says string) {
	if !want.MatchString(got) {
		p.Addf(path, "is %q, must be %s", got, says)
	}
}

var codes = regexp.MustCompile(`^[2-4][0-9][0-9](-[2-4][0-9][0-9])?(,[2-4][0-9][0-9](-[2-4][0-9][0-9])?)*$`)

// Codes records a problem if got is not what a load balancer's health check can take for healthy: codes, and ranges of them.
func (p *Problems) Codes(path, got string) {
	p.Match(path, got, codes, `codes of 200 to 499, like "200", "200,204" or "200-399"`)
	if !codes.MatchString(got) {
		return
	}
	for _, r := range strings.Split(got, ",") {
		// All codes have three digits.
		if from, to, is := strings.Cut(r, "-"); is && from > to {
			p.Addf(path, "is %q, must have ranges from the lower code to the higher, like %q", got, to+"-"+from)
			return
		}
	}
}

// Unique records a problem for each value that stands in got more than once; path names the list.
func (p *Problems) Unique(path string, got []string) {
	first := map[string]int{}
	for i, v := range got {
		if j, dup := first[v]; dup {
			p.Addf(fmt.Sprintf("%s[%d]", path, i), "is %q, the same as %s[%d]", v, p.Path(path), j)
			continue
		}
		first[v] = i
	}
}

// None tells whether nothing is wrong so far.
func (p *Problems) None() bool { return p.found == nil || len(*p.found) == 0 }

// Len is how many problems there are so far.
func (p *Problems) Len() int { return len(*p.list()) }

// Err is nil if there are no problems, else one error that lists them all.
func (p *Problems) Err(typ, name string) error {
	if p.None() {
		return nil
	}
	return &invalid{typ: typ, name: name, problems: *p.found}
}

func (p *Problems) list() *[]perrors.InputPropertyErrorDetails {
	if p.found == nil {
		p.found = new([]perrors.InputPropertyErrorDetails)
	}
	return p.found
}

// Path is path as the user wrote it, below where p is At.
func (p *Problems) Path(path string) string {
	switch {
	case p.prefix == "":
		return path
	case path == "":
		return p.prefix
	case strings.HasPrefix(path, "["):
		return p.prefix + path
	}
	return p.prefix + "." + path
}

func quoted(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = strconv.Quote(s)
	}
	return out
}

type invalid struct {
	typ, name string
	problems  []perrors.InputPropertyErrorDetails
}

// Error lists one problem a line; InputPropertiesError's own Error runs them together.
func (e *invalid) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q has %d invalid argument(s):", e.typ, e.name, len(e.problems))
	for _, d := range e.problems {
		fmt.Fprintf(&b, "\n  %s %s", d.PropertyPath, d.Reason)
	}
	return b.String()
}

// Unwrap lets a plugin host report each path to callers in other languages.
func (e *invalid) Unwrap() error {
	return perrors.NewInputPropertiesError(fmt.Sprintf("%s %q", e.typ, e.name), e.problems...)
}

// All is every problem of several components in one error; nil if there is none.
func All(errs ...error) error {
	var found []string
	for _, err := range errs {
		if err != nil {
			found = append(found, err.Error())
		}
	}
	if len(found) == 0 {
		return nil
	}
	return errors.New(strings.Join(found, "\n"))
}

// Before is err without the problems that something at one of paths is required: for a check that comes before the values
// which flow in from other resources are there. In a path, [] stands for any index.
func Before(err error, paths ...string) error {
	var e *invalid
	if !errors.As(err, &e) {
		return err
	}
	rest := slices.DeleteFunc(slices.Clone(e.problems), func(d perrors.InputPropertyErrorDetails) bool {
		return strings.HasPrefix(d.Reason, "is required") && slices.Contains(paths, index.ReplaceAllString(d.PropertyPath, "[]"))
	})
	if len(rest) == 0 {
		return nil
	}
	return &invalid{typ: e.typ, name: e.name, problems: rest}
}

var index = regexp.MustCompile(`\[\d+\]`)
