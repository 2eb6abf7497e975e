package haproxy_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-iac/slipway/haproxy"
)

// together is the answers to n requests from each of four clients at the same time.
func together(t *testing.T, n int, url string) map[string]int {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	got := map[string]int{}
	for range 4 {
		all.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			for i := range n {
				side, err := one(transport, url, strconv.Itoa(i), true)
				if err != nil {
					side = err.Error()
				}
				mu.Lock()
				got[side]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return got
}

func TestADeadSideGivesItsShareToTheOther(t *testing.T) {
	for _, cookie := range []string{"", "slipway"} {
		from, to := startApp(t, "old", "", "127.0.0.1:0"), startApp(t, "new", "", "127.0.0.1:0")
		address := from.Listener.Addr().String()
		p := start(t, haproxy.Config{
			Old: from.system(), New: to.system(), Cookie: cookie,
			Routes: []haproxy.Route{{Name: "site", OldWeight: 50, NewWeight: 50}},
		})
		b := newBrowser(t)
		if cookie != "" {
			b = browserOn(t, "old", p.url("/"))
		}
		from.Close()
		eventually(t, "old is down", func() bool { return p.status(t, "site.old", "old1") == "DOWN" })
		if got := together(t, 100, p.url("/")); got["new"] != 400 {
			t.Errorf("with old down: %v", got)
		}
		if got := b.visit(t, p.url("/")); got != "new" {
			t.Errorf("with old down, a client of old got %q", got)
		}
		startApp(t, "old", "", address)
		eventually(t, "old is up", func() bool { return p.status(t, "site.old", "old1") == "UP" })
		if got := newSessions(t, 20, p.url("/")); got["old"] != 10 || got["new"] != 10 {
			t.Errorf("with old up again: %v", got)
		}
	}
}

func TestASideThatIsUnhealthyIsOutWhileItStillAnswers(t *testing.T) {
	from, to := startApp(t, "old", "", "127.0.0.1:0"), startApp(t, "new", "", "127.0.0.1:0")
	c := haproxy.Config{Old: from.system(), New: to.system(), Routes: []haproxy.Route{{Name: "site", OldWeight: 50, NewWeight: 50}}}
	c.Old.HealthPath = "/health"
	from.host = "www.example.com" // and the checks ask for 127.0.0.1
	p := start(t, c)
	eventually(t, "old is down", func() bool { return p.status(t, "site.old", "old1") == "DOWN" })
	if got := together(t, 20, p.url("/")); got["new"] != 80 {
		t.Errorf("got %v", got)
	}
}

func TestWhereNoOtherSideTakesTheShare(t *testing.T) {
	for _, tc := range []struct {
		name  string
		route haproxy.Route
		keep  bool
		want  map[string]int // of 20
	}{
		{"weight 0 is no escape", haproxy.Route{OldWeight: 100}, false, map[string]int{"503": 20}},
		{"drain is no escape", haproxy.Route{OldWeight: 50, NewWeight: 50, NewState: haproxy.Drain}, false, map[string]int{"503": 20}},
		{"maint is no escape", haproxy.Route{OldWeight: 50, NewWeight: 50, NewState: haproxy.Maint}, false, map[string]int{"503": 20}},
		{"shares are kept", haproxy.Route{OldWeight: 75, NewWeight: 25}, true, map[string]int{"503": 15, "new": 5}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			from, to := startApp(t, "old", "", "127.0.0.1:0"), startApp(t, "new", "", "127.0.0.1:0")
			tc.route.Name = "site"
			p := start(t, haproxy.Config{Old: from.system(), New: to.system(), Routes: []haproxy.Route{tc.route}, KeepShares: tc.keep})
			from.Close()
			eventually(t, "old is down", func() bool { return p.status(t, "site.old", "old1") == "DOWN" })
			got := map[string]int{}
			for side, n := range newSessions(t, 20, p.url("/")) {
				got[strings.Fields(side)[0]] += n
			}
			if fmt.Sprint(got) != fmt.Sprint(tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestOneOfTwoServersIsEnough(t *testing.T) {
	port := freePort(t)
	first := startApp(t, "first", "", fmt.Sprintf("127.0.0.1:%d", port))
	startApp(t, "second", "", fmt.Sprintf("127.0.0.2:%d", port))
	p := start(t, haproxy.Config{
		Old:    &haproxy.System{Addresses: []string{"127.0.0.1", "127.0.0.2"}, Port: port, HealthPath: "/health"},
		Cookie: "slipway",
		Routes: []haproxy.Route{{Name: "site", OldWeight: 100}},
	})
	b := browserOn(t, "first", p.url("/"))
	for range 5 {
		if got := b.visit(t, p.url("/")); got != "first" {
			t.Errorf("a session on the first server got %q", got)
		}
	}
	first.Close()
	eventually(t, "the first server is down", func() bool { return p.status(t, "site.old", "old1") == "DOWN" })
	if got := b.visit(t, p.url("/")); got != "second" {
		t.Errorf("got %q", got)
	}
	if got := together(t, 20, p.url("/")); got["second"] != 80 {
		t.Errorf("got %v", got)
	}
}

func TestHealthPort(t *testing.T) {
	from := startApp(t, "old", "", "127.0.0.1:0")
	p := start(t, haproxy.Config{Old: from.system(), Routes: []haproxy.Route{{Name: "site", OldWeight: 100}}})
	health := func(path string) int {
		code, _ := get(t, fmt.Sprintf("http://127.0.0.1:%d%s", p.Health.Port, path))
		return code
	}
	expect := func(when string, want int) {
		t.Helper()
		if got := health("/healthz"); got != want {
			t.Errorf("%s it answers %d, want %d", when, got, want)
		}
		if code, body := get(t, p.url("/")); code != 200 || body != "old" {
			t.Errorf("%s clients get %d %q", when, code, body)
		}
	}
	expect("at first", 200)
	if got := health("/"); got != 404 {
		t.Errorf("another path answers %d", got)
	}
	p.tell(t, haproxy.DrainInstance)
	expect("drained at run time", 503)
	p.tell(t, haproxy.ResumeInstance)
	expect("resumed", 200)
	p.Health.Draining = true
	p.reload(t)
	expect("drained by the file", 503)
	p.Health.Draining = false
	p.reload(t)
	expect("resumed by the file", 200)
	from.Close()
	eventually(t, "it fails without a server", func() bool { return health("/healthz") == 503 })
	p.Health.Alone = true
	p.reload(t)
	eventually(t, "the server is down after the reload too", func() bool { return p.status(t, "site.old", "old1") == "DOWN" })
	if got := health("/healthz"); got != 200 {
		t.Errorf("an instance that tells of itself alone answers %d without a server", got)
	}
	p.tell(t, haproxy.DrainInstance)
	if got := health("/healthz"); got != 503 {
		t.Errorf("drained, an instance that tells of itself alone answers %d", got)
	}
}

func TestANameFollowsItsAddresses(t *testing.T) {
	port := freePort(t)
	startApp(t, "one", "", fmt.Sprintf("127.0.0.1:%d", port))
	startApp(t, "two", "", fmt.Sprintf("127.0.0.2:%d", port))
	dns := startNames(t, "127.0.0.1")
	p := start(t, haproxy.Config{
		New:      &haproxy.System{Name: "localhost", Port: port, HealthPath: "/health"},
		Resolver: haproxy.Resolver{Nameservers: []string{dns.address()}, EverySeconds: 1, KeepSeconds: 1},
		Routes:   []haproxy.Route{{Name: "site", NewWeight: 100}},
	})
	worker := p.worker()
	l := startLoad(t, 2, p.url("/"))
	for _, step := range []struct {
		to   []string
		want string
	}{
		{[]string{"127.0.0.1"}, "one"},
		{[]string{"127.0.0.2"}, "two"},
		{[]string{"127.0.0.1", "127.0.0.2"}, "one two"},
		{[]string{"127.0.0.1"}, "one"},
	} {
		dns.change(step.to...)
		eventually(t, "requests go to "+step.want, func() bool {
			got := l.count(t, 10)
			switch step.want {
			case "one two":
				return got["one"] > 5 && got["two"] > 5
			default:
				return len(got) == 1 && got[step.want] > 0
			}
		})
	}
	l.end()
	if err := l.failed(); err != nil {
		t.Error(err)
	}
	if now := p.worker(); now != worker {
		t.Errorf("the worker was %s and is %s", worker, now)
	}
}
