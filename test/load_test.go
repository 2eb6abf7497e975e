//go:build real

package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// load is a constant stream of requests from several clients at once. Half of them open a connection for each request, half keep
// theirs, and ask once more where a kept one was closed under their hands, as every HTTP client may; beside them others ask for
// pages that take their time, each over a connection of its own.
type load struct {
	stop context.CancelFunc
	ends sync.WaitGroup

	mu      sync.Mutex
	sent    int
	failed  int
	reasons map[string]int
}

const (
	loadClients = 12
	// loadPause is what each client waits between two requests: about 800 a second together, which leaves the machine's two
	// processors room for everything else.
	loadPause   = 12 * time.Millisecond
	slowClients = 16
	// slowRequest is how long a slow page takes: less than slowestRequestSeconds of the configuration.
	slowRequest = 10 * time.Second
)

// startLoad sends requests for path to all addresses in turn until end.
func startLoad(t *testing.T, addresses []string, path string) *load {
	t.Helper()
	urls := make([]string, len(addresses))
	for i, a := range addresses {
		urls[i] = "http://" + a
	}
	return startLoadOn(t, urls, path, &http.Transport{})
}

// startLoadOn is startLoad for sites that are reached in their own way.
func startLoadOn(t *testing.T, urls []string, path string, way *http.Transport) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{stop: cancel, reasons: map[string]int{}}
	t.Cleanup(func() { l.end() })
	for n := range loadClients + slowClients {
		transport := way.Clone()
		transport.DisableKeepAlives = n%2 == 0 || n >= loadClients
		client := &http.Client{Timeout: 30 * time.Second, Transport: transport}
		page := path
		if n >= loadClients {
			page = fmt.Sprintf("/slow?ms=%d", slowRequest.Milliseconds())
		}
		l.ends.Go(func() {
			for i := n; ctx.Err() == nil; i++ {
				l.count(ask(client, urls[i%len(urls)]+page))
				select {
				case <-ctx.Done():
				case <-time.After(loadPause):
				}
			}
		})
	}
	return l
}

// ask sends one request, which is never given up when the load ends: a half-sent one would look like a failure.
func ask(client *http.Client, url string) error {
	resp, err := client.Get(url) //nolint:noctx // as above
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		if bytes.HasPrefix(body, []byte("<")) {
			return errors.New(resp.Status) // a load balancer's page, which says no more
		}
		// In one line, for the list of reasons.
		return fmt.Errorf("%s: %.80s", resp.Status, strings.Join(strings.Fields(string(body)), " "))
	}
	return nil
}

func (l *load) count(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if err != nil {
		l.failed++
		words := err.Error()
		// Without the addresses, so that the same reason counts as one.
		if i := strings.LastIndex(words, ": "); i >= 0 {
			words = words[i+2:]
		}
		l.reasons[words]++
	}
}

func (l *load) so(f func(sent, failed int) bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return f(l.sent, l.failed)
}

// end stops the load, lets what is under way finish, and tells how it went.
func (l *load) end() (sent, failed int, why string) {
	l.stop()
	l.ends.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	var reasons []string
	for r, n := range l.reasons {
		reasons = append(reasons, fmt.Sprintf("%d × %s", n, r))
	}
	slices.Sort(reasons)
	return l.sent, l.failed, strings.Join(reasons, ", ")
}
