package edge

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// health is what the checks of a target have shown.
type health struct {
	// known is false until the first check passes or enough of them fail; well is true while it may get requests.
	known, well bool
	// passed and failed are the checks in a row.
	passed, failed int
}

// after is the health after one more check. A target that was just registered has to pass one, one that was unhealthy as many as
// the group says.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
func (h health) after(passed bool, c aws.HealthCheck) health {
	if passed {
		h.passed, h.failed = h.passed+1, 0
		if !h.known || h.passed >= c.Healthy {
			h.known, h.well = true, true
		}
		return h
	}
	h.passed, h.failed = 0, h.failed+1
	if h.failed >= c.Unhealthy {
		h.known, h.well = true, false
	}
	return h
}

func (t *target) well() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state.well
}

// found is what is known, for checks that begin anew by other settings.
func (t *target) found() health {
	t.mu.Lock()
	defer t.mu.Unlock()
	return health{known: t.state.known, well: t.state.well}
}

// note takes in what a check has shown, and tells whether that changes where requests go, or what is known.
func (t *target) note(passed bool, c aws.HealthCheck) (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.state
	t.state = was.after(passed, c)
	return was.well != t.state.well || was.known != t.state.known
}

func (m member) key() string { return net.JoinHostPort(m.id, strconv.Itoa(m.port)) }

// watch checks a target at once and then at the group's interval, until ctx ends. told gets a word about each change.
func (t *target) watch(ctx context.Context, view aws.TargetGroup, told func(string)) {
	c := view.Check
	client := &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Protocols: protocols(view.Version), // AWS does not look at targets' certificates either
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	tick := time.NewTicker(c.Interval)
	defer tick.Stop()
	for {
		err := t.probe(ctx, client, c)
		if ctx.Err() != nil {
			return
		}
		if t.note(err == nil, c) {
			word := "is healthy"
			if err != nil {
				word = "is unhealthy: " + err.Error()
			}
			told(fmt.Sprintf("target group %s: %s %s at port %d %s", view.Name, t.noun, t.name, t.port, word))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// probe is one check; nil where the target passes it.
func (t *target) probe(ctx context.Context, client *http.Client, c aws.HealthCheck) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	at := net.JoinHostPort(t.address, strconv.Itoa(t.port))
	if c.Port != "traffic-port" {
		at = net.JoinHostPort(t.address, c.Port)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, urlOf(c.Protocol, at).String()+c.Path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if !matches(c.Matcher, resp.StatusCode) {
		return fmt.Errorf("%s answers %d, must be %s", c.Path, resp.StatusCode, c.Matcher)
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

// protocols are those that are spoken with the targets of a group of that version.
func protocols(version string) *http.Protocols {
	p := &http.Protocols{}
	if version == "HTTP2" || version == "GRPC" {
		p.SetHTTP2(true)
		p.SetUnencryptedHTTP2(true)
		return p
	}
	p.SetHTTP1(true)
	return p
}
