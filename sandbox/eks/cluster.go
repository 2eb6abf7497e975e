package eks

import (
	"errors"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
)

const clusterType = "eks:index:Cluster"

// cluster is the component; its outputs are those of the real one.
type cluster struct {
	pulumi.ResourceState
	AutoModeNodeRoleName    pulumi.StringOutput   `pulumi:"autoModeNodeRoleName"`
	ClusterIngressRuleID    pulumi.StringOutput   `pulumi:"clusterIngressRuleId"`
	ClusterSecurityGroup    pulumi.ResourceOutput `pulumi:"clusterSecurityGroup"`
	ClusterSecurityGroupID  pulumi.StringOutput   `pulumi:"clusterSecurityGroupId"`
	Core                    pulumi.MapOutput      `pulumi:"core"`
	DefaultNodeGroupAsgName pulumi.StringOutput   `pulumi:"defaultNodeGroupAsgName"`
	EksCluster              pulumi.ResourceOutput `pulumi:"eksCluster"`
	EksClusterIngressRule   pulumi.ResourceOutput `pulumi:"eksClusterIngressRule"`
	FargateProfileID        pulumi.StringOutput   `pulumi:"fargateProfileId"`
	FargateProfileStatus    pulumi.StringOutput   `pulumi:"fargateProfileStatus"`
	InstanceRoles           pulumi.ArrayOutput    `pulumi:"instanceRoles"`
	Kubeconfig              pulumi.AnyOutput      `pulumi:"kubeconfig"`
	KubeconfigJSON          pulumi.StringOutput   `pulumi:"kubeconfigJson"`
	NodeSecurityGroup       pulumi.ResourceOutput `pulumi:"nodeSecurityGroup"`
	NodeSecurityGroupID     pulumi.StringOutput   `pulumi:"nodeSecurityGroupId"`
	OidcIssuer              pulumi.StringOutput   `pulumi:"oidcIssuer"`
	OidcProviderArn         pulumi.StringOutput   `pulumi:"oidcProviderArn"`
	OidcProviderURL         pulumi.StringOutput   `pulumi:"oidcProviderUrl"`
}

// clusterBuild is a cluster while it is made.
type clusterBuild struct {
	*build
	clusterArgs
	out     *cluster
	role    *serviceRole
	group   *other
	cluster *eksCluster
}

func newCluster(b *build, inputs provider.ConstructInputs) (pulumi.ComponentResource, error) {
	c := &clusterBuild{build: b, out: &cluster{}}
	if err := b.unknownArguments(inputs, tags(c.clusterArgs)...); err != nil {
		return nil, err
	}
	if err := inputs.CopyTo(&c.clusterArgs); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := b.register(c.out); err != nil {
		return nil, err
	}
	for _, part := range []func() error{c.makeRole, c.makeSecurityGroup, c.makeCluster, c.makeKubeProxy, c.makeProvider, c.makeEntries, c.makeCoredns, c.makeOidc, c.makeNodeSecurity} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return c.out, c.finish()
}

func (c *clusterBuild) makeRole() (err error) {
	c.role, err = c.serviceRole(c.name+"-eksRole", "eks.amazonaws.com", "Allows EKS to manage clusters on your behalf.", c.Tags, "AmazonEKSClusterPolicy")
	return err
}

func (c *clusterBuild) subnetIDs() pulumi.StringArrayInput {
	if c.SubnetIDs != nil {
		return c.SubnetIDs
	}
	none := pulumi.StringArray{}
	public, private := c.PublicSubnetIDs, c.PrivateSubnetIDs
	if public == nil {
		public = none
	}
	if private == nil {
		private = none
	}
	return pulumi.All(public, private).ApplyT(func(l []any) []string {
		return append(append([]string{}, l[0].([]string)...), l[1].([]string)...)
	}).(pulumi.StringArrayOutput)
}

