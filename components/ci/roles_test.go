package ci_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/ci"
	"github.com/slipway-iac/slipway/internal/recorder"
)

func TestRolesRegistered(t *testing.T) {
	few, all := &recorder.Recorder{}, &recorder.Recorder{}
	got := make(chan string, 1)
	err := run(few, fewest(), func(c *ci.Roles) {
		pulumi.All(c.PreviewRoleArn, c.DeployRoleArn, c.DriftRoleArn, c.PromoteRoleArn, c.ProviderArn).ApplyT(func(all []any) string {
			got <- fmt.Sprint(all...)
			return ""
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	const role = "arn:aws:iam::123456789012:role/pipeline-"
	if got, want := <-got, fmt.Sprint(role+"preview", role+"deploy", role+"drift", "", "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"); got != want {
		t.Errorf("the outputs are\n%s, want\n%s", got, want)
	}
	few.Golden(t, "roles-fewest")
	if err := run(all, most(), nil); err != nil {
		t.Fatal(err)
	}
	all.Golden(t, "roles-most")
	recorder.CheckDocTree(t, "roles.go", "Roles", few, all)
}

// Before the bucket and the key exist, everything that does not depend on them is known.
func TestRolesBeforeTheStateExists(t *testing.T) {
	r := &recorder.Recorder{Preview: true}
	err := answering(r).Run(func(ctx *pulumi.Context) error {
		state, err := ci.NewState(ctx, "state", nil)
		if err != nil {
			return err
		}
		args := fewest()
		args.StateBucketArn, args.SecretsKeyArn = state.BucketArn, state.KeyArn
		_, err = ci.NewRoles(ctx, "pipeline", args)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if in := r.Find(t, policyType, "pipeline-read").Inputs; in["policy"].IsString() {
		t.Errorf("the policy does not wait for the bucket: %v", in["policy"])
	}
	if in := r.Find(t, roleType, "pipeline-deploy").Inputs; in["name"].StringValue() != "pipeline-deploy" {
		t.Errorf("the role's name is %v", in["name"])
	}
}

// TestTrust: only the jobs that are meant, word for word.
func TestTrust(t *testing.T) {
	const at = "token.actions.githubusercontent.com:"
	few, all := &recorder.Recorder{}, &recorder.Recorder{}
	if err := run(few, fewest(), nil); err != nil {
		t.Fatal(err)
	}
	if err := run(all, most(), nil); err != nil {
		t.Fatal(err)
	}
	both := func(context string) []any {
		return []any{"repo:slipway-iac/slipway:" + context, "repo:slipway-iac@123456/slipway@456789:" + context}
	}
	const id, aud = "456789", "sts.amazonaws.com"
	workflow := func(file string) string {
		return "slipway-iac/slipway/.github/workflows/" + file + "@refs/heads/release"
	}
	for _, tt := range []struct {
		in   *recorder.Recorder
		role string
		want map[string]any
	}{
		{few, "preview", map[string]any{at + "aud": aud, at + "sub": "repo:slipway-iac/slipway:pull_request"}},
		{few, "deploy", map[string]any{at + "aud": aud, at + "sub": "repo:slipway-iac/slipway:environment:production", at + "ref": "refs/heads/main"}},
		{few, "drift", map[string]any{at + "aud": aud, at + "sub": "repo:slipway-iac/slipway:ref:refs/heads/main", at + "ref": "refs/heads/main"}},
		{all, "preview", map[string]any{at + "aud": aud, at + "sub": both("pull_request"), at + "repository_id": id}},
		{all, "deploy", map[string]any{at + "aud": aud, at + "sub": both("environment:prod"), at + "repository_id": id, at + "ref": "refs/heads/release", at + "job_workflow_ref": workflow("deploy.yml")}},
		{all, "drift", map[string]any{at + "aud": aud, at + "sub": both("ref:refs/heads/release"), at + "repository_id": id, at + "ref": "refs/heads/release", at + "job_workflow_ref": workflow("drift.yml")}},
		{all, "promote", map[string]any{at + "aud": aud, at + "sub": both("environment:promotion"), at + "repository_id": id, at + "ref": "refs/heads/release", at + "job_workflow_ref": workflow("promote.yml")}},
	} {
		p := read(t, tt.in, roleType, "pipeline-"+tt.role, "assumeRolePolicy")
		if len(p.Statement) != 1 || p.Statement[0].Effect != "Allow" || p.Statement[0].Action != "sts:AssumeRoleWithWebIdentity" {
			t.Fatalf("%s: %+v", tt.role, p)
		}
		want := map[string]map[string]any{"StringEquals": tt.want}
		if got := p.Statement[0].Condition; mustJSON(t, got) != mustJSON(t, want) {
			t.Errorf("%s trusts\n%s, want\n%s", tt.role, mustJSON(t, got), mustJSON(t, want))
		}
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestNoWayUp: without a boundary the deploy role attaches nothing but what is named and writes no policies; with one it makes nothing
// without it.
func TestNoWayUp(t *testing.T) {
	few, all := &recorder.Recorder{}, &recorder.Recorder{}
	if err := run(few, fewest(), nil); err != nil {
		t.Fatal(err)
	}
	if err := run(all, most(), nil); err != nil {
		t.Fatal(err)
	}
	guarded := func(r *recorder.Recorder, operator, key string, actions ...string) {
		t.Helper()
		for _, s := range read(t, r, policyType, "pipeline-identity", "policy").Statement {
			for _, a := range texts(s.Action) {
				if slices.Contains(actions, a) && s.Condition[operator][key] == nil {
					t.Errorf("%s is allowed without a condition on %s: %+v", a, key, s)
				}
			}
		}
	}
	guarded(few, "ArnEquals", "iam:PolicyARN", "iam:AttachRolePolicy")
	guarded(all, "StringEquals", "iam:PermissionsBoundary", "iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary")
	guarded(all, "StringEquals", "iam:PassedToService", "iam:PassRole")
	for _, s := range read(t, few, policyType, "pipeline-identity", "policy").Statement {
		for _, never := range []string{"iam:PutRolePolicy", "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary"} {
			if slices.Contains(texts(s.Action), never) {
				t.Errorf("without a boundary, %s is allowed", never)
			}
		}
	}
	for _, s := range read(t, all, policyType, "pipeline-identity", "policy").Statement {
		if slices.Contains(texts(s.Action), "iam:DeleteRolePermissionsBoundary") {
			t.Error("the boundary can be taken away")
		}
		for _, r := range texts(s.Resource) {
			if strings.Contains(r, "token.actions") || r == "*" || strings.HasSuffix(r, ":role/*") {
				t.Errorf("%v reaches %s", s.Action, r)
			}
		}
	}
}

func texts(v any) []string {
	if s, one := v.(string); one {
		return []string{s}
	}
	var out []string
	for _, e := range v.([]any) {
		out = append(out, e.(string))
	}
	return out
}

func TestRolesErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*ci.RolesArgs)
		want   string
	}{
		"nothing given": {func(a *ci.RolesArgs) { *a = ci.RolesArgs{} }, `slipway:index:Roles "pipeline" has 7 invalid argument(s):
  repository is required, for example "slipway-iac/slipway"
  stateBucketArn is required, for example state.BucketArn
  secretsKeyArn is required, for example state.KeyArn
  stack.cluster is required, for example "slipway-prod-cluster"
  stack.repositories is required, for example ["frontend"]
  stack.rolePrefixes is required, for example ["cluster-"]
  stack.hostedZoneIds is required, for example ["Z0123456789ABCDEFGHIJ"]`},
		"every repository of an owner": {func(a *ci.RolesArgs) { a.Repository = "slipway-iac/*" }, `repository is "slipway-iac/*", must be "OWNER/NAME" as at GitHub, without wildcards`},
		"any single character":         {func(a *ci.RolesArgs) { a.Repository = "slipway-ia?/slipway" }, `repository is "slipway-ia?/slipway"`},
		"an owner alone":               {func(a *ci.RolesArgs) { a.Repository = "slipway-iac" }, `repository is "slipway-iac"`},
		"a URL":                        {func(a *ci.RolesArgs) { a.Repository = "https://github.com/slipway-iac/slipway" }, `repository is "https://github.com/slipway-iac/slipway"`},
		"a repository with a context":  {func(a *ci.RolesArgs) { a.Repository = "slipway-iac/slipway:ref" }, `repository is "slipway-iac/slipway:ref"`},
		"every branch":                 {func(a *ci.RolesArgs) { a.Branch = "*" }, `branch is "*", must be the name of a branch, like "main", without "refs/heads/" and without wildcards`},
		"branches by prefix":           {func(a *ci.RolesArgs) { a.Branch = "release/*" }, `branch is "release/*"`},
		"a ref":                        {func(a *ci.RolesArgs) { a.Branch = "refs/heads/main" }, `branch is "refs/heads/main"`},
		"every environment":            {func(a *ci.RolesArgs) { a.Environment = "*" }, `environment is "*", must be the name of an environment: letters, digits and "._-", like "production"`},
		"an environment with a colon":  {func(a *ci.RolesArgs) { a.Environment = "prod:x" }, `environment is "prod:x"`},
		"a path to a workflow":         {func(a *ci.RolesArgs) { a.DeployWorkflow = ".github/workflows/deploy.yml" }, `deployWorkflow is ".github/workflows/deploy.yml", must be a file below .github/workflows, like "deploy.yml"`},
		"one number":                   {func(a *ci.RolesArgs) { a.RepositoryID = 7 }, `repositoryId is 7 and ownerId is 0: must be given both, or none`},
		"a key by its alias":           {func(a *ci.RolesArgs) { a.SecretsKeyArn = pulumi.String("alias/pulumi") }, `secretsKeyArn is "alias/pulumi", must be the ARN of a key, like "arn:aws:kms:us-west-2:123456789012:key/1234abcd-…": IAM does not know a key by its alias`},
		"any role":                     {func(a *ci.RolesArgs) { a.Stack.RolePrefixes = []string{"*"} }, `stack.rolePrefixes[0] is "*", must be the beginning of a role's name, like "cluster-"`},
		"a prefix of its own roles": {
			func(a *ci.RolesArgs) { a.Stack.RolePrefixes = []string{"cluster-", "pipe"} },
			`stack.rolePrefixes[1] is "pipe", which the role "pipeline-preview" begins with: it could give itself every right`,
		},
		"a prefix of its own path": {
			func(a *ci.RolesArgs) { a.Path, a.Stack.RolePrefixes = "/pipeline/", []string{"pipeline"} }, `stack.rolePrefixes[0] is "pipeline", which the role "pipeline-preview" begins with`,
		},
		"too short":       {func(a *ci.RolesArgs) { a.SessionMinutes = 15 }, `sessionMinutes is 15, must be 60 to 720`},
		"a name too long": {func(a *ci.RolesArgs) { a.NamePrefix = strings.Repeat("x", 58) }, `namePrefix is 58 characters long, must be at most 57: a role's name has 64`},
		"another issuer": {func(a *ci.RolesArgs) {
			a.ProviderArn = pulumi.String("arn:aws:iam::123456789012:oidc-provider/example.com")
		}, `providerArn is "arn:aws:iam::123456789012:oidc-provider/example.com"`},
		"nowhere to promote": {func(a *ci.RolesArgs) { a.Promote = &ci.Promote{} }, `promote.to is required`},
		"everything promoted": {
			func(a *ci.RolesArgs) {
				a.Promote = &ci.Promote{To: []string{"arn:aws:ecr:us-west-2:123456789012:repository/*"}}
			}, `promote.to[0] is "arn:aws:ecr:us-west-2:123456789012:repository/*", must be the ARN of a repository`,
		},
		"too many policies": {
			func(a *ci.RolesArgs) {
				a.DeployPolicyArns = slices.Repeat([]pulumi.StringInput{pulumi.String("arn:aws:iam::123456789012:policy/x")}, 5)
			},
			`deployPolicyArns has 5 entries, must have at most 4: a role has 10 policies`,
		},
		"more than a policy holds": {
			func(a *ci.RolesArgs) {
				for i := range 90 {
					a.Stack.Repositories = append(a.Stack.Repositories, fmt.Sprintf("repository-%d", i))
				}
			}, `stack names too much: the policy "read" is `,
		},
	} {
		t.Run(name, func(t *testing.T) {
			args := fewest()
			tt.change(args)
			r := &recorder.Recorder{}
			err := run(r, args, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v, want it to say\n%s", err, tt.want)
			}
			if n := len(r.Seen()); n > 1 { // the stack itself
				t.Errorf("something was registered:\n%s", r.Tree())
			}
		})
	}
}

// TestCheckBeforeTheState: what flows in from the state is no problem before it is there; the rest is.
func TestCheckBeforeTheState(t *testing.T) {
	args := fewest()
	args.StateBucketArn, args.SecretsKeyArn = nil, nil
	if err := args.Check(nil, "pipeline"); err != nil {
		t.Error(err)
	}
	args.Branch = "*"
	if err := args.Check(nil, "pipeline"); err == nil || strings.Contains(err.Error(), "required") {
		t.Errorf("the error is %v", err)
	}
}
