// Package registry holds the image repositories that pipelines push to and clusters pull from.
package registry

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// EcrReposType is in every stack's state: to change it takes an alias and a major version.
const EcrReposType = "slipway:index:EcrRepos"

// EcrReposArgs says which repositories there are, and how long they keep images.
type EcrReposArgs struct {
	// Repositories are the names of the repositories, each part of an image's address: "frontend", "team/frontend". 2 to 256
	// characters, lower case. Required. The order means nothing. To take a name out deletes that repository, which AWS refuses
	// while it holds images (see ForceDelete); to rename one makes a new, empty repository.
	Repositories []string `pulumi:"repositories"`
	// KeepReleases is how many tagged images each repository keeps, newest first; older ones expire. 2 to 1000, default 30.
	// It must reach back further than any image that still runs somewhere.
	KeepReleases int `pulumi:"keepReleases,optional"`
	// ReleaseTagPrefixes limits KeepReleases to tags that begin so, counted for each prefix by itself: "v", "release-". Images
	// tagged in another way are then kept for ever. None may begin with another. At most 49. Default: every tag counts.
	ReleaseTagPrefixes []string `pulumi:"releaseTagPrefixes,optional"`
	// ExpireUntaggedDays is how many days an image without a tag lives after it was pushed. 1 to 365, default 14.
	ExpireUntaggedDays int `pulumi:"expireUntaggedDays,optional"`
	// KmsKeyArn is the key that encrypts the images: the ARN of a key, not of an alias. Default: AES-256 with keys that ECR
	// manages. A change replaces the repositories, which AWS refuses while they hold images.
	KmsKeyArn pulumi.StringInput `pulumi:"kmsKeyArn,optional"`
	// ForceDelete lets a repository be deleted together with its images. Default false.
	ForceDelete bool `pulumi:"forceDelete,optional"`
	// Tags for each repository, on top of what the provider adds by default.
	Tags map[string]string `pulumi:"tags,optional"`
}

// EcrRepos is a set of ECR repositories whose tags never move, and which scan what is pushed:
//
//	slipway:index:EcrRepos                      NAME
//	├─ aws:ecr/repository:Repository            NAME-REPOSITORY            its physical name is REPOSITORY: it is an address
//	└─ aws:ecr/lifecyclePolicy:LifecyclePolicy  NAME-REPOSITORY-lifecycle  what expires, and when
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
	policy, err := a.lifecyclePolicy()
	if err != nil {
		return nil, fmt.Errorf("%s %q: lifecycle policy: %w", EcrReposType, name, err)
	}
	c := &EcrRepos{}
	if err := ctx.RegisterComponentResourceV2(EcrReposType, name, a.recorded(), c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", EcrReposType, name, err)
	}
	urls, arns := pulumi.StringMap{}, pulumi.StringMap{}
	for _, repository := range a.Repositories {
		// The child is called after the repository, not after its place in the list: a name taken out must not move the others.
		child := name + "-" + repository
		r, err := ecr.NewRepository(ctx, child, a.repository(repository), pulumi.Parent(c))
		if err != nil {
			return nil, fmt.Errorf("%s %q: repository %q: %w", EcrReposType, name, repository, err)
		}
		if _, err := ecr.NewLifecyclePolicy(ctx, child+"-lifecycle", &ecr.LifecyclePolicyArgs{Repository: r.Name, Policy: pulumi.String(policy)}, pulumi.Parent(c)); err != nil {
			return nil, fmt.Errorf("%s %q: lifecycle policy of %q: %w", EcrReposType, name, repository, err)
		}
		urls[repository], arns[repository] = r.RepositoryUrl, r.Arn
	}
	c.RepositoryUrls, c.RepositoryArns = urls.ToStringMapOutput(), arns.ToStringMapOutput()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"repositoryUrls": c.RepositoryUrls, "repositoryArns": c.RepositoryArns})
}

func (a EcrReposArgs) repository(repository string) *ecr.RepositoryArgs {
	encryption := ecr.RepositoryEncryptionConfigurationArgs{EncryptionType: pulumi.String("AES256")}
	if a.KmsKeyArn != nil {
		encryption = ecr.RepositoryEncryptionConfigurationArgs{EncryptionType: pulumi.String("KMS"), KmsKey: a.KmsKeyArn.ToStringOutput().ToStringPtrOutput()}
	}
	r := &ecr.RepositoryArgs{
		Name:                       pulumi.String(repository),
		ImageTagMutability:         pulumi.String("IMMUTABLE"),
		ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{ScanOnPush: pulumi.Bool(true)},
		EncryptionConfigurations:   ecr.RepositoryEncryptionConfigurationArray{encryption},
		ForceDelete:                pulumi.Bool(a.ForceDelete),
	}
	if len(a.Tags) > 0 {
		r.Tags = pulumi.ToStringMap(a.Tags)
	}
	return r
}
