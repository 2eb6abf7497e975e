// Package settle tells when a cluster has come to rest after its node groups changed their size, and whether an app fell below
// its disruption budget meanwhile.
package settle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

const (
	// patience is for nodes that start for real on a busy machine, and for a drain that a budget holds up; simulated ones take two
	// seconds.
	patience = 5 * time.Minute
	// quiet is how long pods without a node must stay so, with all nodes there, to count as pending for good: the scheduler looks
	// again at what it could not place after up to 10 s.
	quiet = 12 * time.Second
	// often is how often the cluster is asked; what it takes is far more than that.
	often = 100 * time.Millisecond
)

// Cluster is one that is watched.
type Cluster struct {
	client kubernetes.Interface
	// kube is the control plane's folder, account the file of the view that it follows.
	kube, account string
	// broken are the controllers, and pods without one, that were not whole when the watch began: nobody waits for them.
	broken  map[string]bool
	budgets *budgets
}

// Watch begins to watch the cluster whose control plane has its folder in kube and follows account, until ctx ends. Apps below
// their budget are told to say at once.
func Watch(ctx context.Context, kube, account string, say func(string)) (*Cluster, error) {
	info, err := endpoint.Prepare(kube)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", info.AdminKubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	c := &Cluster{client: client, kube: kube, account: account, broken: map[string]bool{}}
	if c.budgets, err = watchBudgets(ctx, client, say); err != nil {
		return nil, err
	}
	now, err := c.look(ctx)
	if err != nil {
		return nil, err
	}
	for _, u := range now.unfinished(false) {
		c.broken[u.owner] = true
	}
	return c, nil
}

// Settled waits until the nodes are as the account wants them and the pods have come to rest, and tells which are left without a
// node because none has room for them. With available, pods have been ready for their minReadySeconds too: until then a refresh of a
// stack takes their Deployment for one that is not up. An error says what is still going on.
func (c *Cluster) Settled(ctx context.Context, available bool) (pending []string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s are over", patience))
	defer cancel()
	look := func(ctx context.Context) ([]string, []string, error) { return c.step(ctx, available) }
	if pending, err = rest(ctx, look); err != nil {
		return nil, err
	}
	return pending, c.budgets.caughtUp(ctx)
}

// rest takes a look until nothing moves, and what waits for room has done so for long enough.
func rest(ctx context.Context, look func(context.Context) (moving, waiting []string, err error)) (pending []string, err error) {
	tick := time.NewTicker(often)
	defer tick.Stop()
	var going []string // on, when last looked at
	var since time.Time
	for {
		moving, waiting, err := look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("nodes and pods are not at rest: %w while %s", context.Cause(ctx), strings.Join(going, "; "))
		case err != nil:
			return nil, err
		case len(moving) == 0 && len(waiting) == 0:
			return nil, nil
		case len(moving) > 0 || !slices.Equal(waiting, pending):
			since = time.Now()
		case time.Since(since) >= quiet:
			return waiting, nil
		}
		pending, going = waiting, slices.Concat(moving, waiting)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// step is what is still moving, and which pods wait for room.
func (c *Cluster) step(ctx context.Context, available bool) (moving, waiting []string, err error) {
	wanted, digest, err := view.Read(c.account)
	if err != nil {
		return nil, nil, err
	}
	status, err := view.ReadStatus(c.kube)
	if err != nil {
		return nil, nil, err
	}
	if moving = nodesMoving(wanted, digest, status); len(moving) > 0 {
		return moving, nil, nil // pods that were asked for before would say what is past
	}
	now, err := c.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, u := range now.unfinished(available) {
		switch {
		case c.broken[u.owner]:
		case u.noRoom:
			waiting = append(waiting, u.what)
		default:
			moving = append(moving, u.what)
		}
	}
	return moving, waiting, nil
}

// nodesMoving is what is missing until the nodes are as the account wants them.
func nodesMoving(wanted *view.View, digest string, status *view.Status) (moving []string) {
	if status.View != digest {
		return []string{"the control plane has not taken in the account yet"}
	}
	cluster := wanted.ClusterByID(status.Cluster)
	if cluster == nil {
		return nil
	}
	for _, g := range cluster.NodeGroups {
		s, _ := status.Group(g.ID)
		if s.Ready != g.Desired || s.Leaving > 0 {
			what := fmt.Sprintf("node group %s has %d nodes ready and %d leaving, is to have %d", g.Name, s.Ready, s.Leaving, g.Desired)
			if s.Problem != "" {
				what += ": " + s.Problem
			}
			moving = append(moving, what)
		}
	}
	return moving
}

// look asks the API server itself: a cache may lag behind the status of the nodes.
func (c *Cluster) look(ctx context.Context) (s snapshot, err error) {
	pods, err := c.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return s, err
	}
	replicaSets, err := c.client.AppsV1().ReplicaSets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return s, err
	}
	statefulSets, err := c.client.AppsV1().StatefulSets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return s, err
	}
	return snapshot{pods.Items, replicaSets.Items, statefulSets.Items}, nil
}

