// Package pipeline plays the daily use of this library on one machine: the workflows of .github, run step by step against the sandbox, on
// the way of some changes from a pull request to production. `make pipeline` shows it; TestPipeline holds it.
//
// The steps are those of the workflows' files, run by act (github.com/nektos/act) as processes of this machine. What they reach on the
// network is played: actions by those in actions/, which say what they stand for; GitHub's API by a server in this process; AWS and
// Kubernetes by the sandbox. What only GitHub decides is not shown: who may approve, which token has which permission, what waits for what.
package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Stage is where the story plays.
type Stage struct {
	// Root is the working tree whose workflows are run.
	Root string
	// Sandbox is the sandbox's command, Dir an empty folder for everything that comes about.
	Sandbox, Dir string
}

// Teller hears how the story goes on.
type Teller interface {
	// Act begins a part of the story.
	Act(title string)
	// Say is one thing that happens.
	Say(line string)
	// Show is a text as a person would see it, under a title.
	Show(title, text string)
	// Point is one thing that the story shows; problem is empty where it is so.
	Point(name, problem string)
}

// Tell plays the whole story. The error is one of the stage: points that do not hold are the teller's.
func Tell(ctx context.Context, stage Stage, t Teller) (err error) {
	s := &story{Teller: t, ctx: ctx, stage: stage, home: filepath.Join(stage.Dir, ".sandbox")}
	shared := filepath.Join(stage.Root, ".sandbox", "bin")
	if err := errors.Join(os.MkdirAll(s.home, 0o700), os.MkdirAll(shared, 0o700)); err != nil {
		return err
	}
	if err := os.Symlink(shared, filepath.Join(s.home, "bin")); err != nil {
		return err
	}
	if s.repo, err = newRepo(ctx, stage.Root, stage.Dir); err != nil {
		return err
	}
	if s.host, err = newHost(ctx, stage.Root, stage.Dir, stage.Sandbox, s.home, s.repo); err != nil {
		return err
	}
	defer s.host.hub.Close()
	defer func() {
		s.ctx = context.WithoutCancel(ctx)
		_, stopped := s.sandbox("stop")
		err = errors.Join(err, stopped)
	}()
	if err := s.prepare(); err != nil {
		return err
	}
	for _, act := range []func() error{s.firstDeploy, s.release, s.replacement, s.drift, s.failure, s.cancelled, s.fork} {
		if err := act(); err != nil {
			return err
		}
	}
	s.point("every request to GitHub is one that it knows", strings.Join(s.host.hub.unknown, "\n"))
	return nil
}

// prepare starts the sandbox, and does the operator's part: a stack in the state's backend.
func (s *story) prepare() error {
	for _, args := range [][]string{{"start"}, {"pulumi", "-C", s.repo.clone, "stack", "init", "prod"}, {"kubectl", "get", "namespaces"}} {
		if _, err := s.sandbox(args...); err != nil {
			return err
		}
	}
	// The tools are built now, where all sandboxes share them. The programs that the runs build go with the story: each is in another folder.
	bin := filepath.Join(s.home, "bin")
	shared, err := os.ReadDir(bin)
	if err != nil {
		return err
	}
	if err := errors.Join(os.Remove(bin), os.Mkdir(bin, 0o700)); err != nil {
		return err
	}
	for _, tool := range shared {
		if tool.IsDir() {
			continue
		}
		if err := os.Symlink(filepath.Join(s.stage.Root, ".sandbox", "bin", tool.Name()), filepath.Join(bin, tool.Name())); err != nil {
			return err
		}
	}
	return nil
}

type story struct {
	Teller
	ctx   context.Context
	stage Stage
	home  string
	repo  *repo
	host  *host
}

func (s *story) point(name, problem string) { s.Point(name, strings.TrimSpace(problem)) }

// expect is a point that holds where ok does.
func (s *story) expect(ok bool, name, format string, args ...any) {
	problem := ""
	if !ok {
		problem = "it is not so: " + fmt.Sprintf(format, args...)
	}
	s.point(name, problem)
}

// lacks is what a text should have and has not.
func lacks(text string, want ...string) string {
	var problems []string
	for _, w := range want {
		if !strings.Contains(text, w) {
			problems = append(problems, fmt.Sprintf("it lacks %q", w))
		}
	}
	if len(problems) == 0 {
		return ""
	}
	return strings.Join(problems, "\n") + "\n" + text
}

