//go:build real

package test

import (
	"encoding/json"
	"strings"
	"testing"
)

// replaced gives the stack nodes of another instance type while requests come in by the load balancer: new nodes join, the pods move,
// the old nodes go. Then it goes back, without the hook that keeps nodes until load balancers have forgotten them, until that shows.
func (r *real) replaced(t *testing.T) {
	r.podsAreReady(t)
	d := openDoor(t, r.box)
	waitFor(t, "the pods answer", func() bool { return strings.Contains(d.curl(t, "https://www.example.com/"), "frontend") })
	const nodes = 3
	budgets := r.watchBudgets(t)
	r.config = append(r.config, "[m5.large]", "[m5.xlarge]")
	if sent, failed, why := r.move(t, d); failed > 0 {
		t.Errorf("%d of %d requests failed: %s", failed, sent, why)
	} else {
		report(t, "%d nodes replaced by larger ones: %d requests, %d failed", nodes, sent, failed)
	}
	budgets(t)
	r.podsAreReady(t)

	// Whether a slow request is on its way through a node when that one ends is a matter of chance, of little chance that none is.
	sent, failed, why := 0, 0, ""
	for times := 0; failed == 0 && times < 3; times++ {
		r.endAtOnce(t)
		if larger := r.config[len(r.config)-1] == "[m5.xlarge]"; larger {
			r.config = r.config[:len(r.config)-2]
		} else {
			r.config = append(r.config, "[m5.large]", "[m5.xlarge]")
		}
		n := 0
		n, failed, why = r.move(t, d)
		sent += n
	}
	report(t, "%d nodes replaced that end at once when they are told to: %d requests, %d failed %s", nodes, sent, failed, why)
	if failed == 0 {
		t.Errorf("none of %d requests failed: what keeping the nodes is for does not show here", sent)
	}
	if n := len(r.nodeNames()); n != nodes {
		t.Errorf("there are %d nodes, want %d", n, nodes)
	}
	r.podsAreReady(t)
}

// move runs an update that replaces the nodes, under load until the old ones are gone.
func (r *real) move(t *testing.T, d door) (sent, failed int, why string) {
	t.Helper()
	old := r.nodeNames()
	l := startLoadOn(t, []string{"https://www.example.com"}, "/", d.way(t))
	if s := r.up(t); !strings.Contains(s.out, "the old nodes are empty") {
		t.Errorf("nobody has emptied the old nodes:\n%s", s.all())
	}
	waitFor(t, "the old nodes are gone", func() bool {
		for name := range r.nodeNames() {
			if old[name] {
				return false
			}
		}
		return true
	})
	return l.end()
}

// endAtOnce takes the hook off the nodes' group by hand, and lets the stack know.
func (r *real) endAtOnce(t *testing.T) {
	t.Helper()
	var groups struct {
		AutoScalingGroups []struct{ AutoScalingGroupName string }
	}
	var hooks struct {
		LifecycleHooks []struct{ LifecycleHookName string }
	}
	read := func(into any, args ...string) {
		if err := json.Unmarshal([]byte(r.must(append([]string{"aws", "autoscaling"}, args...)...).out), into); err != nil {
			t.Fatal(err)
		}
	}
	read(&groups, "describe-auto-scaling-groups")
	if len(groups.AutoScalingGroups) != 1 {
		t.Fatalf("the account has not one group: %+v", groups)
	}
	group := groups.AutoScalingGroups[0].AutoScalingGroupName
	read(&hooks, "describe-lifecycle-hooks", "--auto-scaling-group-name", group)
	if len(hooks.LifecycleHooks) != 1 {
		t.Fatalf("the group has not one hook: %+v", hooks)
	}
	r.must("aws", "autoscaling", "delete-lifecycle-hook", "--auto-scaling-group-name", group, "--lifecycle-hook-name", hooks.LifecycleHooks[0].LifecycleHookName)
	r.must("pulumi", "refresh", "--yes", "--skip-preview", "--stack", "prod", "--config-file", r.configWith(t, r.config...))
}
