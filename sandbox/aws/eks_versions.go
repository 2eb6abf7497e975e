package aws

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// defaultVersion is what EKS takes where no version is given.
const defaultVersion = "1.34"

// release is a Kubernetes minor version as EKS offers it (EKS user guide, "Kubernetes versions" and the pages of the
// add-ons, as of November 2025; of 1.35 and 1.36 one or two versions of each add-on, as of October and August 2026).
type release struct {
	platform string
	// ami is the release version of the managed node groups' AMI.
	ami string
	// addons are versions by add-on, oldest first.
	addons map[string][]string
	// defaults are the versions that EKS installs where none is given.
	defaults map[string]string
}

// Add-ons whose versions do not depend on the version of Kubernetes.
var commonAddons = map[string][]string{
	"vpc-cni": {
		"v1.19.0-eksbuild.1", "v1.19.2-eksbuild.1", "v1.19.2-eksbuild.5", "v1.19.3-eksbuild.1", "v1.19.5-eksbuild.1", "v1.19.5-eksbuild.3",
		"v1.19.6-eksbuild.1", "v1.19.6-eksbuild.7", "v1.20.0-eksbuild.1", "v1.20.1-eksbuild.1", "v1.20.1-eksbuild.3", "v1.20.2-eksbuild.1",
		"v1.20.3-eksbuild.1", "v1.20.4-eksbuild.1", "v1.20.4-eksbuild.2",
	},
	"eks-pod-identity-agent": {
		"v1.3.2-eksbuild.2", "v1.3.4-eksbuild.1", "v1.3.5-eksbuild.2", "v1.3.7-eksbuild.2", "v1.3.8-eksbuild.2", "v1.3.9-eksbuild.3", "v1.3.10-eksbuild.1",
	},
	"metrics-server": {
		"v0.7.2-eksbuild.1", "v0.7.2-eksbuild.2", "v0.7.2-eksbuild.3", "v0.7.2-eksbuild.4", "v0.8.0-eksbuild.1", "v0.8.0-eksbuild.2", "v0.8.0-eksbuild.3",
	},
	"aws-ebs-csi-driver": {
		"v1.37.0-eksbuild.1", "v1.38.1-eksbuild.1", "v1.39.0-eksbuild.1", "v1.40.0-eksbuild.1", "v1.41.0-eksbuild.1", "v1.42.0-eksbuild.1",
		"v1.43.0-eksbuild.1", "v1.44.0-eksbuild.1", "v1.45.0-eksbuild.2", "v1.46.0-eksbuild.1", "v1.47.0-eksbuild.1", "v1.48.0-eksbuild.1",
		"v1.48.0-eksbuild.2", "v1.49.0-eksbuild.1", "v1.50.1-eksbuild.1", "v1.51.1-eksbuild.1", "v1.52.1-eksbuild.1",
	},
}

var commonDefaults = map[string]string{
	"vpc-cni": "v1.20.4-eksbuild.1", "eks-pod-identity-agent": "v1.3.8-eksbuild.2",
	"metrics-server": "v0.8.0-eksbuild.2", "aws-ebs-csi-driver": "v1.51.1-eksbuild.1",
}

// releases by minor version.
var releases = map[string]release{
	"1.30": kubernetes("eks.50", "1.30.14-20251112", []string{"v1.11.1-eksbuild.8", "v1.11.3-eksbuild.1", "v1.11.4-eksbuild.2", "v1.11.4-eksbuild.24"},
		[]string{"v1.30.0-eksbuild.3", "v1.30.6-eksbuild.3", "v1.30.9-eksbuild.3", "v1.30.14-eksbuild.2", "v1.30.14-eksbuild.8"}),
	"1.31": kubernetes("eks.42", "1.31.13-20251112", []string{"v1.11.3-eksbuild.1", "v1.11.4-eksbuild.2", "v1.11.4-eksbuild.14", "v1.11.4-eksbuild.24"},
		[]string{"v1.31.2-eksbuild.3", "v1.31.3-eksbuild.2", "v1.31.7-eksbuild.7", "v1.31.10-eksbuild.2", "v1.31.10-eksbuild.12"}),
	"1.32": kubernetes("eks.26", "1.32.9-20251112", []string{"v1.11.3-eksbuild.1", "v1.11.4-eksbuild.2", "v1.11.4-eksbuild.14", "v1.11.4-eksbuild.24"},
		[]string{"v1.32.0-eksbuild.2", "v1.32.3-eksbuild.7", "v1.32.5-eksbuild.2", "v1.32.6-eksbuild.2", "v1.32.6-eksbuild.12"}),
	"1.33": kubernetes("eks.20", "1.33.5-20251112", []string{"v1.12.1-eksbuild.2", "v1.12.2-eksbuild.4", "v1.12.4-eksbuild.1"},
		[]string{"v1.33.0-eksbuild.2", "v1.33.3-eksbuild.4", "v1.33.3-eksbuild.6", "v1.33.3-eksbuild.10"}),
	"1.34": kubernetes("eks.9", "1.34.1-20251112", []string{"v1.12.3-eksbuild.1", "v1.12.4-eksbuild.1"},
		[]string{"v1.34.0-eksbuild.2", "v1.34.0-eksbuild.4", "v1.34.1-eksbuild.2"}),
	"1.35": kubernetes("eks.3", "1.35.6-20260728", []string{"v1.13.2-eksbuild.1"}, []string{"v1.35.0-eksbuild.2"}).
		with("vpc-cni", "v1.21.1-eksbuild.3").with("vpc-cni", "v1.22.4-eksbuild.3").with("coredns", "v1.13.2-eksbuild.31").
		with("kube-proxy", "v1.35.3-eksbuild.29").with("eks-pod-identity-agent", "v1.3.10-eksbuild.3").with("metrics-server", "v0.8.1-eksbuild.6"),
	"1.36": kubernetes("eks.1", "1.36.2-20260709", []string{"v1.14.3-eksbuild.3"}, []string{"v1.36.0-eksbuild.9", "v1.36.0-eksbuild.14"}).
		with("vpc-cni", "v1.22.3-eksbuild.1").with("vpc-cni", "v1.22.4-eksbuild.3").with("eks-pod-identity-agent", "v1.3.10-eksbuild.3"),
}

