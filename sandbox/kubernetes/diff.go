package kubernetes

import (
	"context"
	"fmt"
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Diff compares the new inputs with the live object of the state, cut down to what the old inputs said. So it sees what
// somebody else changed once a refresh has read it, and is blind for what the cluster adds.
func (p *provider) Diff(ctx context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	s, c, unreachable := p.at()
	state, err := unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("diff failed because malformed resource inputs: %w", err)
	}
	inputs, live := readState(state)
	after := normalize(toObject(news))
	before := prune(live, normalize(inputs))
	if p.namespaced(after.GroupVersionKind()) {
		before.SetNamespace(orDefault(before.GetNamespace()))
		if !isUnknown(after, "metadata", "namespace") {
			after.SetNamespace(orDefault(after.GetNamespace()))
		}
	} else {
		unstructured.RemoveNestedField(before.Object, "metadata", "namespace")
		unstructured.RemoveNestedField(after.Object, "metadata", "namespace")
	}
	if before.GroupVersionKind().Empty() {
		before.SetGroupVersionKind(after.GroupVersionKind())
	}
	unstructured.RemoveNestedField(before.Object, "metadata", "resourceVersion")
	// A program may come to say the name that its object already has.
	if after.GetName() != "" && live.GetName() != "" {
		before.SetName(live.GetName())
	}

	detailed := compare(before.Object, after.Object, s.forceNew(after))
	if err := ignore(detailed, req.GetIgnoreChanges()); err != nil {
		return nil, err
	}
	resp := &pulumirpc.DiffResponse{
		Changes:         pulumirpc.DiffResponse_DIFF_NONE,
		Stables:         []string{},
		DetailedDiff:    detailed,
		HasDetailedDiff: true,
	}
	for _, at := range slices.Sorted(maps.Keys(detailed)) {
		resp.Changes = pulumirpc.DiffResponse_DIFF_SOME
		switch detailed[at].GetKind() {
		case pulumirpc.PropertyDiff_ADD_REPLACE, pulumirpc.PropertyDiff_DELETE_REPLACE, pulumirpc.PropertyDiff_UPDATE_REPLACE:
			resp.Replaces = append(resp.Replaces, at)
		case pulumirpc.PropertyDiff_DELETE:
			if at == "metadata" {
				resp.Replaces = append(resp.Replaces, at)
			}
		}
	}
	if annotation(after, annotationReplaceUnready) == "true" {
		switch {
		case unreachable != "":
			p.engine.warn(ctx, req.GetUrn(), "Cluster is unreachable, skipping replaceUnready check")
		case after.GetKind() == "Job":
			if unready(ctx, c, live) {
				resp.Changes = pulumirpc.DiffResponse_DIFF_SOME
				resp.Replaces = append(resp.Replaces, `.metadata.annotations["`+annotationReplaceUnready+`"]`)
			}
		default:
			p.engine.warn(ctx, req.GetUrn(), "replaceUnready annotation is not supported for this resource")
		}
	}
	// Two objects of one kind cannot share a name, so the old one has to go first, unless names are made up.
	resp.DeleteBeforeReplace = len(resp.Replaces) > 0 && isNamed(after) && !isAutonamed(after) &&
		after.GetName() == live.GetName() && after.GetNamespace() == live.GetNamespace()
	return resp, nil
}

func ignore(detailed map[string]*pulumirpc.PropertyDiff, paths []string) error {
	for _, text := range paths {
		ignored, err := resource.ParsePropertyPath(text)
		if err != nil {
			return fmt.Errorf("failed to parse ignore path: %w", err)
		}
		for at := range detailed {
			changed, err := resource.ParsePropertyPath(at)
			if err != nil {
				return fmt.Errorf("failed to parse diff path: %w", err)
			}
			if ignored.Contains(changed) {
				delete(detailed, at)
			}
		}
	}
	return nil
}

// unready tells whether a Job of the state has not completed. What cannot be read is taken to be well.
func unready(ctx context.Context, c *cluster, live *unstructured.Unstructured) bool {
	client, err := c.clientFor(live)
	if err != nil {
		return false
	}
	obj, err := client.Get(ctx, live.GetName(), metav1.GetOptions{})
	if err != nil {
		return false
	}
	job, err := as[batchv1.Job](obj)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Type == batchv1.JobComplete && c.Status == corev1.ConditionTrue
	})
}
