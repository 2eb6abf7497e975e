//go:build real

package test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hostAddress is the machine as its nodes see it.
const hostAddress = "198.18.0.1"

// releases is how many are rolled out in a row under load.
const releases = 10

// fewestRequests is what a run without a failure has to show at least.
const fewestRequests = 200_000

// real is the production stack on nodes that run its containers.
type real struct {
	*box
	database *postgres
	config   []string // replacements in Pulumi.prod.yaml, in pairs
	password string   // of the database, where it is not the one of Pulumi.prod.yaml
}

// TestReal runs the production stack with real containers, and sends it requests while everything happens to it that happens to
// a system in production.
func TestReal(t *testing.T) {
	r := newReal(t)
	r.run(t, "pods are spread, and served through every node", r.serves)
	r.run(t, "ten releases in a row drop no request", r.tenReleases)
	r.run(t, "the story's manifest drops some", r.asInTheStory)
	r.run(t, "each guard removed drops some", r.withoutAGuard)
	r.run(t, "a release that cannot work says why, and the old pods serve on", r.badReleases)
	r.run(t, "two nodes are drained at once, and nothing is dropped", r.drained)
	r.run(t, "the database's user and password change, and nothing is dropped", r.rotated)
	r.run(t, "the nodes are replaced by larger ones, and nothing is dropped", r.replaced)
	r.run(t, "the nodes are killed, and the next start brings them back", r.killed)
	r.run(t, "the site moves from an old system, and nothing is dropped", r.moved)
	r.run(t, "releases behind a load balancer that sends to the pods drop no request", r.toPods)
	r.run(t, "the autoscaler follows the load", r.autoscaled)
	r.run(t, "destroy leaves nothing, on the machine neither", func(t *testing.T) {
		r.destroyed(t)
		r.must("stop")
		for what, pattern := range map[string]string{"network namespaces": "/run/netns/slw*", "sockets": "/run/slipway/slw*", "control groups": "/sys/fs/cgroup/*/slw*", "interfaces": "/sys/class/net/slw*"} {
			if left, _ := filepath.Glob(pattern); left != nil {
				t.Errorf("%s are left: %q", what, left)
			}
		}
		if addresses, err := net.InterfaceAddrs(); err != nil || strings.Contains(fmt.Sprint(addresses), hostAddress) {
			t.Errorf("the machine still has the address %s: %v, %v", hostAddress, addresses, err)
		}
		if mounts, err := os.ReadFile("/proc/self/mounts"); err != nil || strings.Contains(string(mounts), r.home) {
			t.Errorf("mounts are left: %v\n%s", err, mounts)
		}
	})
}

// run is t.Run for a part that the box's own failures are to end, and not the whole.
func (r *real) run(t *testing.T, name string, part func(*testing.T)) {
	t.Run(name, func(t *testing.T) {
		whole := r.t
		r.t = t
		defer func() { r.t = whole }()
		part(t)
	})
}

