package registry

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// scanFrequency is what ECR calls the kinds of enhanced scans.
var scanFrequency = map[string]string{"on-push": "SCAN_ON_PUSH", "continuous": "CONTINUOUS_SCAN"}

// shared makes what the account's registry has once.
func (c *EcrRepos) shared(ctx *pulumi.Context, name string, args EcrReposArgs, own pulumi.StringOutput) error {
	if s := args.Registry.EnhancedScanning; s != "" {
		if _, err := ecr.NewRegistryScanningConfiguration(ctx, name+"-scanning", &ecr.RegistryScanningConfigurationArgs{
			ScanType: pulumi.String("ENHANCED"),
			Rules: ecr.RegistryScanningConfigurationRuleArray{ecr.RegistryScanningConfigurationRuleArgs{
				ScanFrequency: pulumi.String(scanFrequency[s]),
				// All of the account's: a repository that no filter names would not be scanned at all any more.
				RepositoryFilters: ecr.RegistryScanningConfigurationRuleRepositoryFilterArray{
					ecr.RegistryScanningConfigurationRuleRepositoryFilterArgs{Filter: pulumi.String("*"), FilterType: pulumi.String("WILDCARD")},
				},
			}},
		}, pulumi.Parent(c)); err != nil {
			return fmt.Errorf("scanning: %w", err)
		}
	}
	if len(args.Registry.Replication) > 0 {
		if err := c.replicated(ctx, name, args, own); err != nil {
			return fmt.Errorf("replication: %w", err)
		}
	}
	for _, t := range args.Registry.PullThrough {
		rule := &ecr.PullThroughCacheRuleArgs{EcrRepositoryPrefix: pulumi.String(t.Prefix), UpstreamRegistryUrl: pulumi.String(t.Upstream)}
		if t.CredentialArn != nil {
			rule.CredentialArn = t.CredentialArn.ToStringOutput().ToStringPtrOutput()
		}
		if _, err := ecr.NewPullThroughCacheRule(ctx, name+"-through-"+t.Prefix, rule, pulumi.Parent(c)); err != nil {
			return fmt.Errorf("pull through %q: %w", t.Prefix, err)
		}
	}
	return nil
}

func (c *EcrRepos) replicated(ctx *pulumi.Context, name string, args EcrReposArgs, own pulumi.StringOutput) error {
	type rule = ecr.ReplicationConfigurationReplicationConfigurationRuleArgs
	var (
		to      ecr.ReplicationConfigurationReplicationConfigurationRuleDestinationArray
		filters ecr.ReplicationConfigurationReplicationConfigurationRuleRepositoryFilterArray
	)
	for _, d := range args.Registry.Replication {
		var registry pulumi.StringInput = own
		if d.Account != "" {
			registry = pulumi.String(d.Account)
		}
		to = append(to, ecr.ReplicationConfigurationReplicationConfigurationRuleDestinationArgs{Region: pulumi.String(d.Region), RegistryId: registry})
	}
	for _, r := range slices.Sorted(slices.Values(args.Repositories)) {
		filters = append(filters, ecr.ReplicationConfigurationReplicationConfigurationRuleRepositoryFilterArgs{
			Filter: pulumi.String(r), FilterType: pulumi.String("PREFIX_MATCH"),
		})
	}
	_, err := ecr.NewReplicationConfiguration(ctx, name+"-replication", &ecr.ReplicationConfigurationArgs{
		ReplicationConfiguration: &ecr.ReplicationConfigurationReplicationConfigurationArgs{
			Rules: ecr.ReplicationConfigurationReplicationConfigurationRuleArray{rule{Destinations: to, RepositoryFilters: filters}},
		},
	}, pulumi.Parent(c))
	return err
}

var (
	account = regexp.MustCompile(`^[0-9]{12}$`)
	region  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	secret  = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:ecr-pullthroughcache/.+$`)
)

// https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html
var (
	openUpstreams   = []string{"public.ecr.aws", "quay.io", "registry.k8s.io"}
	closedUpstreams = []string{"ghcr.io", "registry-1.docker.io", "registry.gitlab.com"}
)

func (r *Registry) check(root *check.Problems, repositories []string) {
	if r == nil {
		return
	}
	p := root.At("registry")
	if r.EnhancedScanning != "" {
		p.OneOf("enhancedScanning", r.EnhancedScanning, "on-push", "continuous")
	}
	if n := len(r.Replication); n > 25 || n > 0 && len(repositories) > 100 {
		p.Addf("replication", "has %d entries for %d repositories, must have at most 25 for at most 100", n, len(repositories))
	}
	var places []string
	for i, d := range r.Replication {
		at := p.At("replication[%d]", i)
		at.Match("region", d.Region, region, `a region, like "eu-west-1"`)
		if d.Account != "" {
			at.Match("account", d.Account, account, "an account by its 12 digits")
		}
		places = append(places, strings.TrimSpace(d.Region+" "+d.Account))
	}
	p.Unique("replication", places)
	var names []string
	for i, t := range r.PullThrough {
		t.check(p.At("pullThrough[%d]", i))
		names = append(names, t.Prefix)
	}
	p.Unique("pullThrough", names)
}

func (t PullThrough) check(p *check.Problems) {
	p.Match("prefix", t.Prefix, repositoryName, `the beginning of a repository's name, like "docker-hub"`)
	if len(t.Prefix) < 2 || len(t.Prefix) > 30 {
		p.Addf("prefix", "is %d characters long, must be 2 to 30", len(t.Prefix))
	}
	azure := strings.HasSuffix(t.Upstream, ".azurecr.io")
	switch {
	case slices.Contains(openUpstreams, t.Upstream):
		if t.CredentialArn != nil {
			p.Addf("credentialArn", "is given, must not be with %s, which takes none", t.Upstream)
		}
	case azure || slices.Contains(closedUpstreams, t.Upstream):
		p.Required("credentialArn", t.CredentialArn != nil, `"arn:aws:secretsmanager:us-west-2:123456789012:secret:ecr-pullthroughcache/docker-hub-Ab12Cd"`)
	default:
		p.Addf("upstream", `is %q, must be one of %s or "NAME.azurecr.io"`, t.Upstream, strings.Join(slices.Concat(openUpstreams, closedUpstreams), ", "))
	}
	if s, plain := t.CredentialArn.(pulumi.String); plain {
		p.Match("credentialArn", string(s), secret, `the ARN of a secret whose name begins with "ecr-pullthroughcache/"`)
	}
}
