package registry

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
var repositoryName = regexp.MustCompile(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

// An image's tag: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests.
var tagPrefix = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

var (
	keyArn      = regexp.MustCompile(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$`)
	environment = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	principal   = regexp.MustCompile(`^(?:[0-9]{12}|arn:aws[a-z-]*:iam::[0-9]{12}:(?:root|(?:role|user)/[^*]+))$`)
)

// maxPromoted is what a rule that keeps everything is given: no page says how large a number ECR takes, and this is widely used. It counts
// as everything: that an image that runs is older than so many that were promoted to the same environment is not looked at.
const maxPromoted = 9999

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
	a.checkEnvironments(&p)
	a.KeepReleases = cmp.Or(a.KeepReleases, 30)
	a.ExpireUntaggedDays = cmp.Or(a.ExpireUntaggedDays, 14)
	a.ExpireBranchDays = cmp.Or(a.ExpireBranchDays, 14)
	a.KeepPromoted = cmp.Or(a.KeepPromoted, maxPromoted)
	all := Repository{
		KeepReleases: a.KeepReleases, ReleaseTagPrefixes: a.ReleaseTagPrefixes, BranchTagPrefixes: a.BranchTagPrefixes, ExpireBranchDays: a.ExpireBranchDays,
		ExpireUntaggedDays: a.ExpireUntaggedDays, PullFrom: a.PullFrom, PushFrom: a.PushFrom, KmsKeyArn: a.KmsKeyArn, Tags: a.Tags,
	}
	if a.KeepPromoted > maxPromoted {
		p.Addf("keepPromoted", "is %d, must be at most %d", a.KeepPromoted, maxPromoted)
	}
	all.check(&p)
	a.checkRules(&p, all)
	for _, r := range slices.Sorted(maps.Keys(a.Each)) {
		each := p.At("each[%q]", r)
		a.known(each, r)
		own := a.Each[r]
		own.check(each)
		if own.KeepReleases != 0 || len(own.ReleaseTagPrefixes)+len(own.BranchTagPrefixes) > 0 {
			a.checkRules(each, a.of(r))
		}
	}
	a.checkReferences(&p)
	a.Registry.check(&p, a.Repositories)
	return a, p.Err(EcrReposType, name)
}

// known records a problem where there is no such repository.
func (args *EcrReposArgs) known(p *check.Problems, repository string) {
	if !slices.Contains(args.Repositories, repository) {
		p.Addf("", "is of none of the repositories: %s", strings.Join(args.Repositories, ", "))
	}
}

func (args *EcrReposArgs) checkEnvironments(p *check.Problems) {
	for i, e := range args.Environments {
		path := fmt.Sprintf("environments[%d]", i)
		p.Match(path, e, environment, `lower-case letters and digits with single "-" between them, like "production"`)
		for j, other := range args.Environments {
			if other != "" && strings.HasPrefix(e, other+"-") {
				p.Addf(path, `is %q, must not begin with environments[%d] (%q) and "-": its images would count for both`, e, j, other)
			}
		}
	}
	p.Unique("environments", args.Environments)
}

// check finds what is wrong with what was given for one repository, or for all.
func (r Repository) check(p *check.Problems) {
	if n := r.KeepReleases; n != 0 && (n < 2 || n > 1000) {
		p.Addf("keepReleases", "is %d, must be 2 to 1000: the release that runs is not always the newest one pushed", n)
	}
	prefixes(p, "releaseTagPrefixes", r.ReleaseTagPrefixes)
	prefixes(p, "branchTagPrefixes", r.BranchTagPrefixes)
	days := func(path string, n int) {
		if n != 0 {
			p.Between(path, n, 1, 365)
		}
	}
	days("expireBranchDays", r.ExpireBranchDays)
	days("expireUntaggedDays", r.ExpireUntaggedDays)
	if arn, plain := r.KmsKeyArn.(pulumi.String); plain {
		p.Match("kmsKeyArn", string(arn), keyArn, `the ARN of a key, like "arn:aws:kms:us-west-2:123456789012:key/1234abcd-…": ECR turns an alias into its key, which then differs on every run`)
	}
	principals(p, "pullFrom", r.PullFrom)
	principals(p, "pushFrom", r.PushFrom)
	p.Tags("tags", r.Tags)
}

func prefixes(p *check.Problems, path string, all []string) {
	for i, prefix := range all {
		at := fmt.Sprintf("%s[%d]", path, i)
		p.Match(at, prefix, tagPrefix, `the beginning of a tag: letters, digits, "_", "." and "-", like "v"`)
		for j, other := range all {
			if i != j && other != prefix && other != "" && strings.HasPrefix(prefix, other) {
				p.Addf(at, "is %q, must not begin with %s (%q): its images would count for both", prefix, p.Path(fmt.Sprintf("%s[%d]", path, j)), other)
			}
		}
	}
	p.Unique(path, all)
}

func principals(p *check.Problems, path string, all []pulumi.StringInput) {
	for i, who := range all {
		if s, plain := who.(pulumi.String); plain {
			p.Match(fmt.Sprintf("%s[%d]", path, i), string(s), principal, `an account by its 12 digits, or the ARN of an IAM role or user, like "arn:aws:iam::123456789012:role/ci"`)
		}
	}
}

// checkRules finds what is wrong between the rules of a repository.
func (args *EcrReposArgs) checkRules(p *check.Problems, r Repository) {
	if n := len(args.rules(r).Rules); n > maxRules {
		p.Addf("releaseTagPrefixes", "has %d entries, which makes %d rules with those for environments, branches and images without a tag: a lifecycle policy holds %d", len(r.ReleaseTagPrefixes), n, maxRules)
	}
	if len(r.BranchTagPrefixes) > 0 && len(r.ReleaseTagPrefixes) == 0 {
		p.Addf("branchTagPrefixes", "is given without releaseTagPrefixes: every tag is a release then, those of branches too")
	}
	for i, b := range r.BranchTagPrefixes {
		if j := slices.IndexFunc(r.ReleaseTagPrefixes, func(release string) bool { return release != "" && strings.HasPrefix(b, release) }); j >= 0 {
			p.Addf(fmt.Sprintf("branchTagPrefixes[%d]", i), "is %q, must not begin with a prefix of releases (%q): its images would be kept as such", b, r.ReleaseTagPrefixes[j])
		}
	}
	for _, e := range args.Environments {
		// ECR refuses two rules for one pattern.
		if i := slices.Index(r.ReleaseTagPrefixes, e+"-"); i >= 0 {
			p.Addf(fmt.Sprintf("releaseTagPrefixes[%d]", i), "is %q, which is how the images of environment %q are tagged", e+"-", e)
		}
		if i := slices.Index(r.BranchTagPrefixes, e+"-"); i >= 0 {
			p.Addf(fmt.Sprintf("branchTagPrefixes[%d]", i), "is %q, which is how the images of environment %q are tagged", e+"-", e)
		}
	}
	if r.KeepReleases >= args.KeepPromoted {
		p.Addf("keepReleases", "is %d, must be less than keepPromoted (%d)", r.KeepReleases, args.KeepPromoted)
	}
}

// checkReferences finds what is wrong with the form of what runs.
func (args *EcrReposArgs) checkReferences(p *check.Problems) {
	for _, repository := range slices.Sorted(maps.Keys(args.Running)) {
		at := p.At("running[%q]", repository)
		args.known(at, repository)
		for i, reference := range args.Running[repository] {
			if !digest.MatchString(reference) {
				at.Match(fmt.Sprintf("[%d]", i), reference, tagPrefix, "a tag or a digest, like \"1.4.0\" or \"sha256:…\"")
			}
		}
	}
}

// recorded is what the stack's state and policy packs see of the arguments.
func (args *EcrReposArgs) recorded() pulumi.Map {
	m := pulumi.Map{
		"repositories": pulumi.ToStringArray(args.Repositories), "keepReleases": pulumi.Int(args.KeepReleases),
		"expireUntaggedDays": pulumi.Int(args.ExpireUntaggedDays), "forceDelete": pulumi.Bool(args.ForceDelete),
	}
	if len(args.Environments) > 0 {
		m["environments"], m["keepPromoted"] = pulumi.ToStringArray(args.Environments), pulumi.Int(args.KeepPromoted)
	}
	if len(args.ReleaseTagPrefixes) > 0 {
		m["releaseTagPrefixes"] = pulumi.ToStringArray(args.ReleaseTagPrefixes)
	}
	if len(args.BranchTagPrefixes) > 0 {
		m["branchTagPrefixes"], m["expireBranchDays"] = pulumi.ToStringArray(args.BranchTagPrefixes), pulumi.Int(args.ExpireBranchDays)
	}
	if args.KmsKeyArn != nil {
		m["kmsKeyArn"] = args.KmsKeyArn
	}
	if len(args.PullFrom) > 0 {
		m["pullFrom"] = pulumi.StringArray(args.PullFrom)
	}
	if len(args.PushFrom) > 0 {
		m["pushFrom"] = pulumi.StringArray(args.PushFrom)
	}
	if args.MutableTags {
		m["mutableTags"] = pulumi.Bool(true)
	}
	if len(args.Tags) > 0 {
		m["tags"] = pulumi.ToStringMap(args.Tags)
	}
	return m
}
