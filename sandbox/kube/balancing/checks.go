package balancing

import (
	"context"
	"sync"
	"time"

	"github.com/slipway-iac/slipway/sandbox/healthcheck"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// checks are the health checks of the targets that run for real.
type checks struct {
	// changed is told when something is known anew.
	changed func()

	mu      sync.Mutex
	running map[check]*checking
	parts   sync.WaitGroup
}

// check is one target, and how it is checked: by other settings, checks begin anew.
type check struct {
	group, address, version string
	port                    int
	settings                healthcheck.Settings
}

type checking struct {
	stop   context.CancelFunc
	health healthcheck.Health
	err    error
}

// begin is the health of a target, whose checks begin if they do not run.
func (c *checks) begin(ctx context.Context, k check) targetHealth {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.running[k]; r != nil {
		return checked(r.health, r.err)
	}
	r := &checking{}
	for other, was := range c.running {
		if other.group == k.group && other.address == k.address && other.port == k.port {
			r.health = was.health.Found() // what is known of a target stays when its group's settings change
		}
	}
	ctx, r.stop = context.WithCancel(ctx)
	c.running[k] = r
	c.parts.Go(func() { c.run(ctx, k, r) })
	return checked(r.health, r.err)
}

func (c *checks) run(ctx context.Context, k check, r *checking) {
	client := healthcheck.Client(k.version)
	tick := time.NewTicker(k.settings.Interval)
	defer tick.Stop()
	for {
		err := healthcheck.Probe(ctx, client, k.address, k.port, k.settings)
		if ctx.Err() != nil {
			return
		}
		c.mu.Lock()
		was := checked(r.health, r.err)
		r.health, r.err = r.health.After(err == nil, k.settings), err
		changed := checked(r.health, r.err) != was
		c.mu.Unlock()
		if changed {
			c.changed()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// keep ends all checks but these, and those of these groups.
func (c *checks) keep(these map[check]bool, groups map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, r := range c.running {
		if !these[k] && !groups[k.group] {
			r.stop()
			delete(c.running, k)
		}
	}
}

func checkOf(g *view.TargetGroup, address string, port int) check {
	return check{group: g.ARN, address: address, port: port, version: g.Version, settings: g.Check}
}
