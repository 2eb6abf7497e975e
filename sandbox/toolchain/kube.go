package toolchain

import (
	"context"

	"github.com/slipway-iac/slipway/sandbox/kube/version"
)

const thisModule = "github.com/slipway-iac/slipway/sandbox"

// Kube is the control plane's executable.
func (t Tools) Kube(ctx context.Context) (string, error) {
	return t.ensure(ctx, built{
		name: "slipway-kube", pkg: thisModule + "/kube/cmd/slipway-kube", sources: []string{"kube"}, ldflags: version.LDFlags(),
		title: "building the Kubernetes " + version.Kubernetes + " control plane from its Go module",
		hint:  "once, about 9 minutes on 2 cores",
	})
}

// Kubectl is the command-line client.
func (t Tools) Kubectl(ctx context.Context) (string, error) {
	return t.ensure(ctx, built{
		name: "kubectl", pkg: thisModule + "/kube/cmd/kubectl", sources: []string{"kube/cmd/kubectl"}, ldflags: version.LDFlags(),
		title: "building kubectl " + version.Kubernetes + " from its Go module",
		hint:  "once, about a minute",
	})
}
