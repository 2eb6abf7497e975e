package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/util/csaupgrade"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// change is one update of one object.
type change struct {
	settings
	client  dynamic.ResourceInterface
	manager string
	preview bool
	// before is the old inputs in the form of the live object, after the new inputs, live the object in the cluster.
	before, after, live *unstructured.Unstructured
	ignore              []string
}

func dryRun(preview bool) []string {
	if preview {
		return []string{metav1.DryRunAll}
	}
	return nil
}

// do sends the change to the API server.
func (c *change) do(ctx context.Context) (*unstructured.Unstructured, error) {
	switch {
	case isCRD(c.after):
		return c.put(ctx)
	case c.serverSideApply:
		return c.apply(ctx)
	default:
		return c.merge(ctx)
	}
}

// put replaces a definition as a whole, so that versions that left the program leave the cluster.
func (c *change) put(ctx context.Context) (out *unstructured.Unstructured, err error) {
	err = c.onLatest(ctx, func() error {
		c.after.SetResourceVersion(c.live.GetResourceVersion())
		out, err = c.client.Update(ctx, c.after, metav1.UpdateOptions{FieldManager: c.manager, DryRun: dryRun(c.preview)})
		return err
	})
	return out, err
}

// onLatest does again, on the object as it is by then, what failed because a controller wrote to the object meanwhile.
func (c *change) onLatest(ctx context.Context, do func() error) error {
	tries := 0
	return retry.RetryOnConflict(wait.Backoff{Steps: 10, Duration: 10 * time.Millisecond, Factor: 2, Jitter: 0.1}, func() error {
		if tries++; tries > 1 {
			latest, err := c.client.Get(ctx, c.live.GetName(), metav1.GetOptions{})
			if err != nil {
				return err
			}
			c.live = latest
		}
		return do()
	})
}

// ownManagers are the names under which this provider, and kubectl, own the fields of what they did not apply server-side.
func ownManagers(manager string) sets.Set[string] {
	return sets.New("kubectl", "kubectl-create", "before-first-apply", "pulumi-kubernetes", "pulumi-kubernetes.exe",
		"pulumi-resource-kubernetes", manager)
}

func (c *change) apply(ctx context.Context) (*unstructured.Unstructured, error) {
	if !c.preview {
		if err := c.onLatest(ctx, func() error { return c.takeOver(ctx) }); err != nil {
			return nil, err
		}
	}
	if err := c.leaveIgnored(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(c.after.Object)
	if err != nil {
		return nil, err
	}
	force := c.force(c.after, c.live, c.preview, c.manager)
	out, err := c.client.Patch(ctx, c.live.GetName(), types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: c.manager, Force: &force, DryRun: dryRun(c.preview)})
	return out, conflictHelp(err, c.manager)
}

// takeOver makes fields ours that a plain create set. Their owner is another one to the server even if it has the same
// name, so that an apply would conflict with it and could not remove any.
func (c *change) takeOver(ctx context.Context) error {
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(c.live, ownManagers(c.manager), c.manager)
	if err != nil || len(patch) == 0 {
		return err
	}
	live, err := c.client.Patch(ctx, c.live.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{})
	if err == nil {
		c.live = live
	}
	return err
}

// force tells whether to take fields from other owners. In a preview it also does where the real run would first have
// taken over what this provider itself made.
func (s settings) force(inputs, live *unstructured.Unstructured, preview bool, manager string) bool {
	if annotation(inputs, annotationPatchForce) == "true" || s.patchForce {
		return true
	}
	if !preview {
		return false
	}
	if live == nil {
		return true
	}
	own := ownManagers(manager)
	for _, f := range live.GetManagedFields() {
		if f.Operation == metav1.ManagedFieldsOperationUpdate && f.Subresource == "" && own.Has(f.Manager) {
			return true
		}
	}
	return false
}

// leaveIgnored keeps the paths of ignoreChanges as they are in the cluster: what another owner alone holds (an autoscaler
// the replicas) is left out of the apply, everything else is sent with its live value, since leaving it out would unset it.
func (c *change) leaveIgnored() error {
	ours, theirs := fieldpath.NewSet(), fieldpath.NewSet()
	for _, f := range c.live.GetManagedFields() {
		if f.FieldsV1 == nil {
			continue
		}
		set := fieldpath.NewSet()
		if err := set.FromJSON(f.FieldsV1.GetRawReader()); err != nil {
			return fmt.Errorf("unable to parse managed fields from resource %q: %w", c.live.GetName(), err)
		}
		into := theirs
		if f.Manager == c.manager && f.Subresource == "" {
			into = ours
		}
		set.Iterate(func(p fieldpath.Path) {
			for i := range p {
				into.Insert(p[:i+1].Copy())
			}
		})
	}
	for _, text := range c.ignore {
		keys, err := fieldKeys(text)
		if err != nil {
			return err
		}
		if keys == nil {
			continue
		}
		elements := make([]any, len(keys))
		for i, k := range keys {
			elements[i] = k
		}
		at, err := fieldpath.MakePath(elements...)
		if err != nil {
			return fmt.Errorf("unable to normalize ignoreField path %q: %w", text, err)
		}
		if theirs.Has(at) && !ours.Has(at) {
			unstructured.RemoveNestedField(c.after.Object, keys...)
			continue
		}
		if err := c.keepLive(keys); err != nil {
			return fmt.Errorf("unable to set field %q with last used value: %w", text, err)
		}
	}
	return nil
}

func (c *change) keepLive(keys []string) error {
	value, found, err := unstructured.NestedFieldCopy(c.live.Object, keys...)
	if err != nil || !found {
		return err
	}
	return unstructured.SetNestedField(c.after.Object, value, keys...)
}

// fieldKeys are the steps of an ignored path; nil for one that goes through a list, whose elements may have moved.
func fieldKeys(text string) ([]string, error) {
	p, err := resource.ParsePropertyPath(text)
	if err != nil {
		return nil, fmt.Errorf("unable to parse ignoreField path %q: %w", text, err)
	}
	var keys []string
	for _, e := range p {
		key, is := e.(string)
		if !is || key == "*" {
			return nil, nil
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// merge is the way of client-side apply: a patch of what changed between the old and the new inputs, by the rules of the
// kind where it is one of Kubernetes itself.
func (c *change) merge(ctx context.Context) (*unstructured.Unstructured, error) {
	for _, text := range c.ignore {
		if keys, err := fieldKeys(text); err == nil && keys != nil {
			if err := c.keepLive(keys); err != nil {
				return nil, err
			}
		}
	}
	var docs [3][]byte
	for i, obj := range []*unstructured.Unstructured{c.before, c.after, c.live} {
		doc, err := json.Marshal(obj.Object)
		if err != nil {
			return nil, err
		}
		docs[i] = doc
	}
	kind, patch := types.MergePatchType, []byte(nil)
	typed, err := scheme.Scheme.New(c.after.GroupVersionKind())
	if err == nil {
		kind = types.StrategicMergePatchType
		meta, err := strategicpatch.NewPatchMetaFromStruct(typed)
		if err != nil {
			return nil, err
		}
		if patch, err = strategicpatch.CreateThreeWayMergePatch(docs[0], docs[1], docs[2], meta, true); err != nil {
			return nil, err
		}
	} else if patch, err = jsonmergepatch.CreateThreeWayJSONMergePatch(docs[0], docs[1], docs[2]); err != nil {
		return nil, err
	}
	return c.client.Patch(ctx, c.live.GetName(), kind, patch,
		metav1.PatchOptions{FieldManager: c.manager, DryRun: dryRun(c.preview)})
}
