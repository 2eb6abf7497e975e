package ci

// The parts of the rights, each a managed policy: small enough each, and none moves when another one grows.
const (
	partRead     = "read"
	partState    = "state"
	partNetwork  = "network"
	partCluster  = "cluster"
	partEdge     = "edge"
	partIdentity = "identity"
	partPromote  = "promote"
)

var descriptions = map[string]string{
	partRead:     "Reads what the stack has made, and its state",
	partState:    "Writes the state of the stack",
	partNetwork:  "Changes the network of the stack",
	partCluster:  "Changes the cluster of the stack, its keys and logs, and the size of its nodes",
	partEdge:     "Changes the door of the stack, with its certificates, records and logs, and its image repositories",
	partIdentity: "Changes the roles of the stack, and passes them on",
	partPromote:  "Copies images",
}

// right is one statement: what may be done, to what, and why to no less.
type right struct {
	// sid names it in the policy, and so in AWS's messages.
	sid  string
	part string
	// service stands before the colon of each of actions, which are separated by spaces.
	service, actions string
	// on are the resources, with "{…}" for what is known of the stack; one that names a list makes one for each of it, and none where it is empty.
	on []string
	// why the actions cannot be held to less, where on is "*".
	why string
	// when holds for it: operator, key, values, with "{…}" as in on.
	when map[string]map[string][]string
	// deny takes away instead.
	deny bool
	// bounded and unbounded rights are there with, or without, a permissions boundary.
	bounded, unbounded bool
	// optional rights are there where the placeholder of that name has a value.
	optional string
}

const (
	noResource = "AWS holds these actions to no resource"
	notYet     = "what does not exist yet has no ARN"
)

var everything = []string{"*"}

// inRegion holds where no ARN can.
func inRegion() map[string]map[string][]string {
	return map[string]map[string][]string{"StringEquals": {"aws:RequestedRegion": {"{region}"}}}
}

// rights are what the components of the production stack ask for; TestStack holds them to what the sandbox's account was asked. Which action can
// be held to which resource:
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func rights() []right {
	var all []right
	for _, of := range [][]right{reading(), state(), networkRights(), clusterRights(), edgeRights(), identityRights(), promoting()} {
		all = append(all, of...)
	}
	return all
}

func reading() []right {
	ofCluster := []string{"{eks}:cluster/{cluster}", "{eks}:nodegroup/{cluster}/*", "{eks}:addon/{cluster}/*", "{eks}:access-entry/{cluster}/*"}
	return []right{
		{sid: "Network", part: partRead, service: "ec2", on: everything, why: noResource, actions: "DescribeAddresses DescribeAddressesAttribute DescribeAvailabilityZones DescribeInternetGateways " +
			"DescribeLaunchTemplateVersions DescribeLaunchTemplates DescribeNatGateways DescribeNetworkAcls DescribeRouteTables DescribeSecurityGroupRules DescribeSecurityGroups " +
			"DescribeSubnets DescribeVpcAttribute DescribeVpcs"},
		{sid: "Door", part: partRead, service: "elasticloadbalancing", on: everything, why: noResource, actions: "DescribeCapacityReservation DescribeListenerAttributes DescribeListeners " +
			"DescribeLoadBalancerAttributes DescribeLoadBalancers DescribeRules DescribeTags DescribeTargetGroupAttributes DescribeTargetGroups"},
		{sid: "Sizes", part: partRead, service: "autoscaling", on: everything, why: noResource, actions: "DescribeAutoScalingGroups DescribeLifecycleHooks DescribeScheduledActions"},
		{sid: "Certificates", part: partRead, service: "acm", on: []string{"{acm}:certificate/*"}, actions: "DescribeCertificate ListTagsForCertificate"},
		{sid: "Zones", part: partRead, service: "route53", on: everything, why: noResource + ": a zone is looked up by its name", actions: "ListHostedZones"},
		{sid: "Records", part: partRead, service: "route53", on: []string{"{zone}"}, actions: "GetHostedZone ListResourceRecordSets ListTagsForResource"},
		{sid: "Repositories", part: partRead, service: "ecr", on: []string{"{repository}"}, actions: "DescribeImages DescribeRepositories GetLifecyclePolicy ListTagsForResource"},
		{sid: "Cluster", part: partRead, service: "eks", on: ofCluster, actions: "DescribeAccessEntry DescribeAddon DescribeCluster DescribeNodegroup ListAssociatedAccessPolicies"},
		{sid: "PodRoles", part: partRead, service: "eks", on: []string{"{eks}:podidentityassociation/{cluster}/*"}, actions: "DescribePodIdentityAssociation", bounded: true},
		{sid: "AddonVersions", part: partRead, service: "eks", on: everything, why: noResource, actions: "DescribeAddonVersions"},
		{sid: "Roles", part: partRead, service: "iam", on: []string{"{iam}:role/{role}*"}, actions: "GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies"},
		{sid: "PodIdentity", part: partRead, service: "iam", on: []string{"{iam}:oidc-provider/oidc.eks.{region}.{suffix}/id/*"}, actions: "GetOpenIDConnectProvider"},
		{sid: "Aliases", part: partRead, service: "kms", on: everything, why: noResource, actions: "ListAliases"},
		{sid: "Keys", part: partRead, service: "kms", on: []string{"{kms}:key/*"}, actions: "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags"},
		{sid: "LogGroups", part: partRead, service: "logs", on: everything, why: "a group is looked up by the beginning of its name, which is checked against all groups", actions: "DescribeLogGroups"},
		{sid: "Logs", part: partRead, service: "logs", on: []string{"{logs}:log-group:/aws/eks/{cluster}/*"}, actions: "ListTagsForResource"},
		// The provider reads all that a bucket can have.
		{sid: "Buckets", part: partRead, service: "s3", on: []string{"{s3}:{bucket}*"}, actions: "GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging " +
			"GetBucketObjectLockConfiguration GetBucketPolicy GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite " +
			"GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration ListBucket"},
	}
}

