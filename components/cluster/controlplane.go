package cluster

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// controlPlane makes the cluster, and before it what it writes to: its key and its log group.
func (b *builder) controlPlane() (*eks.Cluster, error) {
	keep := []pulumi.ResourceOption{b.below}
	if !b.AllowDeletion {
		keep = append(keep, pulumi.Protect(true))
	}
	key, err := kms.NewKey(b.ctx, b.name+"-secrets", &kms.KeyArgs{
		Description:          pulumi.String("Secrets of the Kubernetes cluster " + b.ClusterName),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(30),
		Tags:                 b.tags(b.ClusterName + "-secrets"),
	}, keep...)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	if _, err := kms.NewAlias(b.ctx, b.name+"-secrets", &kms.AliasArgs{
		Name:        pulumi.String("alias/" + b.ClusterName + "-secrets"),
		TargetKeyId: key.KeyId,
	}, b.below); err != nil {
		return nil, fmt.Errorf("key's alias: %w", err)
	}
	// EKS writes to a group of this name and makes it, with no retention, if it is not there at the first line.
	logs, err := cloudwatch.NewLogGroup(b.ctx, b.name+"-logs", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/aws/eks/" + b.ClusterName + "/cluster"),
		RetentionInDays: pulumi.Int(b.LogRetentionDays),
		Tags:            b.tags(b.ClusterName),
	}, b.below)
	if err != nil {
		return nil, fmt.Errorf("log group: %w", err)
	}
	api, yes, no := eks.AuthenticationModeApi, true, false
	args := &eks.ClusterArgs{
		Name:                   pulumi.String(b.ClusterName),
		Version:                pulumi.String(b.Version),
		AuthenticationMode:     &api,
		VpcId:                  b.VpcId.ToStringOutput().ToStringPtrOutput(),
		PublicSubnetIds:        b.PublicSubnetIds,
		PrivateSubnetIds:       b.PrivateSubnetIds,
		EndpointPrivateAccess:  pulumi.Bool(true),
		EndpointPublicAccess:   pulumi.Bool(len(b.PublicAccessCidrs) > 0),
		EncryptionConfigKeyArn: key.Arn,
		EnabledClusterLogTypes: pulumi.ToStringArray([]string{"api", "audit", "authenticator"}),
		ClusterTags:            pulumi.StringMap{"Name": pulumi.String(b.ClusterName)},
		SkipDefaultNodeGroup:   &yes,
		// Managed nodes are in the security group that EKS makes; the plugin's own would hold nothing.
		SkipDefaultSecurityGroups: &yes,
		// The plugin asks AWS for the most recent version of its add-ons on every run, so that plans change by the day. The
		// add-ons are made here instead.
		UseDefaultVpcCni:      &yes,
		KubeProxyAddonOptions: &eks.KubeProxyAddonOptionsArgs{Enabled: &no},
	}
	if len(b.PublicAccessCidrs) > 0 {
		args.PublicAccessCidrs = pulumi.ToStringArray(b.PublicAccessCidrs)
	}
	if len(b.Tags) > 0 {
		args.Tags = pulumi.ToStringMap(b.Tags)
	}
	if b.KubeconfigRole != "" {
		args.ProviderCredentialOpts = eks.KubeconfigOptionsArgs{RoleArn: pulumi.String(b.KubeconfigRole)}
	}
	return eks.NewCluster(b.ctx, b.name+"-eks", args, append(keep,
		pulumi.DependsOn([]pulumi.Resource{logs}), pulumi.Transforms([]pulumi.ResourceTransform{withoutCreatorAsAdmin}))...)
}

// withoutCreatorAsAdmin keeps the cluster from making whoever creates it an admin. The plugin always asks for that, and then
// the creator's own entry in Admins fails as one that exists already (github.com/pulumi/pulumi-eks/issues/2373).
func withoutCreatorAsAdmin(_ context.Context, r *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
	if r.Type != "aws:eks/cluster:Cluster" {
		return nil
	}
	r.Props["accessConfig"] = pulumi.Map{
		"authenticationMode":                      pulumi.String(eks.AuthenticationModeApi),
		"bootstrapClusterCreatorAdminPermissions": pulumi.Bool(false),
	}
	// A transform cannot leave this unsaid, and two clusters of one name cannot exist.
	r.Opts.DeleteBeforeReplace = true
	return &pulumi.ResourceTransformResult{Props: r.Props, Opts: r.Opts}
}

// identityProvider lets IAM roles be assumed by service accounts. It is not the plugin's: that one reads a certificate off the
// internet in each run, for a thumbprint that AWS no longer looks at.
func (b *builder) identityProvider(control *eks.Cluster) (*iam.OpenIdConnectProvider, error) {
	return iam.NewOpenIdConnectProvider(b.ctx, b.name+"-oidc", &iam.OpenIdConnectProviderArgs{
		Url:           control.OidcProviderUrl,
		ClientIdLists: pulumi.ToStringArray([]string{"sts.amazonaws.com"}),
		Tags:          b.tags(b.ClusterName),
	}, b.below)
}
