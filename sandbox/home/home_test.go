package home_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/sandbox/home"
)

func mkdir(t *testing.T, elem ...string) string {
	t.Helper()
	dir := filepath.Join(elem...)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, content string, elem ...string) string {
	t.Helper()
	file := filepath.Join(elem...)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	project := mkdir(t, root, "project")
	write(t, "name: p\n", project, "Pulumi.yaml")
	inside := mkdir(t, project, "a", "b")
	used := mkdir(t, root, "used")
	mkdir(t, used, home.Name)
	nested := mkdir(t, used, "nested")
	write(t, "name: n\n", nested, "Pulumi.yaml")
	nowhere := mkdir(t, root, "nowhere")
	for _, c := range []struct{ why, variable, dir, want string }{
		{"beside the nearest project", "", inside, filepath.Join(project, home.Name)},
		{"one that exists goes before a project nearer by", "", nested, filepath.Join(used, home.Name)},
		{"in the folder itself where there is neither", "", nowhere, filepath.Join(nowhere, home.Name)},
		{"the variable goes before all", filepath.Join(root, "own"), nested, filepath.Join(root, "own")},
	} {
		t.Run(c.why, func(t *testing.T) {
			t.Setenv(home.Variable, c.variable)
			got, err := home.Find(c.dir)
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestLock(t *testing.T) {
	h := home.Home(t.TempDir())
	first, err := h.Lock("pulumi up")
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Lock("pulumi destroy")
	if err == nil {
		t.Fatal("two commands hold the lock")
	}
	for _, want := range []string{string(h), "`pulumi up`", "Wait until it has ended"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := h.Lock("pulumi destroy")
	if err != nil {
		t.Fatalf("the lock outlives its holder: %v", err)
	}
	second.Close()
}

// The holder may have been cut off between taking the lock and writing its name.
func TestLockHeldByNobodyKnown(t *testing.T) {
	h := home.Home(t.TempDir())
	held, err := h.Lock("pulumi up")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	write(t, `{"pid":`, string(h), "lock")
	if _, err := h.Lock("pulumi destroy"); err == nil || !strings.Contains(err.Error(), "wait until it has ended") {
		t.Errorf("got %v", err)
	}
}

func TestForgetStackLocks(t *testing.T) {
	h := home.Home(t.TempDir())
	if err := h.ForgetStackLocks(); err != nil {
		t.Errorf("without a state: %v", err)
	}
	lock := write(t, "{}", mkdir(t, h.State(), ".pulumi", "locks", "organization", "slipway", "prod"), "1.json")
	state := write(t, "{}", mkdir(t, h.State(), ".pulumi", "stacks"), "prod.json")
	if err := h.ForgetStackLocks(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(lock); !os.IsNotExist(err) {
		t.Errorf("the lock is still there: %v", err)
	}
	if _, err := os.Stat(state); err != nil {
		t.Errorf("the state is gone: %v", err)
	}
}

func TestMakeTellsWhatIsInTheWay(t *testing.T) {
	file := write(t, "", t.TempDir(), "file")
	if err := home.Home(file).Make(); err == nil || !strings.Contains(err.Error(), "the sandbox's folder: ") || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}
