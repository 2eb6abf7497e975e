package ci

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// RolesArgs says whose workflows take the roles, and what they work on.
type RolesArgs struct {
	// Repository at GitHub whose workflows take the roles, as GitHub writes it: "OWNER/NAME". Upper and lower case count. Required. A
	// change is in force at once: jobs of the former repository are refused.
	Repository string `pulumi:"repository"`
	// OwnerID is the number of Repository's owner at GitHub, which `gh api repos/OWNER/NAME --jq .owner.id` prints. Given together with
	// RepositoryID, or not at all.
	OwnerID int `pulumi:"ownerId,optional"`
	// RepositoryID is the number of Repository at GitHub, which `gh api repos/OWNER/NAME --jq .id` prints. With it the subject of a token may
	// name the repository with the numbers or without, and in either case the token's repository_id has to be this one: whoever takes over a name
	// that was given up gets in nowhere. Needed for repositories that were made, renamed or moved since July 15, 2026
	// (https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/). Default none: the name alone counts.
	RepositoryID int `pulumi:"repositoryId,optional"`
	// Branch from which is deployed, promoted, and on which drift is looked for; default "main".
	Branch string `pulumi:"branch,optional"`
	// Environment at GitHub of the job that deploys; default "production". Its protection rules, set at GitHub, are what holds a
	// deployment back until somebody agrees. Letters, digits and "._-".
	Environment string `pulumi:"environment,optional"`
	// DeployWorkflow is the file below .github/workflows that may take the role, as it is on Branch: "deploy.yml". Where the job is in a
	// reusable workflow, it is that one's. Default any workflow on the branch with the environment; those of pull_request_target are among them.
	DeployWorkflow string `pulumi:"deployWorkflow,optional"`
	// DriftWorkflow is the file below .github/workflows that may take the role, as it is on Branch: "drift.yml". Default any workflow on the
	// branch; those of pull_request_target are among them.
	DriftWorkflow string `pulumi:"driftWorkflow,optional"`
	// ProviderArn is the account's trust in GitHub where it has one: there can be but one. Its audiences must have
	// "sts.amazonaws.com". Default made here.
	ProviderArn pulumi.StringInput `pulumi:"providerArn,optional"`
	// StateBucketArn is the bucket of the stacks' state, of which the roles read, and Deploy writes, what lies below ".pulumi/".
	// State.BucketArn. Required.
	StateBucketArn pulumi.StringInput `pulumi:"stateBucketArn"`
	// StateKeyArn is the key with which the bucket is encrypted; default none, for a bucket with S3's own.
	StateKeyArn pulumi.StringInput `pulumi:"stateKeyArn,optional"`
	// SecretsKeyArn is the key of the stack's secrets, by its ARN, not by an alias. All roles but Promote decrypt with it. Nobody encrypts: that
	// takes `pulumi stack init` and `pulumi stack change-secrets-provider`, which are for admins. State.KeyArn. Required.
	SecretsKeyArn pulumi.StringInput `pulumi:"secretsKeyArn"`
	// Stack is what Deploy makes, by the names that it has at AWS. Required.
	Stack Stack `pulumi:"stack"`
	// Region of the stack; default that of the provider. Deploy changes nothing elsewhere, but for IAM and Route 53, which have none.
	Region string `pulumi:"region,optional"`
	// PermissionsBoundaryArn is a policy that every role of the stack must have as its boundary: Deploy can then make no role without it, nor
	// take it away, so that none of its roles may do more, whatever is attached to it
	// (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html). The stack has to set it, with a transform where a
	// component has no argument for it. Default none: then Deploy attaches no policies to roles but the few of AWS that a cluster takes, and
	// writes none, so that EksCluster's appRoles with policies of their own, and the cluster autoscaler, are refused.
	PermissionsBoundaryArn string `pulumi:"permissionsBoundaryArn,optional"`
	// Promote makes the role that copies images; default not.
	Promote *Promote `pulumi:"promote,optional"`
	// ReadPolicyArns are further policies of Preview and Drift, at most 9, for what the stack has beside the components of the production
	// stack; they should read only. Default none.
	ReadPolicyArns []pulumi.StringInput `pulumi:"readPolicyArns,optional"`
	// DeployPolicyArns are further policies of Deploy, at most 4: a web application firewall, policies that scale nodes, repositories that other
	// accounts may use (ecr:SetRepositoryPolicy, ecr:GetRepositoryPolicy, ecr:DeleteRepositoryPolicy), registry-wide settings and HaproxyFleets are
	// not in the rights that it has. Default none.
	DeployPolicyArns []pulumi.StringInput `pulumi:"deployPolicyArns,optional"`
	// SessionMinutes is how long a job may use a role at most, 60 to 720; default 60, which is also what a job gets that asks for nothing. A
	// deployment that drains many nodes takes longer: give it more here, and as role-duration-seconds in the workflow.
	SessionMinutes int `pulumi:"sessionMinutes,optional"`
	// NamePrefix begins the roles' names: "NAMEPREFIXdeploy". Default the component's name and "-". A change makes new roles.
	NamePrefix string `pulumi:"namePrefix,optional"`
	// Path of the roles and policies, from "/" to "/"; default "/". A change makes new ones.
	Path string `pulumi:"path,optional"`
	// Tags of roles, policies and the trust in GitHub, beside those of the provider; default none.
	Tags map[string]string `pulumi:"tags,optional"`
}

// Stack names what a stack makes, as far as its names are known before: the rest is held to the region and the account. None may hold a
// wildcard.
type Stack struct {
	// Cluster is the name of the cluster at EKS: EksCluster.ClusterName, "PROJECT-STACK-NAME" by default. Required.
	Cluster string `pulumi:"cluster"`
	// Repositories are the names at ECR, as EcrRepos has them. Required.
	Repositories []string `pulumi:"repositories"`
	// RolePrefixes begin the names of the roles that the stack makes: "NAME-" of its EksCluster. The roles made here may begin
	// with none of them. Required.
	RolePrefixes []string `pulumi:"rolePrefixes"`
	// BucketPrefixes begin the names of the buckets that the stack makes: "NAME-logs-" of its HttpsLoadBalancer. Default none, and no rights.
	BucketPrefixes []string `pulumi:"bucketPrefixes,optional"`
	// HostedZoneIds are the zones at Route 53 in which the stack makes records: "Z0123456789ABCDEFGHIJ". Required.
	HostedZoneIds []string `pulumi:"hostedZoneIds"`
}

// Promote is where images are copied from and to. Repositories of other accounts have to let the role in themselves: EcrRepos.PullFrom and
// PushFrom.
type Promote struct {
	// Environment at GitHub of the job; default that of the roles.
	Environment string `pulumi:"environment,optional"`
	// Workflow is the file below .github/workflows that may take the role; default any of the environment.
	Workflow string `pulumi:"workflow,optional"`
	// From are the repositories whose images are read, by their ARNs: "arn:aws:ecr:us-west-2:111111111111:repository/frontend". Default none,
	// for sources that need no rights of AWS.
	From []string `pulumi:"from,optional"`
	// To are the repositories whose images are read and written, by their ARNs. Required.
	To []string `pulumi:"to"`
}
