package edge

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/healthcheck"
)

// groupOf has a target for each letter: + healthy, - unhealthy, ? not checked yet.
func groupOf(view aws.TargetGroup, states string) *group {
	g := &group{view: view}
	for i, s := range states {
		t := newTarget(member{id: strconv.Itoa(i), address: "127.0.0.1"})
		t.state = healthcheck.Health{Known: s != '?', Well: s == '+'}
		g.targets = append(g.targets, t)
	}
	return g
}

func chosen(g *group, n int, stick ...string) string {
	var out []string
	for range n {
		t := g.choose(stick)
		if t == nil {
			return "none"
		}
		out = append(out, t.id)
	}
	return strings.Join(out, "")
}

func TestOnlyHealthyTargetsUnlessTooFewAre(t *testing.T) {
	for _, c := range []struct {
		name, states string
		view         aws.TargetGroup
		want         string
	}{
		{"in turn", "+++", aws.TargetGroup{}, "012012"},
		{"not the unhealthy one, nor one that is not known yet", "+-+?", aws.TargetGroup{}, "020202"},
		{"all where none is healthy", "--?", aws.TargetGroup{}, "012012"},
		{"none where none is registered", "", aws.TargetGroup{}, "none"},
		{"all where fewer are healthy than the group asks for", "+--", aws.TargetGroup{MinHealthy: 2}, "012012"},
		{"the healthy ones where just as many are", "++-", aws.TargetGroup{MinHealthy: 2}, "010101"},
		{"all where the share is below what the group asks for", "+--", aws.TargetGroup{MinHealthyPercent: 34}, "012012"},
		{"the healthy ones where it is not", "+--", aws.TargetGroup{MinHealthyPercent: 33}, "000000"},
	} {
		if got := chosen(groupOf(c.view, c.states), 6); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestStickToATarget(t *testing.T) {
	g := groupOf(aws.TargetGroup{ARN: "arn:g"}, "+++-")
	cookie := func(i int) string { return g.token(g.targets[i]) }
	if got := chosen(g, 4, cookie(2)); got != "2222" {
		t.Errorf("with the cookie of 2: %s", got)
	}
	if got := chosen(g, 3, cookie(3)); got != "012" {
		t.Errorf("with the cookie of an unhealthy one: %s", got)
	}
	other := groupOf(aws.TargetGroup{ARN: "arn:h"}, "+++")
	if got := chosen(other, 3, cookie(2)); got != "012" {
		t.Errorf("with the cookie of a target of another group: %s", got)
	}
}

func TestLeastOutstandingRequests(t *testing.T) {
	g := groupOf(aws.TargetGroup{Algorithm: "least_outstanding_requests"}, "+++")
	for i, busy := range []int64{2, 1, 1} {
		g.targets[i].busy.Store(busy)
	}
	if got := chosen(g, 6); strings.Contains(got, "0") || !strings.Contains(got, "1") || !strings.Contains(got, "2") {
		t.Errorf("chosen %s: 0 has the most in hand, 1 and 2 are alike", got)
	}
}

func TestWeightedRandom(t *testing.T) {
	g := groupOf(aws.TargetGroup{Algorithm: "weighted_random"}, "+-+")
	got := chosen(g, 200)
	if strings.Contains(got, "1") || !strings.Contains(got, "0") || !strings.Contains(got, "2") {
		t.Errorf("chosen %s: of the two healthy ones, neither always", got)
	}
}

// What is known of targets that stay is kept, and checks run for those that are there and for no others.
func TestGroupFollowsTheAccount(t *testing.T) {
	g := &group{}
	running := map[string]context.Context{}
	begin := func(ctx context.Context, target *target) { running[target.id] = ctx }
	states := func() string {
		var out []string
		for _, t := range g.targets {
			out = append(out, t.id+map[bool]string{true: "+", false: "-"}[t.well()])
		}
		return strings.Join(out, " ")
	}
	checks := func() string {
		var out []string
		for id, ctx := range running {
			if ctx.Err() == nil {
				out = append(out, id)
			}
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	real := func(id string) member { return member{id: id, address: "127.0.0.1"} }
	view := aws.TargetGroup{Check: aws.HealthCheck{Enabled: true, Healthy: 3, Unhealthy: 3}}
	expect := func(what, targets, checked string) {
		t.Helper()
		if states() != targets || checks() != checked {
			t.Errorf("%s: targets %q, checks of %q, want %q and %q", what, states(), checks(), targets, checked)
		}
	}

	g.update(t.Context(), view, []member{real("a"), real("b"), {id: "s", why: "simulated"}}, begin)
	expect("three new ones", "a- b- s+", "a b")
	g.targets[0].note(true, view.Check)
	first := running["a"]
	g.update(t.Context(), view, []member{real("a"), real("c")}, begin)
	expect("b is gone, c is new", "a+ c-", "a c")
	if running["a"] != first {
		t.Error("the checks of a target that stays began anew")
	}
	view.Check.Healthy = 5
	g.update(t.Context(), view, []member{real("a"), real("c")}, begin)
	expect("other settings", "a+ c-", "a c")
	if running["a"] == first {
		t.Error("the checks go on by the old settings")
	}
	view.Check.Enabled = false
	g.update(t.Context(), view, []member{real("c")}, begin)
	expect("without checks", "c+", "")
	view.Check.Enabled = true
	g.update(t.Context(), view, []member{real("c")}, begin)
	g.end()
	expect("at the end", "", "")
}

// A target that was taken out keeps the requests that it has until the deregistration delay is over; one that stays, for ever.
func TestTargetsKeepTheirRequestsForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &group{}
		view := aws.TargetGroup{Deregistration: 30 * time.Second}
		leaves, stays := member{id: "a", why: "simulated"}, member{id: "b", why: "simulated"}
		g.update(t.Context(), view, []member{leaves, stays}, nil)
		a, b := g.targets[0], g.targets[1]
		g.update(t.Context(), view, []member{stays}, nil)
		time.Sleep(30*time.Second - 1)
		synctest.Wait()
		if a.requests.Err() != nil {
			t.Error("its requests ended before the time")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if !errors.Is(context.Cause(a.requests), errGone) || b.requests.Err() != nil {
			t.Errorf("after the delay: %v and %v", context.Cause(a.requests), b.requests.Err())
		}
	})
}
