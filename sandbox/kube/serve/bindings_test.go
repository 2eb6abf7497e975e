package serve_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/aws/targets"
	"github.com/slipway-iac/slipway/sandbox/kube/balancing"
)

// TestTargetGroupBindings is what an application sees of the load balancer's controller, of either kind.
func TestTargetGroupBindings(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	b, p := newBalanced(t)
	lbc, auto := balancing.Kinds[0], balancing.Kinds[1]
	ctx := context.WithoutCancel(t.Context())
	inject := map[string]string{lbc.InjectLabel: "enabled"}

	t.Run("pods are targets, and ready once those are healthy", func(t *testing.T) {
		b.t = t
		b.shop("shop", inject)
		b.bind(lbc, "shop", "web")
		b.deploy("shop", 2)
		b.become("shop", "web", 2, gateIsOpen)
		b.inStep(lbc, "shop")
		u, err := b.dynamic.Resource(lbc.Resource()).Namespace("shop").Get(ctx, "web", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		spec := u.Object["spec"].(object)
		if spec["vpcID"] != "vpc-1" || spec["ipAddressType"] != "ipv4" || !slices.Equal(u.GetFinalizers(), []string{lbc.Finalizer}) {
			t.Errorf("the binding is %v", u.Object)
		}
	})
	t.Run("a pod that leaves is no target any more", func(t *testing.T) {
		b.t = t
		b.scale("shop", 1)
		b.become("shop", "web", 1, gateIsOpen)
		b.scale("shop", 3)
		b.become("shop", "web", 3, gateIsOpen)
	})
	t.Run("what it registered is no resource of a stack", func(t *testing.T) {
		left, err := b.account.Resources()
		if err != nil || left[targets.TargetType] != 0 {
			t.Errorf("counted %v, %v", left, err)
		}
	})
	t.Run("of a group that nothing forwards to pods wait", func(t *testing.T) {
		b.t = t
		b.shop("idle", inject)
		b.bind(lbc, "idle", "idle")
		b.deploy("idle", 2)
		b.become("idle", "idle", 2, notInUse)
		if _, err := b.dynamic.Resource(lbc.Resource()).Namespace("idle").Patch(ctx, "web", types.MergePatchType, []byte(`{"spec":{"networking":{"ingress":[]}}}`), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		b.scale("idle", 3)
		b.become("idle", "idle", 3, notInUse)
		if b.observed(lbc, "idle") {
			t.Error("the binding is said to be in step while pods have to be probed")
		}
		b.change(func(tx *aws.Tx) { b.forward(tx, "idle") })
		b.become("idle", "idle", 3, gateIsOpen)
		b.inStep(lbc, "idle")
		b.change(func(tx *aws.Tx) { tx.Remove(tx.Find("aws:lb/listenerRule:ListenerRule", "id", "rule-idle")) })
		b.scale("idle", 1) // the endpoints change, so the controller looks
		b.become("idle", "idle", 1, notInUse)
	})
	t.Run("EKS Auto Mode's binding works the same, by its own label", func(t *testing.T) {
		b.t = t
		b.shop("auto", map[string]string{auto.InjectLabel: "enabled"})
		b.bind(auto, "auto", "auto")
		b.deploy("auto", 1)
		b.become("auto", "auto", 1, gateIsOpen)
		b.unbind(auto, "auto")
		b.become("auto", "", 1, letGo)
	})
	t.Run("without the label there are no gates", func(t *testing.T) {
		b.t = t
		b.shop("plain", map[string]string{auto.InjectLabel: "enabled", lbc.InjectLabel: "disabled"})
		b.bind(lbc, "plain", "auto")
		b.deploy("plain", 1)
		b.become("plain", "auto", 1, "ready=True")
	})
	t.Run("a gate that is not the controller's is left to its owner", func(t *testing.T) {
		b.t = t
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "own"}, Spec: corev1.PodSpec{
			ReadinessGates: []corev1.PodReadinessGate{{ConditionType: "example.test/gate"}}, Containers: []corev1.Container{{Name: "own", Image: "example.test/web:1"}},
		}}
		if _, err := b.kube.CoreV1().Pods("default").Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		b.become("default", "", 1, "example.test/gate ready=False ReadinessGatesNotReady")
		for _, step := range []struct{ status, want string }{{"True", "ready=True"}, {"False", "ready=False ReadinessGatesNotReady"}, {"True", "ready=True"}} {
			patch := `{"status":{"conditions":[{"type":"example.test/gate","status":"` + step.status + `"}]}}`
			if _, err := b.kube.CoreV1().Pods("default").Patch(ctx, "own", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status"); err != nil {
				t.Fatal(err)
			}
			b.become("default", "", 1, "example.test/gate "+step.want)
		}
	})
	t.Run("refused", func(t *testing.T) {
		b.t = t
		b.refuses(lbc, "web", nil, "is already bound to TargetGroupBinding shop/web")
		b.refuses(lbc, "other", object{"nodeSelector": object{"matchLabels": object{"a": "b"}}}, "cannot set NodeSelector when TargetType is ip")
		b.refuses(lbc, "", object{"targetGroupARN": nil}, "must provide either TargetGroupARN or TargetGroupName")
		b.refuses(lbc, "other", object{"targetType": nil}, "TargetGroupNotFound")
		_, err := b.dynamic.Resource(lbc.Resource()).Namespace("shop").Patch(ctx, "web", types.MergePatchType, []byte(`{"spec":{"targetGroupARN":"`+arn("idle")+`"}}`), metav1.PatchOptions{})
		if err == nil || !strings.Contains(err.Error(), "may not change these fields: spec.targetGroupARN") {
			t.Errorf("another target group: %v", err)
		}
	})
	t.Run("it follows after a restart", func(t *testing.T) {
		b.t = t
		p.kill()
		b.start(t)
		b.connect()
		b.scale("shop", 2)
		b.become("shop", "web", 2, gateIsOpen)
		b.scale("shop", 3)
		b.become("shop", "web", 3, gateIsOpen)
	})
	t.Run("a deleted binding lets pods be, and takes its targets along", func(t *testing.T) {
		b.t = t
		b.unbind(lbc, "shop")
		b.become("shop", "", 3, letGo)
		if got := b.targets("web"); got != nil {
			t.Errorf("targets %q are left", got)
		}
	})
	t.Run("without its Service a binding has no targets", func(t *testing.T) {
		b.t = t
		if err := b.kube.CoreV1().Services("plain").Delete(ctx, "web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		b.event("plain", "BackendNotFound")
		eventually(t, "no targets", func() error {
			if got := b.targets("auto"); got != nil {
				return fmt.Errorf("there are %q", got)
			}
			return nil
		})
	})
	t.Run("a binding outlives its target group and can be deleted", func(t *testing.T) {
		b.t = t
		b.shop("gone", inject)
		b.bind(lbc, "gone", "gone")
		b.deploy("gone", 1)
		b.become("gone", "gone", 1, gateIsOpen)
		b.change(func(tx *aws.Tx) {
			tx.Remove(tx.Find("aws:lb/listenerRule:ListenerRule", "id", "rule-gone"))
			tx.Remove(tx.Find(targets.GroupType, "id", arn("gone")))
			if n := len(tx.All(targets.TargetType)); n != 1 { // of "idle"
				t.Errorf("%d targets are left", n)
			}
		})
		b.event("gone", "TargetGroupNotFound")
		b.unbind(lbc, "gone")
		b.become("gone", "", 1, letGo)
	})
}

func (b *balanced) refuses(k balancing.Kind, group string, spec object, why string) {
	b.t.Helper()
	u := b.binding(k, "plain", group, spec)
	u.SetName("second")
	for name, v := range spec {
		if v == nil {
			unstructured.RemoveNestedField(u.Object, "spec", name)
		}
	}
	_, err := b.dynamic.Resource(k.Resource()).Namespace("plain").Create(b.t.Context(), u, metav1.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), why) {
		b.t.Errorf("%v: %v, want %q", spec, err, why)
	}
}
