package registry

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// EcrReposArgs says which repositories there are, who may use them, and how long they keep images.
type EcrReposArgs struct {
	// Repositories are the names of the repositories, each part of an image's address: "frontend", "team/frontend". 2 to 256
	// characters, lower case. Required. The order means nothing. To take a name out deletes that repository, which AWS refuses
	// while it holds images (see ForceDelete); to rename one makes a new, empty repository.
	Repositories []string `pulumi:"repositories"`
	// Each says what is different about single repositories, by name.
	Each map[string]Repository `pulumi:"each,optional"`
	// Environments are what images are promoted to (`slipway promote --env`): images with a tag that begins with an environment's
	// name and "-" are kept before any other rule can expire them, and so is what cosign attaches by tag. Lower-case letters and
	// digits with single "-" between them; none may begin with another and "-". Default: none, and every tag is a release.
	Environments []string `pulumi:"environments,optional"`
	// KeepPromoted is how many images of each environment are kept, newest first. More than any KeepReleases, at most 9999, which is
	// the default: at ten promotions a day three years. ECR goes by when an image was first pushed, not by when it was promoted: with less
	// than 9999 what runs after a roll-back expires once that many newer images were promoted, so that less is refused for what is in Running.
	KeepPromoted int `pulumi:"keepPromoted,optional"`
	// Running is what the environments run, by repository: tags or digests ("sha256:…"). One that a rule of the repository could
	// expire, at some time and whatever else is pushed, is an error that names the rule; one that is promoted is kept with the default of
	// KeepPromoted only. The tags of an image that is there already are asked of ECR, which takes ecr:DescribeImages; a digest that is not
	// there yet counts as promoted. Default: nothing is checked.
	Running map[string][]string `pulumi:"running,optional"`
	// KeepReleases is how many tagged images each repository keeps, newest first; older ones expire. 2 to 1000, default 30.
	// It must reach back further than any image that still runs somewhere and is not promoted. Promoted images that match count too.
	KeepReleases int `pulumi:"keepReleases,optional"`
	// ReleaseTagPrefixes limits KeepReleases to tags that begin so, counted for each prefix by itself: "v", "release-". Images
	// tagged in another way are then kept for ever. None may begin with another. With all other rules at most 50. Default: every tag
	// counts.
	ReleaseTagPrefixes []string `pulumi:"releaseTagPrefixes,optional"`
	// BranchTagPrefixes are what the tags of images begin with that pipelines push for branches: "branch-", "pr-". They expire after
	// ExpireBranchDays, unless they are a release or promoted too. Needs ReleaseTagPrefixes. Default: none.
	BranchTagPrefixes []string `pulumi:"branchTagPrefixes,optional"`
	// ExpireBranchDays is how many days an image of a branch lives after it was pushed. 1 to 365, default 14.
	ExpireBranchDays int `pulumi:"expireBranchDays,optional"`
	// ExpireUntaggedDays is how many days an image without a tag lives after it was pushed. 1 to 365, default 14. ECR keeps those that
	// an index refers to, the images of its platforms, for as long as the index.
	ExpireUntaggedDays int `pulumi:"expireUntaggedDays,optional"`
	// MutableTags lets tags move to other images. Default false: what was tested under a tag is what runs under it.
	MutableTags bool `pulumi:"mutableTags,optional"`
	// NoScanOnPush leaves out the basic scan of each image that is pushed. Default false. For enhanced scans see Registry.
	NoScanOnPush bool `pulumi:"noScanOnPush,optional"`
	// PullFrom may pull, and read what scans found: accounts by their 12 digits, or ARNs of IAM roles or users. The account itself, and
	// so the nodes of a cluster in it, need not be here: their own IAM policies are enough. Default: nobody else.
	PullFrom []pulumi.StringInput `pulumi:"pullFrom,optional"`
	// PushFrom may push and pull, in the same form: a pipeline's role in another account. Default: nobody else.
	PushFrom []pulumi.StringInput `pulumi:"pushFrom,optional"`
	// KmsKeyArn is the key that encrypts the images: the ARN of a key, not of an alias. Default: AES-256 with keys that ECR
	// manages. A change replaces the repositories, which AWS refuses while they hold images.
	KmsKeyArn pulumi.StringInput `pulumi:"kmsKeyArn,optional"`
	// ForceDelete lets a repository be deleted together with its images: for stacks that are ephemeral. Default false.
	ForceDelete bool `pulumi:"forceDelete,optional"`
	// Registry is what the account's registry has once in a region, for all its repositories. Default: it is left alone.
	Registry *Registry `pulumi:"registry,optional"`
	// Tags for each repository, on top of what the provider adds by default.
	Tags map[string]string `pulumi:"tags,optional"`
}

