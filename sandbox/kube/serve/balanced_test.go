package serve_test

import (
	"cmp"
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