// state is what Pulumi asks of a bucket, as of CLI 3.259. A preview, and a refresh with --preview-only, take no lock and write no history: they
// read meta.yaml, the checkpoint and its tags, and look whether there are stacks of old. Without the right to list, S3 says 403 where something
// is not there, not 404, and Pulumi gives up; a condition on the prefix would do the same.
func state() []right {
	objects := []string{"{stateBucket}/.pulumi/*"}
	return []right{
		{sid: "ListState", part: partRead, service: "s3", on: []string{"{stateBucket}"}, actions: "ListBucket"},
		{sid: "ReadState", part: partRead, service: "s3", on: objects, actions: "GetObject"},
		{sid: "OpenSecrets", part: partRead, service: "kms", on: []string{"{secretsKey}"}, actions: "Decrypt"},
		{sid: "OpenState", part: partRead, service: "kms", on: []string{"{stateKey}"}, actions: "Decrypt", optional: "stateKey"},
		// Unlocking deletes. No version is deleted ever: what was overwritten can be brought back.
		{sid: "WriteState", part: partState, service: "s3", on: objects, actions: "AbortMultipartUpload DeleteObject PutObject"},
		{sid: "CloseState", part: partState, service: "kms", on: []string{"{stateKey}"}, actions: "GenerateDataKey", optional: "stateKey"},
		// The rights on the stack's own keys and buckets are for any key, and for buckets by the beginning of their names.
		{sid: "KeepKeys", part: partState, service: "kms", on: []string{"{secretsKey}", "{stateKey}"}, deny: true, actions: "CreateAlias CreateGrant DeleteAlias DisableKeyRotation " +
			"PutKeyPolicy ScheduleKeyDeletion TagResource UpdateAlias UpdateKeyDescription"},
		{sid: "KeepBucket", part: partState, service: "s3", on: []string{"{stateBucket}", "{stateBucket}/*"}, deny: true, actions: "DeleteBucket DeleteBucketPolicy DeleteObjectVersion " +
			"PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging PutEncryptionConfiguration PutLifecycleConfiguration"},
	}
}

func networkRights() []right {
	return []right{
		{sid: "ChangeNetwork", part: partNetwork, service: "ec2", on: []string{"{ec2}:*"}, actions: "AllocateAddress AssociateRouteTable AttachInternetGateway " +
			"AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateInternetGateway CreateLaunchTemplate CreateLaunchTemplateVersion CreateNatGateway CreateRoute CreateRouteTable " +
			"CreateSecurityGroup CreateSubnet CreateTags CreateVpc DeleteInternetGateway DeleteLaunchTemplate DeleteNatGateway DeleteRoute DeleteRouteTable DeleteSecurityGroup DeleteSubnet " +
			"DeleteTags DeleteVpc DetachInternetGateway DisassociateRouteTable ModifyLaunchTemplate ModifySecurityGroupRules ModifySubnetAttribute ModifyVpcAttribute ReleaseAddress ReplaceRoute " +
			"ReplaceRouteTableAssociation RevokeSecurityGroupEgress RevokeSecurityGroupIngress"},
		{sid: "LookForInterfaces", part: partNetwork, service: "ec2", on: everything, why: noResource, actions: "DescribeNetworkInterfaces"},
		// EKS refuses a node group of somebody who could not launch its nodes:
		// https://github.com/terraform-aws-modules/terraform-aws-eks/issues/3199. Images are of nobody's account.
		{
			sid: "LaunchNodes", part: partNetwork, service: "ec2", on: []string{"{ec2}:*", "arn:{partition}:ec2:{region}::image/*"}, actions: "RunInstances",
			when: map[string]map[string][]string{"ArnLike": {"ec2:LaunchTemplate": {"{ec2}:launch-template/*"}}},
		},
	}
}

