package test

import (
	"strings"
	"testing"
)

// TestPodTargets has the stack's load balancer send to the pods themselves, and back to the nodes.
func TestPodTargets(t *testing.T) {
	t.Parallel() // it waits more than it works
	b := newBox(t)
	at := func(release, kind string) []string {
		return []string{"--stack", "prod", "--config-file", b.configWith(t, `frontend: "1.0.0"`, `frontend: "`+release+`"`, "config:\n", "config:\n  slipway:targetType: "+kind+"\n")}
	}
	up := func(release, kind string) {
		t.Helper()
		b.must(append([]string{"pulumi", "up", "--yes", "--skip-preview"}, at(release, kind)...)...)
		if s := b.must(append([]string{"pulumi", "preview", "--expect-no-changes"}, at(release, kind)...)...); s.code != 0 {
			t.Errorf("after %s with targets of type %s there are changes:\n%s", release, kind, s.all())
		}
	}
	b.must("start")
	b.must("pulumi", "stack", "select", "--create", "prod")
	up("1.0.0", "ip")
	door := openDoor(t, b)
	asked := func(noun string) func() bool {
		return func() bool { return strings.Contains(door.curl(t, "https://www.example.com/"), noun) }
	}
	if !within(asked("pod: example/frontend-")) {
		t.Errorf("no pod is asked:\n%s", door.curl(t, "https://www.example.com/"))
	}
	// The pods that a release makes wait until the load balancer has found them healthy.
	up("1.0.1", "ip")
	// The second pod of each is the autoscaler's, which has its first look after `up` has ended.
	var pods struct{ Items []gated }
	if !within(func() bool {
		b.kubectl(&pods, "get", "pods", "-n", "example", "-l", "app.kubernetes.io/name=frontend")
		waited := 0
		for _, p := range pods.Items {
			if p.Metadata.DeletionTimestamp == "" && p.waited() {
				waited++
			}
		}
		return waited == 2
	}) {
		t.Errorf("these pods did not wait for the load balancer: %+v", pods)
	}
	up("1.0.1", "instance")
	if !within(asked("node: ")) {
		t.Errorf("no node is asked:\n%s", door.curl(t, "https://www.example.com/"))
	}
	if s := b.must("kubectl", "get", "targetgroupbindings.elbv2.k8s.aws", "-A", "-o", "name"); strings.TrimSpace(s.out) != "" {
		t.Errorf("bindings are left: %s", s.out)
	}
}

// gated is a pod with what it waits for before it counts as ready.
type gated struct {
	Metadata struct{ Name, DeletionTimestamp string }
	Spec     struct {
		ReadinessGates []struct{ ConditionType string }
	}
	Status struct {
		Conditions []struct{ Type, Status string }
	}
}

// waited tells whether the load balancer has found the pod healthy, and the pod had to wait for that.
func (p gated) waited() bool {
	for _, g := range p.Spec.ReadinessGates {
		for _, c := range p.Status.Conditions {
			if c.Type == g.ConditionType && strings.HasPrefix(c.Type, "target-health.elbv2.k8s.aws/") {
				return c.Status == "True"
			}
		}
	}
	return false
}
