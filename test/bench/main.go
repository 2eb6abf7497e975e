// Command bench measures the production stack on the sandbox: from nothing to running, and a preview without changes, beside
// a flat program with as many resources of the same providers. Everything is built before the clock starts.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := bench(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type sandbox struct{ exe, home string }

func bench() error {
	exe, err := filepath.Abs("bin/sandbox")
	if err != nil {
		return err
	}
	built, err := filepath.Abs(".sandbox/bin")
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "slipway-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	s := sandbox{exe, filepath.Join(tmp, ".sandbox")}
	if err := os.MkdirAll(built, 0o700); err != nil {
		return err
	}
	if err := os.MkdirAll(s.home, 0o700); err != nil {
		return err
	}
	if err := os.Symlink(built, filepath.Join(s.home, "bin")); err != nil {
		return err
	}
	defer func() { _, _, _ = s.run(".", "stop") }()

	// Warm: what a first run builds is not what is measured.
	fmt.Println("building, and one round to warm up …")
	for _, warm := range [][]string{{"up"}, {"destroy"}, {"stop"}} {
		if _, _, err := s.run(".", warm...); err != nil {
			return err
		}
	}
	up, _, err := s.run(".", "up")
	if err != nil {
		return err
	}
	preview, _, err := s.run(".", "preview")
	if err != nil {
		return err
	}
	counts, err := s.count()
	if err != nil {
		return err
	}
	flat, err := s.flat(counts)
	if err != nil {
		return err
	}
	destroy, _, err := s.run(".", "destroy")
	if err != nil {
		return err
	}
	total := counts["aws"] + counts["kubernetes"] + counts["components"]
	fmt.Printf("resources                       %d (%d aws, %d kubernetes, %d components)\n", total, counts["aws"], counts["kubernetes"], counts["components"])
	fmt.Printf("make up, from nothing           %.1f s\n", up.Seconds())
	fmt.Printf("make preview, without changes   %.1f s\n", preview.Seconds())
	fmt.Printf("make destroy                    %.1f s\n", destroy.Seconds())
	fmt.Printf("flat program of %d, up         %.1f s\n", total, flat.Seconds())
	fmt.Printf("ratio of up to flat             %.1f\n", up.Seconds()/flat.Seconds())
	return nil
}

// run times one command of the sandbox.
func (s sandbox) run(dir string, args ...string) (time.Duration, string, error) {
	cmd := exec.Command(s.exe, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SLIPWAY_SANDBOX="+s.home)
	var out, all bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &all
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if err != nil {
		return took, "", fmt.Errorf("sandbox %s: %w\n%s%s", strings.Join(args, " "), err, out.String(), all.String())
	}
	return took, out.String(), nil
}

// count tells how many resources of which provider the stack has.
func (s sandbox) count() (map[string]int, error) {
	_, out, err := s.run(".", "pulumi", "stack", "export", "--stack", "prod")
	if err != nil {
		return nil, err
	}
	var state struct {
		Deployment struct {
			Resources []struct {
				Type   string
				Custom bool
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &state); err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, r := range state.Deployment.Resources {
		pkg, _, _ := strings.Cut(r.Type, ":")
		if !r.Custom {
			pkg = "components"
		}
		if pkg != "pulumi" { // providers
			counts[pkg]++
		}
	}
	return counts, nil
}

// flat times the flat program, on the same account and cluster.
func (s sandbox) flat(counts map[string]int) (time.Duration, error) {
	const dir = "test/bench/flat"
	kubeconfig, err := os.ReadFile(filepath.Join(s.home, "kube", "admin.kubeconfig"))
	if err != nil {
		return 0, err
	}
	common := []string{"--stack", "flat"}
	// The CLI writes the stack's configuration beside the program; it holds what was counted, for this run only.
	defer func() { _ = os.Remove(filepath.Join(dir, "Pulumi.flat.yaml")) }()
	if _, _, err := s.run(dir, "pulumi", "stack", "select", "--create", "flat"); err != nil {
		return 0, err
	}
	for k, v := range map[string]string{
		"aws": strconv.Itoa(counts["aws"]), "kubernetes": strconv.Itoa(counts["kubernetes"]), "components": strconv.Itoa(counts["components"]), "kubeconfig": string(kubeconfig),
	} {
		if _, _, err := s.run(dir, append([]string{"pulumi", "config", "set", "flat:" + k, v}, common...)...); err != nil {
			return 0, err
		}
	}
	// A preview builds the program, so that the clock does not.
	if _, _, err := s.run(dir, append([]string{"pulumi", "preview"}, common...)...); err != nil {
		return 0, err
	}
	took, _, err := s.run(dir, append([]string{"pulumi", "up", "--yes", "--skip-preview"}, common...)...)
	if err != nil {
		return 0, err
	}
	_, _, err = s.run(dir, append([]string{"pulumi", "destroy", "--yes", "--skip-preview"}, common...)...)
	return took, err
}
