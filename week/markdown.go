package week

import (
	"fmt"
	"strings"
	"unicode"
)

// Markdown is the week for a pull request: what it comes to is in sight, the table is folded away. Names cannot mention, link or
// format anything.
func (r *Report) Markdown() string {
	var b strings.Builder
	for _, f := range r.facts() {
		b.WriteString("- " + Escape(f) + "\n")
	}
	problems := r.problems()
	if len(problems) == 0 {
		b.WriteString("- Everything fits: at the minimum and the maximum, in a release, with a zone or a node lost.\n")
	}
	for _, p := range problems {
		kind, rest, _ := strings.Cut(p, ": ")
		b.WriteString("- **" + kind + ":** " + Escape(rest) + "\n")
	}
	fmt.Fprintf(&b, "\n<details><summary>A usual week under the schedule %s, in %s</summary>\n\n", Escape(r.stack.Name), Escape(r.zone))
	const head = "| from | until | nodes: min / desired / max | pods: min / max | they fit: min / max |\n|---|---|---|---|---|\n"
	b.WriteString(head)
	rows := func(all []row) {
		for _, one := range all {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", one.from, one.until, one.nodes, one.pods, one.fits)
		}
	}
	var usual []row
	for i := range r.weeks[0].Intervals {
		usual = append(usual, r.row(0, i))
	}
	rows(usual)
	if others := r.others(); len(others) > 0 {
		b.WriteString("\nOther weeks of the year, where they differ:\n\n")
		var extra []row
		for _, o := range others {
			b.WriteString("- " + Escape(o.title) + "\n")
			extra = append(extra, o.rows...)
		}
		if len(extra) > 0 {
			b.WriteString("\n" + head)
			rows(extra)
		}
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

// Escape writes every character that could mean something as its number. A dot before a letter would make a link of www.example.com.
func Escape(s string) string {
	var b strings.Builder
	s = strings.ToValidUTF8(s, "\ufffd")
	letters := []rune(s)
	for i, c := range letters {
		end := i+1 == len(letters) || !unicode.IsLetter(letters[i+1])
		switch {
		case c == ' ', c < unicode.MaxASCII && (unicode.IsLetter(c) || unicode.IsDigit(c)), strings.ContainsRune(",;()%+-", c), c == '.' && end:
			b.WriteRune(c)
		case !unicode.IsGraphic(c):
			b.WriteRune('\ufffd')
		case c > unicode.MaxASCII:
			b.WriteRune(c)
		default:
			fmt.Fprintf(&b, "&#%d;", c)
		}
	}
	return b.String()
}
