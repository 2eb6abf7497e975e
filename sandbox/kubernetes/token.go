package kubernetes

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

type groupKind = schema.GroupKind

// gvkOf reads the API's kind from a resource's type: "kubernetes:apps/v1:Deployment", "kubernetes:core/v1:Service",
// "kubernetes:stable.example.com/v1:CronTab".
func gvkOf(urn resource.URN) (schema.GroupVersionKind, error) {
	typ := urn.Type()
	if typ.Package() != "kubernetes" {
		return schema.GroupVersionKind{}, fmt.Errorf("unrecognized resource type: %q for this provider", typ)
	}
	group, version, ok := strings.Cut(string(typ.Module().Name()), "/")
	if !ok || strings.Contains(version, "/") {
		return schema.GroupVersionKind{}, fmt.Errorf("apiVersion does not have both a group and a version: %q", typ.Module().Name())
	}
	if group == "core" {
		group = ""
	}
	return schema.GroupVersionKind{Group: group, Version: version, Kind: string(typ.Name())}, nil
}

// refused tells why a type cannot be managed, or nil.
func refused(urn resource.URN) error {
	gvk, err := gvkOf(urn)
	if err != nil {
		return err
	}
	if strings.HasPrefix(gvk.Group, "helm.sh") || strings.HasPrefix(gvk.Group, "kustomize") || gvk.Group == "yaml" {
		return fmt.Errorf("%s", unsupported("resource type", string(urn.Type())))
	}
	// A custom resource may well be called SomethingList or SomethingPatch, so only kinds of Kubernetes itself are refused.
	if strings.HasSuffix(gvk.Kind, "List") && scheme.Scheme.Recognizes(gvk) {
		return errors.New("list resources exist for compatibility with YAML manifests and Helm charts, " +
			"and cannot be created directly. Use the underlying resource type instead")
	}
	if isPatchKind(gvk) {
		return fmt.Errorf("%s", unsupported("resource type", string(urn.Type())))
	}
	return nil
}

func isPatchKind(gvk schema.GroupVersionKind) bool {
	base, is := strings.CutSuffix(gvk.Kind, "Patch")
	return is && (scheme.Scheme.Recognizes(gvk.GroupVersion().WithKind(base)) || gvk.Kind == "CustomResourceDefinitionPatch")
}

// idOf is the resource's id: NAMESPACE/NAME, or NAME for what has no namespace.
func idOf(obj *unstructured.Unstructured) string {
	if obj.GetNamespace() == "" {
		return obj.GetName()
	}
	return obj.GetNamespace() + "/" + obj.GetName()
}

func splitID(id string) (namespace, name string) {
	if namespace, name, ok := strings.Cut(id, "/"); ok {
		return namespace, name
	}
	return "", id
}

func isCRD(obj *unstructured.Unstructured) bool {
	return obj.GetKind() == "CustomResourceDefinition" && strings.HasPrefix(obj.GetAPIVersion(), "apiextensions.k8s.io/")
}

func isCore(obj *unstructured.Unstructured, kind string) bool {
	return obj.GetAPIVersion() == "v1" && obj.GetKind() == kind
}
