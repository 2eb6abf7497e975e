package eks

import (
	"maps"
	"slices"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// remoteCluster is an eks:index:Cluster that somebody else made, read from the engine by its URN.
type remoteCluster struct {
	pulumi.ResourceState
	Core           pulumi.MapOutput    `pulumi:"core"`
	EksCluster     pulumi.AnyOutput    `pulumi:"eksCluster"`
	KubeconfigJSON pulumi.StringOutput `pulumi:"kubeconfigJson"`
}

// module reads resources that arguments refer to.
type module struct {
	version string
	empty   func() pulumi.Resource
}

func (m module) Version() semver.Version { return semver.MustParse(m.version) }

func (m module) Construct(ctx *pulumi.Context, name, typ, urn string) (pulumi.Resource, error) {
	r := m.empty()
	return r, ctx.RegisterResource(typ, name, nil, r, pulumi.URN_(urn))
}

func init() {
	pulumi.RegisterResourceModule("eks", "index", module{Version, func() pulumi.Resource { return &remoteCluster{} }})
	pulumi.RegisterResourceModule("aws", "eks/cluster", module{awsVersion, func() pulumi.Resource { return &eksCluster{} }})
	pulumi.RegisterResourceModule("aws", "iam/role", module{awsVersion, func() pulumi.Resource { return &role{} }})
}

// clusterOf is the EKS cluster that an argument names: an eks:index:Cluster, or the core of one.
func clusterOf(v pulumi.Input, read func(*eksCluster) pulumi.StringOutput) pulumi.StringOutput {
	return pulumi.ToOutput(v).ApplyT(func(v any) pulumi.StringOutput {
		switch v := v.(type) {
		case *remoteCluster:
			return v.EksCluster.ApplyT(func(c any) pulumi.StringOutput { return read(c.(*eksCluster)) }).(pulumi.StringOutput)
		case map[string]any:
			if c, ok := v["cluster"].(*eksCluster); ok {
				return read(c)
			}
		}
		return pulumi.String("").ToStringOutput()
	}).(pulumi.StringOutput)
}

// coreOf is the core of a cluster that an argument names.
func coreOf(v pulumi.Input) pulumi.MapOutput {
	return pulumi.ToOutput(v).ApplyT(func(v any) pulumi.MapOutput {
		if c, ok := v.(*remoteCluster); ok {
			return c.Core
		}
		m, _ := v.(map[string]any)
		return pulumi.ToMap(m).ToMapOutput()
	}).(pulumi.MapOutput)
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
