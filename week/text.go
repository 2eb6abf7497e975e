package week

import (
	"fmt"
	"strings"
	"unicode"
)

// Text is the week for a terminal.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "A usual week under the schedule %q, in %s\n\n", printable(r.stack.Name), printable(r.zone))
	const line = "%-9s  %-9s  %-19s  %-12s  %s\n"
	fmt.Fprintf(&b, line, "from", "until", "nodes", "pods", "they fit")
	fmt.Fprintf(&b, line, "", "", "min / desired / max", "min / max", "min / max")
	for i := range r.weeks[0].Intervals {
		one := r.row(0, i)
		fmt.Fprintf(&b, line, one.from, one.until, one.nodes, one.pods, one.fits)
	}
	b.WriteString("\n" + strings.Join(r.facts(), "\n") + "\n")
	if problems := r.problems(); len(problems) > 0 {
		b.WriteString("\n")
		for _, p := range problems {
			b.WriteString(printable(p) + "\n")
		}
	} else {
		b.WriteString("\nEverything fits: at the minimum and the maximum, in a release, with a zone or a node lost.\n")
	}
	if others := r.others(); len(others) > 0 {
		b.WriteString("\nOther weeks of the year, where they differ:\n")
		for _, o := range others {
			b.WriteString("  " + o.title + "\n")
			for _, one := range o.rows {
				fmt.Fprintf(&b, "    "+line, one.from, one.until, one.nodes, one.pods, one.fits)
			}
		}
	}
	return b.String()
}

// printable keeps what is in names from moving the terminal's cursor.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '\ufffd'
	}, s)
}
