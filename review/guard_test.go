package review

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestGuardedTypesAreRefused(t *testing.T) {
	for token, refused := range map[string]bool{
		"aws:eks/cluster:Cluster": true, "aws:eks/nodeGroup:NodeGroup": true, "aws:ecr/repository:Repository": true, "aws:acm/certificate:Certificate": true,
		"aws:lb/loadBalancer:LoadBalancer": true, "aws:alb/loadBalancer:LoadBalancer": true, "aws:rds/instance:Instance": true, "aws:rds/cluster:Cluster": true,
		"aws:rds/parameterGroup:ParameterGroup": false, "aws:acm/certificateValidation:CertificateValidation": false, "aws:ecr/lifecyclePolicy:LifecyclePolicy": false,
		"kubernetes:apps/v1:Deployment": false, "aws:s3/bucketV2:BucketV2": false, "aws:alb/listener:Listener": false, "aws:lb/listener:Listener": false,
		"aws:redshift/cluster:Cluster": true, "aws:memorydb/cluster:Cluster": true, "aws:docdb/clusterInstance:ClusterInstance": true,
		"postgresql:index/database:Database": true,
	} {
		for op, lost := range map[string]bool{"delete": true, "replace": true, "create-replacement": true, "import-replacement": true, "delete-replaced": true, "update": false, "create": false, "same": false, "read": false, "discard": false, "read-replacement": false} {
			before, after := object{"a": "1"}, object{"a": "2"}
			if op == "create" {
				before = nil
			}
			if strings.HasPrefix(op, "d") {
				after = nil
			}
			want := Fine
			if refused && lost {
				want = Refused
			}
			if r := reviewed(t, Options{}, step(op, token, "x", before, after)); r.Code != want {
				t.Errorf("%s of %s ends with %d, want %d:\n%s", op, token, r.Code, want, r.Markdown)
			}
		}
	}
	unwritten := step("delete", "aws:rds/instance:Instance", "db", nil, nil)
	if r := reviewed(t, Options{}, unwritten); r.Code != Refused {
		t.Errorf("one whose state the CLI could not write ends with %d", r.Code)
	}
	bucket := step("delete", "aws:s3/bucketV2:BucketV2", "logs", object{"a": "1"}, nil)
	for _, guard := range []string{"aws:s3/bucketV2:BucketV2", "aws:s3/*"} {
		if r := reviewed(t, Options{Guard: []string{guard}}, bucket); r.Code != Refused {
			t.Errorf("with %s it ends with %d", guard, r.Code)
		}
	}
	protected := step("delete", "aws:s3/bucketV2:BucketV2", "logs", object{"a": "1"}, nil, object{"protect": true})
	r := reviewed(t, Options{}, protected)
	if r.Code != Refused {
		t.Errorf("a protected one ends with %d", r.Code)
	}
	has(t, r.Markdown, "guarded (protected)", "Pulumi itself refuses it until its protection is taken off")
	component := step("delete", "slipway:index:Protection", "door", object{"a": "1"}, nil, object{"protect": true, "custom": false})
	if r := reviewed(t, Options{}, component); r.Code != Refused {
		t.Errorf("a protected component ends with %d", r.Code)
	}
	retained := step("delete", "aws:ecr/repository:Repository", "images", object{"a": "1"}, nil, object{"retainOnDelete": true})
	pending := step("delete", "aws:rds/instance:Instance", "db", object{"a": "1"}, nil, object{"delete": true})
	has(t, reviewed(t, Options{}, pending).Markdown, "It was replaced earlier, and is what was left of that.", "not It is not in the program")
	r = reviewed(t, Options{}, retained)
	if r.Code != Fine {
		t.Errorf("one that stays in the cloud ends with %d", r.Code)
	}
	has(t, r.Markdown, "left in the cloud, and forgotten by Pulumi")
}

// TestProblemsAreALineEach, so that no name writes a line of its own into a pipeline's log, where "::" begins a command.
func TestProblemsAreALineEach(t *testing.T) {
	r := reviewed(t, Options{Allow: []string{"a\n::stop-commands::x"}}, step("delete", "aws:rds/instance:Instance", "db\n::stop-commands::x", object{"a": "1"}, nil))
	if all := strings.Join(r.Problems, ""); len(r.Problems) != 2 || strings.Contains(all, "\n") {
		t.Errorf("they are %q", r.Problems)
	}
}

