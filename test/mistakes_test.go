package test

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMistakesAreSaidAtOnce: mistakes in the values of five components are a line each, and
// nothing is registered.
func TestMistakesAreSaidAtOnce(t *testing.T) {
	b := newBox(t)
	config := b.configWith(t,
		"zone: example.com", "zone: example.net",
		`frontend: "1.0.0"`, "frontend: latest",
		`version: "1.35"`, `version: "1.12"`,
		"      - 198.51.100.0/24", "      - 10.0.0.0/8",
		"      min: 3", "      min: 7",
		"instanceTypes: [m5.large]", "instanceTypes: [m5large]",
		`minReplicas: 2`, `minReplicas: 9`,
		"    replicas: 2", "    replicas: 501",
		"America/Los_Angeles", "Pacific",
		`nightsFrom: "20:00"`, `nightsFrom: "25:00"`,
		"  slipway:frontend:", "  slipway:rollout: {drainSeconds: 4000, slowestRequestSeconds: 30}\n  slipway:frontend:",
	)
	b.must("pulumi", "stack", "select", "--create", "prod")
	s := b.try("pulumi", "up", "--yes", "--skip-preview", "--stack", "prod", "--config-file", config)
	if s.code == 0 {
		t.Fatalf("accepted:\n%s", s.all())
	}
	for _, want := range []string{
		`domain is "www.example.com"`, `version is "1.12"`, `publicAccessCidrs[0] is "10.0.0.0/8"`, "nodeGroups[0].", `"m5large"`, "autoscaling.", "replicas is 501",
		`image is "repository:latest"`, `timeZone is "Pacific"`, `nights.downAt is "25:00"`, "drainSeconds is 4000",
	} {
		if !strings.Contains(s.all(), want) {
			t.Errorf("the output does not say %q:\n%s", want, s.all())
		}
	}
	if out := b.must("status").out; !strings.Contains(out, " 0 resources") {
		t.Errorf("something was made:\n%s", out)
	}
	if out := b.must("pulumi", "stack", "export", "--stack", "prod").out; strings.Contains(out, "slipway:index") {
		t.Errorf("something was registered:\n%s", out)
	}
}

// TestMissingKeyNamesTheCommand that sets it.
func TestMissingKeyNamesTheCommand(t *testing.T) {
	b := newBox(t)
	config := b.configWith(t, "  slipway:domain: www.example.com\n", "")
	b.must("pulumi", "stack", "select", "--create", "prod")
	s := b.try("pulumi", "preview", "--stack", "prod", "--config-file", config)
	if want := "slipway:domain is missing: set it with `pulumi config set slipway:domain VALUE --stack prod`"; s.code == 0 || !strings.Contains(s.all(), want) {
		t.Errorf("exit code %d, want %q in\n%s", s.code, want, s.all())
	}
}