func (c *clusterBuild) makeCluster() error {
	vpc := pulumi.Map{"subnetIds": c.subnetIDs()}
	if c.group != nil {
		vpc["securityGroupIds"] = pulumi.StringArray{c.group.ID().ToStringOutput()}
	}
	if c.EndpointPrivateAccess != nil {
		vpc["endpointPrivateAccess"] = c.EndpointPrivateAccess
	}
	if c.EndpointPublicAccess != nil {
		vpc["endpointPublicAccess"] = c.EndpointPublicAccess
	}
	if c.PublicAccessCidrs != nil {
		vpc["publicAccessCidrs"] = c.cidrs()
	}
	props := pulumi.Map{
		"roleArn": c.role.role.Arn, "bootstrapSelfManagedAddons": pulumi.Bool(true), "vpcConfig": vpc,
		"tags": c.named(c.name+"-eksCluster", c.ClusterTags),
		"accessConfig": pulumi.Map{
			"authenticationMode": pulumi.String(c.AuthenticationMode), "bootstrapClusterCreatorAdminPermissions": pulumi.Bool(true),
		},
	}
	if c.Name != nil {
		props["name"] = c.Name
	}
	if c.Version != nil {
		props["version"] = c.Version
	}
	if c.EnabledClusterLogTypes != nil {
		props["enabledClusterLogTypes"] = c.EnabledClusterLogTypes
	}
	if c.EncryptionConfigKeyArn != nil {
		props["encryptionConfig"] = pulumi.Map{"provider": pulumi.Map{"keyArn": c.EncryptionConfigKeyArn}, "resources": pulumi.ToStringArray([]string{"secrets"})}
	}
	if network := c.network(); len(network) > 0 {
		props["kubernetesNetworkConfig"] = network
	}
	c.cluster = &eksCluster{}
	return c.aws("aws:eks/cluster:Cluster", c.name+"-eksCluster", props, c.cluster,
		pulumi.DependsOn(append([]pulumi.Resource{c.role.role}, c.role.attachments...)),
		// The real plugin ignores both: the provider's defaults differ between versions, and a change would replace the cluster.
		pulumi.IgnoreChanges([]string{"accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"}))
}

// cidrs refuses ranges for an endpoint that is not public.
func (c *clusterBuild) cidrs() pulumi.StringArrayOutput {
	public := c.EndpointPublicAccess
	if public == nil {
		public = pulumi.Bool(true)
	}
	return pulumi.All(c.PublicAccessCidrs, public).ApplyT(func(l []any) ([]string, error) {
		if !l[1].(bool) {
			return nil, errors.New("`publicAccessCidrs` can only be set when `endpointPublicAccess` is true")
		}
		return l[0].([]string), nil
	}).(pulumi.StringArrayOutput)
}

func (c *clusterBuild) network() pulumi.Map {
	out := pulumi.Map{}
	if c.KubernetesServiceIPAddressRange == nil && c.IPFamily == nil {
		return out
	}
	out["ipFamily"] = pulumi.String("ipv4")
	if c.IPFamily != nil {
		out["ipFamily"] = c.IPFamily
	}
	if c.KubernetesServiceIPAddressRange != nil {
		out["serviceIpv4Cidr"] = c.KubernetesServiceIPAddressRange
	}
	return out
}

func (c *clusterBuild) makeKubeProxy() error {
	o := c.KubeProxyAddonOptions
	if o.Enabled != nil && !*o.Enabled {
		return nil
	}
	return c.addon("kube-proxy", o)
}

func (c *clusterBuild) makeCoredns() error {
	o := c.CorednsAddonOptions
	if (o.Enabled == nil || !*o.Enabled) && len(o.ConfigurationValues) == 0 {
		return nil // without a default node group there is nowhere to run it
	}
	return c.addon("coredns", o)
}

