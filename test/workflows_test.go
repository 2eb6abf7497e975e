package test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// workflow is what the tests look at of one.
type workflow struct {
	On          yaml.Node
	Permissions *map[string]string
	Defaults    struct {
		Run struct{ Shell string }
	}
	Concurrency *struct {
		Group  string
		Cancel any `yaml:"cancel-in-progress"`
	}
	Jobs map[string]struct {
		If, Environment string
		Permissions     map[string]string
		Timeout         int `yaml:"timeout-minutes"`
		Env             map[string]string
		Steps           []workflowStep
	}
}

type workflowStep struct {
	ID, Name, Uses, Run string
	With, Env           map[string]string
}

func readWorkflows(t *testing.T) map[string]workflow {
	t.Helper()
	files, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflows: %v", err)
	}
	all := map[string]workflow{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var w workflow
		if err := yaml.Unmarshal(b, &w); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		all[strings.TrimSuffix(filepath.Base(f), ".yml")] = w
	}
	return all
}

// TestWorkflowsHaveLeastPermissions: what each job may do is written down here once more, so that more is never given in passing.
func TestWorkflowsHaveLeastPermissions(t *testing.T) {
	want := map[string]string{
		"check.check": "contents:read", "pull-request.review": "contents:read id-token:write pull-requests:write", "pull-request.sandbox": "contents:read",
		"deploy.deploy": "contents:read id-token:write", "drift.drift": "actions:read contents:read id-token:write issues:write",
		"promote.promote": "contents:write id-token:write pull-requests:write",
	}
	got := map[string]string{}
	for name, w := range readWorkflows(t) {
		if w.Permissions == nil {
			t.Errorf("%s leaves the permissions of jobs that say nothing to the repository's setting", name)
			continue
		}
		for job, j := range w.Jobs {
			p := j.Permissions
			if p == nil {
				p = *w.Permissions
			}
			var all []string
			for _, k := range slices.Sorted(maps.Keys(p)) {
				all = append(all, k+":"+p[k])
			}
			got[name+"."+job] = strings.Join(all, " ")
			if j.Timeout == 0 {
				t.Errorf("%s.%s has no time-out: GitHub's is six hours", name, job)
			}
		}
		if w.Defaults.Run.Shell != "bash -euo pipefail {0}" || w.Concurrency == nil {
			t.Errorf("%s: the shell is %q, concurrency %v", name, w.Defaults.Run.Shell, w.Concurrency)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the jobs' permissions are\n%v\nwant\n%v", got, want)
	}
}

// pinned is an action by its commit, with its version for people.
var pinned = regexp.MustCompile(`^\s*(- )?uses: (\./|[\w.-]+/[\w.-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+$)`)

// TestActionsArePinned: a tag of somebody else's repository can be moved, and what it then names would run with our roles. An action
// has one commit everywhere.
func TestActionsArePinned(t *testing.T) {
	commits := map[string]string{}
	for _, pattern := range []string{"../.github/workflows/*.yml", "../.github/actions/*/action.yml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.SplitSeq(string(b), "\n") {
				_, use, found := strings.Cut(line, "uses: ")
				if !found {
					continue
				}
				if !pinned.MatchString(line) {
					t.Errorf("%s: %q, must have a full commit and the version in a comment", f, line)
				}
				name, commit, _ := strings.Cut(use, "@")
				if before, ok := commits[name]; ok && before != commit {
					t.Errorf("%s: %s is %s here, and %s elsewhere", f, name, commit, before)
				}
				commits[name] = commit
			}
		}
	}
}

// TestWorkflowsRunNothingThatOthersWrite: an expression in a script is its text before the shell reads it, so that a branch's name or a
// title could be a command.
func TestWorkflowsRunNothingThatOthersWrite(t *testing.T) {
	for name, w := range readWorkflows(t) {
		if strings.Contains(fmt.Sprint(events(w.On)), "pull_request_target") {
			t.Errorf("%s runs for a fork with the rights of the repository", name)
		}
		for job, j := range w.Jobs {
			for _, s := range j.Steps {
				if strings.Contains(s.Run, "${{") {
					t.Errorf("%s.%s, step %q: its script has an expression in it; give it a variable", name, job, s.Name)
				}
				if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" && j.Permissions["contents"] != "write" {
					t.Errorf("%s.%s leaves the token in the checkout, where everything that runs later may read it", name, job)
				}
			}
		}
	}
}

