package eks

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
)

const addonType = "eks:index:Addon"

// addon is an add-on that the cluster makes itself, in the newest version unless one is given.
func (c *clusterBuild) addon(name string, o addonOptions) error {
	version := o.Version
	if version == nil {
		version = c.cluster.Version.ApplyT(func(kubernetes string) (string, error) {
			var found struct {
				Version string `pulumi:"version"`
			}
			err := c.ctx.Invoke("aws:eks/getAddonVersion:getAddonVersion", &struct {
				AddonName         string `pulumi:"addonName"`
				KubernetesVersion string `pulumi:"kubernetesVersion"`
				MostRecent        bool   `pulumi:"mostRecent"`
			}{name, kubernetes, true}, &found, pulumi.Parent(c.self), pulumi.Version(awsVersion))
			return found.Version, err
		}).(pulumi.StringOutput)
	}
	props := pulumi.Map{
		"clusterName": c.cluster.Name, "addonName": pulumi.String(name), "preserve": pulumi.Bool(true), "addonVersion": version,
		"resolveConflictsOnCreate": pulumi.String(either(o.ResolveConflictsOnCreate, "OVERWRITE")),
		"resolveConflictsOnUpdate": pulumi.String(either(o.ResolveConflictsOnUpdate, "OVERWRITE")),
	}
	if c.Tags != nil {
		props["tags"] = c.Tags
	}
	if len(o.ConfigurationValues) > 0 {
		text, err := json.Marshal(o.ConfigurationValues)
		if err != nil {
			return fmt.Errorf("add-on %s: %w", name, err)
		}
		props["configurationValues"] = pulumi.String(text)
	}
	return c.aws("aws:eks/addon:Addon", c.name+"-"+name, props, &other{})
}

func either(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// addonComponent is the component eks:index:Addon; it has no outputs.
type addonComponent struct{ pulumi.ResourceState }

// newAddon makes an add-on in a cluster that eks:index:Cluster made.
func newAddon(b *build, inputs provider.ConstructInputs) (pulumi.ComponentResource, error) {
	known := []string{"addonName", "addonVersion", "configurationValues", "preserve", "resolveConflictsOnCreate", "resolveConflictsOnUpdate", "serviceAccountRoleArn"}
	if err := b.unknownArguments(inputs, append(known, "cluster")...); err != nil {
		return nil, err
	}
	given, err := inputs.Map()
	if err != nil {
		return nil, err
	}
	c := &addonComponent{}
	if err := b.register(c); err != nil {
		return nil, err
	}
	props := pulumi.Map{"clusterName": clusterOf(given["cluster"], func(c *eksCluster) pulumi.StringOutput { return c.Name })}
	for _, k := range known {
		if given[k] != nil {
			props[k] = given[k]
		}
	}
	if v := given["configurationValues"]; v != nil {
		props["configurationValues"] = pulumi.JSONMarshal(v)
	}
	return c, b.aws("aws:eks/addon:Addon", b.name, props, &other{})
}
