package eks

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// clusterArgs are the arguments that the stand-in understands. Plain ones decide what is made.
type clusterArgs struct {
	AccessEntries                   map[string]accessEntry  `pulumi:"accessEntries"`
	AuthenticationMode              string                  `pulumi:"authenticationMode"`
	ClusterSecurityGroupTags        pulumi.StringMapInput   `pulumi:"clusterSecurityGroupTags"`
	ClusterTags                     pulumi.StringMapInput   `pulumi:"clusterTags"`
	CorednsAddonOptions             addonOptions            `pulumi:"corednsAddonOptions"`
	CreateInstanceRole              bool                    `pulumi:"createInstanceRole"`
	CreateOidcProvider              bool                    `pulumi:"createOidcProvider"`
	EnabledClusterLogTypes          pulumi.StringArrayInput `pulumi:"enabledClusterLogTypes"`
	EncryptionConfigKeyArn          pulumi.StringInput      `pulumi:"encryptionConfigKeyArn"`
	EndpointPrivateAccess           pulumi.BoolInput        `pulumi:"endpointPrivateAccess"`
	EndpointPublicAccess            pulumi.BoolInput        `pulumi:"endpointPublicAccess"`
	IPFamily                        pulumi.StringInput      `pulumi:"ipFamily"`
	KubeProxyAddonOptions           addonOptions            `pulumi:"kubeProxyAddonOptions"`
	KubernetesServiceIPAddressRange pulumi.StringInput      `pulumi:"kubernetesServiceIpAddressRange"`
	Name                            pulumi.StringInput      `pulumi:"name"`
	NodeSecurityGroupTags           pulumi.StringMapInput   `pulumi:"nodeSecurityGroupTags"`
	PrivateSubnetIDs                pulumi.StringArrayInput `pulumi:"privateSubnetIds"`
	ProviderCredentialOpts          pulumi.StringMapInput   `pulumi:"providerCredentialOpts"`
	PublicAccessCidrs               pulumi.StringArrayInput `pulumi:"publicAccessCidrs"`
	PublicSubnetIDs                 pulumi.StringArrayInput `pulumi:"publicSubnetIds"`
	SkipDefaultNodeGroup            bool                    `pulumi:"skipDefaultNodeGroup"`
	SkipDefaultSecurityGroups       bool                    `pulumi:"skipDefaultSecurityGroups"`
	SubnetIDs                       pulumi.StringArrayInput `pulumi:"subnetIds"`
	Tags                            pulumi.StringMapInput   `pulumi:"tags"`
	UseDefaultVpcCni                bool                    `pulumi:"useDefaultVpcCni"`
	Version                         pulumi.StringInput      `pulumi:"version"`
	VpcID                           pulumi.StringInput      `pulumi:"vpcId"`
}

type addonOptions struct {
	ConfigurationValues      map[string]any     `pulumi:"configurationValues"`
	Enabled                  *bool              `pulumi:"enabled"`
	ResolveConflictsOnCreate string             `pulumi:"resolveConflictsOnCreate"`
	ResolveConflictsOnUpdate string             `pulumi:"resolveConflictsOnUpdate"`
	Version                  pulumi.StringInput `pulumi:"version"`
}

type accessEntry struct {
	AccessPolicies   map[string]accessPolicy `pulumi:"accessPolicies"`
	KubernetesGroups pulumi.StringArrayInput `pulumi:"kubernetesGroups"`
	PrincipalArn     pulumi.StringInput      `pulumi:"principalArn"`
	Tags             pulumi.StringMapInput   `pulumi:"tags"`
	Type             pulumi.StringInput      `pulumi:"type"`
	Username         pulumi.StringInput      `pulumi:"username"`
}

type accessPolicy struct {
	AccessScope pulumi.MapInput    `pulumi:"accessScope"`
	PolicyArn   pulumi.StringInput `pulumi:"policyArn"`
}

// tags are the names of a struct's arguments.
func tags(args any) []string {
	var out []string
	for t, i := reflect.TypeOf(args), 0; i < t.NumField(); i++ {
		out = append(out, t.Field(i).Tag.Get("pulumi"))
	}
	return out
}

// check refuses what the real plugin refuses, and what this one cannot do.
func (c *clusterBuild) check() error {
	switch {
	case c.SubnetIDs != nil && (c.PublicSubnetIDs != nil || c.PrivateSubnetIDs != nil):
		return errors.New("subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually exclusive: choose a single approach")
	case c.AuthenticationMode != "API":
		return fmt.Errorf("authenticationMode is %q, must be API: the sandbox lets people into Kubernetes by access entries only, not by the ConfigMap aws-auth. %s", c.AuthenticationMode, realPlugin)
	case !c.SkipDefaultNodeGroup:
		return fmt.Errorf("skipDefaultNodeGroup must be true: the sandbox has managed node groups only. %s", realPlugin)
	case c.CreateInstanceRole:
		return fmt.Errorf("createInstanceRole must not be true: the sandbox has managed node groups only. %s", realPlugin)
	case !c.UseDefaultVpcCni:
		return fmt.Errorf("useDefaultVpcCni must be true: the sandbox does not know the component eks:index:VpcCniAddon; make the add-on vpc-cni as an aws:eks/addon:Addon. %s", realPlugin)
	case c.VpcID == nil:
		return errors.New("vpcId is required: the sandbox's account has no default VPC")
	}
	return nil
}
