package kubernetes

import (
	"context"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Read fetches the live object: for a refresh, for an import, for a look-up by id. One that is gone has no id.
func (p *provider) Read(request context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	ctx, done := p.operation(request)
	defer done()
	s, c, unreachable := p.at()
	if unreachable != "" {
		return p.readUnreachable(ctx, s, unreachable, req)
	}
	gvk, err := gvkOf(resource.URN(req.GetUrn()))
	if err != nil {
		return nil, err
	}
	oldState, err := unmarshal(req.GetProperties())
	if err != nil {
		return nil, err
	}
	props, err := unmarshal(req.GetInputs())
	if err != nil {
		return nil, err
	}
	namespace, name := splitID(req.GetId())
	if name == "" {
		return nil, fmt.Errorf("failed to read resource because of a failure to parse resource name from request ID: %s", req.GetId())
	}
	inputs := normalize(toObject(props))
	_, oldLive := readState(oldState)
	// Without inputs there is nothing to go by: an import, or the look-up of an object that another made.
	asFound := false
	if inputs.GroupVersionKind().Empty() {
		if asFound = oldLive.GroupVersionKind().Empty(); !asFound {
			gvk = oldLive.GroupVersionKind()
		}
		inputs.SetGroupVersionKind(gvk)
		if inputs.GetName() == "" {
			inputs.SetName(name)
		}
		if inputs.GetNamespace() == "" && namespace != "" {
			inputs.SetNamespace(namespace)
		}
	}
	version := initialAPIVersion(oldState, inputs)
	manager, err := s.fieldManager(oldState, inputs)
	if err != nil {
		return nil, err
	}
	live, err := p.find(ctx, c, inputs, name, asFound)
	var notReady *unfinished
	switch {
	case err == nil:
	case meta.IsNoMatchError(err), apierrors.IsNotFound(err):
		return &pulumirpc.ReadResponse{}, nil
	case errors.As(err, &notReady):
		live = notReady.object
	default:
		return nil, err
	}
	liveInputs := prune(live, inputs)
	if asFound {
		liveInputs = asInputs(live)
	}
	state, marshalErr := s.marshal(stateOf(liveInputs, live, props, version, manager))
	if marshalErr != nil {
		return nil, marshalErr
	}
	checked := fromObject(liveInputs.Object)
	hideSecrets(checked, props)
	ins, marshalErr := s.marshal(checked)
	if marshalErr != nil {
		return nil, marshalErr
	}
	if notReady != nil {
		return nil, initFailed(req.GetId(), err, state, ins)
	}
	return &pulumirpc.ReadResponse{Id: req.GetId(), Properties: state, Inputs: ins}, nil
}

func (p *provider) readUnreachable(ctx context.Context, s settings, reason string, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	p.engine.warn(ctx, req.GetUrn(), unreachableError(reason).Error())
	switch {
	case s.deleteUnreachable:
		p.engine.info(ctx, req.GetUrn(), "configured Kubernetes cluster is unreachable and the `deleteUnreachable` option is enabled. "+
			"Deleting the unreachable resource from Pulumi state")
		return &pulumirpc.ReadResponse{}, nil
	case s.skipUpdateUnreachable:
		p.engine.info(ctx, req.GetUrn(), "configured Kubernetes cluster is unreachable and the `skipUnreachable` option is enabled. "+
			"Returned data could not reflect the actual cluster configuration.")
		return &pulumirpc.ReadResponse{Id: req.GetId(), Properties: req.GetProperties(), Inputs: req.GetInputs()}, nil
	}
	return nil, errors.New("failed to read resource state due to unreachable cluster. If the cluster was " +
		"deleted, you can remove this resource from Pulumi state by rerunning the operation with the " +
		"PULUMI_K8S_DELETE_UNREACHABLE environment variable set to \"true\"")
}

// find gets the object, and looks once whether it is ready, unless another made it.
func (p *provider) find(ctx context.Context, c *cluster, inputs *unstructured.Unstructured, name string, asFound bool) (*unstructured.Unstructured, error) {
	client, err := c.clientFor(inputs)
	if err != nil {
		return nil, err
	}
	live, err := client.Get(ctx, name, metav1.GetOptions{})
	if err != nil || asFound || annotation(inputs, annotationSkipAwait) == "true" {
		return live, err
	}
	return live, c.look(ctx, live)
}

// asInputs is what a program would have to say to make this object.
func asInputs(live *unstructured.Unstructured) *unstructured.Unstructured {
	out := live.DeepCopy()
	delete(out.Object, "status")
	for _, field := range []string{"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"} {
		unstructured.RemoveNestedField(out.Object, "metadata", field)
	}
	for _, key := range []string{"deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration"} {
		unstructured.RemoveNestedField(out.Object, "metadata", "annotations", key)
	}
	return out
}
