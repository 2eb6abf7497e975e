package pipeline

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// host runs workflows on this machine, with act in its host mode: the steps are processes beside each other, without a container.
type host struct {
	act, root, dir string
	// env is what every step sees; of this process's own environment it has nothing but what finds and builds programs.
	env  []string
	vars map[string]string
	hub  *hub
	repo *repo
	runs int
}

// Run is one run of a workflow.
type Run struct {
	// Failed and Cancelled say how it ended.
	Failed, Cancelled bool
	// Steps has an end for each step of the workflow that ran, in order.
	Steps []Step
	// Summary is the run's, Log what all steps printed.
	Summary, Log string
	// Kept is the folder of what the run left behind: the artifacts, the role that it took, its environment.
	Kept string
	Took time.Duration
}

// Step is one step of a run.
type Step struct {
	Name, Result string
}

// Environment is what the job had at its end.
func (r *Run) Environment() []string {
	b, err := os.ReadFile(filepath.Join(r.Kept, "environment"))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

// Role is the IAM role that the run took; empty for none.
func (r *Run) Role() string {
	b, _ := os.ReadFile(filepath.Join(r.Kept, "role"))
	return strings.TrimSpace(string(b))
}

func (r *Run) step(name string) string {
	for _, s := range r.Steps {
		if s.Name == name {
			return s.Result
		}
	}
	return ""
}

// newHost builds act, and gives the steps the sandbox in home.
func newHost(ctx context.Context, root, dir, sandbox, home string, r *repo) (*host, error) {
	h := &host{act: filepath.Join(root, ".sandbox", "bin", "act"), root: root, dir: dir, repo: r}
	var missing []string
	for _, tool := range []string{"bash", "curl", "git", "jq", "make", "sed", "tail"} { // which GitHub's runners have
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, tool)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("the workflows' steps run %s, which this machine does not have", strings.Join(missing, ", "))
	}
	if _, err := run(ctx, filepath.Join(root, "tools", "workflows"), nil, "go", "build", "-ldflags", "-s -w", "-o", h.act, "github.com/nektos/act"); err != nil {
		return nil, err
	}
	h.hub = newHub(r.compare)
	h.vars = map[string]string{
		"AWS_REGION": "us-west-2", "PULUMI_BACKEND_URL": "file://" + filepath.Join(home, "state") + "?metadata=skip", "PULUMI_SECRETS_PROVIDER": "passphrase",
	}
	for _, role := range []string{"PREVIEW", "DEPLOY", "DRIFT", "PROMOTE"} {
		h.vars["AWS_"+role+"_ROLE"] = "arn:aws:iam::123456789012:role/slipway-" + strings.ToLower(role)
	}
	goEnv, err := run(ctx, root, nil, "go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GOFLAGS", "GOSUMDB")
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	if err := json.Unmarshal([]byte(goEnv), &known); err != nil {
		return nil, err
	}
	own := filepath.Join(dir, "home")
	if err := os.MkdirAll(own, 0o700); err != nil {
		return nil, err
	}
	known["PATH"], known["HOME"], known["LANG"] = os.Getenv("PATH"), own, "C.UTF-8"
	known["PIPELINE_ORIGIN"], known["PIPELINE_SANDBOX"], known["PIPELINE_HOME"] = r.origin, sandbox, home
	known["PIPELINE_TOOLS"] = filepath.Join(home, "bin")
	for k, v := range known {
		h.env = append(h.env, k+"="+v)
	}
	slices.Sort(h.env)
	return h, nil
}

// order is what starts a workflow.
type order struct {
	// file is the workflow's, job the one job to run where it has several.
	file, job string
	// on is the name of the event, event what it says.
	on    string
	event map[string]any
	// commit is the one that is checked out.
	commit string
	// token is the workflow's, without variables where forked.
	token  string
	forked bool
	// cancelAt is a text in the log at which somebody cancels the run.
	cancelAt string
}

var uses = regexp.MustCompile(`(?m)^\s*-?\s*uses: ([A-Za-z0-9_.-]+/([A-Za-z0-9_.-]+)@\S+)`)

