package haproxy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/haproxy"
	"github.com/slipway-iac/slipway/internal/check"
)

func TestEveryProblemIsSaidAtOnce(t *testing.T) {
	long := "/" + strings.Repeat("x", 600)
	_, err := haproxy.Config{
		Address: "eth0",
		Listeners: []haproxy.Listener{
			{Port: 70000, PublicPort: -1, TrustedSources: []string{"10.0.0.1/8", "x"}},
			{Port: 8001, Certificate: "site.pem", RedirectToHTTPS: true, ProxyProtocolSources: []string{"10.0.0.0/8", "10.0.0.0/8"}},
		},
		Old: &haproxy.System{Addresses: []string{"10.0.0.1", "old\n", "10.0.0.1"}, Name: "old", Host: "a b", HealthMethod: "POST", HealthPath: "x"},
		New: &haproxy.System{Name: "10.0.0.1", Slots: 33, TLS: true, CAFile: "/a/../b", HealthPath: long},
		Routes: []haproxy.Route{
			{Name: "Site", Hosts: []string{"A.example.com", "b", "b"}, Paths: []string{"api", "/api/", "/a'b"}, OldWeight: 101, NewWeight: -1, OldState: "gone"},
			{Name: "drained", OldWeight: 1, OldState: haproxy.Drain},
			{Name: "drained", OldWeight: 1},
			{Name: "nothing"},
		},
		Cookie:     "a;b",
		Checks:     haproxy.Checks{IntervalSeconds: 301, Fall: 21, Rise: -1},
		Timeouts:   haproxy.Timeouts{Connect: -1, Tunnel: 86401},
		Resolver:   haproxy.Resolver{Nameservers: []string{"10.0.0.2"}, EverySeconds: 301, KeepSeconds: -1},
		Health:     haproxy.Health{Port: 8001, Path: "healthz"},
		Statistics: &haproxy.Statistics{User: "a:b", Sources: []string{"0.0.0.0/0"}},
		Process:    haproxy.Process{Socket: "admin.sock", MaxConnections: 99, HardStopSeconds: 86401},
	}.Render()
	if err == nil {
		t.Fatal("it was rendered")
	}
	golden := filepath.Join("testdata", "problems.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, readErr := os.ReadFile(golden)
	if readErr != nil {
		t.Fatal(readErr)
	}
	if err.Error()+"\n" != string(want) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestSingleProblems(t *testing.T) {
	route := func(name string, hosts, paths []string) haproxy.Route {
		return haproxy.Route{Name: name, Hosts: hosts, Paths: paths, OldWeight: 1}
	}
	for _, tc := range []struct {
		name   string
		change func(*haproxy.Config)
		want   string // empty: it is right
	}{
		{"typical", func(*haproxy.Config) {}, ""},
		{"no system", func(c *haproxy.Config) { c.Old = nil; c.Routes = nil }, "new is required, for example the name of an ALB: there must be an old or a new system\n  routes is required, for example one route without hosts and paths, which takes everything"},
		{"weight of no system", func(c *haproxy.Config) { c.Routes[0].NewWeight = 1 }, "routes[0].newWeight is 1, must be 0: there is no new system"},
		{"no addresses", func(c *haproxy.Config) { c.Old.Addresses = nil; c.Old.Slots = 2 }, `old.addresses is required, for example "10.0.0.5", or a name` + "\n  old.slots is 2, must be left out without name"},
		{"authorities without tls", func(c *haproxy.Config) { c.Old.CAFile = "/ca.pem" }, `old.caFile is "/ca.pem", must be left out without tls`},
		{"no sources", func(c *haproxy.Config) { c.Statistics = &haproxy.Statistics{} }, `statistics.sources is required, for example "10.0.0.0/16": the networks that reach the page`},
		{"zone", func(c *haproxy.Config) { c.Address = "fe80::1%eth0" }, `address is "fe80::1%eth0", must be an IP address, like "10.0.0.5" or "2001:db8::5"`},
		{"long socket", func(c *haproxy.Config) { c.Process.Socket = "/" + strings.Repeat("x", 97) }, "process.socket is 98 characters long, must be at most 97"},
		{"hidden by everything", func(c *haproxy.Config) {
			c.Routes = []haproxy.Route{route("a", nil, nil), route("b", []string{"b.example.com"}, nil)}
		}, "routes[1] (b) is never reached: routes[0] (a) comes before and takes all of it"},
		{"hidden by host and path", func(c *haproxy.Config) {
			c.Routes = []haproxy.Route{
				route("a", []string{"*.example.com", "x.org"}, []string{"/api"}),
				route("b", []string{"b.example.com", "*.c.example.com", "x.org"}, []string{"/api", "/api/v2"}),
			}
		}, "routes[1] (b) is never reached: routes[0] (a) comes before and takes all of it"},
		{"hidden by the root", func(c *haproxy.Config) {
			c.Routes = []haproxy.Route{route("a", nil, []string{"/"}), route("b", nil, nil)}
		}, "routes[1] (b) is never reached: routes[0] (a) comes before and takes all of it"},
		{"not hidden", func(c *haproxy.Config) {
			c.Routes = []haproxy.Route{
				route("a", []string{"*.example.com"}, nil), route("b", []string{"example.com"}, nil), route("c", nil, []string{"/api"}),
				route("d", nil, []string{"/apix"}), route("e", []string{"*.com"}, nil), route("f", nil, nil),
			}
		}, ""},
	} {
		c := haproxy.Config{Old: &haproxy.System{Addresses: []string{"10.0.0.1"}}, Routes: []haproxy.Route{{Name: "site", OldWeight: 1}}}
		tc.change(&c)
		want := ""
		if tc.want != "" {
			n := "1"
			if strings.Contains(tc.want, "\n") {
				n = "2"
			}
			want = "file \"haproxy.cfg\" has " + n + " invalid argument(s):\n  " + tc.want
		}
		got := ""
		if _, err := c.Render(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tc.name, got, want)
		}
		p := &check.Problems{}
		c.Check(p.At("haproxy"))
		if p.None() != (want == "") {
			t.Errorf("%s: Check finds something else than Render", tc.name)
		}
	}
}

// Rendering fills in defaults: those are not the caller's to see.
func TestRenderChangesNothing(t *testing.T) {
	c := typical(90, 10)
	c.Listeners = make([]haproxy.Listener, 1)
	c.Statistics = &haproxy.Statistics{Sources: []string{"10.0.0.0/8"}}
	if _, err := c.Render(); err != nil {
		t.Fatal(err)
	}
	if c.Listeners[0].Port != 0 || c.Statistics.Port != 0 || c.Old.Port != 0 || c.New.Slots != 0 || c.Routes[0].OldState != "" {
		t.Errorf("it is now %+v", c)
	}
}
