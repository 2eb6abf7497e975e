package cluster

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The autoscaler's namespace and service account; the account's name is what Pod Identity goes by.
const (
	autoscalerNamespace = "kube-system"
	autoscalerName      = "cluster-autoscaler"
)

// scaled are the groups that the cluster autoscaler owns.
func (a *EksClusterArgs) scaled() (groups []NodeGroup) {
	for _, g := range a.NodeGroups {
		if g.DesiredSizeOwner == OwnerAutoscaler {
			groups = append(groups, g)
		}
	}
	return groups
}

// autoscalerRole lets the autoscaler look at all groups and change the size of its own. They are named one by one: EKS puts the
// autoscaler's tags on every managed group, those that a schedule or nobody else owns included.
func (b *builder) autoscalerRole(groups madeGroups, agent []pulumi.Resource) (pulumi.Resource, error) {
	var names pulumi.StringArray
	for _, g := range b.scaled() {
		names = append(names, groups.autoScalingGroups[g.Name].ToStringOutput())
	}
	partition, cluster := b.partition, b.ClusterName
	policy := names.ToStringArrayOutput().ApplyT(func(names []string) (string, error) {
		arns := make([]string, len(names))
		for i, n := range names {
			arns[i] = "arn:" + partition + ":autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/" + n
		}
		// https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md#iam-policy
		document, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{
			map[string]any{
				"Effect": "Allow", "Resource": "*",
				"Action": []string{
					"autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeLaunchConfigurations",
					"autoscaling:DescribeScalingActivities", "autoscaling:DescribeTags", "ec2:DescribeImages", "ec2:DescribeInstanceTypes",
					"ec2:DescribeLaunchTemplateVersions", "ec2:GetInstanceTypesFromInstanceRequirements", "eks:DescribeNodegroup",
				},
			},
			map[string]any{
				"Effect": "Allow", "Resource": arns, "Action": []string{"autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"},
				"Condition": map[string]any{"StringEquals": map[string]string{"aws:ResourceTag/eks:cluster-name": cluster}},
			},
		}})
		return string(document), err
	}).(pulumi.StringOutput)
	_, association, err := b.podRole(AppRole{Namespace: autoscalerNamespace, ServiceAccount: autoscalerName, Policy: policy}, agent)
	return association, err
}

// autoscaler makes the cluster autoscaler of the cluster's minor version: another one misreads what the scheduler would do
// (https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/README.md#releases).
func (b *builder) autoscaler(c *EksCluster, groups madeGroups, association pulumi.Resource) error {
	name, opts := b.name+"-autoscaler", []pulumi.ResourceOption{b.below, pulumi.Provider(c.Provider)}
	account, err := corev1.NewServiceAccount(b.ctx, name, &corev1.ServiceAccountArgs{
		Metadata: metav1.ObjectMetaArgs{Name: pulumi.String(autoscalerName), Namespace: pulumi.String(autoscalerNamespace), Labels: autoscalerLabels},
	}, opts...)
	if err != nil {
		return fmt.Errorf("service account: %w", err)
	}
	rights, err := b.autoscalerRights(name, account, opts)
	if err != nil {
		return err
	}
	region, err := aws.GetRegion(b.ctx, &aws.GetRegionArgs{}, b.below)
	if err != nil {
		return fmt.Errorf("region: %w", err)
	}
	_, err = appsv1.NewDeployment(b.ctx, name, &appsv1.DeploymentArgs{
		Metadata: metav1.ObjectMetaArgs{Namespace: pulumi.String(autoscalerNamespace), Labels: autoscalerLabels},
		Spec: appsv1.DeploymentSpecArgs{
			Replicas: pulumi.Int(1), // one decides; another would wait for it to fail
			Selector: metav1.LabelSelectorArgs{MatchLabels: autoscalerLabels},
			Template: corev1.PodTemplateSpecArgs{
				Metadata: metav1.ObjectMetaArgs{Labels: autoscalerLabels},
				Spec: corev1.PodSpecArgs{
					ServiceAccountName: account.Metadata.Name(),
					PriorityClassName:  pulumi.String("system-cluster-critical"),
					SecurityContext: corev1.PodSecurityContextArgs{
						RunAsNonRoot: pulumi.Bool(true), RunAsUser: pulumi.Int(65534), SeccompProfile: corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
					},
					Containers: corev1.ContainerArray{corev1.ContainerArgs{
						Name:    pulumi.String(autoscalerName),
						Image:   pulumi.String("registry.k8s.io/autoscaling/cluster-autoscaler:" + releaseOf(b.Version).autoscaler),
						Command: b.autoscalerCommand(groups),
						Env:     corev1.EnvVarArray{corev1.EnvVarArgs{Name: pulumi.String("AWS_REGION"), Value: pulumi.String(region.Name)}},
						Resources: corev1.ResourceRequirementsArgs{
							Requests: pulumi.StringMap{"cpu": pulumi.String("100m"), "memory": pulumi.String("600Mi")}, Limits: pulumi.StringMap{"memory": pulumi.String("600Mi")},
						},
						LivenessProbe: corev1.ProbeArgs{HttpGet: corev1.HTTPGetActionArgs{Path: pulumi.String("/health-check"), Port: pulumi.Int(8085)}},
						SecurityContext: corev1.SecurityContextArgs{
							AllowPrivilegeEscalation: pulumi.Bool(false), ReadOnlyRootFilesystem: pulumi.Bool(true),
							Capabilities: corev1.CapabilitiesArgs{Drop: pulumi.ToStringArray([]string{"ALL"})},
						},
					}},
				},
			},
		},
	}, append(opts, pulumi.DependsOn(append(rights, association)))...)
	if err != nil {
		return fmt.Errorf("deployment: %w", err)
	}
	return nil
}

var autoscalerLabels = pulumi.StringMap{"app.kubernetes.io/name": pulumi.String(autoscalerName)}

// autoscalerCommand names the groups with their bounds; when a group is replaced, it follows to the new one before the old is drained.
func (b *builder) autoscalerCommand(groups madeGroups) pulumi.StringArray {
	command := pulumi.ToStringArray([]string{
		"./cluster-autoscaler", "--cloud-provider=aws", "--v=4", "--stderrthreshold=info", "--expander=least-waste", "--balance-similar-node-groups",
		// Else CoreDNS keeps a node for itself: nodes with system pods go too, as those pods' budgets allow.
		"--skip-nodes-with-system-pods=false",
	})
	for _, g := range b.scaled() {
		command = append(command, pulumi.Sprintf("--nodes=%d:%d:%s", g.MinSize, g.MaxSize, groups.autoScalingGroups[g.Name]))
	}
	return command
}
