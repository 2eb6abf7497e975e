// Package access lets into the cluster whom EKS would let in: tokens of `aws eks get-token` whose principal has an access
// entry, and of them what their Kubernetes groups and access policies allow.
package access

import (
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy"
)

// policyRules are the access policies of EKS by the last part of their ARN. EKS documents them as equal to the user-facing
// roles of Kubernetes ("Review access policy permissions", EKS user guide); like there, custom resources are not part of
// admin, edit and view.
var policyRules = map[string][]rbacv1.PolicyRule{
	"AmazonEKSClusterAdminPolicy": {everything("*"), {NonResourceURLs: []string{"*"}, Verbs: []string{"*"}}},
	"AmazonEKSAdminViewPolicy":    {everything("get", "list", "watch")},
	"AmazonEKSAdminPolicy":        aggregated("admin", "edit", "view"),
	"AmazonEKSEditPolicy":         aggregated("edit", "view"),
	"AmazonEKSViewPolicy":         aggregated("view"),
	"AmazonEKSSecretReaderPolicy": {{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "list", "watch"}}},
}

func everything(verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: verbs}
}

// aggregated is the rules that Kubernetes itself gathers into its roles admin, edit and view.
func aggregated(roles ...string) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, c := range bootstrappolicy.ClusterRoles() {
		for _, r := range roles {
			if c.Labels["rbac.authorization.k8s.io/aggregate-to-"+r] == "true" {
				rules = append(rules, c.Rules...)
			}
		}
	}
	return rules
}

func policyName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// KnownPolicy tells whether the sandbox knows the access policy; an unknown one grants nothing.
func KnownPolicy(arn string) bool { _, ok := policyRules[policyName(arn)]; return ok }

// matchesNamespace is the rule of EKS for the namespaces of a scope: a name, or a beginning followed by *.
func matchesNamespace(pattern, namespace string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(namespace, prefix)
	}
	return pattern == namespace
}
