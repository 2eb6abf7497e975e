package balancing

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/slipway-iac/slipway/sandbox/aws/targets"
)

const gate corev1.PodConditionType = "target-health.elbv2.k8s.aws/web"

// small is a cluster of a few objects.
type small struct {
	pods  []*corev1.Pod
	nodes []*corev1.Node
}

func (s small) pod(namespace, name string) *corev1.Pod {
	if i := slices.IndexFunc(s.pods, func(p *corev1.Pod) bool { return p.Namespace == namespace && p.Name == name }); i >= 0 {
		return s.pods[i]
	}
	return nil
}

func (s small) node(name string) *corev1.Node {
	if i := slices.IndexFunc(s.nodes, func(n *corev1.Node) bool { return n.Name == name }); i >= 0 {
		return s.nodes[i]
	}
	return nil
}

func node(name string, ready corev1.ConditionStatus) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}}}
}

// somePod is one whose containers are ready or not, with the gate or without.
func somePod(name, node string, ready, gated bool) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: corev1.PodSpec{NodeName: node}}
	if ready {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}
	}
	if gated {
		p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "other/gate"}, {ConditionType: gate}}
	}
	return p
}

func slice(port string, number int32, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{Ports: []discoveryv1.EndpointPort{{Name: ptr.To("metrics"), Port: ptr.To[int32](9090)}, {Name: ptr.To(port), Port: ptr.To(number)}}, Endpoints: endpoints}
}

// at is the endpoint of a pod; states are r(eady) and t(erminating).
func at(address, pod, states string) discoveryv1.Endpoint {
	return discoveryv1.Endpoint{
		Addresses: []string{address}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: pod},
		Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(strings.Contains(states, "r")), Terminating: ptr.To(strings.Contains(states, "t"))},
	}
}

func TestWhichPodsAreTargets(t *testing.T) {
	w := small{
		nodes: []*corev1.Node{node("up", corev1.ConditionTrue), node("lost", corev1.ConditionUnknown)},
		pods: []*corev1.Pod{
			somePod("ready", "up", true, true), somePod("waiting", "up", true, true), somePod("starting", "up", false, true), somePod("ungated", "up", false, false),
			somePod("far", "lost", true, true), somePod("nowhere", "", true, true),
		},
	}
	http := corev1.ServicePort{Name: "http"}
	for _, c := range []struct {
		name    string
		port    corev1.ServicePort
		slices  []*discoveryv1.EndpointSlice
		want    string
		pending bool
	}{
		{"none", http, nil, "", false},
		{"a ready one, at the port of the slice", http, []*discoveryv1.EndpointSlice{slice("http", 8080, at("10.0.0.1", "ready", "r"))}, "10.0.0.1:8080", false},
		{"one that only its gates hold back", http, []*discoveryv1.EndpointSlice{slice("http", 8080, at("10.0.0.2", "waiting", ""))}, "10.0.0.2:8080", false},
		{"one that leaves, at once", http, []*discoveryv1.EndpointSlice{slice("http", 8080, at("10.0.0.2", "waiting", "t"))}, "", false},
		{"one that leaves and is published as ready all the same", http, []*discoveryv1.EndpointSlice{slice("http", 8080, at("10.0.0.2", "waiting", "rt"))}, "10.0.0.2:8080", false},
		{"one whose containers are not ready yet is waited for", http, []*discoveryv1.EndpointSlice{slice("http", 8080, at("10.0.0.3", "starting", ""))}, "", true},
		{"unless it has no gate: its endpoint will change", http, []*discoveryv1.EndpointSlice{slice("http", 8080, at("10.0.0.4", "ungated", ""))}, "", false},
		{"one on a node that is lost", http, []*discoveryv1.EndpointSlice{slice("http", 8080, at("10.0.0.5", "far", ""))}, "", false},
		{"one on no node", http, []*discoveryv1.EndpointSlice{slice("http", 8080, at("10.0.0.6", "nowhere", ""))}, "", false},
		{"one that is not known yet is waited for", http, []*discoveryv1.EndpointSlice{slice("http", 8080, at("10.0.0.7", "new", "r"))}, "", true},
		{"no port of that name", http, []*discoveryv1.EndpointSlice{slice("https", 8443, at("10.0.0.1", "ready", "r"))}, "", false},
		{
			"a pod that is in two slices counts once, and a named port may differ between slices", http,
			[]*discoveryv1.EndpointSlice{slice("http", 8080, at("10.0.0.1", "ready", "r")), slice("http", 8080, at("10.0.0.1", "ready", "r")), slice("http", 9000, at("10.0.0.2", "waiting", ""))},
			"10.0.0.1:8080 10.0.0.2:9000", false,
		},
		{
			"a port without a name is that of the only port",
			corev1.ServicePort{},
			[]*discoveryv1.EndpointSlice{{Ports: []discoveryv1.EndpointPort{{Port: ptr.To[int32](8080)}}, Endpoints: []discoveryv1.Endpoint{at("10.0.0.1", "ready", "r")}}},
			"10.0.0.1:8080", false,
		},
		{
			"what is no pod", http,
			[]*discoveryv1.EndpointSlice{slice("http", 8080, discoveryv1.Endpoint{Addresses: []string{"10.0.0.9"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)}})},
			"", false,
		},
	} {
		found, pending := resolve(w, "shop", c.port, c.slices, gate)
		var got []string
		for _, e := range found {
			got = append(got, fmt.Sprintf("%s:%d", e.target.ID, e.target.Port))
		}
		if strings.Join(got, " ") != c.want || pending != c.pending {
			t.Errorf("%s: %q, pending %t; want %q, %t", c.name, got, pending, c.want, c.pending)
		}
	}
}

