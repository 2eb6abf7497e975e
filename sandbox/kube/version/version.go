// Package version says which Kubernetes the sandbox runs, without importing any of it.
package version

import "strings"

// Kubernetes is the version of the control plane, equal to that of k8s.io/kubernetes in go.mod (a test holds them together).
const Kubernetes = "v1.36.3"

// LDFlags are the -ldflags with which slipway-kube and kubectl are built. Without them both report v0.0.0 and clients
// that compare versions misjudge the server.
func LDFlags() string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(Kubernetes, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	set := func(name, value string) string { return " -X " + name + "=" + value }
	return "-s -w" +
		set("k8s.io/component-base/version.gitVersion", Kubernetes) +
		set("k8s.io/component-base/version.gitMajor", major) +
		set("k8s.io/component-base/version.gitMinor", minor) +
		set("k8s.io/component-base/version.gitTreeState", "clean") +
		set("k8s.io/component-base/version.buildDate", "1970-01-01T00:00:00Z") +
		set("k8s.io/client-go/pkg/version.gitVersion", Kubernetes)
}