// snapshot is a cluster's pods, and who wants how many of them.
type snapshot struct {
	pods         []corev1.Pod
	replicaSets  []appsv1.ReplicaSet
	statefulSets []appsv1.StatefulSet
}

// unfinished is something that is not as it is to be.
type unfinished struct {
	// owner tells what is not as it is to be across pods that come and go.
	owner, what string
	// noRoom: the scheduler has found no node for a pod.
	noRoom bool
}

func (s snapshot) unfinished(available bool) (all []unfinished) {
	ready := map[string]int32{}
	for _, p := range s.pods {
		owner := ownerOf(&p)
		switch reason := notReady(&p); {
		case p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed:
		case reason == "":
			ready[owner]++
		default:
			_, noRoom := unschedulable(&p)
			all = append(all, unfinished{owner, fmt.Sprintf("pod %s/%s %s", p.Namespace, p.Name, reason), noRoom})
		}
	}
	said := map[string]bool{}
	for _, u := range all {
		said[u.owner] = true
	}
	count := func(kind, namespace, name string, want *int32, lasting int32) {
		owner, n := kind+" "+namespace+"/"+name, int32OrOne(want)
		switch {
		case said[owner]:
		case ready[owner] != n:
			all = append(all, unfinished{owner, fmt.Sprintf("%s has %d pods, is to have %d", owner, ready[owner], n), false})
		case available && lasting < n:
			all = append(all, unfinished{owner, fmt.Sprintf("%s has %d of %d pods that have been ready for long enough", owner, lasting, n), false})
		}
	}
	for _, r := range s.replicaSets {
		count("ReplicaSet", r.Namespace, r.Name, r.Spec.Replicas, r.Status.AvailableReplicas)
	}
	for _, r := range s.statefulSets {
		count("StatefulSet", r.Namespace, r.Name, r.Spec.Replicas, r.Status.AvailableReplicas)
	}
	return all
}

func ownerOf(p *corev1.Pod) string {
	if o := metav1.GetControllerOf(p); o != nil {
		return o.Kind + " " + p.Namespace + "/" + o.Name
	}
	return "Pod " + p.Namespace + "/" + p.Name
}

// notReady is why a pod does not serve; "" if it does.
func notReady(p *corev1.Pod) string {
	if p.DeletionTimestamp != nil {
		return "is ending"
	}
	if why, yes := unschedulable(p); yes {
		return "has no node: " + why
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return ""
		}
	}
	return "is not ready"
}

func unschedulable(p *corev1.Pod) (why string, yes bool) {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return c.Message, p.Spec.NodeName == "" && p.DeletionTimestamp == nil
		}
	}
	return "", false
}

func int32OrOne(p *int32) int32 {
	if p == nil {
		return 1
	}
	return *p
}
