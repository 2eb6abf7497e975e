package workload

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Secret keys allow the same characters, and 253 of them.
var variableName = regexp.MustCompile(`^[A-Za-z_.-][A-Za-z0-9_.-]{0,252}$`)

func (args *AppDeploymentArgs) checkedEnvironment(p *check.Problems) {
	for _, m := range []struct {
		path   string
		values map[string]pulumi.StringInput
	}{{"environment", args.Environment}, {"secrets", args.Secrets}} {
		for _, key := range slices.Sorted(maps.Keys(m.values)) {
			path := m.path + "[" + key + "]"
			if !variableName.MatchString(key) {
				p.Addf(path, "has the name %q, must be letters, digits, underscores, periods and hyphens, no digit first", key)
			}
			if m.values[key] == nil {
				p.Addf(path, "has no value, must be a string; an empty one is allowed")
			}
			if _, both := args.Environment[key]; both && m.path == "secrets" {
				p.Addf(path, "stands in environment too, must be in one of them")
			}
		}
	}
}

// secret holds the values of Secrets; NewSecret itself marks its data secret. A changed value makes a new Secret with a new name, and the name in the pod template rolls the pods.
func (c *AppDeployment) secret(ctx *pulumi.Context, a *app) (name pulumi.StringOutput, err error) {
	data := pulumi.StringMap{}
	for key, value := range a.Secrets {
		data[key] = value.ToStringOutput().ApplyT(func(s string) string {
			return base64.StdEncoding.EncodeToString([]byte(s))
		}).(pulumi.StringOutput)
	}
	s, err := corev1.NewSecret(ctx, a.name+"-secret", &corev1.SecretArgs{
		Metadata: &metav1.ObjectMetaArgs{Namespace: a.Namespace, Labels: labels(a.name)},
		Type:     pulumi.String("Opaque"),
		Data:     data,
		// Replaced on every change, also by a provider with enableSecretMutable; changed in place it would reach no running pod.
		Immutable: pulumi.Bool(true),
	}, pulumi.Parent(c))
	if err != nil {
		return name, err
	}
	return s.Metadata.Name().Elem(), nil
}

// variables are sorted by name: another order would be another pod template.
func (a *app) variables(secretName pulumi.StringInput) corev1.EnvVarArray {
	var all corev1.EnvVarArray
	for _, key := range slices.Sorted(maps.Keys(a.Environment)) {
		all = append(all, &corev1.EnvVarArgs{Name: pulumi.String(key), Value: a.Environment[key].ToStringOutput()})
	}
	for _, key := range slices.Sorted(maps.Keys(a.Secrets)) {
		all = append(all, &corev1.EnvVarArgs{Name: pulumi.String(key), ValueFrom: &corev1.EnvVarSourceArgs{
			SecretKeyRef: &corev1.SecretKeySelectorArgs{Name: secretName.ToStringOutput(), Key: pulumi.String(key)},
		}})
	}
	return all
}
