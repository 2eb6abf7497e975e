// Package toolchain brings the executables that the sandbox runs: the Pulumi CLI, the control plane, and the plugins.
package toolchain

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/home"
	"github.com/slipway-iac/slipway/sandbox/progress"
)

// SourceVariable in the environment says where the sandbox's module is, where neither the executable's place nor the
// working directory tells.
const SourceVariable = "SLIPWAY_SANDBOX_SOURCE"

const module = "module github.com/slipway-iac/slipway/sandbox"

// Tools are the executables of one sandbox.
type Tools struct{ Home home.Home }

// Source is the folder of the sandbox's own Go module, from which the tools are built.
func Source() (string, error) {
	starts := []string{os.Getenv(SourceVariable)}
	if exe, err := os.Executable(); err == nil {
		if exe, err = filepath.EvalSymlinks(exe); err == nil {
			starts = append(starts, filepath.Dir(exe))
		}
	}
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	for _, s := range starts {
		for d := s; d != ""; d = filepath.Dir(d) {
			for _, c := range []string{d, filepath.Join(d, "sandbox")} {
				if b, err := os.ReadFile(filepath.Join(c, "go.mod")); err == nil && bytes.HasPrefix(b, []byte(module+"\n")) {
					return c, nil
				}
			}
			if d == filepath.Dir(d) {
				break
			}
		}
	}
	return "", fmt.Errorf("the sandbox's source is not found near its executable or the working directory: set %s to the folder `sandbox` of a clone of Slipway", SourceVariable)
}

// built is one executable that is built from the sandbox's module.
type built struct {
	name, pkg, title, hint string
	// sources are the folders below the module whose change asks for a new build; the module's own files always do.
	sources []string
	ldflags string
}

// ensure builds the executable unless the one that stands there was built from the same sources.
func (t Tools) ensure(ctx context.Context, b built) (string, error) {
	src, err := Source()
	if err != nil {
		return "", err
	}
	out, stamp := t.Home.Tool(b.name), t.Home.Tool("."+b.name+".built-from")
	want, err := fingerprint(src, b)
	if err != nil {
		return "", err
	}
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		if _, err := os.Stat(out); err == nil {
			return out, nil
		}
	}
	step := progress.Start(b.title, b.hint)
	if err := step.End(compile(ctx, src, b, out, step)); err != nil {
		return "", err
	}
	return out, os.WriteFile(stamp, []byte(want), 0o600)
}

// GoFlags adds to a GOFLAGS what everything here is built with, so that the command, Kubernetes, Pulumi, programs and tests
// share one build cache: Pulumi builds programs with -trimpath. Without inlining and debug information compilers take a fifth
// less time, and this is a million lines that run for a few minutes at a time. The Makefile exports the same.
func GoFlags(now string) string {
	for _, flag := range []string{"-trimpath", "'-gcflags=all=-dwarf=false -l'"} {
		if name, _, _ := strings.Cut(strings.TrimLeft(flag, "'"), "="); !strings.Contains(now, name) {
			now += " " + flag
		}
	}
	return strings.TrimSpace(now)
}

// compile runs go build and counts the packages that it names against all there are.
func compile(ctx context.Context, src string, b built, out string, step *progress.Step) error {
	list := exec.CommandContext(ctx, "go", "list", "-deps", b.pkg)
	list.Dir = src
	names, err := list.Output()
	if err != nil {
		return goFailed("go list -deps "+b.pkg, err, nil)
	}
	total := bytes.Count(names, []byte("\n"))
	// The executable appears whole or not at all: a build that is cut off leaves the old one in place.
	tmp := out + ".new"
	cmd := exec.CommandContext(ctx, "go", "build", "-v", "-ldflags", b.ldflags, "-o", tmp, b.pkg)
	cmd.Dir, cmd.Env = src, append(os.Environ(), "GOFLAGS="+GoFlags(os.Getenv("GOFLAGS")))
	pipe, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return goFailed("go build", err, nil)
	}
	var said []string
	n := 0
	for s := bufio.NewScanner(pipe); s.Scan(); {
		line := s.Text()
		if strings.Contains(line, " ") { // anything but a package's name: downloads, and errors
			said = append(said, line)
			continue
		}
		n++
		step.At(min(n, total), total)
	}
	if err := cmd.Wait(); err != nil {
		return goFailed("go build "+b.pkg, err, said)
	}
	return os.Rename(tmp, out)
}

func goFailed(what string, err error, said []string) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		said = append(said, string(exit.Stderr))
	}
	if len(said) > 20 {
		said = said[len(said)-20:]
	}
	return fmt.Errorf("%s: %w\n%s", what, err, strings.Join(said, "\n"))
}

// fingerprint changes when the executable would.
func fingerprint(src string, b built) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), b.pkg, b.ldflags)
	for _, root := range append([]string{"go.mod", "go.sum"}, b.sources...) {
		err := filepath.WalkDir(filepath.Join(src, root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(h, "%s %d\n", strings.TrimPrefix(path, src), len(content))
			h.Write(content)
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("the sandbox's source: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