func clusterRights() []right {
	return []right{
		{
			sid: "ChangeCluster", part: partCluster, service: "eks", on: []string{"{eks}:cluster/{cluster}", "{eks}:nodegroup/{cluster}/*", "{eks}:addon/{cluster}/*", "{eks}:access-entry/{cluster}/*"},
			actions: "AssociateAccessPolicy AssociateEncryptionConfig CreateAccessEntry CreateAddon CreateCluster CreateNodegroup DeleteAccessEntry DeleteAddon DeleteCluster DeleteNodegroup DescribeUpdate " +
				"DisassociateAccessPolicy TagResource UntagResource UpdateAccessEntry UpdateAddon UpdateClusterConfig UpdateClusterVersion UpdateNodegroupConfig UpdateNodegroupVersion",
		},
		// A pod's role has policies of its own.
		{
			sid: "ChangePodRoles", part: partCluster, service: "eks", on: []string{"{eks}:cluster/{cluster}", "{eks}:podidentityassociation/{cluster}/*"}, bounded: true,
			actions: "CreatePodIdentityAssociation DeletePodIdentityAssociation TagResource UntagResource UpdatePodIdentityAssociation",
		},
		// EKS names the groups "eks-NODEGROUP-…", whatever the cluster is called.
		{
			sid: "ChangeSizes", part: partCluster, service: "autoscaling", on: []string{"{autoscaling}:autoScalingGroup:*:autoScalingGroupName/eks-*"},
			actions: "AttachLoadBalancerTargetGroups DeleteScheduledAction DetachLoadBalancerTargetGroups PutLifecycleHook PutScheduledUpdateGroupAction",
		},
		{sid: "MakeKeys", part: partCluster, service: "kms", on: everything, why: notYet, when: inRegion(), actions: "CreateKey"},
		// Not with kms:GrantIsForAWSResource: the grant of a cluster is made in the name of whoever makes the cluster.
		{
			sid: "ChangeKeys", part: partCluster, service: "kms", on: []string{"{kms}:key/*"},
			actions: "CreateGrant DisableKeyRotation EnableKeyRotation ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription",
		},
		// An alias is checked against itself and its key.
		{sid: "ChangeAliases", part: partCluster, service: "kms", on: []string{"{kms}:alias/{cluster}-*", "{kms}:key/*"}, actions: "CreateAlias DeleteAlias UpdateAlias"},
		{
			sid: "ChangeLogs", part: partCluster, service: "logs", on: []string{"{logs}:log-group:/aws/eks/{cluster}/*"},
			actions: "CreateLogGroup DeleteLogGroup DeleteRetentionPolicy PutRetentionPolicy TagResource UntagResource",
		},
	}
}

func edgeRights() []right {
	return []right{
		{sid: "ChangeDoor", part: partEdge, service: "elasticloadbalancing", on: []string{"{elasticloadbalancing}:*"}, actions: "AddTags CreateListener CreateLoadBalancer CreateRule CreateTargetGroup DeleteListener DeleteLoadBalancer DeleteRule " +
			"DeleteTargetGroup ModifyListener ModifyLoadBalancerAttributes ModifyRule ModifyTargetGroup ModifyTargetGroupAttributes RemoveTags SetIpAddressType SetRulePriorities " +
			"SetSecurityGroups SetSubnets"},
		{sid: "AskForCertificates", part: partEdge, service: "acm", on: everything, why: notYet, when: inRegion(), actions: "RequestCertificate"},
		{sid: "ChangeCertificates", part: partEdge, service: "acm", on: []string{"{acm}:certificate/*"}, actions: "AddTagsToCertificate DeleteCertificate RemoveTagsFromCertificate UpdateCertificateOptions"},
		{sid: "ChangeRecords", part: partEdge, service: "route53", on: []string{"{zone}"}, actions: "ChangeResourceRecordSets"},
		{sid: "AwaitRecords", part: partEdge, service: "route53", on: []string{"arn:{partition}:route53:::change/*"}, actions: "GetChange"},
		{sid: "ChangeBuckets", part: partEdge, service: "s3", on: []string{"{s3}:{bucket}*"}, actions: "CreateBucket DeleteBucket DeleteBucketPolicy ListBucketVersions PutBucketPolicy " +
			"PutBucketPublicAccessBlock PutBucketTagging PutEncryptionConfiguration PutLifecycleConfiguration"},
		// Logs go with a load balancer that may be deleted.
		{sid: "EmptyBuckets", part: partEdge, service: "s3", on: []string{"{s3}:{bucket}*/*"}, actions: "DeleteObject DeleteObjectVersion"},
		{sid: "ChangeRepositories", part: partEdge, service: "ecr", on: []string{"{repository}"}, actions: "CreateRepository DeleteLifecyclePolicy DeleteRepository PutImageScanningConfiguration " +
			"PutImageTagMutability PutLifecyclePolicy TagResource UntagResource"},
	}
}

