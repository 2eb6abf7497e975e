package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/awscli"
	"github.com/slipway-iac/slipway/sandbox/home"
	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// Status tells what there is.
func (s *Sandbox) Status(ctx context.Context) error {
	fmt.Printf("sandbox      %s\n", s.Home)
	if p, ok := s.Tools.BuiltPulumi(ctx); !ok {
		fmt.Println("pulumi       not built yet; the first command that needs it builds it")
	} else if p.OnPath {
		fmt.Printf("pulumi       %s, installed at %s\n", p.Version, p.Path)
	} else {
		fmt.Printf("pulumi       built from its Go module, %s\n", p.Path)
	}
	for _, p := range s.Tools.Plugins() {
		switch {
		case p.Real != "":
			fmt.Printf("provider     %-11s the real one, %s\n", p.Name, p.Real)
		case p.MayBeReal:
			fmt.Printf("provider     %-11s %s, the sandbox's own; the real one is used where it is installed\n", p.Name, p.Version)
		default:
			fmt.Printf("provider     %-11s %s, the sandbox's own: a model\n", p.Name, p.Version)
		}
	}
	if r, ok := endpoint.Running(s.Home.Kube()); ok {
		fmt.Printf("kubernetes   %s, process %d since %s\n", r.Server, r.Pid, r.Started.Local().Format("2006-01-02 15:04:05"))
		if st, err := view.ReadStatus(s.Home.Kube()); err == nil {
			for _, g := range st.NodeGroups {
				fmt.Printf("nodes        %s: %d ready, %d leaving %s\n", g.Name, g.Ready, g.Leaving, g.Problem)
			}
			for _, p := range st.Problems {
				fmt.Printf("problem      %s\n", p)
			}
		}
	} else if endpoint.Starting(s.Home.Kube()) {
		fmt.Println("kubernetes   is starting")
	} else {
		fmt.Println("kubernetes   does not run; `sandbox start` starts it")
	}
	if r, ok := endpoint.Running(s.Home.Nodes()); ok {
		fmt.Printf("pods         real ones, process %d since %s; the registry is %s, names outside the cluster are in %s\n",
			r.Pid, r.Started.Local().Format("2006-01-02 15:04:05"), r.Server, filepath.Join(s.Home.Nodes(), "hosts"))
		if b, err := os.ReadFile(endpoint.FailureFile(s.Home.Nodes())); err == nil {
			fmt.Printf("problem      %s\n", strings.ReplaceAll(strings.TrimSpace(string(b)), "\n", "\nproblem      "))
		}
	} else {
		fmt.Printf("pods         %s\n", s.pods())
	}
	counts, err := s.resources()
	if err != nil {
		return err
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	fmt.Printf("account      %s, %d resources\n", aws.AccountID, total)
	for _, t := range slices.Sorted(maps.Keys(counts)) {
		fmt.Printf("             %4d %s\n", counts[t], t)
	}
	return nil
}

// resources counts what was created in the account, by type. What AWS made by itself, and what the account was born with,
// does not count.
func (s *Sandbox) resources() (map[string]int, error) {
	a, err := aws.OpenAccount(s.Home.Account())
	if err != nil {
		return nil, err
	}
	return a.Resources()
}

// empty makes sure that nothing is left in the account.
func (s *Sandbox) empty() error {
	counts, err := s.resources()
	if err != nil {
		return err
	}
	if len(counts) == 0 {
		fmt.Println("Nothing is left: the stack has no resources, and the account is empty.")
		return nil
	}
	var left []string
	for _, t := range slices.Sorted(maps.Keys(counts)) {
		left = append(left, fmt.Sprintf("%d %s", counts[t], t))
	}
	return fmt.Errorf("the stack is gone, but the account still holds %s", strings.Join(left, ", "))
}

// Types lists what the AWS model knows.
func (s *Sandbox) Types() error {
	for _, t := range aws.Known() {
		fmt.Println(t)
	}
	return nil
}

// Fault orders a failure.
func (s *Sandbox) Fault(words []string) error {
	line, err := aws.CheckFault(words)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(s.Home.Account(), "faults"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, line)
	return err
}

// Env prints what a shell needs to use other tools on the sandbox.
func (s *Sandbox) Env(ctx context.Context) error {
	ofCluster, err := s.kubeconfig()
	if err != nil {
		return err
	}
	if !ofCluster {
		fmt.Fprintln(os.Stderr, "sandbox: there is no cluster in the account yet; KUBECONFIG is the control plane's own administrator until there is one, run `sandbox env` again then")
	}
	cli, _ := s.Tools.BuiltPulumi(ctx)
	if err := s.installPlugins(cli); err != nil {
		return err
	}
	fmt.Print(exports(s.Home))
	return nil
}

// exports is the environment, for a shell to read.
func exports(h home.Home) string {
	vars := set(h)
	delete(vars, "GOFLAGS")
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		fmt.Fprintf(&b, "export %s='%s'\n", k, strings.ReplaceAll(vars[k], "'", `'\''`))
	}
	return b.String()
}

// kubeconfig writes the kubeconfig of the cluster in the account: as `aws eks update-kubeconfig` would, with the sandbox's
// own aws by full path, so that it works in any shell.
func (s *Sandbox) kubeconfig() (ofCluster bool, err error) {
	info, err := endpoint.Prepare(s.Home.Kube())
	if err != nil {
		return false, err
	}
	name, region := "", ""
	v, _, err := view.Read(s.Home.KubeView())
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, err
	case len(v.Clusters) > 0:
		name, region = v.Clusters[0].Name, v.Clusters[0].Region
	}
	if name == "" {
		b, err := os.ReadFile(info.AdminKubeconfig)
		if err != nil {
			return false, err
		}
		return false, os.WriteFile(s.Home.Kubeconfig(), b, 0o600)
	}
	arn := fmt.Sprintf("arn:aws:eks:%s:%s:cluster/%s", region, aws.AccountID, name)
	type m = map[string]any
	b, err := json.MarshalIndent(m{
		"apiVersion": "v1", "kind": "Config", "current-context": arn,
		"clusters": []m{{"name": arn, "cluster": m{"server": info.Server, "certificate-authority-data": []byte(info.CAPEM)}}},
		"contexts": []m{{"name": arn, "context": m{"cluster": arn, "user": arn}}},
		"users": []m{{"name": arn, "user": m{"exec": m{
			"apiVersion": "client.authentication.k8s.io/v1beta1", "interactiveMode": "Never",
			"command": s.Home.Tool("aws"), "args": []string{"--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"},
			"env": []m{{"name": "SLIPWAY_SANDBOX", "value": string(s.Home)}},
		}}}},
	}, "", "  ")
	if err != nil {
		return false, err
	}
	return true, os.WriteFile(s.Home.Kubeconfig(), b, 0o600)
}

// AWS answers as the aws command does that kubeconfigs and `sandbox env` lead to.
func (s *Sandbox) AWS(args []string) error {
	if code := awscli.In(s.Home, args); code != 0 {
		return told{code}
	}
	return nil
}

// Kubectl runs kubectl against the sandbox.
func (s *Sandbox) Kubectl(ctx context.Context, args []string) error {
	bin, err := s.Tools.Kubectl(ctx)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	if _, err := s.kubeconfig(); err != nil {
		return err
	}
	cli, _ := s.Tools.BuiltPulumi(ctx)
	if err := s.installPlugins(cli); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Env = environment(s.Home)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return passed(cmd)
}