// newReal takes the stack up in the order of the README: repositories, images, the rest.
func newReal(t *testing.T) *real {
	r := &real{box: newBox(t)}
	r.must("start", "--pods", "real")
	r.database = startPostgres(t, hostAddress)
	r.must("pulumi", "stack", "select", "--create", "prod")
	r.database.login(t, "app_a", strings.TrimSpace(r.must("pulumi", "config", "get", "slipway:databasePassword", "--stack", "prod").out))
	if err := os.WriteFile(filepath.Join(r.home, "nodes", "hosts"), []byte(hostAddress+" thoughts-db.example.internal\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.config = []string{
		"user: postgres", "user: app_a",
		// Four pods, which stay four while they are busy.
		"    minReplicas: 2", "    minReplicas: 4", "    cpuPercent: 10", "    cpuPercent: 100",
		"  slipway:frontend:", "  slipway:rollout: {drainSeconds: 6, slowestRequestSeconds: 12, progressDeadlineSeconds: 150}\n  slipway:frontend:",
	}
	r.up(t, "config:\n", "config:\n  slipway:repositoriesOnly: true\n")
	r.image("1.0.0")
	r.up(t)
	return r
}

// image pushes the demonstration service under a tag. It takes two seconds until it listens, as services do that load a lot.
func (r *real) image(tag string, env ...string) {
	args := []string{"demo", "--env", "DEMO_START_SECONDS=2"}
	for _, e := range env {
		args = append(args, "--env", e)
	}
	r.must(append(args, tag)...)
}

// up runs pulumi up with the configuration, changed for this once.
func (r *real) up(t *testing.T, oldAndNew ...string) said {
	t.Helper()
	s := r.tryUp(t, oldAndNew...)
	if s.code != 0 {
		t.Fatalf("up ended with %d:\n%s", s.code, s.all())
	}
	return s
}

func (r *real) tryUp(t *testing.T, oldAndNew ...string) said {
	t.Helper()
	config := r.configWith(t, append(oldAndNew, r.config...)...)
	if r.password != "" {
		r.must("pulumi", "config", "set", "--secret", "slipway:databasePassword", r.password, "--stack", "prod", "--config-file", config)
	}
	return r.try("pulumi", "up", "--yes", "--skip-preview", "--stack", "prod", "--config-file", config)
}

// get reads one field of an object.
func (b *box) get(path string, args ...string) string {
	b.t.Helper()
	return b.must(append(append([]string{"kubectl", "get"}, args...), "-o", "jsonpath="+path)...).out
}

// deployment is the name of the app's Deployment, which Pulumi has made up.
func (b *box) deployment(app string) string {
	b.t.Helper()
	return b.get("{.items[0].metadata.name}", "deployments", "-n", "example", "-l", "app.kubernetes.io/name="+app)
}

// addresses are those of a Service on every node.
func (b *box) addresses(namespace, service string) (all []string) {
	b.t.Helper()
	port := b.get("{.spec.ports[0].nodePort}", "service", service, "-n", namespace)
	for _, node := range strings.Fields(b.get(`{.items[*].status.addresses[?(@.type=="InternalIP")].address}`, "nodes")) {
		all = append(all, net.JoinHostPort(node, port))
	}
	return all
}

func (r *real) serves(t *testing.T) {
	r.podsAreReady(t)
	l := startLoad(t, r.addresses("example", "frontend-service"), "/thoughts")
	waitFor(t, "a hundred pages that both backends and the database had a part in", func() bool { return l.so(func(sent, _ int) bool { return sent >= 100 }) })
	if sent, failed, why := l.end(); failed > 0 {
		t.Errorf("%d of %d requests failed: %s", failed, sent, why)
	}
}

// waitFor waits for what makes no event that a test could see.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !within(ok) {
		t.Fatalf("not within five minutes: %s", what)
	}
}

func (r *real) tenReleases(t *testing.T) {
	began := time.Now()
	l := startLoad(t, r.addresses("example", "frontend-service"), "/")
	for i := 1; i <= releases; i++ {
		tag := fmt.Sprintf("1.0.%d", i)
		r.image(tag)
		r.config = append(r.config[:len(r.config):len(r.config)], `frontend: "1.0.0"`, `frontend: "`+tag+`"`)
		r.up(t)
		if got := r.get("{.spec.template.spec.containers[0].image}", "deployment", r.deployment("frontend"), "-n", "example"); !strings.HasSuffix(got, ":"+tag) {
			t.Fatalf("release %s is not there, %s is", tag, got)
		}
		r.config = r.config[:len(r.config)-2]
	}
	took := time.Since(began)
	waitFor(t, strconv.Itoa(fewestRequests)+" requests", func() bool { return l.so(func(sent, _ int) bool { return sent >= fewestRequests }) })
	sent, failed, why := l.end()
	report(t, "%d releases of frontend by pulumi up, %s: %d requests, %d failed %s", releases, took.Round(time.Second), sent, failed, why)
	if failed > 0 {
		t.Errorf("%d of %d requests failed: %s", failed, sent, why)
	}
}

