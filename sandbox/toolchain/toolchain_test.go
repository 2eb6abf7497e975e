package toolchain

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/sandbox/home"
)

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o700); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// tools are of a sandbox of the test's own.
func tools(t *testing.T) Tools {
	t.Helper()
	h := home.Home(filepath.Join(t.TempDir(), home.Name))
	if err := h.Make(); err != nil {
		t.Fatal(err)
	}
	return Tools{Home: h}
}

// source is a module that goes by the sandbox's name and has one program, with no dependencies.
func source(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv(SourceVariable, dir)
	write(t, filepath.Join(dir, "go.mod"), module+"\n\ngo 1.24\n\nrequire "+pulumiModule+" v3.259.0\n")
	write(t, filepath.Join(dir, "go.sum"), "")
	write(t, filepath.Join(dir, "greet", "main.go"), "package main\n\nvar word = \"hello\"\n\nfunc main() { println(word) }\n")
	return dir
}

var greet = built{name: "greet", pkg: thisModule + "/greet", sources: []string{"greet"}, title: "building greet"}

func TestEnsureBuildsOnceForTheSameSources(t *testing.T) {
	tl, dir := tools(t), source(t)
	built := func(why string, b built, wantNew bool) {
		t.Helper()
		// A time in the past, so that a new build shows.
		past := time.Now().Add(-time.Hour)
		if _, err := os.Stat(tl.Home.Tool("greet")); err == nil {
			if err := os.Chtimes(tl.Home.Tool("greet"), past, past); err != nil {
				t.Fatal(err)
			}
		}
		out, err := tl.ensure(t.Context(), b)
		if err != nil {
			t.Fatalf("%s: %v", why, err)
		}
		info, err := os.Stat(out)
		if err != nil {
			t.Fatal(err)
		}
		if isNew := info.ModTime().After(past.Add(time.Minute)); isNew != wantNew {
			t.Errorf("%s: built anew: %v, want %v", why, isNew, wantNew)
		}
	}
	built("the first time", greet, true)
	built("the same sources", greet, false)
	write(t, filepath.Join(dir, "greet", "main_test.go"), "package main\n")
	built("another test", greet, false)
	write(t, filepath.Join(dir, "elsewhere", "x.go"), "package elsewhere\n")
	built("a package that it does not use", greet, false)
	write(t, filepath.Join(dir, "greet", "main.go"), "package main\n\nvar word = \"good day\"\n\nfunc main() { println(word) }\n")
	built("another source", greet, true)
	flags := greet
	flags.ldflags = "-X main.word=bye"
	built("another version linked in", flags, true)
	if err := os.Remove(tl.Home.Tool("greet")); err != nil {
		t.Fatal(err)
	}
	built("the executable is gone", flags, true)
}

func TestABuildThatFailsLeavesTheOldExecutable(t *testing.T) {
	tl, dir := tools(t), source(t)
	out, err := tl.ensure(t.Context(), greet)
	if err != nil {
		t.Fatal(err)
	}
	before := read(t, out)
	write(t, filepath.Join(dir, "greet", "main.go"), "package main\n\nfunc main() { undefined() }\n")
	_, err = tl.ensure(t.Context(), greet)
	if err == nil || !strings.Contains(err.Error(), "go build "+greet.pkg) || !strings.Contains(err.Error(), "undefined: undefined") {
		t.Errorf("got %v, want the compiler's own words", err)
	}
	if read(t, out) != before {
		t.Error("the old executable was changed")
	}
}

func TestSourceThatIsNowhere(t *testing.T) {
	t.Setenv(SourceVariable, t.TempDir())
	t.Chdir(t.TempDir())
	if _, err := Source(); err == nil || !strings.Contains(err.Error(), SourceVariable) {
		t.Errorf("got %v, want an error that names the variable", err)
	}
}

// onPath puts a pulumi on PATH that says a version and ends with a code.
func onPath(t *testing.T, version, code string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pulumi"), "#!/bin/sh\necho "+version+"\nexit "+code+"\n")
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return filepath.Join(dir, "pulumi")
}

func TestTheCLIOnPATHIsTakenIfNewEnough(t *testing.T) {
	for _, c := range []struct {
		version, code string
		taken         bool
	}{
		{"v3.249.9", "0", false},
		{"v3.250.0", "0", true},
		{"v3.1000.0-alpha.1", "0", true},
		{"v4.0.0", "1", false},
		{"nonsense", "0", false},
	} {
		t.Run(c.version, func(t *testing.T) {
			path := onPath(t, c.version, c.code)
			p, ok := tools(t).installedPulumi(t.Context())
			if ok != c.taken || ok && (p.Path != path || p.Version != c.version || !p.OnPath) {
				t.Errorf("got %+v, %v, want taken: %v", p, ok, c.taken)
			}
		})
	}
}

// `sandbox env` puts the sandbox's own CLI first on PATH: that is not one that the user installed.
func TestTheOwnCLIOnPATHIsNotAnInstalledOne(t *testing.T) {
	tl := tools(t)
	write(t, tl.Home.Tool("pulumi"), "#!/bin/sh\necho v3.259.0\n")
	t.Setenv("PATH", tl.Home.Bin()+":"+os.Getenv("PATH"))
	if p, ok := tl.installedPulumi(t.Context()); ok {
		t.Errorf("got %+v", p)
	}
	if p, ok := tl.BuiltPulumi(t.Context()); !ok || p.OnPath {
		t.Errorf("got %+v, %v", p, ok)
	}
}

func TestPulumiVersionIsTheModules(t *testing.T) {
	if v, err := pulumiVersion(source(t)); err != nil || v != "v3.259.0" {
		t.Errorf("got %s, %v", v, err)
	}
}

// A folder that is missing from a list is one whose change builds nothing anew.
func TestSourcesAreAllThatIsImported(t *testing.T) {
	for pkg, sources := range map[string][]string{"kube/cmd/slipway-kube": kubeSources, "kube/cmd/slipway-node": nodeSources} {
		list := exec.Command("go", "list", "-deps", "-f", `{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}`, "./"+pkg)
		list.Dir = ".."
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range strings.Fields(string(out)) {
			folder := strings.TrimPrefix(path, thisModule+"/")
			if !slices.ContainsFunc(sources, func(s string) bool { return folder == s || strings.HasPrefix(folder, s+"/") }) {
				t.Errorf("%s imports %s, which is not among its sources %q", pkg, folder, sources)
			}
		}
	}
}
