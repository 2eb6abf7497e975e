package nodes

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// addresses gives nodes and pods addresses in the subnet of their node, as the VPC CNI does. What is in use is read from the
// objects themselves, so nothing has to be kept or released.
type addresses struct {
	nodes corelisters.NodeLister
	pods  corelisters.PodLister

	mu sync.Mutex
	// given lately, and perhaps not yet seen by the listers.
	given map[netip.Addr]time.Time
}

// otherCidr is for the pods of a simulated node that somebody made by hand: the range that EKS recommends outside of a VPC's own.
const otherCidr = "100.64.0.0/16"

// remember is longer than an object needs to reach the listers.
const remember = time.Minute

// PodIPs is the template function by which KWOK asks for the addresses of a pod.
func (a *addresses) PodIPs(nodeName string, hostNetwork bool, _, _, _ string) ([]string, error) {
	node, err := a.nodes.Get(nodeName)
	if err != nil {
		return nil, err
	}
	if hostNetwork {
		return []string{internalIP(node)}, nil
	}
	cidr, ok := node.Annotations[annotationCidr]
	if !ok {
		cidr = otherCidr
	}
	addr, err := a.take(cidr)
	if err != nil {
		return nil, err
	}
	return []string{addr.String()}, nil
}

// take is a free address of the subnet.
func (a *addresses) take(cidr string) (netip.Addr, error) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return netip.Addr{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	used, err := a.used()
	if err != nil {
		return netip.Addr{}, err
	}
	addr, ok := free(prefix, used)
	if !ok {
		return netip.Addr{}, fmt.Errorf("no free address in subnet %s", cidr)
	}
	a.given[addr] = time.Now()
	return addr, nil
}

func (a *addresses) used() (map[netip.Addr]bool, error) {
	used := map[netip.Addr]bool{}
	for addr, at := range a.given {
		if time.Since(at) > remember {
			delete(a.given, addr)
			continue
		}
		used[addr] = true
	}
	nodes, err := a.nodes.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if addr, err := netip.ParseAddr(internalIP(n)); err == nil {
			used[addr] = true
		}
	}
	pods, err := a.pods.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	for _, p := range pods {
		if addr, err := netip.ParseAddr(p.Status.PodIP); err == nil {
			used[addr] = true
		}
	}
	return used, nil
}

// free looks from a random place on. AWS keeps the first four addresses of a subnet and the last.
func free(p netip.Prefix, used map[netip.Addr]bool) (netip.Addr, bool) {
	base := p.Masked().Addr().As4()
	size := uint32(1) << (32 - p.Bits())
	if size < 8 {
		return netip.Addr{}, false
	}
	usable := size - 5
	start := rand.Uint32N(usable)
	first := uint32(base[0])<<24 | uint32(base[1])<<16 | uint32(base[2])<<8 | uint32(base[3])
	for i := range usable {
		n := first + 4 + (start+i)%usable
		addr := netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		if !used[addr] {
			return addr, true
		}
	}
	return netip.Addr{}, false
}

func internalIP(n *corev1.Node) string {
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}
