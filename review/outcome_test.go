package review

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const (
	inStack    = "urn:pulumi:prod::shop::"
	deployment = inStack + "slipway:index:AppDeployment$kubernetes:apps/v1:Deployment::api-deployment"
	action     = inStack + "slipway:index:NodeScalingSchedule$aws:autoscaling/schedule:Schedule::week-nights-down"
	fleet      = inStack + "aws:autoscaling/group:Group::fleet"
)

// tape writes the events of an update, as `pulumi up --event-log` does.
type tape struct {
	b strings.Builder
	n int
}

func (e *tape) add(kind string, v any) *tape {
	e.n++
	b, err := json.Marshal(map[string]any{"sequence": e.n, "timestamp": 1, kind: v})
	if err != nil {
		panic(err)
	}
	e.b.Write(append(b, '\n'))
	return e
}

// step is one that began, and ended as end says: resOutputsEvent, resOpFailedEvent, or "" for not at all.
func (e *tape) step(op, urn, end string, old, new map[string]any) *tape {
	side := func(inputs map[string]any) any {
		if inputs == nil {
			return nil
		}
		return map[string]any{"urn": urn, "custom": true, "id": "x", "inputs": inputs}
	}
	m := map[string]any{"metadata": map[string]any{"op": op, "urn": urn, "old": side(old), "new": side(new)}}
	e.add("resourcePreEvent", m)
	if end != "" {
		e.add(end, m)
	}
	return e
}

func (e *tape) said(urn, message string) *tape {
	return e.add("diagnosticEvent", map[string]any{"urn": urn, "prefix": "error: ", "message": message + "\n", "severity": "error"})
}

func (e *tape) end(result string) string {
	e.add("summaryEvent", map[string]any{"result": result, "resourceChanges": map[string]int{"same": 3}})
	return e.b.String()
}

// runsImage is a Deployment's inputs.
func runsImage(image string, unavailable any) map[string]any {
	return map[string]any{"spec": map[string]any{
		"strategy": map[string]any{"rollingUpdate": map[string]any{"maxUnavailable": unavailable}},
		"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "app", "image": image}}}},
	}}
}

