// What an admin makes once for a repository at GitHub, before its first deployment: where its stacks keep their state, and the roles that
// its workflows take. The outputs are the repository's variables:
//
//	pulumi stack output --json | jq -r 'to_entries[] | "\(.key) \(.value)"' |
//	  while read -r name value; do gh variable set "$name" --body "$value"; done
package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"github.com/slipway-iac/slipway/components/ci"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		region, err := aws.GetRegion(ctx, &aws.GetRegionArgs{})
		if err != nil {
			return err
		}
		state, err := ci.NewState(ctx, "slipway-state", &ci.StateArgs{
			KeyAlias:  "pulumi",
			Ephemeral: config.GetBool(ctx, "ephemeral"), // for a try-out: the bucket and the key may go, with all that is in them
		})
		if err != nil {
			return err
		}
		roles, err := ci.NewRoles(ctx, "slipway", &ci.RolesArgs{
			Repository:     "slipway-iac/slipway",
			StateBucketArn: state.BucketArn, SecretsKeyArn: state.KeyArn,
			DeployWorkflow: "deploy.yml", DriftWorkflow: "drift.yml",
			// What Pulumi.prod.yaml makes, by the names that it has at AWS.
			Stack: ci.Stack{
				Cluster:        "slipway-prod-cluster",
				Repositories:   []string{"frontend", "thoughts_server", "users_server"},
				RolePrefixes:   []string{"cluster-"},
				BucketPrefixes: []string{"door-logs-"},
				HostedZoneIds:  []string{"Z0EXAMPLECOM000000000"},
			},
			Promote: &ci.Promote{
				Workflow: "promote.yml",
				From:     []string{"arn:aws:ecr:us-west-2:111111111111:repository/frontend"},
				To:       []string{"arn:aws:ecr:us-west-2:123456789012:repository/frontend"},
			},
		})
		if err != nil {
			return err
		}
		ctx.Export("AWS_PREVIEW_ROLE", roles.PreviewRoleArn)
		ctx.Export("AWS_DEPLOY_ROLE", roles.DeployRoleArn)
		ctx.Export("AWS_DRIFT_ROLE", roles.DriftRoleArn)
		ctx.Export("AWS_PROMOTE_ROLE", roles.PromoteRoleArn)
		ctx.Export("AWS_REGION", pulumi.String(region.Name))
		ctx.Export("PULUMI_BACKEND_URL", state.BackendUrl)
		ctx.Export("PULUMI_SECRETS_PROVIDER", state.SecretsProvider)
		return nil
	})
}
