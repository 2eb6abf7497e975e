package kubernetes

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

// source is objects of one kind: one by its name, or all of a namespace that a label selector takes.
type source struct {
	// object gives kind and namespace; an object that has no namespace stands for all namespaces.
	object *unstructured.Unstructured
	name   string
	labels string
}

// related are the objects of a kind in the namespace of another.
func related(obj *unstructured.Unstructured, group, kind, labels string) source {
	like := &unstructured.Unstructured{Object: map[string]any{}}
	like.SetGroupVersionKind(schema.GroupVersionKind{Group: group, Version: "v1", Kind: kind})
	like.SetNamespace(orDefault(obj.GetNamespace()))
	return source{object: like, labels: labels}
}

func (s source) options() metav1.ListOptions {
	o := metav1.ListOptions{LabelSelector: s.labels}
	if s.name != "" {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", s.name).String()
	}
	return o
}

// watcher follows sources and tells when anything of them changed.
type watcher struct {
	// changed has one token for any number of changes.
	changed chan struct{}
	stop    context.CancelFunc

	registered []cache.ResourceEventHandlerRegistration
	informers  map[string]cache.SharedIndexInformer

	mu      sync.Mutex
	failure error
}

func (c *cluster) watch(ctx context.Context, sources ...source) (*watcher, error) {
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{changed: make(chan struct{}, 1), stop: cancel, informers: map[string]cache.SharedIndexInformer{}}
	for _, s := range sources {
		found, err := c.mapping(s.object.GroupVersionKind())
		if err != nil {
			cancel()
			return nil, err
		}
		namespace := ""
		if found.Scope.Name() == meta.RESTScopeNameNamespace {
			namespace = orDefault(s.object.GetNamespace())
		}
		options := s.options()
		informer := dynamicinformer.NewFilteredDynamicInformer(c.dynamic, found.Resource, namespace, 0, cache.Indexers{},
			func(o *metav1.ListOptions) {
				o.LabelSelector, o.FieldSelector = options.LabelSelector, options.FieldSelector
			}).Informer()
		if err := informer.SetWatchErrorHandler(func(_ *cache.Reflector, err error) { w.failed(err) }); err != nil {
			cancel()
			return nil, err
		}
		r, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { w.signal() },
			UpdateFunc: func(any, any) { w.signal() },
			DeleteFunc: func(any) { w.signal() },
		})
		if err != nil {
			cancel()
			return nil, err
		}
		w.registered = append(w.registered, r)
		w.informers[s.object.GetKind()] = informer
		go informer.Run(ctx.Done())
	}
	go func() {
		// Sources with nothing in them make no event.
		if cache.WaitForCacheSync(ctx.Done(), w.synced) {
			w.signal()
		}
	}()
	return w, nil
}

func (w *watcher) signal() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *watcher) failed(err error) {
	w.mu.Lock()
	w.failure = err
	w.mu.Unlock()
	w.signal()
}

// trouble is why the sources cannot be followed, while they cannot.
func (w *watcher) trouble() error {
	if w.synced() {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure
}

func (w *watcher) synced() bool {
	for _, r := range w.registered {
		if !r.HasSynced() {
			return false
		}
	}
	return true
}

func (w *watcher) all(kind string) []*unstructured.Unstructured {
	informer, ok := w.informers[kind]
	if !ok {
		return nil
	}
	var out []*unstructured.Unstructured
	for _, o := range informer.GetStore().List() {
		if u, is := o.(*unstructured.Unstructured); is {
			out = append(out, u)
		}
	}
	return out
}

// object is the one of that name, of whatever kind is followed by name.
func (w *watcher) object(name string) *unstructured.Unstructured {
	for kind := range w.informers {
		for _, o := range w.all(kind) {
			if o.GetName() == name {
				return o
			}
		}
	}
	return nil
}

// list reads sources once.
func (c *cluster) list(ctx context.Context, sources ...source) (map[string][]*unstructured.Unstructured, error) {
	out := map[string][]*unstructured.Unstructured{}
	for _, s := range sources {
		client, err := c.clientFor(s.object)
		if err != nil {
			return nil, err
		}
		found, err := client.List(ctx, s.options())
		if err != nil {
			return nil, err
		}
		for i := range found.Items {
			out[s.object.GetKind()] = append(out[s.object.GetKind()], &found.Items[i])
		}
	}
	return out, nil
}

// as gives an object its Go type.
func as[T any](obj *unstructured.Unstructured) (*T, error) {
	out := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, out); err != nil {
		return nil, err
	}
	return out, nil
}

// allAs gives objects their Go type; what does not fit it is left out.
func allAs[T any](objs []*unstructured.Unstructured) []*T {
	var out []*T
	for _, o := range objs {
		if t, err := as[T](o); err == nil {
			out = append(out, t)
		}
	}
	return out
}
