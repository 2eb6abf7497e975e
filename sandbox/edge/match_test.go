package edge

import (
	"net/http/httptest"
	"testing"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

func TestConditions(t *testing.T) {
	host := func(v ...string) aws.Condition { return aws.Condition{Kind: "hostHeader", Values: v} }
	path := func(v ...string) aws.Condition { return aws.Condition{Kind: "pathPattern", Values: v} }
	method := func(v ...string) aws.Condition { return aws.Condition{Kind: "httpRequestMethod", Values: v} }
	header := func(name string, v ...string) aws.Condition {
		return aws.Condition{Kind: "httpHeader", Header: name, Values: v}
	}
	source := func(v ...string) aws.Condition { return aws.Condition{Kind: "sourceIp", Values: v} }
	query := func(q ...aws.Query) aws.Condition { return aws.Condition{Kind: "queryStrings", Queries: q} }

	r := httptest.NewRequest("GET", "https://Shop.Example.com:8443/img/Cat%20one.png?Version=v1&plain&star=a*b&half=x=y", nil)
	r.RemoteAddr = "127.0.0.2:40000"
	r.Header.Set("User-Agent", "Mozilla/5.0 Chrome/9")
	r.Header.Set("X-Back", `a\bc`)
	r.Header.Add("X-Kind", "first")
	r.Header.Add("X-Kind", "Second")
	for _, c := range []struct {
		name      string
		condition aws.Condition
		want      bool
	}{
		{"a host, in whatever letters, without its port", host("SHOP.example.COM"), true},
		{"one of several hosts", host("a.example.com", "shop.example.com"), true},
		{"another host", host("example.com"), false},
		{"* in a host", host("*.example.com"), true},
		{"* takes dots", host("*.com"), true},
		{"* does not take what has to follow", host("*.shop.example.com"), false},
		{"? is exactly one", host("sho?.example.com"), true},
		{"? is not none", host("shop?.example.com"), false},
		{"a path to the letter", path("/img/Cat%20one.png"), true},
		{"a path in other letters", path("/img/cat%20one.png"), false},
		{"a path as it was sent, not decoded", path("/img/Cat one.png"), false},
		{"* in a path takes slashes", path("/*.png"), true},
		{"* may be nothing", path("/img/*Cat*"), true},
		{"a path without what follows it", path("/img/"), false},
		{"the query is no part of the path", path("*Version*"), false},
		{"a backslash is a character like others, but in queries", header("X-Back", `a\*c`), true},
		{"a method", method("POST", "GET"), true},
		{"a method in other letters", method("get"), false},
		{"no wildcards in methods", method("*"), false},
		{"a header, in whatever letters", header("user-agent", "*chrome*"), true},
		{"a header with another value", header("User-Agent", "chrome"), false},
		{"a header that is not sent", header("X-None", "*"), false},
		{"the second field of a header", header("X-Kind", "second"), true},
		{"a network that the client is in", source("10.0.0.0/8", "127.0.0.0/8"), true},
		{"a network that it is not in", source("127.0.0.1/32"), false},
		{"a network of the other family", source("::/0"), false},
		{"a parameter, in whatever letters", query(aws.Query{Key: "version", Value: "V1"}), true},
		{"a value of any parameter", query(aws.Query{Value: "v1"}), true},
		{"a value of another parameter", query(aws.Query{Key: "plain", Value: "v1"}), false},
		{"one of several parameters", query(aws.Query{Key: "a", Value: "b"}, aws.Query{Key: "ver*", Value: "v?"}), true},
		{"a wildcard that is taken for what it is", query(aws.Query{Key: "star", Value: `a\*b`}), true},
		{"and for nothing else", query(aws.Query{Key: "version", Value: `v\?`}), false},
		{"a value with an equals sign", query(aws.Query{Key: "half", Value: "x=y"}), true},
		{"a kind that nobody knows", aws.Condition{Kind: "moonPhase", Values: []string{"*"}}, false},
	} {
		if got := questionOf(r).meets(c.condition); got != c.want {
			t.Errorf("%s: %+v is met: %t, want %t", c.name, c.condition, got, c.want)
		}
	}
	if !questionOf(r).meetsAll([]aws.Condition{host("shop.*"), method("GET")}) || questionOf(r).meetsAll([]aws.Condition{host("shop.*"), method("PUT")}) {
		t.Error("a rule does not ask for all of its conditions")
	}
}

func TestLikeDoesNotGrowWithoutBound(t *testing.T) {
	long := make([]byte, 1<<16)
	for i := range long {
		long[i] = 'a'
	}
	if like(marks("*a*a*a*a*a*a*a*a*a*a*b", false), string(long)) {
		t.Error("found a b in a's")
	}
	if !like(marks("*", false), "") || like(marks("?", false), "") || !like(nil, "") {
		t.Error("what is empty is compared wrongly")
	}
}
