package haproxy

import (
	"fmt"
	"regexp"
	"strings"
)

// bare is what needs no quotes in any place of haproxy.cfg.
var bare = regexp.MustCompile(`^[A-Za-z0-9._:/@+=,\[\]-]+$`)

// fixed is a part of a line that is ours: it is written as it is.
type fixed string

// cfg is a haproxy.cfg that grows line by line.
type cfg struct {
	strings.Builder
	err error
}

// section starts a section.
func (f *cfg) section(format string, values ...any) {
	f.WriteString("\n")
	f.write(format, values)
}

// line is one directive. Each %s is one word, or a part of one, whatever is in it.
func (f *cfg) line(format string, values ...any) {
	f.WriteString("  ")
	f.write(format, values)
}

func (f *cfg) write(format string, values []any) {
	for i, v := range values {
		s, text := v.(string)
		if !text {
			continue
		}
		word, err := quoted(s)
		if err != nil && f.err == nil {
			f.err = err
		}
		values[i] = word
	}
	fmt.Fprintf(f, format+"\n", values...)
}

// quoted is s as HAProxy's parser takes it for exactly s. Every value was checked before; this holds if a check is wrong.
func quoted(s string) (string, error) {
	if bare.MatchString(s) {
		return s, nil
	}
	// In single quotes nothing is special but what ends them, or the line.
	if i := strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '\'' }); i >= 0 {
		return "", fmt.Errorf("%q cannot be written into haproxy.cfg: %q has no place in it", s, s[i:i+1])
	}
	return "'" + s + "'", nil
}
