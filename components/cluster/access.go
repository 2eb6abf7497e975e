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

// Developer is somebody who may change what runs in some namespaces.
type Developer struct {
	// Principal is the ARN of an IAM role or user, none of Admins. Required. A change makes a new access entry and then deletes
	// the old one.
	Principal string `pulumi:"principal"`
	// Namespaces in which it may change and delete everything but rights and quotas, Secrets included; 1 at least. "dev-*" is all that
	// begin with "dev-"; none of Kubernetes itself (kube-system) may be among them. They need not exist yet. Custom
	// resources, such as TargetGroupBinding, are not covered: AmazonEKSEditPolicy has none, and takes in no ClusterRole that is aggregated
	// into edit, so only Admins may change those. Required. A change takes the rights away and gives the new ones, within a minute.
	Namespaces []string `pulumi:"namespaces"`
}

// https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
const (
	adminPolicy = "AmazonEKSClusterAdminPolicy"
	editPolicy  = "AmazonEKSEditPolicy"
	viewPolicy  = "AmazonEKSViewPolicy"
	auditPolicy = "AmazonEKSAdminViewPolicy"
)

// A "*" at the end stands for whatever follows: https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html
var namespacePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9*])?$`)

var namespaceName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// checkAccess looks at everybody who is let in; EKS has one entry for each.
func (a *EksClusterArgs) checkAccess(p *check.Problems) {
	p.Required("admins", len(a.Admins) > 0, `["arn:aws:iam::123456789012:role/deploy"], with the role that runs Pulumi among them`)
	for i, arn := range a.Admins {
		a.checkPrincipal(p, fmt.Sprintf("admins[%d]", i), arn)
	}
	p.Unique("admins", a.Admins)
	if a.KubeconfigRole != "" && (!slices.Contains(a.Admins, a.KubeconfigRole) || !strings.Contains(a.KubeconfigRole, ":role/")) {
		p.Addf("kubeconfigRole", "is %q, must be a role of admins, or the kubeconfig could do nothing", a.KubeconfigRole)
	}
	beside := func(path, arn string) {
		a.checkPrincipal(p, path, arn)
		if i := slices.Index(a.Admins, arn); i >= 0 {
			p.Addf(path, "is %q, the same as admins[%d], which may do everything already", arn, i)
		}
	}
	for i, arn := range a.Viewers {
		beside(fmt.Sprintf("viewers[%d]", i), arn)
	}
	p.Unique("viewers", a.Viewers)
	for i, arn := range a.Auditors {
		path := fmt.Sprintf("auditors[%d]", i)
		beside(path, arn)
		if v := slices.Index(a.Viewers, arn); v >= 0 && !slices.Contains(a.Admins, arn) {
			p.Addf(path, "is %q, the same as viewers[%d]: name it in one place", arn, v)
		}
	}
	p.Unique("auditors", a.Auditors)
	principals := make([]string, len(a.Developers))
	for i, d := range a.Developers {
		path := fmt.Sprintf("developers[%d]", i)
		principals[i] = d.Principal
		beside(path+".principal", d.Principal)
		checkNamespaces(p, path+".namespaces", d.Namespaces)
		if first := slices.Index(principals, d.Principal); first < i {
			p.Addf(path+".principal", "is %q, the same as developers[%d].principal: name all its namespaces there", d.Principal, first)
		}
	}
	switch {
	case a.CiRole == "" && len(a.CiNamespaces) > 0:
		p.Required("ciRole", false, `"arn:aws:iam::123456789012:role/release", since there are ciNamespaces`)
	case a.CiRole != "":
		beside("ciRole", a.CiRole)
		if strings.Contains(a.CiRole, ":user/") {
			p.Addf("ciRole", "is %q, must be a role: a user's keys do not expire, and a pipeline loses them", a.CiRole)
		}
		if i := slices.Index(principals, a.CiRole); i >= 0 {
			p.Addf("ciRole", "is %q, the same as developers[%d].principal: name all its namespaces in one place", a.CiRole, i)
		}
		checkNamespaces(p, "ciNamespaces", a.CiNamespaces)
	}
}

func checkNamespaces(p *check.Problems, path string, names []string) {
	p.Required(path, len(names) > 0, `["example"]`)
	for i, n := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		p.Match(at, n, namespacePattern, `the name of a namespace: 1 to 63 lower-case letters, digits and "-", from a letter or digit to one, or to a "*" for all that begin so`)
		beginning, several := strings.CutSuffix(n, "*")
		switch {
		case strings.HasPrefix(n, "kube-"):
			p.Addf(at, "is %q, must be no namespace of Kubernetes itself: whoever may change its pods may do everything", n)
		case several && beginning != "" && strings.HasPrefix("kube-", beginning):
			p.Addf(at, "is %q, must not be namespaces of Kubernetes itself too, like kube-system: whoever may change its pods may do everything", n)
		}
	}
	p.Unique(path, names)
}

func (a *EksClusterArgs) checkPrincipal(p *check.Problems, path, arn string) {
	if s := session.FindStringSubmatch(arn); s != nil {
		p.Addf(path, `is %q, must be the role of that session, "arn:%s:iam::%s:role/%s", with the role's path if it has one`, arn, s[1], s[2], s[3])
		return
	}
	p.Match(path, arn, principal, `the ARN of an IAM role or user, like "arn:aws:iam::123456789012:role/deploy"`)
	if m := principal.FindStringSubmatch(arn); m != nil && strings.Contains(m[2], ":role/aws-service-role/") {
		p.Addf(path, "is %q, must not be a service-linked role: EKS takes none", arn)
	}
	if len(a.Admins) == 0 {
		return
	}
	if first := partitionOf(a.Admins[0]); principal.MatchString(arn) && first != "" && first != partitionOf(arn) {
		p.Addf(path, "is %q, must be of the same partition as admins[0] (%s)", arn, first)
	}
}

