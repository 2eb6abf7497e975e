package review

import (
	"fmt"
	"slices"
	"strings"
)

// why says what causes a change, and from which inputs of its component that comes.
func (w *writer) why(c *change) string {
	var b strings.Builder
	switch {
	case c.kind == deleted && c.moved != "":
	case c.kind == deleted && len(c.from) == 0 && (c.Old == nil || !c.Old.Pending):
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

// source is the input of its component that a difference comes from, where the same values are there: of several, one that has a like name,
// as nights.size.min and minSize have.
func (w *writer) source(c *change, d Difference) string {
	found := ""
	for _, o := range c.from {
		for _, in := range o.inputs {
			if !o.exact || !sameMove(in, d) {
				continue
			}
			said := ", from " + w.code(in.Path) + " of " + w.name(o.urn)
			last := in.Path[strings.LastIndex(in.Path, ".")+1:]
			if strings.Contains(strings.ToLower(d.Path), strings.ToLower(last)) {
				return said
			}
			if found == "" {
				found = said
			}
		}
	}
	return found
}

// unlock says how a refused change is let through: by a label or by a flag.
func (w *writer) unlock(c *change) string {
	name := c.URN.Name()
	for _, other := range w.changes {
		if other.URN != c.URN && other.guard != "" && other.URN.Name() == name {
			name = string(c.URN)
		}
	}
	label := AllowLabel + name
	if len(label) > longestLabel || strings.Contains(name, ",") {
		label = AllowLabel + handle(c.URN)
	}
	return "the label " + w.code(label) + " or `--allow` " + w.code(name)
}

// AllowLabel begins the labels of a pull request that allow a change of what is guarded: slipway-allow:NAME.
const AllowLabel = "slipway-allow:"

// longestLabel is how long GitHub's names of labels may be.
const longestLabel = 50

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
		c := first[x.names[0]]
		also := ""
		if c.Old != nil && c.Old.Protect {
			also = "; Pulumi itself refuses it until its protection is taken off and that is deployed"
		}
		if len(x.names) == 1 {
			items[i].body += "  - To let it through: " + w.unlock(c) + also + "\n"
			continue
		}
		var all []string
		for n, u := range x.names {
			if n == w.causes {
				all = append(all, fmt.Sprintf("… and %d more", len(x.names)-n))
				break
			}
			all = append(all, w.unlock(first[u]))
		}
		items[i].body += "  - To let them through, for each of them" + also + ": " + strings.Join(all, "; ") + "\n"
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
