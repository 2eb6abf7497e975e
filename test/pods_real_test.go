//go:build real

package test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// toPods has the load balancer send to the pods themselves, releases under load, and goes back to the nodes.
func (r *real) toPods(t *testing.T) {
	for i := range r.config { // a new pod has a minute more, in which the load balancer finds it healthy
		r.config[i] = strings.Replace(r.config[i], "progressDeadlineSeconds: 150", "progressDeadlineSeconds: 240", 1)
	}
	r.config = append(r.config, "config:\n", "config:\n  slipway:targetType: ip\n")
	r.up(t)
	d := openDoor(t, r.box)
	answers := func() bool { return strings.Contains(d.curl(t, "https://www.example.com/"), "frontend") }
	waitFor(t, "the pods answer", answers)
	l := startLoadOn(t, []string{"https://www.example.com"}, "/", d.way(t))
	for i := range 3 {
		tag := fmt.Sprintf("3.0.%d", i)
		r.image(tag)
		r.up(t, `frontend: "1.0.0"`, `frontend: "`+tag+`"`)
	}
	var pods struct{ Items []gated }
	r.kubectl(&pods, "get", "pods", "-n", "example", "-l", "app.kubernetes.io/name=frontend")
	seen := 0
	for _, p := range pods.Items {
		if p.Metadata.DeletionTimestamp != "" {
			continue
		}
		seen++
		if !p.waited() {
			t.Errorf("pod %s did not wait for the load balancer: %+v", p.Metadata.Name, p)
		}
	}
	sent, failed, why := l.end()
	report(t, "three releases with the pods themselves as targets: %d requests, %d failed %s; %d pods waited for the load balancer", sent, failed, why, seen)
	if failed > 0 || seen == 0 {
		t.Errorf("%d of %d requests failed, %d pods: %s", failed, sent, seen, why)
	}
	r.withoutDeregistering(t, d)
	r.config = r.config[:len(r.config)-2]
	r.up(t)
}

// withoutDeregistering adds pods to the frontend's Service that end at once when they are told to, as pods do by default. The load
// balancer goes on sending to them until it is told, which has to show.
func (r *real) withoutDeregistering(t *testing.T, d door) {
	const name = "no-drain"
	var list map[string]any
	if err := json.Unmarshal(r.without(t, name, func(_, c map[string]any) { delete(c, "lifecycle") }), &list); err != nil {
		t.Fatal(err)
	}
	deployment := list["items"].([]any)[0].(map[string]any)
	labels := deployment["spec"].(map[string]any)["template"].(map[string]any)["metadata"].(map[string]any)["labels"].(map[string]any)
	var service struct {
		Spec struct{ Selector map[string]string }
	}
	r.kubectl(&service, "get", "service", "frontend-service", "-n", "example")
	for k, v := range service.Spec.Selector {
		labels[k] = v
	}
	manifest, err := json.Marshal(deployment)
	if err != nil {
		t.Fatal(err)
	}
	r.apply(t, manifest)
	r.must("kubectl", "rollout", "status", "deployment/"+name, "-n", "example", "--timeout=5m")
	l := startLoadOn(t, []string{"https://www.example.com"}, "/", d.way(t))
	n := 0
	for ; n < 10 && !l.so(func(_, failed int) bool { return failed > 0 }); n++ {
		r.roll("example", name, n)
	}
	sent, failed, why := l.end()
	report(t, "pods as targets that do not drain, %d releases: %d requests, %d failed %s", n, sent, failed, why)
	if failed == 0 {
		t.Errorf("none of %d requests failed: what draining is for does not show here", sent)
	}
	r.must("kubectl", "delete", "deployment", name, "-n", "example")
}
