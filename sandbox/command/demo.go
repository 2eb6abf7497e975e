package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/demo"
	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
)

// variables may be given more than once.
type variables []string

func (v *variables) String() string { return strings.Join(*v, " ") }

func (v *variables) Set(s string) error {
	if name, _, ok := strings.Cut(s, "="); !ok || name == "" {
		return errors.New("must be NAME=VALUE")
	}
	*v = append(*v, s)
	return nil
}

// Demo puts the demonstration service into the account's repositories, or those that are named, under a tag. Images of different
// tags differ.
func (s *Sandbox) Demo(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("sandbox demo", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var env variables
	flags.Var(&env, "env", "")
	if err := flags.Parse(args); err != nil || flags.NArg() == 0 {
		return fmt.Errorf("usage: %s demo [--env NAME=VALUE]… TAG [REPOSITORY…]", executable())
	}
	tag, repositories := flags.Arg(0), flags.Args()[1:]
	running, ok := endpoint.Running(s.Home.Nodes())
	if !ok {
		return fmt.Errorf("the registry does not run: it is part of `%s start --pods real`", executable())
	}
	if len(repositories) == 0 {
		account, err := aws.OpenAccount(s.Home.Account())
		if err != nil {
			return err
		}
		if repositories, err = account.Repositories(); err != nil {
			return err
		}
		if len(repositories) == 0 {
			return errors.New("the account has no repositories yet: `pulumi up` with slipway:repositoriesOnly makes them")
		}
	}
	program, err := s.Tools.Demo(ctx)
	if err != nil {
		return err
	}
	image, err := demo.Image(program, append([]string{"DEMO_VERSION=" + tag}, env...)...)
	if err != nil {
		return err
	}
	for _, r := range repositories {
		digest, err := demo.Push(ctx, image, strings.TrimPrefix(running.Server, "http://"), r, tag)
		if err != nil {
			return err
		}
		fmt.Printf("%s:%s  %s\n", r, tag, digest)
	}
	return nil
}
