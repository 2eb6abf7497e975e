package gobuild

import (
	"debug/buildinfo"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func program(t *testing.T, main string) Program {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module example.com/program\n\ngo 1.24\n", "main.go": main} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Program{Dir: dir, Package: ".", LDFlags: "-s -w", Out: filepath.Join(t.TempDir(), "program")}
}

// Built with other flags than everything else, a program compiles both SDKs anew.
func TestBuildHasItsFlagsWhateverTheCallers(t *testing.T) {
	for _, caller := range []string{"", "-mod=mod", "-trimpath '-gcflags=all=-dwarf=false -l'"} {
		t.Setenv("GOFLAGS", caller)
		p := program(t, "package main\n\nfunc main() { println("+strconv.Quote(t.TempDir())+") }\n") // in no cache
		var done, total int
		if err := Build(t.Context(), p, func(d, all int) { done, total = d, all }); err != nil {
			t.Fatal(err)
		}
		if done == 0 || total < done {
			t.Errorf("with GOFLAGS=%q it told of %d of %d packages", caller, done, total)
		}
		info, err := buildinfo.ReadFile(p.Out)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, s := range info.Settings {
			got[s.Key] = s.Value
		}
		if got["-trimpath"] != "true" || got["-gcflags"] != "all=-dwarf=false -l" {
			t.Errorf("with GOFLAGS=%q it was built with -trimpath %q and -gcflags %q", caller, got["-trimpath"], got["-gcflags"])
		}
	}
}

func TestBuildTellsWhatTheCompilerSaysAndLeavesTheOldOne(t *testing.T) {
	p := program(t, "package main\n\nfunc main() { undeclared() }\n")
	if err := os.WriteFile(p.Out, []byte("old"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := Build(t.Context(), p, func(int, int) {})
	if err == nil || !strings.Contains(err.Error(), "undefined: undeclared") {
		t.Errorf("got %v, want the compiler's words", err)
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(p.Out), "*"))
	if b, err := os.ReadFile(p.Out); err != nil || string(b) != "old" || len(files) != 1 {
		t.Errorf("there are %q, the program is %q, %v", files, b, err)
	}
}

// Linking takes seconds, and a preview builds twice: before the CLI, and in the language host.
func TestBuildDoesNotLinkAgain(t *testing.T) {
	p := program(t, "package main\n\nfunc main() {}\n")
	build := func() (os.FileInfo, string) {
		t.Helper()
		if err := Build(t.Context(), p, func(int, int) {}); err != nil {
			t.Fatal(err)
		}
		made, err := os.Stat(p.Out)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(p.Out)
		if err != nil {
			t.Fatal(err)
		}
		if files, _ := filepath.Glob(filepath.Join(filepath.Dir(p.Out), "*")); len(files) != 1 {
			t.Errorf("there are %q", files)
		}
		return made, string(content)
	}
	first, _ := build()
	second, old := build()
	if !os.SameFile(first, second) {
		t.Error("what was up to date was linked again")
	}
	if err := os.WriteFile(filepath.Join(p.Dir, "main.go"), []byte("package main\n\nfunc main() { println() }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, changed := build(); changed == old {
		t.Error("a change of the source was not built")
	}
}
