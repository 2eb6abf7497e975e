package haproxy_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/haproxy"
)

// browser keeps cookies, and has a new connection for each request.
type browser struct{ http.Client }

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}}
}

// visit is the side that answers, or the status if it is not 200.
func (b *browser) visit(t *testing.T, url string) string {
	t.Helper()
	resp, err := b.Get(url)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	if resp.StatusCode != http.StatusOK {
		return resp.Status
	}
	return strings.TrimSpace(string(body))
}

// browserOn is a browser with a session on side.
func browserOn(t *testing.T, side, url string) *browser {
	t.Helper()
	for range 100 {
		if b := newBrowser(t); b.visit(t, url) == side {
			return b
		}
	}
	t.Fatalf("of 100 new sessions none is on %s", side)
	return nil
}

func newSessions(t *testing.T, n int, url string) map[string]int {
	t.Helper()
	got := map[string]int{}
	for range n {
		got[newBrowser(t).visit(t, url)]++
	}
	return got
}

// Both kinds of old system, drained both ways: sessions and requests go on, new sessions go to the new system.
func TestDrainAndMaint(t *testing.T) {
	byName := func(a *app) *haproxy.System {
		s := a.system()
		s.Name, s.Addresses, s.Slots = "localhost", nil, 3
		return s
	}
	byReload := func(s haproxy.State) func(*testing.T, *proxy) {
		return func(t *testing.T, p *proxy) {
			p.Routes[0].OldState = s
			p.reload(t)
		}
	}
	bySocket := func(s haproxy.State) func(*testing.T, *proxy) {
		return func(t *testing.T, p *proxy) {
			servers := []string{"old1"}
			if p.Old.Name != "" {
				servers = []string{"old1", "old2", "old3"}
			}
			for _, server := range servers {
				p.tell(t, "set server site.old/"+server+" state "+string(s))
			}
		}
	}
	for _, tc := range []struct {
		name   string
		system func(*app) *haproxy.System
		change func(haproxy.State) func(*testing.T, *proxy)
		says   string // what HAProxy shows while it drains
	}{
		{"address by reload", (*app).system, byReload, "UP"},
		{"address by socket", (*app).system, bySocket, "DRAIN"},
		{"name by reload", byName, byReload, "UP"},
		{"name by socket", byName, bySocket, "DRAIN"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			from, to := startApp(t, "old", "", "127.0.0.1:0"), startApp(t, "new", "", "127.0.0.1:0")
			dns := startNames(t, "127.0.0.1")
			p := start(t, haproxy.Config{
				Old: tc.system(from), New: to.system(), Cookie: "slipway",
				Resolver: haproxy.Resolver{Nameservers: []string{dns.address()}, EverySeconds: 1},
				Routes:   []haproxy.Route{{Name: "site", OldWeight: 50, NewWeight: 50}},
			})
			onOld, onNew := browserOn(t, "old", p.url("/")), browserOn(t, "new", p.url("/"))
			for range 5 {
				if a, b := onOld.visit(t, p.url("/")), onNew.visit(t, p.url("/")); a != "old" || b != "new" {
					t.Fatalf("the sessions on old and new are on %q and %q", a, b)
				}
			}
			var done chan struct{}
			begin := func() {
				ended := make(chan struct{})
				done = ended
				go func() {
					defer close(ended)
					if got := onOld.visit(t, p.url("/slow")); got != "old" {
						t.Errorf("a request that was under way got %q", got)
					}
				}()
				select {
				case <-from.started:
				case <-ended:
				case <-to.started:
					t.Fatal("a request of a session on old is on new")
				}
			}
			finish := func() {
				select {
				case from.finish <- struct{}{}:
				case <-done:
				}
				<-done
			}
			begin()
			tc.change(haproxy.Drain)(t, p)
			if got := strings.Fields(p.status(t, "site.old", "old1"))[0]; got != tc.says {
				t.Errorf("it shows %s while it drains, want %s", got, tc.says)
			}
			if got := newSessions(t, 20, p.url("/")); got["new"] != 20 {
				t.Errorf("with old in drain, new sessions are on %v", got)
			}
			for range 5 {
				if got := onOld.visit(t, p.url("/")); got != "old" {
					t.Errorf("a session on old got %q", got)
				}
			}
			finish()
			begin()
			tc.change(haproxy.Maint)(t, p)
			if got := onOld.visit(t, p.url("/")); got != "new" {
				t.Errorf("with old in maint, a session on old got %q", got)
			}
			finish()
			if got := newSessions(t, 20, p.url("/")); got["new"] != 20 {
				t.Errorf("with old in maint, new sessions are on %v", got)
			}
			tc.change(haproxy.Ready)(t, p)
			eventually(t, "old takes sessions again", func() bool { return newSessions(t, 2, p.url("/"))["old"] > 0 })
			if got := onOld.visit(t, p.url("/")); got != "new" {
				t.Errorf("a session that had moved to new got %q", got)
			}
		})
	}
}

// Back from the canary: what has begun on the new system is finished there.
func TestWeightZeroKeepsSessionsOfItsRouteOnly(t *testing.T) {
	from, to := startApp(t, "old", "", "127.0.0.1:0"), startApp(t, "new", "", "127.0.0.1:0")
	p := start(t, haproxy.Config{
		Old: from.system(), New: to.system(), Cookie: "slipway",
		Routes: []haproxy.Route{
			{Name: "other", Paths: []string{"/other"}, OldWeight: 1},
			{Name: "site", OldWeight: 50, NewWeight: 50},
		},
	})
	b := browserOn(t, "new", p.url("/"))
	p.Routes[1].NewWeight = 0
	p.reload(t)
	for range 5 {
		if got := b.visit(t, p.url("/")); got != "new" {
			t.Errorf("a session on new got %q", got)
		}
		if got := b.visit(t, p.url("/other")); got != "old" {
			t.Errorf("on another route it got %q", got)
		}
	}
	if got := newSessions(t, 20, p.url("/")); got["old"] != 20 {
		t.Errorf("new sessions are on %v", got)
	}
}
