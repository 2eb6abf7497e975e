package balancing

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"

	"github.com/slipway-iac/slipway/sandbox/aws/targets"
	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// Controller keeps the target groups of the account in step with the bindings of the cluster.
type Controller struct {
	account *view.Watcher
	targets targets.Account
	client  kubernetes.Interface
	dynamic dynamic.Interface
	events  record.EventRecorder

	pods     corelisters.PodLister
	nodes    corelisters.NodeLister
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
	bindings []cache.GenericLister // one for each of Kinds

	checks checks
	dirty  chan struct{}
	// said is the last event of each binding, so that one is not repeated with every try.
	said map[types.UID]string
}

// component names the controller in events and as a manager of fields.
const component = "targetGroupBinding"

// retry is how soon what has failed, or what nothing announces, is tried again.
const retry = 5 * time.Second

// calm is what a pass waits for more to come: a rollout changes many things at once, and each pass looks at all bindings.
const calm = 20 * time.Millisecond

// Start makes the CustomResourceDefinitions, connects to the control plane, and returns when the controller sees the cluster, or when
// starting ends. It works until ctx ends; Wait then waits for it.
func Start(ctx, starting context.Context, info endpoint.Info, account *view.Watcher, accountFile string) (*Controller, error) {
	config, err := clientcmd.BuildConfigFromFlags("", info.Kubeconfig("balancing"))
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 300, 600
	if err := define(starting, config); err != nil {
		return nil, err
	}
	c := &Controller{account: account, targets: targets.Account(filepath.Dir(accountFile)), dirty: make(chan struct{}, 1), said: map[types.UID]string{}}
	c.checks = checks{changed: c.Changed, running: map[check]*checking{}}
	if c.client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, err
	}
	if c.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, err
	}
	typed, own := informers.NewSharedInformerFactory(c.client, 0), dynamicinformer.NewDynamicSharedInformerFactory(c.dynamic, 0)
	c.pods, c.nodes = typed.Core().V1().Pods().Lister(), typed.Core().V1().Nodes().Lister()
	c.services, c.slices = typed.Core().V1().Services().Lister(), typed.Discovery().V1().EndpointSlices().Lister()
	watched := []cache.SharedIndexInformer{
		typed.Core().V1().Pods().Informer(), typed.Core().V1().Nodes().Informer(), typed.Core().V1().Services().Informer(), typed.Discovery().V1().EndpointSlices().Informer(),
	}
	for _, k := range Kinds {
		i := own.ForResource(k.Resource())
		c.bindings = append(c.bindings, i.Lister())
		watched = append(watched, i.Informer())
	}
	var synced []cache.InformerSynced
	for _, i := range watched {
		if _, err := i.AddEventHandler(c.onAnyEvent()); err != nil {
			return nil, err
		}
		synced = append(synced, i.HasSynced)
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: c.client.CoreV1().Events("")})
	c.events = broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: component})
	typed.Start(ctx.Done())
	own.Start(ctx.Done())
	if !cache.WaitForCacheSync(starting.Done(), synced...) {
		return nil, fmt.Errorf("no list of what load balancers need: %w", context.Cause(starting))
	}
	c.checks.parts.Go(func() { c.run(ctx); broadcaster.Shutdown() })
	return c, nil
}

// Changed says that something may have to be done: the account has changed.
func (c *Controller) Changed() {
	select {
	case c.dirty <- struct{}{}:
	default:
	}
}

func (c *Controller) onAnyEvent() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { c.Changed() }, UpdateFunc: func(any, any) { c.Changed() }, DeleteFunc: func(any) { c.Changed() },
	}
}

func (c *Controller) run(ctx context.Context) {
	for {
		again := c.pass(ctx)
		var later <-chan time.Time
		if again {
			later = time.After(retry)
		}
		select {
		case <-ctx.Done():
			c.checks.keep(nil, nil)
			return
		case <-c.dirty:
		case <-later:
		}
		select {
		case <-ctx.Done():
		case <-time.After(calm):
		}
	}
}

// pass looks at every binding. again tells that one has to be looked at once more though nothing may change.
func (c *Controller) pass(ctx context.Context) (again bool) {
	c.account.Refresh()
	v, _, _ := c.account.Current() // where it cannot be read, the follower of the account says so
	if v == nil {
		v = &view.View{}
	}
	checking, spared := map[check]bool{}, map[string]bool{}
	for i, k := range Kinds {
		all, err := c.bindings[i].List(labels.Everything())
		if err != nil {
			klog.ErrorS(err, "No list of target group bindings")
			return true
		}
		for _, o := range all {
			b, err := bindingOf(o.(*unstructured.Unstructured))
			if err != nil {
				klog.ErrorS(err, "A target group binding cannot be read")
				continue
			}
			r := &reconciler{Controller: c, kind: k, binding: b, account: v, checking: checking}
			more, err := r.reconcile(ctx)
			if err != nil && ctx.Err() == nil {
				spared[b.Spec.TargetGroupARN] = true // what is known of its targets must not get lost
				klog.ErrorS(err, "A target group binding is not in step yet", "binding", b.String())
			}
			again = again || more || err != nil
		}
	}
	c.checks.keep(checking, spared)
	return again
}

// say records an event about a binding, once until there is something else to say.
func (c *Controller) say(b *Binding, kind, reason, message string) {
	if text := reason + ": " + message; c.said[b.UID] != text {
		c.said[b.UID] = text
		ref := &corev1.ObjectReference{APIVersion: b.APIVersion, Kind: b.Kind, Namespace: b.Namespace, Name: b.Name, UID: b.UID, ResourceVersion: b.ResourceVersion}
		c.events.Event(ref, kind, reason, message)
	}
}

// Wait waits until everything has ended that Start began.
func (c *Controller) Wait() { c.checks.parts.Wait() }

// pod implements world.
func (c *Controller) pod(namespace, name string) *corev1.Pod {
	p, err := c.pods.Pods(namespace).Get(name)
	if err != nil {
		return nil
	}
	return p
}

// node implements world.
func (c *Controller) node(name string) *corev1.Node {
	n, err := c.nodes.Get(name)
	if err != nil {
		return nil
	}
	return n
}
