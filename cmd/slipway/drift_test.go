package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	stackIsThere = `{"op": "refresh", "urn": "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod"}`
	asItWas      = `{"steps": [` + stackIsThere + `], "changeSummary": {"same": 1}}`
	lostImages   = `{"steps": [` + stackIsThere + `, {"op": "delete", "urn": "urn:pulumi:prod::shop::aws:ecr/repository:Repository::images-api",
		"oldState": {"custom": true, "id": "api", "inputs": {"name": "api"}}}], "changeSummary": {"delete": 1, "same": 1}}`
)

func noGitHub(t *testing.T) {
	t.Helper()
	for _, name := range []string{"GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH", "GITHUB_STEP_SUMMARY"} {
		t.Setenv(name, "")
	}
}

func TestDriftFlagsAndExitCodes(t *testing.T) {
	noGitHub(t)
	dir := t.TempDir()
	file, log, markdown := filepath.Join(dir, "drift.json"), filepath.Join(dir, "drift.log"), filepath.Join(dir, "drift.md")
	for name, content := range map[string]string{file: lostImages, log: "error: no stack named 'prod' found"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		stdin    string
		args     []string
		code     int
		out, err string
	}{
		{asItWas, nil, 0, "shop/prod: no drift:", ""},
		{lostImages, []string{"-"}, 3, "gone     images-api, aws:ecr/repository\n         api\n", ""},
		{"", []string{"--markdown", markdown, file}, 3, "1 of 1 resource is not as the stack left it: 1 gone.", ""},
		{"", []string{"--stack", "shop/prod", "--log", log}, 1, "no stack named 'prod' found", "the input is empty"},
		{lostImages[:90], nil, 1, "is not known", "breaks off"},
		{"", []string{"--log", filepath.Join(dir, "missing")}, 1, "", "no such file"},
		{"", []string{filepath.Join(dir, "missing.json")}, 1, "", "no such file"},
		{"", []string{file, file}, 2, "", "one FILE at most"},
		{"", []string{"--nothing"}, 2, "", "flag provided but not defined"},
		{"", []string{"--help"}, 0, "", "Exit codes: 0 no drift; 1"},
		{lostImages, []string{"--issue"}, 1, "gone     images-api", "the issue is not up to date: missing: GITHUB_TOKEN"},
		{"", []string{"--issue"}, 1, "is not known", "stays as it is"},
	} {
		code, out, errOut := slip(t, c.stdin, append([]string{"drift"}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.out) || c.out == "" && out != "" || !strings.Contains(errOut, c.err) {
			t.Errorf("%q ended with %d, want %d:\n%s\n%s", c.args, code, c.code, out, errOut)
		}
	}
	if got, err := os.ReadFile(markdown); err != nil || !strings.HasPrefix(string(got), "## Drift: `shop/prod`\n") {
		t.Errorf("%v, %q", err, got)
	}
}

// TestDriftKeepsAnIssue: opened with the drift, closed without; what is not known changes nothing.
func TestDriftKeepsAnIssue(t *testing.T) {
	noGitHub(t)
	type issue struct {
		Number int               `json:"number"`
		State  string            `json:"state"`
		Title  string            `json:"title"`
		Body   string            `json:"body"`
		URL    string            `json:"html_url"`
		User   map[string]string `json:"user"`
	}
	issues, asked := []issue{}, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		var sent issue
		_ = json.NewDecoder(r.Body).Decode(&sent)
		switch {
		case r.URL.Path == "/user":
			w.WriteHeader(http.StatusForbidden)
		case r.Method == http.MethodGet:
			_ = json.NewEncoder(w).Encode(issues)
		case r.URL.Path == "/repos/octo/shop/issues":
			sent.Number, sent.State, sent.URL, sent.User = 1, "open", "https://github.example/1", map[string]string{"login": "github-actions[bot]"}
			issues = append(issues, sent)
			_ = json.NewEncoder(w).Encode(sent)
		default:
			if r.Method == http.MethodPatch {
				issues[0].State = sent.State
			}
			_, _ = w.Write([]byte("{}"))
		}
	}))
	defer server.Close()
	t.Setenv("GITHUB_API_URL", server.URL)
	t.Setenv("GITHUB_TOKEN", "x")
	t.Setenv("GITHUB_REPOSITORY", "octo/shop")
	for _, c := range []struct {
		stdin      string
		code       int
		says, then string
	}{
		{asItWas, 0, "", ""},
		{lostImages, 3, "opened https://github.example/1", "open"},
		{lostImages, 3, "nothing is different since https://github.example/1 was written", "open"},
		{lostImages[:90], 1, "stays as it is", "open"},
		{asItWas, 0, "closed https://github.example/1", "closed"},
		{lostImages, 3, "opened again https://github.example/1", "open"},
	} {
		before := asked
		code, _, errOut := slip(t, c.stdin, "drift", "--issue")
		if code != c.code || !strings.Contains(errOut, c.says) || code == 1 && asked != before {
			t.Errorf("it ended with %d, want %d and %q, after %d requests:\n%s", code, c.code, c.says, asked-before, errOut)
		}
		if state := append(issues, issue{})[0].State; state != c.then {
			t.Errorf("the issue is %q, want %q", state, c.then)
		}
	}
	if len(issues) != 1 || issues[0].Title != "Drift: shop/prod" || !strings.HasPrefix(issues[0].Body, "<!-- slipway drift: shop/prod -->\n") {
		t.Errorf("the issues are %+v", issues)
	}
}
