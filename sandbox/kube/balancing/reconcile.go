package balancing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/slipway-iac/slipway/sandbox/aws/targets"
	"github.com/slipway-iac/slipway/sandbox/kube/realnode"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// reconciler is the work on one binding in one pass.
type reconciler struct {
	*Controller
	kind     Kind
	binding  *Binding
	account  *view.View
	checking map[check]bool // gets the checks that have to go on
}

// reconcile brings account and pods in step with the binding. again tells that it is not done though nothing has failed: a pod still
// has to be probed.
func (r *reconciler) reconcile(ctx context.Context) (again bool, err error) {
	b := r.binding
	if b.DeletionTimestamp != nil {
		return false, r.finish(ctx)
	}
	if err := r.hold(ctx); err != nil {
		return false, err
	}
	if b.Spec.TargetType != "ip" {
		r.say(b, corev1.EventTypeWarning, "UnsupportedTargetType", "the sandbox plays bindings of targetType ip; this one is \""+b.Spec.TargetType+"\" and registers nothing")
		return false, nil
	}
	endpoints, pending, err := r.endpoints()
	if errors.Is(err, errBackendNotFound) {
		r.say(b, corev1.EventTypeWarning, "BackendNotFound", err.Error())
		if err := r.cleanup(ctx); err != nil {
			return false, err
		}
		return false, r.observed(ctx)
	}
	if err != nil {
		return false, err
	}
	group := r.account.TargetGroup(b.Spec.TargetGroupARN)
	if group == nil {
		return false, r.failed(&targets.NotFound{Group: b.Spec.TargetGroupARN})
	}
	registered, err := r.register(endpoints, group)
	if err != nil {
		return false, r.failed(err)
	}
	for _, e := range endpoints {
		h := registration
		if slices.ContainsFunc(registered, e.target.Same) {
			h = r.health(ctx, group, e)
		}
		if err := r.tell(ctx, e.pod, h); err != nil {
			return false, err
		}
		pending = pending || gated(e.pod, b.condition()) && !h.healthy
	}
	if pending {
		return true, nil
	}
	return false, r.observed(ctx)
}

// endpoints are the pods that have to be targets.
func (r *reconciler) endpoints() ([]backend, bool, error) {
	b := r.binding
	service, err := r.services.Services(b.Namespace).Get(b.Spec.ServiceRef.Name)
	if apierrors.IsNotFound(err) {
		return nil, false, fmt.Errorf("%w: %w", errBackendNotFound, err)
	}
	if err != nil {
		return nil, false, err
	}
	port, err := portOf(service, b.Spec.ServiceRef.Port)
	if err != nil {
		return nil, false, err
	}
	all, err := r.slices.EndpointSlices(b.Namespace).List(labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: service.Name}))
	if err != nil {
		return nil, false, err
	}
	found, pending := resolve(r.Controller, b.Namespace, port, all, b.condition())
	return found, pending, nil
}

// by is how the binding signs what it registers.
func (r *reconciler) by() string { return r.kind.Group + "/" + r.binding.String() }

// register brings the target group in step with the endpoints, and gives the targets that were registered before.
func (r *reconciler) register(endpoints []backend, group *view.TargetGroup) ([]targets.Target, error) {
	all, err := r.targets.All()
	if err != nil {
		return nil, err
	}
	registered := all[group.ARN]
	add, drop := match(endpoints, registered, r.by(), r.binding.Spec.MultiClusterTargetGroup)
	vpc, _ := netip.ParsePrefix(group.VPCCidr)
	for i := range add {
		add[i].By = r.by()
		if a, err := netip.ParseAddr(add[i].ID); err == nil && !vpc.Contains(a) {
			add[i].Zone = targets.AllZones
		}
	}
	if len(add)+len(drop) == 0 {
		return registered, nil
	}
	if err := r.targets.Change(group.ARN, add, drop); err != nil {
		return nil, err
	}
	r.Changed() // what is new gets its health in the next pass, as with the real one
	return registered, nil
}

