package drain

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// two are a cluster of two old nodes and two new ones, with an app of pods on the old ones.
func two(t *testing.T, a *app) *world {
	w := &world{t: t, apps: map[string]*app{"web": a}}
	for _, n := range []string{"a1", "a2", "b1", "b2"} {
		w.nodes = append(w.nodes, &fakeNode{name: n, group: n[:1], since: time.Now().Add(-time.Hour)})
	}
	for i := range a.replicas {
		w.add("web", []string{"a1", "a2"}[i%2], true)
	}
	return w
}

// run drains the nodes of group a, for those of group b.
func run(t testing.TB, w *world, change func(*Drain)) (said string, err error) {
	var lines []string
	d := &Drain{
		API: w.serve(t), Leaving: func(group string) bool { return group == "a" }, Arriving: []string{"b"},
		Patience: 5 * time.Second, Poll: time.Microsecond, Say: func(s string) { lines = append(lines, s) }, Wanted: func() error { return nil },
	}
	if change != nil {
		change(d)
	}
	err = d.Run(t.Context())
	return strings.Join(lines, "\n"), err
}

func TestPodsMoveAsBudgetsAllow(t *testing.T) {
	w := two(t, &app{kind: "ReplicaSet", replicas: 4, budget: 3, slow: 4})
	w.apps["agent"] = &app{kind: "DaemonSet"}
	w.add("agent", "a1", true)
	w.apps["static"] = &app{}
	w.add("static", "a1", true).notes = map[string]string{"kubernetes.io/config.mirror": "1"}
	w.apps["job"] = &app{kind: "Job"}
	w.add("job", "a2", false).phase = "Succeeded"
	said, err := run(t, w, nil)
	if err != nil {
		t.Fatal(err)
	}
	if w.broken != "" {
		t.Error(w.broken)
	}
	for _, p := range w.pods {
		if moved := p.app == "web"; moved == (p.node == "a1" || p.node == "a2") {
			t.Errorf("%s is on %s", p.name, p.node)
		}
	}
	if !slices.IsSorted(w.evicted) || len(w.evicted) != 4 {
		t.Errorf("pods were evicted from %v, want one node after the other", w.evicted)
	}
	for _, want := range []string{"2 nodes leave: a1, a2.", "node 1 of 2, a1: 2 pods to move", "node 2 of 2, a2: 2 pods to move", "waiting for ns/web-", "the old nodes are empty"} {
		if !strings.Contains(said, want) {
			t.Errorf("nobody is told %q:\n%s", want, said)
		}
	}
}

// Whatever runs there: no budget is broken, all that can move does, and what stays was told to.
func TestNoBudgetIsBroken(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{t: rt, apps: map[string]*app{}}
		old := rapid.IntRange(1, 4).Draw(rt, "old")
		for i := range old {
			w.nodes = append(w.nodes, &fakeNode{name: fmt.Sprint("a", i), group: "a", cordoned: rapid.Bool().Draw(rt, "cordoned")})
		}
		for i := range rapid.IntRange(1, 3).Draw(rt, "new") {
			w.nodes = append(w.nodes, &fakeNode{name: fmt.Sprint("b", i), group: "b"})
		}
		stuck := false
		for i := range rapid.IntRange(1, 4).Draw(rt, "apps") {
			a := &app{kind: rapid.SampledFrom([]string{"ReplicaSet", "StatefulSet", "DaemonSet"}).Draw(rt, "kind"), replicas: rapid.IntRange(1, 5).Draw(rt, "replicas"), slow: rapid.IntRange(1, 6).Draw(rt, "slow")}
			if a.kind != "DaemonSet" {
				a.budget = rapid.IntRange(0, a.replicas).Draw(rt, "budget")
			}
			stuck = stuck || a.budget == a.replicas
			w.apps[fmt.Sprint("app", i)] = a
			for range a.replicas {
				w.add(fmt.Sprint("app", i), fmt.Sprint("a", rapid.IntRange(0, old-1).Draw(rt, "on")), true)
			}
		}
		_, err := run(t, w, func(d *Drain) {
			if stuck {
				d.Patience = 100 * time.Millisecond
			}
		})
		if w.broken != "" {
			rt.Fatal(w.broken)
		}
		if (err != nil) != stuck {
			rt.Fatalf("with a budget that allows nothing (%v) it ends with %v", stuck, err)
		}
		if !slices.IsSorted(w.evicted) {
			rt.Fatalf("pods were evicted from %v, want one node after the other", w.evicted)
		}
		for _, p := range w.pods {
			if !stuck && w.apps[p.app].kind != "DaemonSet" && strings.HasPrefix(p.node, "a") && p.ending == 0 {
				rt.Fatalf("%s is still on %s", p.name, p.node)
			}
		}
		for _, n := range w.nodes {
			if n.cordoned != (n.group == "a") {
				rt.Fatalf("%s takes pods: %v", n.name, !n.cordoned)
			}
		}
	})
}

