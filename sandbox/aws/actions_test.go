package aws

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEverythingSaysWhatItAsksFor: a type without a declaration would make a pipeline's role look sufficient that is not.
func TestEverythingSaysWhatItAsksFor(t *testing.T) {
	for token, typ := range types {
		a, ok := asks[token]
		if !ok {
			t.Errorf("%s does not declare what it asks IAM for", token)
			continue
		}
		if a.Read == "" || a.Create+strings.Join(slices.Collect(maps.Values(a.Given)), "")+a.Read == "" {
			t.Errorf("%s asks for nothing when it is read or created", token)
		}
		for _, names := range []map[string]string{a.Given, a.Changed} {
			for name := range names {
				if _, ok := typ.Props[name]; !ok {
					t.Errorf("%s asks for something with its input %q, which it does not have", token, name)
				}
			}
		}
		for _, also := range a.Also {
			if _, ok := typ.Props[also.Of]; also.Of != "" && !ok {
				t.Errorf("%s asks for %s with its input %q, which it does not have", token, also.Actions, also.Of)
			}
			if also.Of == "" && also.On == "" {
				t.Errorf("%s asks for %s on nothing", token, also.Actions)
			}
		}
		for name, p := range typ.Props {
			if _, says := a.Changed[name]; !says && a.Update == "" && !p.Replace && !p.Computed && !quiet[token+" "+name] {
				t.Errorf("%s does not declare what a change of %s asks for", token, name)
			}
		}
	}
	for token := range functions {
		if _, ok := asks[token]; !ok {
			t.Errorf("%s() does not declare what it asks IAM for", token)
		}
	}
	for token := range asks {
		if types[token] == nil && functions[token] == nil {
			t.Errorf("%s is declared, and not known", token)
		}
	}
}

// quiet are inputs of which the provider makes no call of its own when they change.
var quiet = map[string]bool{
	"aws:acm/certificate:Certificate earlyRenewalDuration":                  true,
	"aws:cloudwatch/logGroup:LogGroup skipDestroy":                          true,
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup revokeRulesOnDelete": true,
	"aws:ec2/securityGroup:SecurityGroup revokeRulesOnDelete":               true,
	"aws:ecr/repository:Repository forceDelete":                             true,
	"aws:eks/cluster:Cluster defaultAddonsToRemoves":                        true, // of the provider's own, for a cluster that is made
	"aws:eks/cluster:Cluster forceUpdateVersion":                            true, // goes with the version
	"aws:eks/cluster:Cluster outpostConfig":                                 true, // makes a new one
	"aws:eks/nodeGroup:NodeGroup forceUpdateVersion":                        true, // goes with the version
	"aws:iam/role:Role forceDetachPolicies":                                 true,
	"aws:kms/key:Key bypassPolicyLockoutSafetyCheck":                        true, // goes with the policy
	"aws:kms/key:Key deletionWindowInDays":                                  true,
	"aws:route53/zone:Zone forceDestroy":                                    true,
	"aws:s3/bucketV2:BucketV2 forceDestroy":                                 true,
}

var actionName = regexp.MustCompile(`^[a-z0-9]+:[A-Z][A-Za-z0-9]+$`)

func TestActionsAreWellFormed(t *testing.T) {
	for _, a := range Declared() {
		if !actionName.MatchString(a.Action) {
			t.Errorf("%s %s asks for %q", a.Type, a.Op, a.Action)
		}
	}
}

