package command

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/slipway-iac/slipway/sandbox/home"
)

// The verb decides whether a command takes the lock and whether Kubernetes is started for it.
func TestVerbOf(t *testing.T) {
	for line, want := range map[string]string{
		"":                                      "",
		"--help":                                "",
		"up --yes":                              "up",
		"-C infra up":                           "up",
		"--cwd infra --color never destroy":     "destroy",
		"--stack prod preview":                  "preview",
		"--stack=prod preview":                  "preview",
		"-v 9 --logtostderr refresh":            "refresh",
		"--tracing file:./up.trace up":          "up",
		"up --message stack":                    "up",
		"config set slipway:domain x":           "config",
		"stack":                                 "",
		"stack ls":                              "",
		"stack output site":                     "",
		"stack -s prod export":                  "",
		"stack init prod":                       "stack",
		"stack select --create prod":            "stack",
		"stack rm prod":                         "stack",
		"state delete urn:pulumi:prod::s::t::n": "state",
	} {
		if got := verbOf(strings.Fields(line)); got != want {
			t.Errorf("pulumi %s has the verb %q, want %q", line, got, want)
		}
	}
}

// An interrupt ends what the sandbox runs, even where the sandbox itself was started without a terminal, and not the sandbox.
func TestInterruptsEndWhatItRuns(t *testing.T) {
	signal.Ignore(syscall.SIGINT)
	t.Cleanup(func() { signal.Reset(syscall.SIGINT) })
	outliveInterrupts()
	err := exec.Command("sh", "-c", "kill -INT $$; exit 0").Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		t.Errorf("a program that was interrupted ended with %v", err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Error(err)
	}
}

// Nothing that the sandbox runs may reach a real account, a real backend, or a real cluster.
func TestEnvironmentLeadsNowhereElse(t *testing.T) {
	foreign := map[string]string{
		"AWS_PROFILE": "prod", "AWS_SESSION_TOKEN": "x", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_ENDPOINT_URL": "https://x",
		"KUBECONFIG": "/home/ann/.kube/config", "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBE_CONTEXT": "prod",
		"PULUMI_ACCESS_TOKEN": "pul-x", "PULUMI_BACKEND_URL": "s3://state", "PULUMI_HOME": "/home/ann/.pulumi", "PULUMI_STACK": "real",
		"PULUMI_CONFIG_PASSPHRASE": "real", "PULUMI_CONFIG_PASSPHRASE_FILE": "/real",
	}
	for k, v := range foreign {
		t.Setenv(k, v)
	}
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOCACHE", "/kept")
	h := home.Home("/srv/.sandbox")
	got := map[string]string{}
	for _, kv := range environment(h) {
		k, v, _ := strings.Cut(kv, "=")
		if old, twice := got[k]; twice {
			t.Errorf("%s is there twice: %q and %q", k, old, v)
		}
		got[k] = v
	}
	for k, v := range foreign {
		if got[k] == v {
			t.Errorf("%s=%s reaches what the sandbox runs", k, v)
		}
	}
	for k, want := range map[string]string{
		"GOCACHE": "/kept", "GOFLAGS": "-mod=mod -trimpath '-gcflags=all=-dwarf=false -l'", "PULUMI_BACKEND_URL": "file:///srv/.sandbox/state?metadata=skip", "KUBECONFIG": "/srv/.sandbox/kubeconfig",
		"AWS_ACCESS_KEY_ID": "SANDBOX", home.Variable: "/srv/.sandbox",
	} {
		if got[k] != want {
			t.Errorf("%s is %q, want %q", k, got[k], want)
		}
	}
	if !strings.HasPrefix(got["PATH"], "/srv/.sandbox/bin:") {
		t.Errorf("PATH is %q", got["PATH"])
	}
}

// What `sandbox env` prints is for a shell to read.
func TestExportsSurviveAShell(t *testing.T) {
	h := home.Home("/it's a $HOME/`x` \"y\"/.sandbox")
	script := exports(h) + "printf %s \"$" + home.Variable + "\""
	out, err := exec.Command("sh", "-c", script).CombinedOutput()
	if err != nil || string(out) != string(h) {
		t.Errorf("the shell reads %q, %v, want %q\n%s", out, err, h, script)
	}
}

func TestBlock(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{"https://www.example.com", "site                 https://www.example.com\n"},
		{map[string]any{"b": "2", "a": "1"}, "site\n  a                  1\n  b                  2\n"},
		{[]any{"x", "y"}, "site\n  x\n  y\n"},
	} {
		if got := block("site", c.value); got != c.want {
			t.Errorf("%v is shown as %q, want %q", c.value, got, c.want)
		}
	}
}

func TestWhatIsNoCommand(t *testing.T) {
	t.Setenv(home.Variable, t.TempDir())
	if err := run(t.Context(), []string{"downgrade"}); err == nil || !strings.Contains(err.Error(), `"downgrade"; `+"`sandbox help`") {
		t.Errorf("got %v", err)
	}
	if code := Main([]string{"downgrade"}); code != 1 {
		t.Errorf("it ended with %d", code)
	}
}

// What a program has told the user is not said again; the words of one whose output nobody saw are.
func TestExitCode(t *testing.T) {
	failed := func(script string) error { return exec.Command("sh", "-c", script).Run() }
	for _, c := range []struct {
		err  error
		code int
		says string
	}{
		{nil, 0, ""},
		{errChanges, 3, ""},
		{passed(exec.Command("true")), 0, ""},
		{passed(exec.Command("sh", "-c", "exit 7")), 7, ""},
		{explained(passed(exec.Command("sh", "-c", "exit 7")), "look above"), 7, ""},
		{passed(exec.Command("sh", "-c", "kill -9 $$")), 1, "sandbox: signal: killed\n"},
		{fmt.Errorf("pulumi stack select: %w\nEOF", failed("exit 255")), 1, "sandbox: pulumi stack select: exit status 255\nEOF\n"},
		{explained(errors.New("the lock is held"), "run it again"), 1, "sandbox: the lock is held\nrun it again\n"},
	} {
		var out strings.Builder
		if code := exitCode(c.err, &out); code != c.code || out.String() != c.says {
			t.Errorf("%v ends with %d and %q, want %d and %q", c.err, code, out.String(), c.code, c.says)
		}
	}
}
