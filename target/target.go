// Package target is the one switch between the two things that a load balancer can send requests to: a port of every node, or the
// pods themselves. The namespace, the app and the load balancer are given the same Type, and each does its part.
package target

import "time"

// Type is what the load balancer registers as its targets, with AWS's names for it.
type Type string

const (
	// Instance sends requests to the node port of the app's Service on every node. It needs nothing but the nodes, and is the default.
	Instance Type = "instance"
	// IP sends requests to the pods, which the AWS Load Balancer Controller registers; it has to run in the cluster
	// (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation). A request takes one hop less, and a
	// pod gets none before the load balancer has found it healthy. While the controller is down no pod starts in a namespace of this
	// type: the cluster asks it about each one, and takes no answer for a no.
	IP Type = "ip"
	// AutoModeIP is the same with the controller that AWS runs for a cluster in EKS Auto Mode
	// (https://docs.aws.amazon.com/eks/latest/userguide/auto-elb-example.html).
	AutoModeIP Type = "auto-mode-ip"
)

// Types are all of them.
func Types() []string { return []string{string(Instance), string(IP), string(AutoModeIP)} }

// Pods tells whether requests go to the pods themselves.
func (t Type) Pods() bool { return t == IP || t == AutoModeIP }

// Deregistration is what passes, at most, from the moment at which a pod begins to end until the load balancer sends it no new request
// because of that: the controller notices, and AWS takes a few seconds to spread the word. Only then the drain begins.
// https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366
const Deregistration = 10 * time.Second

// Registration is what passes, at most, from a pod that answers to one that counts as ready because the load balancer has found it
// healthy: it is registered, checked, and the controller asks every 15 seconds what came of it.
const Registration = 60 * time.Second

// Drain is how long a pod has to go on serving after it was told to end, where a drain takes so many seconds.
func (t Type) Drain(seconds int) int {
	if t.Pods() {
		return seconds + int(Deregistration.Seconds())
	}
	return seconds
}

// ReadinessGate is the label of a namespace that makes its pods wait for the load balancer before they count as ready; "" where nobody
// waits. A pod gets it if its Service is bound to a target group when it is made, and keeps it.
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate
func (t Type) ReadinessGate() (label string) {
	switch t {
	case IP:
		return "elbv2.k8s.aws/pod-readiness-gate-inject"
	case AutoModeIP:
		return "eks.amazonaws.com/pod-readiness-gate-inject"
	}
	return ""
}

// Binding is the version of the API in which the controller is told which Service's pods go into which target group; "" where there is
// none.
func (t Type) Binding() (apiVersion string) {
	switch t {
	case IP:
		return "elbv2.k8s.aws/v1beta1"
	case AutoModeIP:
		return "eks.amazonaws.com/v1"
	}
	return ""
}

// HealthCheck is how a load balancer asks whether an app is well.
type HealthCheck struct {
	// Path that is asked for with GET.
	Path string
	// Codes of a good answer, such as "200-399".
	Codes string
	// IntervalSeconds from one question to the next.
	IntervalSeconds int
}
