package haproxy_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/slipway-iac/slipway/haproxy"
)

var update = flag.Bool("update", false, "write the golden files anew")

// typical is the migration of SYSTEM.md.
func typical(from, to int) haproxy.Config {
	return haproxy.Config{
		Old:    &haproxy.System{Addresses: []string{"192.0.2.10", "192.0.2.11"}, Host: "www.example.com", HealthPath: "/health"},
		New:    &haproxy.System{Name: "localhost", TLS: true, Host: "frontend.example.com", HealthMethod: "GET", HealthPath: "/healthz?from=haproxy"},
		Routes: []haproxy.Route{{Name: "site", OldWeight: from, NewWeight: to}},
	}
}

// golden is every configuration that has a file in testdata.
func golden() map[string]haproxy.Config {
	drain := typical(50, 50)
	drain.Routes[0].OldState = haproxy.Drain
	drain.Cookie = "slipway"
	done := typical(0, 100)
	done.Old = nil
	maint := typical(50, 50)
	maint.Routes[0].OldState, maint.KeepShares = haproxy.Maint, true
	routes := typical(90, 10)
	routes.Cookie = "slipway"
	routes.Statistics = &haproxy.Statistics{Sources: []string{"10.0.0.0/16", "2001:db8::/32"}}
	routes.Listeners = []haproxy.Listener{{RedirectToHTTPS: true}}
	routes.Routes = []haproxy.Route{
		{Name: "api", Hosts: []string{"www.example.com", "*.api.example.com"}, Paths: []string{"/api", "/v2/$x"}, OldWeight: 1, NewWeight: 2},
		{Name: "api-rest", Hosts: []string{"api.example.com"}, Paths: []string{"/"}, NewWeight: 1, OldState: haproxy.Maint},
		{Name: "rest", OldWeight: 100},
	}
	return map[string]haproxy.Config{
		"legacy":       typical(100, 0),
		"canary":       typical(90, 10),
		"split":        typical(50, 50),
		"drain-legacy": drain,
		"maint":        maint,
		"done":         done,
		"routes":       routes,
		"everything": {
			Address: "::",
			Listeners: []haproxy.Listener{
				{Port: 80, TrustedSources: []string{"10.0.0.0/16", "fd00::/8"}},
				{Port: 81, HTTPS: true, ProxyProtocolSources: []string{"10.1.0.0/16"}},
				{Port: 82, PublicPort: 8080},
			},
			Old:        &haproxy.System{Addresses: []string{"2001:db8::5", "192.0.2.10"}, Port: 8080, HealthPath: "/a$b%20;c"},
			New:        &haproxy.System{Name: "localhost", Slots: 3, Port: 8443, TLS: true, Host: "new.example.com:8443"},
			Routes:     []haproxy.Route{{Name: "all", OldWeight: 2, NewWeight: 1}},
			Cookie:     "SESSION",
			KeepShares: true,
			Checks:     haproxy.Checks{IntervalSeconds: 10, Fall: 5, Rise: 4},
			Timeouts:   haproxy.Timeouts{Connect: 1, Client: 2, Server: 3, HTTPRequest: 4, HTTPKeepAlive: 5, Queue: 6, Check: 7, Tunnel: 8},
			Resolver:   haproxy.Resolver{Nameservers: []string{"10.0.0.2:53", "[2001:db8::2]:53"}, EverySeconds: 1, KeepSeconds: 2},
			Health:     haproxy.Health{Port: 9000, Path: "/up", Draining: true},
			Statistics: &haproxy.Statistics{Port: 9001, User: "ops", Sources: []string{"10.0.0.0/8"}},
			Process:    haproxy.Process{Socket: "/tmp/admin.sock", MaxConnections: 1000, HardStopSeconds: 60, Syslog: true, KeepUser: true},
		},
	}
}

// checkFile is what HAProxy itself thinks of a configuration.
func checkFile(t testing.TB, text string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t), "-c", "-f", path)
	cmd.Env = append(os.Environ(), haproxy.PasswordVariable+"="+password)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestGoldenFilesPassHAProxysCheck(t *testing.T) {
	for name, c := range golden() {
		got, err := c.Render()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		path := filepath.Join("testdata", name+".cfg")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs; run with -update and look at the difference. It is now\n%s", path, got)
		}
		t.Run(name, func(t *testing.T) {
			if out, err := checkFile(t, got); err != nil || out != "Configuration file is valid\n" {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
