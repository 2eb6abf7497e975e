package langhost

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// program is a Go program without dependencies, of one main function.
func program(t *testing.T, main string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":  "module example.com/program\n\ngo 1.24\n",
		"main.go": "package main\n\nimport \"os\"\n\nfunc main() {\n" + main + "\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func request(dir string) *pulumirpc.RunRequest {
	return &pulumirpc.RunRequest{
		Pwd: dir, Info: &pulumirpc.ProgramInfo{RootDirectory: dir, ProgramDirectory: dir, EntryPoint: "."},
		Organization: "organization", Project: "slipway", Stack: "prod", MonitorAddress: "127.0.0.1:1", DryRun: true, Parallel: 16,
		Config: map[string]string{"slipway:domain": "www.example.com"}, ConfigSecretKeys: []string{"slipway:databasePassword"},
	}
}

func TestRunGivesTheProgramWhatTheSDKReads(t *testing.T) {
	dir := program(t, `	f, err := os.Create("seen")
	if err != nil {
		panic(err)
	}
	for _, kv := range os.Environ() {
		f.WriteString(kv + "\n")
	}`)
	h := New(t.TempDir(), []string{"-tracing", "127.0.0.1:2"})
	resp, err := h.Run(t.Context(), request(dir))
	if err != nil || resp.GetError() != "" || resp.GetBail() {
		t.Fatalf("got %v, %v", resp, err)
	}
	seen, err := os.ReadFile(filepath.Join(dir, "seen"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"PULUMI_ORGANIZATION=organization", "PULUMI_PROJECT=slipway", "PULUMI_STACK=prod", "PULUMI_DRY_RUN=true", "PULUMI_PARALLEL=16",
		"PULUMI_MONITOR=127.0.0.1:1", "PULUMI_ENGINE=127.0.0.1:2",
		`PULUMI_CONFIG={"slipway:domain":"www.example.com"}`, `PULUMI_CONFIG_SECRET_KEYS=["slipway:databasePassword"]`,
	} {
		if !strings.Contains(string(seen), want+"\n") {
			t.Errorf("the program does not see %s", want)
		}
	}
}

func TestRunTellsHowTheProgramEnded(t *testing.T) {
	for _, c := range []struct{ why, main, err string }{
		// The program has told the engine its errors itself: nothing more to say.
		{"it told its errors", "os.Exit(32)", ""},
		{"it failed", "os.Exit(1)", "the program ended with exit status 1; what it printed stands above"},
		{"it does not build", "os.Exits(1)", "undefined: os.Exits"},
	} {
		t.Run(c.why, func(t *testing.T) {
			resp, err := New(t.TempDir(), nil).Run(t.Context(), request(program(t, c.main)))
			if err != nil || resp.GetBail() != (c.err == "") || !strings.Contains(resp.GetError(), c.err) {
				t.Errorf("got %v, %v, want %q", resp, err, c.err)
			}
		})
	}
}

// Two programs of the same name must not become one executable.
func TestEachProgramHasAnExecutableOfItsOwn(t *testing.T) {
	programs := t.TempDir()
	var made []string
	for range 2 {
		dir := filepath.Join(program(t, "os.Exit(0)"))
		bin, err := Build(t.Context(), programs, dir, func(int, int) {})
		if err != nil {
			t.Fatal(err)
		}
		again, err := Build(t.Context(), programs, dir, func(int, int) {})
		if err != nil || again != bin {
			t.Errorf("built again it is %s, %v, want %s", again, err, bin)
		}
		made = append(made, bin)
	}
	if made[0] == made[1] {
		t.Errorf("both are %s", made[0])
	}
}

func TestGetProgramDependencies(t *testing.T) {
	r := request(program(t, "os.Exit(0)"))
	resp, err := New(t.TempDir(), nil).GetProgramDependencies(t.Context(), &pulumirpc.GetProgramDependenciesRequest{Info: r.GetInfo()})
	if err != nil || len(resp.GetDependencies()) != 0 {
		t.Errorf("got %v, %v, want none", resp, err)
	}
}