// TestADeleteThatGoesWithAReplacement is one of the steps that carry a replacement out, and has no other.
func TestADeleteThatGoesWithAReplacement(t *testing.T) {
	vpc := func(op string) object { return step(op, "aws:ec2/vpc:Vpc", "vpc", object{"a": "1"}, object{"a": "2"}) }
	gone := step("delete-replaced", "aws:rds/instance:Instance", "db", object{"a": "1"}, nil)
	r := reviewed(t, Options{}, vpc("replace"), vpc("create-replacement"), vpc("delete-replaced"), gone)
	if r.Code != Refused {
		t.Errorf("it ends with %d", r.Code)
	}
	has(t, r.Markdown, "| 0 | 0 | 1 | 1 | 0 |", "not --show-replacement-steps")
	has(t, reviewed(t, Options{}, vpc("replace")).Markdown, "Take the preview with `--show-replacement-steps`")
}

func TestAllowNamesExactlyOneResource(t *testing.T) {
	a := step("delete", "aws:ecr/repository:Repository", "images-api", object{"name": "api"}, nil)
	b := step("delete", "aws:ecr/repository:Repository", "images-apis", object{"name": "apis"}, nil)
	twin := step("delete", "aws:rds/instance:Instance", "images-api", object{"name": "db"}, nil)
	plain := step("update", "aws:ecr/repository:Repository", "images-web", object{"name": "web"}, object{"name": "web", "x": "1"})
	for _, c := range []struct {
		allow []string
		steps []object
		code  int
		says  string
	}{
		{nil, []object{a}, Refused, "the label `slipway-allow:images-api` or `--allow` `images-api`"},
		{[]string{"images-api"}, []object{a}, Fine, "guarded (an image repository) and allowed by name"},
		{[]string{urnOf("aws:ecr/repository:Repository", "images-api")}, []object{a}, Fine, "allowed by name"},
		{[]string{"images-api"}, []object{a, b}, Refused, "**Refused:** 1 guarded resource would"},
		{[]string{"images-api", "images-apis"}, []object{a, b}, Fine, "2 of them are guarded, and allowed by name"},
		{[]string{"images-api", "images-api"}, []object{a}, Fine, "allowed by name"},
		{[]string{"images-ap"}, []object{a, b}, Usage, `near it are "images-api", "images-apis"`},
		{[]string{"Images-api"}, []object{a}, Usage, `near it are "images-api"`},
		{[]string{"images*"}, []object{a}, Usage, "allows nothing"},
		{[]string{"images-web"}, []object{a, plain}, Usage, "nothing guarded of that name is replaced or deleted"},
		{[]string{"anything"}, []object{plain}, Usage, "no guarded resource is replaced or deleted, so take it away"},
		{[]string{"images-api"}, []object{a, twin}, Usage, `"images-api" names 2 resources: allow one by its URN`},
		{[]string{""}, []object{a}, Usage, "allows nothing"},
	} {
		r := reviewed(t, Options{Allow: c.allow}, c.steps...)
		if r.Code != c.code {
			t.Errorf("%q ends with %d, want %d: %q", c.allow, r.Code, c.code, r.Problems)
		}
		has(t, r.Markdown+strings.Join(r.Problems, "\n"), c.says)
	}
}

// TestStepsOfOneResourceAreOne: the engine says a replacement by an import in two steps, and an earlier run may have left a state behind.
func TestStepsOfOneResourceAreOne(t *testing.T) {
	const token = "aws:ecr/repository:Repository"
	before, after := object{"name": "api"}, object{"name": "web"}
	left := step("delete-replaced", token, "images", before, nil, object{"delete": true})
	for name, c := range map[string]struct {
		steps []object
		says  string
	}{
		"an import in its place":     {[]object{step("import-replacement", token, "images", before, after), step("replace", token, "images", before, after)}, "| 0 | 0 | 1 | 0 |"},
		"a read in its place":        {[]object{step("read-replacement", token, "images", before, after), step("replace", token, "images", before, after)}, "| 0 | 0 | 1 | 0 |"},
		"what was left, and the new": {[]object{left, step("delete", token, "images", after, nil)}, "| 0 | 0 | 0 | 2 |"},
	} {
		for _, allow := range []string{"images", urnOf(token, "images")} {
			r := reviewed(t, Options{Allow: []string{allow}}, c.steps...)
			if r.Code != Fine {
				t.Errorf("%s, %s allowed, ends with %d: %q", name, allow, r.Code, r.Problems)
			}
			has(t, r.Markdown, c.says, "not --show-replacement-steps")
		}
		r := reviewed(t, Options{}, c.steps...)
		if r.Code != Refused {
			t.Errorf("%s ends with %d", name, r.Code)
		}
		has(t, r.Markdown, "slipway-allow:images`")
	}
}

