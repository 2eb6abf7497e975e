package healthcheck

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestHealthAfterChecks(t *testing.T) {
	c := Settings{Healthy: 3, Unhealthy: 2}
	for _, row := range []struct{ checks, want string }{
		{"", "?"},
		{"+", "+"},    // one is enough for a target that was just registered
		{"-", "?"},    // and one failure tells nothing
		{"--", "-"},   //
		{"-+", "+"},   //
		{"+-", "+"},   // one failure is not enough
		{"+--", "-"},  //
		{"+-+-", "+"}, // they have to be in a row
		{"--+", "-"},  // back it needs as many as the group says
		{"--++", "-"}, //
		{"--+++", "+"},
		{"--++-+", "-"},
		{"--++-+++", "+"},
	} {
		h := Health{}
		for _, check := range row.checks {
			h = h.After(check == '+', c)
		}
		got := "?"
		if h.Known {
			got = map[bool]string{true: "+", false: "-"}[h.Well]
		}
		if got != row.want {
			t.Errorf("after %q it is %s, want %s", row.checks, got, row.want)
		}
	}
}

func TestMatcher(t *testing.T) {
	for _, c := range []struct {
		matcher string
		status  int
		want    bool
	}{
		{"200", 200, true},
		{"200", 204, false},
		{"200,301", 301, true},
		{"200-299", 299, true},
		{"200-299", 300, false},
		{"200-204,302", 302, true},
		{"", 200, false},
	} {
		if got := matches(c.matcher, c.status); got != c.want {
			t.Errorf("%q matches %d: %t", c.matcher, c.status, got)
		}
	}
}

// played is a target that was never on any network.
type played func(*http.Request) (*http.Response, error)

func (f played) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCheckGivesUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := &http.Client{Transport: played(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		begin := time.Now()
		err := Probe(t.Context(), hangs, "127.0.0.1", 1, Settings{Protocol: "HTTP", Port: "traffic-port", Path: "/", Matcher: "200", Timeout: 5 * time.Second})
		if took := time.Since(begin); err == nil || took != 5*time.Second {
			t.Errorf("a target that does not answer: %v after %s on a clock that stands still", err, took)
		}
	})
}
