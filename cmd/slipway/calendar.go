package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/slipway-iac/slipway/dryrun"
	"github.com/slipway-iac/slipway/review"
	"github.com/slipway-iac/slipway/week"
)

const calendarUsage = `slipway calendar [FLAGS]

Prints the week of a stack: how many nodes its schedule makes when, whether the pods fit them, and what that saves. It needs no cloud and
no Pulumi CLI: the stack's Go program is run as in a preview of a stack that is not there yet.

Exit codes: 0 fine; 1 the program failed, or there is no week to show; 2 wrong usage; 3 pods at the minimum do not fit the nodes.

`

// Exit codes of calendar; 3 stands for pods that do not fit.
const calendarUnfit = 3

func runCalendar(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("calendar", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), calendarUsage)
		flags.PrintDefaults()
	}
	config := flags.String("config", "Pulumi.prod.yaml", "run the program beside this `FILE` with the configuration in it")
	preview := flags.String("preview", "", "read what `pulumi preview --json --show-sames` printed from `FILE`, - for the standard input, instead of running the program")
	picture := flags.String("svg", "week.svg", "write a picture of the week to `FILE`; empty writes none")
	markdown := flags.String("markdown", "", "write the week as Markdown, for a pull request, to `FILE`")
	price := flags.Float64("price", 0, "what an hour of a node costs, in `USD`; default what the table of prices has for the region and the nodes' type")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return review.Fine
		}
		return review.Usage
	}
	if flags.NArg() > 0 || *price < 0 {
		fmt.Fprintf(stderr, "slipway calendar: no arguments but flags, and no price below 0: %q\n", args)
		return review.Usage
	}
	var resources []week.Resource
	var region string
	var err error
	if *preview != "" {
		resources, region, err = fromPreview(*preview, stdin)
	} else {
		resources, region, err = fromProgram(ctx, *config)
	}
	if err != nil {
		var program *dryrun.ProgramError
		if errors.As(err, &program) {
			fmt.Fprintln(stderr, program.Text)
		} else {
			fmt.Fprintf(stderr, "slipway calendar: %v\n", err)
		}
		return review.Failed
	}
	r, err := weekOf(resources, region, *price)
	if err != nil {
		fmt.Fprintf(stderr, "slipway calendar: %v\n", err)
		return review.Failed
	}
	fmt.Fprint(stdout, r.Text())
	code := review.Fine
	for _, f := range []struct {
		name string
		text func() string
	}{{*picture, r.SVG}, {*markdown, r.Markdown}} {
		if f.name == "" {
			continue
		}
		if err := os.WriteFile(f.name, []byte(f.text()), 0o644); err != nil {
			fmt.Fprintf(stderr, "slipway calendar: %v\n", err)
			code = review.Failed
		}
	}
	if code == review.Fine && r.Unfit() {
		return calendarUnfit
	}
	return code
}

func fromProgram(ctx context.Context, config string) (all []week.Resource, region string, err error) {
	result, err := dryrun.Run(ctx, config)
	if err != nil {
		return nil, "", err
	}
	for _, r := range result.Resources {
		all = append(all, week.Resource{Type: r.Type, Name: r.Name, Inputs: r.Inputs})
	}
	return all, result.Config["aws:region"], nil
}

func fromPreview(file string, stdin io.Reader) (all []week.Resource, region string, err error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, "", err
		}
		defer f.Close()
		in = f
	}
	p, err := review.Read(in)
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("the preview cannot be read: %w", err)
	case p.Broken != "":
		return nil, "", errors.New(p.Broken)
	case p.Failed:
		return nil, "", errors.New("the preview failed: what it shows is not the whole stack")
	case !p.Whole:
		return nil, "", errors.New("the preview is not of the whole stack: take it with --show-sames")
	}
	return resourcesOf(p, true), p.Config["aws:region"], nil
}

// resourcesOf are the resources of a preview as they will be, or as they were.
func resourcesOf(p *review.Preview, after bool) (all []week.Resource) {
	for _, s := range p.Steps {
		state := s.Old
		if after {
			state = s.New
		}
		if state != nil {
			all = append(all, week.Resource{Type: s.URN.Type(), Name: s.URN.Name(), Inputs: state.Inputs})
		}
	}
	return all
}

// weekOf works out the week, with the price that is given or that the table has.
func weekOf(resources []week.Resource, region string, price float64) (*week.Report, error) {
	s, err := week.Read(resources)
	if err != nil {
		return nil, err
	}
	o := week.Options{Hour: price, Source: "given"}
	if price == 0 {
		if usd, source, ok := review.InstancePrice(region, s.InstanceType()); ok {
			o.Hour, o.Source = usd, s.InstanceType()+" in "+region+", on demand, "+source
		}
	}
	return week.Look(s, o)
}

// weekInReview is the week as a part of a review; nothing for a stack that has none, or is not there as a whole.
func weekInReview(p *review.Preview) string {
	if p.Broken != "" || p.Failed {
		return ""
	}
	after := resourcesOf(p, true)
	if !week.Has(after) {
		return ""
	}
	if !p.Whole {
		return "Take the preview with `--show-sames` to see the week: this one is not of the whole stack.\n"
	}
	r, err := weekOf(after, p.Config["aws:region"], 0)
	if err != nil {
		return "There is no week to show: " + week.Escape(err.Error()) + "\n"
	}
	text := r.Markdown()
	if before, err := weekOf(resourcesOf(p, false), p.Config["aws:region"], 0); err == nil {
		text = r.Since(before) + text
	}
	return text
}
