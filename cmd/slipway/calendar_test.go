package main

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// taken is a preview that the CLI has printed.
func taken(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "review", "testdata", name+".json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCalendarFlagsAndExitCodes(t *testing.T) {
	dir := t.TempDir()
	svg, md := filepath.Join(dir, "week.svg"), filepath.Join(dir, "week.md")
	whole := taken(t, "unchanged")
	for _, c := range []struct {
		stdin    string
		args     []string
		code     int
		out, err string
	}{
		{whole, []string{"--preview", "-", "--svg", svg, "--markdown", md}, 0, "0.096 USD an hour (m5.large in us-west-2, on demand, table of 20", ""},
		{whole, []string{"--preview", "-", "--svg", "", "--price", "0.2"}, 0, "0.2 USD an hour (given)", ""},
		{strings.ReplaceAll(whole, `"cpu": "60m"`, `"cpu": "1500m"`), []string{"--preview", "-", "--svg", ""}, 3, "do not hold the minimum", ""},
		{taken(t, "release-changes-only"), []string{"--preview", "-", "--svg", ""}, 1, "", "take it with --show-sames"},
		{taken(t, "mistake"), []string{"--preview", "-", "--svg", ""}, 1, "", "the preview failed"},
		{deleting, []string{"--preview", "-", "--svg", ""}, 1, "", "the stack has no slipway:index:NodeScalingSchedule"},
		{"", []string{"--preview", filepath.Join(dir, "missing")}, 1, "", "no such file"},
		{"", []string{"--config", filepath.Join(dir, "Pulumi.x.yaml")}, 1, "", "Pulumi.yaml"},
		{whole, []string{"--preview", "-", "--svg", filepath.Join(dir, "none", "week.svg")}, 1, "A usual week", "no such file"},
		{"", []string{"more"}, 2, "", "no arguments but flags"},
		{"", []string{"--price", "-1"}, 2, "", "no price below 0"},
		{"", []string{"--help"}, 0, "", "Exit codes: 0 fine; 1"},
	} {
		code, out, errOut := slip(t, c.stdin, append([]string{"calendar"}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.out) || c.out == "" && out != "" || !strings.Contains(errOut, c.err) {
			t.Errorf("%q ended with %d, want %d:\n%s\n%s", c.args, code, c.code, out, errOut)
		}
	}
	for name, begin := range map[string]string{svg: "<svg ", md: "- Node-hours a week"} {
		if got, err := os.ReadFile(name); err != nil || !strings.HasPrefix(string(got), begin) {
			t.Errorf("%s: %v, %q", name, err, got)
		}
	}
}

// TestReviewHasTheWeek: what a change of the schedule comes to is in the review, with the hours in its cost.
func TestReviewHasTheWeek(t *testing.T) {
	for name, want := range map[string]string{
		"schedule":             "### The week\n\nNode-hours a week: 403.5 → **361.5** (-42).",
		"unchanged":            "### The week\n\n- Node-hours a week: 403.5, without the schedule 504",
		"release-changes-only": "",
	} {
		_, out, _ := slip(t, taken(t, name), "review")
		if want == "" && strings.Contains(out, "### The week") || !strings.Contains(out, want) {
			t.Errorf("%s: there is no %q in\n%s", name, want, out)
		}
		if want != "" && !strings.Contains(out, "in a usual week of the schedule") {
			t.Errorf("%s: the cost does not count the schedule:\n%s", name, out)
		}
	}
}
