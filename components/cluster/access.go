package cluster

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

var (
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
	principal = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):iam::([0-9]{12}:(?:role|user)/(?:[!-~]+/)?[\w+=,.@-]{1,64})$`)
	session   = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):sts::([0-9]{12}):assumed-role/([\w+=,.@-]+)/.+$`)
)

func (a *EksClusterArgs) checkAdmins(p *check.Problems) {
	p.Required("admins", len(a.Admins) > 0, `["arn:aws:iam::123456789012:role/deploy"], with the role that runs Pulumi among them`)
	for i, arn := range a.Admins {
		path := fmt.Sprintf("admins[%d]", i)
		if s := session.FindStringSubmatch(arn); s != nil {
			p.Addf(path, `is %q, must be the role of that session, "arn:%s:iam::%s:role/%s", with the role's path if it has one`, arn, s[1], s[2], s[3])
			continue
		}
		p.Match(path, arn, principal, `the ARN of an IAM role or user, like "arn:aws:iam::123456789012:role/deploy"`)
		if m := principal.FindStringSubmatch(arn); m != nil && strings.Contains(m[2], ":role/aws-service-role/") {
			p.Addf(path, "is %q, must not be a service-linked role: EKS takes none", arn)
		}
		if first := partitionOf(a.Admins[0]); principal.MatchString(arn) && first != "" && first != partitionOf(arn) {
			p.Addf(path, "is %q, must be of the same partition as admins[0] (%s)", arn, first)
		}
	}
	p.Unique("admins", a.Admins)
	if a.KubeconfigRole != "" && (!slices.Contains(a.Admins, a.KubeconfigRole) || !strings.Contains(a.KubeconfigRole, ":role/")) {
		p.Addf("kubeconfigRole", "is %q, must be a role of admins, or the kubeconfig could do nothing", a.KubeconfigRole)
	}
}

// partitionOf is the "aws" of an IAM principal's ARN, or empty.
func partitionOf(arn string) string {
	if m := principal.FindStringSubmatch(arn); m != nil {
		return m[1]
	}
	return ""
}

// admins gives every admin all rights in the cluster. They are named by ARN, so that another order changes nothing.
func (b *builder) admins() (associations []pulumi.Resource, err error) {
	for _, arn := range b.Admins {
		name := b.name + "-admin-" + principal.FindStringSubmatch(arn)[2]
		entry, err := awseks.NewAccessEntry(b.ctx, name, &awseks.AccessEntryArgs{
			ClusterName:  b.cluster,
			PrincipalArn: pulumi.String(arn),
			Type:         pulumi.String("STANDARD"),
			Tags:         b.tags(name),
		}, b.below)
		if err != nil {
			return nil, fmt.Errorf("entry of %s: %w", arn, err)
		}
		association, err := awseks.NewAccessPolicyAssociation(b.ctx, name, &awseks.AccessPolicyAssociationArgs{
			ClusterName:  b.cluster,
			PrincipalArn: entry.PrincipalArn,
			PolicyArn:    pulumi.String("arn:" + b.partition + ":eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"),
			AccessScope:  awseks.AccessPolicyAssociationAccessScopeArgs{Type: pulumi.String("cluster")},
		}, b.below, pulumi.DependsOn([]pulumi.Resource{entry}))
		if err != nil {
			return nil, fmt.Errorf("rights of %s: %w", arn, err)
		}
		associations = append(associations, association)
	}
	return associations, nil
}