func (c *clusterBuild) makeEntries() error {
	for _, key := range sorted(c.AccessEntries) {
		e := c.AccessEntries[key]
		entry := &other{}
		props := pulumi.Map{"clusterName": c.cluster.Name, "principalArn": e.PrincipalArn}
		if e.KubernetesGroups != nil {
			props["kubernetesGroups"] = e.KubernetesGroups
		}
		if e.Tags != nil {
			props["tags"] = e.Tags
		}
		if e.Type != nil {
			props["type"] = e.Type
		}
		if e.Username != nil {
			props["userName"] = e.Username
		}
		if err := c.aws("aws:eks/accessEntry:AccessEntry", c.name+"-"+key, props, entry, pulumi.DependsOn([]pulumi.Resource{c.cluster})); err != nil {
			return err
		}
		for _, p := range sorted(e.AccessPolicies) {
			policy := e.AccessPolicies[p]
			if err := c.aws("aws:eks/accessPolicyAssociation:AccessPolicyAssociation", c.name+"-"+key+"-"+p, pulumi.Map{
				"clusterName": c.cluster.Name, "principalArn": e.PrincipalArn, "policyArn": policy.PolicyArn, "accessScope": policy.AccessScope,
			}, &other{}, pulumi.Parent(entry), pulumi.DependsOn([]pulumi.Resource{entry})); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *clusterBuild) makeOidc() error {
	c.out.OidcProviderURL = c.cluster.Identities.ApplyT(issuer).(pulumi.StringOutput)
	c.out.OidcProviderArn = pulumi.String("").ToStringOutput()
	if !c.CreateOidcProvider {
		return nil
	}
	p := &oidcProvider{}
	// The real plugin gives the fingerprint of the issuer's top certificate; IAM finds it by itself.
	if err := c.aws("aws:iam/openIdConnectProvider:OpenIdConnectProvider", c.name+"-oidcProvider", pulumi.Map{
		"clientIdLists": pulumi.ToStringArray([]string{"sts.amazonaws.com"}), "url": c.out.OidcProviderURL,
	}, p); err != nil {
		return err
	}
	c.out.OidcProviderArn = p.Arn
	return nil
}

// issuer is the URL of identities[0].oidcs[0].issuer.
func issuer(identities []any) string {
	for _, i := range identities {
		m, _ := i.(map[string]any)
		oidcs, _ := m["oidcs"].([]any)
		for _, o := range oidcs {
			m, _ := o.(map[string]any)
			url, _ := m["issuer"].(string)
			return url
		}
	}
	return ""
}

// finish sets the outputs that are left.
func (c *clusterBuild) finish() error {
	o := c.out
	o.OidcIssuer = o.OidcProviderURL.ApplyT(func(url string) string { return strings.TrimPrefix(url, "https://") }).(pulumi.StringOutput)
	empty := pulumi.String("").ToStringOutput()
	o.AutoModeNodeRoleName, o.DefaultNodeGroupAsgName, o.FargateProfileID, o.FargateProfileStatus = empty, empty, empty, empty
	o.InstanceRoles = pulumi.Array{}.ToArrayOutput()
	o.EksCluster = pulumi.NewResourceOutput(c.cluster)
	core := pulumi.Map{
		"cluster": o.EksCluster, "clusterIamRole": pulumi.NewResourceOutput(c.role.role), "endpoint": c.cluster.Endpoint, "instanceRoles": o.InstanceRoles,
		"kubeconfig": o.Kubeconfig, "nodeGroupOptions": pulumi.Map{}, "storageClasses": pulumi.Map{}, "subnetIds": c.subnetIDs(), "vpcId": c.VpcID,
	}
	if c.PublicSubnetIDs != nil {
		core["publicSubnetIds"] = c.PublicSubnetIDs
	}
	if c.PrivateSubnetIDs != nil {
		core["privateSubnetIds"] = c.PrivateSubnetIDs
	}
	if c.Tags != nil {
		core["tags"] = c.Tags
	}
	o.Core = core.ToMapOutput()
	return c.ctx.RegisterResourceOutputs(o, pulumi.Map{
		"core": o.Core, "eksCluster": o.EksCluster, "instanceRoles": o.InstanceRoles, "kubeconfig": o.Kubeconfig, "kubeconfigJson": o.KubeconfigJSON,
		"clusterSecurityGroupId": o.ClusterSecurityGroupID, "nodeSecurityGroupId": o.NodeSecurityGroupID, "clusterIngressRuleId": o.ClusterIngressRuleID,
		"defaultNodeGroupAsgName": empty, "fargateProfileId": empty, "fargateProfileStatus": empty, "autoModeNodeRoleName": empty,
		"oidcProviderArn": o.OidcProviderArn, "oidcProviderUrl": o.OidcProviderURL, "oidcIssuer": o.OidcIssuer,
	})
}
