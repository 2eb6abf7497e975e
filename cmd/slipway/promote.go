package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/slipway-iac/slipway/promotion"
)

const promoteUsage = `slipway promote SOURCE TARGET --env ENVIRONMENT [FLAGS]

Copies the image SOURCE (REGISTRY/REPOSITORY:TAG or @sha256:…) by its digest into the repository TARGET (REGISTRY/REPOSITORY),
with all its platforms, signatures and attestations, and tags it ENVIRONMENT-VERSION there. It can be cut off and run again.
Registries are logged in to as with Docker: docker login, or a credential helper.

  slipway promote 111111111111.dkr.ecr.us-west-2.amazonaws.com/frontend:1.4.0 \
    222222222222.dkr.ecr.us-west-2.amazonaws.com/frontend --env production --platform linux/amd64,linux/arm64 --max-severity medium

Exit codes: 0 done, or nothing to do; 1 refused or failed; 2 wrong arguments.

`

// promotion's arguments, as they are given.
type promoteFlags struct {
	request               promotion.Request
	platforms, severity   string
	scans                 []string
	record, by, configKey string
	output                string
	dryRun                bool
}

func (f *promoteFlags) parse(args []string, stderr io.Writer) error {
	fs := flag.NewFlagSet("promote", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprint(stderr, promoteUsage)
		fs.PrintDefaults()
	}
	fs.StringVar(&f.request.Environment, "env", "", "the `environment`, with which the tag begins; required")
	fs.StringVar(&f.request.Version, "version", "", "what the tag goes on with (default: the source's tag, or the digest's first 12 digits)")
	fs.StringVar(&f.platforms, "platform", "", "`platforms` that must all be there, with commas between: linux/amd64,linux/arm64")
	fs.StringVar(&f.severity, "max-severity", "", "the worst finding of a scan that is let through: informational, low, medium, high or critical; asks ECR where no --scan is given")
	fs.Func("scan", "a report `file` of a scan, SARIF or what `aws ecr describe-image-scan-findings` prints; may be repeated", func(s string) error {
		f.scans = append(f.scans, s)
		return nil
	})
	fs.StringVar(&f.record, "record", "", "a `file` of JSON lines that gets one for this promotion: what, when, from where, by whom")
	fs.StringVar(&f.by, "by", "", "who promotes, for the record (default: the pipeline's actor, or the user)")
	fs.StringVar(&f.configKey, "image", "", "the `name` of the image below slipway:images in the stack's configuration (default: the repository's last part)")
	fs.StringVar(&f.output, "output", "text", "text or json")
	fs.BoolVar(&f.dryRun, "dry-run", false, "show what would be copied, and write nothing")
	var words []string
	for len(args) > 0 { // flags may stand before, between and after the two
		if err := fs.Parse(args); err != nil {
			return err
		}
		if args = fs.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	return f.checked(words)
}

func (f *promoteFlags) checked(words []string) error {
	if len(words) != 2 {
		return fmt.Errorf("%d arguments, must be two: SOURCE and TARGET", len(words))
	}
	f.request.Source, f.request.Target = words[0], words[1]
	if f.platforms != "" {
		f.request.Platforms = strings.Split(f.platforms, ",")
	}
	if f.output != "text" && f.output != "json" {
		return fmt.Errorf("--output is %q, must be text or json", f.output)
	}
	if err := f.request.Check(); err != nil {
		return err
	}
	if f.severity == "" {
		if len(f.scans) > 0 {
			return errors.New("--scan says what was found, and --max-severity is needed to say what is let through")
		}
		return nil
	}
	most, err := promotion.ParseSeverity(f.severity)
	if err != nil {
		return fmt.Errorf("--max-severity: %w", err)
	}
	f.request.Gate = &promotion.Gate{Max: most, Lookup: ecrScan}
	for _, file := range f.scans {
		b, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("--scan: %w", err)
		}
		r, err := promotion.ParseReport(b)
		if err != nil {
			return fmt.Errorf("--scan %s: %w", file, err)
		}
		f.request.Gate.Reports = append(f.request.Gate.Reports, r)
	}
	return nil
}

func promote(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	var f promoteFlags
	switch err := f.parse(args, stderr); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "slipway promote:", err)
		return 2
	}
	if err := f.promote(ctx, stdout, stderr); err != nil {
		if ctx.Err() != nil {
			err = errors.New("cut off; the same command goes on from here")
		}
		fmt.Fprintln(stderr, "slipway promote:", err)
		return 1
	}
	return 0
}

// promoted is what --output json prints.
type promoted struct {
	promotion.Record
	DryRun    bool   `json:"dryRun"`
	Changed   bool   `json:"changed"`
	Manifests int    `json:"manifestsToCopy"`
	Blobs     int    `json:"blobsToCopy"`
	Bytes     int64  `json:"bytesToCopy"`
	Command   string `json:"configCommand"`
}

func (f *promoteFlags) promote(ctx context.Context, stdout, stderr io.Writer) error {
	bar := newBar(stderr)
	f.request.Progress = bar.add
	plan, err := promotion.Prepare(ctx, f.request)
	if err != nil {
		return err
	}
	out := promoted{
		Record: plan.Record(time.Now(), cmp.Or(f.by, whoami())), DryRun: f.dryRun, Changed: !f.dryRun && (!plan.Tagged || plan.Manifests.ToCopy+plan.Blobs.ToCopy > 0),
		Manifests: plan.Manifests.ToCopy, Blobs: plan.Blobs.ToCopy, Bytes: plan.Bytes, Command: plan.ConfigCommand(f.configKey),
	}
	fmt.Fprintf(stderr, "%s\n  to %s:%s%s\n  %d of %d manifests and %d of %d blobs to copy, %s%s\n", plan.Source, plan.Target, plan.Tag,
		map[bool]string{true: ", where it is already"}[plan.Tagged], plan.Manifests.ToCopy, plan.Manifests.Total, plan.Blobs.ToCopy, plan.Blobs.Total, size(plan.Bytes),
		map[bool]string{true: "\n  for " + strings.Join(plan.Platforms, ", ")}[len(plan.Platforms) > 0])
	if !f.dryRun {
		bar.begin(plan.Bytes)
		if err := bar.end(plan.Run(ctx)); err != nil {
			return err
		}
		if f.record != "" {
			if err := out.Keep(f.record); err != nil {
				return fmt.Errorf("it is promoted, but not recorded; the same command records it: %w", err)
			}
		}
	}
	if f.output == "json" {
		return json.NewEncoder(stdout).Encode(out)
	}
	if f.dryRun {
		fmt.Fprintf(stdout, "would be promoted: %s\n", plan.Digest)
		return nil
	}
	fmt.Fprintf(stdout, "%s\nroll it out with one changed line of the stack's configuration:\n  %s\n", plan.Digest, out.Command)
	return nil
}

// whoami is who runs this, as pipelines call it.
func whoami() string {
	var login string
	if u, err := user.Current(); err == nil {
		login = u.Username
	}
	return cmp.Or(os.Getenv("GITHUB_ACTOR"), os.Getenv("GITLAB_USER_LOGIN"), login, "unknown")
}
