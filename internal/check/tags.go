package check

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Tags records what AWS refuses in tags, at path: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html.
func (p *Problems) Tags(path string, tags map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		at := path + "[\"" + k + "\"]"
		if n := utf8.RuneCountInString(k); n < 1 || n > 128 {
			p.Addf(at, "has a key of %d characters, must be 1 to 128", n)
		}
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			p.Addf(at, "has a key that begins with \"aws:\", which AWS keeps for itself")
		}
		if n := utf8.RuneCountInString(tags[k]); n > 256 {
			p.Addf(at, "has a value of %d characters, must be at most 256", n)
		}
	}
}
