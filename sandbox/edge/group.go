package edge

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/healthcheck"
)

// group is a target group with its targets. It outlives changes of the account: what is known of targets that stay is kept.
type group struct {
	mu      sync.Mutex
	view    aws.TargetGroup
	targets []*target
	// turn is whose it is, counted through.
	turn uint64
}

// target is one registered target at one port.
type target struct {
	member
	// busy is how many requests it has in hand.
	busy atomic.Int64

	mu    sync.Mutex
	state healthcheck.Health
	stop  context.CancelFunc
	// requests ends when the target may keep none any more.
	requests context.Context
	end      context.CancelCauseFunc
}

// errGone ends a request that a target still has when its deregistration delay is over.
var errGone = errors.New("the deregistration delay is over")

func newTarget(m member) *target {
	t := &target{member: m, stop: func() {}}
	t.requests, t.end = context.WithCancelCause(context.Background())
	return t
}

// member is a target as the account and the cluster tell of it.
type member struct {
	// id and port tell the targets of a group apart.
	id   string
	port int
	// noun and name are for people: "node" and its name, "target" and its address.
	noun, name string
	// address is where to reach it; "" where nothing runs behind it, and why says so.
	address, why string
}

func (m member) real() bool { return m.address != "" }

// update follows the account. Checks of targets that are new begin, and those of targets that are gone end; begin starts those of
// one, until its context ends. Targets that are gone keep the requests that they have, until the deregistration delay is over.
func (g *group) update(ctx context.Context, view aws.TargetGroup, members []member, begin func(context.Context, *target)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	sameChecks := g.view.Check == view.Check && g.view.Version == view.Version
	was := slices.Clone(g.targets)
	g.view, g.targets = view, nil
	for _, m := range members {
		t := newTarget(m)
		if i := slices.IndexFunc(was, func(o *target) bool { return o.member == m }); i >= 0 && sameChecks {
			t = was[i]
			was = slices.Delete(was, i, i+1)
		} else if !m.real() || !view.Check.Enabled || view.Version == "GRPC" {
			t.state = healthcheck.Health{Known: true, Well: true}
		} else {
			if i >= 0 {
				t.state = was[i].found()
			}
			var checks context.Context
			checks, t.stop = context.WithCancel(ctx)
			begin(checks, t)
		}
		g.targets = append(g.targets, t)
	}
	for _, t := range was {
		t.stop()
		if !slices.ContainsFunc(g.targets, func(n *target) bool { return n.member == t.member }) {
			time.AfterFunc(view.Deregistration, func() { t.end(errGone) })
		}
	}
}

// end ends the checks of all targets.
func (g *group) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.targets {
		t.stop()
	}
	g.targets = nil
}

func (g *group) name() string { return g.settings().Name }

func (g *group) settings() aws.TargetGroup {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.view
}

// able are the targets that may get requests: the healthy ones, or all where fewer are healthy than the group asks for. By default
// that is where none is.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html
func (g *group) able() []*target {
	var well []*target
	for _, t := range g.targets {
		if t.well() {
			well = append(well, t)
		}
	}
	if n := len(well); n < max(1, g.view.MinHealthy) || n*100 < g.view.MinHealthyPercent*len(g.targets) {
		return g.targets
	}
	return well
}

// choose is the target for a request; nil where the group has none. A client that sticks to a target gets that one, if it may get
// requests.
func (g *group) choose(stick []string) *target {
	g.mu.Lock()
	defer g.mu.Unlock()
	able := g.able()
	if len(able) == 0 {
		return nil
	}
	for _, t := range able {
		if slices.Contains(stick, g.token(t)) {
			return t
		}
	}
	n := len(able)
	first := int(g.turn % uint64(n))
	g.turn++
	switch g.view.Algorithm {
	case "weighted_random":
		return able[rand.IntN(n)] // the weights follow anomalies, which are not looked for here: they are all the same
	case "least_outstanding_requests":
		best := able[first]
		for i := range able {
			if t := able[(first+i)%n]; t.busy.Load() < best.busy.Load() {
				best = t
			}
		}
		return best
	}
	return able[first]
}

func (g *group) token(t *target) string { return token(g.view.ARN + " " + t.key()) }

// counts are how many targets there are, and how many of them are healthy.
func (g *group) counts() (all, well, real int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.targets {
		all++
		if t.well() {
			well++
		}
		if t.real() {
			real++
		}
	}
	return all, well, real
}