// partitionOf is the "aws" of an IAM principal's ARN, or empty.
func partitionOf(arn string) string {
	if m := principal.FindStringSubmatch(arn); m != nil {
		return m[1]
	}
	return ""
}

// access lets everybody in who is named. Resources are named by ARN, so that another order changes nothing.
func (b *builder) access() (associations []pulumi.Resource, err error) {
	give := func(kind, arn, policy string, entry *awseks.AccessEntry, namespaces []string) error {
		scope := awseks.AccessPolicyAssociationAccessScopeArgs{Type: pulumi.String("cluster")}
		if len(namespaces) > 0 {
			scope = awseks.AccessPolicyAssociationAccessScopeArgs{Type: pulumi.String("namespace"), Namespaces: pulumi.ToStringArray(namespaces)}
		}
		association, err := awseks.NewAccessPolicyAssociation(b.ctx, b.name+"-"+kind+"-"+principal.FindStringSubmatch(arn)[2], &awseks.AccessPolicyAssociationArgs{
			ClusterName:  b.cluster,
			PrincipalArn: entry.PrincipalArn,
			PolicyArn:    pulumi.String("arn:" + b.partition + ":eks::aws:cluster-access-policy/" + policy),
			AccessScope:  scope,
		}, b.below, pulumi.DependsOn([]pulumi.Resource{entry}))
		if err != nil {
			return fmt.Errorf("rights of %s: %w", arn, err)
		}
		associations = append(associations, association)
		return nil
	}
	for _, arn := range b.Admins {
		entry, err := b.entry("admin", arn)
		if err != nil {
			return nil, err
		}
		if err := give("admin", arn, adminPolicy, entry, nil); err != nil {
			return nil, err
		}
	}
	// A viewer of everything may be a developer of something: that is one entry with two policies.
	entries := map[string]*awseks.AccessEntry{}
	beside := func(kind, arn, policy string, namespaces []string) error {
		if entries[arn] == nil {
			if entries[arn], err = b.entry("access", arn); err != nil {
				return err
			}
		}
		return give(kind, arn, policy, entries[arn], namespaces)
	}
	for _, arn := range b.Viewers {
		if err := beside("view", arn, viewPolicy, nil); err != nil {
			return nil, err
		}
	}
	for _, arn := range b.Auditors {
		if err := beside("audit", arn, auditPolicy, nil); err != nil {
			return nil, err
		}
	}
	for _, d := range b.Developers {
		if err := beside("edit", d.Principal, editPolicy, d.Namespaces); err != nil {
			return nil, err
		}
	}
	if b.CiRole != "" {
		if err := beside("edit", b.CiRole, editPolicy, b.CiNamespaces); err != nil {
			return nil, err
		}
	}
	return associations, nil
}

// entry tells the cluster who somebody is; what it may do is told apart.
func (b *builder) entry(kind, arn string) (*awseks.AccessEntry, error) {
	name := b.name + "-" + kind + "-" + principal.FindStringSubmatch(arn)[2]
	entry, err := awseks.NewAccessEntry(b.ctx, name, &awseks.AccessEntryArgs{
		ClusterName:  b.cluster,
		PrincipalArn: pulumi.String(arn),
		Type:         pulumi.String("STANDARD"),
		Tags:         b.tags(name),
	}, b.below)
	if err != nil {
		return nil, fmt.Errorf("entry of %s: %w", arn, err)
	}
	return entry, nil
}
