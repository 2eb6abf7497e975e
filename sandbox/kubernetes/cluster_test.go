package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	client "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// online is a stack in a namespace of its own, on a cluster with one node that runs nothing but says so.
func online(t *testing.T, args ...string) (*stack, *client.Clientset, string) {
	t.Helper()
	path, err := kubeconfig()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS, config.Burst = 50, 100
	kube, err := client.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	made, err := kube.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = kube.CoreV1().Namespaces().Delete(context.Background(), made.Name, metav1.DeleteOptions{})
	})
	until(t, "the namespace has its service account", func() bool {
		_, err := kube.CoreV1().ServiceAccounts(made.Name).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	all := map[string]string{"kubeconfig": string(text), "namespace": made.Name}
	for i := 0; i < len(args); i += 2 {
		all[args[i]] = args[i+1]
	}
	return newStack(t, all), kube, made.Name
}

// runNode makes a node on which pods of a namespace become Ready, except those whose image says what happens instead:
// "pull-error" cannot be pulled, "crash" ends again and again, "unready" runs and its probe fails. Pods that are deleted vanish. It
// ends with the test.
func runNode(t *testing.T, kube *client.Clientset, namespace string) {
	t.Helper()
	name := "node-" + namespace
	room := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("32"), corev1.ResourceMemory: resource.MustParse("64Gi"), corev1.ResourcePods: resource.MustParse("110"),
	}
	if _, err := kube.CoreV1().Nodes().Create(t.Context(), &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"test": namespace}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	// A patch, since the controllers write to a new node at the same time.
	status, err := json.Marshal(corev1.Node{Status: corev1.NodeStatus{Allocatable: room, Capacity: room, Conditions: []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now(),
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kube.CoreV1().Nodes().Patch(t.Context(), name, types.MergePatchType, status, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				tend(ctx, kube, namespace, name)
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-stopped
		_ = kube.CoreV1().Nodes().Delete(context.Background(), name, metav1.DeleteOptions{})
	})
}

func tend(ctx context.Context, kube *client.Clientset, namespace, node string) {
	// New nodes carry taints until the controllers have seen them.
	_, _ = kube.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, []byte(`{"spec":{"taints":null}}`), metav1.PatchOptions{})
	pods, err := kube.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		switch {
		case p.DeletionTimestamp != nil:
			zero := int64(0)
			_ = kube.CoreV1().Pods(namespace).Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: &zero})
		case p.Spec.NodeName != "" && p.Status.PodIP == "":
			p.Status = run(p)
			_, _ = kube.CoreV1().Pods(namespace).UpdateStatus(ctx, p, metav1.UpdateOptions{})
			if p.Spec.Containers[0].Image == "unready:1" {
				_, _ = kube.CoreV1().Events(namespace).Create(ctx, &corev1.Event{
					ObjectMeta: metav1.ObjectMeta{GenerateName: "unready-"}, Type: corev1.EventTypeWarning, Reason: "Unhealthy", Count: 4, LastTimestamp: metav1.Now(),
					InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: p.Name, UID: p.UID},
					Message:        "Readiness probe failed: HTTP probe failed with statuscode: 503",
				}, metav1.CreateOptions{})
			}
		}
	}
}

// run is what a kubelet would say of the pod.
func run(p *corev1.Pod) corev1.PodStatus {
	image := p.Spec.Containers[0].Image
	state := corev1.ContainerStatus{Name: p.Spec.Containers[0].Name, Image: image}
	ready, phase := corev1.ConditionFalse, corev1.PodPending
	switch {
	case strings.HasPrefix(image, "pull-error"):
		state.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: fmt.Sprintf("Back-off pulling image %q", image)}
	case strings.HasPrefix(image, "crash"):
		phase = corev1.PodRunning
		state.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 10s restarting failed container"}
		state.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error"}
	case strings.HasPrefix(image, "unready"):
		phase = corev1.PodRunning
		state.State.Running = &corev1.ContainerStateRunning{}
	default:
		ready, phase, state.Ready = corev1.ConditionTrue, corev1.PodRunning, true
		state.State.Running = &corev1.ContainerStateRunning{}
	}
	reason, message := "", ""
	if ready != corev1.ConditionTrue {
		reason, message = "ContainersNotReady", "containers with unready status: ["+state.Name+"]"
	}
	conditions := []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}, {Type: corev1.PodInitialized, Status: corev1.ConditionTrue}}
	for _, kind := range []corev1.PodConditionType{corev1.ContainersReady, corev1.PodReady} {
		conditions = append(conditions, corev1.PodCondition{Type: kind, Status: ready, Reason: reason, Message: message, LastTransitionTime: metav1.Now()})
	}
	return corev1.PodStatus{
		Phase: phase, PodIP: "10.9.8.7", PodIPs: []corev1.PodIP{{IP: "10.9.8.7"}}, HostIP: "10.9.8.1",
		Conditions: conditions, ContainerStatuses: []corev1.ContainerStatus{state},
	}
}

func missing(err error) bool { return apierrors.IsNotFound(err) }
