// Package ci lets the workflows of a repository at GitHub work on an AWS account without keys: roles that they take with a token of
// their own, and the bucket in which they share their stacks' state.
package ci

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// RolesType is in every stack's state: to change it takes an alias and a major version.
const RolesType = "slipway:index:Roles"

// Roles are what the workflows of one repository at GitHub may do in the account, each with exactly the rights that its work takes:
//
//	slipway:index:Roles                                   NAME
//	├─ aws:iam/openIdConnectProvider                      NAME-github     only without providerArn: an account has one for all repositories
//	├─ aws:iam/policy:Policy                              NAME-PART       read, state, network, cluster, edge, identity, and promote with promote
//	├─ aws:iam/role:Role                                  NAME-ROLE       preview, deploy, drift, and promote with promote
//	└─ aws:iam/rolePolicyAttachment:RolePolicyAttachment  NAME-ROLE-PART  one for each policy of a role, those that are brought too
//
// An admin makes them once, with a stack of its own: the deploy role may not change them, nor the bucket and the keys of the state.
//
//   - Preview is for the jobs of pull requests that are in no environment. It reads what the stack has made and its state, whose secrets it
//     can open: whoever may push a branch to the repository may run anything with it. Jobs of a fork's pull request get no token from GitHub.
//   - Deploy is for the job that runs `pulumi up` on the branch, in the environment, whose reviewers GitHub asks first. It reaches no further
//     than the region and the names of RolesArgs.Stack; where AWS gives out names only when something is made, as for networks, load
//     balancers and keys, it reaches those of others in the account, too, but for the key of the secrets. Give a system an account of its own.
//   - Drift is for a job on the branch that compares the account with the state. It may do what Preview may.
//   - Promote is for the job that copies images, in its environment.
//
// In a cluster of EKS these rights count for nothing; there each role needs an access entry. A preview applies with a server-side dry
// run, for which Kubernetes asks for the same rights as for the change itself; Kubernetes has no right to a dry run alone. So Deploy
// belongs to EksCluster's admins. Preview with EksCluster's ciRole, or as a developer, can preview what is in the namespaces that it is
// given, which it could then change, too; a preview of namespaces and other objects of the whole cluster takes an admin. Drift is
// one of EksCluster's auditors: a refresh reads Secrets, which a viewer cannot. Whether the preview of Kubernetes objects is worth what it
// takes is the cluster owner's decision.
//
// AWS answers "Not authorized to perform sts:AssumeRoleWithWebIdentity" to a token that a role does not trust, and does not say why.
// GitHub's action github/actions-oidc-debugger shows what the token says. Since July 15, 2026 the tokens of new, renamed and moved
// repositories name owner and repository with their numbers: give OwnerID and RepositoryID. A subject that the repository or its
// organization has customized is not trusted.
type Roles struct {
	pulumi.ResourceState
	// PreviewRoleArn, DeployRoleArn and DriftRoleArn are what the workflows take.
	PreviewRoleArn pulumi.StringOutput `pulumi:"previewRoleArn"`
	DeployRoleArn  pulumi.StringOutput `pulumi:"deployRoleArn"`
	DriftRoleArn   pulumi.StringOutput `pulumi:"driftRoleArn"`
	// PromoteRoleArn is empty without RolesArgs.Promote.
	PromoteRoleArn pulumi.StringOutput `pulumi:"promoteRoleArn"`
	// ProviderArn is the account's trust in GitHub's tokens, for the roles of other repositories.
	ProviderArn pulumi.StringOutput `pulumi:"providerArn"`
}

// builder is the roles while they are made.
type builder struct {
	RolesArgs
	ctx      *pulumi.Context
	name     string
	below    pulumi.ResourceOrInvokeOption
	place    place
	provider pulumi.StringInput
	policies map[string]pulumi.StringOutput
}

