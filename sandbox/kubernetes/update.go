package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Update changes the object and waits until it is ready again.
func (p *provider) Update(request context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	ctx, done := p.operation(request)
	defer done()
	s, c, unreachable := p.at()
	if !req.GetPreview() && unreachable != "" {
		return nil, unreachableError(unreachable)
	}
	oldState, err := unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	props, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("update failed because malformed resource inputs: %w", err)
	}
	inputs := normalize(toObject(props))
	asGiven := &pulumirpc.UpdateResponse{Properties: req.GetNews()}
	if req.GetPreview() && (hasUnknown(inputs.Object) || !p.exists(inputs.GroupVersionKind())) {
		return asGiven, nil
	}
	oldInputs, oldLive := readState(oldState)
	oldInputs = normalize(oldInputs)
	version := initialAPIVersion(oldState, oldInputs)
	manager, err := s.fieldManager(oldState, inputs)
	if err != nil {
		return nil, err
	}
	oldManager, err := s.fieldManager(oldState, oldInputs)
	if err != nil {
		return nil, err
	}
	// Where a change of ignoreChanges drops a field from what is sent, the state must still say what the program said.
	said := inputs.DeepCopy()
	live, err := p.update(ctx, req, c, &change{
		settings: s, manager: manager, preview: req.GetPreview(), before: prune(oldLive, oldInputs), after: inputs, ignore: req.GetIgnoreChanges(),
	}, oldLive)
	failed := err
	switch {
	case err == nil:
	case req.GetPreview() && apierrors.IsForbidden(err):
		return asGiven, nil
	case meta.IsNoMatchError(err):
		return nil, fmt.Errorf("update of resource %q failed because the Kubernetes API server "+
			"reported that the apiVersion for this resource does not exist. "+
			"Verify that any required CRDs have been created: %w", req.GetUrn(), err)
	default:
		// The object is as it was, or half way; the state gets what it is now.
		var getErr error
		if live, getErr = readLive(ctx, c, oldLive); getErr != nil {
			var notReady *unfinished
			if !errors.As(err, &notReady) {
				return nil, errors.Join(fmt.Errorf("update of resource %q failed: %w", req.GetUrn(), err),
					fmt.Errorf("unable to get cluster state: %w", getErr))
			}
			live = notReady.object
		}
	}
	state, err := s.marshal(stateOf(said, live, props, version, manager))
	if err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, initFailed(idOf(live), fmt.Errorf("the Kubernetes API server reported that %q failed to fully initialize "+
			"or become live: %w", idOf(live), failed), state, nil)
	}
	if !req.GetPreview() && s.serverSideApply && oldManager != manager {
		if err := relinquish(ctx, c, live, oldManager); err != nil {
			return nil, err
		}
	}
	return &pulumirpc.UpdateResponse{Properties: state}, nil
}

func (p *provider) update(ctx context.Context, req *pulumirpc.UpdateRequest, c *cluster, ch *change, oldLive *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	client, err := c.clientFor(ch.after)
	if err != nil {
		return nil, err
	}
	ch.client = client
	if ch.live, err = client.Get(ctx, oldLive.GetName(), metav1.GetOptions{}); err != nil {
		return nil, err
	}
	before := ch.live
	changed, err := ch.do(ctx)
	if err != nil || req.GetPreview() {
		return changed, err
	}
	return p.ready(ctx, c, client, waiting{
		urn: req.GetUrn(), inputs: ch.after, object: changed, before: before, seconds: req.GetTimeout(),
	})
}

func readLive(ctx context.Context, c *cluster, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	client, err := c.clientFor(obj)
	if err != nil {
		return nil, err
	}
	return client.Get(ctx, obj.GetName(), metav1.GetOptions{})
}

// relinquish gives up what a field manager owns, by applying nothing under its name.
func relinquish(ctx context.Context, c *cluster, obj *unstructured.Unstructured, manager string) error {
	client, err := c.clientFor(obj)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{
		"apiVersion": obj.GetAPIVersion(), "kind": obj.GetKind(), "metadata": map[string]any{"name": obj.GetName()},
	})
	if err != nil {
		return err
	}
	_, err = client.Patch(ctx, obj.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: manager})
	return err
}
