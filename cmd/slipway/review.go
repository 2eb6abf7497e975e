package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/slipway-iac/slipway/review"
	"github.com/slipway-iac/slipway/review/github"
	"github.com/slipway-iac/slipway/week"
)

const reviewUsage = `slipway review [FLAGS] [FILE]

Reads what ` + "`pulumi preview --json --show-sames`" + ` prints, from FILE or the standard input, and writes Markdown: what is replaced or
deleted, why and what that does to users, what is released, and what it costs a month.

Exit codes: 0 fine; 1 the preview failed or could not be read; 2 wrong usage, an allowance that allows nothing and a guard
of what is no type too; 3 something guarded would be replaced or deleted, and nobody has named it.

`

// list is a flag that may be given more than once.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// labels is a list of labels as the host gives it: a JSON array, or names between commas.
type labels []string

func (l *labels) String() string { return strings.Join(*l, ",") }

func (l *labels) Set(s string) error {
	if strings.HasPrefix(strings.TrimSpace(s), "[") {
		var all []string
		if err := json.Unmarshal([]byte(s), &all); err != nil {
			return fmt.Errorf("must be a JSON array of names, or names between commas: %w", err)
		}
		*l = append(*l, all...)
		return nil
	}
	for name := range strings.SplitSeq(s, ",") {
		*l = append(*l, strings.TrimSpace(name))
	}
	return nil
}

func runReview(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o := review.Options{Week: weekInReview, NodeHours: week.NodeHours}
	var tags labels
	flags := flag.NewFlagSet("review", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), reviewUsage)
		flags.PrintDefaults()
	}
	flags.Var((*list)(&o.Allow), "allow", "let `NAME`, or the URN, be replaced or deleted though it is guarded; may be repeated")
	flags.Var(&tags, "labels", "the pull request's `LABELS`, as a JSON array or between commas: slipway-allow:NAME allows as --allow NAME does")
	flags.Var((*list)(&o.Guard), "guard", "guard resources of `TYPE` too, such as aws:s3/bucketV2:BucketV2; a * at the end stands for any rest; may be repeated")
	flags.StringVar(&o.Stack, "stack", "", "the stack as `PROJECT/STACK`, for a preview that fails before it says which it is of")
	out := flags.String("out", "", "write the Markdown to `FILE` instead of the standard output")
	full := flags.String("full", "", "write the whole text, with nothing left out, to `FILE`")
	flags.StringVar(&o.FullAt, "full-at", "", "where readers find the whole text, such as the `URL` of the run that keeps it; default the name of --full")
	comment := flags.Bool("comment", false, "post the review as a comment of the pull request, or update the one that is there: needs GITHUB_TOKEN and GITHUB_REPOSITORY")
	number := flags.Int("pr", 0, "the pull request's `NUMBER`; default that of the event in GITHUB_EVENT_PATH")
	author := flags.String("author", "", "the `LOGIN` that the token writes as, such as my-app[bot]; default the token's user, or github-actions[bot] for one that belongs to none")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return review.Fine
		}
		return review.Usage
	}
	if flags.NArg() > 1 {
		fmt.Fprintf(stderr, "slipway review: one FILE at most, and flags before it: %q\n", flags.Args())
		return review.Usage
	}
	for _, l := range tags {
		if name, ok := strings.CutPrefix(l, review.AllowLabel); ok {
			o.Allow = append(o.Allow, name)
		}
	}
	if o.FullAt == "" {
		o.FullAt = *full
	}
	in := stdin
	if name := flags.Arg(0); name != "" && name != "-" {
		f, err := os.Open(name)
		if err != nil {
			fmt.Fprintf(stderr, "slipway review: %v\n", err)
			return review.Failed
		}
		defer f.Close()
		in = f
	}
	p, err := review.Read(in)
	if err != nil {
		fmt.Fprintf(stderr, "slipway review: the preview cannot be read: %v\n", err)
		return review.Failed
	}
	r := review.Review(p, o)
	for i, problem := range r.Problems {
		if i == 20 {
			fmt.Fprintf(stderr, "slipway review: and %d more\n", len(r.Problems)-i)
			break
		}
		fmt.Fprintf(stderr, "slipway review: %s\n", problem)
	}
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			fmt.Fprintf(stderr, "slipway review: %v\n", err)
			r.Code = max(r.Code, review.Failed)
		}
	}
	if *full != "" {
		write(*full, r.Full)
	}
	switch {
	case *out != "":
		write(*out, r.Markdown)
	case !*comment:
		fmt.Fprint(stdout, r.Markdown)
	}
	if *comment {
		client := github.FromEnvironment(*number)
		client.Author = *author
		said, err := client.Comment(ctx, r.Marker, r.Markdown)
		if said != "" {
			fmt.Fprintf(stderr, "slipway review: %s\n", said)
		}
		if err != nil {
			fmt.Fprintf(stderr, "slipway review: the comment is not written: %v\n", err)
			if *out == "" {
				fmt.Fprint(stdout, r.Markdown) // it is in the run's log then
			}
			if r.Code == review.Fine {
				return review.Failed
			}
		}
	}
	return r.Code
}