// kubernetes puts a release together. Of the two add-ons that go with the version, EKS installs the first by default.
func kubernetes(platform, ami string, coredns, kubeProxy []string) release {
	r := release{
		platform: platform, ami: ami, addons: map[string][]string{"coredns": coredns, "kube-proxy": kubeProxy},
		defaults: map[string]string{"coredns": coredns[0], "kube-proxy": kubeProxy[0]},
	}
	for name, versions := range commonAddons {
		r.addons[name], r.defaults[name] = versions, commonDefaults[name]
	}
	return r
}

// with is the release with a newer version of an add-on, which is its default.
func (r release) with(addon, version string) release {
	r.addons[addon] = append(slices.Clone(r.addons[addon]), version)
	r.defaults[addon] = version
	return r
}

// minor is 34 of "1.34"; -1 of what is no version.
func minor(version string) int {
	m, ok := strings.CutPrefix(version, "1.")
	if n, err := strconv.Atoi(m); ok && err == nil {
		return n
	}
	return -1
}

func knownVersions() string {
	var out []string
	for v := range releases {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b string) int { return minor(a) - minor(b) })
	return strings.Join(out, ", ")
}

func unsupportedVersion(version string) error {
	return Errorf("InvalidParameterException", "unsupported Kubernetes version %s (the sandbox knows %s)", version, knownVersions())
}

// addonVersions are the versions of an add-on for a version of Kubernetes, oldest first, and the default one.
func addonVersions(addon, version string) (versions []string, byDefault string, err error) {
	r, ok := releases[version]
	if !ok {
		return nil, "", unsupportedVersion(version)
	}
	versions, ok = r.addons[addon]
	if !ok {
		var names []string
		for n := range r.addons {
			names = append(names, n)
		}
		slices.Sort(names)
		return nil, "", Errorf("InvalidParameterException", "Addon %s specified is not supported in %s kubernetes version (the sandbox knows %s)", addon, version, strings.Join(names, ", "))
	}
	return versions, r.defaults[addon], nil
}

// architectures of the AMI types of managed node groups; those of Windows are not here, for the sandbox has no such nodes.
var architectures = map[string]string{
	"AL2_x86_64": "amd64", "AL2_x86_64_GPU": "amd64", "AL2_ARM_64": "arm64",
	"AL2023_x86_64_STANDARD": "amd64", "AL2023_ARM_64_STANDARD": "arm64", "AL2023_x86_64_NEURON": "amd64",
	"AL2023_x86_64_NVIDIA": "amd64", "AL2023_ARM_64_NVIDIA": "arm64",
	"BOTTLEROCKET_x86_64": "amd64", "BOTTLEROCKET_ARM_64": "arm64", "BOTTLEROCKET_x86_64_FIPS": "amd64", "BOTTLEROCKET_ARM_64_FIPS": "arm64",
	"BOTTLEROCKET_x86_64_NVIDIA": "amd64", "BOTTLEROCKET_ARM_64_NVIDIA": "arm64",
}

func init() {
	registerFunctions(&Function{Token: "aws:eks/getAddonVersion:getAddonVersion", Props: map[string]Prop{
		"addonName": text.must(), "kubernetesVersion": text.must(), "mostRecent": flag,
	}, Call: func(_ *Tx, in Inputs) (map[string]any, error) {
		o := in.Object()
		addon, version := o.Str("addonName"), o.Str("kubernetesVersion")
		versions, v, err := addonVersions(addon, version)
		if err != nil {
			return nil, fmt.Errorf("reading EKS Add-On version info (%s, %s): %w", addon, version, err)
		}
		if o.Bool("mostRecent") {
			v = versions[len(versions)-1]
		}
		return map[string]any{"id": addon, "addonName": addon, "kubernetesVersion": version, "mostRecent": o.Bool("mostRecent"), "version": v}, nil
	}})
}
