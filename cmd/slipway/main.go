// Command slipway is what a pipeline runs beside pulumi.
package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// command is one of the sub-commands.
type command struct {
	// usage says in a line what it does; its own --help says the rest.
	usage string
	run   func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int
}

var commands = map[string]command{
	"calendar": {"show the week: nodes, whether the pods fit, what it saves", runCalendar},
	"drift":    {"say what in the cloud is not as the stack left it, and keep an issue of it", runDrift},
	"outcome":  {"write what a run of `pulumi up` did, and what to do where it failed", runOutcome},
	"promote":  {"copy an image by digest to another registry, for an environment", promote},
	"review":   {"write what a pull request changes, from `pulumi preview --json`", runReview},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		if c, ok := commands[args[0]]; ok {
			return c.run(ctx, args[1:], stdin, stdout, stderr)
		}
	}
	to, code := stderr, 2
	if len(args) > 0 && (args[0] == "help" || args[0] == "-h" || args[0] == "--help") {
		to, code = stdout, 0
	} else if len(args) > 0 {
		fmt.Fprintf(to, "slipway: there is no command %q\n", args[0])
	}
	fmt.Fprintln(to, "slipway COMMAND ARGS…; slipway COMMAND --help says more")
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		fmt.Fprintf(to, "  %-8s %s\n", name, commands[name].usage)
	}
	return code
}
