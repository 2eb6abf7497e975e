package aws

func init() {
	const role, bucket, repository = "arn:aws:iam::{account}:role/{role}", "arn:aws:s3:::{bucket}", "arn:aws:ecr:{region}:{account}:repository/{repository}"
	attached := map[string]string{"iam:PolicyARN": "{policyArn}"}
	retag := map[string]string{"tags": "TagResource UntagResource"}
	tagged := map[string]string{"tags": "TagResource"}
	setting := func(read, write string) Actions {
		return Actions{Service: "s3", Read: read, Create: write, Update: write, Delete: write, On: bucket}
	}
	declare(map[string]Actions{
		"aws:iam/role:Role": {
			Service: "iam", Read: "GetRole ListRolePolicies GetRolePolicy ListAttachedRolePolicies", Delete: "DeleteRole ListInstanceProfilesForRole",
			Given: map[string]string{"tags": "TagRole", "inlinePolicies": "PutRolePolicy"},
			Changed: map[string]string{
				"tags": "TagRole UntagRole", "assumeRolePolicy": "UpdateAssumeRolePolicy", "description": "UpdateRole", "maxSessionDuration": "UpdateRole",
				"permissionsBoundary": "PutRolePermissionsBoundary DeleteRolePermissionsBoundary", "inlinePolicies": "PutRolePolicy DeleteRolePolicy",
				"managedPolicyArns": "AttachRolePolicy DetachRolePolicy",
			},
			On: "arn:aws:iam::{account}:role{path}{name}",
			Also: []Also{
				{Actions: "CreateRole", On: "arn:aws:iam::{account}:role{path}{name}", With: map[string]string{"iam:PermissionsBoundary": "{permissionsBoundary}"}},
				{Actions: "DetachRolePolicy", Of: "forceDetachPolicies", On: "arn:aws:iam::{account}:role{path}{name}", Ops: []string{"delete"}},
			},
		},
		"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
			Service: "iam", Read: "ListAttachedRolePolicies", On: role,
			Also: []Also{
				{Actions: "AttachRolePolicy", On: role, With: attached},
				{Actions: "DetachRolePolicy", On: role, With: attached, Ops: []string{"delete"}},
			},
		},
		"aws:iam/rolePolicy:RolePolicy": {
			Service: "iam", Read: "GetRolePolicy", Create: "PutRolePolicy", Update: "PutRolePolicy", Delete: "DeleteRolePolicy", On: role,
		},
		"aws:iam/policy:Policy": {
			Service: "iam", Read: "GetPolicy GetPolicyVersion", Create: "CreatePolicy", Delete: "ListPolicyVersions DeletePolicyVersion DeletePolicy",
			Given:   map[string]string{"tags": "TagPolicy"},
			Changed: map[string]string{"tags": "TagPolicy UntagPolicy", "policy": "CreatePolicyVersion ListPolicyVersions DeletePolicyVersion"},
		},
		"aws:iam/instanceProfile:InstanceProfile": {
			Service: "iam", Read: "GetInstanceProfile", Create: "CreateInstanceProfile", Delete: "DeleteInstanceProfile",
			Given:   map[string]string{"tags": "TagInstanceProfile", "role": "AddRoleToInstanceProfile"},
			Changed: map[string]string{"tags": "TagInstanceProfile UntagInstanceProfile", "role": "AddRoleToInstanceProfile RemoveRoleFromInstanceProfile"},
			On:      "arn:aws:iam::{account}:instance-profile/{name}",
			Also: []Also{
				{Actions: "PassRole", Of: "role", On: role, With: map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}},
				{Actions: "GetRole", Of: "role", On: role, Ops: []string{"create", "read", "update"}},
				{Actions: "RemoveRoleFromInstanceProfile", Of: "role", On: "arn:aws:iam::{account}:instance-profile/{name}", Ops: []string{"delete"}},
			},
		},
		"aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
			Service: "iam", Read: "GetOpenIDConnectProvider", Create: "CreateOpenIDConnectProvider", Delete: "DeleteOpenIDConnectProvider",
			Given: map[string]string{"tags": "TagOpenIDConnectProvider"},
			Changed: map[string]string{
				"tags": "TagOpenIDConnectProvider UntagOpenIDConnectProvider", "thumbprintLists": "UpdateOpenIDConnectProviderThumbprint",
				"clientIdLists": "AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider",
			},
		},
		"aws:iam/getRole:getRole":                     {Service: "iam", Invoke: "GetRole", On: "arn:aws:iam::{account}:role/{name}"},
		"aws:iam/getPolicyDocument:getPolicyDocument": {}, // made by the provider itself

		"aws:kms/key:Key": {
			Service: "kms", Read: "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags", Create: "CreateKey", Delete: "ScheduleKeyDeletion DescribeKey",
			Given: map[string]string{"tags": "TagResource", "enableKeyRotation": "EnableKeyRotation"},
			Changed: map[string]string{
				"tags": retag["tags"], "enableKeyRotation": "EnableKeyRotation DisableKeyRotation", "rotationPeriodInDays": "EnableKeyRotation", "isEnabled": "EnableKey DisableKey",
				"policy": "PutKeyPolicy", "description": "UpdateKeyDescription",
			},
		},
		"aws:kms/alias:Alias": {
			Service: "kms", Read: "ListAliases", Create: "CreateAlias", Update: "UpdateAlias", Delete: "DeleteAlias",
			Also: []Also{
				{Actions: "CreateAlias", On: "{targetKeyArn}"},
				{Actions: "UpdateAlias", Of: "targetKeyId", On: "{targetKeyArn}", Ops: []string{"update"}},
				{Actions: "DeleteAlias", On: "{targetKeyArn}", Ops: []string{"delete"}},
			},
		},

		"aws:cloudwatch/logGroup:LogGroup": {
			Service: "logs", Read: "DescribeLogGroups ListTagsForResource", Create: "CreateLogGroup", Delete: "DeleteLogGroup",
			Given: map[string]string{"tags": "TagResource", "retentionInDays": "PutRetentionPolicy"},
			Changed: map[string]string{
				"tags": retag["tags"], "retentionInDays": "PutRetentionPolicy DeleteRetentionPolicy", "kmsKeyId": "AssociateKmsKey DisassociateKmsKey",
			},
		},

		// A read asks for everything that a bucket can have: the provider knows it all as attributes of the bucket.
		"aws:s3/bucketV2:BucketV2": {
			Service: "s3", Read: "ListBucket GetBucketLocation GetBucketPolicy GetBucketAcl GetBucketCORS GetBucketWebsite GetBucketVersioning GetAccelerateConfiguration GetBucketRequestPayment " +
				"GetBucketLogging GetLifecycleConfiguration GetReplicationConfiguration GetEncryptionConfiguration GetBucketObjectLockConfiguration GetBucketTagging",
			Create: "CreateBucket", Delete: "DeleteBucket ListBucket", Given: map[string]string{"tags": "PutBucketTagging"}, Changed: map[string]string{"tags": "PutBucketTagging"},
			On: bucket,
			Also: []Also{
				{Actions: "ListBucketVersions", Of: "forceDestroy", On: bucket, Ops: []string{"delete"}},
				{Actions: "DeleteObject DeleteObjectVersion", Of: "forceDestroy", On: bucket + "/ANY", Ops: []string{"delete"}},
			},
		},
		"aws:s3/bucketPolicy:BucketPolicy": {Service: "s3", Read: "GetBucketPolicy", Create: "PutBucketPolicy", Update: "PutBucketPolicy", Delete: "DeleteBucketPolicy", On: bucket},
		// The rest have no action for taking them away but the one that puts them.
		"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     setting("GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
		"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     setting("GetBucketOwnershipControls", "PutBucketOwnershipControls"),
		"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               setting("GetBucketVersioning", "PutBucketVersioning"),
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": setting("GetEncryptionConfiguration", "PutEncryptionConfiguration"),
		"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       setting("GetLifecycleConfiguration", "PutLifecycleConfiguration"),

		"aws:ecr/repository:Repository": {
			Service: "ecr", Read: "DescribeRepositories ListTagsForResource", Create: "CreateRepository", Delete: "DeleteRepository DescribeRepositories", Given: tagged,
			Changed: map[string]string{"tags": retag["tags"], "imageTagMutability": "PutImageTagMutability", "imageScanningConfiguration": "PutImageScanningConfiguration"},
		},
		"aws:ecr/lifecyclePolicy:LifecyclePolicy": {
			Service: "ecr", Read: "GetLifecyclePolicy", Create: "PutLifecyclePolicy", Update: "PutLifecyclePolicy", Delete: "DeleteLifecyclePolicy", On: repository,
		},
		"aws:ecr/repositoryPolicy:RepositoryPolicy": {
			Service: "ecr", Read: "GetRepositoryPolicy", Create: "SetRepositoryPolicy", Update: "SetRepositoryPolicy", Delete: "DeleteRepositoryPolicy", On: repository,
		},
		"aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration": {
			Service: "ecr", Read: "GetRegistryScanningConfiguration", Create: "PutRegistryScanningConfiguration", Update: "PutRegistryScanningConfiguration", Delete: "PutRegistryScanningConfiguration",
		},
		"aws:ecr/replicationConfiguration:ReplicationConfiguration": {
			Service: "ecr", Read: "DescribeRegistry", Create: "PutReplicationConfiguration", Update: "PutReplicationConfiguration", Delete: "PutReplicationConfiguration",
			Also: []Also{{
				Actions: "iam:CreateServiceLinkedRole", On: "arn:aws:iam::{account}:role/aws-service-role/replication.ecr.amazonaws.com/AWSServiceRole",
				With: map[string]string{"iam:AWSServiceName": "replication.ecr.amazonaws.com"},
			}},
		},
		"aws:ecr/pullThroughCacheRule:PullThroughCacheRule": {
			Service: "ecr", Read: "DescribePullThroughCacheRules", Create: "CreatePullThroughCacheRule", Update: "UpdatePullThroughCacheRule", Delete: "DeletePullThroughCacheRule",
			Also: []Also{{
				Actions: "iam:CreateServiceLinkedRole", On: "arn:aws:iam::{account}:role/aws-service-role/pullthroughcache.ecr.amazonaws.com/AWSServiceRole",
				With: map[string]string{"iam:AWSServiceName": "pullthroughcache.ecr.amazonaws.com"},
			}},
		},
		"aws:ecr/getAuthorizationToken:getAuthorizationToken": {Service: "ecr", Invoke: "GetAuthorizationToken"},
		"aws:ecr/getImage:getImage":                           {Service: "ecr", Invoke: "DescribeImages DescribeRepositories", On: "arn:aws:ecr:{region}:{account}:repository/{repositoryName}"},

		"aws:ssm/parameter:Parameter": {
			Service: "ssm", Read: "GetParameter DescribeParameters ListTagsForResource", Create: "PutParameter", Update: "PutParameter", Delete: "DeleteParameter",
			Given: map[string]string{"tags": "AddTagsToResource"}, Changed: map[string]string{"tags": "AddTagsToResource RemoveTagsFromResource"},
		},
	})
}
