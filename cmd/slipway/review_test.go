package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const deleting = `warning: something
{
    "config": {"aws:region": "us-west-2"},
    "steps": [{"op": "delete", "urn": "urn:pulumi:prod::shop::aws:ecr/repository:Repository::images-api", "oldState": {"custom": true, "inputs": {"name": "api"}}}],
    "duration": 1, "changeSummary": {"delete": 1}
}
`

// slip runs the command, with none of the environment that a pipeline gives.
func slip(t *testing.T, stdin string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(stdin), &o, &e)
	return code, o.String(), e.String()
}

func TestReviewFlagsAndExitCodes(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "preview.json")
	if err := os.WriteFile(file, []byte(deleting), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args     []string
		code     int
		out, err string
	}{
		{nil, 3, "**Refused:** 1 guarded resource", "deleted: images-api (aws:ecr/repository), an image repository"},
		{[]string{"-"}, 3, "**Refused:**", ""},
		{[]string{"--allow", "images-api"}, 0, "allowed by name", ""},
		{[]string{"--labels", "bug, slipway-allow:images-api"}, 0, "allowed by name", ""},
		{[]string{"--labels", `["bug", "slipway-allow:images-api"]`}, 0, "allowed by name", ""},
		{[]string{"--labels", ""}, 3, "**Refused:**", ""},
		{[]string{"--labels", "[]"}, 3, "**Refused:**", ""},
		{[]string{"--labels", "[broken"}, 2, "", "JSON array"},
		{[]string{"--labels", "slipway-allow:images-ap"}, 2, "**Allowed in vain:**", `near it are "images-api"`},
		{[]string{"--full", filepath.Join(dir, "full.md"), "--out", filepath.Join(dir, "short.md"), file}, 3, "", ""},
		{[]string{filepath.Join(dir, "missing.json")}, 1, "", "no such file"},
		{[]string{file, file}, 2, "", "one FILE at most"},
		{[]string{"--nothing"}, 2, "", "flag provided but not defined"},
		{[]string{"--help"}, 0, "", "Exit codes: 0 fine; 1"},
		{[]string{"--comment"}, 3, "**Refused:**", "the comment is not written: missing: GITHUB_TOKEN"},
	} {
		for _, name := range []string{"GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH", "GITHUB_STEP_SUMMARY"} {
			t.Setenv(name, "")
		}
		code, out, errOut := slip(t, deleting, append([]string{"review"}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.out) || c.out == "" && out != "" || !strings.Contains(errOut, c.err) {
			t.Errorf("%q ended with %d, want %d:\n%s\n%s", c.args, code, c.code, out, errOut)
		}
	}
	for _, name := range []string{"full.md", "short.md"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.HasPrefix(string(got), "<!-- slipway review: shop/prod -->\n") {
			t.Errorf("%s: %v, %q", name, err, got)
		}
	}
	if code, out, _ := slip(t, deleting[:80], "review"); code != 1 || !strings.Contains(out, "There is no whole preview") {
		t.Errorf("a cut preview ended with %d:\n%s", code, out)
	}
	if code, _, errOut := slip(t, ""); code != 2 || !strings.Contains(errOut, "review") {
		t.Errorf("no command ended with %d:\n%s", code, errOut)
	}
	if code, _, errOut := slip(t, "", "reviw"); code != 2 || !strings.Contains(errOut, `no command "reviw"`) {
		t.Errorf("a wrong command ended with %d:\n%s", code, errOut)
	}
	if code, out, _ := slip(t, "", "help"); code != 0 || !strings.Contains(out, "review") {
		t.Errorf("help ended with %d:\n%s", code, out)
	}
}

// TestReviewComments: the exit code is the review's, whether the comment is written or the run's summary.
func TestReviewComments(t *testing.T) {
	for _, writable := range []bool{true, false} {
		var written string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/user", r.Method == http.MethodPost && !writable:
				w.WriteHeader(http.StatusForbidden)
			case r.Method == http.MethodPost:
				var sent struct{ Body string }
				_ = json.NewDecoder(r.Body).Decode(&sent)
				written = r.URL.Path + "\n" + sent.Body
				_, _ = w.Write([]byte(`{"html_url": "https://github.example/c1"}`))
			default:
				_, _ = w.Write([]byte(`[]`))
			}
		}))
		defer server.Close()
		summary := filepath.Join(t.TempDir(), "summary.md")
		for k, v := range map[string]string{
			"GITHUB_API_URL": server.URL, "GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "octo/shop", "GITHUB_STEP_SUMMARY": summary, "GITHUB_EVENT_PATH": "",
		} {
			t.Setenv(k, v)
		}
		code, out, errOut := slip(t, deleting, "review", "--comment", "--pr", "7")
		if code != 3 || out != "" {
			t.Errorf("writable %v: it ended with %d:\n%s\n%s", writable, code, out, errOut)
		}
		in, _ := os.ReadFile(summary)
		if writable && (!strings.HasPrefix(written, "/repos/octo/shop/issues/7/comments\n<!-- slipway review: shop/prod -->\n") || len(in) > 0) {
			t.Errorf("written is %q, and in the summary %q", written, in)
		}
		if !writable && (!strings.HasPrefix(string(in), "<!-- slipway review: shop/prod -->\n") || !strings.Contains(errOut, "the review is in the run's summary")) {
			t.Errorf("the summary is %q:\n%s", in, errOut)
		}
	}
}
