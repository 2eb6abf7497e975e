package pipeline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func (s *story) firstDeploy() error {
	s.Act("main is deployed for the first time")
	main, err := s.repo.head("main")
	if err != nil {
		return err
	}
	r, err := s.deploy(main)
	if err != nil {
		return err
	}
	s.Show("the run's summary", r.Summary)
	s.expect(!r.Failed, "the first deploy comes up", "%s\n%s", r.Log, r.Summary)
	s.point("its summary has the site and the schedule", lacks(r.Summary, "## Deployed: `slipway/prod`", "`https://www.example.com/`", "weekends-down"))
	s.expect(strings.HasSuffix(r.Role(), "/slipway-deploy"), "it takes the role for deploys", "it took %q", r.Role())
	return nil
}

func (s *story) release() error {
	s.Act("an image is promoted, reviewed, merged, and rolls out")
	promoted, r, err := s.promote()
	if err != nil {
		return err
	}
	s.Show("the run's summary", r.Summary)
	s.expect(!r.Failed && len(s.host.hub.pulls) == 1, "promote opens a pull request", "failed: %v, pull requests: %d\n%s", r.Failed, len(s.host.hub.pulls), r.Log)
	s.expect(strings.HasSuffix(r.Role(), "/slipway-promote"), "it takes the role for promotions", "it took %q", r.Role())
	if len(s.host.hub.pulls) != 1 {
		return errors.New("there is no pull request to go on with")
	}
	pull := s.host.hub.pulls[0]
	s.Show("the pull request", "# "+pull.Title+"\n\n"+pull.Body)
	if err := s.repo.git("fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*").err; err != nil {
		return err
	}
	diff, err := run(s.ctx, s.repo.clone, nil, "git", "diff", "--unified=0", "main", "origin/"+pull.Head)
	if err != nil {
		return err
	}
	added, removed := strings.Count(diff, "\n+")-strings.Count(diff, "\n+++"), strings.Count(diff, "\n-")-strings.Count(diff, "\n---")
	s.expect(added == 1 && removed == 1 && strings.Contains(diff, "\n+    frontend: "+promoted+"\n"), "which changes one line, to the digest that was promoted", "%s", diff)

	r, err = s.propose(pull.Number, pull.Head)
	if err != nil {
		return err
	}
	comments := s.comments(pull.Number)
	s.expect(!r.Failed && len(comments) == 1, "its review is one comment, and lets it pass", "failed: %v, comments: %d\n%s", r.Failed, len(comments), r.Log)
	if len(comments) == 1 {
		s.Show("the comment", comments[0].Body)
		s.point("which says that the release is one line, from old to new", lacks(comments[0].Body, "Nothing is replaced or deleted.", "image of `frontend`: `1.0.0` → `"+promoted+"`", "2 images stay as they are"))
	}
	s.expect(strings.HasSuffix(r.Role(), "/slipway-preview"), "it takes the role that may only read", "it took %q", r.Role())
	s.point("the whole text and the picture of the week are kept", s.keeps(r, "review.md", "week.svg"))

	old, err := s.repo.head("main")
	if err != nil {
		return err
	}
	main, err := s.repo.merge(pull.Head)
	if err != nil {
		return err
	}
	if r, err = s.deploy(main); err != nil {
		return err
	}
	s.Show("the run's summary", r.Summary)
	s.expect(!r.Failed, "the merge is deployed", "%s\n%s", r.Log, r.Summary)
	s.point("and the summary says what was released", lacks(r.Summary, "image of `frontend`: `1.0.0` → `"+promoted+"`"))
	problem, err := s.serves("frontend", "/frontend@"+promoted)
	if err != nil {
		return err
	}
	s.point("the pods roll: all that are ready have the new image", problem)
	if r, err = s.deploy(old); err != nil {
		return err
	}
	s.expect(!r.Failed && r.step("pulumi up") == "", "an old run that is started again does not take production back", "failed: %v, steps: %v", r.Failed, r.Steps)
	s.point("and says why", lacks(r.Summary, "## Not deployed: main has moved on"))
	return nil
}

func (s *story) keeps(r *Run, names ...string) string {
	var problems []string
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(r.Kept, "review", name)); err != nil || info.Size() == 0 {
			problems = append(problems, name+" is not there, or empty")
		}
	}
	return strings.Join(problems, "\n")
}

