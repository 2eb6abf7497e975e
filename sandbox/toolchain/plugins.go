package toolchain

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// StandInsVariable in the environment, set to "true", keeps the sandbox's own providers where real ones are installed.
const StandInsVariable = "SLIPWAY_SANDBOX_STAND_INS"

// Plugin is a provider, at the version of the SDK that the library is built with.
type Plugin struct {
	Name, Version string
	// Real is where the real provider is installed, if it is and may be used; "": the sandbox's own stands in.
	Real string
	// MayBeReal: the real one works on the sandbox. The AWS provider would ask the real AWS, so it never is.
	MayBeReal bool
}

// Plugins are the providers that a stack on the sandbox finds.
func (t Tools) Plugins() []Plugin {
	out := []Plugin{
		{Name: "aws", Version: "6.83.2"},
		{Name: "eks", Version: "3.9.1", MayBeReal: true},
		{Name: "kubernetes", Version: "4.30.0", MayBeReal: true},
	}
	if os.Getenv(StandInsVariable) == "true" {
		return out
	}
	for i, p := range out {
		if p.MayBeReal {
			out[i].Real = t.realPlugin(p)
		}
	}
	return out
}

// realPlugin looks on PATH, then in Pulumi's plugin folder for the same major version, newest first.
func (t Tools) realPlugin(p Plugin) string {
	exe := "pulumi-resource-" + p.Name
	if path := t.installed(exe); path != "" {
		return path
	}
	root := os.Getenv("PULUMI_HOME")
	if root == "" || root == t.Home.PulumiHome() { // a shell with the sandbox's environment finds the user's folder too
		h, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		root = filepath.Join(h, ".pulumi")
	}
	prefix := "resource-" + p.Name + "-v"
	found, err := filepath.Glob(filepath.Join(root, "plugins", prefix+semver.Major("v" + p.Version)[1:]+".*", exe))
	if err != nil {
		return ""
	}
	version := func(path string) string {
		return strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "resource-"+p.Name+"-")
	}
	slices.SortFunc(found, func(a, b string) int { return semver.Compare(version(b), version(a)) })
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

// installed is where on PATH an executable is that is not the sandbox's own; "" where there is none. A shell with the sandbox's
// environment has the sandbox's folder in front of all others.
func (t Tools) installed(exe string) string {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		abs, err := filepath.Abs(dir)
		if err != nil || abs == t.Home.Bin() {
			continue
		}
		if path, err := exec.LookPath(filepath.Join(abs, exe)); err == nil {
			return path
		}
	}
	return ""
}

// InstallPlugins puts the providers where the CLI looks for them, and the commands that run beside it into the sandbox's
// own bin folder. They are links to this very executable, which is kept there too: it knows by its name what to be.
func (t Tools) InstallPlugins(plugins []Plugin, withLanguageHost bool) error {
	self, err := t.keepSelf()
	if err != nil {
		return err
	}
	if err := link(self, t.Home.Tool("aws")); err != nil {
		return err
	}
	host := t.Home.Tool("pulumi-language-go")
	if withLanguageHost {
		if err := link(self, host); err != nil {
			return err
		}
	} else if err := os.Remove(host); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, p := range plugins {
		exe := filepath.Join(t.Home.PulumiHome(), "plugins", fmt.Sprintf("resource-%s-v%s", p.Name, p.Version), "pulumi-resource-"+p.Name)
		if err := os.MkdirAll(filepath.Dir(exe), 0o700); err != nil {
			return err
		}
		if p.Real == "" {
			if err := link(self, exe); err != nil {
				return err
			}
			continue
		}
		// Not a link: a real plugin may look for its files beside its own executable.
		script := "#!/bin/sh\nexec '" + strings.ReplaceAll(p.Real, "'", `'\''`) + "' \"$@\"\n"
		if err := replaceFile(exe, func(tmp string) error { return os.WriteFile(tmp, []byte(script), 0o700) }); err != nil {
			return err
		}
	}
	return nil
}

// keepSelf copies this executable into the bin folder: `go run` deletes its own when it ends, plugins live longer.
func (t Tools) keepSelf() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	kept := t.Home.Tool("sandbox")
	a, err := os.Stat(exe)
	if err != nil {
		return "", err
	}
	if b, err := os.Stat(kept); err == nil && (os.SameFile(a, b) || (a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()))) {
		return kept, nil
	}
	return kept, replaceFile(kept, func(tmp string) error {
		content, err := os.ReadFile(exe)
		if err != nil {
			return err
		}
		if err := os.WriteFile(tmp, content, 0o700); err != nil {
			return err
		}
		return os.Chtimes(tmp, a.ModTime(), a.ModTime())
	})
}

// link leads from path to target, within a folder by the name alone: the folder may be reached by several ways, some of which end.
func link(target, path string) error {
	if filepath.Dir(target) == filepath.Dir(path) {
		target = filepath.Base(target)
	}
	if have, err := os.Readlink(path); err == nil && have == target {
		return nil
	}
	return replaceFile(path, func(tmp string) error { return os.Symlink(target, tmp) })
}

// replaceFile makes a file beside path and moves it there, so that whoever starts path finds the old or the new one.
func replaceFile(path string, make func(tmp string) error) error {
	tmp := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := make(tmp); err != nil {
		os.Remove(tmp)
		return err
	}
	return os.Rename(tmp, path)
}
