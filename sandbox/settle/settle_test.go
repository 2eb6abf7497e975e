package settle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// looks are what is to be seen, each for a time.
type looks []struct {
	lasts           time.Duration
	moving, waiting []string
	err             error
}

func (l looks) at(began time.Time) (moving, waiting []string, err error) {
	left := time.Since(began)
	for _, look := range l {
		if left -= look.lasts; left < 0 {
			return look.moving, look.waiting, look.err
		}
	}
	return nil, nil, nil
}

func TestRest(t *testing.T) {
	one, two := []string{"a pod moves"}, []string{"a pod has no node"}
	for _, c := range []struct {
		name     string
		looks    looks
		pending  []string
		problem  string
		from, to time.Duration
	}{
		{"at rest", nil, nil, "", 0, 0},
		{"moves, then rests", looks{{4 * time.Second, one, nil, nil}}, nil, "", 4 * time.Second, 5 * time.Second},
		{"no room, then placed", looks{{11 * time.Second, nil, two, nil}}, nil, "", 11 * time.Second, 12 * time.Second},
		{"no room for good", looks{{time.Second, one, nil, nil}, {time.Hour, nil, two, nil}}, two, "", 13 * time.Second, 14 * time.Second},
		{"no room while others move", looks{{20 * time.Second, one, two, nil}}, nil, "", 20 * time.Second, 21 * time.Second},
		{"another one without room", looks{{11 * time.Second, nil, one, nil}, {11 * time.Second, nil, two, nil}}, nil, "", 22 * time.Second, 23 * time.Second},
		{"never at rest", looks{{time.Hour, one, two, nil}}, nil, "too long while a pod moves; a pod has no node", time.Minute, time.Minute},
		{"no answer", looks{{time.Second, one, nil, nil}, {time.Second, nil, nil, errors.New("connection refused")}}, nil, "connection refused", time.Second, 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("too long"))
				defer cancel()
				pending, err := rest(ctx, func(context.Context) ([]string, []string, error) { return c.looks.at(began) })
				if !slices.Equal(pending, c.pending) || (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
					t.Errorf("pending %q, %v, want %q and %q", pending, err, c.pending, c.problem)
				}
				if took := time.Since(began); took < c.from || took > c.to {
					t.Errorf("it took %s, want %s to %s", took, c.from, c.to)
				}
			})
		})
	}
}

// pod is one of the ReplicaSet web.
func pod(name string, change func(*corev1.Pod)) corev1.Pod {
	p := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "web", Controller: ptr.To(true)}}},
		Spec:       corev1.PodSpec{NodeName: "node"},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
	if change != nil {
		change(&p)
	}
	return p
}

func noNode(p *corev1.Pod) {
	p.Spec.NodeName, p.Status.Phase = "", corev1.PodPending
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/2 nodes are available"}}
}

func TestUnfinished(t *testing.T) {
	starting := func(p *corev1.Pod) { p.Status.Conditions = nil }
	ending := func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} }
	done := func(p *corev1.Pod) {
		p.Status = corev1.PodStatus{Phase: corev1.PodSucceeded}
		p.OwnerReferences[0] = metav1.OwnerReference{Kind: "Job", Name: "once", Controller: ptr.To(true)}
	}
	alone := func(p *corev1.Pod) { p.OwnerReferences, p.Status.Conditions = nil, nil }
	for _, c := range []struct {
		name string
		pods []corev1.Pod
		want []string
	}{
		{"whole", []corev1.Pod{pod("a", nil), pod("b", nil)}, nil},
		{"a pod of a job that has ended", []corev1.Pod{pod("a", nil), pod("b", nil), pod("c", done)}, nil},
		{"evicted and not yet replaced", []corev1.Pod{pod("a", nil)}, []string{"ReplicaSet shop/web: ReplicaSet shop/web has 1 pods, is to have 2 false"}},
		{"replaced before it has ended", []corev1.Pod{pod("a", nil), pod("b", nil), pod("c", ending)}, []string{"ReplicaSet shop/web: pod shop/c is ending false"}},
		{"starting", []corev1.Pod{pod("a", nil), pod("b", starting)}, []string{"ReplicaSet shop/web: pod shop/b is not ready false"}},
		{"no room", []corev1.Pod{pod("a", nil), pod("b", noNode)}, []string{"ReplicaSet shop/web: pod shop/b has no node: 0/2 nodes are available true"}},
		{"of nobody", []corev1.Pod{pod("a", nil), pod("b", nil), pod("c", alone)}, []string{"Pod shop/c: pod shop/c is not ready false"}},
	} {
		set := appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: appsv1.ReplicaSetSpec{Replicas: ptr.To[int32](2)}}
		old := appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-old"}, Spec: appsv1.ReplicaSetSpec{Replicas: ptr.To[int32](0)}}
		var got []string
		for _, u := range (snapshot{pods: c.pods, replicaSets: []appsv1.ReplicaSet{set, old}}).unfinished(false) {
			got = append(got, fmt.Sprintf("%s: %s %t", u.owner, u.what, u.noRoom))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	young := appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: appsv1.ReplicaSetSpec{Replicas: ptr.To[int32](2)}, Status: appsv1.ReplicaSetStatus{AvailableReplicas: 1},
	}
	for available, want := range map[bool]int{false: 0, true: 1} {
		if got := (snapshot{pods: []corev1.Pod{pod("a", nil), pod("b", nil)}, replicaSets: []appsv1.ReplicaSet{young}}).unfinished(available); len(got) != want {
			t.Errorf("a pod has just become ready, and with available %t this is unfinished: %+v", available, got)
		}
	}
	one := appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "db"}}
	if got := (snapshot{statefulSets: []appsv1.StatefulSet{one}}).unfinished(false); len(got) != 1 || !strings.Contains(got[0].what, "has 0 pods, is to have 1") {
		t.Errorf("a StatefulSet without its pod: %+v", got)
	}
}

