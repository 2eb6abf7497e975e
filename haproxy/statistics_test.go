package haproxy_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/haproxy"
)

func withStatistics(t *testing.T, environment ...string) (*proxy, string) {
	t.Helper()
	from, to := startApp(t, "old", "", "127.0.0.1:0"), startApp(t, "new", "", "127.0.0.1:0")
	p := start(t, haproxy.Config{
		Old: from.system(), New: to.system(),
		Routes:     []haproxy.Route{{Name: "site", OldWeight: 50, NewWeight: 50}},
		Statistics: &haproxy.Statistics{Sources: []string{"127.0.0.1/32", "192.0.2.0/24"}},
	}, environment...)
	return p, fmt.Sprintf("http://127.0.0.1:%d/", p.Statistics.Port)
}

func TestStatisticsNeedThePasswordAndTheNetwork(t *testing.T) {
	p, page := withStatistics(t)
	as := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	for _, tc := range []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"nothing", func(*http.Request) {}, 401},
		{"a wrong password", as("admin", password+"x"), 401},
		{"a part of the password", as("admin", password[:12]), 401},
		{"no password", as("admin", ""), 401},
		{"another user", as("root", password), 401},
		{"the password", as("admin", password), 200},
	} {
		if code, body := get(t, page, tc.change); code != tc.want || (code == 200) != strings.Contains(body, "site.old") {
			t.Errorf("with %s it answers %d, want %d", tc.name, code, tc.want)
		}
	}
	authorized := http.Header{}
	r := &http.Request{Header: authorized}
	r.SetBasicAuth("admin", password)
	for ip, want := range map[string]int{"127.0.0.1": 200, "127.0.0.2": 403} {
		if resp, _ := fromAddress(t, ip, page, authorized); resp.StatusCode != want {
			t.Errorf("from %s it answers %d, want %d", ip, resp.StatusCode, want)
		}
	}
	file, err := os.ReadFile(p.file())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(file), password) {
		t.Error("the password is in the file")
	}
}

func TestAnAdminTakesServersOut(t *testing.T) {
	p, page := withStatistics(t)
	act := func(action, user, origin string) int {
		form := url.Values{"s": {"old1"}, "b": {"site.old"}, "action": {action}}.Encode()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		if user != "" {
			req.SetBasicAuth(user, password)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	own := strings.TrimSuffix(page, "/")
	expect := func(code, want int, status string, old, next int) {
		t.Helper()
		if code != want {
			t.Errorf("it answers %d, want %d", code, want)
		}
		if got := strings.Fields(p.status(t, "site.old", "old1"))[0]; got != status {
			t.Errorf("old is %s, want %s", got, status)
		}
		if got := newSessions(t, 10, p.url("/")); got["old"] != old || got["new"] != next {
			t.Errorf("sessions are on %v, want %d and %d", got, old, next)
		}
	}
	expect(act("maint", "", own), 401, "UP", 5, 5)
	expect(act("maint", "admin", "http://evil.example.com"), 403, "UP", 5, 5)
	expect(act("maint", "admin", "null"), 403, "UP", 5, 5)
	expect(act("maint", "admin", own), 303, "MAINT", 0, 10)
	expect(act("ready", "admin", ""), 303, "UP", 5, 5)
	expect(act("drain", "admin", own), 303, "DRAIN", 0, 10)
}

// HAProxy takes a variable that is not there for an empty password.
func TestWithoutAPasswordThePageIsClosedAndTheDoorOpen(t *testing.T) {
	for _, secret := range []string{"", "elevenchars"} {
		p, page := withStatistics(t, haproxy.PasswordVariable+"="+secret)
		if code, _ := get(t, page, func(r *http.Request) { r.SetBasicAuth("admin", secret) }); code != 403 {
			t.Errorf("with the password %q the page answers %d", secret, code)
		}
		if code, _ := get(t, p.url("/")); code != 200 {
			t.Errorf("with the password %q clients get %d", secret, code)
		}
	}
}
