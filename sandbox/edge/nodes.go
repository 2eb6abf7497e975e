package edge

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/kube/realnode"
)

// again is how long until a control plane that does not answer is asked again; nothing announces it.
const again = time.Second

// labelGroup is EKS's label with the name of a node's group.
const labelGroup = "eks.amazonaws.com/nodegroup"

// ClusterNodes publishes the nodes of the control plane in dir, and none while it does not run; for Options.Nodes. say gets a word
// where they cannot be read.
func ClusterNodes(dir string, say func(string)) func(context.Context, func([]Node)) {
	return ofCluster(dir, say, "nodes", func(ctx context.Context, c kubernetes.Interface) ([]Node, string, error) {
		list, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, "", err
		}
		return nodesOf(list.Items), list.ResourceVersion, nil
	}, func(ctx context.Context, c kubernetes.Interface, o metav1.ListOptions) (watch.Interface, error) {
		return c.CoreV1().Nodes().Watch(ctx, o)
	})
}

// ClusterPods does the same with pods; for Options.Pods.
func ClusterPods(dir string, say func(string)) func(context.Context, func([]Pod)) {
	return ofCluster(dir, say, "pods", func(ctx context.Context, c kubernetes.Interface) ([]Pod, string, error) {
		list, err := c.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, "", err
		}
		return podsOf(list.Items), list.ResourceVersion, nil
	}, func(ctx context.Context, c kubernetes.Interface, o metav1.ListOptions) (watch.Interface, error) {
		return c.CoreV1().Pods("").Watch(ctx, o)
	})
}

type (
	lister[T any] func(context.Context, kubernetes.Interface) (items []T, version string, err error)
	watcher       func(context.Context, kubernetes.Interface, metav1.ListOptions) (watch.Interface, error)
)

func ofCluster[T comparable](dir string, say func(string), what string, list lister[T], watch watcher) func(context.Context, func([]T)) {
	return func(ctx context.Context, publish func([]T)) {
		said := ""
		tell := func(s string) (news bool) {
			if s == said {
				return false
			}
			said = s
			say(s)
			return true
		}
		for ctx.Err() == nil {
			if _, ok := endpoint.Running(dir); !ok {
				if tell("Kubernetes does not run, so there are no " + what + ": `sandbox start` starts it") {
					publish(nil)
				}
			} else if err := follow(ctx, dir, list, watch, func(items []T) { said = ""; publish(items) }); err != nil && ctx.Err() == nil {
				tell("the " + what + " cannot be read and stay as they were: " + err.Error())
			}
			select {
			case <-ctx.Done():
			case <-time.After(again):
			}
		}
	}
}

// follow publishes what is listed after each change, until the control plane does not answer any more.
func follow[T comparable](ctx context.Context, dir string, list lister[T], watch watcher, publish func([]T)) error {
	info, err := endpoint.Prepare(dir)
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", info.AdminKubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	var last []T
	for first := true; ; first = false {
		items, version, err := list(ctx, client)
		if err != nil {
			return err
		}
		if first || !slices.Equal(items, last) {
			last = items
			publish(items)
		}
		w, err := watch(ctx, client, metav1.ListOptions{ResourceVersion: version})
		if err != nil {
			return err
		}
		// Whatever it is that has changed: the list is short, it is read anew. A watch that ends by itself has nothing else to say.
		<-w.ResultChan()
		w.Stop()
		if _, ok := endpoint.Running(dir); !ok {
			return nil
		}
	}
}

func nodesOf(items []corev1.Node) []Node {
	var out []Node
	for _, n := range items {
		node := Node{Name: n.Name, Group: n.Labels[labelGroup], Instance: path.Base(n.Spec.ProviderID), Real: n.Annotations[realnode.Annotation] != "", Leaving: n.Annotations[realnode.Leaving] != ""}
		for _, a := range n.Status.Addresses {
			if a.Type == corev1.NodeInternalIP {
				node.Address = a.Address
			}
		}
		out = append(out, node)
	}
	slices.SortFunc(out, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// podsOf leaves out pods that have no address of their own, or none any more.
func podsOf(items []corev1.Pod) []Pod {
	var out []Pod
	for _, p := range items {
		if p.Status.PodIP == "" || p.Spec.HostNetwork || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
			continue
		}
		out = append(out, Pod{Name: p.Namespace + "/" + p.Name, Address: p.Status.PodIP, Node: p.Spec.NodeName})
	}
	slices.SortFunc(out, func(a, b Pod) int { return strings.Compare(a.Name, b.Name) })
	return out
}
