package kubernetes

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const revision = "deployment.kubernetes.io/revision"

func deploymentParts(obj *unstructured.Unstructured) []source {
	selector := selectorOf(obj)
	parts := []source{
		related(obj, "apps", "ReplicaSet", selector),
		related(obj, "", "Pod", selector),
	}
	if len(claimNames(obj)) > 0 {
		parts = append(parts, related(obj, "", "PersistentVolumeClaim", ""))
	}
	return parts
}

func claimNames(obj *unstructured.Unstructured) []string {
	d, err := as[appsv1.Deployment](obj)
	if err != nil {
		return nil
	}
	var out []string
	for _, v := range d.Spec.Template.Spec.Volumes {
		if v.PersistentVolumeClaim != nil {
			out = append(out, v.PersistentVolumeClaim.ClaimName)
		}
	}
	return out
}

// judgeDeployment follows a rollout: the controller has seen this generation, the ReplicaSet of its revision has every pod
// that it wants, the old pods are gone, and the Deployment is available.
func judgeDeployment(v view) verdict {
	d, err := as[appsv1.Deployment](v.object)
	if err != nil {
		return broken(err)
	}
	first := d.Annotations[revision] == "1"
	progressing, available := deploymentCondition(d, appsv1.DeploymentProgressing), deploymentCondition(d, appsv1.DeploymentAvailable)
	rs := currentReplicaSet(d, allAs[appsv1.ReplicaSet](v.others["ReplicaSet"]))
	seen := d.Status.ObservedGeneration >= d.Generation && rs != nil

	isAvailable := available != nil && available.Status == corev1.ConditionTrue
	rolledOut := first || progressing != nil && progressing.Status == corev1.ConditionTrue && progressing.Reason == "NewReplicaSetAvailable"
	var ready, want int32
	if rs != nil {
		ready, want = rs.Status.ReadyReplicas, replicas(rs.Spec.Replicas)
	}
	complete := seen && ready >= want && rolloutComplete(d)
	unbound := unboundClaims(claimNames(v.object), allAs[corev1.PersistentVolumeClaim](v.others["PersistentVolumeClaim"]))

	if seen && isAvailable && rolledOut && complete && len(unbound) == 0 {
		return verdict{ready: true}
	}
	out := verdict{status: fmt.Sprintf("Waiting for app ReplicaSet to be available (%d/%d Pods available)", ready, want)}
	if !seen {
		out.status = "Waiting for the Deployment controller to begin the rollout"
	}
	for _, c := range []*appsv1.DeploymentCondition{progressing, available} {
		if c != nil && c.Status != corev1.ConditionTrue && c.Reason != "" && c.Message != "" {
			out.problems = append(out.problems, fmt.Sprintf("[%s] %s", c.Reason, c.Message))
		}
	}
	if len(unbound) > 0 {
		out.problems = append(out.problems, fmt.Sprintf("Failed to bind PersistentVolumeClaim(s): %q", strings.Join(unbound, ",")))
	}
	switch {
	case !isAvailable:
		out.problems = append(out.problems, "Minimum number of live Pods was not attained")
	case !rolledOut || first && !complete:
		out.problems = append(out.problems, "Minimum number of Pods to consider the application live was not attained")
	case !complete:
		out.problems = append(out.problems, "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live")
	}
	if rs != nil {
		out.problems = append(out.problems, podProblems(ownedPods(v, rs))...)
	}
	out.failed = seen && deadlineExceeded(progressing) && !exceededBefore(v.before, progressing)
	return out
}

func rolloutComplete(d *appsv1.Deployment) bool {
	return d.Status.UpdatedReplicas >= replicas(d.Spec.Replicas) && d.Status.Replicas <= d.Status.UpdatedReplicas
}

func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

func currentReplicaSet(d *appsv1.Deployment, all []*appsv1.ReplicaSet) *appsv1.ReplicaSet {
	now := d.Annotations[revision]
	if now == "" {
		return nil
	}
	for _, rs := range all {
		if metav1.IsControlledBy(rs, d) && rs.Annotations[revision] == now {
			return rs
		}
	}
	return nil
}

func ownedPods(v view, owner metav1.Object) []*corev1.Pod {
	return slices.DeleteFunc(allAs[corev1.Pod](v.others["Pod"]), func(p *corev1.Pod) bool { return !metav1.IsControlledBy(p, owner) })
}

func deploymentCondition(d *appsv1.Deployment, kind appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == kind {
			return &d.Status.Conditions[i]
		}
	}
	return nil
}

func deadlineExceeded(c *appsv1.DeploymentCondition) bool {
	return c != nil && c.Status == corev1.ConditionFalse && c.Reason == "ProgressDeadlineExceeded"
}

// exceededBefore tells that the deadline had passed before the change that is being waited for, which may be the very cure.
func exceededBefore(before *unstructured.Unstructured, now *appsv1.DeploymentCondition) bool {
	if before == nil {
		return false
	}
	d, err := as[appsv1.Deployment](before)
	if err != nil {
		return false
	}
	then := deploymentCondition(d, appsv1.DeploymentProgressing)
	return deadlineExceeded(then) && then.LastTransitionTime.Equal(&now.LastTransitionTime)
}

func unboundClaims(names []string, claims []*corev1.PersistentVolumeClaim) []string {
	var out []string
	for _, c := range claims {
		if slices.Contains(names, c.Name) && c.Status.Phase != corev1.ClaimBound {
			out = append(out, c.Name)
		}
	}
	return out
}
