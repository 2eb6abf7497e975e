package review

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// refreshed is what a refresh prints as a document: the stack itself, and steps.
func refreshed(t testing.TB, steps ...object) string {
	t.Helper()
	stack := object{"op": "refresh", "urn": urnOf(stackType, "shop-prod"), "oldState": object{"type": stackType}, "newState": object{"type": stackType}}
	return printed(t, append([]object{stack}, steps...)...)
}

func driftOf(t testing.TB, o DriftOptions, steps ...object) DriftReport {
	t.Helper()
	return Drift(readPreview(t, refreshed(t, steps...)), o)
}

// changed is the step of a resource with what its provider says differs.
func changed(token, name string, set, found object, differs ...string) object {
	s := step("update", token, name, set, found, object{"id": name + "-1", "outputs": object{}})
	diff := object{}
	for _, d := range differs {
		path, kind, _ := strings.Cut(d, " ")
		if kind == "" {
			kind = "update"
		}
		diff[path] = object{"kind": kind}
	}
	s["detailedDiff"] = diff
	return s
}

func with(s object, side string, more object) object {
	maps.Copy(s[side].(object), more)
	return s
}

// TestDriftOfTheStack holds the report of a real refresh to its files: the one that test/drift_test.go has caused.
func TestDriftOfTheStack(t *testing.T) {
	r := Drift(readPreview(t, taken(t, "drift")), DriftOptions{})
	if r.Code != Drifted || r.Title != "Drift: slipway/prod" || !strings.HasPrefix(r.Issue, "<!-- slipway drift: slipway/prod -->\n<!-- found: ") {
		t.Errorf("the exit code is %d, the issue %q begins\n%.200s", r.Code, r.Title, r.Issue)
	}
	for name, got := range map[string]string{"drift.md": r.Markdown, "drift.txt": r.Text} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is\n%s\nwant\n%s", file, got, want)
		}
	}
	if again := Drift(readPreview(t, taken(t, "drift")), DriftOptions{}); again.Issue != r.Issue || again.Text != r.Text || again.Markdown != r.Markdown {
		t.Error("a second time it says something else")
	}
}

// TestWhatIsNoDrift: what nobody sets back is none, and says so where it is worth a look.
func TestWhatIsNoDrift(t *testing.T) {
	const group, lt, action = "aws:eks/nodeGroup:NodeGroup", "aws:ec2/launchTemplate:LaunchTemplate", "aws:autoscaling/schedule:Schedule"
	sizes := func(n int) object { return object{"scalingConfig": object{"desiredSize": n}} }
	for name, c := range map[string]struct {
		steps []object
		says  []string
	}{
		"nothing differs": {
			[]object{step("refresh", lt, "main", object{"a": 1}, object{"a": 1})},
			[]string{"no drift: 1 resource of the cloud looked at", "not No drift, since"},
		},
		"status and what is computed": {
			[]object{with(with(step("refresh", lt, "main", object{"a": 1}, object{"a": 1}), "oldState", object{"outputs": object{"status": "x"}}), "newState", object{"outputs": object{"status": "y"}})},
			[]string{"no drift: ", "not No drift, since"},
		},
		"a size that the stack ignores, though its provider names it": {
			[]object{with(changed(group, "main", sizes(3), sizes(5), "scalingConfig.desiredSize"), "oldState", object{"ignoreChanges": []string{"scalingConfig"}})},
			[]string{"no drift: ", "No drift, since the stack leaves it as it is:", "scalingConfig.desiredSize: 3 → 5", "not set back"},
		},
		"a resource that the stack only reads": {
			[]object{with(changed(lt, "main", object{"a": 1}, object{"a": 2}, "a"), "oldState", object{"external": true})},
			[]string{"no drift: "},
		},
		"scheduled actions that have run for the last time": {
			[]object{
				step("delete", action, "week-sale", object{"startTime": "2001-11-23T08:00:00Z", "desiredCapacity": 5}, nil),
				step("delete", action, "week-summer", object{"recurrence": "0 9 * * 1", "endTime": "2001-09-01T00:00:00Z"}, nil),
			},
			[]string{"no drift: 2 resources of the cloud looked at"},
		},
		"what was on its way out, and is gone": {
			[]object{with(step("delete", lt, "main", object{"a": 1}, nil), "oldState", object{"delete": true})},
			[]string{"no drift: "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := driftOf(t, DriftOptions{}, c.steps...)
			if r.Code != Fine {
				t.Errorf("the exit code is %d", r.Code)
			}
			has(t, r.Text, c.says...)
		})
	}
}