func TestPortOfAService(t *testing.T) {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}, {Name: "81", Port: 443}}}}
	for _, c := range []struct {
		port intstr.IntOrString
		want int32
	}{{intstr.FromInt32(443), 443}, {intstr.FromString("http"), 80}, {intstr.FromString("81"), 443}, {intstr.FromInt32(81), 0}, {intstr.FromString("443"), 0}} {
		got, err := portOf(s, c.port)
		if got.Port != c.want || errors.Is(err, errBackendNotFound) != (c.want == 0) {
			t.Errorf("%q is %d, %v", c.port.String(), got.Port, err)
		}
	}
}

// What is registered and deregistered leaves exactly the endpoints, and touches nobody's who is not to be touched: all cases of three
// targets.
func TestMatchLeavesTheEndpoints(t *testing.T) {
	signers := []string{"nobody", "", "me", "other"} // "nobody" is for a target that is not registered
	for n := range 2 << 9 {
		shared := n&1 == 1
		var endpoints []backend
		var registered []targets.Target
		for i := range 3 {
			digit := n >> (1 + 3*i) & 7
			at := targets.Target{ID: "10.0.0.1", Port: 80 + i}
			if digit&1 == 1 {
				endpoints = append(endpoints, backend{target: at})
			}
			if at.By = signers[digit>>1]; at.By != "nobody" {
				registered = append(registered, at)
			}
		}
		register, deregister := match(endpoints, registered, "me", shared)
		for i := range 3 {
			at := targets.Target{ID: "10.0.0.1", Port: 80 + i}
			wanted := slices.ContainsFunc(endpoints, func(e backend) bool { return e.target.Same(at) })
			was := slices.IndexFunc(registered, at.Same)
			on, off := slices.ContainsFunc(register, at.Same), slices.ContainsFunc(deregister, at.Same)
			if on != (wanted && was < 0) {
				t.Errorf("of %v with %v, %v is registered: %t", endpoints, registered, at, on)
			}
			if off != (!wanted && was >= 0 && (!shared || registered[was].By == "me")) {
				t.Errorf("of %v with %v, shared %t, %v is deregistered: %t", endpoints, registered, shared, at, off)
			}
		}
	}
}
