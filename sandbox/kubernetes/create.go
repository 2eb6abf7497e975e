package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

func unreachableError(reason string) error {
	return fmt.Errorf("configured Kubernetes cluster is unreachable: %s", reason)
}

// Create makes the object and waits until it is ready. A preview is a dry run of the server, where one is possible.
func (p *provider) Create(request context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	ctx, done := p.operation(request)
	defer done()
	s, c, unreachable := p.at()
	preview := req.GetPreview()
	if !preview && unreachable != "" {
		return nil, unreachableError(unreachable)
	}
	props, err := unmarshal(req.GetProperties())
	if err != nil {
		return nil, fmt.Errorf("create failed because malformed resource inputs: %w", err)
	}
	inputs := toObject(props)
	asGiven := &pulumirpc.CreateResponse{Properties: req.GetProperties()}
	if preview && (hasUnknown(inputs.Object) || !s.serverSideApply || !p.exists(inputs.GroupVersionKind())) {
		return asGiven, nil
	}
	manager, err := s.fieldManager(nil, inputs)
	if err != nil {
		return nil, err
	}
	version := inputs.GetAPIVersion()
	live, err := p.create(ctx, req, s, c, manager, inputs)
	var notReady *unfinished
	switch {
	case err == nil:
	case preview && cannotPreview(err):
		return asGiven, nil
	case meta.IsNoMatchError(err):
		return nil, fmt.Errorf("creation of resource %q with kind %s/%s failed because the Kubernetes API server "+
			"reported that the apiVersion for this resource does not exist. "+
			"Verify that any required CRDs have been created: %w", req.GetUrn(), version, inputs.GetKind(), err)
	case errors.As(err, &notReady):
		live = notReady.object
	case apierrors.IsAlreadyExists(err):
		return nil, fmt.Errorf("resource %q was not successfully created by the Kubernetes API server: %w. "+
			"To take it over, import it or set the provider's upsertExistingObjects; "+
			"if the resource was renamed in the program, give it an alias", req.GetUrn(), err)
	default:
		return nil, fmt.Errorf("resource %q was not successfully created by the Kubernetes API server: %w", req.GetUrn(), err)
	}
	if preview {
		// The status of a dry run is empty, and a program that reads it should see that it is not known yet.
		unstructured.RemoveNestedField(live.Object, "status")
	}
	state, marshalErr := s.marshal(stateOf(inputs, live, props, version, manager))
	if marshalErr != nil {
		return nil, marshalErr
	}
	if notReady != nil {
		return nil, initFailed(idOf(live), fmt.Errorf("resource %q was successfully created, but the Kubernetes API server "+
			"reported that it failed to fully initialize or become live: %w", req.GetUrn(), err), state, nil)
	}
	if preview {
		return &pulumirpc.CreateResponse{Properties: state}, nil
	}
	if isCRD(inputs) {
		c.mapper.Reset()
	}
	return &pulumirpc.CreateResponse{Id: idOf(live), Properties: state}, nil
}

// cannotPreview tells errors of a dry run that say nothing about the real run: the namespace is made in the same run, the
// object of the same name is replaced in it, or one may not ask.
func cannotPreview(err error) bool {
	return namespaceMissing(err) || apierrors.IsForbidden(err) || apierrors.IsAlreadyExists(err) ||
		apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run")
}

func namespaceTerminating(err error) bool {
	return apierrors.HasStatusCause(err, "NamespaceTerminating")
}

// create retries what fails only because something else is not there yet: the namespace, the kind.
func (p *provider) create(ctx context.Context, req *pulumirpc.CreateRequest, s settings, c *cluster, manager string, inputs *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	var client dynamic.ResourceInterface
	var made *unstructured.Unstructured
	err := persist(ctx, func(i int) error {
		var err error
		if client, err = c.clientFor(inputs); err == nil {
			made, err = s.send(ctx, client, manager, inputs, req.GetPreview())
		}
		if err != nil && !(req.GetPreview() && namespaceMissing(err)) {
			p.engine.status(ctx, req.GetUrn(), fmt.Sprintf("Retry #%d; creation failed: %v", i, err))
		}
		return err
	}, func(err error) bool {
		return (apierrors.IsNotFound(err) || meta.IsNoMatchError(err)) && !(req.GetPreview() && namespaceMissing(err))
	})
	if err != nil {
		return nil, err
	}
	p.engine.status(ctx, req.GetUrn(), "")
	if req.GetPreview() {
		return made, nil
	}
	return p.ready(ctx, c, client, waiting{urn: req.GetUrn(), inputs: inputs, object: made, seconds: req.GetTimeout()})
}

// send creates the object, or applies over one that exists where the provider is told to.
func (s settings) send(ctx context.Context, client dynamic.ResourceInterface, manager string, inputs *unstructured.Unstructured, preview bool) (*unstructured.Unstructured, error) {
	if !s.serverSideApply || !s.upsert {
		return client.Create(ctx, inputs, metav1.CreateOptions{FieldManager: manager, DryRun: dryRun(preview)})
	}
	body, err := json.Marshal(inputs.Object)
	if err != nil {
		return nil, err
	}
	force := s.force(inputs, nil, preview, manager)
	made, err := client.Patch(ctx, inputs.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{
		FieldManager: manager, Force: &force, FieldValidation: metav1.FieldValidationWarn, DryRun: dryRun(preview),
	})
	return made, conflictHelp(err, manager)
}

// persist does what may succeed later, up to six times with growing pauses.
func persist(ctx context.Context, do func(i int) error, again func(error) bool) error {
	pause := time.Second
	for i := 0; ; i++ {
		err := do(i)
		if err == nil || i == 5 || !again(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		pause *= 2
	}
}
