//go:build real

package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// story is the frontend as it is written in the story that this system comes from: SYSTEM.md, steps 9 to 14.
const story = `
apiVersion: v1
kind: Namespace
metadata: {name: story}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: frontend, namespace: story}
spec:
  replicas: 4
  selector: {matchLabels: {app: frontend}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 25%, maxSurge: 1}}
  template:
    metadata: {labels: {app: frontend}}
    spec:
      containers:
        - name: frontend-service
          image: IMAGE
          imagePullPolicy: Always
          ports: [{containerPort: 8000, protocol: TCP}]
          livenessProbe: {exec: {command: [curl, "http://localhost:8000/"]}, initialDelaySeconds: 5, periodSeconds: 30}
          readinessProbe: {exec: {command: [curl, "http://localhost:8000/"]}, initialDelaySeconds: 5, periodSeconds: 10}
          resources: {requests: {memory: 64Mi, cpu: 60m}, limits: {memory: 128Mi, cpu: 70m}}
---
apiVersion: v1
kind: Service
metadata: {name: frontend-service, namespace: story}
spec: {type: NodePort, selector: {app: frontend}, ports: [{port: 80, targetPort: 8000, protocol: TCP}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: frontend, namespace: story}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: frontend}
  minReplicas: 2
  maxReplicas: 8
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 10}}}]
`

// apply gives a manifest to the cluster.
func (b *box) apply(t *testing.T, manifest []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "manifest")
	if err := os.WriteFile(file, manifest, 0o600); err != nil {
		t.Fatal(err)
	}
	b.must("kubectl", "apply", "-f", file)
}

// roll changes a variable of the pods, which replaces all of them, and waits until they are.
func (b *box) roll(namespace, deployment string, n int) {
	b.t.Helper()
	b.must("kubectl", "set", "env", "deployment/"+deployment, "-n", namespace, fmt.Sprintf("RELEASE=%d", n))
	b.must("kubectl", "rollout", "status", "deployment/"+deployment, "-n", namespace, "--timeout=5m")
}

// asInTheStory counts what the story's own manifest loses where the stack's loses nothing.
func (r *real) asInTheStory(t *testing.T) {
	image := r.get("{.spec.template.spec.containers[0].image}", "deployment", r.deployment("frontend"), "-n", "example")
	r.apply(t, []byte(strings.Replace(story, "IMAGE", image, 1)))
	r.must("kubectl", "rollout", "status", "deployment/frontend", "-n", "story", "--timeout=5m")
	l := startLoad(t, r.addresses("story", "frontend-service"), "/")
	rolled := releases
	if os.Getenv("SLIPWAY_RESULTS") == "" {
		rolled = 3 // that some fail shows by then; the figure is for who compares
	}
	for n := range rolled {
		r.roll("story", "frontend", n)
	}
	sent, failed, why := l.end()
	report(t, "the story's manifest, %d releases: %d requests, %d failed: %s", rolled, sent, failed, why)
	if failed == 0 {
		t.Error("nothing failed: what the stack does better does not show here")
	}
	r.must("kubectl", "delete", "namespace", "story")
}

// withoutAGuard takes the frontend's own Deployment, removes one guard, and rolls it: each alone has to show failures, or the test
// of the whole could not see any.
func (r *real) withoutAGuard(t *testing.T) {
	for _, c := range []struct {
		name   string
		remove func(pod, container map[string]any)
		fails  bool
	}{
		{"all guards", func(_, _ map[string]any) {}, false},
		{"no preStop", func(_, c map[string]any) { delete(c, "lifecycle") }, true},
		{"no readiness", func(_, c map[string]any) { delete(c, "readinessProbe"); delete(c, "startupProbe") }, true},
		// The API server takes no grace that ends before preStop does: this one ends with it.
		{"no grace", func(pod, _ map[string]any) { pod["terminationGracePeriodSeconds"] = 7 }, true},
	} {
		r.run(t, c.name, func(t *testing.T) {
			name := strings.ReplaceAll(strings.ToLower(c.name), " ", "-")
			r.apply(t, r.without(t, name, c.remove))
			r.must("kubectl", "rollout", "status", "deployment/"+name, "-n", "example", "--timeout=5m")
			l := startLoad(t, r.addresses("example", name), "/")
			n, most := 0, 3
			if c.fails {
				most = 10 // some guards are needed seldom: only a request that is slow enough meets their lack
			}
			for ; n < most && !(c.fails && l.so(func(_, failed int) bool { return failed > 0 })); n++ {
				r.roll("example", name, n)
			}
			sent, failed, why := l.end()
			report(t, "%s, %d releases: %d requests, %d failed %s", c.name, n, sent, failed, why)
			if (failed > 0) != c.fails {
				t.Errorf("%d of %d requests failed: %s", failed, sent, why)
			}
			r.must("kubectl", "delete", "deployment,service", name, "-n", "example")
		})
	}
}

// without is the frontend's Deployment under another name, with something removed, and a Service for it.
func (r *real) without(t *testing.T, name string, remove func(pod, container map[string]any)) []byte {
	t.Helper()
	var d map[string]any
	r.kubectl(&d, "get", "deployment", r.deployment("frontend"), "-n", "example")
	spec := d["spec"].(map[string]any)
	template := spec["template"].(map[string]any)
	pod := template["spec"].(map[string]any)
	labels := map[string]any{"guard": name}
	template["metadata"] = map[string]any{"labels": labels}
	spec["selector"], spec["replicas"] = map[string]any{"matchLabels": labels}, 4
	remove(pod, pod["containers"].([]any)[0].(map[string]any))
	meta := map[string]any{"name": name, "namespace": "example"}
	list := map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{
		map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec},
		map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": map[string]any{
			"type": "NodePort", "selector": labels, "ports": []any{map[string]any{"port": 80, "targetPort": 8000}},
		}},
	}}
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
