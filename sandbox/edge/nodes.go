package edge

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	return func(ctx context.Context, publish func([]Node)) {
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
				if tell("Kubernetes does not run, so node groups have no nodes: `sandbox start` starts it") {
					publish(nil)
				}
			} else if err := followNodes(ctx, dir, func(nodes []Node) { said = ""; publish(nodes) }); err != nil && ctx.Err() == nil {
				tell("the nodes cannot be read and stay as they were: " + err.Error())
			}
			select {
			case <-ctx.Done():
			case <-time.After(again):
			}
		}
	}
}

// followNodes publishes the nodes after each change, until the control plane does not answer any more.
func followNodes(ctx context.Context, dir string, publish func([]Node)) error {
	info, err := endpoint.Prepare(dir)
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", info.AdminKubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	var last []Node
	for first := true; ; first = false {
		list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		if nodes := nodesOf(list.Items); first || !slices.Equal(nodes, last) {
			last = nodes
			publish(nodes)
		}
		w, err := client.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
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
		node := Node{Name: n.Name, Group: n.Labels[labelGroup], Instance: path.Base(n.Spec.ProviderID), Real: n.Annotations[realnode.Annotation] != ""}
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