// TestActionsThatShouldStillRun are missed when they are gone.
func TestActionsThatShouldStillRun(t *testing.T) {
	for _, inputs := range []object{
		{"recurrence": "0 9 * * 1"},
		{"recurrence": "0 9 * * 1", "startTime": "2001-11-23T08:00:00Z"},
		{"startTime": "2999-11-23T08:00:00Z"},
		{"recurrence": "0 9 * * 1", "startTime": "2001-11-23T08:00:00Z", "endTime": "2999-11-23T08:00:00Z"},
	} {
		if r := driftOf(t, DriftOptions{}, step("delete", "aws:autoscaling/schedule:Schedule", "week-x", inputs, nil)); r.Code != Drifted {
			t.Errorf("%v: the exit code is %d", inputs, r.Code)
		}
	}
}

// TestWhatDriftSays of single resources.
func TestWhatDriftSays(t *testing.T) {
	const deployment = "kubernetes:apps/v1:Deployment"
	object1 := func(manager, sub string, fields object) object {
		return object{"outputs": object{
			"__fieldManager": "pulumi-kubernetes-1", "spec": object{"replicas": 3, "ports": []object{{"port": 81, "name": "http"}}},
			"metadata": object{"managedFields": []object{
				{"manager": "pulumi-kubernetes-1", "operation": "Apply", "time": "2026-01-01T00:00:00Z", "fieldsV1": fields},
				{"manager": manager, "operation": "Update", "subresource": sub, "time": "2026-01-02T03:04:05Z", "fieldsV1": fields},
			}},
		}}
	}
	replicas := func(n int) object { return object{"spec": object{"replicas": n}} }
	owned := object{"f:spec": object{"f:replicas": object{}}}
	ports := func(n int) object { return object{"spec": object{"ports": []object{{"port": n, "name": "http"}}}} }
	for name, c := range map[string]struct {
		step object
		says []string
	}{
		"edited": {
			with(changed(deployment, "web", replicas(2), replicas(3), "spec.replicas"), "newState", object1("kubectl-edit", "", owned)),
			[]string{
				"- `web`, `kubernetes:apps/v1:Deployment`\n  - `web-1`\n  - `spec.replicas`: `2` → `3`\n  - written by `kubectl-edit` on 2026-01-02 03:04 UTC\n  - It runs another number of pods than the stack asks for. " +
					"It is set back by `PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up --refresh`.\n",
				"the API server answers with a conflict", "Not `pulumi refresh`",
			},
		},
		"applied by kubectl, which yields": {
			with(changed(deployment, "web", replicas(2), replicas(3), "spec.replicas"), "newState", object1("kubectl", "", owned)),
			[]string{"written by `kubectl`", "It is set back by `pulumi up --refresh`.", "not PATCH_FORCE"},
		},
		"scaled by kubectl, which does not": {
			with(changed(deployment, "web", replicas(2), replicas(3), "spec.replicas"), "newState", object1("kubectl", "scale", owned)),
			[]string{"It is set back by `PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up --refresh`."},
		},
		"written by one who owns other fields": {
			with(changed(deployment, "web", replicas(2), replicas(3), "spec.replicas"), "newState", object1("kubectl-edit", "", object{"f:spec": object{"f:paused": object{}}})),
			[]string{"It is set back by `pulumi up --refresh`.", "not written by"},
		},
		"a port, by which the API server knows it": {
			with(changed("kubernetes:core/v1:Service", "web", ports(80), ports(81), "spec.ports[0].port"), "newState",
				object1("kubectl-edit", "", object{"f:spec": object{"f:ports": object{`k:{"port":81}`: object{"f:port": object{}}}}})),
			[]string{"`spec.ports[0].port`: `80` → `81`", "written by `kubectl-edit`", "Set the port back with kubectl"},
		},
		"gone": {
			step("delete", "aws:ecr/repository:Repository", "images", object{"name": "web"}, nil, object{"id": "web", "outputs": object{"arn": "arn:aws:ecr:r:1:repository/web"}}),
			[]string{"### Gone\n\n- `images`, `aws:ecr/repository`\n  - `arn:aws:ecr:r:1:repository/web`\n  - Its images are lost, and pods that start anew cannot pull them. It is made again by `pulumi up --refresh`.\n"},
		},
		"what only a replacement sets back": {
			changed("aws:lb/targetGroup:TargetGroup", "web", object{"port": 80}, object{"port": 81}, "port update-replace"),
			[]string{"It cannot be changed back: `pulumi up --refresh` replaces it. The new group is empty until its targets are registered and healthy."},
		},
		"a value that was taken away, and one that came": {
			changed("aws:s3/bucketV2:BucketV2", "logs", object{"tags": object{"a": "1"}}, object{"tags": object{"b": "2"}}, "tags.a delete", "tags.b add"),
			[]string{"`tags.a`: `1` → not set\n", "`tags.b`: not set → `2`\n"},
		},
		"what differs only in what is there": {
			with(changed("aws:lb/listener:Listener", "https", object{"port": 443}, object{"port": 443}, "sslPolicy"), "newState", object{"outputs": object{"sslPolicy": "old"}}),
			[]string{"`sslPolicy`: not set → `old`"},
		},
		"what is not there any more, though its provider still has it as an input": {
			with(changed("x:y:Z", "thing", object{"a": "b"}, object{"a": "b"}, "a delete"), "newState", object{"outputs": object{"a": "c"}}),
			[]string{"`a`: `b` → not set"},
		},
		"a secret": {
			changed("kubernetes:core/v1:Secret", "db", object{"data": object{"password": "[secret]"}}, object{"data": object{"password": "[secret]"}}, "data.password"),
			[]string{"`data.password` changes; it is secret", "Pods that start from now on read other values"},
		},
		"a secret that one side has in the clear": {
			changed("x:y:Z", "db", object{"dsn": "[secret]"}, object{"dsn": "postgres://u:hunter2@h"}, "dsn"),
			[]string{"`dsn` changes; it is secret", "not hunter2"},
		},
		"a provider that does not say what differs": {
			changed("x:y:Z", "thing", object{"a": 1}, object{"a": 2}),
			[]string{"- `thing`, `x:y:Z`\n  - `thing-1`\n  - `a`: `1` → `2`\n"},
		},
		"text that means something to a host": {
			changed("x:y:Z", "thing", object{"a": "b"}, object{"a": "@octocat #1 https://example.com <b>"}, "a"),
			[]string{"`@octocat #1 https://example.com <b>`"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := driftOf(t, DriftOptions{}, c.step)
			if r.Code != Drifted {
				t.Errorf("the exit code is %d: %q", r.Code, r.Problems)
			}
			has(t, r.Markdown, c.says...)
			has(t, r.Issue, c.says...)
		})
	}
}

