// Package balancing plays the AWS Load Balancer Controller for target groups of type ip: a TargetGroupBinding keeps the pods of a Service
// registered with a target group of the account, and their readiness gates in step with the health of the targets. It works as the
// real one does (https://github.com/kubernetes-sigs/aws-load-balancer-controller, pkg/targetgroupbinding), and as the one that EKS
// Auto Mode runs. Left out are Ingresses, Services of type LoadBalancer, bindings of type instance, and security groups: every
// binding's networking counts as done.
package balancing

import (
	_ "embed"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// Kind is one of the two kinds of TargetGroupBinding.
type Kind struct {
	Group, Version string
	// InjectLabel on a namespace, with the value "enabled", asks for readiness gates in its pods.
	InjectLabel string
	// Finalizer that holds a binding until its targets are deregistered.
	Finalizer string
}

// Kinds are the binding of the AWS Load Balancer Controller, and the one of EKS Auto Mode.
// https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-alb.html
var Kinds = []Kind{
	{"elbv2.k8s.aws", "v1beta1", "elbv2.k8s.aws/pod-readiness-gate-inject", "elbv2.k8s.aws/resources"},
	{"eks.amazonaws.com", "v1", "eks.amazonaws.com/pod-readiness-gate-inject", "eks.amazonaws.com/resources"},
}

const (
	kindName = "TargetGroupBinding"
	plural   = "targetgroupbindings"
)

// Resource is where the API server serves the kind.
func (k Kind) Resource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: k.Group, Version: k.Version, Resource: plural}
}

//go:embed crd.yaml
var definition string

// definitionOf is the kind's CustomResourceDefinition.
func definitionOf(k Kind) (*apiextensionsv1.CustomResourceDefinition, error) {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	text := strings.NewReplacer("GROUP", k.Group, "VERSION", k.Version).Replace(definition)
	return crd, yaml.UnmarshalStrict([]byte(text), crd)
}

// Binding is a TargetGroupBinding, as far as it matters here.
type Binding struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ServiceRef struct {
			Name string             `json:"name"`
			Port intstr.IntOrString `json:"port"`
		} `json:"serviceRef"`
		TargetGroupARN          string                `json:"targetGroupARN,omitempty"`
		TargetGroupName         string                `json:"targetGroupName,omitempty"`
		TargetType              string                `json:"targetType,omitempty"`
		IPAddressType           string                `json:"ipAddressType,omitempty"`
		VPCID                   string                `json:"vpcID,omitempty"`
		NodeSelector            *metav1.LabelSelector `json:"nodeSelector,omitempty"`
		MultiClusterTargetGroup bool                  `json:"multiClusterTargetGroup,omitempty"`
	} `json:"spec"`
	Status struct {
		ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	} `json:"status"`
}

func bindingOf(u *unstructured.Unstructured) (*Binding, error) {
	b := &Binding{}
	return b, runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, b)
}

// condition of a pod that tells the health of its target; also the pod's readiness gate.
func (b *Binding) condition() corev1.PodConditionType {
	return corev1.PodConditionType("target-health.elbv2.k8s.aws/" + b.Name)
}

// String names a binding for people.
func (b *Binding) String() string { return b.Namespace + "/" + b.Name }
