package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// serve is an empty registry.
func serve(t *testing.T) (host string) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := httptest.NewServer(ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)), ggcr.WithReferrersSupport(true)))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// serveImage is a registry with the image team/api:1.2.0, whose digest it returns.
func serveImage(t *testing.T) (host, digest string) {
	t.Helper()
	host = serve(t)
	i, err := random.Image(3000, 2)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(host + "/team/api:1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, i); err != nil {
		t.Fatal(err)
	}
	d, err := i.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return host, d.String()
}

func slipway(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return slip(t, "", args...)
}

func TestPromote(t *testing.T) {
	host, digest := serveImage(t)
	live := serve(t)
	record := filepath.Join(t.TempDir(), "promotions.jsonl")
	args := []string{"promote", host + "/team/api:1.2.0", "--env", "production", live + "/live/api", "--record", record, "--by", "alice"}

	code, stdout, stderr := slipway(t, append(args, "--dry-run")...)
	if code != 0 || stdout != "would be promoted: "+digest+"\n" || !strings.Contains(stderr, "1 of 1 manifests and ") || !strings.Contains(stderr, " KiB") {
		t.Errorf("dry run: %d\n%s%s", code, stdout, stderr)
	}
	if _, err := os.Stat(record); err == nil {
		t.Error("a dry run is recorded")
	}
	code, stdout, stderr = slipway(t, args...)
	want := digest + "\nroll it out with one changed line of the stack's configuration:\n  pulumi config set --path 'slipway:images.api' " + digest + "\n"
	if code != 0 || stdout != want || !strings.Contains(stderr, "✓ copied ") {
		t.Errorf("%d\n%s%s\nwant\n%s", code, stdout, stderr, want)
	}
	code, stdout, stderr = slipway(t, append(args, "--output", "json")...)
	var again struct {
		Digest, Tag, By, ConfigCommand string
		Changed                        bool
		BytesToCopy                    int64
	}
	if err := json.Unmarshal([]byte(stdout), &again); err != nil || code != 0 || again.Digest != digest || again.Tag != "production-1.2.0" || again.Changed || again.BytesToCopy != 0 {
		t.Errorf("again: %d %v\n%s%s", code, err, stdout, stderr)
	}
	if b, err := os.ReadFile(record); err != nil || strings.Count(string(b), "\n") != 1 || !strings.Contains(string(b), `"by":"alice"`) {
		t.Errorf("recorded: %s, %v", b, err)
	}
}

func TestArguments(t *testing.T) {
	for line, want := range map[string]struct {
		code  int
		words string
	}{
		"":                         {2, "slipway COMMAND"},
		"demote":                   {2, `there is no command "demote"`},
		"promote":                  {2, "0 arguments, must be two: SOURCE and TARGET"},
		"promote a b c":            {2, "3 arguments"},
		"promote a b --output xml": {2, `--output is "xml", must be text or json`},
		"promote h.io/aa:1 h.io/bb --env x --max-severity x":            {2, `the severity is "x", must be one of informational, low, medium, high, critical`},
		"promote h.io/aa:1 h.io/bb --env x --scan f":                    {2, "--max-severity is needed"},
		"promote h.io/aa:1 h.io/bb --env x --scan f --max-severity low": {2, "open f: no such file"},
		"promote a b --nonsense":                                        {2, "flag provided but not defined: -nonsense"},
		"promote --help":                                                {0, "Exit codes"},
		"promote a h.io/bb --env x":                                     {2, `the source is "a", must be an image by tag or digest`},
		"promote h.io/aa:1 h.io/bb:2 --env x":                           {2, `the target is "h.io/bb:2", must be a repository without a tag`},
		"promote h.io/aa:1 h.io/bb":                                     {2, `the environment is "", must be`},
		"promote h.io/aa:1 h.io/bb --env X":                             {2, `the environment is "X", must be`},
		"promote h.io/aa:1 h.io/bb --env x --platform linux":            {2, `platform 1 is "linux", must be like`},
		"promote h.io/aa:1 h.io/bb --env x --version /":                 {2, `the version is "/", must be part of a tag`},
	} {
		code, stdout, stderr := slipway(t, strings.Fields(line)...)
		if code != want.code || !strings.Contains(stdout+stderr, want.words) {
			t.Errorf("%q ended with %d, want %d and %q:\n%s%s", line, code, want.code, want.words, stdout, stderr)
		}
	}
}

// An image that is not in ECR, with a scan asked for that nobody gave.
func TestAScanIsNeededWhereOneIsAskedFor(t *testing.T) {
	host, _ := serveImage(t)
	code, _, stderr := slipway(t, "promote", host+"/team/api:1.2.0", host+"/live/api", "--env", "production", "--max-severity", "high")
	if code != 1 || !strings.Contains(stderr, host+" is not ECR: give what a scanner found with --scan FILE") {
		t.Errorf("%d %s", code, stderr)
	}
	report := filepath.Join(t.TempDir(), "scan.sarif")
	if err := os.WriteFile(report, []byte(`{"runs":[{"results":[{"level":"error"}]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr = slipway(t, "promote", host+"/team/api:1.2.0", host+"/live/api", "--env", "production", "--max-severity", "medium", "--scan", report)
	if code != 1 || !strings.Contains(stderr, "found 1 high, and nothing above medium is let through") {
		t.Errorf("%d %s", code, stderr)
	}
}

// The aws command answers for an image of ECR.
func TestScansOfEcr(t *testing.T) {
	dir := t.TempDir()
	script := `#!/bin/sh
echo "$@" > ` + dir + `/asked
case "$*" in *sha256:none*) echo "An error occurred (ScanNotFoundException)" >&2; exit 254;; esac
echo '{"imageId":{"imageDigest":"sha256:1"},"imageScanStatus":{"status":"COMPLETE"},"imageScanFindings":{"findingSeverityCounts":{"HIGH":2}}}'
`
	if err := os.WriteFile(filepath.Join(dir, "aws"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	const host = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
	r, err := ecrScan(t.Context(), host, "team/api", "sha256:1")
	if err != nil || r.Digest != "sha256:1" || len(r.Findings) != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	if want := "ecr describe-image-scan-findings --registry-id 123456789012 --region us-west-2 --repository-name team/api --image-id imageDigest=sha256:1 --output json\n"; err != nil || string(asked) != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
	if _, err := ecrScan(t.Context(), host, "team/api", "sha256:none"); err == nil || !strings.Contains(err.Error(), "ScanNotFoundException") {
		t.Errorf("got %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := ecrScan(t.Context(), host, "team/api", "sha256:1"); err == nil || !strings.Contains(err.Error(), "the aws command is not installed") {
		t.Errorf("got %v", err)
	}
}
