package command

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/edge"
)

// Edge serves the account's application load balancers on loopback until it is interrupted. It only reads the account: any number
// of other commands may run beside it, and it follows what they do.
func (s *Sandbox) Edge(ctx context.Context, args []string) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT)
	defer stop()
	return s.edge(ctx, args, os.Stdout)
}

func (s *Sandbox) edge(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("sandbox edge", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	http, https := flags.Int("http", 0, ""), flags.Int("https", 0, "")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return fmt.Errorf("usage: %s edge [--http PORT] [--https PORT]", executable())
	}
	for _, f := range []struct {
		name string
		port int
	}{{"http", *http}, {"https", *https}} {
		if f.port < 0 || f.port > 65535 {
			return fmt.Errorf("--%s is %d, must be a port, 1 to 65535, or 0 for a free one", f.name, f.port)
		}
	}
	account, err := aws.OpenAccount(s.Home.Account())
	if err != nil {
		return err
	}
	var one sync.Mutex
	say := func(text string) {
		one.Lock()
		defer one.Unlock()
		fmt.Fprintf(out, "%s\n%s\n", time.Now().Format(time.TimeOnly), text)
	}
	e, err := edge.Open(edge.Options{
		Account: account, Dir: s.Home.Edge(), HTTP: *http, HTTPS: *https, Say: say,
		Nodes: edge.ClusterNodes(s.Home.Kube(), say), Pods: edge.ClusterPods(s.Home.Kube(), func(string) {}), // what keeps one from being read, the other says
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "https://%s and http://%s stand for ports 443 and 80 of the account's load balancers, until Ctrl-C\n", e.HTTPS(), e.HTTP())
	fmt.Fprintf(out, "the certificates are signed by %s\n", e.Authority().File)
	return e.Run(ctx)
}
