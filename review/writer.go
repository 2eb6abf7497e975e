package review

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// writer puts a review into Markdown. Everything that comes from the preview goes through code, block or inHTML.
type writer struct {
	*plan
	options Options
	hide    func(string) string
	stack   string
	marker  string
	wrong   []string
	// values is how many characters of a value are shown, causes how many differences of a resource.
	values, causes int
}

func (w *writer) code(s string) string { return code(short(w.hide(s), w.values)) }

func (w *writer) folded(s string) string { return inHTML(short(w.hide(s), w.values)) }

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
	full := w.options.FullAt
	if strings.HasPrefix(full, "https://") && !strings.ContainsAny(full, "<>() \n\t\"\\`") {
		full = "<" + full + ">"
	} else if full != "" {
		full = w.code(full)
	}
	return fit(w.head(), sections, limit, full)
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
	for _, s := range w.wrong {
		fmt.Fprintf(&b, "\n**Allowed in vain:** %s.\n", w.code(s))
	}
	if w.Broken != "" && len(w.Steps) == 0 {
		return b.String()
	}
	same := fmt.Sprint(w.counts[unchanged])
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

// failure is what went wrong, before all else.
func (w *writer) failure() []section {
	s := section{title: "Errors", of: "errors", rank: 15}
	for _, d := range w.Diagnostics {
		if d.Severity == "error" && d.Message != "error: preview failed" {
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
		return code(s)
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

// why says what causes a change, and from which inputs of its component that comes.
func (w *writer) why(c *change) string {
	var b strings.Builder
	switch {
	case c.kind == deleted && c.moved != "":
	case c.kind == deleted && len(c.from) == 0:
		b.WriteString("  - It is not in the program any more.\n")
	case c.kind == replaced && len(c.causes) == 0 && len(c.waits) == 0:
		b.WriteString("  - The preview does not say which input causes it.\n")
	}
	for i, d := range c.causes {
		if i == w.causes {
			fmt.Fprintf(&b, "  - … and %s more\n", plural(len(c.causes)-i, "input"))
			break
		}
		fmt.Fprintf(&b, "  - %s%s\n", w.difference(d), w.source(c, d))
	}
	if len(c.waits) > 0 {
		fmt.Fprintf(&b, "  - It follows %s.\n", w.names(c.waits, 5))
	}
	for _, o := range c.from {
		if o.exact {
			continue
		}
		for i, d := range o.inputs {
			if i == 4 && w.causes < 1000 {
				fmt.Fprintf(&b, "  - … and %s more of %s\n", plural(len(o.inputs)-i, "input"), w.name(o.urn))
				break
			}
			fmt.Fprintf(&b, "  - from %s: %s\n", w.name(o.urn), w.difference(d))
		}
	}
	return b.String()
}

// source is the input of its component that a difference comes from, where the same values are there.
func (w *writer) source(c *change, d Difference) string {
	for _, o := range c.from {
		for _, in := range o.inputs {
			if o.exact && shown(in.Old) == shown(d.Old) && shown(in.New) == shown(d.New) {
				return ", from " + w.code(in.Path) + " of " + w.name(o.urn)
			}
		}
	}
	return ""
}

// unlock says how a refused change is let through.
func (w *writer) unlock(c *change) string {
	name := c.URN.Name()
	for _, other := range w.changes {
		if other != c && other.guard != "" && other.URN.Name() == name {
			name = string(c.URN)
		}
	}
	s := "`--allow` " + w.code(name)
	// GitHub's names of labels have 50 characters at most.
	if label := AllowLabel + name; len(label) <= 50 && !strings.Contains(name, ",") {
		s = "the label " + w.code(label) + " or " + s
	}
	if c.Old != nil && c.Old.Protect {
		s += "; Pulumi itself refuses it until its protection is taken off and that is deployed"
	}
	return s
}

// AllowLabel begins the labels of a pull request that allow a change of what is guarded: slipway-allow:NAME.
const AllowLabel = "slipway-allow:"

// item is what is said of a change: items that differ in nothing but the name become one.
type item struct {
	kind  kind
	token string
	body  string
	names []URN
}

func grouped(items []item, add item) []item {
	for i, x := range items {
		if x.kind == add.kind && x.token == add.token && x.body == add.body {
			items[i].names = append(x.names, add.names...)
			return items
		}
	}
	return append(items, add)
}

// lines writes the items; where all are of one kind it need not be said.
func (w *writer) lines(items []item, withKind bool) []string {
	var all []string
	for _, x := range items {
		begin := "- "
		if withKind {
			begin = "- **" + string(x.kind) + ":** "
		}
		all = append(all, begin+w.names(x.names, w.causes*4)+", "+w.code(typeName(x.token))+x.body)
	}
	return all
}

// loss is an item on a resource that is replaced or deleted.
func (w *writer) loss(c *change) item {
	var b strings.Builder
	switch {
	case c.guard != "" && c.allowed:
		b.WriteString(", guarded (" + c.guard + ") and allowed by name")
	case c.guard != "":
		b.WriteString(", guarded (" + c.guard + ")")
	}
	b.WriteString("\n" + w.why(c))
	means := c.means
	switch t := c.URN.Type(); {
	case c.Old == nil:
	case t == "aws:eks/nodeGroup:NodeGroup":
		means += w.podsMove(c)
	case t == "aws:lb/loadBalancer:LoadBalancer":
		if dns := text(c.Old.Outputs, "dnsName"); dns != "" {
			means += " The old name is " + w.code(dns) + "."
		}
	}
	if means != "" {
		fmt.Fprintf(&b, "  - %s\n", strings.TrimSpace(means))
	}
	if c.moved != "" {
		fmt.Fprintf(&b, "  - It looks renamed: %s is made in its place. With this on that one nothing is deleted: %s\n",
			w.name(c.moved), w.code(fmt.Sprintf(`pulumi.Aliases([]pulumi.Alias{{URN: pulumi.URN(%q)}})`, string(c.URN))))
	}
	return item{c.kind, c.URN.Type(), b.String(), []URN{c.URN}}
}

func (w *writer) podsMove(c *change) string {
	pods, whole := w.podsOn(c.Old)
	if len(pods) == 0 {
		if whole {
			return ""
		}
		return " Which pods is not in this preview; with `--show-sames` it is."
	}
	var all []string
	for i, p := range pods {
		if i == 20 && w.causes < 1000 {
			all = append(all, fmt.Sprintf("%d more", len(pods)-i))
			break
		}
		all = append(all, w.code(p))
	}
	s := " Pods that may run there: " + strings.Join(all, ", ")
	if !whole {
		s += ", and those that this preview does not show"
	}
	return s + "."
}

// refusals and losses are what is replaced or deleted: refused, with a known effect, and the rest.
func (w *writer) refusals() []section {
	var items []item
	first := map[URN]*change{}
	for _, c := range w.changes {
		if c.guard != "" && !c.allowed {
			items = grouped(items, w.loss(c))
			first[c.URN] = c
		}
	}
	for i, x := range items {
		how := "`--allow NAME` for each of them"
		if len(x.names) == 1 {
			how = w.unlock(first[x.names[0]])
		}
		items[i].body += "  - To let it through: " + how + "\n"
	}
	return some(section{title: "Refused", of: "groups that are refused", rank: 10, items: w.lines(items, true)})
}

func (w *writer) losses() []section {
	var known, rest []item
	var off []string
	others := 0
	for _, c := range w.changes {
		switch {
		case c.guard != "" && !c.allowed:
		case c.kind == forgotten:
			known = grouped(known, item{c.kind, c.URN.Type(), "\n", []URN{c.URN}})
		case c.kind != replaced && c.kind != deleted:
		case c.means == "" && c.guard == "" && c.moved == "":
			rest = grouped(rest, w.loss(c))
			others++
		default:
			known = grouped(known, w.loss(c))
		}
	}
	for _, u := range w.unprotected {
		off = append(off, fmt.Sprintf("- %s, %s\n", w.name(u), w.code(typeName(u.Type()))))
	}
	a := section{title: "Replaced or deleted", of: "groups that are replaced or deleted", rank: 20, items: w.lines(known, true)}
	if len(known) > 12 {
		a.fold = "What each of them does"
	}
	b := section{of: "groups that are replaced or deleted without a known effect", rank: 50, items: w.lines(rest, true)}
	b.fold = fmt.Sprintf("%d replaced or deleted without an effect on users that is known", others)
	if len(known) == 0 {
		b.title = a.title
	}
	c := section{title: "No longer protected", of: "no longer protected", rank: 30, items: off, lead: "Pulumi will not refuse to delete or replace them any more.\n\n"}
	if len(off) > 6 {
		c.fold = plural(len(off), "resource")
	}
	return slices.Concat(some(a), some(b), some(c))
}

func some(s section) []section {
	if len(s.items) == 0 {
		return nil
	}
	return []section{s}
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

// costs is a table, folded where nothing of it changes.
func (w *writer) costs() []section {
	if w.Failed || w.Broken != "" {
		return nil
	}
	c := w.cost(w.options.NodeHours)
	if len(c.lines) == 0 && (len(w.changes) == 0 || len(c.problems) == 0) {
		return nil
	}
	s := section{title: "Monthly cost", of: "lines of the cost", rank: 18}
	before, after := c.total()
	what := "This stack"
	if !c.whole {
		s.title = "Monthly cost of what changes"
		what = "What changes (take the preview with `--show-sames` for the whole stack)"
	}
	switch {
	case len(c.lines) == 0:
	case dollars(before) == dollars(after):
		s.lead = fmt.Sprintf("%s: %s USD, as before.\n\n", what, dollars(after))
	default:
		sign := "+"
		if after < before {
			sign = ""
		}
		s.lead = fmt.Sprintf("%s: %s → **%s USD** (%s%s).\n\n", what, dollars(before), dollars(after), sign, dollars(after-before))
	}
	if len(c.lines) > 0 {
		s.lead += "| | before | after | assumption |\n|---|---:|---:|---|\n"
	}
	for _, l := range c.lines {
		s.items = append(s.items, fmt.Sprintf("| %s | %s | %s | %s |\n", w.cell(l.what), dollars(l.before), dollars(l.after), w.cell(l.assumption())))
	}
	var tail strings.Builder
	if len(c.problems) > 0 {
		tail.WriteString("\nNot counted: ")
		for i, p := range c.problems {
			if i == 20 && w.causes < 1000 {
				fmt.Fprintf(&tail, "; and %d more", len(c.problems)-i)
				break
			}
			if i > 0 {
				tail.WriteString("; ")
			}
			tail.WriteString(w.cell(p))
		}
		tail.WriteString(".\n")
	}
	if len(c.lines) > 0 {
		fmt.Fprintf(&tail, "\nPrices of %s for %s in US dollars. %s Sources: %s.\n", c.table.Date, w.code(c.region), c.table.Note, strings.Join(c.table.Sources, ", "))
	}
	s.tail = tail.String()
	if len(s.items) == 0 {
		s.lead, s.tail = s.tail+s.lead, ""
		s.items = []string{""}
	}
	total := fmt.Sprintf("%s USD a month", dollars(after))
	if dollars(before) != dollars(after) {
		total = fmt.Sprintf("%s → %s USD a month", dollars(before), dollars(after))
	}
	s.fold = "Lines, assumptions and what is not counted"
	if len(c.lines) == 0 {
		s.fold = ""
	} else {
		// The sum stays in sight.
		first, table, _ := strings.Cut(s.lead, "\n\n")
		s.title, s.lead = s.title+": "+total, table
		if !c.whole {
			s.lead = first + "\n\n" + table
		}
	}
	return []section{s}
}

// cell is a sentence of our own, for a table or a list, with quoted values of the preview in it.
func (w *writer) cell(s string) string {
	parts := strings.Split(w.hide(s), quote)
	for i := range parts {
		// What a sentence of a caller's could have in it besides: mentions, links and references are not made in code.
		if i%2 == 1 || strings.ContainsAny(parts[i], "@#") || strings.Contains(parts[i], "://") || strings.Contains(parts[i], "www.") {
			parts[i] = code(short(parts[i], w.values))
		} else {
			parts[i] = escaped(short(visible(parts[i]), w.values*4))
		}
	}
	return strings.Join(parts, "")
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
