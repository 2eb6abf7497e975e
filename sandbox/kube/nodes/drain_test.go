package nodes

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// A real node without pods still passes requests on, until load balancers have forgotten it; a simulated one does not.
func TestEmptyNodesStayUntilTheyAreForgotten(t *testing.T) {
	for name, c := range map[string]struct {
		real    bool
		leaving time.Duration
		ends    string
		gone    bool
	}{
		"told to end just now":                     {true, time.Second, "45", false},
		"its time is over":                         {true, 46 * time.Second, "45", true},
		"no target group and no hook":              {true, time.Second, "0", true},
		"made by a sandbox that did not know this": {true, time.Second, "", true},
		"simulated":                                {false, time.Second, "45", true},
	} {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", Annotations: map[string]string{
			annotationLeaving: time.Now().Add(-c.leaving).Format(time.RFC3339Nano), annotationEnds: c.ends,
		}}}
		client := fake.NewClientset(node)
		k := &Controller{DrainTimeout: time.Hour, Real: c.real, client: client, addresses: &addresses{pods: corelisters.NewPodLister(cache.NewIndexer(cache.MetaNamespaceKeyFunc, nil))}}
		if err := k.drain(t.Context(), node); err != nil {
			t.Fatal(err)
		}
		if _, err := client.CoreV1().Nodes().Get(t.Context(), "n", metav1.GetOptions{}); apierrors.IsNotFound(err) != c.gone {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A group that is gone has had its last word on how long its nodes go on.
func TestANodeThatLeavesGoesOnAsItsGroupSaidLast(t *testing.T) {
	for name, c := range map[string]struct {
		ended map[string]int
		want  string
	}{
		"there is the group":     {nil, "45"},
		"another is gone":        {map[string]int{"b": 0}, "45"},
		"it is gone":             {map[string]int{"a": 0}, "0"},
		"it went with more time": {map[string]int{"a": 60, "b": 0}, "60"},
	} {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", Annotations: map[string]string{annotationGroup: "a", annotationEnds: "45"}}}
		client := fake.NewClientset(node)
		k := &Controller{client: client, nodes: corelisters.NewNodeLister(cache.NewIndexer(cache.MetaNamespaceKeyFunc, nil))}
		if err := k.cordon(t.Context(), "n", c.ended); err != nil {
			t.Fatal(err)
		}
		got, err := client.CoreV1().Nodes().Get(t.Context(), "n", metav1.GetOptions{})
		if err != nil || !got.Spec.Unschedulable || got.Annotations[annotationLeaving] == "" || got.Annotations[annotationEnds] != c.want {
			t.Errorf("%s: %+v %v, want %s", name, got, err, c.want)
		}
	}
}
