// Package toolchain brings the executables that the sandbox runs: the Pulumi CLI, the control plane, and the plugins.
package toolchain

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/gobuild"
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
	// static is for executables that run in an image of their own.
	static bool
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
	if err := step.End(gobuild.Build(ctx, gobuild.Program{Dir: src, Package: b.pkg, LDFlags: b.ldflags, Static: b.static, Out: out}, step.At)); err != nil {
		return "", err
	}
	return out, os.WriteFile(stamp, []byte(want), 0o600)
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
