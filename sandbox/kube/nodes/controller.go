package nodes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/kube/instancetypes"
	"github.com/slipway-iac/slipway/sandbox/kube/realnode"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// Controller keeps nodes in step with the cluster that Sync is given.
type Controller struct {
	// DrainTimeout is how long a disruption budget may hold up a node that has to leave; then its pods are deleted.
	DrainTimeout time.Duration

	// Real leaves the kubelets of new nodes to package node; else KWOK plays them.
	Real bool

	client    kubernetes.Interface
	nodes     corelisters.NodeLister
	addresses *addresses
	changed   chan struct{}
}

// Start connects to the control plane, starts KWOK, and returns when both see the cluster, or when starting ends. They work
// until ctx ends.
func Start(ctx, starting context.Context, info endpoint.Info, drainTimeout time.Duration, kubelets bool) (*Controller, error) {
	config, err := clientcmd.BuildConfigFromFlags("", info.Kubeconfig("nodes"))
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 300, 600
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	c := &Controller{
		DrainTimeout: drainTimeout, Real: kubelets, client: client, nodes: factory.Core().V1().Nodes().Lister(), changed: make(chan struct{}, 1),
	}
	c.addresses = &addresses{nodes: c.nodes, pods: factory.Core().V1().Pods().Lister(), given: map[netip.Addr]time.Time{}}
	if _, err := factory.Core().V1().Nodes().Informer().AddEventHandler(onAnyEvent(c.changed)); err != nil {
		return nil, err
	}
	factory.Core().V1().Pods().Informer()
	factory.Start(ctx.Done())
	for kind, ok := range factory.WaitForCacheSync(starting.Done()) {
		if !ok {
			return nil, fmt.Errorf("no list of %s: %w", kind, context.Cause(starting))
		}
	}
	return c, startKwok(ctx, info, c.addresses)
}

// Changed gets a value when nodes have changed and Sync may have to do something.
func (c *Controller) Changed() <-chan struct{} { return c.changed }

// Sync takes one step towards what the cluster's node groups ask for and reports how far they are. again tells that
// something is under way which Changed will not announce. cluster may be nil: then there are no groups.
func (c *Controller) Sync(ctx context.Context, cluster *view.Cluster) (status []view.NodeGroupStatus, again bool, err error) {
	all, err := c.nodes.List(labels.Everything())
	if err != nil {
		return nil, false, err
	}
	var ours []*corev1.Node
	var members []member
	for _, n := range all {
		if n.Annotations[annotationGroup] != "" {
			ours, members = append(ours, n), append(members, c.memberOf(n))
		}
	}
	var region string
	var groups []view.NodeGroup
	var ended map[string]int
	problems := map[string]string{}
	if cluster != nil {
		region = cluster.Region
		groups, ended = cluster.NodeGroups, cluster.Ended
		for _, g := range groups {
			if _, err := instancetypes.Lookup(g.InstanceTypes[0]); err != nil {
				problems[g.ID] = err.Error()
			}
		}
	}
	var errs []error
	launches, leave := plan(groups, members)
	for _, l := range launches {
		if problems[l.group.ID] != "" {
			continue
		}
		if err := c.launch(ctx, region, l); err != nil {
			problems[l.group.ID] = err.Error()
			errs = append(errs, err)
		}
	}
	for _, name := range leave {
		errs = append(errs, c.cordon(ctx, name, ended))
	}
	for _, n := range ours {
		if n.Annotations[annotationLeaving] != "" {
			again = true
			errs = append(errs, c.drain(ctx, n))
			continue
		}
		for i := range groups {
			if groups[i].ID == n.Annotations[annotationGroup] {
				errs = append(errs, c.update(ctx, n, &groups[i]))
			}
		}
	}
	err = errors.Join(errs...)
	return statusOf(groups, members, leave, problems), again || err != nil || len(leave) > 0, err
}

func (c *Controller) memberOf(n *corev1.Node) member {
	m := member{
		name: n.Name, groupID: n.Annotations[annotationGroup], template: n.Annotations[annotationTmpl],
		subnetID: n.Annotations[annotationSubnet], leaving: n.Annotations[annotationLeaving] != "",
		created: n.CreationTimestamp.Time,
	}
	if (n.Annotations[realnode.Annotation] != "") != c.Real {
		m.template = "" // of the other kind: nobody plays its kubelet any more, so it is replaced like one of an older template
	}
	for _, c := range n.Status.Conditions {
		m.ready = m.ready || c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	}
	return m
}

func statusOf(groups []view.NodeGroup, members []member, leave []string, problems map[string]string) []view.NodeGroupStatus {
	leaving := map[string]bool{}
	for _, name := range leave {
		leaving[name] = true
	}
	status := []view.NodeGroupStatus{}
	for i := range groups {
		g := &groups[i]
		s := view.NodeGroupStatus{ID: g.ID, Name: g.Name, Problem: problems[g.ID]}
		for _, m := range members {
			switch {
			case m.groupID != g.ID:
			case m.leaving || leaving[m.name] || m.template != template(g):
				s.Leaving++
			case m.ready:
				s.Ready++
			}
		}
		status = append(status, s)
	}
	return status
}

func (c *Controller) launch(ctx context.Context, region string, l launch) error {
	addr, err := c.addresses.take(l.subnet.Cidr)
	if err != nil {
		return err
	}
	node, err := newNode(region, l, addr)
	if err != nil {
		return err
	}
	if c.Real {
		delete(node.Annotations, annotationFake)
		node.Annotations[realnode.Annotation] = "true"
	}
	if _, err := c.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
		return err
	}
	klog.InfoS("Node launched", "node", node.Name, "group", l.group.Name, "zone", l.subnet.Zone)
	return c.seen(ctx, func() bool { _, err := c.nodes.Get(node.Name); return err == nil })
}

// update brings labels and taints of a node in step with its group.
func (c *Controller) update(ctx context.Context, n *corev1.Node, g *view.NodeGroup) error {
	want := n.DeepCopy()
	if err := apply(want, g); err != nil {
		return err
	}
	if reflect.DeepEqual(want.Labels, n.Labels) && maps.Equal(want.Annotations, n.Annotations) {
		return nil
	}
	_, err := c.client.CoreV1().Nodes().Update(ctx, want, metav1.UpdateOptions{})
	return err
}

// seen waits until the lister shows what was written, so that the next step does not plan on old facts.
func (c *Controller) seen(ctx context.Context, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}
