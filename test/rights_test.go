package test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/ci"
	"github.com/slipway-iac/slipway/internal/recorder"
)

// asked is an action that the real AWS provider would have asked IAM for, as `sandbox actions` tells it.
type asked struct {
	Action, Resource, Type, Op string
	With                       map[string]string
}

// asked is what the account was asked for since it was told the last time.
func (b *box) asked(t *testing.T) []asked {
	t.Helper()
	return b.actions(t, "--forget")
}

func (b *box) actions(t *testing.T, option string) (all []asked) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(b.must("actions", "--json", option).out)); d.More(); {
		var a asked
		if err := d.Decode(&a); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// needless are actions that the deploy role may do though this run asks for none of them, each with who does.
var needless = map[string]string{
	"s3:AbortMultipartUpload":   "a large checkpoint whose upload fails: S3 keeps its parts",
	"s3:PutObject":              "the state, which is in files here: see TestStateNeedsWhatTheRolesAllow",
	"s3:GetObject":              "the state, which is in files here: see TestStateNeedsWhatTheRolesAllow",
	"kms:Decrypt":               "the state's secrets, which a passphrase opens here: see TestStateNeedsWhatTheRolesAllow",
	"ecr:DescribeImages":        "slipway:registry.environments looks up what runs",
	"eks:DescribeAddonVersions": "the real plugin for eks, for an add-on without a version",
}

// rolesAllowWhatIsAsked holds the roles of ci.Roles to what the account was asked for: by write, changes of the stack; by read, previews
// and refreshes.
func rolesAllowWhatIsAsked(t *testing.T, b *box, write, read []asked) {
	t.Helper()
	roles := renderedRoles(t)
	if len(write) < 100 || len(read) < 30 {
		t.Fatalf("the account was asked for %d actions by changes and %d by previews: the record is not whole", len(write), len(read))
	}
	said := map[string]bool{}
	say := func(role, verdict string, a asked) {
		if key := role + a.Action + a.Type + a.Op; !said[key] {
			said[key] = true // of many resources of a kind, one tells it
			t.Errorf("the %s role %s %s on %s %v, which %s %s asks for", role, verdict, a.Action, a.Resource, a.With, a.Type, a.Op)
		}
	}
	for _, a := range slices.Concat(write, read) {
		if !roles["deploy"].allow(a) {
			say("deploy", "may not", a)
		}
	}
	for _, role := range []string{"preview", "drift"} {
		for _, a := range read {
			if !roles[role].allow(a) {
				say(role, "may not", a)
			}
		}
		for _, a := range write {
			if writes(a.Action) && roles[role].allow(a) {
				say(role, "may", a)
			}
		}
	}
	seen, types := map[string]bool{}, map[string]bool{}
	for _, a := range slices.Concat(write, read) {
		seen[a.Action], types[a.Type] = true, true
	}
	for _, a := range b.actions(t, "--declared") {
		if types[a.Type] {
			seen[a.Action] = true // by a change to something that the stack has, which this run did not make
		}
	}
	granted := roles["deploy"].actions()
	for _, action := range granted {
		switch {
		case seen[action] && needless[action] != "":
			t.Errorf("%s is asked for, and on the list of those that nothing asks for", action)
		case !seen[action] && needless[action] == "":
			t.Errorf("the deploy role may %s, which nothing asks for", action)
		}
	}
	for action := range needless {
		if !slices.Contains(granted, action) {
			t.Errorf("%s is on the list of what nothing asks for, and not allowed", action)
		}
	}
}

// writes tells whether an action does more than look.
func writes(action string) bool {
	_, name, _ := strings.Cut(action, ":")
	return !slices.ContainsFunc([]string{"Describe", "Get", "List", "BatchGet"}, func(verb string) bool { return strings.HasPrefix(name, verb) })
}

// renderedRoles are the policies of each role, as ci.Roles makes them for the production stack.
func renderedRoles(t *testing.T) map[string]rights {
	t.Helper()
	r := &recorder.Recorder{
		Outputs: map[string]func(pulumi.MockResourceArgs) resource.PropertyMap{
			"aws:iam/policy:Policy": func(a pulumi.MockResourceArgs) resource.PropertyMap {
				return resource.PropertyMap{"arn": resource.NewProperty(a.Name)}
			},
		},
		Calls: map[string]func(resource.PropertyMap) resource.PropertyMap{},
	}
	for token, answer := range map[string]map[string]string{"getPartition": {"partition": "aws"}, "getCallerIdentity": {"accountId": "123456789012"}, "getRegion": {"name": "us-west-2"}} {
		r.Calls["aws:index/"+token+":"+token] = func(resource.PropertyMap) resource.PropertyMap {
			out := resource.PropertyMap{}
			for k, v := range answer {
				out[resource.PropertyKey(k)] = resource.NewProperty(v)
			}
			return out
		}
	}
	err := r.Run(func(ctx *pulumi.Context) error {
		_, err := ci.NewRoles(ctx, "slipway", &ci.RolesArgs{
			Repository: "slipway-iac/slipway", StateBucketArn: pulumi.String("arn:aws:s3:::team-state"),
			SecretsKeyArn: pulumi.String("arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
			Stack: ci.Stack{
				Cluster: "slipway-prod-cluster", Repositories: []string{"frontend", "thoughts_server", "users_server"}, RolePrefixes: []string{"cluster-"},
				BucketPrefixes: []string{"door-logs-"}, HostedZoneIds: []string{"Z0EXAMPLECOM000000000"},
			},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	policies, roles := map[string]rights{}, map[string]rights{}
	for _, a := range r.Seen() {
		if a.TypeToken == "aws:iam/policy:Policy" {
			policies[a.Name] = parseRights(t, a.Inputs["policy"].StringValue())
		}
	}
	for _, a := range r.Seen() {
		if a.TypeToken == "aws:iam/rolePolicyAttachment:RolePolicyAttachment" {
			role := strings.TrimPrefix(a.Inputs["role"].StringValue(), "slipway-")
			roles[role] = append(roles[role], policies[a.Inputs["policyArn"].StringValue()]...)
		}
	}
	return roles
}

// rights are the statements of all policies of a role.
type rights []struct {
	Effect           string
	Action, Resource oneOrMany
	Condition        map[string]map[string]oneOrMany
}

type oneOrMany []string

func (l *oneOrMany) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

func parseRights(t *testing.T, text string) rights {
	t.Helper()
	var p struct{ Statement rights }
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p.Statement
}

// allow decides as IAM does within an account: something allows it, and nothing denies it
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html).
func (r rights) allow(a asked) bool {
	if a.Action == "sts:GetCallerIdentity" {
		return true // takes no right: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
	}
	allowed := false
	for _, s := range r {
		if !slices.ContainsFunc(s.Action, func(p string) bool { return matches(strings.ToLower(p), strings.ToLower(a.Action)) }) ||
			!slices.ContainsFunc(s.Resource, func(p string) bool { return matches(p, a.Resource) }) || !fulfilled(s.Condition, a) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

// actions are those that something allows.
func (r rights) actions() []string {
	all := map[string]bool{}
	for _, s := range r {
		for _, a := range s.Action {
			if s.Effect == "Allow" {
				all[a] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func fulfilled(conditions map[string]map[string]oneOrMany, a asked) bool {
	for operator, keys := range conditions {
		for key, values := range keys {
			got, given := a.With[key]
			if key == "aws:RequestedRegion" {
				got, given = "us-west-2", true
			}
			same := func(want string) bool { return want == got }
			switch operator {
			case "StringEquals":
			case "ArnEquals", "ArnLike":
				same = func(want string) bool { return matches(want, got) }
			default:
				panic("the test does not know the operator " + operator)
			}
			if !given || !slices.ContainsFunc(values, same) {
				return false
			}
		}
	}
	return true
}

// matches tells whether a text is of a pattern, in which * stands for anything.
func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	text, ok := strings.CutPrefix(text, parts[0])
	if last == 0 || !ok {
		return ok && text == ""
	}
	for _, part := range parts[1:last] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, parts[last])
}
