// Package realnode is what the control plane and package node agree on. It imports nothing, so that neither has to carry the other.
package realnode

const (
	// Annotation of a Node object says that package node runs this node, with a kubelet of its own.
	Annotation = "sandbox.slipway-iac.github.io/real"
	// Leaving is the annotation of a Node whose instance was told to end, since when.
	Leaving = "sandbox.slipway-iac.github.io/leaving-since"
	// HostAddress is the machine as every node and pod sees it; it is of the range for benchmarks, which no network uses.
	// https://www.rfc-editor.org/rfc/rfc2544
	HostAddress = "198.18.0.1"
)
