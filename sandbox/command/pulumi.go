package command

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/toolchain"
)

// runsEngine are the commands of the CLI that ask providers; they need Kubernetes.
var runsEngine = []string{"up", "update", "preview", "pre", "destroy", "refresh", "import", "watch"}

// changes are the commands of the CLI that write the stack's state; one at a time.
var changes = []string{"up", "update", "destroy", "refresh", "import", "watch", "cancel", "state", "stack"}

// Pulumi runs the CLI in the caller's directory.
func (s *Sandbox) Pulumi(ctx context.Context, args []string) error {
	cmd, release, err := s.pulumi(ctx, args)
	if err != nil {
		return err
	}
	defer release()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return passed(cmd)
}

// pulumi prepares the CLI: built, with its providers, Kubernetes running, and alone where it changes anything. The lock
// lasts as long as any process of it does; release gives up this process's share.
func (s *Sandbox) pulumi(ctx context.Context, args []string) (*exec.Cmd, func(), error) {
	verb := verbOf(args)
	release := func() {}
	cli, err := s.Tools.Pulumi(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := s.installPlugins(cli); err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, cli.Path, args...)
	cmd.Env = environment(s.Home)
	if slices.Contains(changes, verb) {
		lock, err := s.Home.Lock("pulumi " + strings.Join(args, " "))
		if err != nil {
			return nil, nil, err
		}
		release = func() { lock.Close() }
		cmd.ExtraFiles = []*os.File{lock}
		if err := s.Home.ForgetStackLocks(); err != nil {
			release()
			return nil, nil, err
		}
	}
	if slices.Contains(runsEngine, verb) {
		if err := s.Start(ctx); err != nil {
			release()
			return nil, nil, err
		}
		// For programs with a provider of the kubeconfig at hand.
		if _, err := s.kubeconfig(); err != nil {
			release()
			return nil, nil, err
		}
	}
	return cmd, release, nil
}

// installPlugins installs what this CLI needs and does not bring along.
func (s *Sandbox) installPlugins(cli toolchain.Pulumi) error {
	if err := s.Tools.InstallPlugins(s.Tools.Plugins(), !cli.OnPath); err != nil {
		return fmt.Errorf("the sandbox's providers: %w", err)
	}
	return nil
}

// verbOf is the first word of a command line that is not a flag. `stack` only reads unless it is told otherwise.
func verbOf(args []string) string {
	var words []string
	for i := 0; i < len(args); i++ {
		switch {
		case slices.Contains([]string{"-C", "--cwd", "-s", "--stack", "--color", "-v", "--verbose", "--tracing", "--profiling", "--memprofilerate"}, args[i]):
			i++ // the flag's value
		case !strings.HasPrefix(args[i], "-"):
			words = append(words, args[i])
		}
	}
	switch {
	case len(words) == 0:
		return ""
	case words[0] == "stack" && (len(words) == 1 || slices.Contains([]string{"ls", "output", "export", "graph", "history", "tag"}, words[1])):
		return ""
	}
	return words[0]
}
