package balancing

import (
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/slipway-iac/slipway/sandbox/aws/targets"
)

// errBackendNotFound is a Service that is not there, or has no such port.
var errBackendNotFound = errors.New("backend not found")

// backend is a pod that has to be a target.
type backend struct {
	target targets.Target
	pod    *corev1.Pod
}

// world is what of the cluster endpoints are found in.
type world interface {
	pod(namespace, name string) *corev1.Pod // nil where there is none
	node(name string) *corev1.Node          // nil where there is none
}

// portOf is the port of a Service that a binding names, by number or by name.
func portOf(s *corev1.Service, port intstr.IntOrString) (corev1.ServicePort, error) {
	for _, p := range s.Spec.Ports {
		if port.Type == intstr.String && p.Name == port.StrVal || port.Type == intstr.Int && p.Port == port.IntVal {
			return p, nil
		}
	}
	return corev1.ServicePort{}, fmt.Errorf("%w: unable to find port %s on service %s/%s", errBackendNotFound, port.String(), s.Namespace, s.Name)
}

// resolve are the pods behind a port of a Service that have to be targets: the ready ones, and those whose containers are ready while
// their readiness gates are not, unless they are terminating. pending tells that others may follow without a word: the endpoints
// of a Service do not change when only the containers of a pod become ready.
func resolve(w world, namespace string, port corev1.ServicePort, slices []*discoveryv1.EndpointSlice, gate corev1.PodConditionType) (found []backend, pending bool) {
	for _, s := range slices {
		for _, p := range s.Ports {
			if port.Name != "" && port.Name != ptr.Deref(p.Name, "") || p.Port == nil {
				continue
			}
			for _, e := range s.Endpoints {
				if e.TargetRef == nil || e.TargetRef.Kind != "Pod" || len(e.Addresses) == 0 {
					continue
				}
				pod := w.pod(namespace, e.TargetRef.Name)
				if pod == nil {
					pending = true
					continue
				}
				switch {
				case ptr.Deref(e.Conditions.Ready, false):
				case !is(pod, corev1.ContainersReady):
					pending = pending || gated(pod, gate)
					continue
				case ptr.Deref(e.Conditions.Terminating, false) || !nodeReady(w.node(pod.Spec.NodeName)):
					continue
				}
				found = add(found, backend{targets.Target{ID: e.Addresses[0], Port: int(*p.Port)}, pod})
			}
		}
	}
	return found, pending
}

// add leaves out what is there already: a pod may be in two slices while one takes the place of the other.
func add(all []backend, e backend) []backend {
	if slices.ContainsFunc(all, func(o backend) bool { return o.target.Same(e.target) }) {
		return all
	}
	return append(all, e)
}

func nodeReady(n *corev1.Node) bool {
	if n == nil {
		return false
	}
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// is tells whether a condition of a pod is true.
func is(pod *corev1.Pod, kind corev1.PodConditionType) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind && c.Status == corev1.ConditionTrue })
}

// gated tells whether a pod has that readiness gate.
func gated(pod *corev1.Pod, gate corev1.PodConditionType) bool {
	return slices.ContainsFunc(pod.Spec.ReadinessGates, func(g corev1.PodReadinessGate) bool { return g.ConditionType == gate })
}

// match compares what has to be registered with what is. Where several clusters share a target group, each takes off only what it has
// registered itself.
func match(endpoints []backend, registered []targets.Target, by string, shared bool) (register, deregister []targets.Target) {
	for _, e := range endpoints {
		if !slices.ContainsFunc(registered, e.target.Same) {
			register = append(register, e.target)
		}
	}
	for _, t := range registered {
		if shared && t.By != by {
			continue
		}
		if !slices.ContainsFunc(endpoints, func(e backend) bool { return e.target.Same(t) }) {
			deregister = append(deregister, t)
		}
	}
	return register, deregister
}
