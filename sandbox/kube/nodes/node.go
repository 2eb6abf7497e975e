package nodes

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-iac/slipway/sandbox/kube/instancetypes"
	"github.com/slipway-iac/slipway/sandbox/kube/realnode"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// Annotations by which a node is known to belong to a group of the account.
const (
	domain            = "sandbox.slipway-iac.github.io/"
	annotationGroup   = domain + "nodegroup-id"
	annotationTmpl    = domain + "template"
	annotationSubnet  = domain + "subnet-id"
	annotationCidr    = domain + "subnet-cidr"
	annotationApplied = domain + "applied"
	annotationEnds    = domain + "ends-after-seconds"
	annotationLeaving = realnode.Leaving
	// annotationFake tells KWOK that it plays the kubelet of this node.
	annotationFake = "kwok.x-k8s.io/node"
)

// Labels that EKS puts on the nodes of a managed node group.
const (
	labelGroup    = "eks.amazonaws.com/nodegroup"
	labelCapacity = "eks.amazonaws.com/capacityType"
)

// applied is what of the group was put on a node, so that what left the group can be taken off again.
type applied struct {
	Labels []string       `json:"labels,omitempty"`
	Taints []corev1.Taint `json:"taints,omitempty"`
}

// newNode is the object that the kubelet of a new instance would register.
func newNode(region string, l launch, addr netip.Addr) (*corev1.Node, error) {
	g := l.group
	t, err := instancetypes.Lookup(g.InstanceTypes[0])
	if err != nil {
		return nil, err
	}
	name := nodeName(region, addr)
	capacity, allocatable := t.Capacity(), t.Allocatable()
	if capacity.Pods, err = maxPods(g); err != nil {
		return nil, err
	}
	allocatable.Pods = capacity.Pods
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: t.Arch,
				corev1.LabelInstanceTypeStable: t.Name, corev1.LabelTopologyZone: l.subnet.Zone, corev1.LabelTopologyRegion: region,
				labelGroup: g.Name, labelCapacity: orDefault(g.CapacityType, "ON_DEMAND"),
			},
			Annotations: map[string]string{
				annotationFake: "fake", annotationGroup: g.ID, annotationTmpl: template(g),
				annotationSubnet: l.subnet.ID, annotationCidr: l.subnet.Cidr,
			},
		},
		Spec: corev1.NodeSpec{ProviderID: fmt.Sprintf("aws:///%s/i-0%016x", l.subnet.Zone, rand.Uint64())},
		Status: corev1.NodeStatus{
			Capacity:    resources(capacity, diskGiB(g)<<10),
			Allocatable: resources(allocatable, (diskGiB(g)<<10)*9/10-1024),
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: addr.String()},
				{Type: corev1.NodeInternalDNS, Address: name},
				{Type: corev1.NodeHostName, Address: name},
			},
			NodeInfo: corev1.NodeSystemInfo{
				Architecture: t.Arch, OperatingSystem: "linux", OSImage: "simulated " + orDefault(g.AmiType, "node"),
				KubeletVersion: kubeletVersion(g.Version),
			},
		},
	}
	return node, apply(node, g)
}

// maxPods is what the kubelet of a node of the group is told to take. EKS tells all nodes of a group what suits the type that takes fewest:
// https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html.
func maxPods(g *view.NodeGroup) (fewest int, err error) {
	if g.MaxPods > 0 {
		return g.MaxPods, nil
	}
	for i, name := range g.InstanceTypes {
		t, err := instancetypes.Lookup(name)
		if err != nil {
			return 0, err
		}
		if n := t.MaxPods(); i == 0 || n < fewest {
			fewest = n
		}
	}
	return fewest, nil
}

// apply puts labels and taints of the group on the node and takes off those it put there before and that left the group.
func apply(n *corev1.Node, g *view.NodeGroup) error {
	var before applied
	if s := n.Annotations[annotationApplied]; s != "" {
		if err := json.Unmarshal([]byte(s), &before); err != nil {
			return fmt.Errorf("annotation %s of node %s: %w", annotationApplied, n.Name, err)
		}
	}
	for _, k := range before.Labels {
		delete(n.Labels, k)
	}
	for _, old := range before.Taints {
		n.Spec.Taints = slices.DeleteFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.MatchTaint(&old) })
	}
	now := applied{Labels: slices.Sorted(maps.Keys(g.Labels))}
	maps.Copy(n.Labels, g.Labels)
	for _, t := range g.Taints {
		taint := corev1.Taint{Key: t.Key, Value: t.Value, Effect: taintEffect(t.Effect)}
		now.Taints = append(now.Taints, taint)
		n.Spec.Taints = append(n.Spec.Taints, taint)
	}
	b, err := json.Marshal(now)
	if err != nil {
		return err
	}
	n.Annotations[annotationApplied], n.Annotations[annotationEnds] = string(b), strconv.Itoa(g.EndSeconds)
	return nil
}

func taintEffect(s string) corev1.TaintEffect {
	switch s {
	case "NO_SCHEDULE":
		return corev1.TaintEffectNoSchedule
	case "NO_EXECUTE":
		return corev1.TaintEffectNoExecute
	case "PREFER_NO_SCHEDULE":
		return corev1.TaintEffectPreferNoSchedule
	}
	return corev1.TaintEffect(s)
}

func resources(r instancetypes.Resources, diskMiB int) corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewMilliQuantity(int64(r.MilliCPU), resource.DecimalSI),
		corev1.ResourceMemory:           *resource.NewQuantity(int64(r.MemoryMiB)<<20, resource.BinarySI),
		corev1.ResourcePods:             *resource.NewQuantity(int64(r.Pods), resource.DecimalSI),
		corev1.ResourceEphemeralStorage: *resource.NewQuantity(int64(diskMiB)<<20, resource.BinarySI),
	}
}

// diskGiB is EKS's default of 20 GiB unless the group says otherwise.
func diskGiB(g *view.NodeGroup) int {
	if g.DiskSizeGiB > 0 {
		return g.DiskSizeGiB
	}
	return 20
}

// nodeName is the private DNS name that EC2 gives by the address.
func nodeName(region string, a netip.Addr) string {
	suffix := region + ".compute.internal"
	if region == "us-east-1" {
		suffix = "ec2.internal"
	}
	return "ip-" + strings.ReplaceAll(a.String(), ".", "-") + "." + suffix
}

// kubeletVersion is the version that the group asks for, marked as played.
func kubeletVersion(v string) string {
	if v == "" {
		return ""
	}
	if strings.Count(v, ".") == 1 {
		v += ".0"
	}
	return "v" + strings.TrimPrefix(v, "v") + "-sandbox"
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
