package registry

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
var repositoryName = regexp.MustCompile(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

// An image's tag: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests.
var tagPrefix = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

var keyArn = regexp.MustCompile(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$`)

// maxRules is ECR's quota of rules in one lifecycle policy; one of them is for images without a tag.
const maxRules = 50

// checked is args with the defaults filled in; it accepts nil.
func (args *EcrReposArgs) checked(name string) (a EcrReposArgs, err error) {
	if args != nil {
		a = *args
	}
	var p check.Problems
	p.Required("repositories", len(a.Repositories) > 0, `["frontend"]`)
	for i, r := range a.Repositories {
		path := fmt.Sprintf("repositories[%d]", i)
		p.Match(path, r, repositoryName, `lower-case letters and digits, with single ".", "_", "-" or "/" between them, like "team/frontend"`)
		if len(r) < 2 || len(r) > 256 {
			p.Addf(path, "is %d characters long, must be 2 to 256", len(r))
		}
	}
	p.Unique("repositories", a.Repositories)
	a.KeepReleases = cmp.Or(a.KeepReleases, 30)
	if a.KeepReleases < 2 || a.KeepReleases > 1000 {
		p.Addf("keepReleases", "is %d, must be 2 to 1000: the release that runs is not always the newest one pushed", a.KeepReleases)
	}
	a.checkPrefixes(&p)
	a.ExpireUntaggedDays = cmp.Or(a.ExpireUntaggedDays, 14)
	p.Between("expireUntaggedDays", a.ExpireUntaggedDays, 1, 365)
	if arn, plain := a.KmsKeyArn.(pulumi.String); plain {
		p.Match("kmsKeyArn", string(arn), keyArn, `the ARN of a key, like "arn:aws:kms:us-west-2:123456789012:key/1234abcd-…": ECR turns an alias into its key, which then differs on every run`)
	}
	p.Tags("tags", a.Tags)
	return a, p.Err(EcrReposType, name)
}

func (args *EcrReposArgs) checkPrefixes(p *check.Problems) {
	if n := len(args.ReleaseTagPrefixes); n > maxRules-1 {
		p.Addf("releaseTagPrefixes", "has %d entries, must have at most %d: a lifecycle policy holds %d rules", n, maxRules-1, maxRules)
	}
	for i, prefix := range args.ReleaseTagPrefixes {
		path := fmt.Sprintf("releaseTagPrefixes[%d]", i)
		p.Match(path, prefix, tagPrefix, `the beginning of a tag: letters, digits, "_", "." and "-", like "v"`)
		for j, other := range args.ReleaseTagPrefixes {
			if i != j && other != prefix && other != "" && strings.HasPrefix(prefix, other) {
				p.Addf(path, "is %q, must not begin with releaseTagPrefixes[%d] (%q): its images would count for both", prefix, j, other)
			}
		}
	}
	p.Unique("releaseTagPrefixes", args.ReleaseTagPrefixes)
}

// recorded is what the stack's state and policy packs see of the arguments.
func (args *EcrReposArgs) recorded() pulumi.Map {
	m := pulumi.Map{
		"repositories": pulumi.ToStringArray(args.Repositories), "keepReleases": pulumi.Int(args.KeepReleases),
		"expireUntaggedDays": pulumi.Int(args.ExpireUntaggedDays), "forceDelete": pulumi.Bool(args.ForceDelete),
	}
	if len(args.ReleaseTagPrefixes) > 0 {
		m["releaseTagPrefixes"] = pulumi.ToStringArray(args.ReleaseTagPrefixes)
	}
	if args.KmsKeyArn != nil {
		m["kmsKeyArn"] = args.KmsKeyArn
	}
	if len(args.Tags) > 0 {
		m["tags"] = pulumi.ToStringMap(args.Tags)
	}
	return m
}
