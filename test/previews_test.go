package test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPreviews takes the previews that the tests of `slipway review` read: with UPDATE=1 it writes them to review/testdata anew,
// without it compares what they are about to do with what is kept there, so that the reviews are of what the stack really says.
func TestPreviews(t *testing.T) {
	b := newBox(t)
	b.must("start")
	b.must("pulumi", "stack", "select", "--create", "prod")
	digest := func(c string) string { return "sha256:" + strings.Repeat(c, 64) }
	values := func(stage string, more ...string) []string {
		lines := "config:\n" + strings.Join(more, "") + "  slipway:migration:\n    stage: " + stage + "\n    old: {addresses: [10.20.4.4, 10.20.4.5], healthCheckPath: /up}\n"
		return []string{"config:\n", lines}
	}
	// The stack as it runs has a release by its digest, and is at the first stage of a migration; what is given comes first.
	with := func(oldAndNew ...string) []string {
		oldAndNew = append(oldAndNew, `frontend: "1.0.0"`, "frontend: "+digest("1"))
		return []string{"--stack", "prod", "--config-file", b.configWith(t, append(oldAndNew, values("legacy")...)...)}
	}
	preview := func(dir, name string, env, args []string) {
		t.Helper()
		s := b.tryIn(dir, env, append([]string{"pulumi", "preview", "--json", "--show-sames", "--show-replacement-steps"}, args...)...)
		keepPreview(t, name, s.out)
	}
	here := func(name string, oldAndNew ...string) { t.Helper(); preview("..", name, nil, with(oldAndNew...)) }
	up := func(dir string, args ...string) {
		t.Helper()
		if s := b.tryIn(dir, nil, append([]string{"pulumi", "up", "--yes", "--skip-preview"}, args...)...); s.code != 0 {
			t.Fatalf("up ended with %d:\n%s", s.code, s.all())
		}
	}

	here("first")
	up("..", with()...)
	here("unchanged")
	release := with(`frontend: "1.0.0"`, "frontend: "+digest("2"), `thoughts_server: "1.0.0"`, `thoughts_server: "1.1.0"`)
	preview("..", "release", nil, release)
	preview("..", "release-stream", []string{"PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true"}, release)
	keepPreview(t, "release-changes-only", b.must(append([]string{"pulumi", "preview", "--json"}, release...)...).out)
	here("migration", values("canary 10")...)
	here("replacement", "instanceTypes: [m5.large]", "instanceTypes: [m5.xlarge]")
	here("schedule", "nightNodes: 2", "nightNodes: 1")
	here("network", values("legacy", "  slipway:network: {cidr: 10.30.0.0/16, zones: 3, natGateways: one}\n")...)
	here("mistake", "minReplicas: 2", "minReplicas: 9", "America/Los_Angeles", "Pacific")
	here("provider", "domain: www.example.com", "domain: www.example.dev", "zone: example.com", "zone: example.dev")
	secret := with()
	b.must("pulumi", "config", "set", "--secret", "slipway:databasePassword", "another-password", "--stack", "prod", "--config-file", secret[3])
	preview("..", "secret", nil, secret)

	fewer := program(t, "..", "slipway", `"frontend", "thoughts_server", "users_server"},`, `"frontend", "thoughts_server"},`, `s.users, "users_server"`, `s.users, "thoughts_server"`)
	preview(fewer, "protected", nil, with())
	open := with(values("legacy", "  slipway:protect: false\n")...)
	up("..", open...)
	preview(fewer, "deleted", nil, open)

	if os.Getenv("UPDATE") == "" {
		return // what follows is about size, and takes minutes
	}
	many := program(t, "testdata/many", "many")
	if s := b.tryIn(many, nil, "pulumi", "stack", "init", "many"); s.code != 0 {
		t.Fatal(s.all())
	}
	up(many, "--stack", "many")
	preview(many, "thousand", []string{"LATER=1"}, []string{"--stack", "many"})
}

// program is a copy of the Pulumi program in a folder, with one text in place of another, in a module of its own.
func program(t *testing.T, from, name string, oldAndNew ...string) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	module := strings.NewReplacer(
		"module github.com/slipway-iac/slipway\n",
		"module github.com/slipway-iac/slipway/"+name+"\n\nrequire github.com/slipway-iac/slipway v0.0.0\n\nreplace github.com/slipway-iac/slipway => "+root+"\n",
	)
	sources, err := filepath.Glob(filepath.Join(from, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*strings.Replacer{filepath.Join("..", "go.mod"): module, filepath.Join("..", "go.sum"): strings.NewReplacer(), filepath.Join(from, "Pulumi.yaml"): strings.NewReplacer()}
	for _, source := range sources {
		files[source] = strings.NewReplacer(oldAndNew...)
	}
	for file, change := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), []byte(change.Replace(string(content))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// keepPreview compares what a preview is about to do with the one of that name in review/testdata, or writes it there.
func keepPreview(t *testing.T, name, got string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "review", "testdata", name+".json.gz")
	if os.Getenv("UPDATE") != "" {
		var packed bytes.Buffer
		w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if _, err := w.Write([]byte(got)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, packed.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	packed, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	r, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if want, got := operations(string(kept)), operations(got); !slices.Equal(want, got) {
		t.Errorf("the preview %q does\n%s\nand the one in review/testdata\n%s\ntake it anew with UPDATE=1", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// operations are a line for each step of a preview, in either of its formats.
func operations(preview string) []string {
	type step struct{ Op, URN string }
	var all []string
	for d := json.NewDecoder(strings.NewReader(preview)); ; {
		var p struct {
			Steps            []step
			ResourcePreEvent struct{ Metadata step }
		}
		if err := d.Decode(&p); err != nil {
			break
		}
		for _, s := range append(p.Steps, p.ResourcePreEvent.Metadata) {
			if s.URN != "" {
				all = append(all, s.Op+" "+s.URN)
			}
		}
	}
	slices.Sort(all)
	return all
}
