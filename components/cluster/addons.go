package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

const kubeProxy = "kube-proxy"

var (
	// A node that joins finds these; and the network add-on is there until its last node has released its interfaces.
	addonsBeforeNodes = []string{"vpc-cni", kubeProxy, "eks-pod-identity-agent"}
	// These are Deployments: without a node they never become active.
	addonsOnNodes = []string{"coredns", "metrics-server"}

	addonVersion = regexp.MustCompile(`^v[0-9]+\.([0-9]+)\.[0-9]+-eksbuild\.[0-9]+$`)
)

func (a *EksClusterArgs) checkAddons(p *check.Problems) {
	all := slices.Concat(addonsBeforeNodes, addonsOnNodes)
	for _, name := range slices.Sorted(maps.Keys(a.AddonVersions)) {
		path, version := fmt.Sprintf("addonVersions[%q]", name), a.AddonVersions[name]
		if !slices.Contains(all, name) {
			p.Addf(path, "is not an add-on of this component, must be one of %s", strings.Join(all, ", "))
			continue
		}
		p.Match(path, version, addonVersion, `a version of the add-on for EKS, like "v1.12.3-eksbuild.1"`)
		if m := addonVersion.FindStringSubmatch(version); m != nil && name == kubeProxy && !runsWith(m[1], a.Version) {
			// https://kubernetes.io/releases/version-skew-policy/#kube-proxy
			p.Addf(path, "is %q, must be of the minor version of version (%s), or up to three older", version, a.Version)
		}
	}
}

// runsWith tells whether a kube-proxy of that minor version works with a control plane of that version; yes for a version
// that is no version, about which there is a problem already.
func runsWith(proxy, version string) bool {
	p, control := minor("1."+proxy), minor(version)
	return p < 0 || control < 0 || p <= control && p >= control-3
}

// addonValues configure an add-on beyond its defaults; nil where they do.
func (b *builder) addonValues(name string) pulumi.StringPtrInput {
	switch {
	case name == "vpc-cni" && b.PrefixDelegation:
		// https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses-procedure.html
		return pulumi.String(`{"enableNetworkPolicy":"true","env":{"ENABLE_PREFIX_DELEGATION":"true","WARM_PREFIX_TARGET":"1"}}`)
	case name == "vpc-cni":
		// Else a NetworkPolicy is accepted and holds for nobody. https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
		return pulumi.String(`{"enableNetworkPolicy":"true"}`)
	}
	return nil
}

// addons makes those add-ons after what they need.
func (b *builder) addons(names []string, after []pulumi.Resource) (made []pulumi.Resource, err error) {
	for _, name := range names {
		addon, err := awseks.NewAddon(b.ctx, b.name+"-"+name, &awseks.AddonArgs{
			ClusterName:         b.cluster,
			AddonName:           pulumi.String(name),
			AddonVersion:        b.addonVersion(name),
			ConfigurationValues: b.addonValues(name),
			// A new cluster comes with copies of vpc-cni, kube-proxy and coredns of its own: the add-on takes them over.
			ResolveConflictsOnCreate: pulumi.String("OVERWRITE"),
			ResolveConflictsOnUpdate: pulumi.String("OVERWRITE"),
			Tags:                     b.tags(b.ClusterName + "-" + name),
		}, b.below, pulumi.DependsOn(after))
		if err != nil {
			return nil, fmt.Errorf("add-on %s: %w", name, err)
		}
		made = append(made, addon)
	}
	return made, nil
}

// addonVersion is the caller's, or the one that goes with the version of Kubernetes, or else AWS's default for it. That is asked
// with the version as a plain value, so that it is known in preview and goes up together with the cluster.
func (b *builder) addonVersion(name string) pulumi.StringPtrInput {
	if version := cmp.Or(b.AddonVersions[name], releaseOf(b.Version).addons[name]); version != "" {
		return pulumi.String(version)
	}
	return awseks.GetAddonVersionOutput(b.ctx, awseks.GetAddonVersionOutputArgs{
		AddonName:         pulumi.String(name),
		KubernetesVersion: pulumi.String(b.Version),
		MostRecent:        pulumi.Bool(false),
	}, b.below).Version().ToStringPtrOutput()
}