func TestABudgetThatAllowsNothing(t *testing.T) {
	w := two(t, &app{kind: "ReplicaSet", replicas: 2, budget: 2, slow: 1})
	w.apps["big"] = &app{kind: "ReplicaSet", replicas: 1, slow: 1}
	for _, n := range w.nodes {
		n.cordoned = true // nothing takes the pods
	}
	said, err := run(t, w, func(d *Drain) { d.Patience = 20 * time.Millisecond })
	if err == nil || len(w.evicted) > 0 {
		t.Fatalf("it ends with %v, having evicted from %v", err, w.evicted)
	}
	for _, want := range []string{
		"nothing has moved for 20ms. Nothing was deleted and no pod was ended against its disruption budget",
		"What does not end:\n  ns/web-1: Cannot evict pod as it would violate the pod's disruption budget. The disruption budget web needs 2 healthy pods and has 2 currently",
		"What waits for a node:\n  ns/big-3: 0/2 nodes are available: 2 Insufficient cpu.",
		"Then run `pulumi up` again: it goes on from here",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	if !strings.Contains(said, "Ctrl-C twice stops it") {
		t.Errorf("nobody is told how to stop it:\n%s", said)
	}
	// The next run goes on where it was.
	w.apps["web"].budget, w.nodes[2].cordoned = 1, false
	if _, err := run(t, w, nil); err != nil || w.broken != "" {
		t.Errorf("the second run: %v, %s", err, w.broken)
	}
}

func TestAPodThatNobodyMakesAnew(t *testing.T) {
	w := two(t, &app{kind: "ReplicaSet", replicas: 2, slow: 1})
	w.apps["debug"] = &app{}
	lone := w.add("debug", "a2", true)
	_, err := run(t, w, nil)
	if err == nil || !strings.Contains(err.Error(), "belong to no controller") || !strings.Contains(err.Error(), "\n  ns/debug-3 on a2\n") {
		t.Errorf("it ends with %v", err)
	}
	if len(w.evicted) > 0 || w.nodes[0].cordoned {
		t.Errorf("it began all the same: %v", w.evicted)
	}
	lone.notes = map[string]string{"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}
	if _, err := run(t, w, nil); err != nil {
		t.Error(err)
	}
}

func TestAPodThatDoesNotEnd(t *testing.T) {
	w := two(t, &app{kind: "ReplicaSet", replicas: 1, slow: 1})
	past := time.Date(2026, 3, 1, 3, 4, 5, 0, time.UTC)
	w.pods[0].end = &past
	_, err := run(t, w, func(d *Drain) { d.Patience = 20 * time.Millisecond })
	if err == nil || !strings.Contains(err.Error(), "ns/web-1: should have ended by 03:04:05 UTC\n") {
		t.Errorf("it ends with %v", err)
	}
	// Why, where that can be seen.
	w.pods[0].finalizers = []string{"example.com/volume"}
	_, err = run(t, w, func(d *Drain) { d.Patience = 20 * time.Millisecond })
	if err == nil || !strings.Contains(err.Error(), "05 UTC, and waits for whoever takes away its finalizers: example.com/volume\n") {
		t.Errorf("it ends with %v", err)
	}
	w.nodes[0].unready = true
	_, err = run(t, w, func(d *Drain) { d.Patience = 20 * time.Millisecond })
	if err == nil || !strings.Contains(err.Error(), "05 UTC, and its node is not ready: end its instance") {
		t.Errorf("it ends with %v", err)
	}
	w.nodes[0].unready = false
	if len(w.evicted) > 0 {
		t.Error("a pod that ends was evicted once more")
	}
	// One whose grace is not over is waited for, however long nothing else moves.
	later := time.Now().Add(50 * time.Millisecond)
	w.pods[0].end = &later
	_, err = run(t, w, func(d *Drain) { d.Patience = 10 * time.Millisecond })
	if err == nil || time.Now().Before(later) {
		t.Errorf("its grace was cut: %v", err)
	}
}

func TestNewNodesComeFirst(t *testing.T) {
	w := two(t, &app{kind: "ReplicaSet", replicas: 2, slow: 1})
	w.nodes[3].unready = true
	_, err := run(t, w, func(d *Drain) { d.Patience = 10 * time.Millisecond })
	if err == nil || !strings.Contains(err.Error(), "no node was drained, and nothing was deleted: for 10ms these new nodes have not been ready: b2.") {
		t.Errorf("it ends with %v", err)
	}
	w.nodes = w.nodes[:2]
	_, err = run(t, w, func(d *Drain) { d.Patience = 10 * time.Millisecond })
	if err == nil || !strings.Contains(err.Error(), "have not been ready: a node of b.") || w.nodes[0].cordoned {
		t.Errorf("without a new node it ends with %v", err)
	}
}

func TestAnAPIServerThatIsAwayForAWhile(t *testing.T) {
	w := two(t, &app{kind: "ReplicaSet", replicas: 4, budget: 2, slow: 2})
	n := 0
	w.fail = func(*http.Request) int {
		if n++; n%5 == 0 {
			return http.StatusServiceUnavailable
		}
		return 0
	}
	if _, err := run(t, w, nil); err != nil || w.broken != "" {
		t.Errorf("%v, %s", err, w.broken)
	}
	w.fail = func(*http.Request) int { return http.StatusForbidden }
	_, err := run(t, w, func(d *Drain) { d.Patience = 10 * time.Millisecond })
	if err == nil || !strings.Contains(err.Error(), "the API server answers 403: no") || !strings.Contains(err.Error(), "When `kubectl get nodes` answers from here") || strings.Contains(err.Error(), "loosen the budget") {
		t.Errorf("it ends with %v", err)
	}
}

// One pod whose eviction is refused, for whatever reason, does not keep the others.
func TestAPodThatIsRefused(t *testing.T) {
	for _, code := range []int{http.StatusInternalServerError, http.StatusForbidden} {
		w := two(t, &app{kind: "ReplicaSet", replicas: 2, slow: 1})
		w.apps["odd"] = &app{kind: "ReplicaSet", replicas: 1, slow: 1}
		odd := w.add("odd", "a1", true)
		w.pods = append([]*fakePod{odd}, w.pods...)
		odd.refuses = code
		_, err := run(t, w, func(d *Drain) { d.Patience = 20 * time.Millisecond })
		if err == nil || !strings.Contains(err.Error(), "What does not end:\n  ns/odd-3: no eviction of odd-3") || strings.Contains(err.Error(), "cannot be asked") {
			t.Errorf("%d: it ends with %v", code, err)
		}
		if !slices.Contains(w.evicted, "a1") {
			t.Errorf("%d: evicted from %v", code, w.evicted)
		}
	}
}

func TestNobodyWaits(t *testing.T) {
	gone := errors.New("the engine is gone")
	w := two(t, &app{kind: "ReplicaSet", replicas: 2, budget: 2, slow: 1})
	_, err := run(t, w, func(d *Drain) { d.Wanted = func() error { return gone } })
	if !errors.Is(err, gone) || !strings.Contains(err.Error(), "Run `pulumi up` again") {
		t.Errorf("it ends with %v", err)
	}
}

// Load balancers that are given the new nodes find them healthy before a pod moves.
func TestNewNodesSettle(t *testing.T) {
	w := two(t, &app{kind: "ReplicaSet", replicas: 2, slow: 1})
	w.nodes[2].since, w.nodes[3].since = time.Now(), time.Now()
	end := w.nodes[2].since.Add(500 * time.Millisecond)
	early := false
	w.fail = func(r *http.Request) int {
		early = early || r.Method != http.MethodGet && time.Now().Before(end)
		return 0
	}
	said, err := run(t, w, func(d *Drain) { d.Settle = 500 * time.Millisecond })
	if err != nil || early || !strings.Contains(said, "load balancers") {
		t.Errorf("%v, early: %v\n%s", err, early, said)
	}
}

// New nodes that were there, and went while load balancers looked at them, are not waited for without end.
func TestNewNodesGoAgain(t *testing.T) {
	w := two(t, &app{kind: "ReplicaSet", replicas: 2, slow: 1})
	w.nodes[2].since, w.nodes[3].since = time.Now(), time.Now()
	_, err := run(t, w, func(d *Drain) {
		d.Settle, d.Patience = time.Hour, 20*time.Millisecond
		d.Say = func(text string) {
			if strings.Contains(text, "load balancers") {
				w.mu.Lock()
				w.nodes[2].unready, w.nodes[3].unready = true, true
				w.mu.Unlock()
			}
		}
	})
	if err == nil || !strings.Contains(err.Error(), "no node was drained, and nothing was deleted: for 20ms these new nodes have not been ready: b1, b2.") {
		t.Errorf("it ends with %v", err)
	}
}

func TestNothingLeft(t *testing.T) {
	w := two(t, &app{kind: "ReplicaSet", replicas: 2, slow: 1})
	w.nodes = w.nodes[2:]
	w.pods = nil
	if _, err := run(t, w, nil); err != nil {
		t.Error(err)
	}
}

func TestToken(t *testing.T) {
	var asked []string
	w := two(t, &app{kind: "ReplicaSet", replicas: 1, slow: 1})
	made := 0
	w.fail = func(r *http.Request) int {
		asked = append(asked, r.Header.Get("Authorization"))
		if len(asked) == 2 {
			return http.StatusUnauthorized
		}
		return 0
	}
	_, err := run(t, w, func(d *Drain) {
		d.API.Token = func(context.Context) (string, error) {
			made++
			return fmt.Sprint("t", made), nil
		}
	})
	if err != nil || made != 2 || asked[0] != "Bearer t1" || asked[2] != "Bearer t2" {
		t.Errorf("%v; %d tokens; asked as %v", err, made, asked)
	}
}