// NewRoles reports every problem with args at once, before it registers anything.
func NewRoles(ctx *pulumi.Context, name string, args *RolesArgs, opts ...pulumi.ResourceOption) (*Roles, error) {
	a, err := args.checked(name)
	if err != nil {
		return nil, err
	}
	c := &Roles{}
	if err := ctx.RegisterComponentResourceV2(RolesType, name, a.recorded(), c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", RolesType, name, err)
	}
	b := &builder{RolesArgs: a, ctx: ctx, name: name, below: pulumi.Parent(c), policies: map[string]pulumi.StringOutput{}}
	if err := b.build(c); err != nil {
		return nil, fmt.Errorf("%s %q: %w", RolesType, name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"previewRoleArn": c.PreviewRoleArn, "deployRoleArn": c.DeployRoleArn, "driftRoleArn": c.DriftRoleArn, "promoteRoleArn": c.PromoteRoleArn,
		"providerArn": c.ProviderArn,
	})
}

func (b *builder) build(c *Roles) (err error) {
	if b.place, err = whereabouts(b.ctx, b.Region, b.below); err != nil {
		return err
	}
	if err := b.trustGitHub(); err != nil {
		return err
	}
	c.ProviderArn = b.provider.ToStringOutput()
	if err := b.makePolicies(); err != nil {
		return err
	}
	write := []string{partState, partNetwork, partCluster, partEdge, partIdentity}
	for _, r := range []struct {
		arn     *pulumi.StringOutput
		name    string
		what    string
		claims  claims
		parts   []string
		brought []pulumi.StringInput
	}{
		{&c.PreviewRoleArn, "preview", "Previews of pull requests of ", b.claims("pull_request", "", ""), []string{partRead}, b.ReadPolicyArns},
		{&c.DeployRoleArn, "deploy", "Deployments of ", b.claims("environment:"+b.Environment, b.Branch, b.DeployWorkflow), append([]string{partRead}, write...), b.DeployPolicyArns},
		{&c.DriftRoleArn, "drift", "Drift of ", b.claims("ref:refs/heads/"+b.Branch, b.Branch, b.DriftWorkflow), []string{partRead}, b.ReadPolicyArns},
	} {
		if *r.arn, err = b.role(r.name, r.what+b.Repository, r.claims, r.parts, r.brought); err != nil {
			return fmt.Errorf("role %q: %w", r.name, err)
		}
	}
	c.PromoteRoleArn = pulumi.String("").ToStringOutput()
	if p := b.Promote; p != nil {
		c.PromoteRoleArn, err = b.role("promote", "Promotions of images by "+b.Repository, b.claims("environment:"+p.Environment, b.Branch, p.Workflow), []string{partPromote}, nil)
		if err != nil {
			return fmt.Errorf("role %q: %w", "promote", err)
		}
	}
	return nil
}

// trustGitHub makes the account's trust in GitHub's tokens, or takes what is there. It has no thumbprints: since July 2023 AWS checks
// GitHub's certificate with its own list of authorities, and fills one in itself
// (https://github.com/aws-actions/configure-aws-credentials/issues/763).
func (b *builder) trustGitHub() error {
	if b.ProviderArn != nil {
		b.provider = b.ProviderArn
		return nil
	}
	provider, err := iam.NewOpenIdConnectProvider(b.ctx, b.name+"-github", &iam.OpenIdConnectProviderArgs{
		Url: pulumi.String("https://" + issuer), ClientIdLists: pulumi.StringArray{pulumi.String(audience)}, Tags: b.tags(),
	}, b.below)
	if err != nil {
		return fmt.Errorf("trust in GitHub: %w", err)
	}
	b.provider = provider.Arn
	return nil
}

// makePolicies makes one for each part of the rights: what is granted in one part moves no other part's policy.
func (b *builder) makePolicies() error {
	values := pulumi.StringMap{"stateBucket": b.StateBucketArn, "secretsKey": b.SecretsKeyArn}
	if b.StateKeyArn != nil {
		values["stateKey"] = b.StateKeyArn
	}
	for _, part := range b.parts() {
		document := values.ToStringMapOutput().ApplyT(func(state map[string]string) (string, error) {
			return b.document(part, b.values(b.place, state))
		}).(pulumi.StringOutput)
		policy, err := iam.NewPolicy(b.ctx, b.name+"-"+part, &iam.PolicyArgs{
			Path: pulumi.String(b.Path), Description: pulumi.String(descriptions[part]), Policy: document, Tags: b.tags(),
		}, b.below)
		if err != nil {
			return fmt.Errorf("policy %q: %w", part, err)
		}
		b.policies[part] = policy.Arn
	}
	return nil
}

