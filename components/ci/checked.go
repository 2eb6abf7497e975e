package ci

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

var (
	// A user that an enterprise manages has an underscore in its name.
	repositoryForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}$`)
	branchForm     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/-]{0,249}$`)
	// GitHub allows more in the name of an environment, and encodes some of it in the subject of a token.
	environmentForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$`)
	workflowForm    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*\.ya?ml$`)

	clusterForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)
	ecrForm      = regexp.MustCompile(`^[a-z0-9]+(?:[._/-][a-z0-9]+)*$`)
	roleForm     = regexp.MustCompile(`^[A-Za-z0-9][\w+=,.@-]{0,62}$`)
	bucketForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{2,62}$`)
	zoneForm     = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
	regionForm   = regexp.MustCompile(`^[a-z]{2}(?:-[a-z]+)+-[0-9]$`)
	pathForm     = regexp.MustCompile(`^/(?:[A-Za-z0-9._-]+/)*$`)
	policyArn    = regexp.MustCompile(`^arn:(?:aws|aws-cn|aws-us-gov):iam::(?:aws|[0-9]{12}):policy/[A-Za-z0-9+=,.@_/-]{1,512}$`)
	bucketArn    = regexp.MustCompile(`^arn:(?:aws|aws-cn|aws-us-gov):s3:::[a-z0-9][a-z0-9.-]{2,62}$`)
	keyArn       = regexp.MustCompile(`^arn:(?:aws|aws-cn|aws-us-gov):kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$`)
	providerForm = regexp.MustCompile(`^arn:(?:aws|aws-cn|aws-us-gov):iam::[0-9]{12}:oidc-provider/` + regexp.QuoteMeta(issuer) + `$`)
	imagesArn    = regexp.MustCompile(`^arn:(?:aws|aws-cn|aws-us-gov):ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9]+(?:[._/-][a-z0-9]+)*$`)
)

const (
	// maxRoleName is IAM's limit.
	maxRoleName = 64
	// maxPolicies is IAM's quota of managed policies for a role, unless AWS has raised it:
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
	maxPolicies = 10
	// ownPolicies are those that the deploy role has of its own.
	ownPolicies = 6

	repositorySays  = `"OWNER/NAME" as at GitHub, without wildcards`
	branchSays      = `the name of a branch, like "main", without "refs/heads/" and without wildcards`
	environmentSays = `the name of an environment: letters, digits and "._-", like "production"`
	workflowSays    = `a file below .github/workflows, like "deploy.yml"`
)

// checked is args with the defaults filled in; it accepts nil.
func (args *RolesArgs) checked(name string) (a RolesArgs, err error) {
	if args != nil {
		a = *args
	}
	a.Branch, a.Environment, a.Path = cmp.Or(a.Branch, "main"), cmp.Or(a.Environment, "production"), cmp.Or(a.Path, "/")
	a.SessionMinutes, a.NamePrefix = cmp.Or(a.SessionMinutes, 60), cmp.Or(a.NamePrefix, name+"-")
	var p check.Problems
	a.checkTrust(&p)
	a.checkState(&p)
	a.Stack.check(p.At("stack"))
	if a.Region != "" {
		p.Match("region", a.Region, regionForm, `a region, like "us-west-2"`)
	}
	if a.PermissionsBoundaryArn != "" {
		p.Match("permissionsBoundaryArn", a.PermissionsBoundaryArn, policyArn, `the ARN of a policy, like "arn:aws:iam::123456789012:policy/boundary"`)
	}
	if a.Promote != nil {
		own := *a.Promote
		own.Environment = cmp.Or(own.Environment, a.Environment)
		own.check(p.At("promote"))
		a.Promote = &own
	}
	policies(&p, "readPolicyArns", a.ReadPolicyArns, maxPolicies-1)
	policies(&p, "deployPolicyArns", a.DeployPolicyArns, maxPolicies-ownPolicies)
	p.Between("sessionMinutes", a.SessionMinutes, 60, 720)
	p.Match("path", a.Path, pathForm, `"/", or names between "/", like "/pipeline/"`)
	a.checkNames(&p)
	p.Tags("tags", a.Tags)
	if p.None() {
		a.checkSizes(&p)
	}
	return a, p.Err(RolesType, name)
}

func (args *RolesArgs) checkTrust(p *check.Problems) {
	if args.Repository == "" {
		p.Required("repository", false, `"slipway-iac/slipway"`)
	} else {
		p.Match("repository", args.Repository, repositoryForm, repositorySays)
	}
	if (args.OwnerID == 0) != (args.RepositoryID == 0) {
		p.Addf("repositoryId", "is %d and ownerId is %d: must be given both, or none", args.RepositoryID, args.OwnerID)
	}
	if args.OwnerID < 0 || args.RepositoryID < 0 {
		p.Addf("repositoryId", "is %d and ownerId is %d: must be what GitHub has numbered them", args.RepositoryID, args.OwnerID)
	}
	checkBranch(p, "branch", args.Branch)
	p.Match("environment", args.Environment, environmentForm, environmentSays)
	for _, w := range []struct{ path, file string }{{"deployWorkflow", args.DeployWorkflow}, {"driftWorkflow", args.DriftWorkflow}} {
		if w.file != "" {
			p.Match(w.path, w.file, workflowForm, workflowSays)
		}
	}
	plain(p, "providerArn", args.ProviderArn, providerForm, "the ARN of the trust in GitHub, like \"arn:aws:iam::123456789012:oidc-provider/"+issuer+"\"")
}

func checkBranch(p *check.Problems, path, branch string) {
	p.Match(path, branch, branchForm, branchSays)
	if strings.HasPrefix(branch, "refs/") {
		p.Addf(path, "is %q, must be %s", branch, branchSays)
	}
}

func (args *RolesArgs) checkState(p *check.Problems) {
	const keySays = `the ARN of a key, like "arn:aws:kms:us-west-2:123456789012:key/1234abcd-…": IAM does not know a key by its alias`
	p.Required("stateBucketArn", args.StateBucketArn != nil, "state.BucketArn")
	p.Required("secretsKeyArn", args.SecretsKeyArn != nil, "state.KeyArn")
	plain(p, "stateBucketArn", args.StateBucketArn, bucketArn, `the ARN of a bucket, like "arn:aws:s3:::state"`)
	plain(p, "secretsKeyArn", args.SecretsKeyArn, keyArn, keySays)
	plain(p, "stateKeyArn", args.StateKeyArn, keyArn, keySays)
}

// plain looks at what is known now; the rest, IAM refuses.
func plain(p *check.Problems, path string, given pulumi.StringInput, form *regexp.Regexp, says string) {
	if text, known := given.(pulumi.String); known {
		p.Match(path, string(text), form, says)
	}
}

func policies(p *check.Problems, path string, all []pulumi.StringInput, most int) {
	if len(all) > most {
		p.Addf(path, "has %d entries, must have at most %d: a role has %d policies", len(all), most, maxPolicies)
	}
	for i, arn := range all {
		plain(p, fmt.Sprintf("%s[%d]", path, i), arn, policyArn, `the ARN of a policy, like "arn:aws:iam::123456789012:policy/more"`)
	}
}

func (s Stack) check(p *check.Problems) {
	if s.Cluster == "" {
		p.Required("cluster", false, `"slipway-prod-cluster"`)
	} else {
		p.Match("cluster", s.Cluster, clusterForm, `the name of a cluster: letters, digits, "_" and "-"`)
	}
	list := func(path string, all []string, form *regexp.Regexp, says, example string) {
		if example != "" {
			p.Required(path, len(all) > 0, example)
		}
		for i, v := range all {
			p.Match(fmt.Sprintf("%s[%d]", path, i), v, form, says)
		}
		p.Unique(path, all)
	}
	list("repositories", s.Repositories, ecrForm, `the name of a repository, like "frontend"`, `["frontend"]`)
	list("rolePrefixes", s.RolePrefixes, roleForm, `the beginning of a role's name, like "cluster-"`, `["cluster-"]`)
	list("bucketPrefixes", s.BucketPrefixes, bucketForm, `the beginning of a bucket's name, of 3 characters at least, like "door-logs-"`, "")
	list("hostedZoneIds", s.HostedZoneIds, zoneForm, `the id of a zone, like "Z0123456789ABCDEFGHIJ"`, `["Z0123456789ABCDEFGHIJ"]`)
}