func (s *story) sandbox(args ...string) (string, error) {
	return run(s.ctx, s.repo.clone, []string{"SLIPWAY_SANDBOX=" + s.home}, s.stage.Sandbox, args...)
}

// answer reads what the sandbox prints as JSON.
func (s *story) answer(into any, args ...string) error {
	out, err := s.sandbox(args...)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(out), into)
}

// workflow runs one and says how it went.
func (s *story) workflow(o order) (*Run, error) {
	if o.token == "" {
		o.token = writing
	}
	r, err := s.host.run(s.ctx, o)
	if err != nil {
		return nil, err
	}
	ended := "succeeded"
	switch {
	case r.Cancelled:
		ended = "was cancelled"
	case r.Failed:
		ended = "failed"
	}
	s.Say(fmt.Sprintf("%s on %s of %.8s %s after %s; the run's log is %s", o.file, o.on, o.commit, ended, r.Took.Round(time.Second), r.Kept))
	return r, nil
}

// deploy is what GitHub starts when main has a new commit.
func (s *story) deploy(commit string) (*Run, error) { return s.workflow(deployOf(commit)) }

func deployOf(commit string) order {
	o := order{file: "deploy.yml", on: "push", commit: commit, event: dispatched(nil)}
	o.event["after"] = commit
	return o
}

// dispatched is the event of somebody who starts a workflow on main by hand.
func dispatched(inputs map[string]any) map[string]any {
	return map[string]any{"ref": "refs/heads/main", "inputs": inputs, "repository": map[string]any{"full_name": repository, "default_branch": "main"}}
}

// propose is what GitHub starts for a pull request, by a label too.
func (s *story) propose(number int, branch string, labels ...string) (*Run, error) {
	return s.pullRequest(number, branch, repository, labels...)
}

func (s *story) pullRequest(number int, branch, from string, labels ...string) (*Run, error) {
	commit, err := s.repo.proposed(branch, number)
	if err != nil {
		return nil, err
	}
	o := order{file: "pull-request.yml", job: "review", on: "pull_request", commit: commit}
	if from != repository {
		o.job, o.token, o.forked = "sandbox", reading, true
	}
	all := []any{}
	for _, l := range labels {
		all = append(all, map[string]any{"name": l})
	}
	o.event = map[string]any{
		"action": "synchronize", "number": number, "repository": map[string]any{"full_name": repository, "default_branch": "main"},
		"pull_request": map[string]any{
			"number": number, "labels": all, "head": map[string]any{"ref": branch, "repo": map[string]any{"full_name": from}}, "base": map[string]any{"ref": "main"},
		},
	}
	return s.workflow(o)
}

// comments are those of a pull request.
func (s *story) comments(number int) []*Post { return s.host.hub.comments[number] }

// serving are the images of the ready pods of an app, and how many pods are not ready or leave.
func (s *story) serving(app string) (images []string, others int, err error) {
	var pods struct {
		Items []struct {
			Metadata struct{ DeletionTimestamp string }
			Spec     struct{ Containers []struct{ Image string } }
			Status   struct {
				Conditions []struct{ Type, Status string }
			}
		}
	}
	if err := s.answer(&pods, "kubectl", "get", "pods", "-n", "example", "-l", "app.kubernetes.io/name="+app, "-o", "json"); err != nil {
		return nil, 0, err
	}
	for _, p := range pods.Items {
		ready := slices.ContainsFunc(p.Status.Conditions, func(c struct{ Type, Status string }) bool { return c.Type == "Ready" && c.Status == "True" })
		if p.Metadata.DeletionTimestamp != "" || !ready {
			others++
			continue
		}
		images = append(images, p.Spec.Containers[0].Image)
	}
	return images, others, nil
}

// serves waits until all pods of an app are ready and of one image; the problem is what is there at last.
func (s *story) serves(app, image string) (string, error) {
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) { // between two looks at the cluster
		images, others, err := s.serving(app)
		if err != nil {
			return "", err
		}
		if others == 0 && len(images) >= 2 && !slices.ContainsFunc(images, func(i string) bool { return !strings.HasSuffix(i, image) }) {
			return "", nil
		}
		if time.Now().After(deadline) {
			return fmt.Sprintf("the ready pods have %q, %d others are there, want 2 at least, all with %s", images, others, image), nil
		}
	}
}
