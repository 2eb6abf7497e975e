package review

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Drifted is the exit code where something in the cloud is not as the stack left it.
const Drifted = 3

// DriftOptions say how a refresh is reported.
type DriftOptions struct {
	// Stack names the stack, as PROJECT/STACK, where the input does not: one that ends before its first resource.
	Stack string
	// Log is what the Pulumi CLI said on its standard error: one that ends before it looks at anything says why only there.
	Log string
	// Limit is how many bytes the text for an issue may have; default CommentLimit.
	Limit int
	// FullAt says where the whole text is when that for an issue has to be shortened, such as the URL of an artifact.
	FullAt string
}

// DriftReport is what a refresh found.
type DriftReport struct {
	// Marker is the first line of Issue, by which the issue is found again; Title is the issue's.
	Marker, Title string
	// Text is for a terminal, Markdown for those who read the run. Issue is Markdown without what differs from run to run though nothing
	// drifted, and no longer than the limit.
	Text, Markdown, Issue string
	// Code is the exit code: Fine, Failed or Drifted.
	Code int
	// Problems are a line each on why it is not known whether anything drifted.
	Problems []string

	finds   []*stray
	unnamed int
	code    func(string) string
}

// stray is a resource that is not as the stack left it.
type stray struct {
	Step
	gone bool
	// values is what the stack has set, and what was found; left is what differs too, and stays as it is.
	values, left []Difference
	// anew says that it cannot be changed back, only replaced.
	anew bool
	// writers are who wrote what was found in an object of Kubernetes, the last one first.
	writers []written
}

// refresh is what a look at the cloud has found.
type refresh struct {
	*Preview
	// finds are those that are gone, then those that were changed, each in the order of their URNs; left are those in which only that
	// differs which the stack does not set back.
	finds, left []*stray
	// looked is how many resources were looked at, unnamed how many of them differ without being named, silent of how many a stream does
	// not say what came of them.
	looked, unnamed, silent int
	log                     string
}

// Drift reports what `pulumi refresh --preview-only --json` has found.
func Drift(p *Preview, o DriftOptions) DriftReport {
	f := p.refresh()
	f.log = strings.TrimSpace(uncolored(o.Log))
	project, stack := p.names(o.Stack)
	title := cmp.Or(strings.TrimPrefix(project+"/"+stack, "/"), "unknown stack")
	r := DriftReport{Marker: marker("drift", project, stack), Title: "Drift: " + visible(title), finds: f.finds, unnamed: f.unnamed}
	hide := f.hide()
	switch problem := f.problem(); {
	case problem != "":
		r.Code, r.Problems = Failed, []string{visible(hide(problem))}
	case len(f.finds) > 0 || f.unnamed > 0:
		r.Code = Drifted
	}
	w := driftWriter{refresh: f, title: title, writer: writer{plan: &plan{Preview: f.Preview}, hide: hide, mark: code, values: 120, causes: 20}}
	r.code = func(s string) string { return code(short(hide(s), 120)) }
	full := "run `slipway drift` with `--markdown FILE`"
	if o.FullAt != "" {
		full = w.place(o.FullAt)
	}
	r.Issue = r.Marker + "\n" + r.fingerprint() + "\n" + fit(w.head(), w.sections(false), cmp.Or(o.Limit, CommentLimit)-len(r.Marker)-len(r.fingerprint())-2, full)
	w.values, w.causes = 10000, 1000
	r.Markdown = fit(w.head(), w.sections(true), 0, full)
	w.values, w.causes, w.mark = 300, 40, visible
	r.Text = w.text()
	return r
}

// refresh puts the steps of a refresh together.
func (p *Preview) refresh() *refresh {
	f := &refresh{Preview: p}
	named := 0
	for _, s := range p.refreshed() {
		switch s.Op {
		case "update", "delete":
			named++
		case "refresh":
			f.silent++
		}
		if !s.custom() || s.Old == nil || strings.HasPrefix(s.URN.Type(), "pulumi:") {
			continue
		}
		f.looked++
		if s.Old.External || s.Old.Pending {
			continue // another's, which the stack only looks at; or on its way out
		}
		if s.Op == "delete" && s.over(time.Now()) {
			continue
		}
		d := &stray{Step: s, gone: s.Op == "delete"}
		if !d.gone && s.New != nil {
			d.compare()
		}
		switch {
		case d.gone || s.Op == "update" && (len(d.values) > 0 || len(d.left) == 0):
			f.finds = append(f.finds, d)
		case len(d.left) > 0:
			f.left = append(f.left, d)
		}
	}
	slices.SortStableFunc(f.finds, func(a, b *stray) int {
		if a.gone == b.gone {
			return 0
		}
		if a.gone {
			return -1
		}
		return 1
	})
	// A document names no resource whose provider does not say which properties differ, but it counts it.
	f.unnamed = max(0, p.summary["update"]+p.summary["delete"]-named)
	if len(p.results) == 0 {
		f.silent = 0 // a document says nothing of those in which nothing differs
	}
	return f
}

