package node

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"k8s.io/klog/v2"
)

// process is a program of a node that is started anew whenever it ends.
type process struct {
	name string
	args []string
	env  []string
}

// run keeps it running in the node's namespace, or on the machine itself for a network without a name, and in the group until ctx
// ends; its words go to a file of the folder logs.
func (p process) run(ctx context.Context, n network, g cgroup, logs string, ends *sync.WaitGroup) {
	ends.Go(func() {
		for ctx.Err() == nil {
			started := time.Now()
			err := p.once(ctx, n, g, logs)
			if ctx.Err() != nil {
				return
			}
			klog.ErrorS(err, "A program of a node has ended", "node", n.name, "program", p.name)
			// One that ends at once would fill the log.
			pause := time.Second - time.Since(started)
			select {
			case <-ctx.Done():
			case <-time.After(max(pause, 0)):
			}
		}
	})
}

func (p process) once(ctx context.Context, n network, g cgroup, logs string) error {
	log, err := os.OpenFile(filepath.Join(logs, p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, append(os.Environ(), p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	start := cmd.Start
	if n.name != "" {
		start = func() error { return n.inside(cmd.Start) }
	}
	if err := start(); err != nil {
		return err
	}
	if err := g.add(cmd.Process.Pid); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
	}
	return ctx.Err()
}