func (s *story) replacement() error {
	s.Act("a change that would replace the nodes is refused, until somebody names them")
	if err := s.repo.change("bigger", "Take bigger nodes", "instanceTypes: [m5.large]", "instanceTypes: [m5.xlarge]"); err != nil {
		return err
	}
	r, err := s.propose(2, "bigger")
	if err != nil {
		return err
	}
	comments := s.comments(2)
	if len(comments) != 1 {
		return fmt.Errorf("%d comments\n%s", len(comments), r.Log)
	}
	s.Show("the comment", comments[0].Body)
	s.expect(r.Failed && r.step("review") == "failure", "the review refuses a new instance type", "failed: %v, steps: %v", r.Failed, r.Steps)
	s.point("and says why, and how to allow it", lacks(comments[0].Body, "**Refused:**", "slipway-allow:"))
	name := allowed(comments[0].Body)
	if r, err = s.propose(2, "bigger", "size/s", name); err != nil {
		return err
	}
	s.expect(!r.Failed, "with the label "+name+" it passes", "%s", r.Log)
	comments = s.comments(2)
	s.expect(len(comments) == 1, "in the same comment", "%d comments", len(comments))
	s.point("which says that it is allowed", lacks(comments[0].Body, "allowed by name"))
	return nil
}

// allowed is the label that a refusal names.
func allowed(body string) string {
	_, rest, _ := strings.Cut(body, "slipway-allow:")
	end := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_.", r) })
	return "slipway-allow:" + rest[:max(end, 0)]
}

func (s *story) failure() error {
	s.Act("a deploy fails half-way, says what to do, and goes through when run again")
	if err := s.repo.change("earlier", "Begin the night earlier", `nightsFrom: "20:00"`, `nightsFrom: "19:30"`, `users_server: "1.0.0"`, `users_server: "1.1.0"`); err != nil {
		return err
	}
	main, err := s.repo.merge("earlier")
	if err != nil {
		return err
	}
	if _, err := s.sandbox("fault", "aws:autoscaling/schedule:Schedule", "create", "1", "Throttling"); err != nil {
		return err
	}
	r, err := s.deploy(main)
	if err != nil {
		return err
	}
	s.Show("the run's summary", r.Summary)
	s.expect(r.Failed, "the deploy fails", "it succeeded")
	s.point("its summary has what failed and why, what is half done, what serves, and the command",
		lacks(r.Summary, "## Deploy failed", "**1 change failed**; ", "Throttling", "### Half done\n\nNothing", "### What serves now", "gh run rerun 70"))
	if r, err = s.deploy(main); err != nil {
		return err
	}
	s.expect(!r.Failed, "run again, it goes through", "%s\n%s", r.Log, r.Summary)
	problem, err := s.serves("users-backend", "/users_server:1.1.0")
	s.point("and the pods have the new image", problem)
	return err
}

func (s *story) cancelled() error {
	s.Act("a deploy is cancelled while pods roll: the CLI ends what it has begun")
	if err := s.repo.change("cancel", "Release thoughts", `thoughts_server: "1.0.0"`, `thoughts_server: "1.1.0"`); err != nil {
		return err
	}
	main, err := s.repo.merge("cancel")
	if err != nil {
		return err
	}
	o := deployOf(main)
	o.cancelAt = "thoughts-backend-deployment updating"
	r, err := s.workflow(o)
	if err != nil {
		return err
	}
	s.Show("the run's summary", r.Summary)
	s.expect(r.Cancelled && r.step("let the CLI wind down") == "success", "the CLI winds down", "cancelled: %v, steps: %v\n%s", r.Cancelled, r.Steps, r.Log)
	s.point("nothing is half done, and the summary says so", lacks(r.Summary, "## Deploy cancelled", "1 change carried out, and stays", "### Half done\n\nNothing"))
	state, err := s.sandbox("pulumi", "-C", s.repo.clone, "stack", "export", "--stack", "prod")
	if err != nil {
		return err
	}
	s.expect(!strings.Contains(state, `"pending_operations"`), "the state has no operation without an end", "%s", state)
	if r, err = s.deploy(main); err != nil {
		return err
	}
	s.expect(!r.Failed, "the next deploy goes through", "%s\n%s", r.Log, r.Summary)
	problem, err := s.serves("thoughts-backend", "/thoughts_server:1.1.0")
	s.point("and the pods have the new image after it", problem)
	return err
}