// Repository is what is different about one repository; what is left out is as for all.
type Repository struct {
	// KeepReleases as for all.
	KeepReleases int `pulumi:"keepReleases,optional"`
	// ReleaseTagPrefixes as for all, instead of those.
	ReleaseTagPrefixes []string `pulumi:"releaseTagPrefixes,optional"`
	// BranchTagPrefixes as for all, instead of those.
	BranchTagPrefixes []string `pulumi:"branchTagPrefixes,optional"`
	// ExpireBranchDays as for all.
	ExpireBranchDays int `pulumi:"expireBranchDays,optional"`
	// ExpireUntaggedDays as for all.
	ExpireUntaggedDays int `pulumi:"expireUntaggedDays,optional"`
	// MutableTags lets this repository's tags move; false is as for all.
	MutableTags bool `pulumi:"mutableTags,optional"`
	// NoScanOnPush leaves out this repository's scans; false is as for all.
	NoScanOnPush bool `pulumi:"noScanOnPush,optional"`
	// PullFrom as for all, on top of those.
	PullFrom []pulumi.StringInput `pulumi:"pullFrom,optional"`
	// PushFrom as for all, on top of those.
	PushFrom []pulumi.StringInput `pulumi:"pushFrom,optional"`
	// KmsKeyArn as for all.
	KmsKeyArn pulumi.StringInput `pulumi:"kmsKeyArn,optional"`
	// Tags on top of those for all.
	Tags map[string]string `pulumi:"tags,optional"`
}

// Registry is what an account has once in each region. AWS lets a second stack that sets the same replace it without a word, and
// the first puts its own back when it runs next: one stack of an account may have this, such as one of its own for it.
type Registry struct {
	// EnhancedScanning has Amazon Inspector scan the images of all repositories, at a price per image: "on-push", or "continuous", which
	// goes on as vulnerabilities become known. Default "": basic scans.
	EnhancedScanning string `pulumi:"enhancedScanning,optional"`
	// Replication copies what is pushed to this stack's repositories, and to others whose names begin with theirs, to other regions and
	// accounts; not what was there before. Lifecycle and access are not copied. At most 25, with at most 100 repositories.
	Replication []Replication `pulumi:"replication,optional"`
	// PullThrough are registries whose images are pulled through this one, which keeps them.
	PullThrough []PullThrough `pulumi:"pullThrough,optional"`
}

// Replication is where images are copied to.
type Replication struct {
	// Region of the copy: "eu-west-1". Required.
	Region string `pulumi:"region"`
	// Account of the copy, by its 12 digits; its registry's policy has to allow it. Default: the same account.
	Account string `pulumi:"account,optional"`
}

// PullThrough is another registry behind this one: PREFIX/IMAGE here is IMAGE there.
type PullThrough struct {
	// Prefix of the repositories here: "docker-hub". 2 to 30 characters, like a repository's name. Required. A change replaces the rule.
	Prefix string `pulumi:"prefix"`
	// Upstream is the other registry: "public.ecr.aws", "registry.k8s.io", "quay.io", "registry-1.docker.io", "ghcr.io",
	// "registry.gitlab.com" or one of Azure, "NAME.azurecr.io". Required. A change replaces the rule.
	Upstream string `pulumi:"upstream"`
	// CredentialArn is the secret of Secrets Manager with the name and the token for Upstream, called "ecr-pullthroughcache/…". Required
	// but for the first three.
	CredentialArn pulumi.StringInput `pulumi:"credentialArn,optional"`
}
