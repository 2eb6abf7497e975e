package aws

import (
	"encoding/base64"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

func size(low, desired, high float64) object {
	return object{"scalingConfig": object{"minSize": low, "desiredSize": desired, "maxSize": high}}
}

func TestNodeGroupRefusals(t *testing.T) {
	w := newClusterWorld(t)
	elsewhere := w.create(vpcToken, "elsewhere", object{"cidrBlock": "10.8.0.0/16"})
	far := w.create(subnetToken, "far", object{"vpcId": elsewhere.ID, "cidrBlock": "10.8.0.0/24", "availabilityZone": "us-west-2b"})
	bare := w.create(roleToken, "bare", object{"assumeRolePolicy": trust("ec2.amazonaws.com")})
	template := func(id, version string) object { return object{"launchTemplate": object{"id": id, "version": version}} }
	w.refuses([]refusal{
		{"nodes", object{"nodeGroupName": w.out("nodes", "nodeGroupName")}, "ResourceInUseException: NodeGroup already exists with name"},
		{"nodes", object{"nodeGroupName": strings.Repeat("n", 64)}, "must have 1 to 63"},
		{"nodes", object{"clusterName": "none"}, "ResourceNotFoundException: No cluster found for name: none."},
		{"nodes", size(3, 2, 4), "Minimum capacity 3 can't be greater than desired size 2"},
		{"nodes", size(1, 5, 4), "desired capacity 5 can't be greater than max size 4"},
		{"nodes", size(5, 5, 4), "Minimum capacity 5 can't be greater than max size 4"},
		{"nodes", size(0, 0, 0), "scalingConfig.maxSize is 0, must be 1 to"},
		{"nodes", size(0, 0, 451), "exceeds the quota of 450 nodes"},
		{"nodes", object{"scalingConfig": object{"minSize": 1.0, "maxSize": 2.0}}, "scalingConfig.desiredSize is required"},
		{"nodes", object{"amiType": "AL2023"}, "must be one of"},
		{"nodes", object{"amiType": "WINDOWS_CORE_2022_x86_64"}, "the sandbox has no nodes with Windows"},
		{"nodes", object{"instanceTypes": list("m5.huge")}, "The following supplied instance types do not exist: [m5.huge]"},
		{"nodes", object{"instanceTypes": list("m6g.large"), "amiType": "AL2023_x86_64_STANDARD"}, "[m6g.large] is not a valid instance type for requested amiType AL2023_x86_64_STANDARD"},
		{"nodes", object{"instanceTypes": list("m5.large", "m6g.large")}, "different CPU architectures"},
		{"nodes", object{"subnetIds": list("subnet-1")}, "The subnet ID 'subnet-1' does not exist"},
		{"nodes", object{"subnetIds": list(far.ID)}, "Subnets are not in the same VPC as the cluster"},
		{"nodes", object{"nodeRoleArn": "arn:aws:iam::123456789012:role/nobody"}, "The role with ARN arn:aws:iam::123456789012:role/nobody cannot be found."},
		{"nodes", object{"nodeRoleArn": w.out("role", "arn")}, "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of nodeRole"},
		{"nodes", object{"nodeRoleArn": bare.Out["arn"]}, "NodeCreationFailure: Instances failed to join the kubernetes cluster"},
		{"nodes", template("lt-0123", "1"), "Launch template with ID lt-0123 does not exist"},
		{"nodes", template(w.id("nodeTemplate"), "7"), "does not have version 7: it has 1 to 1"},
		{"nodes", template(w.id("template"), "1"), "You cannot specify an instance type in both the launch template and the request."},
		{"nodes", object{"launchTemplate": object{"version": "1"}}, "launchTemplate needs id or name"},
		{"nodes", object{"diskSize": 50.0}, "Disk size must be specified within the launch template."},
		{"nodes", object{"remoteAccess": object{"ec2SshKey": "k"}}, "Remote access configuration cannot be specified with a launch template."},
		{"nodes", object{"labels": object{"eks.amazonaws.com/nodegroup": "x"}}, "Label cannot contain reserved prefixes"},
		{"nodes", object{"labels": object{"tier": ""}}, "Value '{tier=}' at 'labels' failed to satisfy constraint"},
		{"nodes", object{"labels": object{"example.com/" + strings.Repeat("x", 52): "a"}}, "failed to satisfy constraint: keys and values must have length"},
		{"nodes", object{"labels": object{"tier": "a b"}}, `Label value "a b" of tier`},
		{"nodes", object{"labels": object{"a/b/c": "x"}}, "is no qualified name"},
		{"nodes", object{"taints": list(object{"key": "a", "effect": "NoSchedule"})}, "must be one of NO_SCHEDULE"},
		{"nodes", object{"taints": list(object{"key": "a", "value": "1", "effect": "NO_SCHEDULE"}, object{"key": "a", "value": "2", "effect": "NO_SCHEDULE"})}, "Duplicate taint a NO_SCHEDULE"},
		{"nodes", object{"updateConfig": object{"maxUnavailable": 1.0, "maxUnavailablePercentage": 33.0}}, "conflicts with"},
		{"nodes", object{"updateConfig": object{}}, "updateConfig needs maxUnavailable or maxUnavailablePercentage"},
		{"nodes", object{"version": "1.34"}, "Nodegroup Kubernetes version 1.34 can't be newer than the cluster's version 1.33"},
		{"nodes", object{"releaseVersion": "1.32.9-20251112"}, "Requested Nodegroup release version 1.32.9-20251112 is invalid"},
		{"nodes", object{"releaseVersion": "1.33.5-20251112", "amiType": "BOTTLEROCKET_x86_64"}, "A release of Bottlerocket looks like"},
	})
}

func TestNodeGroupOutputs(t *testing.T) {
	w := newClusterWorld(t)
	out := w.by["nodes"].Out
	name := w.out("nodes", "nodeGroupName")
	for k, want := range map[string]any{
		"status": "ACTIVE", "amiType": "AL2023_x86_64_STANDARD", "capacityType": "ON_DEMAND", "version": "1.33", "releaseVersion": "1.33.5-20251112",
	} {
		if out[k] != want {
			t.Errorf("%s is %v, want %v", k, out[k], want)
		}
	}
	group := autoScalingGroupOf(&Object{Outputs: out})
	if w.id("nodes") != "demo:"+name || !strings.HasPrefix(group, "eks-"+name+"-") {
		t.Errorf("id %s, auto scaling group %s", w.id("nodes"), group)
	}
	// Schedules and target groups take the group that EKS made.
	w.create(scheduleToken, "night", object{"autoscalingGroupName": group, "scheduledActionName": "night", "recurrence": "0 20 * * *", "minSize": -1.0, "maxSize": -1.0, "desiredCapacity": 1.0})
	arm := w.create(nodeGroupToken, "arm", w.changed("nodes", object{"instanceTypes": list("m6g.large"), "launchTemplate": nil}))
	if arm.Out["amiType"] != "AL2023_ARM_64_STANDARD" || arm.Out["diskSize"] != 20.0 {
		t.Errorf("a group of Graviton instances without a launch template: %v", arm.Out)
	}
	if refused := w.delete(w.by["nodes"]); refused != "" {
		t.Fatal(refused)
	}
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
		if tx.Find(autoScalingGroupToken, "name", group) != nil || tx.Find(scheduleToken, "autoscalingGroupName", group) != nil {
			t.Error("the auto scaling group or its scheduled action outlives the node group")
		}
		if tx.entry("demo", w.out("nodeRole", "arn")) == nil {
			t.Error("the access entry of a role that another node group needs is gone")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestNodeGroupRevisions(t *testing.T) {
	w := newClusterWorld(t)
	w.revises([]revision{
		{"nodes", object{"instanceTypes": list("m5.xlarge")}, []string{"instanceTypes"}},
		{"nodes", object{"amiType": "BOTTLEROCKET_x86_64"}, []string{"amiType"}},
		{"nodes", object{"capacityType": "SPOT"}, []string{"capacityType"}},
		{"nodes", object{"subnetIds": list(w.id("publicA"))}, []string{"subnetIds"}},
		{"nodes", object{"nodeRoleArn": w.out("role", "arn")}, []string{"nodeRoleArn"}},
		{"nodes", object{"diskSize": 50.0}, []string{"diskSize"}},
		{"nodes", object{"launchTemplate": object{"id": w.id("template"), "version": "1"}}, []string{"launchTemplate"}},
		{"nodes", object{"subnetIds": list(w.id("publicB"), w.id("privateA"))}, nil},
		{"nodes", object{"labels": object{"tier": "api"}, "updateConfig": object{"maxUnavailable": 2.0}}, nil},
		{"nodes", size(2, 3, 5), nil},
	})
	if refused := w.update(w.by["nodeTemplate"], w.changed("nodeTemplate", object{"description": "newer"})); refused != "" {
		t.Fatal(refused)
	}
	w.revises([]revision{{"nodes", object{"launchTemplate": object{"id": w.id("nodeTemplate"), "version": "2"}, "scalingConfig": w.in["nodes"]["scalingConfig"]}, nil}})
	if v := nested(w.by["nodes"].Out["launchTemplate"])["version"]; v != "2" {
		t.Errorf("the node group uses version %v of its launch template", v)
	}
	if refused := w.update(w.by["cluster"], w.changed("cluster", object{"version": "1.34"})); refused != "" {
		t.Fatal(refused)
	}
	w.revises([]revision{{"nodes", object{"version": "1.34", "scalingConfig": w.in["nodes"]["scalingConfig"]}, nil}})
	if out := w.by["nodes"].Out; out["releaseVersion"] != "1.34.1-20251112" {
		t.Errorf("after the upgrade the release is %v", out["releaseVersion"])
	}
	if got := w.update(w.by["nodes"], w.changed("nodes", object{"version": "1.33"})); !strings.Contains(got, "can't be downgraded from 1.34 to 1.33") {
		t.Errorf("downgrade: %q", got)
	}
}

func TestSizeThatSomebodyElseSetStays(t *testing.T) {
	w := newClusterWorld(t)
	nodes := w.by["nodes"]
	group := autoScalingGroupOf(&Object{Outputs: nodes.Out})
	resize := func(low, high, desired int) {
		t.Helper()
		if err := w.p.account.Do("us-west-2", func(tx *Tx) error { return tx.Resize(group, low, high, desired) }); err != nil {
			t.Fatal(err)
		}
	}
	desired := func() int { return wholeNumber(nested(nodes.Out["scalingConfig"])["desiredSize"]) }
	resize(-1, -1, 4)
	if refused := w.update(nodes, w.changed("nodes", object{"labels": object{"tier": "api"}})); refused != "" {
		t.Fatal(refused)
	}
	if desired() != 4 {
		t.Errorf("new labels set the size to %d; the autoscaler had made it 4", desired())
	}
	if refused := w.update(nodes, w.changed("nodes", size(1, 3, 4))); refused != "" {
		t.Fatal(refused)
	}
	if desired() != 3 {
		t.Errorf("the program's new size is 3, the group has %d", desired())
	}
	resize(0, 2, -1)
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
		g := KubeView(tx).Clusters[0].NodeGroups[0]
		if g.Desired != 2 {
			t.Errorf("a group whose maximum is set to 2 has %d nodes", g.Desired)
		}
		if err := tx.Resize(group, 5, 1, -1); err == nil || !strings.Contains(err.Error(), "must be greater than or equal to min bound") {
			t.Errorf("minimum above maximum: %v", err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestKubernetesSeesTheAccount(t *testing.T) {
	w := newClusterWorld(t)
	file := filepath.Join(t.TempDir(), view.FileName)
	var before *view.View
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error { before = KubeView(tx); return tx.WriteKubeView(file) }); err != nil {
		t.Fatal(err)
	}
	v, _, err := view.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	c := v.Cluster("demo")
	if c == nil || c.Region != "us-west-2" || len(c.NodeGroups) != 1 {
		t.Fatalf("the view is %+v", v)
	}
	g := c.NodeGroups[0]
	zones := []string{g.Subnets[0].Zone, g.Subnets[1].Zone}
	if g.Desired != 2 || g.DiskSizeGiB != 40 || g.Version != "1.33" || !slices.Equal(zones, []string{"us-west-2a", "us-west-2b"}) || g.Labels["tier"] != "web" || !slices.Equal(g.InstanceTypes, []string{"m5.large"}) {
		t.Errorf("the node group is %+v", g)
	}
	var who []string
	for _, e := range c.AccessEntries {
		who = append(who, e.PrincipalArn+" "+strings.Join(e.Groups, ","))
		if len(e.Policies) != 1 || e.Policies[0].Arn != clusterAdminPolicy || e.Policies[0].ScopeType != view.ScopeCluster {
			t.Errorf("%s has the policies %+v", e.PrincipalArn, e.Policies)
		}
	}
	if want := []string{callerRoleARN + " ", "arn:aws:iam::123456789012:role/team/admins readers"}; !slices.Equal(who, want) {
		t.Errorf("admitted are %q, want %q", who, want)
	}
	// A cluster made again under its name is another one.
	w.free()
	w.create(clusterToken, "again", w.changed("cluster", nil))
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
		if id := KubeView(tx).Clusters[0].ID; id == before.Clusters[0].ID {
			t.Errorf("the new cluster has the old one's id %s", id)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// How long the nodes of a group that is gone go on is what held when it went, however late somebody looks.
func TestNodesOfAGroupThatIsGone(t *testing.T) {
	for name, c := range map[string]struct {
		hook bool
		want int
	}{"a hook that goes with the group": {true, 45}, "a hook that went before it": {false, 0}} {
		w := newClusterWorld(t)
		group := w.by["nodes"]
		var asg string
		look := func(f func(tx *Tx)) {
			if err := w.p.account.Do("us-west-2", func(tx *Tx) error { f(tx); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		look(func(tx *Tx) { asg = tx.All(autoScalingGroupToken)[0].Str("name") })
		hook := w.create(lifecycleHookToken, "hook", object{"autoscalingGroupName": asg, "lifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING", "heartbeatTimeout": 45.0})
		if !c.hook {
			if refused := w.delete(hook); refused != "" {
				t.Fatal(refused)
			}
		}
		if refused := w.delete(group); refused != "" {
			t.Fatal(refused)
		}
		look(func(tx *Tx) {
			v := KubeView(tx).Clusters[0]
			if len(v.NodeGroups) != 0 || len(v.Ended) != 1 || v.Ended[w.out("nodes", "arn")] != c.want {
				t.Errorf("%s: %v, want %d; groups %v", name, v.Ended, c.want, v.NodeGroups)
			}
		})
		w.free()
		look(func(tx *Tx) {
			if left := tx.All(endedToken); len(left) != 0 {
				t.Errorf("%s: without the cluster there still is %v", name, left)
			}
		})
	}
}

// What the user data of a launch template tells the kubelet, as far as EKS lets it.
func TestToldMaxPods(t *testing.T) {
	part := func(kind, text string) string {
		return "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"//\"\n\n--//\nContent-Type: " + kind + "\n\n" + text + "\n\n--//--\n"
	}
	config := func(kubelet string) string {
		return part("application/node.eks.aws", `{"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": {"kubelet": `+kubelet+`}}`)
	}
	const rocket = "BOTTLEROCKET_x86_64"
	for name, c := range map[string]struct {
		ami, data string
		want      int
	}{
		"nothing":                      {"", "", 0},
		"a flag":                       {"", config(`{"config": {"maxPods": 60}, "flags": ["--max-pods=70", "--v=2"]}`), 70},
		"the last flag":                {"", config(`{"flags": ["--max-pods=70", "--max-pods=80"]}`), 80},
		"in YAML":                      {"", part("application/node.eks.aws", "spec:\n  kubelet:\n    flags:\n    - --max-pods=90"), 90},
		"no flag, which EKS overrides": {"", config(`{"config": {"maxPods": 60}}`), 0},
		"a script":                     {"", part("text/x-shellscript", "spec: {kubelet: {flags: [--max-pods=70]}}"), 0},
		"no archive":                   {"", "#!/bin/sh\n", 0},
		"Bottlerocket":                 {rocket, "[settings.kubernetes]\nmax-pods = 100\n", 100},
		"Bottlerocket without":         {rocket, "[settings.kubernetes]\nlog-level = 2\n", 0},
	} {
		lt := &Object{Inputs: map[string]any{"userData": base64.StdEncoding.EncodeToString([]byte(c.data))}}
		if got := toldMaxPods(lt, c.ami); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	w := newClusterWorld(t)
	told := base64.StdEncoding.EncodeToString([]byte(config(`{"flags": ["--max-pods=17"]}`)))
	if refused := w.update(w.by["nodeTemplate"], w.changed("nodeTemplate", object{"userData": told})); refused != "" {
		t.Fatal(refused)
	}
	sees := func(want int) {
		t.Helper()
		if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
			if g := KubeView(tx).Clusters[0].NodeGroups[0]; g.MaxPods != want {
				t.Errorf("Kubernetes sees %d pods, want %d", g.MaxPods, want)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	sees(0) // until the group takes the new version
	next := object{"launchTemplate": object{"id": w.id("nodeTemplate"), "version": "2"}}
	if refused := w.update(w.by["nodes"], w.changed("nodes", next)); refused != "" {
		t.Fatal(refused)
	}
	sees(17)
}
