package edge

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// question is what of a request decides which rule it meets.
type question struct {
	// host is without its port; an address of IPv6 is in brackets.
	host string
	// path and query are as they were sent, with their percent signs.
	path, query string
	method      string
	header      http.Header
	source      netip.Addr
}

func questionOf(r *http.Request) question {
	from, _ := netip.ParseAddrPort(r.RemoteAddr)
	return question{
		host: hostOnly(r.Host), path: r.URL.EscapedPath(), query: r.URL.RawQuery, method: r.Method, header: r.Header, source: from.Addr().Unmap(),
	}
}

// withoutPort is the name in a Host header.
func withoutPort(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

// hostOnly is a Host header without its port.
func hostOnly(host string) string {
	name := withoutPort(host)
	if strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return name
}

// meetsAll tells whether a request is one for a rule.
func (q question) meetsAll(conditions []aws.Condition) bool {
	return !slices.ContainsFunc(conditions, func(c aws.Condition) bool { return !q.meets(c) })
}

// meets compares as an application load balancer does: hosts, headers and queries by small and capital letters alike, paths and
// methods to the letter. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
func (q question) meets(c aws.Condition) bool {
	switch c.Kind {
	case "hostHeader":
		return anyLike(c.Values, strings.ToLower(q.host), true)
	case "pathPattern":
		return anyLike(c.Values, q.path, false)
	case "httpRequestMethod":
		return slices.Contains(c.Values, q.method)
	case "httpHeader":
		return slices.ContainsFunc(q.header.Values(c.Header), func(v string) bool { return anyLike(c.Values, strings.ToLower(v), true) })
	case "sourceIp":
		return slices.ContainsFunc(c.Values, func(cidr string) bool {
			p, err := netip.ParsePrefix(cidr)
			return err == nil && p.Contains(q.source)
		})
	case "queryStrings":
		return slices.ContainsFunc(c.Queries, q.asks)
	}
	return false
}

// asks tells whether one of the parameters of the request is that of a condition.
func (q question) asks(want aws.Query) bool {
	for _, pair := range strings.Split(strings.ToLower(q.query), "&") {
		key, value, _ := strings.Cut(pair, "=")
		if (want.Key == "" || like(marks(strings.ToLower(want.Key), true), key)) && like(marks(strings.ToLower(want.Value), true), value) {
			return true
		}
	}
	return false
}

// anyLike compares with each pattern; lower says that s is in lower case, and the patterns are to be.
func anyLike(patterns []string, s string, lower bool) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if lower {
			p = strings.ToLower(p)
		}
		return like(marks(p, false), s)
	})
}

// mark is one element of a pattern: a character, or a wildcard.
type mark struct {
	char byte
	// one stands for any character, some for any number of them.
	one, some bool
}

// marks reads a pattern. Only in queries a backslash takes the wildcard after it for what it is.
func marks(pattern string, escapes bool) []mark {
	var out []mark
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if escapes && c == '\\' && i+1 < len(pattern) && strings.IndexByte(`*?\`, pattern[i+1]) >= 0 {
			i++
			out = append(out, mark{char: pattern[i]})
			continue
		}
		out = append(out, mark{char: c, one: c == '?', some: c == '*'})
	}
	return out
}

// like tells whether s is of the pattern. It goes back to the last * only, so that it takes no longer than the product of both
// lengths.
func like(pattern []mark, s string) bool {
	p, i, star, from := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p].some:
			star, from = p, i
			p++
		case p < len(pattern) && (pattern[p].one || pattern[p].char == s[i]):
			p++
			i++
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p].some {
		p++
	}
	return p == len(pattern)
}
