package eks

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

func (c *clusterBuild) makeSecurityGroup() error {
	if c.SkipDefaultSecurityGroups {
		return nil
	}
	c.group = &other{}
	if err := c.aws("aws:ec2/securityGroup:SecurityGroup", c.name+"-eksClusterSecurityGroup", pulumi.Map{
		"vpcId": c.VpcID, "revokeRulesOnDelete": pulumi.Bool(true), "tags": c.named(c.name+"-eksClusterSecurityGroup", c.ClusterSecurityGroupTags),
	}, c.group); err != nil {
		return err
	}
	return c.rule("eksClusterInternetEgressRule", "Allow internet access.", "egress", 0, 0, "-1", c.group, pulumi.Map{"cidrBlocks": pulumi.ToStringArray([]string{"0.0.0.0/0"})}, &other{})
}

// rule is a rule of a security group.
func (c *clusterBuild) rule(suffix, description, direction string, from, to int, protocol string, group *other, peer pulumi.Map, r pulumi.CustomResource) error {
	props := pulumi.Map{
		"description": pulumi.String(description), "type": pulumi.String(direction), "fromPort": pulumi.Int(from), "toPort": pulumi.Int(to),
		"protocol": pulumi.String(protocol), "securityGroupId": group.ID(),
	}
	for k, v := range peer {
		props[k] = v
	}
	return c.aws("aws:ec2/securityGroupRule:SecurityGroupRule", c.name+"-"+suffix, props, r)
}

// makeNodeSecurity makes the security group for nodes, unless it is not wanted.
func (c *clusterBuild) makeNodeSecurity() error {
	// The SDK takes an object for known where a part of it is not yet; the endpoint is unknown as long as the group is.
	groupID := pulumi.All(c.cluster.VpcConfig, c.cluster.Endpoint).ApplyT(func(l []any) string {
		id, _ := l[0].(map[string]any)["clusterSecurityGroupId"].(string)
		return id
	}).(pulumi.StringOutput)
	c.out.ClusterSecurityGroupID, c.out.NodeSecurityGroupID = groupID, groupID
	c.out.ClusterIngressRuleID = pulumi.String("").ToStringOutput()
	if c.group == nil {
		return nil
	}
	nodes, ingress := &other{}, &securityGroupRule{}
	owned := c.cluster.Name.ApplyT(func(name string) map[string]string {
		return map[string]string{"kubernetes.io/cluster/" + name: "owned"}
	}).(pulumi.StringMapOutput)
	if err := c.aws("aws:ec2/securityGroup:SecurityGroup", c.name+"-nodeSecurityGroup", pulumi.Map{
		"vpcId": c.VpcID, "revokeRulesOnDelete": pulumi.Bool(true),
		"tags": mergeTags(pulumi.StringMap{"Name": pulumi.String(c.name + "-nodeSecurityGroup")}, owned, c.NodeSecurityGroupTags, c.Tags),
	}, nodes); err != nil {
		return err
	}
	from := func(g *other) pulumi.Map { return pulumi.Map{"sourceSecurityGroupId": g.ID()} }
	anywhere := pulumi.Map{"cidrBlocks": pulumi.ToStringArray([]string{"0.0.0.0/0"})}
	for _, err := range []error{
		c.rule("eksNodeIngressRule", "Allow nodes to communicate with each other", "ingress", 0, 0, "-1", nodes, pulumi.Map{"self": pulumi.Bool(true)}, &other{}),
		c.rule("eksNodeClusterIngressRule", "Allow worker Kubelets and pods to receive communication from the cluster control plane", "ingress", 1025, 65535, "tcp", nodes, from(c.group), &other{}),
		c.rule("eksExtApiServerClusterIngressRule", "Allow pods running extension API servers on port 443 to receive communication from cluster control plane", "ingress", 443, 443, "tcp", nodes, from(c.group), &other{}),
		c.rule("eksNodeInternetEgressRule", "Allow internet access.", "egress", 0, 0, "-1", nodes, anywhere, &other{}),
		c.rule("eksClusterIngressRule", "Allow pods to communicate with the cluster API Server", "ingress", 443, 443, "tcp", c.group, from(nodes), ingress),
	} {
		if err != nil {
			return err
		}
	}
	c.out.ClusterSecurityGroupID, c.out.NodeSecurityGroupID = c.group.ID().ToStringOutput(), nodes.ID().ToStringOutput()
	c.out.ClusterIngressRuleID = ingress.SecurityGroupRuleID
	c.out.ClusterSecurityGroup, c.out.NodeSecurityGroup = pulumi.NewResourceOutput(c.group), pulumi.NewResourceOutput(nodes)
	c.out.EksClusterIngressRule = pulumi.NewResourceOutput(ingress)
	return nil
}

// named is tags with a Name that the more specific ones and then the component's own may replace.
func (c *clusterBuild) named(name string, specific pulumi.StringMapInput) pulumi.StringMapOutput {
	return mergeTags(pulumi.StringMap{"Name": pulumi.String(name)}, specific, c.Tags)
}

// mergeTags puts maps of tags together; later ones win.
func mergeTags(all ...pulumi.StringMapInput) pulumi.StringMapOutput {
	out := pulumi.StringMap{}.ToStringMapOutput()
	for _, m := range all {
		if m == nil {
			continue
		}
		out = pulumi.All(out, m).ApplyT(func(l []any) map[string]string {
			merged := map[string]string{}
			for _, e := range l {
				for k, v := range e.(map[string]string) {
					merged[k] = v
				}
			}
			return merged
		}).(pulumi.StringMapOutput)
	}
	return out
}