// TestAGuardOfWhatIsNoTypeIsWrong: it would guard nothing, without a word.
func TestAGuardOfWhatIsNoTypeIsWrong(t *testing.T) {
	plain := step("update", "aws:s3/bucketV2:BucketV2", "logs", object{"a": "1"}, object{"a": "2"})
	for guard, says := range map[string]string{
		"aws:s3/bucketV2:BucketV2": "", "kubernetes:apps/v1:Deployment": "", "slipway:index:EksCluster": "", "pulumi:providers:aws": "", "aws-native:s3:Bucket": "",
		"kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition": "", "*": "", "aws*": "", "aws:*": "", "aws:s3/*": "", "aws:s3/bucketV2:*": "", "aws:s3/bucketV2:Bucket*": "",
		"aws:s3/bucketV2": "like aws:s3/bucketV2:BucketV2", "": "like aws:s3", "aws": "like aws:s3", "aws:s3": "like aws:s3", "aws::s3": "like aws:s3",
		"aws:s3:*:Bucket": "like aws:s3", "aws:*/bucket:Bucket": "like aws:s3", "aws:s3/bucketV2:BucketV2 ": "like aws:s3", "a:b:c:d": "like aws:s3", "logs:": "like aws:s3", "aws:s3/": "like aws:s3",
	} {
		want := Fine
		if says != "" {
			want = Usage
		}
		r := reviewed(t, Options{Guard: []string{guard}}, plain)
		if r.Code != want {
			t.Errorf("%q: it ends with %d, want %d", guard, r.Code, want)
		}
		if says != "" {
			has(t, r.Markdown, "**Guarded in vain:** ", says)
			has(t, strings.Join(r.Problems, "\n"), fmt.Sprintf("guard %q guards nothing", guard), says)
		}
	}
}

// TestWhatWasOnlyReadIsNotLost: it is another's, and stays where the stack takes it over, or makes one of its own under its name.
func TestWhatWasOnlyReadIsNotLost(t *testing.T) {
	const token = "aws:ecr/repository:Repository"
	taken := func(op, id string) object {
		s := step(op, token, "images", object{"name": "api"}, object{"name": "api"})
		s["oldState"].(object)["external"] = true
		s["oldState"].(object)["id"], s["newState"].(object)["id"] = "api", id
		return s
	}
	for name, c := range map[string]struct {
		steps []object
		says  string
	}{
		"taken over":                           {[]object{taken("replace", "api")}, "| 1 | 0 | 0 | 0 |"},
		"taken over, with its steps":           {[]object{taken("import-replacement", "api"), taken("replace", "api")}, "| 1 | 0 | 0 | 0 |"},
		"another in its place":                 {[]object{taken("replace", "")}, "| 1 | 0 | 0 | 0 |"},
		"another in its place, with its steps": {[]object{taken("create-replacement", ""), taken("replace", "")}, "| 1 | 0 | 0 | 0 |"},
	} {
		r := reviewed(t, Options{}, c.steps...)
		if r.Code != Fine {
			t.Errorf("%s: it ends with %d: %q", name, r.Code, r.Problems)
		}
		has(t, r.Markdown, c.says, "Nothing is replaced or deleted.", "not images of the old one are lost")
	}
}

// TestALabelThatIsTooLongHasAnother: GitHub's end at 50 characters. Those that are proposed let through, and nothing else.
func TestALabelThatIsTooLongHasAnother(t *testing.T) {
	const token = "aws:rds/instance:Instance"
	gone := func(token, name string) object { return step("delete", token, name, object{"a": "1"}, nil) }
	long := strings.Repeat("x", 37)
	for name, steps := range map[string][]object{
		"fits":                   {gone(token, long[1:])},
		"too long":               {gone(token, long)},
		"with a comma":           {gone(token, "a,b")},
		"of two of one name":     {gone(token, "db"), gone("aws:rds/cluster:Cluster", "db")},
		"of two in a group":      {gone(token, "db-a"), gone(token, "db-b")},
		"of three, one too long": {gone(token, "db-a"), gone(token, "db-b"), gone(token, long)},
		"of two that are longer": {gone(token, long), gone("aws:rds/cluster:Cluster", long)},
	} {
		said := reviewed(t, Options{}, steps...).Markdown
		labels := regexp.MustCompile("the label `slipway-allow:([^`]*)`").FindAllStringSubmatch(said, -1)
		if len(labels) != len(steps) {
			t.Errorf("%s: %d labels are proposed:\n%s", name, len(labels), said)
		}
		var allow []string
		for _, l := range labels {
			if allow = append(allow, l[1]); len(AllowLabel+l[1]) > 50 || strings.Contains(l[1], ",") {
				t.Errorf("%s: no label is called %q", name, l[1])
			}
		}
		if r := reviewed(t, Options{Allow: allow}, steps...); r.Code != Fine {
			t.Errorf("%s: with what is proposed it ends with %d: %q", name, r.Code, r.Problems)
		}
		if r := reviewed(t, Options{Allow: allow[1:]}, steps...); r.Code != Refused {
			t.Errorf("%s: with one too few it ends with %d: %q", name, r.Code, r.Problems)
		}
	}
	if r := reviewed(t, Options{Allow: []string{handle(URN(urnOf(token, "other")))}}, gone(token, "db")); r.Code != Usage {
		t.Errorf("another's ends with %d", r.Code)
	}
}

