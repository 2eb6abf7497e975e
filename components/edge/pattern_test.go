package edge

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// matching is what AWS does with a pattern.
func (p pattern) matching() *regexp.Regexp {
	return regexp.MustCompile("^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(string(p))) + "$")
}

var texts = textsUpTo(6)

// textsUpTo are all texts of a and b up to that length.
func textsUpTo(n int) []string {
	all := []string{""}
	for from := 0; n > 0; n-- {
		to := len(all)
		for _, s := range all[from:to] {
			all = append(all, s+"a", s+"b")
		}
		from = to
	}
	return all
}

func TestOverlapsIsWhatSomeTextShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Three characters each: if any text matches both, one of six characters does.
		p, q := pattern(rapid.StringMatching(`[ab*?]{0,3}`).Draw(t, "p")), pattern(rapid.StringMatching(`[ab*?]{0,3}`).Draw(t, "q"))
		both, onlyP, onlyQ := "", 0, 0
		found := false
		for _, s := range texts {
			switch inP, inQ := p.matching().MatchString(s), q.matching().MatchString(s); {
			case inP && inQ:
				both, found = s, true
			case inP:
				onlyP++
			case inQ:
				onlyQ++
			}
		}
		if got := p.overlaps(q); got != found || got != q.overlaps(p) {
			t.Fatalf("%q overlaps %q: %v, but both match %q: %v", p, q, got, both, found)
		}
		// What matches only part of what the other does is never called the less specific one.
		if found && onlyP == 0 && onlyQ > 0 && p.compare(q) > 0 {
			t.Fatalf("%q matches part of what %q does, and is called less specific", p, q)
		}
	})
}

// What is said to contain another pattern does: a route that is refused for it would never get a request.
func TestContainsIsNeverTooMuch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := pattern(rapid.StringMatching(`[ab*?]{0,4}`).Draw(t, "p")), pattern(rapid.StringMatching(`[ab*?]{0,4}`).Draw(t, "q"))
		all := true
		for _, s := range texts {
			all = all && (p.matching().MatchString(s) || !q.matching().MatchString(s))
		}
		got := p.contains(q)
		if got && !all {
			t.Fatalf("%q does not match all that %q matches", p, q)
		}
		if !got && all && (p == anything || p == q || q.kind() == exact) {
			t.Fatalf("%q matches all that %q matches", p, q)
		}
	})
}

func TestCovers(t *testing.T) {
	for _, tc := range []struct {
		name, host string
		want       bool
	}{
		{"example.com", "example.com", true},
		{"example.com", "www.example.com", false},
		{"*.example.com", "www.example.com", true},
		{"*.example.com", "*.example.com", true},
		{"*.example.com", "w?w.example.com", true},
		{"*.example.com", "example.com", false},
		{"*.example.com", "a.b.example.com", false},
		{"*.example.com", ".example.com", false},
		{"example.com", "*example.com", false},
	} {
		if got := covers(tc.name, tc.host); got != tc.want {
			t.Errorf("%s covers %s: %v", tc.name, tc.host, got)
		}
	}
}
