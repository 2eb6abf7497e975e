package kubernetes

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

func serviceParts(obj *unstructured.Unstructured) []source {
	s, err := as[corev1.Service](obj)
	if err != nil || !awaitsEndpoints(s) {
		return nil
	}
	return []source{
		related(obj, "discovery.k8s.io", "EndpointSlice", discoveryv1.LabelServiceName+"="+obj.GetName()),
		related(obj, "", "Pod", labels.FormatLabels(s.Spec.Selector)),
	}
}

// awaitsEndpoints tells services that have pods to wait for. A headless one must not wait: its StatefulSet may come later.
func awaitsEndpoints(s *corev1.Service) bool {
	return s.Spec.Type != corev1.ServiceTypeExternalName && s.Spec.ClusterIP != corev1.ClusterIPNone && len(s.Spec.Selector) > 0
}

// judgeService wants no endpoint that is not ready, and an address where a load balancer is to give one. A Service whose
// selector takes no pods is fine; one whose pods have no endpoints yet gets a moment.
func judgeService(v view) verdict {
	s, err := as[corev1.Service](v.object)
	if err != nil {
		return broken(err)
	}
	out := verdict{ready: true}
	if awaitsEndpoints(s) {
		out = judgeEndpoints(v)
	}
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer && len(s.Status.LoadBalancer.Ingress) == 0 {
		if out.ready || out.settling {
			out.status = "[2/3] Attempting to allocate IP address to Service"
		}
		out.ready, out.settling = false, false
		out.problems = append(out.problems, "Service was not allocated an IP address; does your cloud provider support this?")
	}
	return out
}

func judgeEndpoints(v view) verdict {
	slicesOfService := allAs[discoveryv1.EndpointSlice](v.others["EndpointSlice"])
	ready, unready := 0, 0
	for _, s := range slicesOfService {
		for _, e := range s.Endpoints {
			switch {
			case e.Conditions.Terminating != nil && *e.Conditions.Terminating:
			case e.Conditions.Ready == nil || *e.Conditions.Ready:
				ready++
			default:
				unready++
			}
		}
	}
	waiting := slices.ContainsFunc(allAs[corev1.Pod](v.others["Pod"]), func(p *corev1.Pod) bool {
		return p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed
	})
	switch {
	case unready == 0 && len(slicesOfService) > 0 && (ready > 0 || !waiting):
		return verdict{ready: true}
	case unready == 0 && len(slicesOfService) > 0:
		return verdict{settling: true, status: "[1/3] Finding Pods to direct traffic to"}
	}
	return verdict{
		status: "[1/3] Finding Pods to direct traffic to",
		problems: []string{"Service does not target any Pods. Selected Pods may not be ready, or " +
			"field '.spec.selector' may not match labels on any Pods"},
	}
}

func ingressParts(obj *unstructured.Unstructured) []source {
	return []source{related(obj, "", "Service", "")}
}

// judgeIngress wants the services of its rules, and an address from an ingress controller.
func judgeIngress(v view) verdict {
	i, err := as[networkingv1.Ingress](v.object)
	if err != nil {
		return broken(err)
	}
	var out verdict
	for _, rule := range i.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for _, path := range rule.HTTP.Paths {
			if s := path.Backend.Service; s != nil && byName(v.others["Service"], s.Name) == nil {
				out.status = "[1/3] Finding a matching service for each Ingress path"
				out.problems = append(out.problems, "Ingress has at least one rule with an unavailable target endpoint: "+
					`"`+rule.Host+path.Path+`" -> "`+s.Name+`"`)
			}
		}
	}
	if len(i.Status.LoadBalancer.Ingress) == 0 {
		if out.status == "" {
			out.status = "[2/3] Waiting for update of .status.loadBalancer with hostname/IP"
		}
		out.problems = append(out.problems, "Ingress .status.loadBalancer field was not updated with a hostname/IP address.")
	}
	out.ready = len(out.problems) == 0
	return out
}
