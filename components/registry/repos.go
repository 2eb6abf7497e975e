// Package registry holds the image repositories that pipelines push to and clusters pull from.
package registry

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// EcrReposType is in every stack's state: to change it takes an alias and a major version.
const EcrReposType = "slipway:index:EcrRepos"

// EcrRepos is a set of ECR repositories whose tags never move, and which scan what is pushed:
//
//	slipway:index:EcrRepos                        NAME
//	├─ aws:ecr/repository:Repository              NAME-REPOSITORY            its physical name is REPOSITORY: it is an address
//	├─ aws:ecr/lifecyclePolicy:LifecyclePolicy    NAME-REPOSITORY-lifecycle  what expires, and when
//	├─ aws:ecr/repositoryPolicy:RepositoryPolicy  NAME-REPOSITORY-access     only with pullFrom or pushFrom
//	├─ aws:ecr/registryScanningConfiguration      NAME-scanning              only with enhancedScanning
//	├─ aws:ecr/replicationConfiguration           NAME-replication           only with replication
//	└─ aws:ecr/pullThroughCacheRule               NAME-through-PREFIX        one for each of pullThrough
//
// Give it pulumi.Protect(true) in production: the repositories inherit it.
type EcrRepos struct {
	pulumi.ResourceState
	// RepositoryUrls is where to push to and pull from, without a tag, by the name given in Repositories:
	// "123456789012.dkr.ecr.us-west-2.amazonaws.com/frontend".
	RepositoryUrls pulumi.StringMapOutput `pulumi:"repositoryUrls"`
	// RepositoryArns is for policies that allow to push or pull, by the name given in Repositories.
	RepositoryArns pulumi.StringMapOutput `pulumi:"repositoryArns"`
}

// NewEcrRepos reports every problem with args at once, before it registers anything.
func NewEcrRepos(ctx *pulumi.Context, name string, args *EcrReposArgs, opts ...pulumi.ResourceOption) (*EcrRepos, error) {
	a, err := args.checked(name)
	if err != nil {
		return nil, err
	}
	c := &EcrRepos{}
	if err := ctx.RegisterComponentResourceV2(EcrReposType, name, a.recorded(), c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", EcrReposType, name, err)
	}
	if err := a.checkRunning(ctx, name, pulumi.Parent(c)); err != nil {
		return nil, err
	}
	urls, arns := pulumi.StringMap{}, pulumi.StringMap{}
	var first *ecr.Repository
	for _, repository := range a.Repositories {
		r, err := c.add(ctx, name, repository, a)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", EcrReposType, name, err)
		}
		urls[repository], arns[repository] = r.RepositoryUrl, r.Arn
		first = cmp.Or(first, r)
	}
	if a.Registry != nil {
		if err := c.shared(ctx, name, a, first.RegistryId); err != nil {
			return nil, fmt.Errorf("%s %q: %w", EcrReposType, name, err)
		}
	}
	c.RepositoryUrls, c.RepositoryArns = urls.ToStringMapOutput(), arns.ToStringMapOutput()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"repositoryUrls": c.RepositoryUrls, "repositoryArns": c.RepositoryArns})
}

// add makes one repository with what hangs on it. The children are called after it, not after its place in the list: a name taken
// out must not move the others.
func (c *EcrRepos) add(ctx *pulumi.Context, name, repository string, a EcrReposArgs) (*ecr.Repository, error) {
	child, own := name+"-"+repository, a.of(repository)
	r, err := ecr.NewRepository(ctx, child, own.repository(repository, a.ForceDelete), pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("repository %q: %w", repository, err)
	}
	policy, err := a.rules(own).document()
	if err != nil {
		return nil, fmt.Errorf("lifecycle policy of %q: %w", repository, err)
	}
	if _, err := ecr.NewLifecyclePolicy(ctx, child+"-lifecycle", &ecr.LifecyclePolicyArgs{Repository: r.Name, Policy: pulumi.String(policy)}, pulumi.Parent(c)); err != nil {
		return nil, fmt.Errorf("lifecycle policy of %q: %w", repository, err)
	}
	if len(own.PullFrom)+len(own.PushFrom) > 0 {
		if _, err := ecr.NewRepositoryPolicy(ctx, child+"-access", &ecr.RepositoryPolicyArgs{Repository: r.Name, Policy: own.access()}, pulumi.Parent(c)); err != nil {
			return nil, fmt.Errorf("access to %q: %w", repository, err)
		}
	}
	return r, nil
}

// of is what counts for one repository: its own, and what is left out as for all.
func (args EcrReposArgs) of(repository string) Repository {
	r := args.Each[repository]
	r.KeepReleases = cmp.Or(r.KeepReleases, args.KeepReleases)
	r.ExpireBranchDays = cmp.Or(r.ExpireBranchDays, args.ExpireBranchDays)
	r.ExpireUntaggedDays = cmp.Or(r.ExpireUntaggedDays, args.ExpireUntaggedDays)
	if len(r.ReleaseTagPrefixes) == 0 {
		r.ReleaseTagPrefixes = args.ReleaseTagPrefixes
	}
	if len(r.BranchTagPrefixes) == 0 {
		r.BranchTagPrefixes = args.BranchTagPrefixes
	}
	r.MutableTags, r.NoScanOnPush = r.MutableTags || args.MutableTags, r.NoScanOnPush || args.NoScanOnPush
	r.PullFrom, r.PushFrom = slices.Concat(args.PullFrom, r.PullFrom), slices.Concat(args.PushFrom, r.PushFrom)
	if r.KmsKeyArn == nil {
		r.KmsKeyArn = args.KmsKeyArn
	}
	tags := map[string]string{}
	maps.Copy(tags, args.Tags)
	maps.Copy(tags, r.Tags)
	r.Tags = tags
	return r
}

func (r Repository) repository(name string, forceDelete bool) *ecr.RepositoryArgs {
	encryption := ecr.RepositoryEncryptionConfigurationArgs{EncryptionType: pulumi.String("AES256")}
	if r.KmsKeyArn != nil {
		encryption = ecr.RepositoryEncryptionConfigurationArgs{EncryptionType: pulumi.String("KMS"), KmsKey: r.KmsKeyArn.ToStringOutput().ToStringPtrOutput()}
	}
	mutability := "IMMUTABLE"
	if r.MutableTags {
		mutability = "MUTABLE"
	}
	out := &ecr.RepositoryArgs{
		Name:                       pulumi.String(name),
		ImageTagMutability:         pulumi.String(mutability),
		ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{ScanOnPush: pulumi.Bool(!r.NoScanOnPush)},
		EncryptionConfigurations:   ecr.RepositoryEncryptionConfigurationArray{encryption},
		ForceDelete:                pulumi.Bool(forceDelete),
	}
	if len(r.Tags) > 0 {
		out.Tags = pulumi.ToStringMap(r.Tags)
	}
	return out
}
