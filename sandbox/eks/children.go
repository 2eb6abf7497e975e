package eks

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// The children, with the outputs that are used of them. The SDKs of package aws and kubernetes have them all, and would add
// minutes to the build.
type (
	role struct {
		pulumi.CustomResourceState
		Arn  pulumi.StringOutput `pulumi:"arn"`
		Name pulumi.StringOutput `pulumi:"name"`
	}
	eksCluster struct {
		pulumi.CustomResourceState
		Arn                  pulumi.StringOutput    `pulumi:"arn"`
		Name                 pulumi.StringOutput    `pulumi:"name"`
		Version              pulumi.StringOutput    `pulumi:"version"`
		Endpoint             pulumi.StringOutput    `pulumi:"endpoint"`
		CertificateAuthority pulumi.StringMapOutput `pulumi:"certificateAuthority"`
		Identities           pulumi.ArrayOutput     `pulumi:"identities"`
		VpcConfig            pulumi.MapOutput       `pulumi:"vpcConfig"`
		EncryptionConfig     pulumi.MapOutput       `pulumi:"encryptionConfig"`
	}
	securityGroupRule struct {
		pulumi.CustomResourceState
		SecurityGroupRuleID pulumi.StringOutput `pulumi:"securityGroupRuleId"`
	}
	oidcProvider struct {
		pulumi.CustomResourceState
		Arn pulumi.StringOutput `pulumi:"arn"`
	}
	// other children are referred to by id alone.
	other struct{ pulumi.CustomResourceState }

	kubernetesProvider struct{ pulumi.ProviderResourceState }

	serviceRole struct {
		pulumi.ResourceState
		role        *role
		attachments []pulumi.Resource
	}
)
