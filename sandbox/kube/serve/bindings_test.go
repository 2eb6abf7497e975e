package serve_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/aws/targets"
	"github.com/slipway-iac/slipway/sandbox/kube/balancing"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

type object = map[string]any

// balanced is a sandbox whose account has target groups.
type balanced struct {
	*sandbox
	t       *testing.T
	kube    kubernetes.Interface
	dynamic dynamic.Interface
	account *aws.Account
}

func newBalanced(t *testing.T) (*balanced, *process) {
	t.Helper()
	s := newSandbox(t)
	account, err := aws.OpenAccount(filepath.Dir(s.account))
	if err != nil {
		t.Fatal(err)
	}
	b := &balanced{sandbox: s, t: t, account: account}
	s.view.Clusters = []view.Cluster{production()}
	account.Changed = func(tx *aws.Tx) error { // as the provider does it, but for the cluster, which needs no account here
		s.view.TargetGroups = aws.KubeView(tx).TargetGroups
		_, err := view.Write(s.account, &s.view)
		return err
	}
	b.change(func(tx *aws.Tx) {
		tx.Add(&aws.Object{Type: "aws:ec2/vpc:Vpc", ID: "vpc-1", Region: "us-west-2", Inputs: object{"cidrBlock": "10.0.0.0/16"}})
		for _, name := range []string{"web", "idle", "auto", "gone"} {
			tx.Add(&aws.Object{
				Type: targets.GroupType, ID: arn(name), Region: "us-west-2",
				Inputs: object{"name": name, "targetType": "ip", "protocol": "HTTP", "protocolVersion": "HTTP1", "ipAddressType": "ipv4", "port": 80.0, "vpcId": "vpc-1"},
			})
		}
		for _, name := range []string{"web", "auto", "gone"} {
			b.forward(tx, name)
		}
	})
	p := s.start(t)
	s.write(t, nodesReady(3))
	b.connect()
	return b, p
}

func (b *balanced) connect() {
	b.t.Helper()
	b.kube = b.admin(b.t)
	config, err := clientcmd.BuildConfigFromFlags("", b.info.AdminKubeconfig)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.dynamic, err = dynamic.NewForConfig(config); err != nil {
		b.t.Fatal(err)
	}
}

func arn(name string) string {
	return "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/" + name + "/0123456789abcdef"
}

func (b *balanced) change(f func(*aws.Tx)) {
	b.t.Helper()
	if err := b.account.Do("us-west-2", func(tx *aws.Tx) error { f(tx); tx.Touch(); return nil }); err != nil {
		b.t.Fatal(err)
	}
}

// forward lets a listener rule forward to a group, by the weight 0: that is in use all the same.
func (b *balanced) forward(tx *aws.Tx, group string) {
	tx.Add(&aws.Object{Type: "aws:lb/listenerRule:ListenerRule", ID: "rule-" + group, Region: "us-west-2", Inputs: object{
		"actions": []any{object{"type": "forward", "forward": object{"targetGroups": []any{object{"arn": arn(group), "weight": 0.0}}}}},
	}})
}

// targets are those of a group, as the model of the account knows them.
func (b *balanced) targets(group string) []string {
	b.t.Helper()
	all, err := targets.Account(filepath.Dir(b.sandbox.account)).All()
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, t := range all[arn(group)] {
		out = append(out, fmt.Sprintf("%s:%d", t.ID, t.Port))
	}
	slices.Sort(out)
	return out
}

// shop makes a namespace with a Service.
func (b *balanced) shop(name string, labels map[string]string) {
	b.t.Helper()
	ctx := b.t.Context()
	if _, err := b.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.kube.CoreV1().Services(name).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	}, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *balanced) deploy(namespace string, replicas int32) {
	b.t.Helper()
	labels := map[string]string{"app": "web"}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To(replicas), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "example.test/web:1"}}}},
		},
	}
	if _, err := b.kube.AppsV1().Deployments(namespace).Create(b.t.Context(), d, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *balanced) binding(k balancing.Kind, namespace, group string, spec object) *unstructured.Unstructured {
	all := object{"serviceRef": object{"name": "web", "port": int64(80)}, "targetGroupARN": arn(group), "targetType": "ip"}
	for name, v := range spec {
		all[name] = v
	}
	return &unstructured.Unstructured{Object: object{
		"apiVersion": k.Group + "/" + k.Version, "kind": "TargetGroupBinding", "metadata": object{"name": "web", "namespace": namespace}, "spec": all,
	}}
}

