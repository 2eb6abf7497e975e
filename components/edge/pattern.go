package edge

import (
	"cmp"
	"strings"
)

// pattern is a host or a path in which * stands for any text and ? for one character.
type pattern string

// anything is the pattern of a route without hosts, or without paths.
const anything pattern = "*"

// patterns are the patterns of a list, or anything if it is empty; those that mean the same are written the same.
func patterns(list []string) []pattern {
	if len(list) == 0 {
		return []pattern{anything}
	}
	out := make([]pattern, len(list))
	for i, s := range list {
		s = single(s)
		// Every path begins with a slash.
		if s == "/*" {
			s = string(anything)
		}
		out[i] = pattern(s)
	}
	return out
}

// single is s with one * where there are several in a row.
func single(s string) string {
	for strings.Contains(s, "**") {
		s = strings.ReplaceAll(s, "**", "*")
	}
	return s
}

// The kinds of patterns, the most specific first.
const (
	exact = iota
	wildcard
	unrestricted
)

func (p pattern) kind() int {
	switch {
	case p == anything:
		return unrestricted
	case strings.ContainsAny(string(p), "*?"):
		return wildcard
	}
	return exact
}

// shortest is how many characters a text that matches has at least. A pattern that matches only part of what another one does has
// no shorter one, and mostly a longer.
func (p pattern) shortest() int { return len(p) - strings.Count(string(p), "*") }

// compare is negative if p is more specific than q, and 0 if neither is. Two exact patterns are always as specific as each other.
func (p pattern) compare(q pattern) int {
	if c := cmp.Compare(p.kind(), q.kind()); c != 0 || p.kind() != wildcard {
		return c
	}
	return cmp.Compare(q.shortest(), p.shortest())
}

// overlaps tells whether some text matches both patterns.
func (p pattern) overlaps(q pattern) bool {
	// meet[j] is the answer for the rest of p and q[j:], below is the same for the rest of p that is one shorter.
	var below []bool
	for i := len(p); i >= 0; i-- {
		meet := make([]bool, len(q)+1)
		for j := len(q); j >= 0; j-- {
			switch {
			case i == len(p) && j == len(q):
				meet[j] = true
			case i < len(p) && p[i] == '*':
				meet[j] = below[j] || j < len(q) && meet[j+1]
			case j < len(q) && q[j] == '*':
				meet[j] = meet[j+1] || i < len(p) && below[j]
			case i < len(p) && j < len(q):
				meet[j] = (p[i] == q[j] || p[i] == '?' || q[j] == '?') && below[j+1]
			}
		}
		below = meet
	}
	return below[0]
}

// contains tells whether p surely matches every text that q matches: what stands in q is taken letter by letter, and its wildcards by
// wildcards of p.
func (p pattern) contains(q pattern) bool {
	// rest[j] is the answer for the rest of p and q[j:], below is the same for the rest of p that is one shorter.
	var below []bool
	for i := len(p); i >= 0; i-- {
		rest := make([]bool, len(q)+1)
		for j := len(q); j >= 0; j-- {
			switch {
			case i == len(p):
				rest[j] = j == len(q)
			case p[i] == '*':
				rest[j] = below[j] || j < len(q) && rest[j+1]
			default:
				rest[j] = j < len(q) && q[j] != '*' && (p[i] == q[j] || p[i] == '?') && below[j+1]
			}
		}
		below = rest
	}
	return below[0]
}
