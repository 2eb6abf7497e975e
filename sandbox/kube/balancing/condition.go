package balancing

import (
	"context"
	"errors"
	"fmt"
	"net"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-iac/slipway/sandbox/healthcheck"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// targetHealth is what DescribeTargetHealth tells of a target.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
type targetHealth struct {
	healthy             bool
	reason, description string
}

var (
	healthy      = targetHealth{healthy: true}
	registration = targetHealth{reason: "Elb.RegistrationInProgress", description: "Target registration is in progress"}
	initial      = targetHealth{reason: "Elb.InitialHealthChecking", description: "Initial health checks in progress"}
	// unused is a target that nobody will ever check. A pod that waits for it never gets ready.
	// https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3753
	unused = targetHealth{reason: "Target.NotInUse", description: "Target group is not configured to receive traffic from the load balancer"}
	// left is what the controller says of pods whose binding is deleted, so that they stay ready.
	left = targetHealth{healthy: true, description: "Target Group Binding is deleted"}
)

// checked is the health of a target whose checks have shown h, and failed at last with err.
func checked(h healthcheck.Health, err error) targetHealth {
	var mismatch *healthcheck.Mismatch
	var timeout net.Error
	switch {
	case h.Well:
		return healthy
	case !h.Known:
		return initial
	case errors.As(err, &mismatch):
		return targetHealth{reason: "Target.ResponseCodeMismatch", description: fmt.Sprintf("Health checks failed with these codes: [%d]", mismatch.Status)}
	case errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout()):
		return targetHealth{reason: "Target.Timeout", description: "Request timed out"}
	}
	return targetHealth{reason: "Target.FailedHealthChecks", description: "Health checks failed"}
}

// checkable tells whether the targets of a group are asked. gRPC has checks of its own kind, which are not played: such targets count
// as healthy, as they do in `sandbox edge`.
func checkable(g *view.TargetGroup) bool { return g.Check.Enabled && g.Version != "GRPC" }

// conditionFor is the condition that tells a pod of its target's health; nil where it has that one.
func conditionFor(pod *corev1.Pod, kind corev1.PodConditionType, h targetHealth, now metav1.Time) *corev1.PodCondition {
	c := corev1.PodCondition{Type: kind, Status: corev1.ConditionFalse, Reason: h.reason, Message: h.description, LastTransitionTime: now}
	if h.healthy {
		c.Status = corev1.ConditionTrue
	}
	for _, was := range pod.Status.Conditions {
		if was.Type != kind {
			continue
		}
		if was.Status == c.Status && was.Reason == c.Reason && was.Message == c.Message {
			return nil
		}
		if was.Status == c.Status {
			c.LastTransitionTime = was.LastTransitionTime
		}
	}
	return &c
}
