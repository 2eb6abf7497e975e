package cluster_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/cluster"
	"github.com/slipway-iac/slipway/internal/recorder"
)

const (
	pluginType      = "eks:index:Cluster"
	groupType       = "aws:eks/nodeGroup:NodeGroup"
	templateType    = "aws:ec2/launchTemplate:LaunchTemplate"
	addonType       = "aws:eks/addon:Addon"
	logGroupType    = "aws:cloudwatch/logGroup:LogGroup"
	keyType         = "aws:kms/key:Key"
	associationType = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
	kubernetesType  = "pulumi:providers:kubernetes"

	deploy = "arn:aws:iam::123456789012:role/deploy"
)

// typical is the least that a cluster takes.
func typical() *cluster.EksClusterArgs {
	return &cluster.EksClusterArgs{
		VpcId:            pulumi.String("vpc-1"),
		PrivateSubnetIds: pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
		Admins:           []string{deploy},
		NodeGroups:       []cluster.NodeGroup{{Name: "main", InstanceTypes: []string{"m5.large"}, MinSize: 2, MaxSize: 4}},
	}
}

// run makes a cluster against a recorder that answers as AWS and the eks plugin do, and hands it to use.
func run(r *recorder.Recorder, name string, args *cluster.EksClusterArgs, use func(*cluster.EksCluster)) error {
	r.Outputs = map[string]func(pulumi.MockResourceArgs) resource.PropertyMap{
		pluginType: func(pulumi.MockResourceArgs) resource.PropertyMap {
			return resource.PropertyMap{
				"kubeconfigJson":      resource.NewProperty(`{"apiVersion":"v1"}`),
				"nodeSecurityGroupId": resource.NewProperty("sg-1"),
				"oidcProviderUrl":     resource.NewProperty("https://oidc.eks.us-west-2.amazonaws.com/id/A1"),
			}
		},
		"aws:iam/openIdConnectProvider:OpenIdConnectProvider": func(pulumi.MockResourceArgs) resource.PropertyMap {
			return resource.PropertyMap{"arn": resource.NewProperty("arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/A1")}
		},
		"aws:iam/role:Role": func(a pulumi.MockResourceArgs) resource.PropertyMap {
			return resource.PropertyMap{"arn": resource.NewProperty("arn:aws:iam::123456789012:role/" + a.Name), "name": resource.NewProperty(a.Name)}
		},
		keyType: func(pulumi.MockResourceArgs) resource.PropertyMap {
			return resource.PropertyMap{"arn": resource.NewProperty("arn:aws:kms:us-west-2:123456789012:key/k-1"), "keyId": resource.NewProperty("k-1")}
		},
		templateType: func(pulumi.MockResourceArgs) resource.PropertyMap {
			return resource.PropertyMap{"latestVersion": resource.NewProperty(3.0)}
		},
		groupType: func(a pulumi.MockResourceArgs) resource.PropertyMap {
			behind := resource.PropertyMap{"autoscalingGroups": resource.NewProperty([]resource.PropertyValue{
				resource.NewProperty(resource.PropertyMap{"name": resource.NewProperty("eks-" + a.Name)}),
			})}
			return resource.PropertyMap{
				"nodeGroupName": resource.NewProperty(a.Name + "-0123456"),
				"resources":     resource.NewProperty([]resource.PropertyValue{resource.NewProperty(behind)}),
			}
		},
	}
	if r.Calls == nil {
		r.Calls = map[string]func(resource.PropertyMap) resource.PropertyMap{}
	}
	for token, answer := range map[string]func(resource.PropertyMap) resource.PropertyMap{
		"aws:index/getCallerIdentity:getCallerIdentity": func(resource.PropertyMap) resource.PropertyMap {
			return resource.PropertyMap{"arn": resource.NewProperty("arn:aws:sts::123456789012:assumed-role/pipeline/run")}
		},
		"aws:index/getRegion:getRegion": func(resource.PropertyMap) resource.PropertyMap {
			return resource.PropertyMap{"name": resource.NewProperty("us-west-2")}
		},
		"aws:eks/getAddonVersion:getAddonVersion": func(in resource.PropertyMap) resource.PropertyMap {
			version := "v1.2.3-eksbuild.1"
			if in["mostRecent"].BoolValue() {
				version = "v9.9.9-eksbuild.9"
			}
			return resource.PropertyMap{"version": resource.NewProperty(version + " for " + in["kubernetesVersion"].StringValue())}
		},
	} {
		if r.Calls[token] == nil {
			r.Calls[token] = answer
		}
	}
	var refused error
	err := r.Run(func(ctx *pulumi.Context) error {
		var c *cluster.EksCluster
		if c, refused = cluster.NewEksCluster(ctx, name, args); refused == nil && use != nil {
			use(c)
		}
		return refused
	})
	if refused != nil {
		return refused
	}
	return err
}

