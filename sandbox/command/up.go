package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/home"
	"github.com/slipway-iac/slipway/sandbox/langhost"
	"github.com/slipway-iac/slipway/sandbox/progress"
)

// StackVariable in the environment names another stack than prod.
const StackVariable = "SLIPWAY_SANDBOX_STACK"

// errChanges: the preview found something to do.
var errChanges = errors.New("there are changes")

func stackName() string {
	if s := os.Getenv(StackVariable); s != "" {
		return s
	}
	return "prod"
}

// Up takes the stack from whatever it is to what the program says.
func (s *Sandbox) Up(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.resume(ctx); err != nil {
		return err
	}
	if err := s.Pulumi(ctx, []string{"up", "--yes", "--skip-preview", "--stack", stackName()}); err != nil {
		return explained(err, "the stack is not up. Nothing that was made is lost: mend what the message above names, and run `make up` again")
	}
	return s.summary(ctx)
}

// Preview shows what Up would do; errChanges where that is something.
func (s *Sandbox) Preview(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	cmd, release, err := s.pulumi(ctx, []string{"preview", "--expect-no-changes", "--stack", stackName()})
	if err != nil {
		return err
	}
	defer release()
	var said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, &said
	if err := passed(cmd); err != nil {
		// With --expect-no-changes the CLI words its finding as an error; here it is the answer.
		if strings.Contains(said.String(), "no changes were expected") {
			return errChanges
		}
		fmt.Fprint(os.Stderr, said.String())
		return err
	}
	fmt.Fprint(os.Stderr, said.String())
	return nil
}

// Destroy takes the stack away in the two steps that production takes: give up the protection, then delete.
func (s *Sandbox) Destroy(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.resume(ctx); err != nil {
		return err
	}
	unprotected, err := s.unprotected(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "· giving up the protection: slipway:protect is false in a copy of the configuration (%s)\n", unprotected)
	common := []string{"--yes", "--skip-preview", "--stack", stackName(), "--config-file", unprotected}
	if err := s.Pulumi(ctx, append([]string{"up"}, common...)); err != nil {
		return explained(err, "the protection could not be given up; nothing was deleted")
	}
	if err := s.Pulumi(ctx, append([]string{"destroy"}, common...)); err != nil {
		return explained(err, "the stack is not gone. What is left is in its state: run `make destroy` again")
	}
	return s.empty()
}

// explained adds what to do to the reason, which stands above it.
func explained(err error, what string) error {
	if _, ok := err.(told); !ok { //nolint:errorlint // as in exitCode
		return fmt.Errorf("%w\n%s", err, what)
	}
	fmt.Fprintln(os.Stderr, "sandbox:", what)
	return err
}

// prepare builds the program beforehand, with a word about how long it takes, while Kubernetes starts, and selects the stack.
func (s *Sandbox) prepare(ctx context.Context) error {
	if _, err := s.Tools.Pulumi(ctx); err != nil {
		return err
	}
	if err := s.Launch(ctx); err != nil {
		return err
	}
	programs := filepath.Join(s.Home.Bin(), "programs")
	hint := ""
	if entries, err := os.ReadDir(programs); err != nil || len(entries) == 0 {
		hint = "the first time about 5 minutes on 2 cores"
	}
	step := progress.Start("building the program", hint)
	_, err := langhost.Build(ctx, programs, ".", step.At)
	if err := step.End(err); err != nil {
		return err
	}
	// Before the CLI reads it and says "EOF".
	if err := damagedState(s.Home, stackName()); err != nil {
		return err
	}
	cmd, release, err := s.pulumi(ctx, []string{"stack", "select", "--create", stackName()})
	if err != nil {
		return err
	}
	defer release()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pulumi stack select %s: %w\n%s", stackName(), err, out)
	}
	return nil
}

// damagedState names a stack's file that cannot be read, and what to do.
func damagedState(h home.Home, stack string) error {
	files, err := filepath.Glob(filepath.Join(h.State(), ".pulumi", "stacks", "*", stack+".json"))
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || json.Valid(b) {
			continue
		}
		if b, err := os.ReadFile(f + ".bak"); err == nil && json.Valid(b) {
			return fmt.Errorf("the stack's state %s is damaged; %s.bak is what it was before its last change: copy it over the damaged one and run the command again, which takes over what was made since", f, f)
		}
		return fmt.Errorf("the stack's state %s is damaged, and %s.bak, what it was before its last change, is too: bring back a copy of yours, or forget everything with `%s reset`", f, f, executable())
	}
	return err
}

// unprotected is a copy of the stack's configuration without the protection.
func (s *Sandbox) unprotected(ctx context.Context) (string, error) {
	from := "Pulumi." + stackName() + ".yaml"
	b, err := os.ReadFile(from)
	if err != nil {
		return "", fmt.Errorf("the stack's configuration: %w", err)
	}
	to := filepath.Join(string(s.Home), "Pulumi."+stackName()+".unprotected.yaml")
	if err := os.WriteFile(to, b, 0o600); err != nil {
		return "", err
	}
	cmd, release, err := s.pulumi(ctx, []string{"config", "set", "slipway:protect", "false", "--stack", stackName(), "--config-file", to})
	if err != nil {
		return "", err
	}
	defer release()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("pulumi config set slipway:protect false: %w\n%s", err, out)
	}
	return to, nil
}

// summary shows the stack's outputs and where to look next.
func (s *Sandbox) summary(ctx context.Context) error {
	out, err := s.pulumiOutput(ctx, "stack", "output", "--json", "--stack", stackName())
	if err != nil {
		return err
	}
	var outputs map[string]any
	if err := json.Unmarshal(out, &outputs); err != nil {
		return fmt.Errorf("pulumi stack output: %w", err)
	}
	fmt.Println()
	for _, k := range slices.Sorted(maps.Keys(outputs)) {
		fmt.Print(block(k, outputs[k]))
	}
	fmt.Printf(`
Where to look next
  make preview                          says that nothing would change
  eval "$(%s env)"
  %s kubectl get pods -A -o wide        the pods and their nodes
  %s status                             the account, Kubernetes, the providers
  %s edge                               serves the site on this machine, for curl
  make destroy                          takes all of it away
`, executable(), executable(), executable(), executable())
	return nil
}

// block is one output, its parts below it where it has any.
func block(name string, v any) string {
	var b strings.Builder
	switch v := v.(type) {
	case map[string]any:
		fmt.Fprintf(&b, "%s\n", name)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			fmt.Fprintf(&b, "  %-18s %v\n", k, v[k])
		}
	case []any:
		fmt.Fprintf(&b, "%s\n", name)
		for _, e := range v {
			fmt.Fprintf(&b, "  %v\n", e)
		}
	default:
		fmt.Fprintf(&b, "%-20s %v\n", name, v)
	}
	return b.String()
}

// executable is how the user called the sandbox, as short as it can be said.
func executable() string {
	exe, err := os.Executable()
	if err != nil {
		return "sandbox"
	}
	if found, err := exec.LookPath("sandbox"); err == nil && found == exe {
		return "sandbox"
	}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, exe); err == nil && !strings.HasPrefix(rel, "..") {
			return rel
		}
	}
	return exe
}
