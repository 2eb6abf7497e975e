package haproxy_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/slipway-iac/slipway/haproxy"
)

// load is clients that send one request after the other. Every second one takes a new connection each time.
type load struct {
	stop     atomic.Bool
	done     sync.WaitGroup
	sent     []atomic.Int64 // by client
	mu       sync.Mutex
	by       map[string]int // answers by side
	failures []error
}

func startLoad(t *testing.T, clients int, url string) *load {
	t.Helper()
	l := &load{sent: make([]atomic.Int64, clients), by: map[string]int{}}
	for i := range clients {
		l.done.Go(func() {
			transport := &http.Transport{DisableKeepAlives: i%2 == 1}
			defer transport.CloseIdleConnections()
			for n := 0; !l.stop.Load(); n++ {
				side, err := one(transport, url, fmt.Sprintf("%d-%d", i, n), n%2 == 0)
				l.mu.Lock()
				l.by[side]++
				if err != nil {
					l.failures = append(l.failures, err)
				}
				l.mu.Unlock()
				l.sent[i].Add(1)
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

// one is the side that answered a request with what was sent.
func one(transport *http.Transport, url, body string, post bool) (string, error) {
	method, sent := http.MethodGet, ""
	if post {
		method, sent = http.MethodPost, body
	}
	req, err := http.NewRequest(method, url, bytes.NewBufferString(sent))
	if err != nil {
		return "", err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	side, echo, _ := strings.Cut(string(got), " ")
	if resp.StatusCode != http.StatusOK || echo != sent {
		return "", fmt.Errorf("%s answered %s with %q", method, resp.Status, got)
	}
	return side, nil
}

func (l *load) end() {
	l.stop.Store(true)
	l.done.Wait()
}

// more waits until every client has sent n more requests.
func (l *load) more(t *testing.T, n int64) {
	t.Helper()
	until := make([]int64, len(l.sent))
	for i := range l.sent {
		until[i] = l.sent[i].Load() + n
	}
	eventually(t, fmt.Sprintf("every client has sent %d more requests", n), func() bool {
		for i := range l.sent {
			if l.sent[i].Load() < until[i] {
				return false
			}
		}
		return true
	})
}

// count is the answers by side of the next requests, n from every client.
func (l *load) count(t *testing.T, n int64) map[string]int {
	t.Helper()
	l.mu.Lock()
	l.by = map[string]int{}
	l.mu.Unlock()
	l.more(t, n)
	l.mu.Lock()
	defer l.mu.Unlock()
	got := l.by
	l.by = map[string]int{}
	return got
}

func (l *load) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.failures...)
}

func TestEveryStageUnderLoadLosesNothing(t *testing.T) {
	from := startApp(t, "old", "www.example.com", "127.0.0.1:0")
	to := startApp(t, "new", "frontend.example.com", "127.0.0.1:0")
	dns := startNames(t, "127.0.0.1")
	c := haproxy.Config{
		Old:      from.system(),
		New:      &haproxy.System{Name: "localhost", Port: to.port(), Host: to.host, HealthPath: "/health"},
		Resolver: haproxy.Resolver{Nameservers: []string{dns.address()}, EverySeconds: 1},
	}
	stages := []struct {
		name  string
		route haproxy.Route
		want  float64 // percent to the new system
	}{
		{"legacy", haproxy.Route{OldWeight: 100}, 0},
		{"canary 10", haproxy.Route{OldWeight: 90, NewWeight: 10}, 10},
		{"split 50", haproxy.Route{OldWeight: 50, NewWeight: 50}, 50},
		{"drain-legacy", haproxy.Route{OldWeight: 50, NewWeight: 50, OldState: haproxy.Drain}, 100},
		{"done", haproxy.Route{NewWeight: 100}, 100},
	}
	for i := len(stages) - 2; i >= 0; i-- {
		stages = append(stages, stages[i])
	}
	var p *proxy
	var l *load
	total := 0
	for i, s := range stages {
		s.route.Name = "site"
		c.Routes = []haproxy.Route{s.route}
		c.Old = from.system()
		if s.name == "done" {
			c.Old = nil
		}
		if i == 0 {
			p = start(t, c)
			l = startLoad(t, 8, p.url("/"))
		} else {
			p.Routes, p.Old = c.Routes, c.Old
			p.reload(t)
		}
		l.more(t, 3) // connections to the old worker end with their next answer
		got := l.count(t, 400)
		n := got["old"] + got["new"]
		share := 100 * float64(got["new"]) / float64(n)
		t.Logf("%-12s %d requests, %.2f %% to the new system", s.name, n, share)
		if math.Abs(share-s.want) > 2 {
			t.Errorf("%s: %v, which is %.1f %% to the new system, want %v %%", s.name, got, share, s.want)
		}
		total += n
	}
	l.end()
	if err := l.failed(); err != nil {
		t.Errorf("of more than %d requests, %d failed: %v", total, len(l.failures), err)
	}
}

// Whatever the weights are, each row of as many requests as they add up to has exactly its share.
func TestSharesAreExact(t *testing.T) {
	from, to := startApp(t, "old", "", "127.0.0.1:0"), startApp(t, "new", "", "127.0.0.1:0")
	c := haproxy.Config{Old: from.system(), New: to.system()}
	for _, w := range [][2]int{{2, 1}, {97, 3}, {7, 100}, {1, 1}} {
		c.Routes = append(c.Routes, haproxy.Route{
			Name: fmt.Sprintf("w%d-%d", w[0], w[1]), Paths: []string{fmt.Sprintf("/%d-%d", w[0], w[1])}, OldWeight: w[0], NewWeight: w[1],
		})
	}
	p := start(t, c)
	for range 2 {
		for _, r := range c.Routes {
			got := map[string]int{}
			for range r.OldWeight + r.NewWeight {
				_, body := get(t, p.url(r.Paths[0]))
				got[body]++
			}
			if got["old"] != r.OldWeight || got["new"] != r.NewWeight {
				t.Errorf("%s: got %v", r.Name, got)
			}
		}
	}
}

func TestAReloadHandsOverWhatIsOpen(t *testing.T) {
	from := startApp(t, "old", "", "127.0.0.1:0")
	p := start(t, haproxy.Config{Old: from.system(), Routes: []haproxy.Route{{Name: "site", OldWeight: 1}}})
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.Listeners[0].Port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	ask := func() {
		t.Helper()
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "old " {
			t.Fatalf("%q, %v", body, err)
		}
	}
	ask()
	socket := listening(t, p.Listeners[0].Port)
	p.reload(t)
	// Else the connections that wait in its queue are reset.
	if now := listening(t, p.Listeners[0].Port); now != socket {
		t.Errorf("it listened on the socket %s and now on %s", socket, now)
	}
	// A client that does not try again, such as an ALB, sends its next request on the connection that it has.
	ask()
}

// listening is the number of the socket that listens on a port.
func listening(t *testing.T, port int) string {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		const listen, inode = "0A", 9
		if f := strings.Fields(line); len(f) > inode && f[3] == listen && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
			return f[inode]
		}
	}
	t.Fatalf("nobody listens on %d", port)
	return ""
}