// identityRights keep whoever may make roles from making one that may more than itself. With a boundary, no role is made without it.
// Without, the policies that may be attached are told one by one, and there are no others: not by a policy of a role's own, nor by one that is
// written for it.
func identityRights() []right {
	roles := []string{"{iam}:role/{role}*"}
	bounded := map[string]map[string][]string{"StringEquals": {"iam:PermissionsBoundary": {"{boundary}"}}}
	aws := "arn:{partition}:iam::aws:policy/"
	return []right{
		{sid: "ChangeRoles", part: partIdentity, service: "iam", on: roles, actions: "DeleteRole ListInstanceProfilesForRole TagRole UntagRole UpdateAssumeRolePolicy UpdateRole"},
		{sid: "MakeRoles", part: partIdentity, service: "iam", on: roles, actions: "CreateRole", unbounded: true},
		{sid: "MakeBoundedRoles", part: partIdentity, service: "iam", on: roles, actions: "AttachRolePolicy CreateRole DeleteRolePolicy DetachRolePolicy PutRolePermissionsBoundary PutRolePolicy", when: bounded, bounded: true},
		{
			sid: "AttachPolicies", part: partIdentity, service: "iam", on: roles, actions: "AttachRolePolicy DetachRolePolicy", unbounded: true,
			when: map[string]map[string][]string{"ArnEquals": {"iam:PolicyARN": {
				aws + "AmazonEC2ContainerRegistryPullOnly", aws + "AmazonEKSClusterPolicy", aws + "AmazonEKSWorkerNodePolicy", aws + "AmazonEKS_CNI_Policy", aws + "AmazonSSMManagedInstanceCore",
			}}},
		},
		// To the cluster, and to the nodes that it starts.
		{
			sid: "PassRoles", part: partIdentity, service: "iam", on: roles, actions: "PassRole",
			when: map[string]map[string][]string{"StringEquals": {"iam:PassedToService": {"ec2.{suffix}", "eks.amazonaws.com", "pods.eks.amazonaws.com"}}},
		},
		// The first of its kind in an account makes the role that AWS itself uses for it.
		{
			sid: "LetServicesIn", part: partIdentity, service: "iam", on: []string{"{iam}:role/aws-service-role/*"}, actions: "CreateServiceLinkedRole",
			when: map[string]map[string][]string{"StringEquals": {"iam:AWSServiceName": {"eks-nodegroup.amazonaws.com", "eks.amazonaws.com", "elasticloadbalancing.amazonaws.com"}}},
		},
		// Of the cluster: GitHub's, by which the roles made here are taken, is none of them.
		{
			sid: "ChangePodIdentity", part: partIdentity, service: "iam", on: []string{"{iam}:oidc-provider/oidc.eks.{region}.{suffix}/id/*"},
			actions: "CreateOpenIDConnectProvider DeleteOpenIDConnectProvider TagOpenIDConnectProvider UntagOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint",
		},
	}
}

// promoting is what docker and `slipway promote` ask ECR for: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
func promoting() []right {
	return []right{
		{sid: "LogIn", part: partPromote, service: "ecr", on: everything, why: noResource, actions: "GetAuthorizationToken"},
		{sid: "Pull", part: partPromote, service: "ecr", on: []string{"{from}", "{to}"}, actions: "BatchCheckLayerAvailability BatchGetImage DescribeImageScanFindings GetDownloadUrlForLayer"},
		{sid: "Push", part: partPromote, service: "ecr", on: []string{"{to}"}, actions: "CompleteLayerUpload InitiateLayerUpload PutImage UploadLayerPart"},
	}
}
