package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// AppRole gives pods rights in AWS by EKS Pod Identity: those that run as a service account get an IAM role of their own, without
// an annotation, and without rights of their node. The AWS SDKs of the last years find it by themselves.
type AppRole struct {
	// Namespace of the pods. Required. A change makes a new role and association, and then deletes the old ones.
	Namespace string `pulumi:"namespace"`
	// ServiceAccount that the pods run as; it need not exist yet. Required. A change is one of Namespace. Pods that run already get
	// the role when they start anew.
	ServiceAccount string `pulumi:"serviceAccount"`
	// ManagedPolicyArns are IAM policies, of AWS or the account, at most 10. At least one, or Policy. A change takes effect within
	// seconds.
	ManagedPolicyArns []string `pulumi:"managedPolicyArns,optional"`
	// Policy is an IAM policy document in JSON, at most 10240 characters beside white space: what ManagedPolicyArns do not say. A change takes effect
	// within seconds.
	Policy pulumi.StringInput `pulumi:"policy,optional"`
}

var (
	serviceAccountName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	policyArn          = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):iam::(aws|[0-9]{12}):policy/[!-~]{1,512}$`)
)

func (a *EksClusterArgs) checkAppRoles(p *check.Problems) {
	first := map[string]int{}
	for i, r := range a.AppRoles {
		at := p.At("appRoles[%d]", i)
		at.Match("namespace", r.Namespace, namespaceName, `the name of a namespace, like "example"`)
		at.Match("serviceAccount", r.ServiceAccount, serviceAccountName, `the name of a service account, like "frontend"`)
		if n := len(r.ManagedPolicyArns); n > 10 {
			at.Addf("managedPolicyArns", "has %d entries, must have at most 10: IAM attaches no more to a role", n)
		}
		for j, arn := range r.ManagedPolicyArns {
			at.Match(fmt.Sprintf("managedPolicyArns[%d]", j), arn, policyArn, `the ARN of an IAM policy, like "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"`)
		}
		at.Unique("managedPolicyArns", r.ManagedPolicyArns)
		if len(a.scaled()) > 0 && r.key() == autoscalerNamespace+"/"+autoscalerName {
			at.Addf("serviceAccount", "is %q of namespace %q, must be another: the cluster autoscaler has it", r.ServiceAccount, r.Namespace)
		}
		if len(r.ManagedPolicyArns) == 0 && r.Policy == nil {
			at.Required("policy", false, "a document with what these pods may do, or managedPolicyArns: a role without rights does nothing")
		}
		// A text is looked at now, what flows in from other resources is known too late.
		if text, plain := r.Policy.(pulumi.String); plain {
			// IAM counts no white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
			var compact bytes.Buffer
			switch err := json.Compact(&compact, []byte(text)); {
			case err != nil:
				at.Addf("policy", "is not JSON, must be an IAM policy document")
			case compact.Len() > 10240:
				at.Addf("policy", "has %d characters without white space, must have at most 10240: make a policy of its own and name it in managedPolicyArns", compact.Len())
			}
		}
		if j, dup := first[r.key()]; dup {
			at.Addf("serviceAccount", "is %q of namespace %q, the same as appRoles[%d]: a service account has one role", r.ServiceAccount, r.Namespace, j)
			continue
		}
		first[r.key()] = i
	}
}

// key is how outputs name it.
func (r AppRole) key() string { return r.Namespace + "/" + r.ServiceAccount }

// appRoles makes the roles. What is deployed waits for them: a pod that starts before its association has no rights until it
// starts anew.
func (b *builder) appRoles(agent []pulumi.Resource) (ready []pulumi.Resource, arns pulumi.StringMap, err error) {
	arns = pulumi.StringMap{}
	for _, r := range b.AppRoles {
		role, association, err := b.podRole(r, agent)
		if err != nil {
			return nil, nil, fmt.Errorf("role of %s: %w", r.key(), err)
		}
		ready = append(ready, association)
		arns[r.key()] = role.Arn
	}
	return ready, arns, nil
}

func (b *builder) podRole(r AppRole, after []pulumi.Resource) (*iam.Role, pulumi.Resource, error) {
	trust, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "pods.eks.amazonaws.com"}, "Action": []string{"sts:AssumeRole", "sts:TagSession"},
	}}})
	if err != nil {
		return nil, nil, err
	}
	name := b.name + "-app-" + r.Namespace + "." + r.ServiceAccount
	role, err := iam.NewRole(b.ctx, name, &iam.RoleArgs{
		// A role's name has 64 characters and a service account's 253: the name is only begun by it, the tags tell the rest.
		NamePrefix:       pulumi.String(prefix(r.Namespace+"."+r.ServiceAccount, 37) + "-"),
		Description:      pulumi.String("Pods of service account " + r.ServiceAccount + " in namespace " + r.Namespace + " of the Kubernetes cluster " + b.ClusterName),
		AssumeRolePolicy: pulumi.String(trust),
		Tags:             b.tags(b.ClusterName + "-" + r.Namespace + "." + r.ServiceAccount),
	}, b.below)
	if err != nil {
		return nil, nil, err
	}
	for _, arn := range r.ManagedPolicyArns {
		policy := arn[strings.Index(arn, ":policy/")+len(":policy/"):]
		attached, err := iam.NewRolePolicyAttachment(b.ctx, name+"-"+policy, &iam.RolePolicyAttachmentArgs{Role: role.Name, PolicyArn: pulumi.String(arn)}, b.below)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", arn, err)
		}
		after = append(after[:len(after):len(after)], attached)
	}
	if r.Policy != nil {
		own, err := iam.NewRolePolicy(b.ctx, name, &iam.RolePolicyArgs{Role: role.Name, Policy: r.Policy}, b.below)
		if err != nil {
			return nil, nil, fmt.Errorf("its policy: %w", err)
		}
		after = append(after[:len(after):len(after)], own)
	}
	association, err := awseks.NewPodIdentityAssociation(b.ctx, name, &awseks.PodIdentityAssociationArgs{
		ClusterName: b.cluster, Namespace: pulumi.String(r.Namespace), ServiceAccount: pulumi.String(r.ServiceAccount), RoleArn: role.Arn,
		Tags: b.tags(b.ClusterName + "-" + r.Namespace + "." + r.ServiceAccount),
	}, b.below, pulumi.DependsOn(after))
	if err != nil {
		return nil, nil, fmt.Errorf("association: %w", err)
	}
	return role, association, nil
}

// prefix is the first n bytes of a name, or all of it.
func prefix(s string, n int) string {
	return s[:min(len(s), n)]
}