// health of a registered target. Where no machine runs behind the pod there is nothing to ask: its containers are ready, so it is
// healthy.
func (r *reconciler) health(ctx context.Context, group *view.TargetGroup, e backend) targetHealth {
	if !group.InUse {
		return unused
	}
	if n := r.node(e.pod.Spec.NodeName); n == nil || n.Annotations[realnode.Annotation] == "" || !checkable(group) {
		return healthy
	}
	k := checkOf(group, e.target.ID, e.target.Port)
	r.checking[k] = true
	return r.checks.begin(ctx, k)
}

// tell puts the condition on a pod that has the gate.
func (r *reconciler) tell(ctx context.Context, pod *corev1.Pod, h targetHealth) error {
	kind := r.binding.condition()
	if !gated(pod, kind) {
		return nil
	}
	c := conditionFor(pod, kind, h, metav1.Now())
	if c == nil {
		return nil
	}
	changed := map[string]any{"type": c.Type, "status": c.Status, "lastTransitionTime": c.LastTransitionTime, "reason": c.Reason, "message": c.Message}
	for _, name := range []string{"reason", "message"} {
		if changed[name] == "" {
			changed[name] = nil // else the one before would stay
		}
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": map[string]any{"conditions": []any{changed}}})
	if err != nil {
		return err
	}
	_, err = r.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{FieldManager: component}, "status")
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // the pod is gone, or another has its name
	}
	return err
}

// failed tells people of an error of AWS.
func (r *reconciler) failed(err error) error {
	reason := "FailedReconcile"
	var missing *targets.NotFound
	if errors.As(err, &missing) {
		reason = "TargetGroupNotFound"
	}
	r.say(r.binding, corev1.EventTypeWarning, reason, err.Error())
	return err
}

// cleanup takes all targets off, and lets pods be ready that wait for one.
func (r *reconciler) cleanup(ctx context.Context) error {
	all, err := r.targets.All()
	if err != nil {
		return err
	}
	_, drop := match(nil, all[r.binding.Spec.TargetGroupARN], r.by(), r.binding.Spec.MultiClusterTargetGroup)
	if len(drop) > 0 && r.binding.Spec.TargetType == "ip" {
		var missing *targets.NotFound
		if err := r.targets.Change(r.binding.Spec.TargetGroupARN, nil, drop); err != nil && !errors.As(err, &missing) {
			return r.failed(err)
		}
	}
	pods, err := r.pods.Pods(r.binding.Namespace).List(labels.Everything())
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range pods {
		errs = append(errs, r.tell(ctx, p, left))
	}
	return errors.Join(errs...)
}

// hold puts the finalizer on.
func (r *reconciler) hold(ctx context.Context) error {
	if slices.Contains(r.binding.Finalizers, r.kind.Finalizer) {
		return nil
	}
	return r.finalizers(ctx, append(slices.Clone(r.binding.Finalizers), r.kind.Finalizer))
}

// finish lets a deleted binding go.
func (r *reconciler) finish(ctx context.Context) error {
	if !slices.Contains(r.binding.Finalizers, r.kind.Finalizer) {
		return nil
	}
	if err := r.cleanup(ctx); err != nil {
		return err
	}
	delete(r.said, r.binding.UID)
	return r.finalizers(ctx, slices.DeleteFunc(slices.Clone(r.binding.Finalizers), func(f string) bool { return f == r.kind.Finalizer }))
}

// finalizers replaces them, unless the binding has changed since it was seen: then there is another pass.
func (r *reconciler) finalizers(ctx context.Context, all []string) error {
	return r.patch(ctx, map[string]any{"metadata": map[string]any{"finalizers": all, "resourceVersion": r.binding.ResourceVersion}})
}

// observed says that the binding is in step.
func (r *reconciler) observed(ctx context.Context) error {
	b := r.binding
	if b.Status.ObservedGeneration == b.Generation {
		return nil
	}
	if err := r.patch(ctx, map[string]any{"status": map[string]any{"observedGeneration": b.Generation}}, "status"); err != nil {
		return err
	}
	r.say(b, corev1.EventTypeNormal, "SuccessfullyReconciled", "Successfully reconciled")
	return nil
}

func (r *reconciler) patch(ctx context.Context, patch map[string]any, subresource ...string) error {
	raw, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	_, err = r.dynamic.Resource(r.kind.Resource()).Namespace(r.binding.Namespace).Patch(ctx, r.binding.Name, types.MergePatchType, raw, metav1.PatchOptions{FieldManager: component}, subresource...)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}
