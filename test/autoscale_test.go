//go:build real

package test

import (
	"bytes"
	"os/exec"
	"testing"
	"time"
)

// autoscaled is step 14 of SYSTEM.md: a page that burns CPU takes the frontend from two pods to eight, and the end of the load back.
func (r *real) autoscaled(t *testing.T) {
	r.up(t, "    minReplicas: 2", "    minReplicas: 2", "    cpuPercent: 10", "    cpuPercent: 10")
	name := r.get("{.items[0].metadata.name}", "hpa", "-n", "example")
	// By default five minutes pass before any pod goes, and then one goes each minute: right for production, long for a test.
	r.must("kubectl", "patch", "hpa", name, "-n", "example", "--patch", `{"spec": {"behavior": {"scaleDown":
		{"stabilizationWindowSeconds": 15, "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}}}}`)
	pods := func(n string) func() bool {
		return func() bool {
			return r.get("{.status.readyReplicas}", "deployment", r.deployment("frontend"), "-n", "example") == n
		}
	}
	waitFor(t, "two pods at rest", pods("2"))
	ab := exec.Command("ab", "-q", "-t", "300", "-n", "1000000", "-c", "4", "-s", "60", "http://"+r.addresses("example", "frontend-service")[0]+"/load")
	var said bytes.Buffer
	ab.Stdout, ab.Stderr = &said, &said
	if err := ab.Start(); err != nil {
		t.Fatalf("ab: %v: apt-get install apache2-utils", err)
	}
	began := time.Now()
	t.Cleanup(func() { _ = ab.Process.Kill(); _ = ab.Wait() })
	waitFor(t, "eight pods under load", pods("8"))
	up := time.Since(began)
	_ = ab.Process.Kill()
	began = time.Now()
	waitFor(t, "two pods after the load", pods("2"))
	report(t, "/load under ab: frontend went from 2 pods to 8 in %s, and back to 2 in %s", up.Round(time.Second), time.Since(began).Round(time.Second))
}
