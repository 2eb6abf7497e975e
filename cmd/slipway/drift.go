package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/slipway-iac/slipway/review"
	"github.com/slipway-iac/slipway/review/github"
)

const driftUsage = `slipway drift [FLAGS] [FILE]

Reads what ` + "`PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true pulumi refresh --preview-only --json`" + ` prints, from FILE or the standard input (without the
variable it is read too, and has less), and says what in the cloud is not as the stack left it: what is gone, what was changed, from which
value to which, by whom in Kubernetes, what that means, and the command that sets it back.

It compares the cloud with the state, and only what the stack has made and sets. What the program has changed since is for ` + "`pulumi preview`" + `;
what somebody added beside it, such as a rule of a security group, is seen by neither. Run it when no update runs: what is half done then
is drift too.

With --issue there is one issue a stack. It is opened, brought up to date with a comment on what is different, and closed when the drift is
gone; when drift comes back, it is opened again. Nothing is written when nothing is different. One that somebody has closed as not planned
stays closed until something else drifts. A refresh that failed leaves it as it is.

Exit codes: 0 no drift; 1 the refresh failed or cannot be read, or the issue could not be written; 2 wrong usage; 3 drift.

`

func runDrift(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var o review.DriftOptions
	flags := flag.NewFlagSet("drift", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), driftUsage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.Stack, "stack", "", "the stack as `PROJECT/STACK`, for a refresh that fails before it says which it is of")
	log := flags.String("log", "", "quote this `FILE`, in which the Pulumi CLI's standard error went, where the refresh failed")
	markdown := flags.String("markdown", "", "write the report as Markdown to `FILE` too")
	issue := flags.Bool("issue", false, "keep the stack's issue up to date: needs GITHUB_TOKEN, with issues: write, and GITHUB_REPOSITORY")
	author := flags.String("author", "", "the `LOGIN` that the token writes as, such as my-app[bot]; default the token's user, or github-actions[bot] for one that belongs to none")
	flags.StringVar(&o.FullAt, "full-at", "", "where readers find the whole text, such as the `URL` of the run, if the issue has to be shortened; default the name of --markdown")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return review.Fine
		}
		return review.Usage
	}
	if flags.NArg() > 1 {
		fmt.Fprintf(stderr, "slipway drift: one FILE at most, and flags before it: %q\n", flags.Args())
		return review.Usage
	}
	if o.FullAt == "" {
		o.FullAt = *markdown
	}
	in := stdin
	if name := flags.Arg(0); name != "" && name != "-" {
		f, err := os.Open(name)
		if err != nil {
			fmt.Fprintf(stderr, "slipway drift: %v\n", err)
			return review.Failed
		}
		defer f.Close()
		in = f
	}
	if *log != "" {
		said, err := os.ReadFile(*log)
		if err != nil {
			fmt.Fprintf(stderr, "slipway drift: %v\n", err)
			return review.Failed
		}
		o.Log = string(said)
	}
	p, err := review.Read(in)
	if err != nil {
		fmt.Fprintf(stderr, "slipway drift: the refresh cannot be read: %v\n", err)
		return review.Failed
	}
	r := review.Drift(p, o)
	fmt.Fprint(stdout, r.Text)
	if *markdown != "" {
		if err := os.WriteFile(*markdown, []byte(r.Markdown), 0o644); err != nil {
			fmt.Fprintf(stderr, "slipway drift: %v\n", err)
			return review.Failed
		}
	}
	for _, problem := range r.Problems {
		fmt.Fprintf(stderr, "slipway drift: %s\n", problem)
	}
	if !*issue {
		return r.Code
	}
	client := github.FromEnvironment(0)
	client.Author = *author
	said, err := keepIssue(ctx, client, &r)
	if said != "" {
		fmt.Fprintf(stderr, "slipway drift: %s\n", said)
	}
	if err != nil {
		fmt.Fprintf(stderr, "slipway drift: the issue is not up to date: %v\n", err)
		return review.Failed
	}
	return r.Code
}

// keepIssue brings the stack's issue up to date with what was found. What is not known changes nothing.
func keepIssue(ctx context.Context, client *github.Client, r *review.DriftReport) (string, error) {
	switch r.Code {
	case review.Fine:
		return client.CloseIssue(ctx, r.Marker, "No drift any more: all that the stack made is as its state says.\n")
	case review.Drifted:
		return client.KeepIssue(ctx, github.Issue{Marker: r.Marker, Title: r.Title, Body: r.Issue, Says: r.Says, Since: r.Since})
	}
	return "the issue, if there is one, stays as it is: nothing is known", nil
}