func stateWith(pending ...map[string]any) string {
	b, err := json.Marshal(map[string]any{"version": 3, "deployment": map[string]any{
		"pending_operations": pending,
		"resources":          []any{map[string]any{"urn": inStack + "pulumi:pulumi:Stack::shop-prod", "outputs": map[string]any{"site": "https://shop.example/", "schedule": []string{"Mon 06:30"}}}},
	}})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestOutcomes(t *testing.T) {
	const done, failed = "resOutputsEvent", "resOpFailedEvent"
	rolls := func(end string, unavailable any) *tape {
		return new(tape).step("update", deployment, end, runsImage("shop/api:1", unavailable), runsImage("shop/api:2", unavailable))
	}
	half := map[string]any{"type": "creating", "resource": map[string]any{"urn": fleet}}
	updating := map[string]any{"type": "updating", "resource": map[string]any{"urn": action, "id": "night|fleet"}}
	for _, c := range []struct {
		name, events, state, log string
		code                     int
		has, hasNot              []string
	}{
		{
			name: "all is done", events: rolls(done, 0).end("succeeded"), state: stateWith(),
			has:    []string{"## Deployed: `shop/prod`\n\n1 change carried out.", "image of `api-deployment app`: `1` → `2`, in `shop/api`", "- `site`: `https://shop.example/`", "- `schedule`\n  - `Mon 06:30`"},
			hasNot: []string{"What to do", "Half done"},
		},
		{name: "nothing to do", events: new(tape).step("same", deployment, done, runsImage("a", 0), runsImage("a", 0)).end("succeeded"), state: stateWith(), has: []string{"Nothing had to change."}},
		{
			name: "a rollout that does not end", events: rolls(failed, 0).said(deployment, "the Deployment stands still").said("", "update failed").end("failed"), state: stateWith(), code: Failed,
			has: []string{
				"## Deploy failed: `shop/prod`\n\n**1 change failed**. What comes after did not begin.", "- `api-deployment`, `kubernetes:apps/v1:Deployment`, update\n\n```text\nthe Deployment stands still\n```",
				"- `api-deployment`: **the pods from before go on serving**, `shop/api:1`.", "Half done\n\nNothing:", "```text\ngh run rerun 5\n```", "```text\ngit revert abc\n```",
			},
			hasNot: []string{"\nupdate failed\n"},
		},
		{name: "a rollout that takes pods away", events: rolls(failed, "25%").end("failed"), state: stateWith(), code: Failed, has: []string{"pods from before, `shop/api:1`, but up to `25%` of them may be gone"}, hasNot: []string{"go on serving**"}},
		{
			name: "a rollout that was done before another failed", events: rolls(done, 0).step("create", fleet, failed, nil, map[string]any{}).said(fleet, "InsufficientInstanceCapacity").end("failed"), state: stateWith(), code: Failed,
			has: []string{"**1 change failed**; 1 change carried out, and stays. What", "- `api-deployment`: what this run rolled out, `shop/api:2`."},
		},
		{name: "a new app", events: new(tape).step("create", deployment, failed, nil, runsImage("shop/api:1", 0)).end("failed"), state: stateWith(), code: Failed, has: []string{"it was not there before, and its pods are not ready"}},
		{name: "an app that goes", events: new(tape).step("delete", deployment, done, runsImage("shop/api:1", 0), nil).step("create", fleet, failed, nil, map[string]any{}).end("failed"), state: stateWith(), code: Failed, has: []string{"`api-deployment`: it is deleted"}},
		{
			name: "deleted to be made anew, and the connection breaks", events: new(tape).step("delete-replaced", action, done, map[string]any{}, nil).
				step("create-replacement", action, failed, map[string]any{}, map[string]any{}).said(action, "error reading from server: EOF").end("failed"), state: stateWith(), code: Failed,
			has: []string{"create anew", "**The old one is deleted already, and the new one is not there.**", "it may have taken effect all the same", "No Deployment was touched: **all pods go on serving as they were**", "- delete the old one `week-nights-down`"},
		},
		{name: "made anew before the old one goes", events: new(tape).step("create-replacement", action, failed, map[string]any{}, map[string]any{}).said(action, "Throttling").end("failed"), state: stateWith(), code: Failed, hasNot: []string{"deleted already", "taken effect"}},
		{
			name: "a field that somebody wrote by hand", events: rolls(failed, 0).said(deployment, `Server-Side Apply field conflict detected: conflict with "kubectl"`).end("failed"), state: stateWith(), code: Failed,
			has: []string{"```text\ngh workflow run deploy.yml -f refresh=true\n```"}, hasNot: []string{"git revert", "gh run rerun"},
		},
		{
			name: "cancelled", events: rolls(done, 0).said("", "update canceled").end("failed"), state: stateWith(), code: Failed,
			has: []string{"## Deploy cancelled: `shop/prod`\n\n1 change carried out, and stays.", "update canceled"},
		},
		{
			name: "killed", events: rolls("", 0).step("create", fleet, "", nil, map[string]any{}).b.String(), state: stateWith(half, updating), code: Failed,
			has:    []string{"**2 changes had begun and did not end**", "- `creating` `fleet`, `aws:autoscaling/group`\n", "- `updating` `week-nights-down`, `aws:autoscaling/schedule`, <code>night&#124;fleet</code>", "pulumi refresh --clear-pending-creates --stack prod\ngh run rerun 5", "1. Look into the account"},
			hasNot: []string{"git revert"},
		},
		{
			name: "a state that cannot be read", events: rolls(failed, 0).end("failed"), code: Failed,
			has: []string{"The stack's state could not be read, so it is not known. Look with `pulumi stack export --stack prod`"},
		},
		{
			name: "locked", log: "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.\n  s3://x/lock.json: created by ci@runner (pid 7)", code: Failed,
			has: []string{"## Deploy failed: `shop/prod`\n\n**Nothing is changed:**", "Make sure that nobody works on it", "pulumi cancel --stack prod\ngh run rerun 5", "created by ci@runner (pid 7)"},
		},
		{name: "no such stack", log: "error: no stack named 'prod' found", code: Failed, has: []string{"Is `PULUMI_BACKEND_URL` the right one?", "pulumi stack init prod --secrets-provider"}},
		{name: "a mistake in the configuration", events: new(tape).said(inStack+"pulumi:pulumi:Stack::shop-prod", "slipway:schedule.nightNodes is 9").end("failed"), state: stateWith(), code: Failed, has: []string{"**Nothing is changed:**", "slipway:schedule.nightNodes is 9"}},
		{name: "it never ran", code: Failed, has: []string{"**Nothing is changed:** the run ended before its first change."}},
		{
			name: "what comes from the run formats nothing", events: new(tape).step("create", inStack+"a:b/c:D::@team `x` |", failed, nil, map[string]any{}).said(inStack+"a:b/c:D::@team `x` |", "see ``` and <img>").end("failed"), state: stateWith(), code: Failed,
			has: []string{"<code>&#64;team &#96;x&#96; &#124;</code>", "````text\nsee ``` and <img>\n````"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := ReadOutcome(strings.NewReader(c.events), strings.NewReader(c.state))
			if err != nil {
				t.Fatal(err)
			}
			r := o.Report(OutcomeOptions{Stack: "shop/prod", Log: c.log, Commit: "abc", Rerun: "gh run rerun 5", PutBack: "gh workflow run deploy.yml -f refresh=true"})
			if r.Code != c.code || (c.code == Fine) != (len(r.Problems) == 0) {
				t.Errorf("the code is %d, want %d; problems %q", r.Code, c.code, r.Problems)
			}
			for _, want := range c.has {
				if !strings.Contains(r.Markdown, want) {
					t.Errorf("it lacks %q:\n%s", want, r.Markdown)
				}
			}
			for _, bad := range c.hasNot {
				if strings.Contains(r.Markdown, bad) {
					t.Errorf("it has %q:\n%s", bad, r.Markdown)
				}
			}
		})
	}
}

// TestOutcomeShowsNoSecrets: neither in what failed nor among the outputs.
func TestOutcomeShowsNoSecrets(t *testing.T) {
	secret := map[string]any{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "AAAA"}
	events := new(tape).step("update", deployment, "resOpFailedEvent", map[string]any{"password": secret}, map[string]any{"password": "hunter22"}).said(deployment, "hunter22 is wrong").end("failed")
	state := strings.Replace(stateWith(), `"https://shop.example/"`, `{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "AAAA"}`, 1)
	o, err := ReadOutcome(strings.NewReader(events), strings.NewReader(state))
	if err != nil {
		t.Fatal(err)
	}
	r := o.Report(OutcomeOptions{})
	if all := r.Markdown + fmt.Sprint(r.Problems); strings.Contains(all, "hunter22") || strings.Contains(all, "AAAA") {
		t.Errorf("it shows a secret:\n%s", all)
	}
}

func TestOutcomeThatCannotBeRead(t *testing.T) {
	broken := iotest.ErrReader(errors.New("the disk is gone"))
	for _, c := range []struct{ events, state io.Reader }{{broken, strings.NewReader("")}, {strings.NewReader(""), broken}} {
		if _, err := ReadOutcome(c.events, c.state); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
			t.Errorf("it ended with %v", err)
		}
	}
}