// TestADocumentNamesNotAll: an update whose provider says nothing of properties is only counted there.
func TestADocumentNamesNotAll(t *testing.T) {
	text := strings.Replace(refreshed(t, step("refresh", "x:y:Z", "thing", object{"a": 1}, object{"a": 1})), `"refresh": 2`, `"same": 1, "update": 1`, 1)
	r := Drift(readPreview(t, text), DriftOptions{})
	if r.Code != Drifted {
		t.Errorf("the exit code is %d", r.Code)
	}
	has(t, r.Text, "1 of 1 resource is not as the stack left it: 1 that the output does not name.", "PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true")
}

// TestAStreamHasToSayWhatCameOfEach: one that does not says nothing of the resource.
func TestAStreamHasToSayWhatCameOfEach(t *testing.T) {
	var lines []string
	for line := range strings.Lines(taken(t, "drift")) {
		if !strings.Contains(line, `"resOutputsEvent"`) || !strings.Contains(line, "::users-backend-deployment") {
			lines = append(lines, line)
		}
	}
	r := Drift(readPreview(t, strings.Join(lines, "")), DriftOptions{})
	if r.Code != Failed {
		t.Errorf("the exit code is %d", r.Code)
	}
	has(t, r.Text, "whether more has drifted is not known: the output does not say what came of 1 resource")
}

