package kubernetes

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Annotations that programs and the provider put on objects.
const (
	annotationAutonamed      = "pulumi.com/autonamed"
	annotationSkipAwait      = "pulumi.com/skipAwait"
	annotationWaitFor        = "pulumi.com/waitFor"
	annotationTimeout        = "pulumi.com/timeoutSeconds"
	annotationReplaceUnready = "pulumi.com/replaceUnready"
	annotationPatchForce     = "pulumi.com/patchForce"
	annotationFieldManager   = "pulumi.com/patchFieldManager"
	annotationPropagation    = "pulumi.com/deletionPropagationPolicy"
)

// assignName makes up a name where the program gives none: the resource's name, "-" and eight random characters, unless
// the project configures another way. The annotation tells Diff that a replacement may be made before the old one goes.
func assignName(req *pulumirpc.CheckRequest, obj *unstructured.Unstructured) error {
	if isNamed(obj) || obj.GetGenerateName() != "" || isUnknown(obj, "metadata", "generateName") {
		return nil
	}
	name := ""
	switch options := req.GetAutonaming(); {
	case options != nil && options.GetMode() == pulumirpc.CheckRequest_AutonamingOptions_DISABLE:
		return nil
	case options != nil && options.GetProposedName() != "":
		name = options.GetProposedName()
	default:
		made, err := resource.NewUniqueName(req.GetRandomSeed(), resource.URN(req.GetUrn()).Name()+"-", 0, 0, nil)
		if err != nil {
			return err
		}
		name = made
	}
	obj.SetName(name)
	annotate(obj, annotationAutonamed, "true")
	return nil
}

// keepName gives a nameless object the name that was made up for it before.
func keepName(obj, old *unstructured.Unstructured) {
	if isNamed(obj) || !isAutonamed(old) || old.GetName() == "" {
		return
	}
	obj.SetName(old.GetName())
	annotate(obj, annotationAutonamed, "true")
}

func isAutonamed(obj *unstructured.Unstructured) bool {
	return annotation(obj, annotationAutonamed) == "true"
}

// isNamed tells whether the program names the object, with a value known or not.
func isNamed(obj *unstructured.Unstructured) bool {
	return obj.GetName() != "" || isUnknown(obj, "metadata", "name")
}

func isUnknown(obj *unstructured.Unstructured, path ...string) bool {
	var at any = obj.Object
	for _, key := range path {
		m, is := at.(map[string]any)
		if !is {
			break
		}
		at = m[key]
	}
	_, is := at.(unknown)
	return is
}

// annotation reads one annotation, also where others are not known yet.
func annotation(obj *unstructured.Unstructured, key string) string {
	meta, _ := obj.Object["metadata"].(map[string]any)
	all, _ := meta["annotations"].(map[string]any)
	s, _ := all[key].(string)
	return s
}

func annotate(obj *unstructured.Unstructured, key, value string) {
	meta, ok := obj.Object["metadata"].(map[string]any)
	if !ok {
		return
	}
	all, ok := meta["annotations"].(map[string]any)
	if !ok {
		if _, given := meta["annotations"]; given {
			return // not known yet
		}
		all = map[string]any{}
		meta["annotations"] = all
	}
	all[key] = value
}

const managerPrefix = "pulumi-kubernetes-"

// fieldManager is the name under which the provider owns the fields that it sets: the annotation, else the one in the
// state, else a new one for each object, so that two stacks that manage one object do not take it for each other's.
func (s settings) fieldManager(state resource.PropertyMap, inputs *unstructured.Unstructured) (string, error) {
	if !s.serverSideApply {
		return "pulumi-kubernetes", nil
	}
	if name := annotation(inputs, annotationFieldManager); name != "" {
		return name, nil
	}
	if v, ok := state[fieldManagerKey]; ok && v.IsString() {
		return v.StringValue(), nil
	}
	name, err := resource.NewUniqueName(nil, managerPrefix, 0, 0, nil)
	if err != nil {
		return "", fmt.Errorf("making up a field manager: %w", err)
	}
	return name, nil
}

// isReserved tells annotations that the provider alone may set.
func isReserved(key string) bool { return strings.HasPrefix(key, annotationAutonamed) }
