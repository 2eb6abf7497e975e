// Package serve is the command that runs the sandbox's Kubernetes: it puts etcd, API server, controllers, scheduler and nodes
// together in one process and keeps them in step with the account.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/slipway-iac/slipway/sandbox/kube/access"
	"github.com/slipway-iac/slipway/sandbox/kube/balancing"
	"github.com/slipway-iac/slipway/sandbox/kube/controlplane"
	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/kube/nodes"
	"github.com/slipway-iac/slipway/sandbox/kube/token"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// Options of a control plane.
type Options struct {
	// Dir holds everything: data, certificates, logs, readiness.
	Dir string
	// Account is the file with the view of the account (package view); the key of the tokens lies beside it. It need not
	// exist yet.
	Account string
	// DrainTimeout is how long a disruption budget may hold up a leaving node. Default 30 s; EKS waits 15 minutes.
	DrainTimeout time.Duration
	// RealNodes leaves the nodes' kubelets to package node.
	RealNodes bool
	// Out gets the few lines meant for people.
	Out io.Writer
}

// startTimeout is generous: a start takes three seconds on an idle machine.
const startTimeout = 2 * time.Minute

// Run serves until SIGINT or SIGTERM. It must be the process's main business: it takes the process's standard error for the
// log and changes its working directory.
func Run(o Options) error {
	started := time.Now()
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	if o.Account, err = filepath.Abs(o.Account); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("folder of the control plane: %w", err)
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := endpoint.ClearRun(dir); err != nil {
		return err
	}
	s := &server{Options: o, failed: make(chan error, 8)}
	s.Dir = dir
	if s.info, err = endpoint.Prepare(dir); err != nil {
		return s.report(err)
	}
	if s.stderr, err = divertStderr(dir); err != nil {
		return s.report(err)
	}
	onExit(func(err error) { s.abort(err) })
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := s.run(ctx, started); err != nil {
		err = s.report(err)
		return errors.Join(err, dup2(int(s.stderr.Fd()), 2))
	}
	return nil
}

type server struct {
	Options
	info   endpoint.Info
	stderr *os.File
	// failed gets the end of a part that should not have ended.
	failed chan error
	parts  sync.WaitGroup

	account *view.Watcher
	owner   *owner
}

func (s *server) run(ctx context.Context, started time.Time) error {
	key, err := token.LoadKey(filepath.Dir(s.Account))
	if err != nil {
		return err
	}
	s.account = view.NewWatcher(s.Account)
	if s.owner, err = openOwner(s.Dir, s.account); err != nil {
		return err
	}
	if err := os.Chdir(s.Dir); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.info.Port)))
	if err != nil {
		return portError(s.info.Port, err)
	}
	stopEtcd, err := controlplane.StartEtcd(ctx, etcdLogger(s.abort))
	if err != nil {
		listener.Close()
		return dataError(s.Dir, err)
	}
	// The parts end in the reverse order of their dependence, each group waited for.
	serving, stopServing := context.WithCancel(context.Background())
	working, stopWorking := context.WithCancel(serving)
	end := func() {
		os.Remove(endpoint.ReadyFile(s.Dir))
		stopWorking()
		stopServing()
		waitFor(&s.parts, 5*time.Second)
		stopEtcd()
	}
	defer end()

	entries := &access.Entries{Account: s.account, Key: key, Open: s.owner.ID}
	s.part(serving, "API server", func(ctx context.Context) error {
		return controlplane.RunAPIServer(ctx, s.info, listener, entries, balancing.Admission(s.account))
	})
	deadline, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	client, err := newProbe(s.info)
	if err != nil {
		return err
	}
	if err := s.await(deadline, client, "/readyz", "the API server"); err != nil {
		return err
	}
	s.part(working, "controller manager", func(ctx context.Context) error { return controlplane.RunControllerManager(ctx, s.info) })
	s.part(working, "scheduler", func(ctx context.Context) error { return controlplane.RunScheduler(ctx, s.info) })
	controller, err := nodes.Start(working, deadline, s.info, s.DrainTimeout, s.RealNodes)
	if ctx.Err() != nil {
		return errInterrupted
	}
	if err != nil {
		return fmt.Errorf("nodes: %w", err)
	}
	balancers, err := balancing.Start(working, deadline, s.info, s.account, s.Account)
	if ctx.Err() != nil {
		return errInterrupted
	}
	if err != nil {
		return fmt.Errorf("target group bindings: %w", err)
	}
	s.parts.Go(balancers.Wait)
	if err := s.await(deadline, client, "/api/v1/namespaces/default/serviceaccounts/default", "the controller manager"); err != nil {
		return err
	}
	go s.account.Run(working)
	f := &follower{server: s, nodes: controller, balancers: balancers}
	if err := f.step(working); err != nil {
		return err
	}
	if err := endpoint.WriteReady(s.Dir, endpoint.Ready{
		Pid: os.Getpid(), Server: s.info.Server, CAData: s.info.CAPEM, Started: started,
	}); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "Kubernetes is ready on %s after %.1f s\n", s.info.Server, time.Since(started).Seconds())

	again, err := f.follow(ctx, working)
	if err != nil || !again {
		return err
	}
	end()
	return s.restart()
}

// part runs a component until ctx ends; an end before that is a failure of the whole.
func (s *server) part(ctx context.Context, name string, run func(context.Context) error) {
	s.parts.Go(func() {
		err := run(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("ended by itself")
		}
		s.failed <- fmt.Errorf("%s: %w", name, err)
	})
}

// await polls path until it answers 200.
func (s *server) await(ctx context.Context, c *probe, path, who string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		answer := c.get(ctx, path)
		if answer == nil {
			return nil
		}
		select {
		case err := <-s.failed:
			return err
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
				return fmt.Errorf("%s did not come up within %s: %w", who, startTimeout, answer)
			}
			return errInterrupted
		case <-tick.C:
		}
	}
}

func waitFor(g *sync.WaitGroup, limit time.Duration) {
	done := make(chan struct{})
	go func() { g.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(limit):
	}
}
