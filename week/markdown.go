package week

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Markdown is the week for a pull request: what it comes to is in sight, the table is folded away. Names cannot mention, link or
// format anything.
func (r *Report) Markdown() string {
	var b strings.Builder
	names := r.names()
	for _, f := range r.facts() {
		b.WriteString("- " + Escape(f, names...) + "\n")
	}
	problems := r.problems()
	if len(problems) == 0 {
		b.WriteString("- Everything fits: at the minimum and the maximum, in a release, with a zone or a node lost.\n")
	}
	for _, p := range problems {
		kind, rest, _ := strings.Cut(p, ": ")
		b.WriteString("- **" + kind + ":** " + Escape(rest, names...) + "\n")
	}
	fmt.Fprintf(&b, "\n<details><summary>A usual week under the schedule %s, in %s</summary>\n\n", element(r.stack.Name), element(r.zone))
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

// names are those of the stack that sentences on pods and nodes have.
func (r *Report) names() (all []string) {
	for _, a := range r.stack.Capacity.Apps {
		all = append(all, a.Name)
	}
	for _, g := range r.stack.Capacity.Groups {
		all = append(all, g.Name)
		for _, i := range g.Instances {
			all = append(all, i.Name)
		}
	}
	return all
}

// Escape writes a sentence so that it mentions, links and formats nothing: the names, and words that could mean something, stand in code. Their
// characters as numbers would not do: GitHub looks for mentions and references in what a reader sees.
func Escape(s string, names ...string) string {
	// The longest first, so that of two of which one begins with the other the whole is taken.
	names = slices.SortedFunc(slices.Values(names), func(a, b string) int { return len(b) - len(a) })
	var b strings.Builder
	for s = graphic(s); s != ""; {
		n := 0
		for _, name := range names {
			if name = graphic(name); name != "" && strings.HasPrefix(s, name) && !goesOn(s[len(name):]) {
				n = len(name)
				break
			}
		}
		if n > 0 {
			b.WriteString(code(s[:n]))
			s = s[n:]
			continue
		}
		if c, size := utf8.DecodeRuneInString(s); strings.ContainsRune(before, c) {
			b.WriteRune(c)
			s = s[size:]
			continue
		}
		if n = strings.IndexByte(s, ' '); n < 0 {
			n = len(s)
		}
		word := strings.TrimRight(s[:n], after)
		switch {
		case word == "":
		case plain(word):
			b.WriteString(word)
		default:
			b.WriteString(code(word))
		}
		b.WriteString(s[len(word):n])
		s = s[n:]
	}
	return b.String()
}

// What may stand before and after a word.
const (
	before = ` ("`
	after  = `,;:.)"`
)

// goesOn tells whether a text goes on with the same word.
func goesOn(s string) bool {
	c, _ := utf8.DecodeRuneInString(s)
	return s != "" && (unicode.IsLetter(c) || unicode.IsDigit(c) || c == '-' || c == '_')
}

// plain tells whether a word means nothing to a host: letters, and times and numbers.
func plain(word string) bool {
	letters := []rune(word)
	digit := func(i int) bool { return i >= 0 && i < len(letters) && letters[i] >= '0' && letters[i] <= '9' }
	for i, c := range letters {
		switch {
		case c > unicode.MaxASCII, unicode.IsLetter(c), unicode.IsDigit(c), c == '%', c == '-', c == '+':
		case (c == '.' || c == ':') && digit(i-1) && digit(i+1):
		default:
			return false
		}
	}
	return true
}

// graphic is a text in one line, without characters that do not show or that turn the direction of writing.
func graphic(s string) string {
	return strings.Map(func(c rune) rune {
		if c != ' ' && (!unicode.IsGraphic(c) || unicode.IsSpace(c)) {
			return '\ufffd'
		}
		return c
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// code is text that stands as it is in a sentence.
func code(s string) string {
	if strings.ContainsAny(s, "`|\\") || s[0] == ' ' || s[len(s)-1] == ' ' {
		return element(s)
	}
	return "`" + s + "`"
}

// element is code where Markdown is not read, within HTML.
func element(s string) string {
	var b strings.Builder
	b.WriteString("<code>")
	for _, c := range graphic(s) {
		if c > unicode.MaxASCII || unicode.IsLetter(c) || unicode.IsDigit(c) {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, "&#%d;", c)
		}
	}
	b.WriteString("</code>")
	return b.String()
}
