package toolchain

import (
	"context"

	"github.com/slipway-iac/slipway/sandbox/kube/version"
)

const thisModule = "github.com/slipway-iac/slipway/sandbox"

// kubeSources are what the control plane is built from; other programs have their folders beside it.
var kubeSources = []string{
	"aws/accountfile", "aws/targets", "healthcheck",
	"kube/access", "kube/balancing", "kube/cmd/slipway-kube", "kube/controlplane", "kube/endpoint", "kube/instancetypes", "kube/internal", "kube/nodes",
	"kube/realnode", "kube/serve", "kube/token", "kube/version", "kube/view",
}

// Kube is the control plane's executable.
func (t Tools) Kube(ctx context.Context) (string, error) {
	return t.ensure(ctx, built{
		name: "slipway-kube", pkg: thisModule + "/kube/cmd/slipway-kube", sources: kubeSources, ldflags: version.LDFlags(),
		title: "building the Kubernetes " + version.Kubernetes + " control plane from its Go module",
		hint:  "once, about 9 minutes on 2 cores",
	})
}

var nodeSources = []string{
	"aws", "healthcheck", "kube/cmd/slipway-node", "kube/endpoint", "kube/instancetypes", "kube/internal", "kube/realnode", "kube/view", "node", "plugin", "registry",
}

// Node is the executable of the nodes that run pods for real: kubelet, kube-proxy and what they need.
func (t Tools) Node(ctx context.Context) (string, error) {
	return t.ensure(ctx, built{
		name: "slipway-node", pkg: thisModule + "/kube/cmd/slipway-node",
		sources: nodeSources, ldflags: version.LDFlags(),
		title: "building the kubelet and what else real nodes need, " + version.Kubernetes,
		hint:  "once, about 2 minutes on 2 cores",
	})
}

// Pause is the executable of the pause image.
func (t Tools) Pause(ctx context.Context) (string, error) {
	return t.ensure(ctx, built{name: "pause", pkg: thisModule + "/node/pause", sources: []string{"node/pause"}, ldflags: "-s -w", static: true, title: "building the pause image"})
}

// Demo is the executable of the demonstration service.
func (t Tools) Demo(ctx context.Context) (string, error) {
	return t.ensure(ctx, built{name: "demo", pkg: thisModule + "/demo/server", sources: []string{"demo/server"}, ldflags: "-s -w", static: true, title: "building the demonstration service"})
}

// Kubectl is the command-line client.
func (t Tools) Kubectl(ctx context.Context) (string, error) {
	return t.ensure(ctx, built{
		name: "kubectl", pkg: thisModule + "/kube/cmd/kubectl", sources: []string{"kube/cmd/kubectl"}, ldflags: version.LDFlags(),
		title: "building kubectl " + version.Kubernetes + " from its Go module",
		hint:  "once, about a minute",
	})
}
