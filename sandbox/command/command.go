// Package command is what the sandbox does on its command line.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/slipway-iac/slipway/sandbox/home"
	"github.com/slipway-iac/slipway/sandbox/toolchain"
)

// Sandbox is one sandbox, and what runs it.
type Sandbox struct {
	Home  home.Home
	Tools toolchain.Tools
}

// In is the sandbox for commands run in dir.
func In(dir string) (*Sandbox, error) {
	h, err := home.Find(dir)
	if err != nil {
		return nil, err
	}
	if err := h.Make(); err != nil {
		return nil, err
	}
	return &Sandbox{Home: h, Tools: toolchain.Tools{Home: h}}, nil
}

const usage = `A laptop cloud for Pulumi stacks: the real Pulumi CLI, a real Kubernetes control plane with simulated nodes, and a model of
an AWS account in a file.

  sandbox pulumi ARGS…     run the Pulumi CLI in this directory against the sandbox
  sandbox up               take the stack in this directory from nothing to running, and show where to look
  sandbox preview          show what up would change; the exit code is 3 where there are changes
  sandbox destroy          take the stack away, protected resources included
  sandbox start | stop     start or stop Kubernetes; the other commands start it by themselves
    --pods real            with up and start: run containers, on nodes with a kubelet each (Linux, root); it stays so until
                           --pods simulated
  sandbox status           what runs, which providers are used, what the account holds
  sandbox env              print the environment for kubectl and others: eval "$(sandbox env)"
  sandbox kubectl ARGS…    run kubectl, built on first use, against the sandbox
  sandbox demo TAG         put a demonstration service into the account's repositories, for real pods to run
  sandbox clock [TIME]     show the account's time, the sizes of its groups and what their scheduled actions do next; with a TIME, move
                           forward to it: each action on the way runs, and nodes and pods follow, before the next one does.
                           It fails where an app falls below its disruption budget. TIME is like 2027-03-28T01:30, with an
                           offset or without, or a step like +12h or +1w
    --zone ZONE            with clock: the time zone of TIME; default that of the scheduled actions, or UTC where they differ
    --now                  with clock: go back to the machine's time; sizes stay as they are
  sandbox aws ARGS…        what the account's aws command knows: sizes of auto scaling groups, and scheduled actions
  sandbox edge             serve the account's application load balancers on free ports of 127.0.0.1, until Ctrl-C
    --http PORT            with edge: the port that stands for 80; --https PORT is the one that stands for 443
  sandbox fault WORDS…     order a failure: TYPE create|read|update|delete TIMES CODE, where the code "cut" kills the provider after the effect
  sandbox actions          list the IAM actions that the account was asked for, or would have been by the real AWS provider, and by what
    --declared             with actions: those that each type may ask for instead
    --json                 with actions: a line of JSON each, with the resource and the request's condition keys
    --forget               with actions: begin anew after them
  sandbox types            list the resource types and functions that the AWS model knows
  sandbox reset            stop, and forget the account, the cluster and the stacks' state; what was built stays

It keeps everything in the nearest .sandbox above this directory, or in the folder that SLIPWAY_SANDBOX names.
The stack of up, preview and destroy is "prod", or the one that SLIPWAY_SANDBOX_STACK names.
`

// Main runs one command and returns the exit code.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	outliveInterrupts()
	return exitCode(run(ctx, args), os.Stderr)
}

// outliveInterrupts leaves Ctrl-C, which goes to the whole foreground group, to the programs that this one runs: the CLI winds
// down by itself, and this process has to outlive it. A signal that is caught is back to its default in them; one that is ignored
// would be ignored by them too, and the CLI, which interrupts its plugins to end them, would wait five seconds for each.
func outliveInterrupts() { signal.Notify(make(chan os.Signal, 1), syscall.SIGINT) }

// told is the end of a program that has told the user itself why it ended so: nothing is to be added but its exit code.
type told struct{ code int }

func (t told) Error() string { return fmt.Sprintf("exit status %d", t.code) }

// passed runs a program for the user, who sees all that it prints.
func passed(cmd *exec.Cmd) error {
	err := cmd.Run()
	if exit, ok := err.(*exec.ExitError); ok && exit.ExitCode() > 0 { //nolint:errorlint // Run does not wrap it
		return told{exit.ExitCode()}
	}
	return err
}

// exitCode says what the user was not told yet.
func exitCode(err error, out io.Writer) int {
	if err == nil {
		return 0
	}
	if t, ok := err.(told); ok { //nolint:errorlint // one that is wrapped has words around it that were not said
		return t.code
	}
	if errors.Is(err, errChanges) {
		return 3
	}
	fmt.Fprintln(out, "sandbox:", err)
	return 1
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		fmt.Print(usage)
		return nil
	}
	s, err := In(".")
	if err != nil {
		return err
	}
	switch args[0] {
	case "pulumi":
		return s.Pulumi(ctx, args[1:])
	case "up":
		if err := s.options(args[1:]); err != nil {
			return err
		}
		return s.Up(ctx)
	case "preview":
		return s.Preview(ctx)
	case "destroy":
		return s.Destroy(ctx)
	case "start":
		if err := s.options(args[1:]); err != nil {
			return err
		}
		return s.Start(ctx)
	case "stop":
		return s.Stop()
	case "status":
		return s.Status(ctx)
	case "env":
		return s.Env(ctx)
	case "kubectl":
		return s.Kubectl(ctx, args[1:])
	case "demo":
		return s.Demo(ctx, args[1:])
	case "clock":
		return s.Clock(ctx, args[1:])
	case "aws":
		return s.AWS(args[1:])
	case "edge":
		return s.Edge(ctx, args[1:])
	case "fault":
		return s.Fault(args[1:])
	case "actions":
		return s.Actions(args[1:])
	case "types":
		return s.Types()
	case "reset":
		return s.Reset()
	}
	return fmt.Errorf("there is no command %q; `sandbox help` lists them", args[0])
}

// options reads those of up and start.
func (s *Sandbox) options(args []string) error {
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	pods := flags.String("pods", s.pods(), "")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w; `%s help` lists what there is", err, executable())
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("there is no argument %q; `%s help` lists what there is", flags.Arg(0), executable())
	}
	return s.SetPods(*pods)
}
