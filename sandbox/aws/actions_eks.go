package aws

func init() {
	const tags, cluster = "TagResource", "arn:aws:eks:{region}:{account}:cluster/{clusterName}"
	retag := map[string]string{"tags": "TagResource UntagResource"}
	tagged := map[string]string{"tags": tags}
	linked := func(service string) Also {
		return Also{
			Actions: "iam:CreateServiceLinkedRole", On: "arn:aws:iam::{account}:role/aws-service-role/" + service + "/AWSServiceRole",
			With: map[string]string{"iam:AWSServiceName": service},
		}
	}
	pass := func(of, service string) Also {
		return Also{Actions: "iam:PassRole", Of: of, With: map[string]string{"iam:PassedToService": service}}
	}
	declare(map[string]Actions{
		// What a cluster takes of others: https://docs.aws.amazon.com/eks/latest/userguide/service_IAM_role.html,
		// https://docs.aws.amazon.com/eks/latest/userguide/using-service-linked-roles-eks.html and, for the key,
		// https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html.
		"aws:eks/cluster:Cluster": {
			Service: "eks", Read: "DescribeCluster", Create: "CreateCluster", Delete: "DeleteCluster DescribeCluster", Given: tagged,
			Changed: map[string]string{
				"tags": retag["tags"], "version": "UpdateClusterVersion DescribeUpdate", "encryptionConfig": "AssociateEncryptionConfig DescribeUpdate",
				"accessConfig": "UpdateClusterConfig DescribeUpdate", "vpcConfig": "UpdateClusterConfig DescribeUpdate", "upgradePolicy": "UpdateClusterConfig DescribeUpdate",
				"enabledClusterLogTypes": "UpdateClusterConfig DescribeUpdate", "zonalShiftConfig": "UpdateClusterConfig DescribeUpdate",
				"computeConfig": "UpdateClusterConfig DescribeUpdate", "storageConfig": "UpdateClusterConfig DescribeUpdate",
			},
			On: "arn:aws:eks:{region}:{account}:cluster/{name}",
			Also: []Also{
				pass("roleArn", "eks.amazonaws.com"),
				{Actions: "iam:GetRole", Of: "roleArn"},
				linked("eks.amazonaws.com"),
				{Actions: "kms:DescribeKey kms:CreateGrant", Of: "encryptionConfig", On: "{encryptionConfig.provider.keyArn}"},
				{Actions: "ec2:DescribeSubnets ec2:DescribeSecurityGroups ec2:DescribeVpcs", On: "*"},
			},
		},
		// A node group with a launch template is refused with "You are not authorized to launch instances with this launch template" where
		// the caller could not launch an instance with it: https://github.com/terraform-aws-modules/terraform-aws-eks/issues/3199.
		"aws:eks/nodeGroup:NodeGroup": {
			Service: "eks", Read: "DescribeNodegroup", Create: "CreateNodegroup", Delete: "DeleteNodegroup DescribeNodegroup", Given: tagged,
			Changed: map[string]string{
				"tags": retag["tags"], "scalingConfig": "UpdateNodegroupConfig DescribeUpdate", "labels": "UpdateNodegroupConfig DescribeUpdate",
				"taints": "UpdateNodegroupConfig DescribeUpdate", "updateConfig": "UpdateNodegroupConfig DescribeUpdate", "nodeRepairConfig": "UpdateNodegroupConfig DescribeUpdate",
				"launchTemplate": "UpdateNodegroupVersion DescribeUpdate", "version": "UpdateNodegroupVersion DescribeUpdate", "releaseVersion": "UpdateNodegroupVersion DescribeUpdate",
			},
			Also: []Also{
				pass("nodeRoleArn", "eks.amazonaws.com"),
				{Actions: "iam:GetRole", Of: "nodeRoleArn"},
				linked("eks-nodegroup.amazonaws.com"),
				{Actions: "iam:PassRole", Of: "launchTemplate", On: "{nodeRoleArn}", With: map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}},
				{
					Actions: "ec2:RunInstances", Of: "launchTemplate", On: "arn:aws:ec2:{region}:{account}:instance/*",
					With: map[string]string{"ec2:LaunchTemplate": "arn:aws:ec2:{region}:{account}:launch-template/{launchTemplate.id}"},
				},
				{
					Actions: "ec2:RunInstances", Of: "launchTemplate", On: "arn:aws:ec2:{region}::image/ami-0123456789abcdef0",
					With: map[string]string{"ec2:LaunchTemplate": "arn:aws:ec2:{region}:{account}:launch-template/{launchTemplate.id}"},
				},
				{Actions: "ec2:CreateTags", Of: "launchTemplate", On: "arn:aws:ec2:{region}:{account}:instance/*"},
				{Actions: "ec2:DescribeLaunchTemplateVersions ec2:DescribeSubnets", On: "*"},
			},
		},
		"aws:eks/addon:Addon": {
			Service: "eks", Read: "DescribeAddon", Create: "CreateAddon", Update: "UpdateAddon DescribeUpdate", Delete: "DeleteAddon DescribeAddon",
			Given: tagged, Changed: retag, Also: []Also{pass("serviceAccountRoleArn", "eks.amazonaws.com"), {Actions: "CreateAddon", On: cluster}},
		},
		"aws:eks/accessEntry:AccessEntry": {
			Service: "eks", Read: "DescribeAccessEntry", Create: "CreateAccessEntry", Delete: "DeleteAccessEntry", Given: tagged,
			Changed: map[string]string{"tags": retag["tags"], "kubernetesGroups": "UpdateAccessEntry", "userName": "UpdateAccessEntry"},
			On:      "arn:aws:eks:{region}:{account}:access-entry/{clusterName}/role/{account}/ROLE/ID", Also: []Also{{Actions: "CreateAccessEntry", On: cluster}},
		},
		"aws:eks/accessPolicyAssociation:AccessPolicyAssociation": {
			Service: "eks", Read: "ListAssociatedAccessPolicies", Create: "AssociateAccessPolicy", Update: "AssociateAccessPolicy", Delete: "DisassociateAccessPolicy",
			On: "arn:aws:eks:{region}:{account}:access-entry/{clusterName}/role/{account}/ROLE/ID",
		},
		"aws:eks/podIdentityAssociation:PodIdentityAssociation": {
			Service: "eks", Read: "DescribePodIdentityAssociation", Create: "CreatePodIdentityAssociation", Delete: "DeletePodIdentityAssociation", Given: tagged,
			Changed: map[string]string{"tags": retag["tags"], "roleArn": "UpdatePodIdentityAssociation"},
			On:      "arn:aws:eks:{region}:{account}:podidentityassociation/{clusterName}/ID",
			Also:    []Also{pass("roleArn", "pods.eks.amazonaws.com"), {Actions: "iam:GetRole", Of: "roleArn"}, {Actions: "CreatePodIdentityAssociation", On: cluster}},
		},
		"aws:eks/getCluster:getCluster":           {Service: "eks", Invoke: "DescribeCluster", On: "arn:aws:eks:{region}:{account}:cluster/{name}"},
		"aws:eks/getAddonVersion:getAddonVersion": {Service: "eks", Invoke: "DescribeAddonVersions"},

		"aws:autoscaling/group:Group": {
			Service: "autoscaling", Read: "DescribeAutoScalingGroups", Create: "CreateAutoScalingGroup", Update: "UpdateAutoScalingGroup",
			Delete: "DescribeAutoScalingGroups UpdateAutoScalingGroup DeleteAutoScalingGroup",
			Given:  map[string]string{"tags": "CreateOrUpdateTags", "enabledMetrics": "EnableMetricsCollection", "targetGroupArns": "AttachLoadBalancerTargetGroups", "suspendedProcesses": "SuspendProcesses"},
			Changed: map[string]string{
				"tags": "CreateOrUpdateTags DeleteTags", "enabledMetrics": "EnableMetricsCollection DisableMetricsCollection",
				"targetGroupArns": "AttachLoadBalancerTargetGroups DetachLoadBalancerTargetGroups", "suspendedProcesses": "SuspendProcesses ResumeProcesses",
				"launchTemplate": "StartInstanceRefresh DescribeInstanceRefreshes",
			},
			Also: []Also{
				linked("autoscaling.amazonaws.com"),
				{
					Actions: "ec2:RunInstances", Of: "launchTemplate", On: "arn:aws:ec2:{region}:{account}:instance/*",
					With: map[string]string{"ec2:LaunchTemplate": "arn:aws:ec2:{region}:{account}:launch-template/{launchTemplate.id}"},
				},
			},
		},
		"aws:autoscaling/attachment:Attachment": {
			Service: "autoscaling", Read: "DescribeAutoScalingGroups", Create: "AttachLoadBalancerTargetGroups", Delete: "DetachLoadBalancerTargetGroups DescribeAutoScalingGroups",
			On: "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:ID:autoScalingGroupName/{autoscalingGroupName}",
		},
		"aws:autoscaling/schedule:Schedule": {
			Service: "autoscaling", Read: "DescribeScheduledActions", Create: "PutScheduledUpdateGroupAction", Update: "PutScheduledUpdateGroupAction", Delete: "DeleteScheduledAction",
			On: "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:ID:autoScalingGroupName/{autoscalingGroupName}",
		},
		"aws:autoscaling/lifecycleHook:LifecycleHook": {
			Service: "autoscaling", Read: "DescribeLifecycleHooks", Create: "PutLifecycleHook", Update: "PutLifecycleHook", Delete: "DeleteLifecycleHook",
			On: "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:ID:autoScalingGroupName/{autoscalingGroupName}",
		},
		"aws:autoscaling/policy:Policy": {
			Service: "autoscaling", Read: "DescribePolicies", Create: "PutScalingPolicy", Update: "PutScalingPolicy", Delete: "DeletePolicy",
			On: "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:ID:autoScalingGroupName/{autoscalingGroupName}",
		},
		"aws:autoscaling/tag:Tag": {
			Service: "autoscaling", Read: "DescribeTags", Create: "CreateOrUpdateTags", Update: "CreateOrUpdateTags", Delete: "DeleteTags",
			On: "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:ID:autoScalingGroupName/{autoscalingGroupName}",
		},
		"aws:cloudwatch/metricAlarm:MetricAlarm": {
			Service: "cloudwatch", Read: "DescribeAlarms ListTagsForResource", Create: "PutMetricAlarm", Update: "PutMetricAlarm", Delete: "DeleteAlarms DescribeAlarms", Given: tagged, Changed: retag,
		},
	})
}