// TestAPreviewThatFailedIsNeverGreen: the CLI may print a whole preview, in which a review finds nothing, and fail all the same.
func TestAPreviewThatFailedIsNeverGreen(t *testing.T) {
	for job, j := range readWorkflows(t)["pull-request"].Jobs {
		for reviewed, want := range map[int]map[int]int{0: {0: 0, 255: 1}, 3: {0: 3, 255: 3}} {
			for previewed, code := range want {
				if got := runSteps(t, j.Steps, previewed, reviewed); got != code {
					t.Errorf("%s: after a preview that ended with %d, and a review with %d, the step ends with %d, want %d", job, previewed, reviewed, got, code)
				}
			}
		}
	}
}

// runSteps runs the steps "preview" and "review" with programs that end with these codes, and returns what the second one ends with.
func runSteps(t *testing.T, steps []workflowStep, previewed, reviewed int) int {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, code int) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, fmt.Appendf(nil, "#!/bin/sh\necho '{}'; echo x > short.md\nexit %d\n", code), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write("path/pulumi", previewed)
	write("bin/sandbox", previewed)
	write("bin/slipway", reviewed)
	outputs, code := filepath.Join(dir, "outputs"), -1
	for _, name := range []string{"preview", "review"} {
		i := slices.IndexFunc(steps, func(s workflowStep) bool { return s.Name == name })
		if i < 0 {
			t.Fatalf("there is no step %q", name)
		}
		c := exec.Command("bash", "-euo", "pipefail", "-c", steps[i].Run)
		c.Dir, c.Env = dir, append(os.Environ(), "PATH="+filepath.Join(dir, "path")+":"+os.Getenv("PATH"), "STACK=prod", "LABELS=[]", "RUN=x", "GITHUB_OUTPUT="+outputs,
			"GITHUB_STEP_SUMMARY="+filepath.Join(dir, "summary"))
		said, _ := os.ReadFile(outputs)
		for k, v := range steps[i].Env {
			if v == "${{ steps.preview.outputs.failed }}" {
				c.Env = append(c.Env, k+"="+strings.TrimPrefix(strings.TrimSpace(string(said)), "failed="))
			}
		}
		out, _ := c.CombinedOutput()
		if code = c.ProcessState.ExitCode(); name == "preview" && code != 0 {
			t.Fatalf("the step %q ends with %d:\n%s", name, code, out)
		}
	}
	return code
}

func events(n yaml.Node) (names []string) {
	for _, c := range n.Content {
		names = append(names, c.Value)
	}
	return append(names, n.Value)
}

// TestDeploysAreNeverCutOff: neither by the next one nor by a look for drift.
func TestDeploysAreNeverCutOff(t *testing.T) {
	all := readWorkflows(t)
	deploy := all["deploy"]
	if deploy.Concurrency == nil || deploy.Concurrency.Cancel != false || deploy.Jobs["deploy"].Environment != "production" {
		t.Errorf("deploy: %+v", deploy.Concurrency)
	}
	for name, w := range all {
		if name != "deploy" && w.Concurrency != nil && w.Concurrency.Group == deploy.Concurrency.Group {
			t.Errorf("%s is in the group of deploy: GitHub keeps one run of a group waiting, so it would push out a deploy that waits", name)
		}
	}
}

// TestForksGetNoRole: the job for forks asks for none, and the others leave forks out.
func TestForksGetNoRole(t *testing.T) {
	for name, w := range readWorkflows(t) {
		for job, j := range w.Jobs {
			_, oidc := j.Permissions["id-token"]
			var role bool
			for _, s := range j.Steps {
				role = role || s.With["role"] != ""
			}
			if role != oidc {
				t.Errorf("%s.%s takes a role: %v, may take one: %v", name, job, role, oidc)
			}
			if forks := slices.Contains(events(w.On), "pull_request"); forks && oidc && !strings.Contains(j.If, "github.event.pull_request.head.repo.full_name == github.repository") {
				t.Errorf("%s.%s takes a role for forks too: %q", name, job, j.If)
			}
		}
	}
}