func mustRun(t *testing.T, args *cluster.EksClusterArgs) *recorder.Recorder {
	t.Helper()
	r := &recorder.Recorder{}
	if err := run(r, "cluster", args, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRegistered(t *testing.T) {
	args := typical()
	args.Version, args.LogRetentionDays, args.SessionManager = "1.36", 365, true
	args.PublicSubnetIds = pulumi.ToStringArray([]string{"subnet-c"})
	args.PublicAccessCidrs = []string{"198.51.100.0/24"}
	args.Admins = append(args.Admins, "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/Ops", "arn:aws:iam::123456789012:user/break-glass")
	args.KubeconfigRole = deploy
	args.Viewers = []string{"arn:aws:iam::123456789012:role/on-call", "arn:aws:iam::123456789012:user/audit"}
	args.Auditors = []string{"arn:aws:iam::123456789012:role/drift"}
	args.Developers = []cluster.Developer{
		{Principal: "arn:aws:iam::123456789012:role/on-call", Namespaces: []string{"example"}},
		{Principal: "arn:aws:iam::123456789012:role/shop", Namespaces: []string{"shop", "shop-test"}},
	}
	args.CiRole, args.CiNamespaces = "arn:aws:iam::123456789012:role/release", []string{"example"}
	args.AppRoles = []cluster.AppRole{
		{Namespace: "example", ServiceAccount: "frontend", ManagedPolicyArns: []string{"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}},
		{Namespace: "example", ServiceAccount: strings.Repeat("long.", 20) + "name", Policy: pulumi.String(`{"Version":"2012-10-17","Statement":[]}`)},
	}
	args.AddonVersions = map[string]string{"coredns": "v1.12.3-eksbuild.1"}
	args.NodeGroups = append(args.NodeGroups, cluster.NodeGroup{
		Name: "arm", InstanceTypes: []string{"m7g.large", "m6gd.large"}, MaxSize: 9, DesiredSizeOwner: cluster.OwnerAutoscaler,
		DiskSizeGiB: 100, MaxUnavailablePercent: 50, ReleaseVersion: "1.36.2-20260709",
	}, cluster.NodeGroup{
		Name: "batch", InstanceTypes: []string{"m5.2xlarge", "m6i.2xlarge"}, Capacity: cluster.Spot, AmiFamily: cluster.Bottlerocket, MaxSize: 3,
		SubnetIds: pulumi.ToStringArray([]string{"subnet-a"}), Labels: map[string]string{"team": "thoughts"}, Taints: []cluster.Taint{{Key: "batch", Value: "yes", Effect: "NoSchedule"}},
		Kubelet:        &cluster.Kubelet{MaxPods: 50, SystemReservedCPU: "100m", SystemReservedMemory: "200Mi", KubeReservedMemory: "1Gi"},
		MaxUnavailable: 2, ForceUpdate: true, ReleaseVersion: "1.50.0-ed0a1c2b",
	})
	args.Tags = map[string]string{"team": "thoughts"}
	r := mustRun(t, args)
	r.Golden(t, "cluster")
	recorder.CheckDocTree(t, "ekscluster.go", "EksCluster", r)
	for _, a := range r.Seen() {
		if a.TypeToken != cluster.EksClusterType && !strings.HasSuffix(a.RegisterRPC.GetParent(), "::"+cluster.EksClusterType+"::cluster") {
			t.Errorf("%s %s hangs at %s, not at the component", a.TypeToken, a.Name, a.RegisterRPC.GetParent())
		}
	}
}

func TestOutputs(t *testing.T) {
	got := map[string]any{}
	args := typical()
	args.AppRoles = []cluster.AppRole{{Namespace: "example", ServiceAccount: "frontend", Policy: pulumi.String("{}")}}
	err := run(&recorder.Recorder{}, "cluster", args, func(c *cluster.EksCluster) {
		pulumi.All(c.ClusterName, c.KubeconfigJson, c.NodeSecurityGroupId, c.OidcProviderArn, c.OidcProviderUrl, c.NodeGroupNames, c.AutoScalingGroupNames, c.AppRoleArns).
			ApplyT(func(all []any) string {
				got["names"] = strings.Join([]string{all[0].(string), all[1].(string), all[2].(string), all[3].(string), all[4].(string)}, " ")
				got["role"] = all[7].(map[string]string)["example/frontend"]
				got["group"], got["auto scaling group"] = all[5].(map[string]string)["main"], all[6].(map[string]string)["main"]
				return ""
			})
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"names":              `proj-stack-cluster {"apiVersion":"v1"} sg-1 arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/A1 https://oidc.eks.us-west-2.amazonaws.com/id/A1`,
		"role":               "arn:aws:iam::123456789012:role/cluster-app-example.frontend",
		"group":              "cluster-main-0123456",
		"auto scaling group": "eks-cluster-main",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// A preview before anything exists must not fail, and what it cannot know must be unknown rather than empty.
func TestPreview(t *testing.T) {
	r := &recorder.Recorder{Preview: true}
	early := make(chan string, 3)
	err := run(r, "cluster", typical(), func(c *cluster.EksCluster) {
		for what, out := range map[string]pulumi.StringOutput{
			"kubeconfig": c.KubeconfigJson, "security group": c.NodeSecurityGroupId,
			"auto scaling group": c.AutoScalingGroupNames.MapIndex(pulumi.String("main")),
		} {
			out.ApplyT(func(v string) string {
				early <- what + " is known: " + v
				return v
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	close(early)
	for problem := range early {
		t.Error(problem)
	}
	// These decide whether a resource is replaced, so no preview may doubt them.
	for _, known := range []struct{ typ, name, key, want string }{
		{groupType, "cluster-main", "clusterName", "proj-stack-cluster"},
		{groupType, "cluster-main", "version", "1.35"},
		{addonType, "cluster-coredns", "clusterName", "proj-stack-cluster"},
		{addonType, "cluster-coredns", "addonVersion", "v1.13.2-eksbuild.31"},
		{associationType, "cluster-admin-123456789012:role/deploy", "principalArn", deploy},
		{kubernetesType, "cluster-kubernetes", "clusterIdentifier", "proj-stack-cluster"},
	} {
		if v := r.Find(t, known.typ, known.name).Inputs[resource.PropertyKey(known.key)]; !v.IsString() || v.StringValue() != known.want {
			t.Errorf("%s %s: %s is %v, want %q", known.typ, known.name, known.key, v, known.want)
		}
	}
	if v := r.Find(t, kubernetesType, "cluster-kubernetes").Inputs["kubeconfig"]; v.IsString() {
		t.Errorf("the kubernetes provider's kubeconfig is %v before there is a cluster", v)
	}
}

// The record changes when a group does, and its hook drains before that; nothing is asked of whoever destroys without the program.
func TestHandOver(t *testing.T) {
	r := mustRun(t, typical()).Find(t, "pulumi:index:Stash", "cluster-nodes")
	if got := r.Inputs["input"].ObjectValue()["main"].StringValue(); got != "cluster-main-0123456" {
		t.Errorf("the record holds %v", r.Inputs)
	}
	hooks := r.RegisterRPC.GetHooks()
	if !slices.Equal(hooks.GetBeforeUpdate(), []string{"cluster-drain"}) || len(hooks.GetBeforeDelete())+len(hooks.GetAfterDelete())+len(hooks.GetBeforeCreate()) > 0 {
		t.Errorf("the hooks are %v", hooks)
	}
}

func TestOwnerOfSize(t *testing.T) {
	for owner, want := range map[string][]string{
		"":                      nil,
		cluster.OwnerFixed:      nil,
		cluster.OwnerSchedule:   {"scalingConfig"},
		cluster.OwnerAutoscaler: {"scalingConfig.desiredSize"},
	} {
		args := typical()
		args.NodeGroups[0].DesiredSizeOwner = owner
		if got := mustRun(t, args).Find(t, groupType, "cluster-main").RegisterRPC.GetIgnoreChanges(); !slices.Equal(got, want) {
			t.Errorf("owner %q: changes of %v are ignored, want %v", owner, got, want)
		}
	}
}

// A node that leaves stays for the drain and a little more, as far as AWS lets a hook say so, and its hook goes with its group.
func TestNodesStayForTheDrain(t *testing.T) {
	for seconds, want := range map[int]float64{0: 45, 1: 30, 15: 30, 16: 31, 60: 75, 3600: 3615} {
		args := typical()
		args.DrainSeconds = seconds
		hook := mustRun(t, args).Find(t, "aws:autoscaling/lifecycleHook:LifecycleHook", "cluster-main-drain")
		if got := hook.Inputs["heartbeatTimeout"].NumberValue(); got != want {
			t.Errorf("drainSeconds %d: nodes stay for %v s, want %v", seconds, got, want)
		}
		if with := hook.RegisterRPC.GetDeletedWith(); !strings.HasSuffix(with, groupType+"::cluster-main") {
			t.Errorf("the hook goes with %q, not with its group", with)
		}
	}
}

// Whoever leaves a thing out must get the careful choice.
func TestCarefulByDefault(t *testing.T) {
	r := mustRun(t, typical())
	plugin := r.Find(t, pluginType, "cluster-eks")
	if in := plugin.Inputs; in["endpointPublicAccess"].BoolValue() || in.HasValue("publicAccessCidrs") || !in["endpointPrivateAccess"].BoolValue() {
		t.Errorf("without CIDRs the API server is not private: %v", in)
	}
	if n := len(plugin.RegisterRPC.GetTransforms()); n != 1 {
		t.Errorf("%d transforms on the plugin's cluster, want the one that keeps its creator from being an admin", n)
	}
	for _, kept := range []pulumi.MockResourceArgs{plugin, r.Find(t, keyType, "cluster-secrets")} {
		if !kept.RegisterRPC.GetProtect() {
			t.Errorf("%s %s can be deleted by accident", kept.TypeToken, kept.Name)
		}
	}
	if desired := r.Find(t, groupType, "cluster-main").Inputs["scalingConfig"].ObjectValue()["desiredSize"].NumberValue(); desired != 2 {
		t.Errorf("desired size is %v, want the minimum, 2", desired)
	}
	if days := r.Find(t, logGroupType, "cluster-logs").Inputs["retentionInDays"].NumberValue(); days != 90 {
		t.Errorf("logs are kept %v days", days)
	}
}

func TestAllowDeletion(t *testing.T) {
	args := typical()
	args.AllowDeletion = true
	for _, a := range mustRun(t, args).Seen() {
		if a.RegisterRPC.GetProtect() {
			t.Errorf("%s %s is protected", a.TypeToken, a.Name)
		}
	}
}

// Where the library knows none that fits, it is AWS's default for the version, not the newest.
func TestAddonsWithoutAVersion(t *testing.T) {
	args := typical()
	args.Version = "1.36"
	if v := mustRun(t, args).Find(t, addonType, "cluster-metrics-server").Inputs["addonVersion"].StringValue(); v != "v1.2.3-eksbuild.1 for 1.36" {
		t.Errorf("metrics-server is %s", v)
	}
}

func TestPinnedAddons(t *testing.T) {
	args := typical()
	args.AddonVersions = map[string]string{}
	for _, a := range []string{"vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent", "metrics-server"} {
		args.AddonVersions[a] = "v1.35.0-eksbuild.7"
	}
	r := mustRun(t, args)
	for a, version := range args.AddonVersions {
		if got := r.Find(t, addonType, "cluster-"+a).Inputs["addonVersion"].StringValue(); got != version {
			t.Errorf("%s is %s, want %s", a, got, version)
		}
	}
}

// What is made before another is deleted after it. Each line is a failure that users of EKS have met on destroy or on the
// first update.
func TestOrder(t *testing.T) {
	args := typical()
	args.AppRoles = []cluster.AppRole{{Namespace: "example", ServiceAccount: "app", ManagedPolicyArns: []string{"arn:aws:iam::123456789012:policy/own"}, Policy: pulumi.String("{}")}}
	r := mustRun(t, args)
	for _, o := range []struct{ first, then, why string }{
		{logGroupType + " cluster-logs", pluginType + " cluster-eks", "EKS makes the log group itself, and then Pulumi cannot"},
		{keyType + " cluster-secrets", pluginType + " cluster-eks", "a cluster without its key is lost"},
		{pluginType + " cluster-eks", groupType + " cluster-main", "the cluster is not deleted while it has nodes"},
		{pluginType + " cluster-eks", addonType + " cluster-vpc-cni", "no add-on without a cluster"},
		{addonType + " cluster-vpc-cni", groupType + " cluster-main", "nodes leave network interfaces behind"},
		{addonType + " cluster-eks-pod-identity-agent", groupType + " cluster-main", "pods start without rights"},
		{"aws:iam/rolePolicyAttachment:RolePolicyAttachment cluster-node-cni", groupType + " cluster-main", "nodes cannot release their interfaces"},
		{"aws:iam/rolePolicyAttachment:RolePolicyAttachment cluster-node-worker", groupType + " cluster-main", "nodes cannot join"},
		{templateType + " cluster-main", groupType + " cluster-main", "nodes cannot be replaced"},
		{groupType + " cluster-main", addonType + " cluster-coredns", "it never becomes active"},
		{groupType + " cluster-main", addonType + " cluster-metrics-server", "it never becomes active"},
		{groupType + " cluster-main", kubernetesType + " cluster-kubernetes", "deployments wait for nodes until they time out"},
		{addonType + " cluster-coredns", kubernetesType + " cluster-kubernetes", "apps start without DNS"},
		{"aws:eks/podIdentityAssociation:PodIdentityAssociation cluster-app-example.app", kubernetesType + " cluster-kubernetes", "pods start without their rights"},
		{"aws:iam/rolePolicy:RolePolicy cluster-app-example.app", "aws:eks/podIdentityAssociation:PodIdentityAssociation cluster-app-example.app", "pods start with a role that may do nothing"},
		{"aws:iam/rolePolicyAttachment:RolePolicyAttachment cluster-app-example.app-own", "aws:eks/podIdentityAssociation:PodIdentityAssociation cluster-app-example.app", "pods start with a role that may do nothing"},
		{addonType + " cluster-eks-pod-identity-agent", "aws:eks/podIdentityAssociation:PodIdentityAssociation cluster-app-example.app", "nothing on the nodes gives them out"},
		{groupType + " cluster-main", "pulumi:index:Stash cluster-nodes", "old nodes are drained before there are new ones"},
		{associationType + " cluster-admin-123456789012:role/deploy", "pulumi:index:Stash cluster-nodes", "nodes cannot be drained without rights"},
		{associationType + " cluster-admin-123456789012:role/deploy", kubernetesType + " cluster-kubernetes", "objects cannot be deleted without rights"},
	} {
		if !before(r, o.first, o.then) {
			t.Errorf("%s does not wait for %s: %s", o.then, o.first, o.why)
		}
	}
}

// before tells whether what is named then depends on first, over whatever lies between.
func before(r *recorder.Recorder, first, then string) bool {
	needs := map[string][]string{}
	for _, a := range r.Seen() {
		for _, d := range a.RegisterRPC.GetDependencies() {
			u := urn.URN(d)
			needs[a.TypeToken+" "+a.Name] = append(needs[a.TypeToken+" "+a.Name], string(u.Type())+" "+u.Name())
		}
	}
	var reaches func(from string) bool
	reaches = func(from string) bool {
		return from == first || slices.ContainsFunc(needs[from], reaches)
	}
	return slices.ContainsFunc(needs[then], reaches)
}
