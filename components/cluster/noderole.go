package cluster

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// nodeRole is the one role of all nodes: join the cluster, pull images from any registry of the account, and give addresses to
// pods. EKS itself lets the role of a managed node group into the cluster, and takes it out with the last group.
func (b *builder) nodeRole() (arn pulumi.StringInput, rights []pulumi.Resource, err error) {
	service := "ec2.amazonaws.com"
	if b.partition == "aws-cn" {
		service += ".cn"
	}
	trust, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": service}, "Action": "sts:AssumeRole",
	}}})
	if err != nil {
		return nil, nil, err
	}
	role, err := iam.NewRole(b.ctx, b.name+"-node", &iam.RoleArgs{
		Description:      pulumi.String("Nodes of the Kubernetes cluster " + b.ClusterName),
		AssumeRolePolicy: pulumi.String(trust),
		Tags:             b.tags(b.ClusterName + "-node"),
	}, b.below)
	if err != nil {
		return nil, nil, err
	}
	policies := []struct{ name, policy string }{
		{"worker", "AmazonEKSWorkerNodePolicy"},
		{"pull", "AmazonEC2ContainerRegistryPullOnly"},
		{"cni", "AmazonEKS_CNI_Policy"},
	}
	if b.SessionManager {
		policies = append(policies, struct{ name, policy string }{"ssm", "AmazonSSMManagedInstanceCore"})
	}
	for _, p := range policies {
		attached, err := iam.NewRolePolicyAttachment(b.ctx, b.name+"-node-"+p.name, &iam.RolePolicyAttachmentArgs{
			Role:      role.Name,
			PolicyArn: pulumi.String("arn:" + b.partition + ":iam::aws:policy/" + p.policy),
		}, b.below)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", p.policy, err)
		}
		rights = append(rights, attached)
	}
	return role.Arn, rights, nil
}
