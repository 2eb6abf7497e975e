package cluster_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/components/cluster"
	"github.com/slipway-iac/slipway/internal/recorder"
)

const (
	deploymentType = "kubernetes:apps/v1:Deployment"
	rolePolicyType = "aws:iam/rolePolicy:RolePolicy"
)

// scaling is a cluster with a group of the autoscaler's, and one that it must leave alone.
func scaling(version string) *cluster.EksClusterArgs {
	args := typical()
	args.Version = version
	args.NodeGroups = append(args.NodeGroups, cluster.NodeGroup{
		Name: "burst", InstanceTypes: []string{"m5.large"}, MinSize: 1, MaxSize: 9, DesiredSizeOwner: cluster.OwnerAutoscaler,
	})
	return args
}

func TestAutoscalerOwnsItsGroupsAndNoOther(t *testing.T) {
	r := mustRun(t, scaling("1.35"))
	container := r.Find(t, deploymentType, "cluster-autoscaler").Inputs["spec"].ObjectValue()["template"].ObjectValue()["spec"].ObjectValue()["containers"].ArrayValue()[0].ObjectValue()
	var groups []string
	for _, c := range container["command"].ArrayValue() {
		if strings.HasPrefix(c.StringValue(), "--nodes=") || strings.Contains(c.StringValue(), "auto-discovery") {
			groups = append(groups, c.StringValue())
		}
	}
	if want := []string{"--nodes=1:9:eks-cluster-burst"}; !slices.Equal(groups, want) {
		t.Errorf("it scales %v, want %v", groups, want)
	}
	var policy struct {
		Statement []struct {
			Action   []string
			Resource any
		}
	}
	text := r.Find(t, rolePolicyType, "cluster-app-kube-system.cluster-autoscaler").Inputs["policy"].StringValue()
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		t.Fatal(err)
	}
	for _, s := range policy.Statement {
		for _, a := range s.Action {
			reads := strings.Contains(a, ":Describe") || strings.Contains(a, ":Get")
			if _, all := s.Resource.(string); all && !reads {
				t.Errorf("it may do %s with %v", a, s.Resource)
			}
		}
		if l, ok := s.Resource.([]any); ok && (len(l) != 1 || !strings.HasSuffix(l[0].(string), "/eks-cluster-burst")) {
			t.Errorf("it changes %v", l)
		}
	}
	for _, first := range []string{
		"aws:eks/podIdentityAssociation:PodIdentityAssociation cluster-app-kube-system.cluster-autoscaler", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding cluster-autoscaler",
		"kubernetes:rbac.authorization.k8s.io/v1:RoleBinding cluster-autoscaler",
	} {
		if !before(r, first, deploymentType+" cluster-autoscaler") {
			t.Errorf("it starts before %s", first)
		}
	}
	for _, a := range r.Seen() {
		if strings.HasPrefix(a.TypeToken, "kubernetes:") && !strings.Contains(a.RegisterRPC.GetProvider(), "::cluster-kubernetes::") {
			t.Errorf("%s %s goes to the provider %q", a.TypeToken, a.Name, a.RegisterRPC.GetProvider())
		}
	}
}

// An autoscaler of another minor version misreads what the scheduler would do.
func TestAutoscalerIsOfTheClustersVersion(t *testing.T) {
	for _, version := range []string{"1.32", "1.33", "1.34", "1.35", "1.36"} {
		container := mustRun(t, scaling(version)).Find(t, deploymentType, "cluster-autoscaler").Inputs["spec"].ObjectValue()["template"].ObjectValue()["spec"].ObjectValue()["containers"].ArrayValue()[0].ObjectValue()
		if image := container["image"].StringValue(); !strings.HasPrefix(image, "registry.k8s.io/autoscaling/cluster-autoscaler:v"+version+".") {
			t.Errorf("Kubernetes %s: %s", version, image)
		}
	}
}

func TestNoAutoscalerWhereNothingIsIts(t *testing.T) {
	for _, owner := range []string{cluster.OwnerFixed, cluster.OwnerSchedule} {
		args := typical()
		args.NodeGroups[0].DesiredSizeOwner = owner
		for _, a := range mustRun(t, args).Seen() {
			if strings.Contains(a.Name, "autoscaler") {
				t.Errorf("owner %s: there is %s %s", owner, a.TypeToken, a.Name)
			}
		}
	}
	args := scaling("1.35")
	args.AppRoles = []cluster.AppRole{{Namespace: "kube-system", ServiceAccount: "cluster-autoscaler", ManagedPolicyArns: []string{"arn:aws:iam::aws:policy/x"}}}
	if got, want := problems(args), `  appRoles[0].serviceAccount is "cluster-autoscaler" of namespace "kube-system", must be another: the cluster autoscaler has it`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Before anything exists the autoscaler previews, with groups that are not known yet.
func TestPreviewOfTheAutoscaler(t *testing.T) {
	r := &recorder.Recorder{Preview: true}
	if err := run(r, "cluster", scaling("1.35"), nil); err != nil {
		t.Fatal(err)
	}
	r.Find(t, deploymentType, "cluster-autoscaler")
}
