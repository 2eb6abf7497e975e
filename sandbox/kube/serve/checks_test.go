package serve_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/slipway-iac/slipway/sandbox/kube/token"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
	"github.com/slipway-iac/slipway/sandbox/settle"
)

func checkNodes(t *testing.T, c kubernetes.Interface) {
	nodes, err := c.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{LabelSelector: "eks.amazonaws.com/nodegroup=general,tier=web"})
	if err != nil {
		t.Fatal(err)
	}
	zones := map[string]int{}
	for _, n := range nodes.Items {
		zones[n.Labels[corev1.LabelTopologyZone]]++
		if !regexp.MustCompile(`^ip-10-0-\d+-\d+\.us-west-2\.compute\.internal$`).MatchString(n.Name) {
			t.Errorf("node is called %q", n.Name)
		}
		if !strings.HasPrefix(n.Spec.ProviderID, "aws:///us-west-2") {
			t.Errorf("providerID is %q", n.Spec.ProviderID)
		}
		if got := n.Status.Allocatable.Cpu().MilliValue(); got != 1930 {
			t.Errorf("allocatable CPU of m5.large is %dm, want 1930m", got)
		}
		if got := n.Status.Allocatable.Pods().Value(); got != 29 {
			t.Errorf("pods of m5.large are %d, want 29", got)
		}
	}
	if len(zones) != 3 || len(nodes.Items) != 3 {
		t.Errorf("%d nodes in zones %v, want one in each of three", len(nodes.Items), zones)
	}
}

func checkTokens(t *testing.T, s *sandbox) {
	ctx := t.Context()
	admin := s.admin(t)
	for _, n := range []string{"shop", "other"} {
		if _, err := admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: n, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
		}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	session := func(role string) string {
		return strings.Replace(strings.Replace(role, ":iam:", ":sts:", 1), ":role/", ":assumed-role/", 1) + "/ci"
	}
	list := func(bearer, namespace string) error {
		_, err := s.withToken(bearer).CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		return err
	}
	adminToken := s.key.Make("prod", "us-west-2", session(adminRole), now)
	// STS leaves the role's path out of the session's ARN.
	viewerToken := s.key.Make("prod", "us-west-2", "arn:aws:sts::123456789012:assumed-role/Viewer/ci", now)

	review, err := s.withToken(adminToken).AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := review.Status.UserInfo.Username; got != "arn:aws:sts::123456789012:assumed-role/Admin/ci" {
		t.Errorf("username is %q", got)
	}
	_, err = s.withToken(adminToken).CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "made-by-admin"}}, metav1.CreateOptions{})
	if err != nil {
		t.Errorf("cluster admin: %v", err)
	}
	if err := list(viewerToken, "shop"); err != nil {
		t.Errorf("viewer in a namespace of its scope: %v", err)
	}
	if err := list(viewerToken, "other"); !apierrors.IsForbidden(err) {
		t.Errorf("viewer outside its scope: %v, want forbidden", err)
	}
	if err := list(viewerToken, ""); !apierrors.IsForbidden(err) {
		t.Errorf("viewer over all namespaces: %v, want forbidden", err)
	}
	_, err = s.withToken(viewerToken).CoreV1().Secrets("shop").List(ctx, metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("viewer reading secrets: %v, want forbidden", err)
	}
	stranger, err := token.LoadKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, bearer := range map[string]string{
		"principal without an entry": s.key.Make("prod", "us-west-2", session("arn:aws:iam::123456789012:role/Nobody"), now),
		"another sandbox's key":      stranger.Make("prod", "us-west-2", session(adminRole), now),
		"expired":                    s.key.Make("prod", "us-west-2", session(adminRole), now.Add(-16*time.Minute)),
		"another cluster":            s.key.Make("staging", "us-west-2", session(adminRole), now),
		"garbage":                    token.Prefix + "garbage",
	} {
		if err := list(bearer, "shop"); !apierrors.IsUnauthorized(err) {
			t.Errorf("%s: %v, want unauthorized", name, err)
		}
	}

	// An entry that is taken away holds no longer, without waiting for a cache.
	s.view.Clusters[0].AccessEntries = s.view.Clusters[0].AccessEntries[:1]
	s.write(t, nodesReady(3))
	if err := list(viewerToken, "shop"); !apierrors.IsUnauthorized(err) {
		t.Errorf("entry removed: %v, want unauthorized", err)
	}
}

func webDeployment() *appsv1.Deployment {
	labels := map[string]string{"app": "web"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To[int32](3), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					TerminationGracePeriodSeconds: ptr.To[int64](60),
					SecurityContext: &corev1.PodSecurityContext{
						RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To[int64](1000),
						SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
					},
					TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
						MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.DoNotSchedule, // a node may lose its first taint a moment after it is ready
						LabelSelector: &metav1.LabelSelector{MatchLabels: labels},
					}},
					Containers: []corev1.Container{{
						Name: "web", Image: "example.test/web:1",
						Lifecycle:      &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 20}}},
						ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromInt32(8080)}}},
						SecurityContext: &corev1.SecurityContext{
							AllowPrivilegeEscalation: ptr.To(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
						},
					}},
				},
			},
		},
	}
}

func available(ctx context.Context, c kubernetes.Interface, n int32) error {
	d, err := c.AppsV1().Deployments("shop").Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if d.Status.AvailableReplicas != n || d.Status.ObservedGeneration != d.Generation {
		return fmt.Errorf("%d of %d available", d.Status.AvailableReplicas, n)
	}
	return nil
}

