package cluster

import (
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	rbacv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/rbac/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// rule lets somebody do some things with some kinds of objects of an API group.
func rule(group string, resources, verbs []string, names ...string) rbacv1.PolicyRuleArgs {
	r := rbacv1.PolicyRuleArgs{ApiGroups: pulumi.ToStringArray([]string{group}), Resources: pulumi.ToStringArray(resources), Verbs: pulumi.ToStringArray(verbs)}
	if len(names) > 0 {
		r.ResourceNames = pulumi.ToStringArray(names)
	}
	return r
}

// autoscalerRights is what the autoscaler asks for: to see all that the scheduler looks at, to take pods and nodes away, and to keep its
// own state (https://github.com/kubernetes/autoscaler/tree/master/cluster-autoscaler/cloudprovider/aws/examples).
func (b *builder) autoscalerRights(name string, account *corev1.ServiceAccount, opts []pulumi.ResourceOption) ([]pulumi.Resource, error) {
	look := []string{"get", "list", "watch"}
	everywhere, err := rbacv1.NewClusterRole(b.ctx, name, &rbacv1.ClusterRoleArgs{
		Metadata: metav1.ObjectMetaArgs{Labels: autoscalerLabels},
		Rules: rbacv1.PolicyRuleArray{
			rule("", []string{"events", "endpoints"}, []string{"create", "patch"}),
			rule("", []string{"pods/eviction"}, []string{"create"}),
			rule("", []string{"pods/status"}, []string{"update"}),
			rule("", []string{"nodes"}, []string{"get", "list", "watch", "update", "delete"}),
			rule("", []string{"namespaces", "pods", "services", "replicationcontrollers", "persistentvolumeclaims", "persistentvolumes"}, look),
			rule("apps", []string{"daemonsets", "replicasets", "statefulsets"}, look),
			rule("batch", []string{"jobs", "cronjobs"}, look),
			rule("policy", []string{"poddisruptionbudgets"}, look),
			rule("storage.k8s.io", []string{"storageclasses", "csinodes", "csidrivers", "csistoragecapacities", "volumeattachments"}, look),
			rule("resource.k8s.io", []string{"deviceclasses", "resourceslices", "resourceclaims"}, look),
		},
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("cluster role: %w", err)
	}
	subject := rbacv1.SubjectArray{rbacv1.SubjectArgs{Kind: pulumi.String("ServiceAccount"), Name: account.Metadata.Name().Elem(), Namespace: pulumi.String(autoscalerNamespace)}}
	bound, err := rbacv1.NewClusterRoleBinding(b.ctx, name, &rbacv1.ClusterRoleBindingArgs{
		Metadata: metav1.ObjectMetaArgs{Labels: autoscalerLabels},
		RoleRef:  rbacv1.RoleRefArgs{ApiGroup: pulumi.String("rbac.authorization.k8s.io"), Kind: pulumi.String("ClusterRole"), Name: everywhere.Metadata.Name().Elem()},
		Subjects: subject,
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("cluster role binding: %w", err)
	}
	own, err := rbacv1.NewRole(b.ctx, name, &rbacv1.RoleArgs{
		Metadata: metav1.ObjectMetaArgs{Namespace: pulumi.String(autoscalerNamespace), Labels: autoscalerLabels},
		Rules: rbacv1.PolicyRuleArray{
			rule("", []string{"configmaps"}, []string{"create", "list", "watch"}),
			rule("", []string{"configmaps"}, []string{"get", "update", "delete"}, "cluster-autoscaler-status", "cluster-autoscaler-priority-expander"),
			rule("coordination.k8s.io", []string{"leases"}, []string{"create"}),
			rule("coordination.k8s.io", []string{"leases"}, []string{"get", "update"}, autoscalerName),
		},
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("role: %w", err)
	}
	ownBound, err := rbacv1.NewRoleBinding(b.ctx, name, &rbacv1.RoleBindingArgs{
		Metadata: metav1.ObjectMetaArgs{Namespace: pulumi.String(autoscalerNamespace), Labels: autoscalerLabels},
		RoleRef:  rbacv1.RoleRefArgs{ApiGroup: pulumi.String("rbac.authorization.k8s.io"), Kind: pulumi.String("Role"), Name: own.Metadata.Name().Elem()},
		Subjects: subject,
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("role binding: %w", err)
	}
	return []pulumi.Resource{bound, ownBound}, nil
}