// over tells of a scheduled action that has run for the last time: then Auto Scaling takes it away by itself
// (https://github.com/hashicorp/terraform-provider-aws/issues/8646).
func (s Step) over(now time.Time) bool {
	if s.URN.Type() != "aws:autoscaling/schedule:Schedule" || s.Old == nil {
		return false
	}
	last := "endTime"
	if text(s.Old.Inputs, "recurrence") == "" {
		last = "startTime"
	}
	t, err := time.Parse(time.RFC3339, text(s.Old.Inputs, last))
	return err == nil && !t.After(now)
}

// refreshed are the steps with what came of them, where a stream says it apart.
func (p *Preview) refreshed() []Step {
	type key struct {
		urn URN
		id  string
	}
	of := func(s Step) key {
		if s.Old != nil {
			return key{s.URN, s.Old.ID}
		}
		return key{s.URN, ""}
	}
	results := map[key]Step{}
	for _, s := range p.results {
		results[of(s)] = s
	}
	steps := slices.Clone(p.Steps)
	for i, s := range steps {
		if result, ok := results[of(s)]; ok && s.Op == "refresh" {
			if result.Old != nil && s.Old != nil {
				result.Old.ignored = s.Old.ignored
			}
			steps[i] = result
		}
	}
	return steps
}

// problem is why it is not known whether anything drifted; empty where it is.
func (f *refresh) problem() string {
	switch {
	case f.Broken != "":
		return strings.NewReplacer("pulumi preview --json", "pulumi refresh --preview-only --json", "preview", "refresh").Replace(f.Broken)
	case f.Failed:
		return "the refresh failed: what it did not come to is not known"
	case len(f.Steps) == 0:
		return "the state holds no resources: there is nothing to look at, or this is not the stack that was meant"
	}
	if f.silent > 0 {
		return "the output does not say what came of " + plural(f.silent, "resource")
	}
	for _, s := range f.Steps {
		if s.Op != "refresh" && (s.URN.Type() == stackType || s.Op != "update" && s.Op != "delete") {
			return fmt.Sprintf("the input is no refresh (it has the step %q): it has to be what `pulumi refresh --preview-only --json` prints", s.Op)
		}
	}
	return ""
}

// compare finds what differs, and tells what the stack sets back from what it leaves.
func (f *stray) compare() {
	d := differ{secrets: secretsOf(f.Step)}
	var paths []string
	if f.Op == "update" {
		for _, path := range slices.Sorted(maps.Keys(f.Detailed)) {
			if slices.ContainsFunc(f.Old.ignored, func(ignored string) bool { return under(path, ignored) }) {
				continue
			}
			paths = append(paths, path)
			f.anew = f.anew || strings.HasSuffix(f.Detailed[path], "-replace")
			n := len(d.found)
			set, found := f.sides(path)
			if d.value(path, set, found); len(d.found) == n {
				d.found = append(d.found, Difference{path, d.secrets.masked(path, set), d.secrets.masked(path, found)})
			}
		}
	}
	f.values = d.found
	for _, l := range f.differences() {
		if !slices.ContainsFunc(paths, func(path string) bool { return below(l.Path, path) }) {
			f.left = append(f.left, l)
		}
	}
	if f.Op == "update" && len(f.Detailed) == 0 {
		f.values, f.left = f.left, nil // the provider says only that something differs
	}
	f.writers = f.wrote()
}

// sides are what the stack has set at a path, and what was found there: in the inputs where they differ, else in what is there.
func (f *stray) sides(path string) (set, found any) {
	set, found = lookup(f.Old.Inputs, path), lookup(f.New.Inputs, path)
	if !reflect.DeepEqual(set, found) {
		return set, found
	}
	if strings.HasPrefix(f.Detailed[path], "delete") {
		return set, nil
	}
	if live := lookup(f.New.Outputs, path); live != nil {
		found = live
	}
	if was := lookup(f.Old.Outputs, path); was != nil && reflect.DeepEqual(set, found) {
		set = was
	}
	return set, found
}

// identity is how the cloud calls the resource: its ARN, its id, or an object's namespace and name.
func (f *stray) identity() string {
	for _, st := range []*State{f.Old, f.New} {
		if st != nil && (text(st.Outputs, "arn") != "" || st.ID != "") {
			return cmp.Or(text(st.Outputs, "arn"), st.ID)
		}
	}
	return ""
}

// key names the resource in a fingerprint, hash what was found of it.
func (f *stray) key() string { return digest(string(f.URN) + "\n" + f.identity()) }

