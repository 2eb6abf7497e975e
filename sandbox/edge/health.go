package edge

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/healthcheck"
)

func (t *target) well() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state.Well
}

// found is what is known, for checks that begin anew by other settings.
func (t *target) found() healthcheck.Health {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state.Found()
}

// note takes in what a check has shown, and tells whether that changes where requests go, or what is known.
func (t *target) note(passed bool, c aws.HealthCheck) (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.state
	t.state = was.After(passed, c)
	return was.Found() != t.state.Found()
}

func (m member) key() string { return net.JoinHostPort(m.id, strconv.Itoa(m.port)) }

// watch checks a target at once and then at the group's interval, until ctx ends. told gets a word about each change.
func (t *target) watch(ctx context.Context, view aws.TargetGroup, told func(string)) {
	c := view.Check
	client := healthcheck.Client(view.Version)
	tick := time.NewTicker(c.Interval)
	defer tick.Stop()
	for {
		err := healthcheck.Probe(ctx, client, t.address, t.port, c)
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