// report prints a figure, and keeps it for docs/results.
func report(t *testing.T, format string, a ...any) {
	t.Helper()
	line := fmt.Sprintf(format, a...)
	t.Log(line)
	if file := os.Getenv("SLIPWAY_RESULTS"); file != "" {
		f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fmt.Fprintln(f, "- "+strings.TrimSpace(line))
	}
}

// badReleases: one image that is not there, one that crashes, one that is never ready; each in another service, so that one up
// has to tell of all of them.
func (r *real) badReleases(t *testing.T) {
	r.image("2.0.0-crashes", "DEMO_CRASH=the secret sauce is missing")
	r.image("2.0.0-unready", "DEMO_UNREADY=waiting for a colleague")
	l := startLoad(t, r.addresses("example", "frontend-service"), "/thoughts")
	s := r.tryUp(t, `frontend: "1.0.0"`, `frontend: "2.0.0-missing"`, `thoughts_server: "1.0.0"`, `thoughts_server: "2.0.0-crashes"`,
		`users_server: "1.0.0"`, `users_server: "2.0.0-unready"`)
	if s.code == 0 {
		t.Fatalf("up took three releases that cannot work:\n%s", s.all())
	}
	for _, want := range []string{
		"frontend:2.0.0-missing", "ErrImagePull", "demo: cannot start: the secret sauce is missing", "HTTP probe failed with statuscode: 503",
	} {
		if !strings.Contains(s.all(), want) {
			t.Errorf("up does not say %q:\n%s", want, s.all())
		}
	}
	r.image("2.0.1")
	r.config = append(r.config, `: "1.0.0"`, `: "2.0.1"`)
	r.up(t)
	sent, failed, why := l.end()
	report(t, "three releases that cannot work, and the good ones after them: %d requests, %d failed %s", sent, failed, why)
	if failed > 0 {
		t.Errorf("%d of %d requests failed: %s", failed, sent, why)
	}
	r.podsAreReady(t)
}