func (b *balanced) bind(k balancing.Kind, namespace, group string) {
	b.t.Helper()
	if _, err := b.dynamic.Resource(k.Resource()).Namespace(namespace).Create(b.t.Context(), b.binding(k, namespace, group, nil), metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

// pods are told in one line each: gates, the condition of the gate, and whether the pod is ready.
func (b *balanced) pods(namespace string) ([]string, []string) {
	b.t.Helper()
	list, err := b.kube.CoreV1().Pods(namespace).List(b.t.Context(), metav1.ListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	var lines, addresses []string
	for _, p := range list.Items {
		if p.DeletionTimestamp != nil {
			continue
		}
		var words []string
		for _, g := range p.Spec.ReadinessGates {
			words = append(words, string(g.ConditionType))
		}
		ready := ""
		for _, c := range p.Status.Conditions {
			if strings.HasPrefix(string(c.Type), "target-health.") {
				words = append(words, strings.Join([]string{string(c.Status), c.Reason, c.Message}, "|"))
			}
			if c.Type == corev1.PodReady {
				ready = strings.TrimSpace("ready=" + string(c.Status) + " " + c.Reason)
			}
		}
		lines = append(lines, strings.Join(append(words, ready), " "))
		addresses = append(addresses, p.Status.PodIP+":8080")
	}
	slices.Sort(addresses)
	return lines, addresses
}

// become waits until n pods are all told by one line, and their addresses are the targets of the group, if one is named.
func (b *balanced) become(namespace, group string, n int, line string) {
	b.t.Helper()
	eventually(b.t, fmt.Sprintf("%d pods of %s that are %q", n, namespace, line), func() error {
		lines, addresses := b.pods(namespace)
		if len(lines) != n || slices.ContainsFunc(lines, func(l string) bool { return l != line }) {
			return fmt.Errorf("they are %q", lines)
		}
		if got := b.targets(group); group != "" && !slices.Equal(got, addresses) {
			return fmt.Errorf("targets are %q, want %q", got, addresses)
		}
		return nil
	})
}

func (b *balanced) observed(k balancing.Kind, namespace string) bool {
	b.t.Helper()
	u, err := b.dynamic.Resource(k.Resource()).Namespace(namespace).Get(b.t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	n, ok, _ := unstructured.NestedInt64(u.Object, "status", "observedGeneration")
	return ok && n == u.GetGeneration()
}

func (b *balanced) inStep(k balancing.Kind, namespace string) {
	b.t.Helper()
	eventually(b.t, "the binding is in step", func() error {
		if !b.observed(k, namespace) {
			return errors.New("its generation is not observed")
		}
		return nil
	})
}

// unbind deletes the binding and waits until it is gone.
func (b *balanced) unbind(k balancing.Kind, namespace string) {
	b.t.Helper()
	bindings := b.dynamic.Resource(k.Resource()).Namespace(namespace)
	if err := bindings.Delete(b.t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		b.t.Fatal(err)
	}
	eventually(b.t, "the binding is gone", func() error {
		if _, err := bindings.Get(b.t.Context(), "web", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("still there (%w)", cmp.Or(err, errors.New("found")))
		}
		return nil
	})
}

func (b *balanced) event(namespace, reason string) {
	b.t.Helper()
	eventually(b.t, "event "+reason, func() error {
		list, err := b.kube.CoreV1().Events(namespace).List(b.t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		var reasons []string
		for _, e := range list.Items {
			if e.InvolvedObject.Kind == "TargetGroupBinding" {
				reasons = append(reasons, e.Reason)
			}
		}
		if !slices.Contains(reasons, reason) {
			return fmt.Errorf("there are %q", reasons)
		}
		return nil
	})
}

func (b *balanced) scale(namespace string, replicas int) {
	b.t.Helper()
	patch := fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas)
	if _, err := b.kube.AppsV1().Deployments(namespace).Patch(b.t.Context(), "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

const (
	gateIsOpen = "target-health.elbv2.k8s.aws/web True|| ready=True"
	notInUse   = "target-health.elbv2.k8s.aws/web False|Target.NotInUse|Target group is not configured to receive traffic from the load balancer ready=False ReadinessGatesNotReady"
	letGo      = "target-health.elbv2.k8s.aws/web True||Target Group Binding is deleted ready=True"
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