func (r *Promote) check(p *check.Problems) {
	p.Match("environment", r.Environment, environmentForm, environmentSays)
	if r.Workflow != "" {
		p.Match("workflow", r.Workflow, workflowForm, workflowSays)
	}
	const says = `the ARN of a repository, like "arn:aws:ecr:us-west-2:123456789012:repository/frontend"`
	p.Required("to", len(r.To) > 0, `["arn:aws:ecr:us-west-2:123456789012:repository/frontend"]`)
	for i, arn := range r.To {
		p.Match(fmt.Sprintf("to[%d]", i), arn, imagesArn, says)
	}
	for i, arn := range r.From {
		p.Match(fmt.Sprintf("from[%d]", i), arn, imagesArn, says)
	}
	p.Unique("to", r.To)
	p.Unique("from", r.From)
}

// checkNames keeps the roles out of what the deploy role may change.
func (args *RolesArgs) checkNames(p *check.Problems) {
	p.Match("namePrefix", args.NamePrefix, roleForm, `the beginning of a role's name, like "slipway-"`)
	if n := len(args.NamePrefix) + len("promote"); n > maxRoleName {
		p.Addf("namePrefix", "is %d characters long, must be at most %d: a role's name has %d", len(args.NamePrefix), maxRoleName-len("promote"), maxRoleName)
	}
	for i, prefix := range args.Stack.RolePrefixes {
		for _, role := range []string{"preview", "deploy", "drift", "promote"} {
			// The rights on "role/PREFIX*" reach over the path, too.
			if strings.HasPrefix(strings.TrimPrefix(args.Path, "/")+args.NamePrefix+role, prefix) {
				p.Addf(fmt.Sprintf("stack.rolePrefixes[%d]", i), "is %q, which the role %q begins with: it could give itself every right", prefix, args.NamePrefix+role)
				break
			}
		}
	}
}