func TestNodesMoving(t *testing.T) {
	wanted := &view.View{Clusters: []view.Cluster{{ID: "prod-1", NodeGroups: []view.NodeGroup{{ID: "g", Name: "main", Desired: 2}}}}}
	for _, c := range []struct {
		name   string
		status view.Status
		want   string
	}{
		{"there", view.Status{View: "new", Cluster: "prod-1", NodeGroups: []view.NodeGroupStatus{{ID: "g", Ready: 2}}}, ""},
		{"of an older view", view.Status{View: "old", Cluster: "prod-1", NodeGroups: []view.NodeGroupStatus{{ID: "g", Ready: 2}}}, "has not taken in the account"},
		{"one leaves", view.Status{View: "new", Cluster: "prod-1", NodeGroups: []view.NodeGroupStatus{{ID: "g", Ready: 2, Leaving: 1}}}, "node group main has 2 nodes ready and 1 leaving, is to have 2"},
		{"one is missing", view.Status{View: "new", Cluster: "prod-1", NodeGroups: []view.NodeGroupStatus{{ID: "g", Ready: 1, Problem: "no address"}}}, "1 nodes ready and 0 leaving, is to have 2: no address"},
		{"a group that is not known yet", view.Status{View: "new", Cluster: "prod-1"}, "0 nodes ready"},
		{"of no cluster", view.Status{View: "new"}, ""},
	} {
		got := strings.Join(nodesMoving(wanted, "new", &c.status), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFallsBelowABudget(t *testing.T) {
	type state struct {
		healthy, desired, expected int32
		uid                        types.UID
	}
	for _, c := range []struct {
		name   string
		states []state
		want   []string
	}{
		{"as many as there have to be", []state{{2, 1, 2, ""}, {1, 1, 2, ""}, {2, 1, 2, ""}}, nil},
		{"one fewer", []state{{2, 1, 2, ""}, {1, 1, 2, ""}, {0, 1, 2, ""}, {2, 1, 2, ""}}, []string{"shop/web: 0 of 2 pods are ready, its budget wants 1 at least"}},
		{"each step down", []state{{3, 3, 3, ""}, {2, 3, 3, ""}, {2, 3, 3, ""}, {1, 3, 3, ""}}, []string{
			"shop/web: 2 of 3 pods are ready, its budget wants 3 at least", "shop/web: 1 of 3 pods are ready, its budget wants 3 at least",
		}},
		{"more are wanted than run", []state{{2, 1, 2, ""}, {2, 3, 4, ""}, {3, 3, 4, ""}}, nil},
		{"fewer are wanted", []state{{4, 3, 4, ""}, {2, 1, 2, ""}}, nil},
		{"low from the beginning", []state{{0, 1, 2, ""}, {0, 1, 2, ""}, {1, 1, 2, ""}}, nil},
		{"another of its name", []state{{2, 1, 2, "a"}, {0, 1, 2, "b"}}, nil},
	} {
		var told []string
		b := &budgets{say: func(s string) { told = append(told, s) }, seen: map[string]*policyv1.PodDisruptionBudget{}}
		for _, s := range c.states {
			b.see(&policyv1.PodDisruptionBudget{
				ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: s.uid},
				Status:     policyv1.PodDisruptionBudgetStatus{CurrentHealthy: s.healthy, DesiredHealthy: s.desired, ExpectedPods: s.expected},
			})
		}
		watched, falls := (&Cluster{budgets: b}).Budgets()
		if !slices.Equal(falls, c.want) || !slices.Equal(told, c.want) || watched != 1 {
			t.Errorf("%s: %d watched, %q fell, said %q, want %q", c.name, watched, falls, told, c.want)
		}
	}
}
