package review

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// writer puts a review into Markdown. Everything that comes from the preview goes through code or block.
type writer struct {
	*plan
	options Options
	hide    func(string) string
	stack   string
	marker  string
	wrong   []string
	// unguarding are what --guard names and is no type.
	unguarding []string
	// values is how many characters of a value are shown, causes how many differences of a resource.
	values, causes int
	// mark sets off what comes from the preview: code, or visible where the text is not Markdown.
	mark func(string) string
}

func (w *writer) code(s string) string { return w.mark(short(w.hide(s), w.values)) }

// block is a text of several lines.
func (w *writer) block(s string) string {
	s = short(w.hide(s), w.values*16)
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	lines := strings.Split(strings.Trim(s, "\n"), "\n")
	for i := range lines {
		lines[i] = visible(strings.ReplaceAll(strings.TrimRight(lines[i], " \r"), "\t", "    "))
	}
	return fence + "text\n" + strings.Join(lines, "\n") + "\n" + fence + "\n"
}

func (w *writer) name(u URN) string { return w.code(u.Name()) }

func (w *writer) write(limit int) string {
	sections := slices.Concat(w.failure(), w.refusals(), w.losses(), w.releases(), w.week(), w.costs(), w.rest())
	return fit(w.head(), sections, limit, w.place(w.options.FullAt))
}

// place is where the whole text is, as a link where it is one.
func (w *writer) place(full string) string {
	if strings.HasPrefix(full, "https://") && !strings.ContainsAny(full, "<>() \n\t\"\\`") {
		return "<" + full + ">"
	} else if full != "" {
		return w.code(full)
	}
	return ""
}

// head says in a few lines how the preview stands.
func (w *writer) head() string {
	var b strings.Builder
	title := w.stack
	if title == "" {
		title = "unknown stack"
	}
	fmt.Fprintf(&b, "%s\n## Slipway review: %s\n\n", w.marker, w.code(title))
	lost, refused, allowed := 0, 0, 0
	for _, c := range w.changes {
		if c.kind == replaced || c.kind == deleted {
			lost++
			if c.guard != "" && !c.allowed {
				refused++
			}
			if c.allowed {
				allowed++
			}
		}
	}
	switch {
	case w.Broken != "":
		fmt.Fprintf(&b, "**There is no whole preview to review:** %s.\n", w.Broken)
	case w.Failed:
		b.WriteString("**The preview failed.** What stands below the errors is what came before them.\n")
	case refused > 0:
		fmt.Fprintf(&b, "**Refused:** %s would be replaced or deleted, and nobody has named %s.\n", plural(refused, "guarded resource"), pick(refused, "it", "them"))
	case len(w.changes) == 0 && len(w.unprotected) == 0:
		b.WriteString("**Nothing changes.**\n")
	case lost == 0:
		b.WriteString("Nothing is replaced or deleted.\n")
	case allowed > 0:
		fmt.Fprintf(&b, "%s replaced or deleted; %s guarded, and allowed by name.\n", pick(lost, "1 resource is", fmt.Sprintf("%d resources are", lost)),
			pick(allowed, "1 of them is", fmt.Sprintf("%d of them are", allowed)))
	default:
		fmt.Fprintf(&b, "%s replaced or deleted, nothing guarded among them.\n", pick(lost, "1 resource is", fmt.Sprintf("%d resources are", lost)))
	}
	w.inVain(&b, "Guarded", w.unguarding)
	w.inVain(&b, "Allowed", w.wrong)
	if w.Broken != "" && len(w.Steps) == 0 {
		return b.String()
	}
	same := strconv.Itoa(w.counts[unchanged])
	if !w.Whole && !w.Failed {
		same = "not shown"
	}
	fmt.Fprintf(&b, "\n| create | update | replace | delete | unchanged |\n|---:|---:|---:|---:|---:|\n| %d | %d | %d | %d | %s |\n",
		w.counts[created]+w.counts[imported], w.counts[updated], w.counts[replaced], w.counts[deleted]+w.counts[forgotten], same)
	if w.Partial {
		b.WriteString("\nTake the preview with `--show-replacement-steps`: without, what is deleted together with something that is replaced may be missing here.\n")
	}
	if w.components > 0 {
		fmt.Fprintf(&b, "\nResources of providers; %s that group%s them not counted.\n", pick(w.components, "1 component", fmt.Sprintf("%d components", w.components)), pick(w.components, "s", ""))
	}
	return b.String()
}