// TestPodsThatDoNotFit: fewer nodes at night than the fewest pods need is refused before anything is made; what only the most pods would
// need is a warning.
func TestPodsThatDoNotFit(t *testing.T) {
	b := newBox(t)
	b.must("pulumi", "stack", "select", "--create", "prod")
	preview := func(oldAndNew ...string) said {
		t.Helper()
		return b.try("pulumi", "preview", "--stack", "prod", "--config-file", b.configWith(t, oldAndNew...))
	}
	s := preview("minReplicas: 2", "minReplicas: 60", "maxReplicas: 8", "maxReplicas: 60")
	for _, want := range []string{
		"the pods do not fit the nodes (times in America/Los_Angeles):",
		"Mon–Thu 20:00 to 06:30, Fri 20:00 to Mon 06:30: 2 m5.large nodes do not hold the minimum: ", " pods of frontend are left out; 5 nodes would",
	} {
		if s.code == 0 || !strings.Contains(s.all(), want) {
			t.Errorf("exit code %d, want %q in\n%s", s.code, want, s.all())
		}
	}
	if strings.Contains(s.all(), "aws:ecr:Repository") {
		t.Errorf("something would be made all the same:\n%s", s.all())
	}
	s = preview("maxReplicas: 8", "maxReplicas: 60")
	if want := "2 m5.large nodes do not hold the maximum: "; s.code != 0 || !strings.Contains(s.all(), want) {
		t.Errorf("exit code %d, want the warning %q in\n%s", s.code, want, s.all())
	}
	// A type that no table has: nothing can be said without its numbers, and everything with them.
	unknown := []string{"minReplicas: 2", "minReplicas: 60", "maxReplicas: 8", "maxReplicas: 60", "      instanceTypes: [m5.large]", "      instanceTypes: [x99.large]"}
	s = preview(unknown...)
	if want := `whether the pods fit the nodes is not looked at: instance type "x99.large" is in no table`; !strings.Contains(s.all(), want) || !strings.Contains(s.all(), "(slipway:cluster.nodes.instanceSizes)") {
		t.Errorf("exit code %d, want the warning %q in\n%s", s.code, want, s.all())
	}
	sizes := "\n      instanceSizes: {x99.large: {vcpu: 2, memoryMiB: 8192, networkInterfaces: 3, addressesPerInterface: 10}}"
	unknown[5] += sizes
	s = preview(unknown...)
	if want := "2 x99.large nodes do not hold the minimum: "; s.code == 0 || !strings.Contains(s.all(), want) || strings.Contains(s.all(), "is in no table") {
		t.Errorf("exit code %d, want %q in\n%s", s.code, want, s.all())
	}
	// With blocks of addresses there is room for more pods, until CPU runs out; the kubelet may be told to take fewer.
	s = preview("minReplicas: 2", "minReplicas: 46", "maxReplicas: 8", "maxReplicas: 46", "    nodes:", "    prefixDelegation: true\n    nodes:")
	if s.code != 0 || strings.Contains(s.all(), "do not hold the minimum: ") {
		t.Errorf("exit code %d:\n%s", s.code, s.all())
	}
	s = preview("      max: 6", "      max: 6\n      maxPods: 30")
	if want := "nodeGroups[0].kubelet.maxPods is 30, must be 11 to 29: m5.large up to 29"; s.code == 0 || !strings.Contains(s.all(), want) {
		t.Errorf("exit code %d, want %q in\n%s", s.code, want, s.all())
	}
}

// TestDamage: what goes wrong on a machine is said, with what to do, and nothing is lost.
func TestDamage(t *testing.T) {
	b := newBox(t)
	b.must("start")
	account := filepath.Join(b.home, "account", "account.json")

	t.Run("two commands at once", func(t *testing.T) {
		lock, err := os.OpenFile(filepath.Join(b.home, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		if s := b.try("pulumi", "up", "--yes", "--stack", "prod"); s.code == 0 || !strings.Contains(s.errOut, "another command is changing the sandbox") {
			t.Errorf("exit code %d:\n%s", s.code, s.all())
		}
	})
	t.Run("an account that is cut short", func(t *testing.T) {
		if err := os.WriteFile(account, []byte(`{"version": 1, "objects": [{"type": "aws:ec2`), 0o600); err != nil {
			t.Fatal(err)
		}
		s := b.try("status")
		if s.code == 0 || !strings.Contains(s.errOut, "cannot be read") || !strings.Contains(s.errOut, "sandbox reset") {
			t.Errorf("exit code %d:\n%s", s.code, s.all())
		}
		if content, err := os.ReadFile(account); err != nil || !strings.HasSuffix(string(content), "aws:ec2") {
			t.Errorf("the damaged file was changed: %q, %v", content, err)
		}
		if err := os.Remove(account); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a stack's state that is cut short", func(t *testing.T) {
		b.must("pulumi", "stack", "select", "--create", "prod")
		dir := filepath.Join(b.home, "state", ".pulumi", "stacks", "slipway")
		// The CLI writes such a file in two steps, and a kill between them would make every later command end with "EOF".
		if beside, _ := filepath.Glob(filepath.Join(dir, "*.attrs")); beside != nil {
			t.Errorf("beside the state there are %q", beside)
		}
		file := filepath.Join(dir, "prod.json")
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, whole[:len(whole)/2], 0o600); err != nil {
			t.Fatal(err)
		}
		s := b.try("up")
		if s.code == 0 || !strings.Contains(s.errOut, "is damaged") || !strings.Contains(s.errOut, file) || !strings.Contains(s.errOut, file+".bak") {
			t.Errorf("exit code %d:\n%s", s.code, s.all())
		}
		if now, err := os.ReadFile(file); err != nil || len(now) != len(whole)/2 {
			t.Errorf("the damaged file was changed: %q, %v", now, err)
		}
		if err := os.WriteFile(file, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a port that is taken", func(t *testing.T) {
		port, err := os.ReadFile(filepath.Join(b.home, "kube", "port"))
		if err != nil {
			t.Fatal(err)
		}
		b.must("stop")
		l, err := net.Listen("tcp", "127.0.0.1:"+strings.TrimSpace(string(port)))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		s := b.try("start")
		if s.code == 0 || !strings.Contains(s.errOut, strings.TrimSpace(string(port))) {
			t.Errorf("exit code %d:\n%s", s.code, s.all())
		}
		l.Close()
		b.must("start")
	})
}

// killService ends a service of the sandbox as a lost machine would; dir is the service's folder.
func killService(t *testing.T, dir string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "ready"))
	if err != nil {
		t.Fatal(err)
	}
	var r struct{ Pid int }
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(r.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); syscall.Kill(r.Pid, 0) == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d survives kill -9", r.Pid)
		}
	}
}

