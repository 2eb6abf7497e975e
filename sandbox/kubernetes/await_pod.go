package kubernetes

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// podsBySelector are the pods that the object's spec.selector takes.
func podsBySelector(obj *unstructured.Unstructured) []source {
	return []source{related(obj, "", "Pod", selectorOf(obj))}
}

func selectorOf(obj *unstructured.Unstructured) string {
	raw, _, _ := unstructured.NestedMap(obj.Object, "spec", "selector")
	s, err := as[metav1.LabelSelector](&unstructured.Unstructured{Object: raw})
	if err != nil || raw == nil {
		return ""
	}
	return metav1.FormatLabelSelector(s)
}

// podReady tells whether a pod is ready or has done its work.
func podReady(p *corev1.Pod) bool {
	if p.Status.Phase == corev1.PodSucceeded {
		return true
	}
	c := podCondition(p, corev1.PodReady)
	return c != nil && c.Status == corev1.ConditionTrue
}

func podCondition(p *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == kind {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

// podProblems are the pods' own words for not being ready: no node takes it, the image cannot be pulled, the container
// ends again and again.
func podProblems(pods []*corev1.Pod) []string {
	var out []string
	for _, p := range pods {
		if podReady(p) || p.DeletionTimestamp != nil {
			continue
		}
		if words := podProblem(p); words != "" {
			out = append(out, fmt.Sprintf("[Pod %s]: %s", qualified(p), words))
		}
	}
	return out
}

func podProblem(p *corev1.Pod) string {
	var words []string
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.PodReady} {
		c := podCondition(p, kind)
		if c == nil || c.Status == corev1.ConditionTrue {
			continue
		}
		if c.Reason != "" && c.Message != "" {
			words = append(words, c.Message)
		}
		break
	}
	for _, s := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		words = append(words, containerProblems(s)...)
	}
	if p.Status.Phase == corev1.PodFailed && p.Status.Message != "" {
		words = append(words, p.Status.Message)
	}
	return strings.Join(words, "; ")
}

func containerProblems(s corev1.ContainerStatus) []string {
	if s.Ready {
		return nil
	}
	var out []string
	if w := s.State.Waiting; w != nil && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
		out = append(out, strings.TrimSpace(fmt.Sprintf("[%s] %s", w.Reason, pullMessage(w.Message))))
	}
	if t := s.State.Terminated; t != nil && t.Reason != "" && t.Reason != "Completed" {
		if t.Message != "" {
			out = append(out, fmt.Sprintf("[%s] %s", t.Reason, pullMessage(t.Message)))
		} else {
			out = append(out, fmt.Sprintf("container %q completed with exit code %d", s.Name, t.ExitCode))
		}
	}
	if t := s.LastTerminationState.Terminated; t != nil {
		words := fmt.Sprintf("container %q terminated at %s (%s: exit code %d)",
			s.Name, t.FinishedAt.UTC().Format(time.RFC3339Nano), t.Reason, t.ExitCode)
		if t.Message != "" {
			words += " " + t.Message
		}
		out = append(out, words)
	}
	return out
}

// pullMessage leaves out the wrapping that container runtimes put around the reason.
func pullMessage(m string) string {
	m = strings.TrimPrefix(m, "rpc error: code = Unknown desc = Error response from daemon: ")
	return strings.TrimSuffix(m, ": manifest unknown")
}

func qualified(o metav1.Object) string {
	if ns := o.GetNamespace(); ns != "" && ns != "default" {
		return ns + "/" + o.GetName()
	}
	return o.GetName()
}

func judgePod(v view) verdict {
	p, err := as[corev1.Pod](v.object)
	if err != nil {
		return broken(err)
	}
	if podReady(p) {
		return verdict{ready: true}
	}
	out := verdict{failed: p.Status.Phase == corev1.PodFailed, problems: podProblems([]*corev1.Pod{p})}
	switch {
	case len(out.problems) > 0:
		out.status = out.problems[0]
	case podCondition(p, corev1.PodScheduled) == nil || podCondition(p, corev1.PodScheduled).Status != corev1.ConditionTrue:
		out.status = fmt.Sprintf("Waiting for Pod %q to be scheduled", qualified(p))
	default:
		out.status = fmt.Sprintf("Waiting for Pod %q to be ready", qualified(p))
	}
	if len(out.problems) == 0 {
		out.problems = []string{out.status}
	}
	return out
}

// broken is an object of a form that the kind does not have: nothing to wait for.
func broken(err error) verdict { return verdict{failed: true, problems: []string{err.Error()}} }