// TestWhatIsNotKnownIsNoDriftAndNotNone: neither is a text without a whole refresh.
func TestWhatIsNotKnownIsNoDriftAndNotNone(t *testing.T) {
	stack := refreshed(t)
	failed := func(message string, steps ...object) string {
		b, err := json.Marshal(object{"steps": steps, "diagnostics": []object{
			{"urn": urnOf("aws:eks/nodeGroup:NodeGroup", "main"), "message": "error: " + message, "severity": "error"}, {"message": "error: preview failed", "severity": "error"},
		}, "changeSummary": object{}})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, c := range map[string]struct {
		text, log string
		says      []string
	}{
		"empty":    {"", "error: the stack is currently locked by 1 lock(s). Either wait\n  s3://b/x.json: created by runner@ci (pid 1) at 2026", []string{"the input is empty", "created by runner@ci", "`pulumi cancel` takes its lock away"}},
		"no stack": {"", "error: no stack named 'prd' found", []string{"no stack named 'prd' found", "The backend has no such stack"}},
		"an expired token": {
			failed("reading EKS Node Group (main): operation error EKS: DescribeNodegroup, https response error StatusCode: 403, ExpiredTokenException: The security token included in the request is expired"), "",
			[]string{"the refresh failed", "`main`, `aws:eks/nodeGroup`:", "ExpiredTokenException", "The AWS credentials are missing or have expired"},
		},
		"half way": {
			failed("throttling", changed("x:y:Z", "thing", object{"a": 1}, object{"a": 2}, "a")), "",
			[]string{"Whether more has drifted is not known:", "`a`: `1` → `2`", "What stands below was found before"},
		},
		"cut off":            {stack[:len(stack)/2], "", []string{"breaks off in the middle of a refresh"}},
		"a preview":          {printed(t, step("create", "x:y:Z", "thing", nil, object{"a": 1})), "", []string{`the input is no refresh (it has the step "create")`}},
		"one with no change": {printed(t, step("same", "x:y:Z", "thing", object{"a": 1}, object{"a": 1})), "", []string{`the input is no refresh (it has the step "same")`}},
		"one of a destroy":   {printed(t, object{"op": "delete", "urn": urnOf(stackType, "shop-prod"), "oldState": object{}}), "", []string{"the input is no refresh"}},
		"a state of nothing": {`{"steps": [], "changeSummary": {}}`, "", []string{"the state holds no resources"}},
		"something else":     {`{"a": 1}`, "", []string{"it has to be what `pulumi refresh --preview-only --json` prints"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := Drift(readPreview(t, c.text), DriftOptions{Stack: "shop/prod", Log: c.log})
			if r.Code != Failed || len(r.Problems) != 1 || r.Marker != "<!-- slipway drift: shop/prod -->" {
				t.Errorf("the exit code is %d, the problems %q, the marker %q", r.Code, r.Problems, r.Marker)
			}
			has(t, r.Markdown, append(c.says, "not No drift", "is not known")...)
			has(t, strings.ToLower(r.Text), "not no drift", "is not known")
		})
	}
}

// TestAnIssueSaysWhatIsDifferent, and knows itself again by its second line.
func TestAnIssueSaysWhatIsDifferent(t *testing.T) {
	thing := func(name string, n int) object { return changed("x:y:Z", name, object{"a": 1}, object{"a": n}, "a") }
	first := driftOf(t, DriftOptions{}, thing("one", 2), thing("two", 2))
	same := driftOf(t, DriftOptions{}, thing("two", 2), thing("one", 2), step("refresh", "x:y:Z", "three", object{"a": 1}, object{"a": 1}))
	if !same.Says(first.Issue) || !same.Says(strings.ReplaceAll(first.Issue, "\n", "\r\n")) {
		t.Errorf("one more resource that has not drifted is a difference:\n%s\n%s", first.Issue, same.Issue)
	}
	other := driftOf(t, DriftOptions{}, thing("one", 3), thing("four", 2))
	if other.Says(first.Issue) {
		t.Error("other values are no difference")
	}
	want := "Since the last look:\n\n- new: `four`, `x:y:Z`\n- differs otherwise than before: `one`, `x:y:Z`\n- 1 other is as the stack says again, or is the stack's no more\n"
	if got := other.Since(first.Issue); got != want {
		t.Errorf("since then it says\n%s\nwant\n%s", got, want)
	}
}

// TestManyThingsAreToldApart as far as an issue has room for, and beyond that nothing is said of one that is not known.
func TestManyThingsAreToldApart(t *testing.T) {
	things := func(from, to, value int) (all []object) {
		for i := from; i < to; i++ {
			all = append(all, changed("x:y:Z", fmt.Sprintf("thing-%04d", i), object{"a": 1}, object{"a": value}, "a"))
		}
		return all
	}
	since := func(before, now []object) string {
		b, n := driftOf(t, DriftOptions{}, before...), driftOf(t, DriftOptions{}, now...)
		return n.Since(b.Issue)
	}
	for name, c := range map[string]struct {
		before, now            []object
		more, fewer, different int
		unsure                 bool
	}{
		"as before":                    {before: things(0, 800, 2), now: things(0, 800, 2)},
		"up to what there is room for": {before: things(0, 500, 2), now: things(0, 499, 2), fewer: 1},
		"from few to many":             {before: things(0, 400, 2), now: things(0, 700, 2), more: 300},
		"ten more":                     {before: things(0, 800, 2), now: things(0, 810, 2), more: 10, unsure: true},
		"ten fewer":                    {before: things(0, 800, 2), now: things(10, 800, 2), fewer: 10, unsure: true},
		"others":                       {before: things(0, 800, 2), now: append(things(0, 780, 2), things(780, 800, 3)...), different: 20, unsure: true},
		"hardly any left":              {before: things(0, 800, 2), now: things(0, 1, 2), fewer: 799, unsure: true},
	} {
		got := since(c.before, c.now)
		more, different := strings.Count(got, "- new: "), strings.Count(got, "- differs otherwise")
		fewer := 0
		if m := regexp.MustCompile(`- (\d+) others? (?:is|are) as the stack says again`).FindStringSubmatch(got); m != nil {
			fewer, _ = strconv.Atoi(m[1])
		}
		if more > c.more || fewer > c.fewer || different > c.different || !c.unsure && (more != c.more || fewer != c.fewer || different != c.different) {
			t.Errorf("%s: %d more, %d fewer, %d different, want %d, %d, %d:\n%.500s", name, more, fewer, different, c.more, c.fewer, c.different, got)
		}
		if c.unsure != strings.Contains(got, "- something is different beyond the 500 resources that the issue keeps apart") {
			t.Errorf("%s: it says\n%.500s", name, got)
		}
	}
}

// TestWhatIsNotNamedIsCounted in what is different, too.
func TestWhatIsNotNamedIsCounted(t *testing.T) {
	with := func(n int) DriftReport {
		text := refreshed(t, changed("x:y:Z", "one", object{"a": 1}, object{"a": 2}, "a"))
		return Drift(readPreview(t, strings.Replace(text, `"update": 1`, fmt.Sprintf(`"update": %d`, 1+n), 1)), DriftOptions{})
	}
	two, three := with(2), with(3)
	if got := three.Since(two.Issue); got != "Since the last look:\n\n- of those that the output does not name there are 3, and were 2\n" {
		t.Errorf("it says %s", got)
	}
	if got := two.Since(two.Issue); got != "What was found is as before.\n" {
		t.Errorf("it says %s", got)
	}
}

// TestAnIssueFits a thousand resources, whatever there is, and what to do is never left out.
func TestAnIssueFits(t *testing.T) {
	var many []object
	for i := range 1000 {
		many = append(many, changed("aws:s3/bucketV2:BucketV2", fmt.Sprintf("bucket-%04d", i), object{"tags": object{"a": strings.Repeat("x", 50)}}, object{"tags": object{"a": strings.Repeat("y", 90)}}, "tags.a"))
	}
	r := driftOf(t, DriftOptions{FullAt: "https://example.com/runs/1"}, many...)
	if len(r.Issue) > CommentLimit {
		t.Errorf("the issue has %d bytes", len(r.Issue))
	}
	has(t, r.Issue, "of 1000 that were changed", "<https://example.com/runs/1>", "### What to do", "**1000 of 1000 resources are not")
	has(t, r.Markdown, "`bucket-0999`", "not Shortened")
	if again := driftOf(t, DriftOptions{}, many...); !again.Says(r.Issue) {
		t.Error("it does not know itself again")
	}
	for _, s := range many {
		s["urn"] = s["urn"].(string) + strings.Repeat("é", 100)
	}
	if r := driftOf(t, DriftOptions{}, many...); len(r.Since("")) > CommentLimit || !strings.HasSuffix(r.Since(""), " more\n") {
		t.Errorf("what is different has %d bytes, and ends with %q", len(r.Since("")), r.Since("")[len(r.Since(""))-40:])
	}
}
