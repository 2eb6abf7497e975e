package edge

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not so after a minute: %s", what)
}

// place is where a test's server listens.
func place(t *testing.T, address string) (host string, port int) {
	t.Helper()
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		address = u.Host
	}
	host, p, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err = strconv.Atoi(p)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

func TestTargetIsWatched(t *testing.T) {
	var status atomic.Int64
	status.Store(500)
	var asked atomic.Pointer[http.Request]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(int(status.Load()))
	}))
	defer s.Close()
	host, port := place(t, s.URL)
	target := &target{member: member{id: "n", noun: "node", name: "n", address: host, port: 1}}
	view := aws.TargetGroup{Name: "web", Version: "HTTP1", Check: aws.HealthCheck{
		Enabled: true, Protocol: "HTTP", Port: strconv.Itoa(port), Path: "/ready?deep=1", Matcher: "200,302", Interval: time.Millisecond, Timeout: time.Minute, Healthy: 2, Unhealthy: 2,
	}}
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var told []string
	said := func(part string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(told) > 0 && strings.Contains(told[len(told)-1], part)
		}
	}
	var all sync.WaitGroup
	all.Go(func() {
		target.watch(ctx, view, func(s string) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, s)
		})
	})
	eventually(t, "unhealthy at 500", said("target group web: node n at port 1 is unhealthy: /ready?deep=1 answers 500, must be 200,302"))
	if target.well() {
		t.Error("it is said to be unhealthy, and still gets requests")
	}
	if r := asked.Load(); r.URL.String() != "/ready?deep=1" || r.UserAgent() != "ELB-HealthChecker/2.0" || r.Host != s.Listener.Addr().String() || r.Method != http.MethodGet {
		t.Errorf("asked %s %s of %s as %s", r.Method, r.URL, r.Host, r.UserAgent())
	}
	status.Store(302) // which is not followed
	eventually(t, "healthy again", said("is healthy"))
	s.Close()
	eventually(t, "unhealthy when nothing listens", said("connection refused"))
	cancel()
	all.Wait()
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 3 {
		t.Errorf("told %q: a word for each change, and for nothing else", told)
	}
}
