package kubernetes

import (
	"context"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// settle is how long nothing may change before endpoints that look complete are taken to be.
const settle = 10 * time.Second

// view is what a judgement rests on: the object now and before the change, and the objects around it by kind.
type view struct {
	object, before *unstructured.Unstructured
	others         map[string][]*unstructured.Unstructured
}

// verdict says how far an object is.
type verdict struct {
	ready bool
	// settling is ready unless something changes within a while.
	settling bool
	// failed cannot become ready any more.
	failed bool
	// status is what the object waits for, in words for the progress display.
	status string
	// problems are reasons for not being ready.
	problems []string
}

// readiness is how to tell that an object of a kind is ready.
type readiness struct {
	// around are the kinds to look at beside the object.
	around func(obj *unstructured.Unstructured) []source
	judge  func(v view) verdict
	// patience is how long to wait if the program does not say.
	patience time.Duration
	// once kinds are judged after a change, but not on a refresh.
	once bool
}

var readinessOf = map[groupKind]readiness{
	{Group: "apps", Kind: "Deployment"}:           {around: deploymentParts, judge: judgeDeployment, patience: 10 * time.Minute},
	{Group: "apps", Kind: "StatefulSet"}:          {around: podsBySelector, judge: judgeStatefulSet, patience: 10 * time.Minute},
	{Group: "apps", Kind: "DaemonSet"}:            {around: podsBySelector, judge: judgeDaemonSet, patience: 10 * time.Minute},
	{Group: "batch", Kind: "Job"}:                 {around: podsBySelector, judge: judgeJob, patience: 10 * time.Minute},
	{Group: "networking.k8s.io", Kind: "Ingress"}: {around: ingressParts, judge: judgeIngress, patience: 10 * time.Minute},
	{Kind: "Pod"}:                   {judge: judgePod, patience: 10 * time.Minute},
	{Kind: "Service"}:               {around: serviceParts, judge: judgeService, patience: 10 * time.Minute},
	{Kind: "PersistentVolume"}:      {judge: judgeVolume, patience: 5 * time.Minute, once: true},
	{Kind: "PersistentVolumeClaim"}: {around: storageClasses, judge: judgeClaim, patience: 5 * time.Minute, once: true},
	{Kind: "ReplicationController"}: {judge: judgeReplicationController, patience: 10 * time.Minute, once: true},
	{Kind: "ResourceQuota"}:         {judge: judgeQuota, patience: time.Minute, once: true},
	{Kind: "Secret"}:                {judge: judgeSecret, patience: 5 * time.Second, once: true},
}

// waiting is one wait for one object to become ready after it was made or changed.
type waiting struct {
	urn string
	// inputs carry the annotations that direct the wait.
	inputs, object, before *unstructured.Unstructured
	// seconds is the timeout that the program sets; 0 if it sets none.
	seconds float64
}

// timeoutOf is how long to wait: what the program says in its options, else in an annotation, else the kind's patience.
func timeoutOf(seconds float64, inputs *unstructured.Unstructured, patience time.Duration) time.Duration {
	if seconds > 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	if n, err := strconv.Atoi(annotation(inputs, annotationTimeout)); err == nil {
		return time.Duration(n) * time.Second
	}
	return patience
}

// ready waits for the object and returns it as it is then.
func (p *provider) ready(ctx context.Context, c *cluster, client dynamic.ResourceInterface, w waiting) (*unstructured.Unstructured, error) {
	how, known := readinessOf[w.object.GroupVersionKind().GroupKind()]
	if expr := annotation(w.inputs, annotationWaitFor); expr != "" {
		judge, err := parseWaitFor(expr)
		if err != nil {
			return nil, &unfinished{err.Error(), w.object, nil}
		}
		how, known = readiness{judge: judge, patience: 10 * time.Minute}, true
	}
	if known && annotation(w.inputs, annotationSkipAwait) != "true" {
		if err := p.wait(ctx, c, w, how); err != nil {
			return nil, err
		}
		p.engine.status(ctx, w.urn, "")
	}
	// The object exists now, so an error here must not hide it.
	live, err := client.Get(ctx, w.object.GetName(), metav1.GetOptions{})
	if err != nil {
		return w.object, nil //nolint:nilerr // as above
	}
	return live, nil
}

func (p *provider) wait(ctx context.Context, c *cluster, w waiting, how readiness) error {
	sources := []source{{object: w.object, name: w.object.GetName()}}
	if how.around != nil {
		sources = append(sources, how.around(w.object)...)
	}
	follow, err := c.watch(ctx, sources...)
	if err != nil {
		return &unfinished{err.Error(), w.object, nil}
	}
	defer follow.stop()
	timeout := time.NewTimer(timeoutOf(w.seconds, w.inputs, how.patience))
	defer timeout.Stop()
	tell := progress{engine: &p.engine, urn: w.urn}
	last, v := w.object, verdict{}
	problems := func() []string {
		return append(v.problems, c.probeAnswers(context.WithoutCancel(ctx), follow.all("Pod"))...)
	}
	for {
		if err := follow.trouble(); err != nil {
			v = verdict{status: err.Error(), problems: []string{err.Error()}}
		}
		if follow.synced() {
			now := byName(follow.all(w.object.GetKind()), w.object.GetName())
			if now != nil {
				last = now
				v = how.judge(view{object: now, before: w.before, others: followed(follow, sources)})
			} else {
				v = verdict{problems: []string{"the object was deleted while Pulumi waited for it"}, failed: true}
			}
		}
		switch {
		case v.ready:
			return nil
		case v.failed:
			return notInitialized(last, problems())
		case v.status != "":
			tell.status(ctx, v.status)
		}
		settled, forget := after(v.settling)
		select {
		case <-follow.changed:
		case <-settled:
			return nil
		case <-ctx.Done():
			return cancelled(last, v.problems)
		case <-timeout.C:
			return timedOut(last, problems())
		}
		forget()
	}
}

// after is a timer that only runs where something is to settle.
func after(settling bool) (<-chan time.Time, func()) {
	if !settling {
		return nil, func() {}
	}
	t := time.NewTimer(settle)
	return t.C, func() { t.Stop() }
}

func followed(w *watcher, sources []source) map[string][]*unstructured.Unstructured {
	out := map[string][]*unstructured.Unstructured{}
	for _, s := range sources[1:] {
		out[s.object.GetKind()] = w.all(s.object.GetKind())
	}
	return out
}

func byName(objs []*unstructured.Unstructured, name string) *unstructured.Unstructured {
	for _, o := range objs {
		if o.GetName() == name {
			return o
		}
	}
	return nil
}

// look judges the object as it is, for a refresh.
func (c *cluster) look(ctx context.Context, live *unstructured.Unstructured) error {
	how, known := readinessOf[live.GroupVersionKind().GroupKind()]
	if !known || how.once {
		return nil
	}
	v := view{object: live}
	if how.around != nil {
		var err error
		if v.others, err = c.list(ctx, how.around(live)...); err != nil {
			return err
		}
	}
	if got := how.judge(v); !got.ready && !got.settling {
		return notInitialized(live, got.problems)
	}
	return nil
}
