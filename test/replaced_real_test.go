//go:build real

package test

import (
	"strings"
	"testing"
)

// replaced gives the stack nodes of another instance type while requests come in by the load balancer: new nodes join, the pods move,
// the old nodes go.
func (r *real) replaced(t *testing.T) {
	r.podsAreReady(t)
	d := openDoor(t, r.box)
	waitFor(t, "the pods answer", func() bool { return strings.Contains(d.curl(t, "https://www.example.com/"), "frontend") })
	old := r.nodeNames()
	budgets := r.watchBudgets(t)
	l := startLoadOn(t, []string{"https://www.example.com"}, "/", d.way(t))
	r.config = append(r.config, "[m5.large]", "[m5.xlarge]")
	s := r.up(t)
	waitFor(t, "the old nodes are gone", func() bool {
		for name := range r.nodeNames() {
			if old[name] {
				return false
			}
		}
		return true
	})
	sent, failed, why := l.end()
	report(t, "%d nodes replaced by larger ones: %d requests, %d failed %s", len(old), sent, failed, why)
	if failed > 0 {
		t.Errorf("%d of %d requests failed: %s", failed, sent, why)
	}
	budgets(t)
	if !strings.Contains(s.out, "the old nodes are empty") || len(r.nodeNames()) != len(old) {
		t.Errorf("there are %d nodes, of %d:\n%s", len(r.nodeNames()), len(old), s.all())
	}
	r.podsAreReady(t)
}
