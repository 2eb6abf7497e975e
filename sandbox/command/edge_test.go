package command

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/sandbox/home"
)

// paper is written on by one and read by another.
type paper struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

func TestEdgeServesUntilItIsEnded(t *testing.T) {
	h := home.Home(t.TempDir())
	if err := h.Make(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	said, ended := &paper{}, make(chan error)
	go func() { ended <- (&Sandbox{Home: h}).edge(ctx, nil, said) }()
	var address string
	for end := time.Now().Add(time.Minute); address == "" && time.Now().Before(end); time.Sleep(2 * time.Millisecond) { // what it prints makes no event
		address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(said.String())
	}
	if address == "" {
		t.Fatalf("it says no address:\n%s", said)
	}
	resp, err := http.Get(address)
	if err != nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without an account: %v, %v", resp, err)
	}
	for _, part := range []string{"are signed by " + h.Edge() + "/ca.pem\n", "waiting: the account has no application load balancer", "Kubernetes does not run"} {
		for end := time.Now().Add(time.Minute); !strings.Contains(said.String(), part) && time.Now().Before(end); time.Sleep(2 * time.Millisecond) { // nor does this
		}
		if !strings.Contains(said.String(), part) {
			t.Errorf("it does not say %q:\n%s", part, said)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := http.Get(address); err == nil {
		t.Error("it still answers")
	}
}

func TestEdgeArguments(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // what is taken all the same ends at once
	for line, want := range map[string]string{
		"--https 70000": "--https is 70000, must be a port, 1 to 65535, or 0 for a free one",
		"--http -1":     "--http is -1, must be a port",
		"--http web":    "edge [--http PORT] [--https PORT]",
		"8080":          "edge [--http PORT] [--https PORT]",
	} {
		err := (&Sandbox{Home: home.Home(t.TempDir())}).edge(ctx, strings.Fields(line), &paper{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}
