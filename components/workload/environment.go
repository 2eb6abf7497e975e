package workload

import (
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// anyName is what Kubernetes takes as a variable's name, from 1.32 on.
// https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/RelaxedEnvironmentVariableValidation/
var anyName = regexp.MustCompile(`^[ -<>-~]+$`)

// variableName is what may be a key of a Secret too, where ".." first would lead upwards.
// https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data
var variableName = regexp.MustCompile(`^([A-Za-z_-][A-Za-z0-9_.-]{0,252}|\.[A-Za-z0-9_-][A-Za-z0-9_.-]{0,251})$`)

const (
	anyNameSays      = `printable ASCII characters but "="`
	variableNameSays = `letters, digits, underscores, periods and hyphens, at most 253, no digit or ".." first`
)

func checkedEnvironment(p *check.Problems, environment, secrets map[string]pulumi.StringInput) {
	for _, m := range []struct {
		path   string
		values map[string]pulumi.StringInput
		name   *regexp.Regexp
		says   string
	}{{"environment", environment, anyName, anyNameSays}, {"secrets", secrets, variableName, variableNameSays}} {
		for _, key := range slices.Sorted(maps.Keys(m.values)) {
			path := m.path + "[" + key + "]"
			if !m.name.MatchString(key) {
				p.Addf(path, "has the name %q, must be %s", key, m.says)
			}
			if m.values[key] == nil {
				p.Addf(path, "has no value, must be a string; an empty one is allowed")
			}
			if _, both := environment[key]; both && m.path == "secrets" {
				p.Addf(path, "stands in environment too, must be in one of them")
			}
		}
	}
}

// The keys of the app's one Secret: a variable of its own container has its name, and the others begin with a digit, which a
// variable's name cannot.
func companionKey(container string) string { return "1." + container + "." }
func secretFileKey(n int) string           { return fmt.Sprintf("0.file-%d", n) }

// secretValues is everything of the app that is secret, by key.
func (a *app) secretValues() map[string]pulumi.StringInput {
	all := maps.Clone(a.Secrets)
	if all == nil {
		all = map[string]pulumi.StringInput{}
	}
	for _, c := range slices.Concat(a.InitContainers, a.Sidecars) {
		for key, value := range c.Secrets {
			all[companionKey(c.Name)+key] = value
		}
	}
	for i, path := range slices.Sorted(maps.Keys(a.SecretFiles)) {
		all[secretFileKey(i)] = a.SecretFiles[path]
	}
	return all
}

// secret holds the secret values; NewSecret itself marks its data secret. A changed value makes a new Secret with a new name,
// and the name in the pod template rolls the pods.
func (c *AppDeployment) secret(ctx *pulumi.Context, a *app) (name pulumi.StringOutput, err error) {
	data := pulumi.StringMap{}
	for key, value := range a.secretValues() {
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

// variables are sorted by name: another order would be another pod template. prefix is what the Secret's keys begin with.
func variables(environment, secrets map[string]pulumi.StringInput, secretName pulumi.StringInput, prefix string) corev1.EnvVarArrayInput {
	if len(environment)+len(secrets) == 0 {
		return nil
	}
	var all corev1.EnvVarArray
	for _, key := range slices.Sorted(maps.Keys(environment)) {
		all = append(all, &corev1.EnvVarArgs{Name: pulumi.String(key), Value: environment[key].ToStringOutput()})
	}
	for _, key := range slices.Sorted(maps.Keys(secrets)) {
		all = append(all, &corev1.EnvVarArgs{Name: pulumi.String(key), ValueFrom: &corev1.EnvVarSourceArgs{
			SecretKeyRef: &corev1.SecretKeySelectorArgs{Name: secretName.ToStringOutput(), Key: pulumi.String(prefix + key)},
		}})
	}
	return all
}
