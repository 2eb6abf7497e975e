package serve

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
)

// errInterrupted is a start that was told to stop.
var errInterrupted = errors.New("interrupted before Kubernetes was ready")

// report completes err with where to look, and keeps it for `sandbox status`.
func (s *server) report(err error) error {
	os.Remove(endpoint.ReadyFile(s.Dir))
	if errors.Is(err, errInterrupted) {
		return err
	}
	text := "Kubernetes did not stay up: " + err.Error()
	if errors.Is(err, syscall.ENOSPC) {
		text += fmt.Sprintf("\n  the disk that holds %s is full: free some space and run `sandbox start`; nothing that was confirmed is lost", s.Dir)
	}
	if s.stderr != nil {
		text += "\n  log: " + endpoint.LogFile(s.Dir)
	}
	// Best effort: on a full disk the message on the terminal is all there is.
	_ = os.WriteFile(endpoint.FailureFile(s.Dir), []byte(text+"\n"), 0o600)
	return errors.New(text)
}

func portError(port int, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d on 127.0.0.1 is taken by another program"+
			"\n  It cannot be another port, because kubeconfigs hold this one. See who has it with `ss -ltnp sport = :%d` and stop that"+
			"\n  (`sandbox stop` if it is another copy of this sandbox), or give up the cluster and begin anew with `sandbox reset`", port, port)
	}
	return fmt.Errorf("port %d on 127.0.0.1: %w", port, err)
}

func dataError(dir string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, errInterrupted) {
		return fmt.Errorf("etcd: %w", err)
	}
	return fmt.Errorf("etcd cannot use its data in %s/etcd: %w"+
		"\n  Nothing was deleted. Put the folder back from a copy, or give up the cluster and begin anew with `sandbox reset`", dir, err)
}
