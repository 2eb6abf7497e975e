package kubernetes

import (
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// cluster is the API server and what it offers. What it offers is asked once, and again when a kind is missing.
type cluster struct {
	dynamic   dynamic.Interface
	discovery discovery.DiscoveryInterface
	mapper    *restmapper.DeferredDiscoveryRESTMapper
}

func connect(config *rest.Config) (*cluster, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	disco, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return &cluster{
		dynamic:   client,
		discovery: disco,
		mapper:    restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco)),
	}, nil
}

// probe tells whether the server answers with these credentials.
func (c *cluster) probe() error {
	_, err := c.discovery.ServerVersion()
	return err
}

func (c *cluster) mapping(gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	found, err := c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		// The kind's definition may have been created since.
		c.mapper.Reset()
		found, err = c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	}
	return found, err
}

// clientFor is the way to objects of this object's kind in its namespace. The namespace of an object whose kind has none is
// left aside: it was a guess, made before the kind was known.
func (c *cluster) clientFor(obj *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	found, err := c.mapping(obj.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	client := c.dynamic.Resource(found.Resource)
	if found.Scope.Name() == meta.RESTScopeNameRoot {
		return client, nil
	}
	return client.Namespace(orDefault(obj.GetNamespace())), nil
}

func (p *provider) exists(gvk schema.GroupVersionKind) bool {
	_, c, unreachable := p.at()
	if c == nil || unreachable != "" {
		return false
	}
	_, err := c.mapping(gvk)
	return err == nil
}

// clusterScoped are the kinds of Kubernetes itself that have no namespace, for when there is no cluster to ask.
var clusterScoped = map[groupKind]bool{
	{Kind: "Namespace"}:        true,
	{Kind: "Node"}:             true,
	{Kind: "PersistentVolume"}: true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:     true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicy"}:        true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"}: true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}:   true,
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:                 true,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:                             true,
	{Group: "certificates.k8s.io", Kind: "CertificateSigningRequest"}:                 true,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "FlowSchema"}:                       true,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "PriorityLevelConfiguration"}:       true,
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                                true,
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                                      true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:                         true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:                  true,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:                               true,
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:                                      true,
	{Group: "storage.k8s.io", Kind: "CSINode"}:                                        true,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                                   true,
	{Group: "storage.k8s.io", Kind: "VolumeAttachment"}:                               true,
}

// namespaced tells whether a kind lives in namespaces. A kind that nobody knows yet is taken to.
func (p *provider) namespaced(gvk schema.GroupVersionKind) bool {
	if _, c, unreachable := p.at(); c != nil && unreachable == "" {
		if found, err := c.mapping(gvk); err == nil {
			return found.Scope.Name() == meta.RESTScopeNameNamespace
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if inNamespaces, known := p.crds[gvk.GroupKind()]; known {
		return inNamespaces
	}
	return !clusterScoped[gvk.GroupKind()]
}

// learn remembers the kind that a custom resource definition of the program defines.
func (p *provider) learn(crd *unstructured.Unstructured) {
	group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
	scope, _, _ := unstructured.NestedString(crd.Object, "spec", "scope")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.crds[groupKind{Group: group, Kind: kind}] = scope != "Cluster"
}

func orDefault(namespace string) string {
	if namespace == "" {
		return "default"
	}
	return namespace
}
