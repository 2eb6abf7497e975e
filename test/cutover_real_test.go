//go:build real

package test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/cutover"
)

// oldAddress is the old system's, in the VPC and on this machine.
const oldAddress = "10.20.4.4"

// oldSystem is a server that is left behind.
type oldSystem struct {
	// counted are the requests that ab has sent, whose shares are measured; all are those of everybody.
	counted, all atomic.Int64
}

func startOldSystem(t *testing.T) *oldSystem {
	t.Helper()
	ip := func(verb string) ([]byte, error) {
		return exec.Command("ip", "address", verb, oldAddress+"/32", "dev", "lo").CombinedOutput()
	}
	if out, err := ip("replace"); err != nil {
		t.Fatalf("ip address: %v\n%s", err, out)
	}
	t.Cleanup(func() { _, _ = ip("del") })
	old := &oldSystem{}
	listener, err := net.Listen("tcp", oldAddress+":8080")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.RawQuery == "counted":
			old.counted.Add(1)
		case r.URL.Path == "/slow":
			select { // as long as the new system's
			case <-r.Context().Done():
			case <-time.After(slowRequest):
			}
		}
		if !strings.HasPrefix(r.UserAgent(), "ELB-HealthChecker") {
			old.all.Add(1)
		}
		fmt.Fprintln(w, "the old system")
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return old
}

// way is how the site's clients reach it, who know its name and trust no certificate but its own.
func (d door) way(t *testing.T) *http.Transport {
	t.Helper()
	pem, err := os.ReadFile(d.authority)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("%s holds no certificate", d.authority)
	}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, d.https)
		},
		TLSClientConfig: &tls.Config{RootCAs: roots},
	}
}

var (
	abComplete = regexp.MustCompile(`Complete requests:\s+(\d+)`)
	abFailed   = regexp.MustCompile(`\(Connect: (\d+), Receive: (\d+), Length: \d+, Exceptions: (\d+)\)|Non-2xx responses:\s+([1-9]\d*)`)
)

// measured is how many of 2,000 requests by ab reach the old system. Answers of two systems differ in length, which ab takes for a
// failure and this does not.
func (old *oldSystem) measured(t *testing.T, d door) int {
	t.Helper()
	const requests = "2000"
	before := old.counted.Load()
	out, err := exec.Command("ab", "-n", requests, "-c", "8", "-k", "-H", "Host: www.example.com", "https://"+d.https+"/?counted").CombinedOutput()
	if err != nil {
		t.Fatalf("ab: %v\n%s", err, out)
	}
	if m := abComplete.FindStringSubmatch(string(out)); m == nil || m[1] != requests {
		t.Errorf("ab did not send %s requests:\n%s", requests, out)
	}
	if m := abFailed.FindStringSubmatch(string(out)); m != nil && strings.Trim(strings.Join(m[1:], ""), "0") != "" {
		t.Errorf("requests of ab failed:\n%s", out)
	}
	return int(old.counted.Load() - before)
}

// moved takes the site from an old system to the pods under load, a stage at a time, through the load balancer as it is served here.
func (r *real) moved(t *testing.T) {
	old := startOldSystem(t)
	d := openDoor(t, r.box)
	at := func(stage string) {
		t.Helper()
		r.up(t, "config:\n", "config:\n  slipway:migration: {stage: "+stage+", old: {addresses: ["+oldAddress+"], port: 8080}}\n")
	}
	at("legacy")
	waitFor(t, "the old system gets all requests", func() bool { return strings.Contains(d.curl(t, "https://www.example.com/"), "the old system") })
	l := startLoadOn(t, []string{"https://www.example.com"}, "/", d.way(t))
	var shares []string
	for _, stage := range []string{"legacy", "canary 10", "split 50", "canary 5", "drain-legacy", "done"} {
		at(stage)
		parsed, err := cutover.ParseStage(stage)
		if err != nil {
			t.Fatal(err)
		}
		share, _ := parsed.Weights()
		var got float64
		// The load balancer follows the account a moment later.
		if !within(func() bool {
			got = float64(old.measured(t, d)) / 20
			return got >= float64(share)-2 && got <= float64(share)+2
		}) {
			t.Errorf("at stage %s the old system gets %.1f %% of the requests, want %d", stage, got, share)
		}
		shares = append(shares, fmt.Sprintf("%s %.1f %%", stage, got))
	}
	sent, failed, why := l.end()
	report(t, "from an old system to the pods in six stages by pulumi up: %d requests, %d failed %s; by ab the old system got at %s", sent, failed, why, strings.Join(shares, ", "))
	if failed > 0 {
		t.Errorf("%d of %d requests failed: %s", failed, sent, why)
	}
	if n := old.all.Load(); n < 100 {
		t.Errorf("the old system had %d requests in all, so that this shows nothing of it", n)
	}
}