// play runs the script of a step in a folder with programs of these scripts, and returns what it ends with, and what it wrote to the summary.
func play(t *testing.T, w, job, step string, programs map[string]string, env ...string) (dir string, code int, summary string) {
	t.Helper()
	dir = t.TempDir()
	steps := readWorkflows(t)[w].Jobs[job].Steps
	i := slices.IndexFunc(steps, func(s workflowStep) bool { return s.Name == step })
	if i < 0 {
		t.Fatalf("%s.%s has no step %q", w, job, step)
	}
	for name, script := range programs {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("#!/bin/bash\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("bash", "-euo", "pipefail", "-c", steps[i].Run)
	c.Dir = dir
	c.Env = append(append(os.Environ(), "PATH="+filepath.Join(dir, "path")+":"+os.Getenv("PATH"), "STACK=prod", "GITHUB_OUTPUT="+filepath.Join(dir, "outputs"),
		"GITHUB_STEP_SUMMARY="+filepath.Join(dir, "summary")), env...)
	out, err := c.CombinedOutput()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	t.Logf("%s", out)
	b, _ := os.ReadFile(filepath.Join(dir, "summary"))
	return dir, c.ProcessState.ExitCode(), string(b)
}

// TestPromotionsAreGated by what the repository's variables say, and by nothing where they say nothing.
func TestPromotionsAreGated(t *testing.T) {
	slipway := map[string]string{"bin/slipway": `printf '%s\n' "$@" > asked; echo '{"digest": "sha256:1", "tag": "production-1"}'`}
	for _, c := range []struct{ severity, platforms, want string }{
		{"", "", ""}, {"medium", "", "--max-severity=medium "}, {"", "linux/amd64,linux/arm64", "--platform=linux/amd64,linux/arm64 "}, {"a b", "x", "--max-severity=a b --platform=x "},
	} {
		dir, code, _ := play(t, "promote", "promote", "promote", slipway, "FROM=h/a:1", "TO=h/b", "ENVIRONMENT=production", "IMAGE=a", "GITHUB_ACTOR=alice",
			"MAX_SEVERITY="+c.severity, "PLATFORMS="+c.platforms)
		asked, err := os.ReadFile(filepath.Join(dir, "asked"))
		want := "promote h/a:1 h/b --env=production --image=a " + c.want + "--by alice --output json "
		if got := strings.ReplaceAll(string(asked), "\n", " "); err != nil || code != 0 || got != want {
			t.Errorf("%v, it ends with %d, and asked for\n%q, want\n%q", err, code, got, want)
		}
	}
}

// TestALongDriftIsShown: GitHub drops a summary above 1 MiB as a whole.
func TestALongDriftIsShown(t *testing.T) {
	for name, lines := range map[string]int{"short": 10, "long": 40000} {
		slipway := map[string]string{"bin/slipway": fmt.Sprintf(`for i in $(seq %d); do echo "- something is not as it was, é, $i"; done > drift.md; exit 3`, lines)}
		dir, code, summary := play(t, "drift", "drift", "the issue", slipway, "RUN=x")
		whole, err := os.ReadFile(filepath.Join(dir, "drift.md"))
		if err != nil || code != 0 || len(summary) > 1<<20 || !strings.HasSuffix(summary, "\n") {
			t.Errorf("%s: %v, it ends with %d, and the summary has %d bytes", name, err, code, len(summary))
		}
		begin, long := strings.CutPrefix(summary, "Shortened: the whole text is the artifact \"drift\" of this run.\n\n")
		if long != (len(whole) > 1<<20) || !strings.HasPrefix(string(whole), begin) || !long && begin != string(whole) {
			t.Errorf("%s: the summary begins %.200q", name, summary)
		}
	}
}

// TestAnOldRunDeploysNothing, and says what does.
func TestAnOldRunDeploysNothing(t *testing.T) {
	for answer, want := range map[string]struct {
		code int
		says string
	}{
		`{"status": "identical", "commits": []}`: {0, ""},
		`{"status": "behind", "commits": []}`:    {0, ""},
		`{"status": "ahead", "commits": [{"commit": {"message": "x [skip ci]"}}, {"commit": {"message": "y"}}]}`: {0, "its head has a run of its own"},
		`{"status": "ahead"}`: {0, "its head has a run of its own"},
		`{"status": "ahead", "commits": [{"commit": {"message": "x"}}, {"commit": {"message": "y\n\n[skip ci]"}}]}`: {1, "its head asks for no run\nNothing deploys either of them by itself. To deploy the head: `gh workflow run deploy.yml --repo o/r`"},
		`{"status": "diverged", "commits": [{"commit": {"message": "x\n\n\nskip-checks: true"}}]}`:                  {1, "its head asks for no run"},
		`{"status": "ahead", "commits": [{"commit": {"message": "Say what skip-checks: true does"}}]}`:              {0, "its head has a run of its own"},
	} {
		dir, code, summary := play(t, "deploy", "deploy", "is this the head of main?", map[string]string{"path/curl": "cat <<'X'\n" + strings.ReplaceAll(answer, "\n", `\n`) + "\nX\n"},
			"GITHUB_SHA=0123456789abcdef", "GITHUB_API_URL=http://x", "GITHUB_REPOSITORY=o/r", "GITHUB_TOKEN=t")
		_, err := os.Stat(filepath.Join(dir, "outputs"))
		if current := err == nil; code != want.code || current != (want.says == "") || !strings.Contains(summary, want.says) || (summary == "") != current {
			t.Errorf("%s: it ends with %d, goes on: %v, and says %q", answer, code, current, summary)
		}
	}
}
