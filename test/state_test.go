package test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// secretive is a program with nothing but a secret.
const secretive = `package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		ctx.Export("password", config.RequireSecret(ctx, "password"))
		return nil
	})
}
`

// TestState runs the commands of docs/state.md, in their order: a stack moves from a folder into a bucket, gets another secrets provider, a
// stale lock is taken away, and a broken state is brought back from a version. KMS is not there: a second passphrase stands for it.
func TestState(t *testing.T) {
	b := newBox(t)
	b.must("pulumi", "version") // builds the CLI, and what runs Go programs
	s := newStateSite(t, b)
	s.run(t, "", `pulumi login "$OLD"
pulumi stack init prod
pulumi config set --secret password "correct horse" --stack prod
pulumi up --yes --skip-preview --stack prod`)
	blocks := shellBlocks(t, "../docs/state.md")
	if len(blocks) != 6 || !strings.HasPrefix(blocks[0], "OLD=") {
		t.Fatalf("the page has %d blocks of commands, the first\n%s", len(blocks), blocks)
	}
	for _, block := range blocks[1:3] {
		s.run(t, "", block)
	}
	// The provider asks for the new passphrase, twice; with KMS it would ask for nothing.
	s.run(t, "another one\nanother one\n", blocks[3])
	s.passphrase = "another one"
	s.run(t, "", blocks[4])
	if left, err := filepath.Glob(filepath.Join(s.dir, "old", ".pulumi", "stacks", "slipway", "prod.json")); err != nil || len(left) > 0 {
		t.Errorf("the old state is still there: %v, %v", left, err)
	}
	s.holds(t)

	const lock = ".pulumi/locks/organization/slipway/prod/11111111-2222-3333-4444-555555555555.json"
	s.put(t, lock, `{"pid": 4242, "username": "runner", "hostname": "ci-17", "timestamp": "2026-11-25T02:00:00Z"}`)
	if out, err := s.try("", "pulumi up --yes --skip-preview --stack prod"); err == nil || !strings.Contains(out, "created by runner@ci-17 (pid 4242) at 2026-11-25T02:00:00Z") {
		t.Errorf("a locked stack: %v\n%s", err, out)
	}
	s.run(t, "", "pulumi refresh --preview-only --stack prod") // takes no lock, and minds none
	s.run(t, "", blocks[5])
	s.run(t, "", "pulumi up --yes --skip-preview --stack prod")

	const state = ".pulumi/stacks/slipway/prod.json"
	good := s.get(t, state, "")
	s.put(t, state, "{")
	if out, err := s.try("", "pulumi preview --stack prod"); err == nil {
		t.Errorf("a broken state is taken:\n%s", out)
	}
	versions := regexp.MustCompile(`<VersionId>([^<]*)</VersionId>\s*<IsLatest>false`).FindAllStringSubmatch(s.ask(t, "?"+url.Values{"versions": {""}, "prefix": {state}}.Encode()), -1)
	found := false
	for _, v := range versions {
		if before := s.get(t, state, v[1]); before == good {
			s.put(t, state, before)
			found = true
			break
		}
	}
	if !found {
		t.Fatalf("none of %d versions is the state as it was", len(versions))
	}
	s.holds(t)
}

// stateSite is a program with its stack, and the bucket to which the state goes.
type stateSite struct {
	dir, bucket string
	env         []string
	passphrase  string
}

func newStateSite(t *testing.T, b *box) *stateSite {
	t.Helper()
	s := &stateSite{dir: t.TempDir(), passphrase: "one"}
	app := filepath.Join(s.dir, "app")
	for _, dir := range []string{app, filepath.Join(s.dir, "old"), filepath.Join(s.dir, "home")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string]string{"main.go": secretive, "Pulumi.yaml": "name: slipway\nruntime: go\n"}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = strings.Replace(string(content), "module github.com/slipway-iac/slipway\n", "module github.com/slipway-iac/slipway/app\n", 1)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(app, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.bucket = startBucket(t, filepath.Join(s.dir, "bucket"))
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); !strings.HasPrefix(name, "PULUMI_") && !strings.HasPrefix(name, "AWS_") {
			s.env = append(s.env, kv)
		}
	}
	s.env = append(s.env, "PATH="+filepath.Join(b.home, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"PULUMI_HOME="+filepath.Join(s.dir, "home"), "PULUMI_SKIP_UPDATE_CHECK=true", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
		"AWS_ACCESS_KEY_ID=SANDBOX", "AWS_SECRET_ACCESS_KEY=sandbox", "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
		"OLD=file://"+filepath.Join(s.dir, "old"), "NEW=s3://slipway-state?region=us-west-2&endpoint="+s.bucket+"&s3ForcePathStyle=true", "KEY=passphrase")
	return s
}

// startBucket builds and runs an S3 on loopback, and returns its address.
func startBucket(t *testing.T, exe string) string {
	t.Helper()
	build := exec.Command("go", "build", "-o", exe, "./bucket")
	build.Dir = "../sandbox"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the bucket does not build: %v\n%s", err, out)
	}
	server := exec.Command(exe, "slipway-state")
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = server.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// shellBlocks are the blocks of a page that are marked as sh.
func shellBlocks(t *testing.T, page string) []string {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)\n```sh\n(.*?)```\n").FindAllStringSubmatch(string(content), -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// try runs commands in the program's folder.
func (s *stateSite) try(stdin, commands string) (string, error) {
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", commands)
	cmd.Dir, cmd.Stdin = filepath.Join(s.dir, "app"), strings.NewReader(stdin)
	cmd.Env = append(s.env, "PULUMI_CONFIG_PASSPHRASE="+s.passphrase)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (s *stateSite) run(t *testing.T, stdin, commands string) string {
	t.Helper()
	out, err := s.try(stdin, commands)
	if err != nil {
		t.Fatalf("%s\n%v\n%s", commands, err, out)
	}
	return out
}

// holds looks whether the stack is as it was made, secret and all, and its state gives nothing away.
func (s *stateSite) holds(t *testing.T) {
	t.Helper()
	s.run(t, "", "pulumi preview --stack prod --expect-no-changes")
	if out := s.run(t, "", "pulumi stack output password --show-secrets --stack prod"); !strings.Contains(out, "correct horse") {
		t.Errorf("the secret is %q", out)
	}
	if state := s.get(t, ".pulumi/stacks/slipway/prod.json", ""); strings.Contains(state, "correct horse") || !strings.Contains(state, "ciphertext") {
		t.Errorf("the state shows its secret, or has none:\n%s", state)
	}
}

// ask gets what is at a path of the bucket.
func (s *stateSite) ask(t *testing.T, path string) string {
	t.Helper()
	return s.send(t, http.MethodGet, path, "")
}

func (s *stateSite) get(t *testing.T, key, version string) string {
	t.Helper()
	if version != "" {
		key += "?" + url.Values{"versionId": {version}}.Encode()
	}
	return s.ask(t, "/"+key)
}

func (s *stateSite) put(t *testing.T, key, content string) {
	t.Helper()
	s.send(t, http.MethodPut, "/"+key, content)
}

func (s *stateSite) send(t *testing.T, method, path, content string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.bucket+"/slipway-state"+path, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s, %v", method, path, answer.Status, fmt.Sprint(err, string(all)))
	}
	return string(all)
}