func checkWorkload(t *testing.T, c kubernetes.Interface) {
	ctx := t.Context()
	if _, err := c.AppsV1().Deployments("shop").Create(ctx, webDeployment(), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Deployment", func() error { return available(ctx, c, 3) })
	pods, err := c.CoreV1().Pods("shop").List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	nodes, ips := map[string]bool{}, map[string]bool{}
	for _, p := range pods.Items {
		nodes[p.Spec.NodeName], ips[p.Status.PodIP] = true, true
		// As with the VPC CNI, pods live in the subnet of their node.
		subnet, err := netip.MustParseAddr(p.Status.HostIP).Prefix(20)
		if addr, bad := netip.ParseAddr(p.Status.PodIP); err != nil || bad != nil || !subnet.Contains(addr) {
			t.Errorf("pod IP is %q, want one of its node's subnet %s", p.Status.PodIP, subnet)
		}
	}
	if len(nodes) != 3 || len(ips) != 3 {
		t.Errorf("pods are on nodes %v with addresses %v, want three of each", nodes, ips)
	}

	privileged := webDeployment().Spec.Template
	privileged.Name = "privileged"
	privileged.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: ptr.To(true)}
	_, err = c.CoreV1().Pods("shop").Create(ctx, &corev1.Pod{ObjectMeta: privileged.ObjectMeta, Spec: privileged.Spec}, metav1.CreateOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `violates PodSecurity "restricted:latest"`) {
		t.Errorf("privileged pod: %v, want it refused by Pod Security", err)
	}

	job := webDeployment().Spec.Template.Spec
	job.RestartPolicy = corev1.RestartPolicyNever
	if _, err := c.BatchV1().Jobs("other").Create(ctx, &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "once"}, Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: job}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Job", func() error {
		j, err := c.BatchV1().Jobs("other").Get(ctx, "once", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if j.Status.Succeeded != 1 {
			return errors.New("has not succeeded")
		}
		return nil
	})
	if err := c.CoreV1().Namespaces().Delete(ctx, "other", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "namespace goes with all that is in it", func() error {
		_, err := c.CoreV1().Namespaces().Get(ctx, "other", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("still there (%w)", err)
	})
}

func checkScaleIn(t *testing.T, s *sandbox, c kubernetes.Interface) {
	ctx := t.Context()
	if _, err := c.PolicyV1().PodDisruptionBudgets("shop").Create(ctx, &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: ptr.To(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
		},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the budget is judged", func() error {
		b, err := c.PolicyV1().PodDisruptionBudgets("shop").Get(ctx, "web", metav1.GetOptions{})
		if err == nil && b.Status.CurrentHealthy != 3 {
			err = fmt.Errorf("%d pods are healthy", b.Status.CurrentHealthy)
		}
		return err
	})
	watched, err := settle.Watch(ctx, s.dir, s.account, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	s.view.Clusters[0].NodeGroups[0].Desired = 1
	if _, err := view.Write(s.account, &s.view); err != nil {
		t.Fatal(err)
	}
	// Right after it was asked for: what has settled is what comes, not what was.
	if pending, err := watched.Settled(ctx, false); err != nil || len(pending) > 0 {
		t.Errorf("after the scale-in to one node %q have no node, %v", pending, err)
	}
	pods, err := c.CoreV1().Pods("shop").List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	nodes := map[string]bool{}
	for _, p := range pods.Items {
		nodes[p.Spec.NodeName] = true
		if p.DeletionTimestamp != nil || !slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		}) {
			t.Errorf("settled, but pod %s is not ready, or ends", p.Name)
		}
	}
	if len(pods.Items) != 3 || len(nodes) != 1 {
		t.Errorf("settled with %d pods on %d nodes, want 3 on one", len(pods.Items), len(nodes))
	}
	s.write(t, nodesReady(1))
	if n, falls := watched.Budgets(); n != 1 || len(falls) > 0 {
		t.Errorf("%d budgets were watched, and fell below: %q", n, falls)
	}

	// The budget can never be met now; the time-out ends the drain.
	s.view.Clusters[0].NodeGroups[0].Desired = 0
	s.write(t, nodesReady(0))
	eventually(t, "pods are pending", func() error {
		pods, err := c.CoreV1().Pods("shop").List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, p := range pods.Items {
			if p.Status.Phase != corev1.PodPending || p.Spec.NodeName != "" {
				return fmt.Errorf("%s is %s on %q", p.Name, p.Status.Phase, p.Spec.NodeName)
			}
		}
		return nil
	})
	eventually(t, "the fall below the budget is seen", func() error {
		if _, falls := watched.Budgets(); len(falls) == 0 || !strings.HasSuffix(falls[len(falls)-1], "shop/web: 0 of 3 pods are ready, its budget wants 1 at least") {
			return fmt.Errorf("seen: %q", falls)
		}
		return nil
	})

	s.view.Clusters[0].NodeGroups[0].InstanceTypes = []string{"m5.huge"}
	s.view.Clusters[0].NodeGroups[0].Desired = 1
	s.write(t, func(st *view.Status) bool {
		g, _ := st.Group("group-1")
		return strings.Contains(g.Problem, `instance type "m5.huge" is not known to the sandbox, it knows of this family m5.12xlarge`)
	})
}
