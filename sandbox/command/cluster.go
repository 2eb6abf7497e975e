package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/progress"
)

// startTime is how long Kubernetes may take to come up: 5 s on a laptop at rest, far more beside a build.
const startTime = 3 * time.Minute

// stopTime is how long it may take to end.
const stopTime = 30 * time.Second

// Start starts Kubernetes, if it does not run, and waits until it answers.
func (s *Sandbox) Start(ctx context.Context) error {
	if _, ok := endpoint.Running(s.Home.Kube()); ok {
		return nil
	}
	if err := s.Launch(ctx); err != nil {
		return err
	}
	step := progress.Start("starting Kubernetes", "")
	return step.End(s.await(ctx))
}

// Launch starts Kubernetes, if it does not run, and does not wait for it.
func (s *Sandbox) Launch(ctx context.Context) error {
	bin, err := s.Tools.Kube(ctx)
	if err != nil {
		return err
	}
	dir := s.Home.Kube()
	if endpoint.Starting(dir) {
		return nil
	}
	if _, err := endpoint.Prepare(dir); err != nil {
		return err
	}
	if err := endpoint.ClearRun(dir); err != nil {
		return err
	}
	out, err := os.OpenFile(s.startLog(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(bin, "serve", "--dir", dir, "--account", s.Home.KubeView())
	cmd.Env = environment(s.Home)
	cmd.Stdout, cmd.Stderr = out, out
	// A session of its own: it outlives this command and the terminal.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting Kubernetes: %w", err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	// The lock shows that it lives; whoever starts a second one in between is refused by it. A lock makes no event, so it is
	// looked at. One that ends, or never takes the lock, is for await to tell.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(stopTime); ; {
		select {
		case <-ended:
			return nil
		case <-deadline:
			return nil
		case <-tick.C:
			if endpoint.Starting(dir) {
				return nil
			}
		}
	}
}

func (s *Sandbox) startLog() string { return filepath.Join(s.Home.Kube(), "start.log") }

// await waits until the control plane answers, or tells why it ended.
func (s *Sandbox) await(ctx context.Context) error {
	dir := s.Home.Kube()
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, ok := endpoint.Running(dir); ok {
			return nil
		}
		if !endpoint.Starting(dir) {
			return s.whyItEnded()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the control plane of Kubernetes does not answer after %s; its log is %s. `%s stop` ends it, another `%s start` tries again",
				startTime, endpoint.LogFile(dir), executable(), executable())
		case <-tick.C:
		}
	}
}

func (s *Sandbox) whyItEnded() error {
	for _, file := range []string{endpoint.FailureFile(s.Home.Kube()), s.startLog()} {
		if b, err := os.ReadFile(file); err == nil && len(b) > 0 {
			return fmt.Errorf("the control plane of Kubernetes did not come up: %s", strings.TrimSpace(string(b)))
		}
	}
	return fmt.Errorf("the control plane of Kubernetes did not come up and left no word; its log is %s", endpoint.LogFile(s.Home.Kube()))
}

// Stop ends Kubernetes; what it holds stays.
func (s *Sandbox) Stop() error {
	dir := s.Home.Kube()
	if !endpoint.Starting(dir) {
		fmt.Println("Kubernetes does not run")
		return nil
	}
	pid, err := s.kubePID()
	if err != nil {
		return err
	}
	step := progress.Start("stopping Kubernetes", "")
	return step.End(func() error {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("process %d: %w", pid, err)
		}
		// Another process's lock makes no event: it is looked at.
		for deadline := time.Now().Add(stopTime); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			if !endpoint.Starting(dir) {
				return nil
			}
		}
		return fmt.Errorf("process %d still runs after %s: `kill -9 %d` loses nothing that a command has reported as done", pid, stopTime, pid)
	}())
}

// kubePID is the process that serves; one that is still starting has to be waited for, by looking at its files.
func (s *Sandbox) kubePID() (int, error) {
	for deadline := time.Now().Add(startTime); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if r, ok := endpoint.Running(s.Home.Kube()); ok {
			return r.Pid, nil
		}
		if !endpoint.Starting(s.Home.Kube()) {
			return 0, s.whyItEnded()
		}
	}
	return 0, fmt.Errorf("the control plane of Kubernetes is neither up nor down after %s; its log is %s", startTime, endpoint.LogFile(s.Home.Kube()))
}

// Reset forgets everything but what was built.
func (s *Sandbox) Reset() error {
	lock, err := s.Home.Lock("sandbox reset")
	if err != nil {
		return err
	}
	defer lock.Close()
	if endpoint.Starting(s.Home.Kube()) {
		if err := s.Stop(); err != nil {
			return err
		}
	}
	for _, d := range []string{s.Home.Account(), s.Home.Kube(), s.Home.State(), s.Home.Kubeconfig()} {
		if err := os.RemoveAll(d); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	fmt.Printf("the account, the cluster and the stacks' state in %s are gone; what was built stays\n", s.Home)
	return nil
}
