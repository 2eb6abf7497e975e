package kubernetes

import (
	"context"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Check completes the inputs: apiVersion and kind from the type, a name, a namespace, one form for equal meanings. What
// the API server thinks of them is asked in Create and Update, in a preview by a dry run.
func (p *provider) Check(ctx context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	urn := resource.URN(req.GetUrn())
	s, _, unreachable := p.at()
	if unreachable != "" && s.skipUpdateUnreachable {
		p.engine.warn(ctx, req.GetUrn(), "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping...")
		return &pulumirpc.CheckResponse{Inputs: req.GetOlds()}, nil
	}
	if err := refused(urn); err != nil {
		return nil, err
	}
	gvk, err := gvkOf(urn)
	if err != nil {
		return nil, err
	}
	olds, err := unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("check failed because malformed resource inputs: %w", err)
	}
	obj := toObject(news)
	if obj.Object["apiVersion"] == nil {
		obj.SetAPIVersion(gvk.GroupVersion().String())
	}
	if obj.Object["kind"] == nil {
		obj.SetKind(gvk.Kind)
	}
	if obj.Object["metadata"] == nil {
		obj.Object["metadata"] = map[string]any{}
	}
	obj = normalize(obj)
	p.warnOfReserved(ctx, req.GetUrn(), obj)

	if len(olds) > 0 {
		old := toObject(olds)
		keepName(obj, old)
		if isManagedByPulumi(old) {
			setManagedBy(obj)
		}
	} else {
		if err := assignName(req, obj); err != nil {
			return nil, err
		}
		// With server-side apply the object's managed fields say who owns it.
		if !s.serverSideApply {
			setManagedBy(obj)
		}
	}
	if s.serverSideApply && !isNamed(obj) && (obj.GetGenerateName() != "" || isUnknown(obj, "metadata", "generateName")) {
		return nil, errors.New("the `.metadata.generateName` field is not supported in Server-Side Apply mode")
	}
	if s.rejectUnknown && unreachable == "" && !hasUnknown(obj.Object) && !p.exists(obj.GroupVersionKind()) {
		return nil, fmt.Errorf("unable to fetch schema for resource type %s/%s: the API server does not know it",
			obj.GetAPIVersion(), obj.GetKind())
	}
	if isCRD(obj) {
		p.learn(obj)
	}
	if s.namespace != "" && obj.GetNamespace() == "" && !isUnknown(obj, "metadata", "namespace") && p.namespaced(gvk) {
		obj.SetNamespace(s.namespace)
	}
	checked := fromObject(obj.Object)
	hideSecrets(checked, news)
	inputs, err := s.marshal(checked)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: inputs}, nil
}

func (p *provider) warnOfReserved(ctx context.Context, urn string, obj *unstructured.Unstructured) {
	meta, _ := obj.Object["metadata"].(map[string]any)
	all, _ := meta["annotations"].(map[string]any)
	for key := range all {
		if isReserved(key) {
			p.engine.warn(ctx, urn, fmt.Sprintf("ignoring user-specified value for internal annotation %q", key))
		}
	}
}

const managedByLabel = "app.kubernetes.io/managed-by"

func isManagedByPulumi(obj *unstructured.Unstructured) bool {
	return obj.GetLabels()[managedByLabel] == "pulumi"
}

// setManagedBy labels the object as Pulumi's, unless the program says otherwise or does not say yet.
func setManagedBy(obj *unstructured.Unstructured) {
	meta, ok := obj.Object["metadata"].(map[string]any)
	if !ok {
		return
	}
	labels, ok := meta["labels"].(map[string]any)
	if !ok {
		if _, given := meta["labels"]; given {
			return
		}
		labels = map[string]any{}
		meta["labels"] = labels
	}
	if _, given := labels[managedByLabel]; !given {
		labels[managedByLabel] = "pulumi"
	}
}