func (s *story) drift() error {
	s.Act("what somebody changed by hand is found, named in one issue, and put back")
	main, err := s.repo.head("main")
	if err != nil {
		return err
	}
	look := order{file: "drift.yml", on: "schedule", commit: main, event: dispatched(nil)}
	if _, err := s.workflow(look); err != nil {
		return err
	}
	s.expect(len(s.host.hub.issues) == 0, "where nothing drifted there is no issue", "%d issues", len(s.host.hub.issues))
	s.host.hub.deploy = "in_progress"
	r, err := s.workflow(look)
	if err != nil {
		return err
	}
	s.host.hub.deploy = "completed"
	s.point("while a deploy runs it does not look", lacks(r.Summary, "## Not looked: a deploy is under way"))
	group, err := s.nodeGroup()
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"kubectl", "scale", "deployment", "-n", "example", "-l", "app.kubernetes.io/name=users-backend", "--replicas", "3"},
		{"aws", "eks", "update-nodegroup-config", "--cluster-name", "slipway-prod-cluster", "--nodegroup-name", group, "--labels", "addOrUpdateLabels={team=night}"},
	} {
		s.Say("somebody runs `" + strings.Join(args, " ") + "`")
		if _, err := s.sandbox(args...); err != nil {
			return err
		}
	}
	if r, err = s.workflow(look); err != nil {
		return err
	}
	s.expect(strings.HasSuffix(r.Role(), "/slipway-drift"), "it takes the role that looks", "it took %q", r.Role())
	issues := s.host.hub.issues
	if len(issues) != 1 {
		return fmt.Errorf("%d issues\n%s", len(issues), r.Log)
	}
	s.Show("the issue", "# "+issues[0].Title+"\n\n"+issues[0].Body)
	s.expect(!r.Failed, "the run that finds drift is no failure: the issue is what tells", "%s", r.Log)
	s.point("the issue names the Deployment and the node group", lacks(issues[0].Body, "`users-backend-deployment`", "`cluster-main`", "team"))
	if _, err := s.workflow(look); err != nil {
		return err
	}
	s.expect(len(s.host.hub.issues) == 1 && len(s.comments(issues[0].Number)) == 0, "looked again it is the same issue, without another word", "%d issues, %d comments", len(s.host.hub.issues), len(s.comments(issues[0].Number)))
	put := deployOf(main)
	put.on, put.event = "workflow_dispatch", dispatched(map[string]any{"refresh": "true"})
	if r, err = s.workflow(put); err != nil {
		return err
	}
	images, others, err := s.serving("users-backend")
	if err != nil {
		return err
	}
	s.expect(!r.Failed && len(images) == 2, "a deploy with refresh puts it back", "pods: %q and %d others\n%s\n%s", images, others, r.Log, r.Summary)
	if _, err := s.workflow(look); err != nil {
		return err
	}
	s.expect(len(s.host.hub.issues) == 1 && issues[0].State == "closed", "and the next look closes the issue", "%d issues, the first is %s", len(s.host.hub.issues), issues[0].State)
	return nil
}

// nodeGroup is the name of the one node group.
func (s *story) nodeGroup() (string, error) {
	var state struct {
		Deployment struct {
			Resources []struct{ Type, ID string }
		}
	}
	if err := s.answer(&state, "pulumi", "-C", s.repo.clone, "stack", "export", "--stack", "prod"); err != nil {
		return "", err
	}
	for _, r := range state.Deployment.Resources {
		if r.Type == "aws:eks/nodeGroup:NodeGroup" {
			_, name, _ := strings.Cut(r.ID, ":")
			return name, nil
		}
	}
	return "", errors.New("the stack has no node group")
}

func (s *story) fork() error {
	s.Act("a fork's pull request is previewed without any credentials")
	if err := s.repo.change("fork", "Scale further", "maxReplicas: 8", "maxReplicas: 10"); err != nil {
		return err
	}
	before := s.host.hub.changes
	r, err := s.pullRequest(3, "fork", "mallory/slipway")
	if err != nil {
		return err
	}
	s.Show("the run's summary", r.Summary)
	s.expect(!r.Failed, "it is previewed on a sandbox of its own", "%s\n%s", r.Log, r.Summary)
	s.point("the review is in the run's summary", lacks(r.Summary, "On the sandbox, without an account", "## Slipway review: `slipway/prod`", "Nothing is replaced or deleted"))
	s.expect(s.host.hub.changes == before && len(s.comments(3)) == 0, "it writes nothing to GitHub", "%d requests changed something", s.host.hub.changes-before)
	env := r.Environment()
	var leaked []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "PULUMI_") || strings.Contains(name, "TOKEN") || strings.Contains(name, "SECRET") || strings.Contains(kv, reading) || strings.Contains(kv, writing) {
			leaked = append(leaked, name)
		}
	}
	s.expect(len(env) > 0 && len(leaked) == 0 && r.Role() == "", "no credentials are in its environment, and it takes no role", "%d variables, of which %v; the role %q", len(env), leaked, r.Role())
	return nil
}