func (f *stray) hash() string {
	var b strings.Builder
	fmt.Fprintln(&b, f.gone, f.anew)
	for _, d := range f.values {
		fmt.Fprintf(&b, "%q %q %q\n", d.Path, shown(d.Old), shown(d.New))
	}
	for _, w := range f.writers {
		fmt.Fprintf(&b, "%q\n", w.manager) // not when: one who writes the same again and again is no news
	}
	return digest(b.String())
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}

const fingerprintBegins = "<!-- found: "

// mostFound is how many resources a fingerprint names: it is a line of an issue that has to leave room for the text.
const mostFound = 500

// Keys of a fingerprint that are no resources': how many are not named in the output, and what was found beyond those that it names.
const (
	unnamedKey = "unnamed"
	restKey    = "rest"
)

// pairs are the resources that were found, each with what was found of it, in the order of their keys.
func (r *DriftReport) pairs() []string {
	all := []string{}
	for _, f := range r.finds {
		all = append(all, f.key()+"="+f.hash())
	}
	slices.Sort(all)
	return all
}

// fingerprint is the second line of an issue: by it a later run tells whether anything is different. Of more resources than it has room for
// it has those with the first keys, and one value for all others.
func (r *DriftReport) fingerprint() string {
	all := r.pairs()
	if len(all) > mostFound {
		all = append(slices.Clone(all[:mostFound]), restKey+"="+digest(strings.Join(all[mostFound:], " ")))
	}
	if r.unnamed > 0 {
		all = append(all, fmt.Sprintf("%s=%d", unnamedKey, r.unnamed))
	}
	return fingerprintBegins + strings.Join(all, " ") + " -->"
}

// fingerprinted are the resources of the fingerprint in an issue's text, with what was found of each.
func fingerprinted(issue string) map[string]string {
	found := map[string]string{}
	_, rest, _ := strings.Cut(issue, fingerprintBegins)
	line, _, _ := strings.Cut(rest, " -->")
	for _, pair := range strings.Fields(line) {
		k, h, _ := strings.Cut(pair, "=")
		found[k] = h
	}
	return found
}

// Says tells whether an issue, whose text is given, says what this report does.
func (r *DriftReport) Says(issue string) bool {
	return strings.Contains(issue, r.fingerprint())
}

// newsLimit is how many bytes of resources a comment on what is different names; one more and what stands around them have room besides.
const newsLimit = CommentLimit - 5000

// Since is what is different since an issue was written whose text is given, in Markdown.
func (r *DriftReport) Since(issue string) string {
	before := fingerprinted(issue)
	unnamed, rest := cmp.Or(before[unnamedKey], "0"), before[restKey]
	delete(before, unnamedKey)
	delete(before, restKey)
	// What comes after the last key of an issue that names not all was there or was not.
	last, beyond := "", []string{}
	if rest != "" && len(before) > 0 {
		last = slices.Max(slices.Collect(maps.Keys(before)))
		for _, pair := range r.pairs() {
			if k, _, _ := strings.Cut(pair, "="); k > last {
				beyond = append(beyond, pair)
			}
		}
	}
	var b strings.Builder
	unsaid := 0
	say := func(what string, f *stray) {
		if b.Len() > newsLimit {
			unsaid++
			return
		}
		fmt.Fprintf(&b, "- %s: %s, %s\n", what, r.code(f.URN.Name()), r.code(typeName(f.URN.Type())))
	}
	for _, f := range r.finds {
		k := f.key()
		was, known := before[k]
		delete(before, k)
		switch {
		case !known && last != "" && k > last:
		case !known:
			say("new", f)
		case was != f.hash():
			say("differs otherwise than before", f)
		}
	}
	if unsaid > 0 {
		fmt.Fprintf(&b, "- … and %d more\n", unsaid)
	}
	if n := len(before); n > 0 {
		fmt.Fprintf(&b, "- %s as the stack says again, or %s the stack's no more\n", pick(n, "1 other is", fmt.Sprintf("%d others are", n)), pick(n, "is", "are"))
	}
	if rest != "" && rest != digest(strings.Join(beyond, " ")) {
		fmt.Fprintf(&b, "- something is different beyond the %d resources that the issue keeps apart; now %s, and which of them were found before is not known\n",
			mostFound, pick(len(beyond), "1 is there", fmt.Sprintf("%d are there", len(beyond))))
	}
	if now := strconv.Itoa(r.unnamed); now != unnamed {
		fmt.Fprintf(&b, "- of those that the output does not name there are %s, and were %s\n", now, unnamed)
	}
	if b.Len() == 0 {
		return "What was found is as before.\n"
	}
	return "Since the last look:\n\n" + b.String()
}
