package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOutcomeFlagsAndExitCodes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const urn = "urn:pulumi:prod::shop::aws:ecr/repository:Repository::images-api"
	begin := `{"sequence":1,"timestamp":1,"resourcePreEvent":{"metadata":{"op":"create","urn":"` + urn + `","new":{"custom":true}}}}` + "\n"
	good := write("good.jsonl", begin+strings.Replace(begin, "resourcePreEvent", "resOutputsEvent", 1)+`{"sequence":3,"timestamp":1,"summaryEvent":{"result":"succeeded"}}`)
	bad := write("bad.jsonl", begin+strings.Replace(begin, "resourcePreEvent", "resOpFailedEvent", 1)+
		`{"sequence":3,"timestamp":1,"diagnosticEvent":{"urn":"`+urn+`","severity":"error","message":"LimitExceeded"}}`+"\n"+`{"sequence":4,"timestamp":1,"summaryEvent":{"result":"failed"}}`)
	state := write("state.json", `{"deployment":{"pending_operations":[{"type":"creating","resource":{"urn":"`+urn+`"}}]}}`)
	log := write("up.log", "error: no stack named 'prod' found")
	for _, c := range []struct {
		args     []string
		code     int
		out, err string
	}{
		{[]string{good}, 0, "## Deployed: `shop/prod`", ""},
		{[]string{bad}, 1, "pulumi up --stack prod", "slipway outcome: create failed: images-api (aws:ecr/repository): LimitExceeded\n"},
		{[]string{"--rerun", "gh run rerun 7", "--commit", "abc", bad}, 1, "gh run rerun 7\n```\n", ""},
		{[]string{"--commit", "abc", bad}, 1, "git revert abc", ""},
		{[]string{"--state", state, bad}, 1, "- `creating` `images-api`", "slipway outcome: half done: creating images-api (aws:ecr/repository)\n"},
		{[]string{"--stack", "shop/prod", "--log", log, filepath.Join(dir, "missing.jsonl")}, 1, "pulumi stack init prod", ""},
		{[]string{"--state", filepath.Join(dir, "missing.json"), bad}, 1, "could not be read, so it is not known", ""},
		{[]string{dir}, 1, "", "is a directory"},
		{nil, 2, "", "one EVENTS"},
		{[]string{good, bad}, 2, "", "one EVENTS"},
		{[]string{"--nothing"}, 2, "", "flag provided but not defined"},
		{[]string{"--help"}, 0, "", "Exit codes: 0 all was done"},
	} {
		code, out, errOut := slip(t, "", append([]string{"outcome"}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errOut, c.err) {
			t.Errorf("outcome %q ended with %d, want %d and %q, %q\n%s%s", c.args, code, c.code, c.out, c.err, out, errOut)
		}
	}
}
