package drain

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// world is an API server with as much of a cluster as a drain meets: every request lets its pods take one step.
type world struct {
	t  interface{ Fatalf(string, ...any) }
	mu sync.Mutex
	// apps by name.
	apps  map[string]*app
	nodes []*fakeNode
	pods  []*fakePod
	// next numbers the pods.
	next int
	// evicted are the nodes from which pods were evicted, in that order.
	evicted []string
	// fail answers a request with an error instead.
	fail func(r *http.Request) (code int)
	// broken is a budget that was broken.
	broken string
}

type fakeNode struct {
	name, group       string
	cordoned, unready bool
	since             time.Time
}

// app is something that makes pods anew, and how many of them must be ready.
type app struct {
	kind             string
	replicas, budget int
	// slow is how many steps a new pod takes to become ready; -1 never.
	slow int
}

type fakePod struct {
	app, name, node string
	ready           bool
	// ending is how many steps it still takes; 0 where it does not end.
	ending, starting int
	notes            map[string]string
	phase            string
	end              *time.Time
	finalizers       []string
	// refuses is the status code of every answer to an eviction.
	refuses int
}

// step is what controllers, scheduler and kubelets do meanwhile.
func (w *world) step() {
	for _, p := range w.pods {
		if p.ending > 0 {
			p.ending--
			if p.ending == 0 {
				p.name = ""
			}
			continue
		}
		if p.node == "" {
			p.node = w.place()
		} else if !p.ready && p.starting > 0 {
			p.starting--
			p.ready = p.starting == 0
		}
	}
	w.pods = slices.DeleteFunc(w.pods, func(p *fakePod) bool { return p.name == "" })
	for name, a := range w.apps {
		if a.kind == "" || a.kind == "DaemonSet" {
			continue
		}
		for n := w.count(name, func(p *fakePod) bool { return p.ending == 0 }); n < a.replicas; n++ {
			w.add(name, "", false)
		}
	}
	w.watch()
}

// watch notes whether a budget is broken.
func (w *world) watch() {
	for name, a := range w.apps {
		if ready := w.count(name, func(p *fakePod) bool { return p.ready && p.ending == 0 }); ready < a.budget {
			w.broken = fmt.Sprintf("%s has %d ready pods, its budget asks for %d", name, ready, a.budget)
		}
	}
}

func (w *world) count(name string, is func(*fakePod) bool) (n int) {
	for _, p := range w.pods {
		if p.app == name && is(p) {
			n++
		}
	}
	return n
}

func (w *world) add(name, node string, ready bool) *fakePod {
	w.next++
	p := &fakePod{app: name, name: fmt.Sprintf("%s-%d", name, w.next), node: node, ready: ready, starting: w.apps[name].slow, phase: "Running"}
	w.pods = append(w.pods, p)
	return p
}

// place is a node that takes pods, the one with the fewest.
func (w *world) place() string {
	best, least := "", 0
	for _, n := range w.nodes {
		if n.cordoned || n.unready {
			continue
		}
		on := 0
		for _, p := range w.pods {
			if p.node == n.name {
				on++
			}
		}
		if best == "" || on < least {
			best, least = n.name, on
		}
	}
	return best
}

func (w *world) serve(t testing.TB) *Client {
	server := httptest.NewServer(http.HandlerFunc(w.answer))
	t.Cleanup(server.Close)
	return &Client{Server: server.URL, HTTP: server.Client()}
}

var eviction = regexp.MustCompile(`^/api/v1/namespaces/ns/pods/([^/]+)/eviction$`)

func (w *world) answer(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		if code := w.fail(r); code != 0 {
			http.Error(out, "no", code)
			return
		}
	}
	w.step()
	reply := func(code int, v any) {
		out.WriteHeader(code)
		_ = json.NewEncoder(out).Encode(v)
	}
	switch path := r.URL.Path; {
	case r.Method == http.MethodGet && path == "/api/v1/nodes":
		items := []any{}
		for _, n := range w.nodes {
			items = append(items, n.object())
		}
		reply(http.StatusOK, map[string]any{"items": items})
	case r.Method == http.MethodGet && path == "/api/v1/pods":
		where, items := r.URL.Query().Get("fieldSelector"), []any{}
		for _, p := range w.pods {
			if where == "spec.nodeName="+p.node || where == "status.phase=Pending" && p.node == "" {
				items = append(items, w.object(p))
			}
		}
		reply(http.StatusOK, map[string]any{"items": items})
	case r.Method == http.MethodPatch && strings.HasPrefix(path, "/api/v1/nodes/"):
		for _, n := range w.nodes {
			if n.name == strings.TrimPrefix(path, "/api/v1/nodes/") {
				n.cordoned = true
			}
		}
		reply(http.StatusOK, map[string]any{})
	case r.Method == http.MethodPost && eviction.MatchString(path):
		w.evict(eviction.FindStringSubmatch(path)[1], reply)
	default:
		w.t.Fatalf("a drain asks %s %s", r.Method, path)
	}
}

func (w *world) evict(name string, reply func(int, any)) {
	i := slices.IndexFunc(w.pods, func(p *fakePod) bool { return p.name == name })
	if i < 0 {
		reply(http.StatusNotFound, map[string]any{"message": "pods \"" + name + "\" not found"})
		return
	}
	p := w.pods[i]
	if p.refuses != 0 {
		reply(p.refuses, map[string]any{"message": "no eviction of " + p.name})
		return
	}
	a := w.apps[p.app]
	ready := w.count(p.app, func(p *fakePod) bool { return p.ready && p.ending == 0 })
	if p.ready && ready-1 < a.budget {
		reply(http.StatusTooManyRequests, map[string]any{"message": "Cannot evict pod as it would violate the pod's disruption budget.", "details": map[string]any{
			"causes": []any{map[string]any{"message": fmt.Sprintf("The disruption budget %s needs %d healthy pods and has %d currently", p.app, a.budget, ready)}},
		}})
		return
	}
	w.evicted = append(w.evicted, p.node)
	p.ending = 3
	w.watch()
	reply(http.StatusCreated, map[string]any{})
}

func (n *fakeNode) object() any {
	status := "True"
	if n.unready {
		status = "False"
	}
	return map[string]any{
		"metadata": map[string]any{"name": n.name, "labels": map[string]string{groupLabel: n.group}},
		"spec":     map[string]any{"unschedulable": n.cordoned},
		"status":   map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": status, "lastTransitionTime": n.since}}},
	}
}

func (w *world) object(p *fakePod) any {
	meta := map[string]any{"name": p.name, "namespace": "ns", "uid": p.name, "annotations": p.notes}
	if kind := w.apps[p.app].kind; kind != "" {
		meta["ownerReferences"] = []any{map[string]any{"kind": kind, "controller": true}}
	}
	if p.ending > 0 {
		meta["deletionTimestamp"] = time.Now().Add(time.Minute)
	}
	if p.end != nil {
		meta["deletionTimestamp"] = *p.end
	}
	meta["finalizers"] = p.finalizers
	status := map[string]any{"phase": p.phase}
	if p.node == "" {
		status["conditions"] = []any{map[string]any{"type": "PodScheduled", "status": "False", "message": "0/2 nodes are available: 2 Insufficient cpu."}}
	}
	return map[string]any{"metadata": meta, "spec": map[string]any{"nodeName": p.node}, "status": status}
}
