package review

import (
	"fmt"
	"strings"
)

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
	total := dollars(after) + " USD a month"
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
			parts[i] = escaped(short(visible(parts[i]), w.values*4), " ,;.()")
		}
	}
	return strings.Join(parts, "")
}