func pick(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// ended are errors that say no more than that there were others.
var ended = map[string]bool{"error: preview failed": true, "error: refresh failed": true}

// inVain says which names of the call do nothing.
func (w *writer) inVain(b *strings.Builder, what string, names []string) {
	for i, s := range names {
		if i == 5 {
			fmt.Fprintf(b, "\n… and %d more.\n", len(names)-i)
			return
		}
		fmt.Fprintf(b, "\n**%s in vain:** %s.\n", what, code(short(w.hide(s), 250)))
	}
}

// failure is what went wrong, before all else.
func (w *writer) failure() []section {
	s := section{title: "Errors", of: "errors", rank: 15}
	for _, d := range w.Diagnostics {
		if d.Severity == "error" && !ended[d.Message] {
			s.items = append(s.items, w.diagnostic(d))
		}
	}
	if len(s.items) == 0 {
		return nil
	}
	return []section{s}
}

func (w *writer) diagnostic(d Diagnostic) string {
	var of string
	if d.URN != "" && d.URN.Type() != stackType {
		of = w.name(d.URN) + ", " + w.code(typeName(d.URN.Type())) + ":\n\n"
	}
	return of + w.block(strings.TrimPrefix(d.Message, "error: ")) + "\n"
}

// difference is one value before and after.
func (w *writer) difference(d Difference) string {
	path := w.code(d.Path)
	_, a := d.Old.(hidden)
	_, b := d.New.(hidden)
	switch {
	case a && b:
		return path + " changes; it is secret"
	case d.Old == nil && d.New == nil:
		return path
	}
	x, y := around(w.hide(shown(d.Old)), w.hide(shown(d.New)), w.values)
	side := func(v any, s string) string {
		switch v.(type) {
		case nil:
			return "not set"
		case unknown:
			return "known later"
		}
		return w.mark(s)
	}
	return path + ": " + side(d.Old, x) + " → " + side(d.New, y)
}

// differences are the first of them, a line each.
func (w *writer) differences(all []Difference) string {
	var b strings.Builder
	for i, d := range all {
		if i == w.causes {
			fmt.Fprintf(&b, "  - … and %s more\n", plural(len(all)-i, "input"))
			break
		}
		fmt.Fprintf(&b, "  - %s\n", w.difference(d))
	}
	return b.String()
}

func (w *writer) names(all []URN, limit int) string {
	var names []string
	for i, u := range all {
		if i == limit {
			names = append(names, fmt.Sprintf("%d more", len(all)-i))
			break
		}
		// Resources of several types often share a name.
		if n := w.name(u); len(names) == 0 || names[len(names)-1] != n {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}

// releases are images, stages, node groups and schedules.
func (w *writer) releases() []section {
	s := section{title: "Release", of: "lines of the release", rank: 25}
	moves, same := w.release()
	if w.Failed && len(moves) == 0 {
		return nil
	}
	for _, m := range moves {
		note := ""
		if m.note != "" {
			note = " (" + m.note + ")"
		}
		old, new := around(w.hide(m.old), w.hide(m.new), w.values)
		what := m.what
		if m.path != "" {
			what = w.code(m.path)
		}
		if m.in != "" {
			note = ", in " + w.code(m.in) + note
		}
		s.items = append(s.items, fmt.Sprintf("- %s of %s: %s → %s%s\n", what, w.code(m.of), word(old), word(new), note))
	}
	if same > 0 && len(moves) > 0 {
		s.tail = fmt.Sprintf("\n%s as %s.\n", pick(same, "1 image stays", fmt.Sprintf("%d images stay", same)), pick(same, "it is", "they are"))
	}
	return some(s)
}

// word is a value of a release, or the word for that there is none yet.
func word(s string) string {
	if s == shown(nil) || s == shown(unknown{}) {
		return s
	}
	return code(s)
}

func (w *writer) week() []section {
	if w.options.Week == nil {
		return nil
	}
	text := w.options.Week(w.Preview)
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return []section{{title: "The week", items: []string{strings.TrimSpace(text) + "\n"}, of: "parts on the week", rank: 35}}
}

// rest is what changes without a loss, by component, and what was said.
func (w *writer) rest() []section {
	var updates []item
	updatedCount := 0
	changes := section{of: "groups that are updated", rank: 60}
	made := section{of: "created", rank: 80}
	quiet := section{of: "components", rank: 90}
	said := section{of: "warnings", rank: 70}
	for _, c := range w.changes {
		switch c.kind {
		case updated:
			updates = grouped(updates, item{c.kind, c.URN.Type(), "\n" + w.why(c), []URN{c.URN}})
			updatedCount++
		case created, imported:
			made.items = append(made.items, fmt.Sprintf("- %s, %s\n", w.name(c.URN), w.code(typeName(c.URN.Type()))))
		}
	}
	for _, u := range slices.Sorted(maps.Keys(w.origins)) {
		if !w.causing[u] {
			quiet.items = append(quiet.items, fmt.Sprintf("- %s, %s\n%s", w.name(u), w.code(typeName(u.Type())), w.differences(w.origins[u].inputs)))
		}
	}
	for _, d := range w.Diagnostics {
		if d.Severity != "error" {
			said.items = append(said.items, w.diagnostic(d))
		}
	}
	changes.items = w.lines(updates, false)
	changes.fold = plural(updatedCount, "resource") + " updated"
	made.fold = plural(len(made.items), "resource") + " created"
	quiet.fold = plural(len(quiet.items), "component") + " with other arguments, without a change below"
	said.fold = plural(len(said.items), "warning") + " and messages"
	return slices.Concat(some(changes), some(made), some(said), some(quiet))
}
