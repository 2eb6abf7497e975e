package eks

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
)

const managedNodeGroupType = "eks:index:ManagedNodeGroup"

type managedNodeGroup struct {
	pulumi.ResourceState
	NodeGroup          pulumi.ResourceOutput `pulumi:"nodeGroup"`
	PlacementGroupName pulumi.StringOutput   `pulumi:"placementGroupName"`
}

// passed are the arguments that go to the node group as they are.
var passed = []string{
	"amiType", "capacityType", "clusterName", "diskSize", "forceUpdateVersion", "instanceTypes", "labels", "launchTemplate", "nodeGroupName",
	"nodeGroupNamePrefix", "nodeRoleArn", "releaseVersion", "remoteAccess", "scalingConfig", "subnetIds", "tags", "taints", "version",
}

func newManagedNodeGroup(b *build, inputs provider.ConstructInputs) (pulumi.ComponentResource, error) {
	if err := b.unknownArguments(inputs, append([]string{"cluster", "ignoreScalingChanges", "nodeRole"}, passed...)...); err != nil {
		return nil, err
	}
	given, err := inputs.Map()
	if err != nil {
		return nil, err
	}
	var plain struct {
		IgnoreScalingChanges bool `pulumi:"ignoreScalingChanges"`
	}
	if err := inputs.CopyTo(&plain); err != nil {
		return nil, err
	}
	switch {
	case given["nodeRole"] != nil && given["nodeRoleArn"] != nil:
		return nil, errors.New("nodeRole: you cannot specify both nodeRole and nodeRoleArn when creating a managed node group")
	case given["nodeRole"] == nil && given["nodeRoleArn"] == nil:
		return nil, errors.New("nodeRole: an IAM role, or role ARN must be provided to create a managed node group")
	case given["cluster"] == nil:
		return nil, errors.New("cluster is required")
	}
	g := &managedNodeGroup{}
	if err := b.register(g); err != nil {
		return nil, err
	}
	props := pulumi.Map{"clusterName": clusterOf(given["cluster"], func(c *eksCluster) pulumi.StringOutput { return c.Name })}
	for _, k := range passed {
		if given[k] != nil {
			props[k] = given[k]
		}
	}
	if given["nodeRole"] != nil {
		props["nodeRoleArn"] = pulumi.ToOutput(given["nodeRole"]).ApplyT(func(v any) (pulumi.StringOutput, error) {
			r, ok := v.(*role)
			if !ok {
				return pulumi.StringOutput{}, fmt.Errorf("nodeRole is %s, must be an aws:iam/role:Role", reflect.TypeOf(v))
			}
			return r.Arn, nil
		}).(pulumi.StringOutput)
	}
	if given["scalingConfig"] == nil {
		props["scalingConfig"] = pulumi.Map{"desiredSize": pulumi.Int(2), "minSize": pulumi.Int(1), "maxSize": pulumi.Int(2)}
	}
	if given["subnetIds"] == nil {
		props["subnetIds"] = coreOf(given["cluster"]).ApplyT(func(core map[string]any) []any {
			for _, k := range []string{"subnetIds", "privateSubnetIds", "publicSubnetIds"} {
				if l, ok := core[k].([]any); ok {
					return l
				}
			}
			return nil
		}).(pulumi.ArrayOutput)
	}
	if given["version"] == nil && given["launchTemplate"] == nil {
		props["version"] = clusterOf(given["cluster"], func(c *eksCluster) pulumi.StringOutput { return c.Version })
	}
	var opts []pulumi.ResourceOption
	if plain.IgnoreScalingChanges {
		opts = append(opts, pulumi.IgnoreChanges([]string{"scalingConfig.desiredSize"}))
	}
	group := &other{}
	if err := b.aws("aws:eks/nodeGroup:NodeGroup", b.name, props, group, opts...); err != nil {
		return nil, err
	}
	g.NodeGroup, g.PlacementGroupName = pulumi.NewResourceOutput(group), pulumi.String("").ToStringOutput()
	return g, b.ctx.RegisterResourceOutputs(g, pulumi.Map{"nodeGroup": g.NodeGroup, "placementGroupName": g.PlacementGroupName})
}
