package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// Delete removes the object and waits until it is gone, with everything that it owns. One that is gone already is fine.
func (p *provider) Delete(request context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	ctx, done := p.operation(request)
	defer done()
	s, c, unreachable := p.at()
	state, err := unmarshal(req.GetProperties())
	if err != nil {
		return nil, err
	}
	inputs, live := readState(state)
	if unreachable != "" {
		p.engine.warn(ctx, req.GetUrn(), unreachableError(unreachable).Error())
		if s.deleteUnreachable {
			p.engine.info(ctx, req.GetUrn(), "configured Kubernetes cluster is unreachable and the `deleteUnreachable` option is enabled. "+
				"Deleting the unreachable resource from Pulumi state")
			return &emptypb.Empty{}, nil
		}
		return nil, errors.New("configured Kubernetes cluster is unreachable. If the cluster was deleted, " +
			"you can remove this resource from Pulumi state by rerunning the operation with the " +
			"PULUMI_K8S_DELETE_UNREACHABLE environment variable set to \"true\"")
	}
	_, name := splitID(req.GetId())
	err = p.delete(ctx, c, req, inputs, live, name)
	var remains *unfinished
	switch {
	case err == nil, meta.IsNoMatchError(err), apierrors.IsNotFound(err):
		return &emptypb.Empty{}, nil
	case errors.As(err, &remains):
		manager, mErr := s.fieldManager(state, inputs)
		if mErr != nil {
			return nil, mErr
		}
		left, mErr := s.marshal(stateOf(inputs, remains.object, state, initialAPIVersion(state, inputs), manager))
		if mErr != nil {
			return nil, mErr
		}
		return nil, initFailed(idOf(remains.object), err, left, nil)
	}
	return nil, err
}

func (p *provider) delete(ctx context.Context, c *cluster, req *pulumirpc.DeleteRequest, inputs, live *unstructured.Unstructured, name string) error {
	client, err := c.clientFor(live)
	if err != nil {
		return err
	}
	policy := metav1.DeletePropagationForeground
	switch strings.ToLower(annotation(inputs, annotationPropagation)) {
	case "orphan":
		policy = metav1.DeletePropagationOrphan
	case "background":
		policy = metav1.DeletePropagationBackground
	}
	if err := client.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
		return err
	}
	if annotation(inputs, annotationSkipAwait) == "true" && skipsDeletion(live) {
		return nil
	}
	return p.gone(ctx, c, client, req, inputs, live, name)
}

// skipsDeletion are the kinds for which skipAwait also means not to wait for the end of a deletion.
func skipsDeletion(obj *unstructured.Unstructured) bool {
	switch obj.GetKind() {
	case "Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job":
		return true
	}
	return false
}

// gone waits until the object does not exist, or another of the same name took its place.
func (p *provider) gone(ctx context.Context, c *cluster, client dynamic.ResourceInterface, req *pulumirpc.DeleteRequest, inputs, live *unstructured.Unstructured, name string) error {
	w, err := c.watch(ctx, source{object: live, name: name})
	if err != nil {
		return err
	}
	defer w.stop()
	timeout := time.NewTimer(timeoutOf(req.GetTimeout(), inputs, 10*time.Minute))
	defer timeout.Stop()
	tell := progress{engine: &p.engine, urn: req.GetUrn()}
	last := live
	for {
		if w.synced() {
			now := w.object(name)
			if now == nil || live.GetUID() != "" && now.GetUID() != live.GetUID() {
				p.engine.status(ctx, req.GetUrn(), "")
				return nil
			}
			last = now
			tell.status(ctx, deleting(now))
		}
		select {
		case <-w.changed:
		case <-ctx.Done():
			return p.remains(client, req, name, last, cancelled)
		case <-timeout.C:
			return p.remains(client, req, name, last, func(obj *unstructured.Unstructured, reasons []string) error {
				return &unfinished{fmt.Sprintf("'%s' timed out waiting to be deleted", obj.GetName()), obj, reasons}
			})
		}
	}
}

// remains looks a last time, and says what holds the object.
func (p *provider) remains(client dynamic.ResourceInterface, req *pulumirpc.DeleteRequest, name string, last *unstructured.Unstructured, why func(*unstructured.Unstructured, []string) error) error {
	// The operation's own context has ended.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	now, err := client.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil {
		last = now
	}
	var reasons []string
	if f := last.GetFinalizers(); len(f) > 0 {
		message := fmt.Sprintf("finalizers might be preventing deletion (%s)", strings.Join(f, ", "))
		p.engine.warn(ctx, req.GetUrn(), message)
		reasons = append(reasons, message)
	}
	reasons = append(reasons, namespaceProblems(last)...)
	return why(last, reasons)
}

func deleting(obj *unstructured.Unstructured) string {
	if problems := namespaceProblems(obj); len(problems) > 0 {
		return strings.Join(problems, "; ")
	}
	if n, found, _ := unstructured.NestedInt64(obj.Object, "status", "replicas"); found {
		return fmt.Sprintf("%s %q still exists (%d replicas exist)", strings.ToLower(obj.GetKind()), obj.GetName(), n)
	}
	return "Resource scheduled for deletion"
}

// namespaceProblems are what the namespace controller says about content that does not go.
func namespaceProblems(obj *unstructured.Unstructured) []string {
	if !isCore(obj, "Namespace") {
		return nil
	}
	var out []string
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range conditions {
		if m, is := c.(map[string]any); is && m["status"] == "True" {
			out = append(out, fmt.Sprintf("[%v] %v", m["reason"], m["message"]))
		}
	}
	return out
}
