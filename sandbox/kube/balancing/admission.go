package balancing

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	core "k8s.io/kubernetes/pkg/apis/core"

	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// Admission does what the real controller does in webhooks: it puts readiness gates into the pods of namespaces that ask for it, and
// completes and checks bindings. It is a part of the API server instead: on EKS the webhook answers from the first pod on, while one
// that this very process serves would refuse pods until it is up, at a new port after each start. Nobody but the API server can tell.
func Admission(account *view.Watcher) func(*rest.Config, informers.SharedInformerFactory) (admission.Interface, error) {
	return func(own *rest.Config, shared informers.SharedInformerFactory) (admission.Interface, error) {
		a := &admitter{Handler: admission.NewHandler(admission.Create, admission.Update), account: account, namespaces: shared.Core().V1().Namespaces().Lister()}
		a.SetReadyFunc(shared.Core().V1().Namespaces().Informer().HasSynced)
		var err error
		if a.client, err = kubernetes.NewForConfig(own); err != nil {
			return nil, err
		}
		a.dynamic, err = dynamic.NewForConfig(own)
		return a, err
	}
}

type admitter struct {
	*admission.Handler
	account    *view.Watcher
	namespaces corelisters.NamespaceLister
	client     kubernetes.Interface
	dynamic    dynamic.Interface
}

var (
	_ admission.MutationInterface   = &admitter{}
	_ admission.ValidationInterface = &admitter{}
)

// Admit implements admission.MutationInterface.
func (a *admitter) Admit(ctx context.Context, at admission.Attributes, _ admission.ObjectInterfaces) error {
	if at.GetOperation() != admission.Create || at.GetSubresource() != "" {
		return nil
	}
	if pod, ok := at.GetObject().(*core.Pod); ok {
		if err := a.inject(ctx, at.GetNamespace(), pod); err != nil {
			return admission.NewForbidden(at, fmt.Errorf("unable to determine targetHealth readinessGates: %w", err))
		}
		return nil
	}
	if k, u := kindOf(at); k != nil {
		if err := a.complete(ctx, u); err != nil {
			return admission.NewForbidden(at, err)
		}
	}
	return nil
}

// Validate implements admission.ValidationInterface.
func (a *admitter) Validate(ctx context.Context, at admission.Attributes, _ admission.ObjectInterfaces) error {
	k, u := kindOf(at)
	if k == nil || at.GetSubresource() != "" {
		return nil
	}
	b, err := bindingOf(u)
	if err != nil {
		return admission.NewForbidden(at, err)
	}
	if b.Spec.TargetType == "ip" && b.Spec.NodeSelector != nil {
		return admission.NewForbidden(at, errors.New("TargetGroupBinding cannot set NodeSelector when TargetType is ip"))
	}
	if at.GetOperation() == admission.Create {
		if err := a.alone(ctx, *k, b); err != nil {
			return admission.NewForbidden(at, err)
		}
	}
	return nil
}

// kindOf is the kind of a binding, and the object; nil where the request is about something else.
func kindOf(at admission.Attributes) (*Kind, *unstructured.Unstructured) {
	for i, k := range Kinds {
		if at.GetResource().Group == k.Group && at.GetResource().Resource == plural {
			if u, ok := at.GetObject().(*unstructured.Unstructured); ok {
				return &Kinds[i], u
			}
		}
	}
	return nil, nil
}

// inject puts a readiness gate into a pod for each binding whose Service selects it.
func (a *admitter) inject(ctx context.Context, namespace string, pod *core.Pod) error {
	if !a.WaitForReady() {
		return errors.New("not yet ready to handle request")
	}
	n, err := a.namespaces.Get(namespace)
	if apierrors.IsNotFound(err) { // it may be too new for the list
		n, err = a.client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	}
	if err != nil {
		return err
	}
	for _, k := range Kinds {
		if n.Labels[k.InjectLabel] != "enabled" {
			continue
		}
		list, err := a.dynamic.Resource(k.Resource()).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) {
			continue // the kind is not defined yet
		}
		if err != nil {
			return err
		}
		for i := range list.Items {
			b, err := bindingOf(&list.Items[i])
			if err != nil || b.Spec.TargetType != "ip" {
				continue
			}
			s, err := a.client.CoreV1().Services(namespace).Get(ctx, b.Spec.ServiceRef.Name, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			if selects(s, pod.Labels) {
				addGate(pod, core.PodConditionType(b.condition()))
			}
		}
	}
	return nil
}

// selects tells whether pods with these labels are behind a Service; one without a selector has none.
func selects(s *corev1.Service, of map[string]string) bool {
	return len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(of))
}

func addGate(pod *core.Pod, gate core.PodConditionType) {
	for _, g := range pod.Spec.ReadinessGates {
		if g.ConditionType == gate {
			return
		}
	}
	pod.Spec.ReadinessGates = append(pod.Spec.ReadinessGates, core.PodReadinessGate{ConditionType: gate})
}

// complete fills in what of a new binding its target group tells.
func (a *admitter) complete(ctx context.Context, u *unstructured.Unstructured) error {
	b, err := bindingOf(u)
	if err != nil {
		return err
	}
	if b.Spec.TargetGroupARN == "" && b.Spec.TargetGroupName == "" {
		return errors.New("must provide either TargetGroupARN or TargetGroupName")
	}
	a.account.Refresh()
	v, _, _ := a.account.Current()
	if v == nil {
		v = &view.View{}
	}
	group := v.TargetGroup(b.Spec.TargetGroupARN)
	for i, g := range v.TargetGroups {
		if b.Spec.TargetGroupARN == "" && g.Name == b.Spec.TargetGroupName {
			group = &v.TargetGroups[i]
		}
	}
	if group == nil {
		what := b.Spec.TargetGroupARN + b.Spec.TargetGroupName
		if b.Spec.TargetGroupARN == "" || b.Spec.TargetType == "" {
			return fmt.Errorf("couldn't determine TargetType: TargetGroupNotFound: One or more target groups not found: '%s'", what)
		}
		warning.AddWarning(ctx, "", fmt.Sprintf("target group '%s' is not found: the webhook of the real controller refuses such a binding", what))
		return nil
	}
	for name, value := range map[string]string{"targetGroupARN": group.ARN, "targetType": group.Type, "ipAddressType": group.IPAddressType, "vpcID": group.VPC} {
		if have, _, _ := unstructured.NestedString(u.Object, "spec", name); have == "" && value != "" {
			if err := unstructured.SetNestedField(u.Object, value, "spec", name); err != nil {
				return err
			}
		}
	}
	return nil
}

// alone refuses a second binding for a target group, which would take off what the first has registered.
func (a *admitter) alone(ctx context.Context, k Kind, b *Binding) error {
	list, err := a.dynamic.Resource(k.Resource()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("failed to list TargetGroupBindings in the cluster: %w", err)
	}
	for i := range list.Items {
		o, err := bindingOf(&list.Items[i])
		if err == nil && o.Spec.TargetGroupARN == b.Spec.TargetGroupARN && (!o.Spec.MultiClusterTargetGroup || !b.Spec.MultiClusterTargetGroup) {
			return fmt.Errorf("TargetGroup %s is already bound to TargetGroupBinding %s", b.Spec.TargetGroupARN, o)
		}
	}
	return nil
}
