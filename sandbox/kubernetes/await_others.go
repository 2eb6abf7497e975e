package kubernetes

import (
	"fmt"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// judgeStatefulSet wants every pod ready and of the newest revision, down to the partition that the program sets.
func judgeStatefulSet(v view) verdict {
	s, err := as[appsv1.StatefulSet](v.object)
	if err != nil {
		return broken(err)
	}
	want := replicas(s.Spec.Replicas)
	seen := s.Status.ObservedGeneration >= s.Generation
	pods := seen && s.Status.Replicas == want && s.Status.ReadyReplicas >= want
	updated := seen && (s.Status.UpdateRevision == s.Status.CurrentRevision || s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType)
	if r := s.Spec.UpdateStrategy.RollingUpdate; r != nil && r.Partition != nil && *r.Partition > 0 {
		updated = seen && s.Status.UpdatedReplicas >= want-*r.Partition
	}
	switch {
	case pods && updated:
		return verdict{ready: true}
	case s.Generation <= 1:
		return verdict{
			status:   fmt.Sprintf("[1/2] Waiting for StatefulSet to create Pods (%d/%d Pods ready)", s.Status.ReadyReplicas, want),
			problems: append([]string{"Failed to observe the expected number of ready replicas"}, podProblems(ownedPods(v, s))...),
		}
	case !pods:
		return verdict{
			status:   fmt.Sprintf("[1/3] Waiting for StatefulSet update to roll out (%d/%d Pods ready)", s.Status.ReadyReplicas, want),
			problems: append([]string{"Failed to observe the expected number of ready replicas"}, podProblems(ownedPods(v, s))...),
		}
	}
	return verdict{
		status:   "[2/3] Waiting for StatefulSet update to roll out (.status.currentRevision)",
		problems: append([]string{".status.currentRevision does not match .status.updateRevision"}, podProblems(ownedPods(v, s))...),
	}
}

// judgeDaemonSet wants a new and available pod on each node that is to have one.
func judgeDaemonSet(v view) verdict {
	d, err := as[appsv1.DaemonSet](v.object)
	if err != nil {
		return broken(err)
	}
	want, have := d.Status.DesiredNumberScheduled, min(d.Status.NumberAvailable, d.Status.UpdatedNumberScheduled)
	if d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		have = d.Status.NumberAvailable
	}
	if d.Status.ObservedGeneration >= d.Generation && have >= want {
		return verdict{ready: true}
	}
	return verdict{
		status:   fmt.Sprintf("Waiting for DaemonSet to be available (%d/%d Pods available)", have, want),
		problems: append([]string{fmt.Sprintf("Available: %d/%d", have, want)}, podProblems(ownedPods(v, d))...),
	}
}

// judgeJob waits until the work is done.
func judgeJob(v view) verdict {
	j, err := as[batchv1.Job](v.object)
	if err != nil {
		return broken(err)
	}
	out := verdict{status: fmt.Sprintf("Waiting for Job %q to succeed (Active: %d | Succeeded: %d | Failed: %d)",
		qualified(j), j.Status.Active, j.Status.Succeeded, j.Status.Failed)}
	for _, c := range j.Status.Conditions {
		switch {
		case c.Status != corev1.ConditionTrue:
		case c.Type == batchv1.JobComplete:
			return verdict{ready: true}
		case c.Type == batchv1.JobFailed:
			out.failed = true
			out.problems = append(out.problems, fmt.Sprintf("Job Failed. Reason: [%s] %s", c.Reason, c.Message))
		}
	}
	if j.Status.StartTime == nil {
		out.status = fmt.Sprintf("Waiting for Job %q to start", qualified(j))
	}
	if !out.failed {
		out.problems = append(out.problems, out.status)
	}
	out.problems = append(out.problems, podProblems(ownedPods(v, j))...)
	return out
}

func storageClasses(*unstructured.Unstructured) []source {
	like := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}}
	return []source{{object: like}}
}

// judgeClaim waits for a volume, unless the storage class makes one only when a pod needs it.
func judgeClaim(v view) verdict {
	c, err := as[corev1.PersistentVolumeClaim](v.object)
	if err != nil {
		return broken(err)
	}
	phase := c.Status.Phase
	out := verdict{status: fmt.Sprintf("PersistentVolumeClaim: [%s] is not ready. status.phase currently at: %s", c.Name, phase)}
	out.ready = phase == corev1.ClaimBound
	if name := c.Spec.StorageClassName; name != nil {
		if found := byName(v.others["StorageClass"], *name); found != nil {
			class, err := as[storagev1.StorageClass](found)
			if err == nil && class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer {
				out.ready = out.ready || phase == corev1.ClaimPending
			}
		}
	}
	out.problems = []string{out.status}
	return out
}

func judgeVolume(v view) verdict {
	p, err := as[corev1.PersistentVolume](v.object)
	if err != nil {
		return broken(err)
	}
	status := fmt.Sprintf("PersistentVolume %q is not available yet: %s", p.Name, p.Status.Phase)
	return verdict{
		ready:    p.Status.Phase == corev1.VolumeAvailable || p.Status.Phase == corev1.VolumeBound,
		status:   status,
		problems: []string{status},
	}
}

func judgeReplicationController(v view) verdict {
	r, err := as[corev1.ReplicationController](v.object)
	if err != nil {
		return broken(err)
	}
	want := replicas(r.Spec.Replicas)
	status := fmt.Sprintf("Waiting for %d replicas of %q to be available (have: %d)", want, r.Name, r.Status.AvailableReplicas)
	return verdict{ready: r.Status.AvailableReplicas == want, status: status, problems: []string{status}}
}

// judgeQuota waits until the controller has taken the quota up.
func judgeQuota(v view) verdict {
	hard, _, _ := unstructured.NestedMap(v.object.Object, "spec", "hard")
	taken, _, _ := unstructured.NestedMap(v.object.Object, "status", "hard")
	status := fmt.Sprintf("Waiting for ResourceQuota %q to take effect", v.object.GetName())
	return verdict{ready: reflect.DeepEqual(hard, taken), status: status, problems: []string{status}}
}

// judgeSecret waits for the token of a service account; other secrets have what they need.
func judgeSecret(v view) verdict {
	kind, _, _ := unstructured.NestedString(v.object.Object, "type")
	data, _, _ := unstructured.NestedMap(v.object.Object, "data")
	status := fmt.Sprintf("Waiting for the token of Secret %q", v.object.GetName())
	return verdict{
		ready:    kind != string(corev1.SecretTypeServiceAccountToken) || len(data) > 0,
		status:   status,
		problems: []string{status},
	}
}
