package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/slipway-iac/slipway/review"
)

const outcomeUsage = `slipway outcome [FLAGS] EVENTS

Reads the events of a ` + "`pulumi up`" + `, and writes Markdown for the run's summary: what was done, or what failed and why, whether anything is
half done, what serves now, and what to do next.

  PULUMI_DEBUG_COMMANDS=true pulumi up --yes --event-log events.jsonl; pulumi stack export > state.json
  slipway outcome --state state.json events.jsonl

A file that is not there counts as empty: the run may have ended before it wrote it.
Exit codes: 0 all was done; 1 not all was, or a file cannot be read; 2 wrong usage.

`

func runOutcome(_ context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("outcome", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), outcomeUsage)
		flags.PrintDefaults()
	}
	var o review.OutcomeOptions
	flags.StringVar(&o.Stack, "stack", "", "the stack as `PROJECT/STACK`, for a run that ended before it said which it is of")
	flags.StringVar(&o.Commit, "commit", "", "the `COMMIT` that was deployed")
	flags.StringVar(&o.Rerun, "rerun", "", "the `COMMAND` that runs the same once more; default pulumi up")
	flags.StringVar(&o.PutBack, "put-back", "", "the `COMMAND` that puts back what was changed by hand; default pulumi up --refresh")
	state := flags.String("state", "", "what `pulumi stack export` printed after the run, as a `FILE`")
	log := flags.String("log", "", "what pulumi printed, as a `FILE`")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return review.Fine
		}
		return review.Usage
	}
	if flags.NArg() != 1 {
		fmt.Fprintf(stderr, "slipway outcome: one EVENTS, and flags before it: %q\n", flags.Args())
		return review.Usage
	}
	var texts [3]string
	for i, name := range []string{flags.Arg(0), *state, *log} {
		b, err := os.ReadFile(name)
		if err != nil && name != "" && !errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(stderr, "slipway outcome: %v\n", err)
			return review.Failed
		}
		texts[i] = string(b)
	}
	o.Log = texts[2]
	outcome, err := review.ReadOutcome(strings.NewReader(texts[0]), strings.NewReader(texts[1]))
	if err != nil {
		fmt.Fprintf(stderr, "slipway outcome: %v\n", err)
		return review.Failed
	}
	r := outcome.Report(o)
	for _, problem := range r.Problems {
		fmt.Fprintf(stderr, "slipway outcome: %s\n", problem)
	}
	fmt.Fprint(stdout, r.Markdown)
	return r.Code
}