// drained empties two of the three nodes at once, as an operator in a hurry does: only the budgets keep the two apart.
func (r *real) drained(t *testing.T) {
	var nodes, outs []string
	for _, n := range strings.Fields(r.get("{.items[*].spec.nodeName}", "pods", "-n", "example", "-l", "app.kubernetes.io/name=frontend")) {
		if !slices.Contains(nodes, n) && len(nodes) < 2 {
			nodes = append(nodes, n)
		}
	}
	if len(nodes) < 2 {
		t.Fatalf("the frontend's pods are all on %q", nodes)
	}
	budgets := r.watchBudgets(t)
	l := startLoad(t, r.addresses("example", "frontend-service"), "/")
	t.Cleanup(func() { r.must(append([]string{"kubectl", "uncordon"}, nodes...)...) })
	outs = make([]string, len(nodes))
	var drains sync.WaitGroup
	for i, n := range nodes {
		drains.Go(func() {
			// The scratch directories are local, and nothing in them is to outlive its pod.
			out, err := r.cmd("..", nil, "kubectl", "drain", n, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=8m").CombinedOutput()
			if outs[i] = string(out); err != nil {
				t.Errorf("draining %s: %v\n%s", n, err, out)
			}
		})
	}
	drains.Wait()
	for _, n := range nodes {
		if left := r.get("{.items[*].metadata.name}", "pods", "-n", "example", "--field-selector", "spec.nodeName="+n); left != "" {
			t.Errorf("on the node there still are %s", left)
		}
	}
	r.podsAreReadyIn(t, 1)
	sent, failed, why := l.end()
	refused := strings.Count(strings.Join(outs, ""), "violate the pod's disruption budget")
	report(t, "two nodes drained at once: %d requests, %d failed %s; the budgets refused %d evictions", sent, failed, why, refused)
	if failed > 0 {
		t.Errorf("%d of %d requests failed: %s", failed, sent, why)
	}
	if refused == 0 {
		t.Errorf("no eviction had to wait for a budget, so that this shows nothing of budgets:\n%s", strings.Join(outs, "\n"))
	}
	budgets(t)
}

// watchBudgets follows the disruption budgets until the function that it returns is called, which tells where one had fewer ready
// pods than it asks for.
func (r *real) watchBudgets(t *testing.T) func(*testing.T) {
	t.Helper()
	cmd := r.cmd("..", nil, "kubectl", "get", "poddisruptionbudgets", "-n", "example", "--watch", "-o",
		`jsonpath={.metadata.name} {.status.currentHealthy} {.status.desiredHealthy} {.status.expectedPods}{"\n"}`)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	t.Cleanup(stop)
	return func(t *testing.T) {
		t.Helper()
		stop()
		disturbed := map[string]bool{}
		for line := range strings.Lines(out.String()) {
			var name string
			var healthy, desired, expected int
			if _, err := fmt.Sscan(line, &name, &healthy, &desired, &expected); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			disturbed[name] = disturbed[name] || healthy < expected
			if healthy < desired {
				t.Errorf("%s had %d ready pods of %d, and asks for %d", name, healthy, expected, desired)
			}
		}
		if len(disturbed) != 3 {
			t.Errorf("of the three apps' budgets it saw %v:\n%s", disturbed, out.String())
		}
		for name, was := range disturbed {
			if !was {
				t.Errorf("%s never lost a pod, so that this shows nothing of it", name)
			}
		}
	}
}

func (r *real) rotated(t *testing.T) {
	r.password = "another-long-password"
	r.database.login(t, "app_b", r.password)
	before := r.get("{.items[*].metadata.name}", "pods", "-n", "example", "-l", "app.kubernetes.io/name=thoughts-backend")
	l := startLoad(t, r.addresses("example", "frontend-service"), "/thoughts")
	r.config[1] = "user: app_b"
	s := r.up(t)
	sent, failed, why := l.end()
	report(t, "the database's user and password changed: %d requests, %d failed %s", sent, failed, why)
	if failed > 0 {
		t.Errorf("%d of %d requests failed: %s", failed, sent, why)
	}
	if strings.Contains(s.all(), r.password) {
		t.Error("up shows the password")
	}
	for _, pod := range strings.Fields(r.get("{.items[*].metadata.name}", "pods", "-n", "example", "-l", "app.kubernetes.io/name=thoughts-backend", "--field-selector", "status.phase=Running")) {
		if strings.Contains(before, pod) && r.get("{.metadata.deletionTimestamp}", "pod", pod, "-n", "example") == "" {
			t.Errorf("pod %s runs on with the old password", pod)
		}
	}
}

// killed ends the nodes' agent as a lost machine would: its kubelets and containers run on, and nobody looks after them.
func (r *real) killed(t *testing.T) {
	killService(t, filepath.Join(r.home, "nodes"))
	// Times in the cluster are whole seconds. Until a kubelet is back the cluster goes on saying that its pods are ready.
	killed := time.Now().Truncate(time.Second).Add(time.Second)
	r.must("start")
	waitFor(t, "containers that have started since", func() bool {
		started := strings.Fields(r.get("{.items[*].status.containerStatuses[0].state.running.startedAt}", "pods", "-n", "example"))
		pods := strings.Fields(r.get("{.items[*].metadata.name}", "pods", "-n", "example"))
		return len(started) == len(pods) && !slices.ContainsFunc(started, func(s string) bool {
			at, err := time.Parse(time.RFC3339, s)
			return err != nil || at.Before(killed)
		})
	})
	r.serves(t)
}