func (b *builder) role(name, description string, trusted claims, parts []string, brought []pulumi.StringInput) (pulumi.StringOutput, error) {
	trust := b.provider.ToStringOutput().ApplyT(trusted.document).(pulumi.StringOutput)
	role, err := iam.NewRole(b.ctx, b.name+"-"+name, &iam.RoleArgs{
		// An address: the cluster's access entries and the repository's variables name it.
		Name: pulumi.String(b.NamePrefix + name), Path: pulumi.String(b.Path), Description: pulumi.String(description),
		AssumeRolePolicy: trust, MaxSessionDuration: pulumi.Int(60 * b.SessionMinutes), Tags: b.tags(),
	}, b.below)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	attach := func(part string, policy pulumi.StringInput) error {
		_, err := iam.NewRolePolicyAttachment(b.ctx, b.name+"-"+name+"-"+part, &iam.RolePolicyAttachmentArgs{Role: role.Name, PolicyArn: policy}, b.below)
		return err
	}
	for _, part := range parts {
		if err := attach(part, b.policies[part]); err != nil {
			return pulumi.StringOutput{}, fmt.Errorf("policy %q: %w", part, err)
		}
	}
	for i, arn := range brought {
		if err := attach(fmt.Sprintf("brought-%d", i+1), arn); err != nil {
			return pulumi.StringOutput{}, fmt.Errorf("brought policy %d: %w", i+1, err)
		}
	}
	return role.Arn, nil
}

func (b *builder) tags() pulumi.StringMap {
	if len(b.Tags) == 0 {
		return nil
	}
	return pulumi.ToStringMap(b.Tags)
}

// recorded is what the stack's state and policy packs see of the arguments.
func (args *RolesArgs) recorded() pulumi.Map {
	m := pulumi.Map{
		"repository": pulumi.String(args.Repository), "branch": pulumi.String(args.Branch), "environment": pulumi.String(args.Environment),
		"sessionMinutes": pulumi.Int(args.SessionMinutes), "path": pulumi.String(args.Path), "namePrefix": pulumi.String(args.NamePrefix),
		"stateBucketArn": args.StateBucketArn, "secretsKeyArn": args.SecretsKeyArn, "stack": args.Stack.recorded(),
	}
	texts := map[string]string{
		"region": args.Region, "deployWorkflow": args.DeployWorkflow, "driftWorkflow": args.DriftWorkflow, "permissionsBoundaryArn": args.PermissionsBoundaryArn,
	}
	for _, k := range slices.Sorted(maps.Keys(texts)) {
		if texts[k] != "" {
			m[k] = pulumi.String(texts[k])
		}
	}
	if args.RepositoryID != 0 {
		m["ownerId"], m["repositoryId"] = pulumi.Int(args.OwnerID), pulumi.Int(args.RepositoryID)
	}
	if args.ProviderArn != nil {
		m["providerArn"] = args.ProviderArn
	}
	if args.StateKeyArn != nil {
		m["stateKeyArn"] = args.StateKeyArn
	}
	if p := args.Promote; p != nil {
		m["promote"] = pulumi.Map{
			"environment": pulumi.String(p.Environment), "workflow": pulumi.String(p.Workflow), "from": pulumi.ToStringArray(p.From), "to": pulumi.ToStringArray(p.To),
		}
	}
	if len(args.ReadPolicyArns) > 0 {
		m["readPolicyArns"] = pulumi.StringArray(args.ReadPolicyArns)
	}
	if len(args.DeployPolicyArns) > 0 {
		m["deployPolicyArns"] = pulumi.StringArray(args.DeployPolicyArns)
	}
	if len(args.Tags) > 0 {
		m["tags"] = pulumi.ToStringMap(args.Tags)
	}
	return m
}

func (s Stack) recorded() pulumi.Map {
	return pulumi.Map{
		"cluster": pulumi.String(s.Cluster), "repositories": pulumi.ToStringArray(s.Repositories), "rolePrefixes": pulumi.ToStringArray(s.RolePrefixes),
		"bucketPrefixes": pulumi.ToStringArray(s.BucketPrefixes), "hostedZoneIds": pulumi.ToStringArray(s.HostedZoneIds),
	}
}