// what is asked for on which resource, by "op action resource [with]".
func TestAskedFor(t *testing.T) {
	role := &Object{Type: roleToken, Inputs: map[string]any{"permissionsBoundary": "arn:aws:iam::123456789012:policy/edge"}, Outputs: map[string]any{
		"name": "node", "path": "/", "arn": "arn:aws:iam::123456789012:role/node", "tagsAll": map[string]any{"a": "b"},
	}}
	more := role.clone()
	more.Inputs["description"] = "Nodes"
	alias := &Object{Type: aliasToken, Region: "us-west-2", ID: "alias/a", Inputs: map[string]any{"targetKeyId": "k"}, Outputs: map[string]any{
		"arn": "arn:aws:kms:us-west-2:123456789012:alias/a", "targetKeyArn": "arn:aws:kms:us-west-2:123456789012:key/k",
	}}
	group := &Object{Type: nodeGroupToken, Region: "us-west-2", Inputs: map[string]any{
		"nodeRoleArn": "arn:aws:iam::123456789012:role/node", "launchTemplate": map[string]any{"id": "lt-1", "version": "1"},
	}, Outputs: map[string]any{"arn": "arn:aws:eks:us-west-2:123456789012:nodegroup/c/g/1"}}
	for name, tt := range map[string]struct {
		op     string
		o, old *Object
		want   []string
		never  []string
	}{
		"a role is made with its tags and boundary": {
			"create", role, nil,
			[]string{"iam:CreateRole arn:aws:iam::123456789012:role/node map[iam:PermissionsBoundary:arn:aws:iam::123456789012:policy/edge]", "iam:TagRole arn:aws:iam::123456789012:role/node map[]", "iam:GetRole arn:aws:iam::123456789012:role/node map[]"},
			[]string{"iam:PutRolePolicy", "iam:UpdateRole", "iam:DeleteRole"},
		},
		"an update asks for what it changes": {
			"update", more, role, []string{"iam:UpdateRole arn:aws:iam::123456789012:role/node map[]"}, []string{"iam:TagRole", "iam:CreateRole", "iam:UpdateAssumeRolePolicy"},
		},
		"a read only reads": {"read", role, nil, []string{"iam:ListAttachedRolePolicies arn:aws:iam::123456789012:role/node map[]"}, []string{"iam:CreateRole", "iam:TagRole"}},
		"an alias asks on itself and on its key": {
			"create", alias, nil,
			[]string{"kms:CreateAlias arn:aws:kms:us-west-2:123456789012:alias/a map[]", "kms:CreateAlias arn:aws:kms:us-west-2:123456789012:key/k map[]", "kms:ListAliases * map[]"},
			nil,
		},
		"a node group passes its role on, and could launch its template": {
			"create", group, nil,
			[]string{
				"iam:PassRole arn:aws:iam::123456789012:role/node map[iam:PassedToService:eks.amazonaws.com]",
				"ec2:RunInstances arn:aws:ec2:us-west-2:123456789012:instance/* map[ec2:LaunchTemplate:arn:aws:ec2:us-west-2:123456789012:launch-template/lt-1]",
			},
			[]string{"eks:TagResource"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, a := range asks[tt.o.Type].asked(tt.o.Type, tt.op, tt.o, tt.old) {
				with := a.With
				if with == nil {
					with = map[string]string{}
				}
				got = append(got, a.Action+" "+a.Resource+" "+fmt.Sprint(with))
				if slices.Contains(tt.never, a.Action) {
					t.Errorf("%s is asked for", a.Action)
				}
			}
			for _, w := range tt.want {
				if !slices.Contains(got, w) {
					t.Errorf("%s is not asked for; these are:\n%s", w, strings.Join(got, "\n"))
				}
			}
		})
	}
}

// The record outlives whoever writes it, a write that was cut off included, and holds each line once.
func TestRecordOfActions(t *testing.T) {
	dir := t.TempDir()
	open := func() *Account {
		a, err := OpenAccount(dir)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	asked := func() (all []string) {
		got, err := open().Asked()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range got {
			all = append(all, a.Action+" "+a.Op)
		}
		return all
	}
	note := func(a *Account, op string) {
		t.Helper()
		if err := a.note(aliasToken, op, &Object{Type: aliasToken, ID: "alias/a", Outputs: map[string]any{"targetKeyArn": "arn:k"}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	first := open()
	note(first, "read")
	note(first, "read")
	note(open(), "read")
	if got := asked(); !slices.Equal(got, []string{"kms:ListAliases read"}) {
		t.Errorf("recorded are %v", got)
	}
	whole, err := os.ReadFile(first.askedFile())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(first.askedFile(), append(whole, whole[:20]...), 0o600); err != nil {
		t.Fatal(err)
	}
	note(open(), "delete")
	if got := asked(); !slices.Equal(got, []string{"kms:DeleteAlias delete", "kms:DeleteAlias delete", "kms:ListAliases read"}) {
		t.Errorf("after a line that was cut short, recorded are %v", got)
	}
	if err := first.ForgetAsked(); err != nil {
		t.Fatal(err)
	}
	if got := asked(); len(got) > 0 {
		t.Errorf("not forgotten: %v", got)
	}
	note(first, "read")
	if got := asked(); len(got) != 1 {
		t.Errorf("after it was forgotten, recorded are %v", got)
	}
}
