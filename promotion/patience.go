package promotion

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Patience is how long a registry that is down or busy is asked again.
type Patience struct {
	// Attempts at one request or one blob, the first included. Default 6.
	Attempts int
	// First is the pause after the first attempt; each one after that is twice as long, up to 30 s. Default 500 ms.
	First time.Duration
	// Longest is the longest pause that a registry may ask for in Retry-After; one that asks for more is given up. Default 5 minutes.
	Longest time.Duration
	// Sleep waits, or returns the context's error. Default: by the clock.
	Sleep func(context.Context, time.Duration) error
}

func (p Patience) filled() Patience {
	if p.Attempts == 0 {
		p.Attempts = 6
	}
	if p.First == 0 {
		p.First = 500 * time.Millisecond
	}
	if p.Longest == 0 {
		p.Longest = 5 * time.Minute
	}
	if p.Sleep == nil {
		p.Sleep = func(ctx context.Context, d time.Duration) error {
			t := time.NewTimer(d)
			defer t.Stop()
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-t.C:
				return nil
			}
		}
	}
	return p
}

// pause is how long to wait after the nth attempt, a little different each time so that workers spread.
func (p Patience) pause(n int) time.Duration {
	d := min(p.First<<min(n-1, 16), 30*time.Second)
	return d*3/4 + rand.N(d/4+1)
}

// again runs f until it succeeds, fails for good, or there was enough of it.
func (p Patience) again(ctx context.Context, f func() error) error {
	for n := 1; ; n++ {
		err := f()
		if err != nil && ctx.Err() != nil {
			return ctx.Err() // whatever the request that was given up failed with
		}
		if err == nil || !passes(err) {
			return err
		}
		if n >= p.Attempts {
			return &gaveUp{n, err}
		}
		if err := p.Sleep(ctx, p.pause(n)); err != nil {
			return err
		}
	}
}

// busy tells whether a status passes by itself.
func busy(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500 && status != http.StatusNotImplemented
}

// passes tells whether an error may be gone at the next attempt.
func passes(err error) bool {
	var (
		answer  *transport.Error
		network net.Error
	)
	switch {
	case errors.As(err, new(*tooLong)), errors.As(err, new(*gaveUp)), errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &answer):
		return busy(answer.StatusCode)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, net.ErrClosed):
		return true
	}
	return errors.As(err, &network) && network.Timeout()
}

// tooLong is a registry's wish for a pause that nobody waits for.
type tooLong struct {
	host string
	wait time.Duration
}

func (e *tooLong) Error() string {
	return fmt.Sprintf("%s wants to be asked again in %s only: run the same command then, it goes on from here", e.host, e.wait.Round(time.Second))
}

// gaveUp is a request that was made often enough; who made it need not make it again.
type gaveUp struct {
	attempts int
	err      error
}

func (e *gaveUp) Error() string { return fmt.Sprintf("after %d attempts: %v", e.attempts, e.err) }
func (e *gaveUp) Unwrap() error { return e.err }

// said is a response, or why there is none, as an error.
func said(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return transport.CheckError(resp)
}

// patient asks again where a request can be repeated, and keeps all requests from a host that asked for a pause. A blob's upload
// cannot be repeated request by request: that is begun anew by who copies it.
type patient struct {
	Patience
	next http.RoundTripper

	mu    sync.Mutex
	pause map[string]time.Duration // by host: what it asked for and no request has waited yet
}

// RoundTrip implements http.RoundTripper.
func (t *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	for n := 1; ; n++ {
		if err := t.wait(req); err != nil {
			return nil, err
		}
		resp, err := t.next.RoundTrip(req)
		if err == nil && !busy(resp.StatusCode) || err != nil && !passes(err) {
			return resp, err
		}
		asked, late := time.Duration(0), error(nil)
		if err == nil {
			asked, late = t.asked(req.URL.Host, resp)
		}
		if late != nil {
			resp.Body.Close()
			return nil, late
		}
		if !t.repeatable(req) {
			if asked > 0 {
				t.owe(req.URL.Host, asked)
			}
			return resp, err
		}
		if n >= t.Attempts {
			return nil, &gaveUp{n, said(resp, err)}
		}
		if err == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection serves again
			resp.Body.Close()
		}
		if asked == 0 {
			asked = t.Patience.pause(n)
		}
		if err := t.Sleep(req.Context(), asked); err != nil {
			return nil, err
		}
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

func (t *patient) repeatable(req *http.Request) bool {
	return req.Method == http.MethodGet || req.Method == http.MethodHead || req.Method == http.MethodPut && req.GetBody != nil
}

// asked is what the answer's Retry-After wants, in seconds or as a date.
func (t *patient) asked(host string, resp *http.Response) (time.Duration, error) {
	after := resp.Header.Get("Retry-After")
	var d time.Duration
	if s, err := strconv.Atoi(after); err == nil && s > 0 {
		d = time.Duration(min(s, 1<<30)) * time.Second
	} else if at, err := http.ParseTime(after); err == nil {
		d = max(0, time.Until(at))
	}
	if d > t.Longest {
		return 0, &tooLong{host, d}
	}
	return d, nil
}

func (t *patient) owe(host string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pause == nil {
		t.pause = map[string]time.Duration{}
	}
	t.pause[host] = max(t.pause[host], d)
}

func (t *patient) wait(req *http.Request) error {
	t.mu.Lock()
	d := t.pause[req.URL.Host]
	delete(t.pause, req.URL.Host)
	t.mu.Unlock()
	if d == 0 {
		return nil
	}
	return t.Sleep(req.Context(), d)
}
