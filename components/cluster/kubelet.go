package cluster

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/internal/check"
)

// Kubelet is how much of a node pods get. A change of any of it replaces the group's nodes, NodeGroup's step at a time.
type Kubelet struct {
	// MaxPods is the most pods on a node, 11 to 250; default as many as each of the instance types has addresses for, and no more than
	// 110, or 250 on 30 vCPUs and more. More than there are addresses for is refused: such pods would never start. With
	// EksClusterArgs.PrefixDelegation there nearly always are enough, and more than AWS recommends is refused.
	MaxPods int `pulumi:"maxPods,optional"`
	// SystemReservedCPU is kept for what runs beside pods on the node, in Kubernetes' units, like "100m"; default none beyond what EKS
	// reserves for the kubelet.
	SystemReservedCPU string `pulumi:"systemReservedCpu,optional"`
	// SystemReservedMemory is the same of memory, like "200Mi".
	SystemReservedMemory string `pulumi:"systemReservedMemory,optional"`
	// KubeReservedMemory is what EKS reserves for the kubelet and containerd, like "1Gi"; default 255Mi and 11Mi for each pod that the
	// type has addresses for. Raise it with MaxPods.
	KubeReservedMemory string `pulumi:"kubeReservedMemory,optional"`
}

var (
	cpuAmount    = regexp.MustCompile(`^([1-9][0-9]*m?)$`)
	memoryAmount = regexp.MustCompile(`^[1-9][0-9]*(Ki|Mi|Gi)$`)
)

func (k *Kubelet) check(p *check.Problems) {
	if k == nil {
		return
	}
	if k.SystemReservedCPU != "" {
		p.Match("systemReservedCpu", k.SystemReservedCPU, cpuAmount, `an amount of CPU, like "100m"`)
	}
	for _, m := range []struct{ path, amount string }{{"systemReservedMemory", k.SystemReservedMemory}, {"kubeReservedMemory", k.KubeReservedMemory}} {
		if m.amount != "" {
			p.Match(m.path, m.amount, memoryAmount, `an amount of memory, like "200Mi"`)
		}
	}
}

// settings are the kubelet's, by its own names; none where all is as EKS has it.
func (g NodeGroup) settings(prefixes bool) map[string]any {
	set, k := map[string]any{}, Kubelet{}
	if g.Kubelet != nil {
		k = *g.Kubelet
	}
	switch {
	case k.MaxPods != 0:
		set["maxPods"] = k.MaxPods
	case prefixes:
		// EKS computes it too, from the add-on as it finds it when it starts a node; so said, it is this number whatever it finds
		// (https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses-procedure.html).
		set["maxPods"] = g.podsWithPrefixes()
	}
	system := map[string]string{}
	if k.SystemReservedCPU != "" {
		system["cpu"] = k.SystemReservedCPU
	}
	if k.SystemReservedMemory != "" {
		system["memory"] = k.SystemReservedMemory
	}
	if len(system) > 0 {
		set["systemReserved"] = system
	}
	if k.KubeReservedMemory != "" {
		set["kubeReserved"] = map[string]string{"memory": k.KubeReservedMemory}
	}
	return set
}

// userData hands the kubelet's settings to the image; EKS puts its own before them. Empty where there are none.
func (b *builder) userData(g NodeGroup) (string, error) {
	set := g.settings(b.PrefixDelegation)
	if len(set) == 0 {
		return "", nil
	}
	if g.AmiFamily == Bottlerocket {
		return bottlerocketSettings(set), nil
	}
	// https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html#launch-template-user-data: a part of its own type in a
	// MIME archive, which nodeadm reads.
	kubelet := map[string]any{"config": set}
	if n, ok := set["maxPods"]; ok {
		// EKS's own part comes later and sets this number, so that a flag has to say it (github.com/eksctl-io/eksctl/issues/8037).
		kubelet["flags"] = []string{fmt.Sprintf("--max-pods=%d", n)}
	}
	config, err := json.MarshalIndent(map[string]any{"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": map[string]any{"kubelet": kubelet}}, "", "  ")
	if err != nil {
		return "", err
	}
	return strings.Join([]string{
		`MIME-Version: 1.0`, `Content-Type: multipart/mixed; boundary="//"`, ``, `--//`, `Content-Type: application/node.eks.aws`, ``, string(config), ``, `--//--`, ``,
	}, "\n"), nil
}

// bottlerocketSettings are the same in TOML (https://bottlerocket.dev/en/os/latest/#/api/settings/kubernetes/).
func bottlerocketSettings(set map[string]any) string {
	var b strings.Builder
	if n, ok := set["maxPods"]; ok {
		fmt.Fprintf(&b, "[settings.kubernetes]\nmax-pods = %d\n", n)
	}
	for _, part := range []struct{ key, table string }{{"kubeReserved", "kube-reserved"}, {"systemReserved", "system-reserved"}} {
		amounts, ok := set[part.key].(map[string]string)
		if !ok {
			continue
		}
		fmt.Fprintf(&b, "[settings.kubernetes.%s]\n", part.table)
		var lines []string
		for k, v := range amounts {
			lines = append(lines, fmt.Sprintf("%s = %q\n", k, v))
		}
		slices.Sort(lines)
		b.WriteString(strings.Join(lines, ""))
	}
	return b.String()
}
