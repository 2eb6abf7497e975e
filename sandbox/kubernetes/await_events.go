package kubernetes

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// probeAnswers are what the probes of pods that are not ready were answered last. Only events tell it: the pods' own status says no
// more than that they are not ready.
func (c *cluster) probeAnswers(ctx context.Context, pods []*unstructured.Unstructured) []string {
	var out []string
	for _, p := range allAs[corev1.Pod](pods) {
		if podReady(p) || p.DeletionTimestamp != nil {
			continue
		}
		events, err := c.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "events"}).Namespace(p.Namespace).
			List(ctx, metav1.ListOptions{FieldSelector: "reason=Unhealthy,involvedObject.uid=" + string(p.UID)})
		if err != nil {
			continue // the failure itself is what has to be told
		}
		var last *corev1.Event
		items := make([]*unstructured.Unstructured, 0, len(events.Items))
		for i := range events.Items {
			items = append(items, &events.Items[i])
		}
		for _, e := range allAs[corev1.Event](items) {
			if last == nil || e.LastTimestamp.After(last.LastTimestamp.Time) {
				last = e
			}
		}
		if last != nil {
			out = append(out, fmt.Sprintf("[Pod %s]: %s (%d times)", qualified(p), last.Message, max(last.Count, 1)))
		}
	}
	return out
}
