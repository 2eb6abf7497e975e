package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
)

const (
	// startTime is how long a service may take to come up: 5 s on a laptop at rest, far more beside a build.
	startTime = 3 * time.Minute
	// stopTime is how long it may take to end; real pods have to end first.
	stopTime = time.Minute
)

// service is a process that outlives the command that started it. While it lives it holds the lock of its folder; while it works
// there is a file that says so (package endpoint).
type service struct {
	// name as people read it.
	name string
	// dir is the service's folder, log the file in which it says what it does.
	dir, log string
	env      []string
	// args are the executable and its arguments; what is missing is made first.
	args func(ctx context.Context) ([]string, error)
}

// launch starts the service, if it does not run, and does not wait for it.
func (s service) launch(ctx context.Context) error {
	if endpoint.Starting(s.dir) {
		return nil
	}
	args, err := s.args(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if err := endpoint.ClearRun(s.dir); err != nil {
		return err
	}
	out, err := os.OpenFile(s.startLog(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = s.env
	cmd.Stdout, cmd.Stderr = out, out
	// A session of its own: it outlives this command and the terminal.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", s.name, err)
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
			if endpoint.Starting(s.dir) {
				return nil
			}
		}
	}
}

func (s service) startLog() string { return filepath.Join(s.dir, "start.log") }

// await waits until the service works, or tells why it ended.
func (s service) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, ok := endpoint.Running(s.dir); ok {
			return nil
		}
		if !endpoint.Starting(s.dir) {
			return s.whyItEnded()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: no answer after %s; the log is %s. `%s stop` ends it, another `%s start` tries again", s.name, startTime, s.log, executable(), executable())
		case <-tick.C:
		}
	}
}

func (s service) whyItEnded() error {
	for _, file := range []string{endpoint.FailureFile(s.dir), s.startLog()} {
		if b, err := os.ReadFile(file); err == nil && len(b) > 0 {
			return fmt.Errorf("%s did not come up: %s", s.name, lastLines(string(b)))
		}
	}
	return fmt.Errorf("%s did not come up and left no word; the log is %s", s.name, s.log)
}

// lastLines is the end of a log, where the reason stands.
func lastLines(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// stop asks the service to end, and waits until it has.
func (s service) stop() error {
	pid, err := s.pid()
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	for deadline := time.Now().Add(stopTime); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) { // another process's lock makes no event
		if !endpoint.Starting(s.dir) {
			return nil
		}
	}
	return fmt.Errorf("process %d still runs after %s: `kill -9 %d` loses nothing that a command has reported as done", pid, stopTime, pid)
}

// pid is the process that serves; one that is still starting has to be waited for, by looking at its files.
func (s service) pid() (int, error) {
	for deadline := time.Now().Add(startTime); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) { // as above
		if r, ok := endpoint.Running(s.dir); ok {
			return r.Pid, nil
		}
		if !endpoint.Starting(s.dir) {
			return 0, s.whyItEnded()
		}
	}
	return 0, fmt.Errorf("%s is neither up nor down after %s; the log is %s", s.name, startTime, s.log)
}
