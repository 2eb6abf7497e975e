package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// blocked is a pod that its disruption budget keeps where it is.
const blocked = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: blocked, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: blocked}}
  template:
    metadata: {labels: {app: blocked}}
    spec: {containers: [{name: app, image: example.com/app:1}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: blocked, namespace: default}
spec: {maxUnavailable: 0, selector: {matchLabels: {app: blocked}}}
`

// TestNodesAreReplaced changes the instance type of the stack's nodes: new nodes come first, pods move as budgets allow, the old group
// goes last; a drain that a budget holds up deletes nothing, can be interrupted, and goes on.
func TestNodesAreReplaced(t *testing.T) {
	t.Parallel() // it waits more than it works
	b := newBox(t)
	b.must("up")
	b.podsAreReady(t)
	t.Run("several versions of Kubernetes at once are refused in preview, with the steps", func(t *testing.T) {
		newer := []string{"pulumi", "preview", "--stack", "prod", "--config-file", b.configWith(t, `version: "1.35"`, `version: "1.36"`)}
		state := filepath.Join(t.TempDir(), "state.json")
		b.must("pulumi", "stack", "export", "--stack", "prod", "--file", state)
		// As if it had been made with the version before.
		b.must("pulumi", "stack", "import", "--stack", "prod", "--file", madeWith(t, state, "1.34"))
		s := b.try(newer...)
		if s.code == 0 || !strings.Contains(s.all(), `version goes from "1.34" to "1.36"`) || !strings.Contains(s.all(), `Set it to "1.35", then "1.36"`) {
			t.Errorf("exit code %d:\n%s", s.code, s.all())
		}
		b.must("pulumi", "stack", "import", "--stack", "prod", "--file", state)
		s = b.try(newer...)
		if s.code != 0 || !strings.Contains(s.out, "NodeGroup cluster-main update [diff: ~version]") {
			t.Errorf("exit code %d:\n%s", s.code, s.all())
		}
	})

	manifest := filepath.Join(t.TempDir(), "blocked.yaml")
	if err := os.WriteFile(manifest, []byte(blocked), 0o600); err != nil {
		t.Fatal(err)
	}
	b.must("kubectl", "apply", "-f", manifest)
	b.must("kubectl", "wait", "--for=condition=available", "deployment/blocked", "--timeout=60s")
	old := b.nodeNames()
	// More pods a node come with it: whether the scheduler sees them is looked at in the end.
	larger := []string{
		"pulumi", "up", "--yes", "--skip-preview", "--stack", "prod", "--config-file", b.configWith(t, "[m5.large]", "[m5.xlarge]", "    nodes:", "    prefixDelegation: true\n    nodes:"),
	}

	broken := b.watchBudgets(t)
	out := b.interrupted(t, larger, "waiting for default/blocked-")
	if !strings.Contains(out, "The disruption budget blocked needs 1 healthy pods and has 1 currently") {
		t.Errorf("nobody is told which budget:\n%s", out)
	}
	// The door and the schedule have the new nodes before a pod leaves the old ones.
	for _, created := range []string{"Attachment door-frontend.main created replacement", "Schedule week-nights-up created replacement"} {
		if !strings.Contains(out, created) {
			t.Errorf("%q is missing before the old nodes are empty:\n%s", created, out)
		}
	}
	both := b.nodeNames()
	for name := range old {
		if !both[name] {
			t.Errorf("the old node %s went while a pod was on it", name)
		}
	}
	if len(both) != 2*len(old) {
		t.Errorf("there are %d nodes, want the %d old ones and as many new", len(both), len(old))
	}

	b.must("kubectl", "delete", "pdb", "blocked")
	s := b.must(larger...)
	if replaced := "NodeGroup cluster-main deleted original"; !strings.Contains(s.out, replaced) || strings.Contains(s.out, "NodeGroup cluster-main created") {
		t.Errorf("the second run does not go on where the first was:\n%s", s.all())
	}
	if drained, deleted := strings.Index(s.out, "the old nodes are empty"), strings.Index(s.out, "NodeGroup cluster-main deleting original"); drained < 0 || drained > deleted {
		t.Errorf("the old group went before it was empty:\n%s", s.all())
	}
	for name := range b.nodeNames() {
		if old[name] {
			t.Errorf("the old node %s is still there", name)
		}
	}
	for _, problem := range broken() {
		t.Error(problem)
	}
	var now struct {
		Items []struct {
			Metadata struct{ Name string }
			Status   struct{ Allocatable struct{ Pods string } }
		}
	}
	b.kubectl(&now, "get", "nodes")
	for _, n := range now.Items {
		if n.Status.Allocatable.Pods != "110" {
			t.Errorf("%s takes %s pods, was told to take 110", n.Metadata.Name, n.Status.Allocatable.Pods)
		}
	}
	b.podsAreReady(t)
	if s := b.try(append([]string{"pulumi", "preview", "--expect-no-changes"}, larger[4:]...)...); s.code != 0 {
		t.Errorf("preview ended with %d:\n%s", s.code, s.all())
	}
	b.must("kubectl", "delete", "deployment", "blocked")
	b.destroyed(t)
}

// madeWith is a copy of a stack's state in which the cluster was made with another version of Kubernetes.
func madeWith(t *testing.T, file, version string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]any
	if err := json.Unmarshal(content, &state); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, r := range state["deployment"].(map[string]any)["resources"].([]any) {
		if r := r.(map[string]any); r["type"] == "slipway:index:EksCluster" {
			r["inputs"].(map[string]any)["version"] = version
			found = true
		}
	}
	if !found {
		t.Fatal("the state has no cluster")
	}
	if content, err = json.Marshal(state); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "older.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// watchBudgets looks at the apps' budgets until the function that it returns is called, which says those that were broken.
func (b *box) watchBudgets(t *testing.T) func() []string {
	t.Helper()
	end, found := make(chan struct{}), make(chan []string, 1)
	go func() {
		var broken []string
		for {
			var list struct {
				Items []struct {
					Metadata struct{ Name string }
					Status   struct{ CurrentHealthy, DesiredHealthy int }
				}
			}
			b.kubectl(&list, "get", "pdb", "-n", "example")
			for _, p := range list.Items {
				if p.Status.CurrentHealthy < p.Status.DesiredHealthy {
					broken = append(broken, fmt.Sprintf("budget %s: %d healthy pods, it asks for %d", p.Metadata.Name, p.Status.CurrentHealthy, p.Status.DesiredHealthy))
				}
			}
			if len(list.Items) == 0 {
				broken = append(broken, "there are no budgets to look at")
			}
			select {
			case <-end:
				found <- broken
				return
			case <-time.After(time.Second): // between two looks at the cluster
			}
		}
	}()
	return func() []string {
		close(end)
		return <-found
	}
}

// interrupted runs the sandbox until it prints a text, and ends it as two Ctrl-C do.
func (b *box) interrupted(t *testing.T, args []string, until string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "out")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := b.cmd("..", nil, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = f, f, &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := func(text string) bool {
		content, err := os.ReadFile(file)
		return err == nil && bytes.Contains(content, []byte(text))
	}
	for deadline := time.Now().Add(2 * time.Minute); !printed(until) && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond) // between two looks at the file
	}
	for _, said := range []string{"^C received", ""} {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); said != "" && !printed(said) && time.Now().Before(deadline); {
			time.Sleep(100 * time.Millisecond)
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Errorf("the run that was interrupted ended well")
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), until) {
		t.Fatalf("it does not say %q:\n%s", until, content)
	}
	return string(content)
}
