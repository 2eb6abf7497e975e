package kubernetes

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Fields that the API server does not let change, by group and kind: changing one means a new object. Written as in the
// diff, with [*] for any element of a list.
var immutable = map[groupKind][]string{
	{Group: "apps", Kind: "DaemonSet"}:  {"spec.selector"},
	{Group: "apps", Kind: "Deployment"}: {"spec.selector"},
	{Group: "apps", Kind: "StatefulSet"}: {
		"spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.selector", "spec.serviceName", "spec.volumeClaimTemplates",
	},
	{Group: "batch", Kind: "Job"}:                                    {"spec.completions", "spec.parallelism", "spec.selector", "spec.template"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: {"roleRef"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        {"roleRef"},
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                  {"parameters", "provisioner"},
	{Kind: "PersistentVolumeClaim"}:                                  {"spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"},
	{Kind: "ResourceQuota"}:                                          {"spec.scopes"},
	{Kind: "Secret"}:                                                 {"type"},
	{Kind: "Service"}:                                                {"spec.clusterIP"},
	{Kind: "PersistentVolume"}: under("spec.",
		"awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
		"gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume",
		"quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"),
	{Kind: "Pod"}: slices.Concat(
		under("spec.",
			"affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks", "hostAliases", "hostIPC",
			"hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName", "nodeSelector", "overhead", "preemptionPolicy",
			"priority", "priorityClassName", "readinessGates", "restartPolicy", "runtimeClassName", "schedulerName",
			"securityContext", "serviceAccount", "serviceAccountName", "shareProcessNamespace", "subdomain",
			"terminationGracePeriodSeconds", "volumes"),
		under("spec.containers[*].", containerFields...),
		under("spec.initContainers[*].", containerFields...)),
}

var containerFields = []string{
	"args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports", "readinessProbe", "resources",
	"securityContext", "stdin", "stdinOnce", "terminationMessagePath", "terminationMessagePolicy", "tty", "volumeDevices",
	"volumeMounts", "workingDir",
}

func under(prefix string, fields ...string) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = prefix + f
	}
	return out
}

// forceNew are the fields of an object whose change makes a new one. The content of ConfigMaps and Secrets is among them
// unless the provider is told that they may change in place: a Deployment that reads an autonamed one then rolls out.
func (s settings) forceNew(obj *unstructured.Unstructured) []string {
	gvk := obj.GroupVersionKind()
	fields := []string{"metadata.name", "metadata.namespace"}
	frozen, _, _ := unstructured.NestedBool(obj.Object, "immutable")
	switch {
	case isCore(obj, "Secret") && (!s.mutableSecrets || frozen):
		return append(fields, "type", "stringData", "data")
	case isCore(obj, "ConfigMap") && (!s.mutableConfigMaps || frozen):
		return append(fields, "binaryData", "data")
	case gvk.GroupVersion() == schema.GroupVersion{Group: "policy", Version: "v1beta1"} && gvk.Kind == "PodDisruptionBudget":
		return append(fields, "spec")
	}
	return append(fields, immutable[gvk.GroupKind()]...)
}