// TestAGroupSaysEachOfItsLabels, as many as there is room for, and what they do not do.
func TestAGroupSaysEachOfItsLabels(t *testing.T) {
	var steps []object
	for i := range 10 {
		steps = append(steps, step("delete", "aws:rds/instance:Instance", fmt.Sprintf("db-%d", i), object{"a": "1"}, nil, object{"protect": true}))
	}
	r := reviewed(t, Options{}, steps...)
	has(t, r.Markdown, "  - To let them through, for each of them; Pulumi itself refuses it until its protection is taken off and that is deployed: "+
		"the label `slipway-allow:db-0` or `--allow` `db-0`; the label `slipway-allow:db-1`", "`slipway-allow:db-7`", "; … and 2 more\n", "not slipway-allow:db-8")
	has(t, r.Full, "`slipway-allow:db-9`", "not … and")
}

func TestARenameIsSeen(t *testing.T) {
	const token = "aws:ecr/repository:Repository"
	under := func(s object, parent string) object {
		s["urn"] = "urn:pulumi:prod::shop::" + parent + "$" + token + "::images"
		return s
	}
	for name, c := range map[string]struct {
		steps []object
		moved bool
	}{
		"below another parent":  {[]object{under(step("delete", token, "", object{"a": "1"}, nil), "my:index:Old"), under(step("create", token, "", nil, object{"a": "2"}), "my:index:New")}, true},
		"with the same address": {[]object{step("delete", token, "a", object{"name": "api", "x": "1"}, nil), step("create", token, "b", nil, object{"name": "api", "x": "2"})}, true},
		"with the same inputs": {[]object{
			step("delete", token, "a", object{"name": "a-1234567", "x": "1", "__defaults": []any{"name"}}, nil),
			step("create", token, "b", nil, object{"name": "b-7654321", "x": "1", "y": "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "__defaults": []any{"name"}}),
		}, true},
		"another resource": {[]object{step("delete", token, "a", object{"name": "api"}, nil), step("create", token, "b", nil, object{"name": "web"})}, false},
		"of another type":  {[]object{step("delete", token, "a", object{"name": "api"}, nil), step("create", "aws:a/b:B", "a", nil, object{"name": "api"})}, false},
		"one of several": {[]object{
			step("delete", token, "a", object{"x": "1"}, nil), step("create", token, "b", nil, object{"x": "1"}), step("create", token, "c", nil, object{"x": "1"}),
		}, false},
		"with nothing in common": {[]object{step("delete", token, "a", object{}, nil), step("create", token, "b", nil, object{})}, false},
	} {
		r := reviewed(t, Options{}, c.steps...)
		if r.Code != Refused {
			t.Errorf("%s ends with %d", name, r.Code)
		}
		if got := strings.Contains(r.Markdown, "It looks renamed"); got != c.moved {
			t.Errorf("%s: seen %v, want %v:\n%s", name, got, c.moved, r.Markdown)
		}
		if old := fmt.Sprint(c.steps[0]["urn"]); c.moved && !strings.Contains(r.Full, old) {
			t.Errorf("%s: the alias %s is not in\n%s", name, old, r.Full)
		}
	}
}

func TestProtectionThatIsTakenOffIsSaid(t *testing.T) {
	s := step("same", "aws:eks/cluster:Cluster", "cluster", object{"a": "1"}, object{"a": "1"})
	s["oldState"].(object)["protect"] = true
	r := reviewed(t, Options{}, s)
	has(t, r.Markdown, "### No longer protected", "- `cluster`, `aws:eks/cluster`", "not Nothing changes")
}
