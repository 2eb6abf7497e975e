// Package healthcheck is how an application load balancer finds out whether a target may get requests. It knows nothing of the account
// nor of Kubernetes: both `sandbox edge`, which plays load balancers, and the control plane, which plays their controller, check so.
package healthcheck

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Settings are those of a target group.
type Settings struct {
	Enabled bool
	// Protocol is HTTP or HTTPS, Port a number or traffic-port, Matcher such as "200", "200,301" or "200-299".
	Protocol, Port, Path, Matcher string
	Interval, Timeout             time.Duration
	// Healthy and Unhealthy are the checks in a row that a target has to pass, or fail, until it changes.
	Healthy, Unhealthy int
}

// Health is what the checks of a target have shown.
type Health struct {
	// Known is false until the first check passes or enough of them fail; Well is true while it may get requests.
	Known, Well bool

	passed, failed int // in a row
}

// After is the health after one more check. A target that was just registered has to pass one, one that was unhealthy as many as
// the group says.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
func (h Health) After(passed bool, s Settings) Health {
	if passed {
		h.passed, h.failed = h.passed+1, 0
		if !h.Known || h.passed >= s.Healthy {
			h.Known, h.Well = true, true
		}
		return h
	}
	h.passed, h.failed = 0, h.failed+1
	if h.failed >= s.Unhealthy {
		h.Known, h.Well = true, false
	}
	return h
}

// Found is what is known, for checks that begin anew by other settings.
func (h Health) Found() Health { return Health{Known: h.Known, Well: h.Well} }

// Client asks the targets of a group of that version, HTTP1, HTTP2 or GRPC, anew with each check.
func Client(version string) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Protocols: Protocols(version), // AWS does not look at targets' certificates either
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Protocols are those that are spoken with the targets of a group of that version.
func Protocols(version string) *http.Protocols {
	p := &http.Protocols{}
	if version == "HTTP2" || version == "GRPC" {
		p.SetHTTP2(true)
		p.SetUnencryptedHTTP2(true)
		return p
	}
	p.SetHTTP1(true)
	return p
}

// Mismatch is a target that answers, with a status that the group does not ask for.
type Mismatch struct {
	Path, Matcher string
	Status        int
}

// Error implements error.
func (m *Mismatch) Error() string {
	return fmt.Sprintf("%s answers %d, must be %s", m.Path, m.Status, m.Matcher)
}

// Probe is one check of what is registered with that address and port; nil where it passes, a *Mismatch where it answers otherwise.
func Probe(ctx context.Context, client *http.Client, address string, port int, s Settings) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	at := net.JoinHostPort(address, strconv.Itoa(port))
	if s.Port != "traffic-port" {
		at = net.JoinHostPort(address, s.Port)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.ToLower(s.Protocol)+"://"+at+s.Path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if !matches(s.Matcher, resp.StatusCode) {
		return &Mismatch{Path: s.Path, Matcher: s.Matcher, Status: resp.StatusCode}
	}
	return nil
}

// matches tells whether a status is one of a matcher's, such as "200,301" or "200-299".
func matches(matcher string, status int) bool {
	for _, part := range strings.Split(matcher, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		from, err := strconv.Atoi(low)
		if err != nil {
			continue
		}
		if to, err := strconv.Atoi(high); err == nil && from <= status && status <= to {
			return true
		}
	}
	return false
}
