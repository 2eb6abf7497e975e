package haproxy_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/slipway-iac/slipway/haproxy"
)

// Plain HTTP goes to the systems for as long as the old one takes new sessions, and to https from then on.
func TestPlainHTTPBecomesHTTPS(t *testing.T) {
	from, to := startApp(t, "old", "", "127.0.0.1:0"), startApp(t, "new", "", "127.0.0.1:0")
	p := start(t, haproxy.Config{
		Listeners: []haproxy.Listener{{RedirectToHTTPS: true, TrustedSources: []string{"127.0.0.2/32"}}, {HTTPS: true}, {}},
		Old:       from.system(), New: to.system(), Cookie: "slipway",
		Routes: []haproxy.Route{
			{Name: "done", Paths: []string{"/done"}, NewWeight: 1, OldState: haproxy.Maint},
			{Name: "legacy", Paths: []string{"/legacy"}, OldWeight: 1},
			{Name: "split", Paths: []string{"/split"}, OldWeight: 1, NewWeight: 1},
			{Name: "drain", NewWeight: 1, OldState: haproxy.Drain},
		},
	})
	const path = "/a%20b?c=%2F&d=http://x"
	type request struct {
		from     string
		listener int
		path     string
		header   http.Header
	}
	for _, tc := range []struct {
		name string
		request
		code     int
		location string
	}{
		{"done", request{path: "/done" + path}, 301, "https://shop.example.com/done" + path},
		{"drain", request{path: path}, 302, "https://shop.example.com" + path},
		{"a session on old", request{path: path, header: http.Header{"Cookie": {"slipway-drain=old1"}}}, 200, ""},
		{"a session on old when that is out", request{path: "/done", header: http.Header{"Cookie": {"slipway-done=old1"}}}, 301, "https://shop.example.com/done"},
		{"a session on new", request{path: path, header: http.Header{"Cookie": {"slipway-drain=new1"}}}, 302, "https://shop.example.com" + path},
		{"legacy", request{path: "/legacy"}, 200, ""},
		{"split", request{path: "/split"}, 200, ""},
		{"https", request{path: "/done", listener: 1}, 200, ""},
		{"a port that does not redirect", request{path: "/done", listener: 2}, 200, ""},
		{"https at the load balancer in front", request{from: "127.0.0.2", path: "/done", header: http.Header{"X-Forwarded-Proto": {"https"}}}, 200, ""},
		{"plain HTTP there", request{from: "127.0.0.2", path: "/done", header: http.Header{"X-Forwarded-Proto": {"http"}}}, 301, "https://shop.example.com/done"},
		{"https, says anybody", request{path: "/done", header: http.Header{"X-Forwarded-Proto": {"https"}}}, 301, "https://shop.example.com/done"},
	} {
		if tc.from == "" {
			tc.from = "127.0.0.1"
		}
		resp, body := fromAddress(t, tc.from, fmt.Sprintf("http://127.0.0.1:%d%s", p.Listeners[tc.listener].Port, tc.path), tc.header)
		if resp.StatusCode != tc.code || resp.Header.Get("Location") != tc.location {
			t.Errorf("%s: %d %q to %q, want %d to %q", tc.name, resp.StatusCode, body, resp.Header.Get("Location"), tc.code, tc.location)
		}
	}
	p.Old, p.Routes = nil, []haproxy.Route{{Name: "drain", NewWeight: 1}}
	p.reload(t)
	resp, _ := fromAddress(t, "127.0.0.1", p.url(path), nil)
	if to := resp.Header.Get("Location"); resp.StatusCode != 301 || to != "https://shop.example.com"+path {
		t.Errorf("without an old system: %d to %q", resp.StatusCode, to)
	}
	if code, body := get(t, fmt.Sprintf("http://127.0.0.1:%d/healthz", p.Health.Port)); code != 200 {
		t.Errorf("the health port answers %d %q", code, body)
	}
}
