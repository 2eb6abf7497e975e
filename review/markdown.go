package review

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Whatever comes from a preview stands in code, where GitHub makes no mention, no link, no reference and no emphasis of it.

// code is text that is shown as it is, in a paragraph, a list or a table.
func code(s string) string {
	s = visible(s)
	if s == "" {
		return "`\"\"`"
	}
	if strings.ContainsAny(s, "`|\\") || s[0] == ' ' || s[len(s)-1] == ' ' {
		return "<code>" + entities(s) + "</code>"
	}
	return "`" + s + "`"
}

// quote stands on both sides of a value of the preview in a sentence of our own, until that is written.
const quote = "\x00"

func quoted(s string) string { return quote + strings.ReplaceAll(s, quote, "") + quote }

// entities writes every character that could mean something as its number, and spaces at the ends too.
func entities(s string) string {
	n := len(s)
	s = strings.TrimLeft(s, " ")
	lead := n - len(s)
	n = len(s)
	s = strings.TrimRight(s, " ")
	return strings.Repeat("&#32;", lead) + escaped(s, " ") + strings.Repeat("&#32;", n-len(s))
}

// escaped is entities for all but letters, digits and the characters of keep. A dot would make a link of www.example.com.
func escaped(s, keep string) string {
	var b strings.Builder
	for _, r := range s {
		if r > unicode.MaxASCII || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune(keep, r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

// visible writes characters that do not show, break lines or turn the direction of writing as escapes.
func visible(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		if r != ' ' && !unicode.IsGraphic(r) || r != ' ' && unicode.IsSpace(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// short cuts the middle out of a text that is longer than limit characters.
func short(s string, limit int) string {
	n := utf8.RuneCountInString(s)
	if n <= limit {
		return s
	}
	r := []rune(s)
	head, tail := limit*2/3, limit/3
	return fmt.Sprintf("%s … %s (%d characters)", string(r[:head]), string(r[n-tail:]), n)
}

// around cuts two long texts down to where they differ.
func around(a, b string, limit int) (string, string) {
	x, y := []rune(a), []rune(b)
	if len(x) <= limit && len(y) <= limit {
		return a, b
	}
	same := 0
	for same < len(x) && same < len(y) && x[same] == y[same] {
		same++
	}
	from := same - limit/3
	if from < limit/3 {
		return short(a, limit), short(b, limit)
	}
	cut := func(r []rune) string { return "… " + short(string(r[min(from, len(r)):]), limit) }
	return cut(x), cut(y)
}

// marker is the first line of a review, or of what else is kept up to date for a stack, by which it is found again. It names the stack, so
// that each has one of its own.
func marker(what, project, stack string) string {
	safe := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-", r)) {
				return r
			}
			return '_'
		}, short(s, 100))
	}
	// Two hyphens would end a comment of HTML early for some readers.
	name := strings.ReplaceAll(safe(project)+"/"+safe(stack), "--", "-_")
	return "<!-- slipway " + what + ": " + name + " -->"
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if strings.HasSuffix(one, "y") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(one, "y"))
	}
	return fmt.Sprintf("%d %ss", n, one)
}
