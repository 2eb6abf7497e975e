// Package gobuild compiles Go programs, all with the same flags, so that they share one build cache, and tells how far it is.
package gobuild

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// Program is one executable to be.
type Program struct {
	// Dir is a folder of the module, Package the package to build from there.
	Dir, Package string
	// LDFlags go to the linker.
	LDFlags string
	// Static keeps out what needs a C library, so that the executable runs alone in an image.
	Static bool
	// Out is where the executable goes.
	Out string
}

// Flags adds to a GOFLAGS what everything here is built with, so that the command, Kubernetes, Pulumi, programs and tests
// share one build cache: Pulumi builds programs with -trimpath. Without inlining and debug information compilers take a fifth
// less time, and this is a million lines that run for a few minutes at a time. The Makefile exports the same.
func Flags(now string) string {
	for _, flag := range []string{"-trimpath", "'-gcflags=all=-dwarf=false -l'"} {
		if name, _, _ := strings.Cut(strings.TrimLeft(flag, "'"), "="); !strings.Contains(now, name) {
			now += " " + flag
		}
	}
	return strings.TrimSpace(now)
}

// Build compiles the program and tells at of each package that had to be compiled, counted against all there are. The executable
// appears whole or not at all: a build that is cut off leaves an older one in place.
func Build(ctx context.Context, p Program, at func(done, total int)) error {
	env := append(os.Environ(), "GOFLAGS="+Flags(os.Getenv("GOFLAGS")))
	if p.Static {
		env = append(env, "CGO_ENABLED=0")
	}
	// Of this process alone: two may build the same at once. What is there already stands in for it, so that go sees what is up to
	// date and does not link again, which takes seconds; where it is not, go puts a new file in the link's place.
	tmp := fmt.Sprintf("%s.%d.new", p.Out, os.Getpid())
	if err := os.Link(p.Out, tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer os.Remove(tmp) // renaming leaves it where both are the same file
	cmd := exec.CommandContext(ctx, "go", "build", "-v", "-ldflags", p.LDFlags, "-o", tmp, p.Package)
	cmd.Dir, cmd.Env = p.Dir, env
	pipe, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return failed("go build", err, nil)
	}
	var said []string
	n, total := 0, 0
	for s := bufio.NewScanner(pipe); s.Scan(); {
		line := s.Text()
		if strings.Contains(line, " ") { // anything but a package's name: downloads, and errors
			said = append(said, line)
			continue
		}
		if n++; n == 1 { // only where there is something to compile: the list takes a second
			total = p.packages(ctx, env)
		}
		at(min(n, total), total)
	}
	if err := cmd.Wait(); err != nil {
		return failed("go build "+p.Package, err, said)
	}
	return os.Rename(tmp, p.Out)
}

// packages counts what the program is made of; 0 where that cannot be told, of which the build tells.
func (p Program) packages(ctx context.Context, env []string) int {
	list := exec.CommandContext(ctx, "go", "list", "-deps", p.Package)
	list.Dir, list.Env = p.Dir, env
	names, _ := list.Output()
	return bytes.Count(names, []byte("\n"))
}

func failed(what string, err error, said []string) error {
	if len(said) > 20 {
		said = said[len(said)-20:]
	}
	return fmt.Errorf("%s: %w\n%s", what, err, strings.Join(said, "\n"))
}