// TestKilledInTheMiddle: a machine that is lost in the middle of `make up` leaves a stack with which the next one goes on.
func TestKilledInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		why string
		// seen in the account when it is time to kill.
		seen string
		// all kills the sandbox's command, the CLI and every plugin; else the CLI alone, and the others have to find out.
		all, last bool
	}{
		{"the network is being made, all processes die", "aws:ec2/vpc:Vpc", true, false},
		{"the cluster is there, the engine dies", "aws:eks/nodeGroup:NodeGroup", false, false},
		{"the load balancer is there and the apps are starting, all processes die", "aws:lb/listener:Listener", true, true},
	} {
		t.Run(c.why, func(t *testing.T) {
			b := newBox(t)
			b.must("start")
			b.killUp(t, c.seen, c.all)
			up := b.must("up")
			if s := b.try("preview"); s.code != 0 {
				t.Errorf("after the second up, preview ended with %d:\n%s\nup said:\n%s", s.code, s.all(), up.all())
			}
			b.podsAreReady(t)
			if !c.last {
				return
			}
			// What was taken over can be changed and deleted like the rest.
			release := b.configWith(t, `: "1.0.0"`, `: "1.0.1"`)
			if s := b.try("pulumi", "up", "--yes", "--skip-preview", "--stack", "prod", "--config-file", release); s.code != 0 || !strings.Contains(s.out, "~ 6 updated") {
				t.Errorf("a release ended with %d:\n%s\nup had said:\n%s", s.code, s.all(), up.all())
			}
			b.destroyed(t)
		})
	}
}

// killUp begins an up and kills it once the account holds a resource of the type seen: all of its processes, or the engine alone.
func (b *box) killUp(t *testing.T, seen string, all bool) {
	t.Helper()
	cmd := b.cmd("..", nil, "up")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	account := filepath.Join(b.home, "account", "account.json")
	for tick := time.NewTicker(10 * time.Millisecond); ; { // another process's file makes no event here
		select {
		case err := <-ended:
			t.Fatalf("up ended (%v) before it was killed:\n%s", err, out.String())
		case <-tick.C:
		}
		if content, err := os.ReadFile(account); err == nil && strings.Contains(string(content), seen) {
			break
		}
	}
	victim := -cmd.Process.Pid
	if !all {
		victim = b.engine(t)
	}
	if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Fatalf("up ended well although it was killed:\n%s", out.String())
	}
}

// engine is the process of the Pulumi CLI that works on this box.
func (b *box) engine(t *testing.T) int {
	t.Helper()
	mine := "SLIPWAY_SANDBOX=" + b.home + "\x00"
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range environments {
		env, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(env), mine) {
			continue // it has ended by now, or is another's
		}
		if exe, err := os.Readlink(filepath.Join(filepath.Dir(file), "exe")); err == nil && filepath.Base(exe) == "pulumi" {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatal("the engine's process is not found")
	return 0
}
