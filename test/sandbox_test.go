package test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// box is a sandbox of the test's own: an account, a cluster and a state; what was built is shared with the project's.
type box struct {
	t    *testing.T
	home string
}

// command is the sandbox's executable, built once.
var command = sync.OnceValues(func() (string, error) {
	root, err := filepath.Abs("..")
	if err != nil {
		return "", err
	}
	exe := filepath.Join(root, "bin", "sandbox")
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", exe, ".")
	build.Dir = filepath.Join(root, "sandbox")
	if out, err := build.CombinedOutput(); err != nil {
		return string(out), err
	}
	return exe, nil
})

func newBox(t *testing.T) *box {
	t.Helper()
	if out, err := command(); err != nil {
		t.Fatalf("the sandbox does not build: %v\n%s", err, out)
	}
	shared, err := filepath.Abs("../.sandbox/bin")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(shared, 0o700); err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, home: filepath.Join(t.TempDir(), ".sandbox")}
	if err := os.MkdirAll(b.home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(shared, filepath.Join(b.home, "bin")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("sandbox status:\n%s", b.try("status").all())
		}
		b.try("stop")
	})
	return b
}

// said is how a command ended, and what it printed.
type said struct {
	code        int
	out, errOut string
}

func (s said) all() string { return s.out + s.errOut }

// try runs the sandbox with args in the project's folder.
func (b *box) try(args ...string) said { return b.tryIn("..", nil, args...) }

func (b *box) tryIn(dir string, env []string, args ...string) said {
	b.t.Helper()
	cmd := b.cmd(dir, env, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		b.t.Fatalf("sandbox %s: %v", strings.Join(args, " "), err)
	}
	return said{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

func (b *box) cmd(dir string, env []string, args ...string) *exec.Cmd {
	exe, _ := command()
	cmd := exec.Command(exe, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "SLIPWAY_SANDBOX="+b.home), env...)
	return cmd
}

// must is try for what has to work.
func (b *box) must(args ...string) said {
	b.t.Helper()
	s := b.try(args...)
	if s.code != 0 {
		b.t.Fatalf("sandbox %s ended with %d:\n%s", strings.Join(args, " "), s.code, s.all())
	}
	return s
}

// kubectl asks the cluster and reads its answer as JSON.
func (b *box) kubectl(into any, args ...string) {
	b.t.Helper()
	s := b.must(append([]string{"kubectl"}, append(args, "-o", "json")...)...)
	if err := json.Unmarshal([]byte(s.out), into); err != nil {
		b.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, s.all())
	}
}

// items is a list as kubectl prints it.
type items struct {
	Items []struct {
		Metadata struct {
			Name, Namespace string
			Labels          map[string]string
		}
		Spec struct {
			NodeName string
			Replicas *int
		}
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
}

func ready(conditions []struct{ Type, Status string }) bool {
	for _, c := range conditions {
		if c.Type == "Ready" {
			return c.Status == "True"
		}
	}
	return false
}