// standIns are act's flags that put the actions of test/pipeline/actions in the place of those of the network.
func (h *host) standIns() ([]string, error) {
	names := map[string]string{"actions": "pulumi"} // pulumi/actions
	var files []string
	for _, pattern := range []string{"workflows/*.yml", "actions/*/action.yml"} {
		found, err := filepath.Glob(filepath.Join(h.repo.clone, ".github", pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	var flags []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		for _, m := range uses.FindAllStringSubmatch(string(b), -1) {
			name := m[2]
			if other, ok := names[name]; ok {
				name = other
			}
			dir := filepath.Join(h.root, "test", "pipeline", "actions", name)
			if _, err := os.Stat(dir); err != nil {
				return nil, fmt.Errorf("%s uses %s, for which there is no stand-in: %w", filepath.Base(f), m[1], err)
			}
			flags = append(flags, "--local-repository", m[1]+"="+dir)
		}
	}
	return flags, nil
}

// run runs a workflow and returns how it went; an error is one of act itself.
func (h *host) run(ctx context.Context, o order) (*Run, error) {
	h.runs++
	r := &Run{Kept: filepath.Join(h.dir, "runs", fmt.Sprintf("%02d-%s", h.runs, strings.TrimSuffix(o.file, ".yml")))}
	if err := os.MkdirAll(r.Kept, 0o700); err != nil {
		return nil, err
	}
	if err := h.repo.git("checkout", "-q", "--detach", o.commit).err; err != nil {
		return nil, err
	}
	event, err := json.Marshal(o.event)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(r.Kept, "event.json")
	if err := os.WriteFile(file, event, 0o600); err != nil {
		return nil, err
	}
	flags, err := h.standIns()
	if err != nil {
		return nil, err
	}
	args := append([]string{
		o.on, "--json", "-W", ".github/workflows/" + o.file, "-e", file, "-P", "ubuntu-latest=-self-hosted", "--no-skip-checkout", "--no-cache-server", "--rm",
		"--action-cache-path", filepath.Join(h.dir, "work"), "--actor", "alice", "-s", "GITHUB_TOKEN=" + o.token,
		"--env", "GITHUB_REPOSITORY=" + repository, "--env", "GITHUB_API_URL=" + h.hub.URL, "--env", fmt.Sprintf("GITHUB_RUN_ID=%d", 7000+h.runs),
	}, flags...)
	if o.job != "" {
		args = append(args, "-j", o.job)
	}
	if !o.forked {
		for k, v := range h.vars {
			args = append(args, "--var", k+"="+v)
		}
	}
	cmd := exec.CommandContext(ctx, h.act, args...)
	cmd.Dir, cmd.Env = h.repo.clone, append(slices.Clone(h.env), "PIPELINE_KEPT="+r.Kept)
	began := time.Now()
	err = h.follow(cmd, r, o.cancelAt)
	r.Took = time.Since(began)
	return r, err
}

// follow reads what act prints, an event a line.
func (h *host) follow(cmd *exec.Cmd, r *Run, cancelAt string) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	kept, err := os.Create(filepath.Join(r.Kept, "act.jsonl"))
	if err != nil {
		return err
	}
	defer kept.Close()
	if err := cmd.Start(); err != nil {
		return err
	}
	var log, summary, other strings.Builder
	ended := false
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		fmt.Fprintln(kept, lines.Text())
		var e struct {
			Msg, Stage, Step, StepResult, Command, Content, JobResult string
			RawOutput                                                 bool     `json:"raw_output"`
			StepID                                                    []string `json:"stepID"`
		}
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(&other, lines.Text())
			continue
		}
		switch {
		case e.RawOutput:
			log.WriteString(e.Msg)
			if cancelAt != "" && strings.Contains(e.Msg, cancelAt) {
				cancelAt, r.Cancelled = "", true
				if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
					return err
				}
			}
		case e.Command == "summary" && len(e.StepID) == 1:
			summary.WriteString(e.Content)
		case e.StepResult != "" && e.Stage == "Main" && len(e.StepID) == 1:
			r.Steps = append(r.Steps, Step{e.Step, e.StepResult})
		case e.JobResult != "":
			ended, r.Failed = true, e.JobResult != "success"
		}
	}
	err = cmd.Wait()
	r.Log, r.Summary = log.String(), summary.String()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || !ended {
		return fmt.Errorf("act did not run %s: %w\n%s", filepath.Base(r.Kept), errors.Join(err, lines.Err()), other.String())
	}
	return lines.Err()
}
