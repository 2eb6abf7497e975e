package nodes

import (
	"context"
	"errors"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// cordon marks the node as leaving: no new pods, and drained from now on, also by a process that takes over after a kill. How long the
// node goes on is what its group said last, or said when it went: ended.
func (c *Controller) cordon(ctx context.Context, name string, ended map[string]int) error {
	n, err := c.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	n.Spec.Unschedulable = true
	n.Annotations[annotationLeaving] = time.Now().UTC().Format(time.RFC3339Nano)
	if seconds, gone := ended[n.Annotations[annotationGroup]]; gone {
		n.Annotations[annotationEnds] = strconv.Itoa(seconds)
	}
	if _, err := c.client.CoreV1().Nodes().Update(ctx, n, metav1.UpdateOptions{}); err != nil {
		return err
	}
	klog.InfoS("Node is leaving", "node", name)
	return c.seen(ctx, func() bool {
		n, err := c.nodes.Get(name)
		return err != nil || n.Annotations[annotationLeaving] != ""
	})
}

// drain evicts the node's pods, as a managed node group does: disruption budgets are respected until the time is up. When
// none is left, or the time is up, the node goes (https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html), if
// load balancers have had their time to forget it, too.
func (c *Controller) drain(ctx context.Context, n *corev1.Node) error {
	since, err := time.Parse(time.RFC3339Nano, n.Annotations[annotationLeaving])
	overdue := err != nil || time.Since(since) > c.DrainTimeout
	pods, err := c.podsOn(n.Name)
	if err != nil {
		return err
	}
	var errs []error
	waiting := 0
	for _, p := range pods {
		if finished(p) || ofDaemonSet(p) {
			continue
		}
		waiting++
		if p.DeletionTimestamp != nil || overdue {
			continue
		}
		err := c.client.CoreV1().Pods(p.Namespace).EvictV1(ctx, &policyv1.Eviction{
			ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name},
		})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsTooManyRequests(err) {
			errs = append(errs, err)
		}
	}
	if waiting > 0 && !overdue || c.Real && time.Since(since) < ends(n) {
		return errors.Join(errs...)
	}
	if waiting > 0 {
		klog.InfoS("Drain timed out, deleting the pods", "node", n.Name, "pods", waiting)
	}
	return c.terminate(ctx, n, pods)
}

// ends is how long the account lets the instance go on: its group may be gone from there by now.
func ends(n *corev1.Node) time.Duration {
	seconds, _ := strconv.Atoi(n.Annotations[annotationEnds]) // written by apply and cordon; a node of an older sandbox has none
	return time.Duration(seconds) * time.Second
}

// terminate deletes the node, and then what ran on it: without a kubelet nobody else would finish those pods.
func (c *Controller) terminate(ctx context.Context, n *corev1.Node, pods []*corev1.Pod) error {
	if err := c.client.CoreV1().Nodes().Delete(ctx, n.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	klog.InfoS("Node terminated", "node", n.Name)
	var errs []error
	now := int64(0)
	for _, p := range pods {
		err := c.client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{
			GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &p.UID},
		})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (c *Controller) podsOn(node string) ([]*corev1.Pod, error) {
	all, err := c.addresses.pods.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	var on []*corev1.Pod
	for _, p := range all {
		if p.Spec.NodeName == node {
			on = append(on, p)
		}
	}
	return on, nil
}

func finished(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// ofDaemonSet tells pods that drain leaves alone, because their controller would put them back at once.
func ofDaemonSet(p *corev1.Pod) bool {
	owner := metav1.GetControllerOf(p)
	return owner != nil && owner.Kind == "DaemonSet"
}

// onAnyEvent puts a value into changed.
func onAnyEvent(changed chan<- struct{}) cache.ResourceEventHandler {
	tell := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { tell() }, UpdateFunc: func(any, any) { tell() }, DeleteFunc: func(any) { tell() },
	}
}
