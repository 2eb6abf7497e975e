package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/node/needs"
	"github.com/slipway-iac/slipway/sandbox/progress"
)

// The kinds of pods that a cluster has.
const (
	podsSimulated = "simulated"
	podsReal      = "real"
)

// controlPlane is Kubernetes without its nodes; simulated ones are part of it.
func (s *Sandbox) controlPlane() service {
	return service{
		name: "Kubernetes", dir: s.Home.Kube(), log: endpoint.LogFile(s.Home.Kube()), env: environment(s.Home),
		args: func(ctx context.Context) ([]string, error) {
			bin, err := s.Tools.Kube(ctx)
			if err != nil {
				return nil, err
			}
			if _, err := endpoint.Prepare(s.Home.Kube()); err != nil {
				return nil, err
			}
			args := []string{bin, "serve", "--dir", s.Home.Kube(), "--account", s.Home.KubeView()}
			if s.pods() == podsReal {
				args = append(args, "--real-nodes")
			}
			return args, nil
		},
	}
}

// nodes is what runs pods for real.
func (s *Sandbox) nodes() service {
	dir := s.Home.Nodes()
	return service{
		name: "the nodes", dir: dir, log: dir + "/start.log", env: os.Environ(),
		args: func(ctx context.Context) ([]string, error) {
			if err := needs.Missing(); err != nil {
				return nil, err
			}
			bin, err := s.Tools.Node(ctx)
			if err != nil {
				return nil, err
			}
			pause, err := s.Tools.Pause(ctx)
			if err != nil {
				return nil, err
			}
			return []string{
				bin, "agent", "--kube", s.Home.Kube(), "--dir", dir, "--images", s.Home.Images(),
				"--account", s.Home.Account(), "--view", s.Home.KubeView(), "--pause", pause,
			}, nil
		},
	}
}

// services are what has to run, in the order in which they start.
func (s *Sandbox) services() []service {
	if s.pods() == podsReal {
		return []service{s.controlPlane(), s.nodes()}
	}
	return []service{s.controlPlane()}
}

// Launch starts Kubernetes, if it does not run, and does not wait for it.
func (s *Sandbox) Launch(ctx context.Context) error {
	for _, sv := range s.services() {
		if err := sv.launch(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Start starts Kubernetes, if it does not run, and waits until it answers.
func (s *Sandbox) Start(ctx context.Context) error {
	for _, sv := range s.services() {
		if _, ok := endpoint.Running(sv.dir); ok {
			continue
		}
		if err := sv.launch(ctx); err != nil {
			return err
		}
		if err := progress.Start("starting "+sv.name, "").End(sv.await(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends Kubernetes; what it holds stays.
func (s *Sandbox) Stop() error {
	any := false
	// The nodes first: with whom would they talk of their end?
	for _, sv := range []service{s.nodes(), s.controlPlane()} {
		if !endpoint.Starting(sv.dir) {
			continue
		}
		any = true
		if err := progress.Start("stopping "+sv.name, "").End(sv.stop()); err != nil {
			return err
		}
	}
	if !any {
		fmt.Println("Kubernetes does not run")
	}
	return nil
}

// pods is the kind that this sandbox has; it stays what it is until SetPods.
func (s *Sandbox) pods() string {
	if b, err := os.ReadFile(s.podsFile()); err == nil && strings.TrimSpace(string(b)) == podsReal {
		return podsReal
	}
	return podsSimulated
}

func (s *Sandbox) podsFile() string { return s.Home.Kube() + "/pods" }

// SetPods says which kind of pods Kubernetes is to have from its next start on. Running, it has to be stopped first.
func (s *Sandbox) SetPods(kind string) error {
	if kind != podsSimulated && kind != podsReal {
		return fmt.Errorf("--pods is %q, must be %s or %s", kind, podsSimulated, podsReal)
	}
	if kind == s.pods() {
		return nil
	}
	if endpoint.Starting(s.Home.Kube()) {
		return fmt.Errorf("kubernetes runs with %s pods: `%s stop` ends it, then it can start with %s ones", s.pods(), executable(), kind)
	}
	if kind == podsReal {
		if err := needs.Missing(); err != nil {
			return err
		}
	}
	return os.WriteFile(s.podsFile(), []byte(kind+"\n"), 0o600)
}

// Reset forgets everything but what was built.
func (s *Sandbox) Reset() error {
	lock, err := s.Home.Lock("sandbox reset")
	if err != nil {
		return err
	}
	defer lock.Close()
	if endpoint.Starting(s.Home.Kube()) || endpoint.Starting(s.Home.Nodes()) {
		if err := s.Stop(); err != nil {
			return err
		}
	}
	for _, d := range []string{s.Home.Account(), s.Home.Kube(), s.Home.Nodes(), s.Home.Images(), s.Home.State(), s.Home.Kubeconfig()} {
		if err := os.RemoveAll(d); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	fmt.Printf("the account, the cluster and the stacks' state in %s are gone; what was built stays\n", s.Home)
	return nil
}
