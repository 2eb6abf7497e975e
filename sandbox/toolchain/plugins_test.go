package toolchain

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func real(t *testing.T, name string) string {
	t.Helper()
	return realOf(tools(t), name)
}

func realOf(tl Tools, name string) string {
	for _, p := range tl.Plugins() {
		if p.Name == name {
			return p.Real
		}
	}
	return "no such plugin"
}

// only makes the test's own folders the only places where a plugin can be installed.
func only(t *testing.T) (path, pulumiHome string) {
	t.Helper()
	path, pulumiHome = t.TempDir(), t.TempDir()
	t.Setenv("PATH", path)
	t.Setenv("PULUMI_HOME", pulumiHome)
	t.Setenv(StandInsVariable, "")
	return path, pulumiHome
}

func TestPluginsAreTheRealOnesWhereInstalled(t *testing.T) {
	t.Run("nowhere", func(t *testing.T) {
		only(t)
		if r := real(t, "kubernetes") + real(t, "eks") + real(t, "aws"); r != "" {
			t.Errorf("got %s", r)
		}
	})
	t.Run("in Pulumi's folder, newest of the same major version", func(t *testing.T) {
		_, h := only(t)
		for _, v := range []string{"v3.9.0", "v4.9.0", "v4.30.0", "v4.31.0-beta.1", "v5.0.0", "v40.0.0"} {
			write(t, filepath.Join(h, "plugins", "resource-kubernetes-"+v, "pulumi-resource-kubernetes"), "")
		}
		if want := filepath.Join(h, "plugins", "resource-kubernetes-v4.31.0-beta.1", "pulumi-resource-kubernetes"); real(t, "kubernetes") != want {
			t.Errorf("got %s, want %s", real(t, "kubernetes"), want)
		}
	})
	t.Run("of another major version only", func(t *testing.T) {
		_, h := only(t)
		write(t, filepath.Join(h, "plugins", "resource-eks-v4.0.0", "pulumi-resource-eks"), "")
		if real(t, "eks") != "" {
			t.Errorf("got %s", real(t, "eks"))
		}
	})
	t.Run("on PATH, before Pulumi's folder", func(t *testing.T) {
		path, h := only(t)
		write(t, filepath.Join(path, "pulumi-resource-eks"), "")
		write(t, filepath.Join(h, "plugins", "resource-eks-v3.9.1", "pulumi-resource-eks"), "")
		if want := filepath.Join(path, "pulumi-resource-eks"); real(t, "eks") != want {
			t.Errorf("got %s, want %s", real(t, "eks"), want)
		}
		t.Setenv(StandInsVariable, "true")
		if real(t, "eks") != "" {
			t.Errorf("told otherwise, got %s", real(t, "eks"))
		}
	})
	// `eval "$(sandbox env)"` leaves such a shell, in which a plugin that is the sandbox's own must not come to run itself for ever.
	t.Run("in a shell with the sandbox's environment", func(t *testing.T) {
		path, _ := only(t)
		tl := tools(t)
		t.Setenv("PULUMI_HOME", tl.Home.PulumiHome())
		t.Setenv("HOME", t.TempDir())
		t.Setenv("PATH", tl.Home.Bin()+string(filepath.ListSeparator)+path)
		plugins := []Plugin{{Name: "kubernetes", Version: "4.30.0"}}
		if err := tl.InstallPlugins(plugins, true); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(tl.Home.Bin(), "pulumi-resource-kubernetes"), "")
		if r := realOf(tl, "kubernetes"); r != "" {
			t.Errorf("got %s", r)
		}
		users := filepath.Join(os.Getenv("HOME"), ".pulumi", "plugins", "resource-kubernetes-v4.30.0", "pulumi-resource-kubernetes")
		write(t, users, "")
		if r := realOf(tl, "kubernetes"); r != users {
			t.Errorf("got %s, want %s", r, users)
		}
		write(t, filepath.Join(path, "pulumi-resource-kubernetes"), "")
		if r := realOf(tl, "kubernetes"); r != filepath.Join(path, "pulumi-resource-kubernetes") {
			t.Errorf("got %s, want the one on PATH", r)
		}
	})
	t.Run("never the one that would ask the real AWS", func(t *testing.T) {
		path, _ := only(t)
		write(t, filepath.Join(path, "pulumi-resource-aws"), "")
		if real(t, "aws") != "" {
			t.Errorf("got %s", real(t, "aws"))
		}
	})
}

func TestInstallPlugins(t *testing.T) {
	tl := tools(t)
	beside := filepath.Join(t.TempDir(), "it's here")
	write(t, filepath.Join(beside, "data"), "beside it\n")
	installed := filepath.Join(beside, "pulumi-resource-kubernetes")
	write(t, installed, "#!/bin/sh\ncat \"$(dirname \"$0\")/data\"; echo \"$@\"\n")
	plugins := []Plugin{{Name: "aws", Version: "6.83.2"}, {Name: "kubernetes", Version: "4.30.0", Real: installed}}
	if err := tl.InstallPlugins(plugins, true); err != nil {
		t.Fatal(err)
	}
	at := func(name, version string) string {
		return filepath.Join(tl.Home.PulumiHome(), "plugins", "resource-"+name+"-v"+version, "pulumi-resource-"+name)
	}
	for exe, want := range map[string]string{
		at("aws", "6.83.2"): tl.Home.Tool("sandbox"),
		// By name alone: several sandboxes may share the folder, each by a way of its own.
		tl.Home.Tool("aws"): "sandbox", tl.Home.Tool("pulumi-language-go"): "sandbox",
	} {
		if to, err := os.Readlink(exe); err != nil || to != want {
			t.Errorf("%s leads to %q, %v, want %q", exe, to, err, want)
		}
	}
	out, err := exec.Command(at("kubernetes", "4.30.0"), "127.0.0.1:99", "-x").CombinedOutput()
	if err != nil || string(out) != "beside it\n127.0.0.1:99 -x\n" {
		t.Errorf("the real plugin got to say %q, %v", out, err)
	}

	// Later the real one is gone, and a Pulumi with a language host of its own is there.
	plugins[1].Real = ""
	if err := tl.InstallPlugins(plugins, false); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(at("kubernetes", "4.30.0")); err != nil || to != tl.Home.Tool("sandbox") {
		t.Errorf("the stand-in is not back: %q, %v", to, err)
	}
	if _, err := os.Lstat(tl.Home.Tool("pulumi-language-go")); !os.IsNotExist(err) {
		t.Errorf("the sandbox's language host hides the installed one: %v", err)
	}
}

// A plugin that the engine starts while another command installs must find a whole executable.
func TestWhatStandsThereIsReplacedWhole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "exe")
	write(t, file, "old")
	failed := replaceFile(file, func(tmp string) error {
		if err := os.WriteFile(tmp, []byte("ne"), 0o600); err != nil {
			return err
		}
		return os.ErrClosed
	})
	if failed == nil || read(t, file) != "old" {
		t.Errorf("cut off in the middle, got %v and %q", failed, read(t, file))
	}
	if left, err := filepath.Glob(file + ".*"); err != nil || strings.Join(left, " ") != "" {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
