package ci_test

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/ci"
	"github.com/slipway-iac/slipway/internal/recorder"
)

const (
	roleType     = "aws:iam/role:Role"
	policyType   = "aws:iam/policy:Policy"
	attachedType = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	account      = "123456789012"
)

// answering is a recorder that answers as AWS does.
func answering(r *recorder.Recorder) *recorder.Recorder {
	arn := func(of func(name string) string) func(pulumi.MockResourceArgs) resource.PropertyMap {
		return func(a pulumi.MockResourceArgs) resource.PropertyMap {
			return resource.PropertyMap{"arn": resource.NewProperty(of(a.Name))}
		}
	}
	r.Outputs = map[string]func(pulumi.MockResourceArgs) resource.PropertyMap{
		policyType: arn(func(name string) string { return "arn:aws:iam::" + account + ":policy/" + name }),
		roleType: func(a pulumi.MockResourceArgs) resource.PropertyMap {
			return resource.PropertyMap{"arn": resource.NewProperty("arn:aws:iam::" + account + ":role" + a.Inputs["path"].StringValue() + a.Inputs["name"].StringValue())}
		},
		"aws:iam/openIdConnectProvider:OpenIdConnectProvider": arn(func(string) string {
			return "arn:aws:iam::" + account + ":oidc-provider/token.actions.githubusercontent.com"
		}),
		"aws:s3/bucketV2:BucketV2": func(a pulumi.MockResourceArgs) resource.PropertyMap {
			return resource.PropertyMap{"arn": resource.NewProperty("arn:aws:s3:::" + a.Name + "-1a2b3c4"), "bucket": resource.NewProperty(a.Name + "-1a2b3c4")}
		},
		"aws:kms/key:Key": arn(func(string) string { return secretsKey }),
	}
	text := func(k, v string) func(resource.PropertyMap) resource.PropertyMap {
		return func(resource.PropertyMap) resource.PropertyMap {
			return resource.PropertyMap{resource.PropertyKey(k): resource.NewProperty(v)}
		}
	}
	r.Calls = map[string]func(resource.PropertyMap) resource.PropertyMap{
		"aws:index/getPartition:getPartition":           text("partition", "aws"),
		"aws:index/getCallerIdentity:getCallerIdentity": text("accountId", account),
		"aws:index/getRegion:getRegion":                 text("name", "us-west-2"),
	}
	return r
}

const (
	secretsKey  = "arn:aws:kms:us-west-2:" + account + ":key/1234abcd-12ab-34cd-56ef-1234567890ab"
	stateKey    = "arn:aws:kms:us-west-2:" + account + ":key/aaaaaaaa-12ab-34cd-56ef-1234567890ab"
	stateBucket = "arn:aws:s3:::team-state"
)

// fewest are the arguments without which there are no roles.
func fewest() *ci.RolesArgs {
	return &ci.RolesArgs{
		Repository: "slipway-iac/slipway", StateBucketArn: pulumi.String(stateBucket), SecretsKeyArn: pulumi.String(secretsKey),
		Stack: ci.Stack{Cluster: "slipway-prod-cluster", Repositories: []string{"frontend"}, RolePrefixes: []string{"cluster-"}, HostedZoneIds: []string{"Z0EXAMPLECOM000000000"}},
	}
}

// most are arguments with everything.
func most() *ci.RolesArgs {
	a := fewest()
	a.OwnerID, a.RepositoryID, a.Branch, a.Environment = 123456, 456789, "release", "prod"
	a.DeployWorkflow, a.DriftWorkflow = "deploy.yml", "drift.yml"
	a.ProviderArn = pulumi.String("arn:aws:iam::" + account + ":oidc-provider/token.actions.githubusercontent.com")
	a.StateKeyArn, a.Region = pulumi.String(stateKey), "eu-west-1"
	a.Stack.Repositories, a.Stack.BucketPrefixes = []string{"frontend", "team/users"}, []string{"door-logs-"}
	a.PermissionsBoundaryArn = "arn:aws:iam::" + account + ":policy/boundary"
	a.Promote = &ci.Promote{
		Environment: "promotion", Workflow: "promote.yml", From: []string{"arn:aws:ecr:us-west-2:111111111111:repository/frontend"},
		To: []string{"arn:aws:ecr:us-west-2:" + account + ":repository/frontend"},
	}
	a.ReadPolicyArns = []pulumi.StringInput{pulumi.String("arn:aws:iam::" + account + ":policy/read-more")}
	a.DeployPolicyArns = []pulumi.StringInput{pulumi.String("arn:aws:iam::" + account + ":policy/write-more")}
	a.SessionMinutes, a.NamePrefix, a.Path, a.Tags = 120, "slipway-", "/pipeline/", map[string]string{"team": "platform"}
	return a
}

func run(r *recorder.Recorder, args *ci.RolesArgs, use func(*ci.Roles)) error {
	return answering(r).Run(func(ctx *pulumi.Context) error {
		c, err := ci.NewRoles(ctx, "pipeline", args)
		if err == nil && use != nil {
			use(c)
		}
		return err
	})
}

// policy is a document of IAM as JSON has it.
type policy struct {
	Statement []struct {
		Sid, Effect      string
		Action, Resource any
		Condition        map[string]map[string]any
	}
}

func read(t *testing.T, r *recorder.Recorder, typ, name, property string) (p policy) {
	t.Helper()
	text := r.Find(t, typ, name).Inputs[resource.PropertyKey(property)].StringValue()
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatalf("%s of %s: %v\n%s", property, name, err, text)
	}
	return p
}
