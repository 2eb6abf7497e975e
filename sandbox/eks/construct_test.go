package eks

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

type object = map[string]any

const trustOfNodes = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}]}`

// stack is an engine with a network, and the arguments of a cluster in it.
func stack(t *testing.T, kubernetes string) (*engine, object) {
	t.Helper()
	e := newEngine(t, kubernetes)
	vpc, _ := e.create("aws:ec2/vpc:Vpc", "vpc", object{"cidrBlock": "10.0.0.0/16"})
	a, _ := e.create("aws:ec2/subnet:Subnet", "a", object{"vpcId": vpc, "cidrBlock": "10.0.0.0/24", "availabilityZone": "us-west-2a"})
	b, _ := e.create("aws:ec2/subnet:Subnet", "b", object{"vpcId": vpc, "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-west-2b"})
	_, key := e.create("aws:kms/key:Key", "key", object{})
	role, _ := e.create("aws:iam/role:Role", "node", object{"assumeRolePolicy": trustOfNodes})
	e.create("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "node", object{"role": role, "policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"})
	return e, object{
		"name": "demo", "version": "1.34", "authenticationMode": "API", "vpcId": vpc, "publicSubnetIds": []any{a}, "privateSubnetIds": []any{b},
		"endpointPrivateAccess": true, "endpointPublicAccess": false, "encryptionConfigKeyArn": key["arn"], "enabledClusterLogTypes": []any{"api", "audit"},
		"skipDefaultNodeGroup": true, "skipDefaultSecurityGroups": true, "useDefaultVpcCni": true, "kubeProxyAddonOptions": object{"enabled": false},
		"clusterTags": object{"Name": "demo"}, "tags": object{"team": "a"},
	}
}

func with(in, change object) object {
	out := object{}
	for k, v := range in {
		out[k] = v
	}
	for k, v := range change {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

func TestClusterHasTheChildrenOfTheRealOne(t *testing.T) {
	e, in := stack(t, "https://127.0.0.1:1")
	out, err := e.construct(clusterType, "k", in, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `aws:eks/cluster:Cluster k-eksCluster in k v6.83.2 ignores accessConfig.bootstrapClusterCreatorAdminPermissions, bootstrapSelfManagedAddons
aws:iam/role:Role k-eksRole-role in k-eksRole v6.83.2
aws:iam/rolePolicyAttachment:RolePolicyAttachment k-eksRole-4b490823 in k-eksRole v6.83.2
eks:index:ServiceRole k-eksRole in k
pulumi:providers:kubernetes k-eks-k8s in k v4.30.0
`
	if got := e.tree(clusterType); got != want {
		t.Errorf("children\n%s\nwant\n%s", got, want)
	}
	cluster := e.inputs("k-eksCluster aws:eks/cluster:Cluster")
	for name, want := range map[string]any{
		"name": "demo", "version": "1.34", "tags": object{"Name": "demo", "team": "a"}, "bootstrapSelfManagedAddons": true,
		"accessConfig":     object{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": true},
		"encryptionConfig": object{"provider": object{"keyArn": in["encryptionConfigKeyArn"]}, "resources": []any{"secrets"}},
		"vpcConfig":        object{"subnetIds": []any{in["publicSubnetIds"].([]any)[0], in["privateSubnetIds"].([]any)[0]}, "endpointPrivateAccess": true, "endpointPublicAccess": false},
	} {
		if !reflect.DeepEqual(cluster[name], want) {
			t.Errorf("the cluster's %s is %v, want %v", name, cluster[name], want)
		}
	}
	role := e.inputs("k-eksRole-role aws:iam/role:Role")
	if want := `{"Version":"2012-10-17","Statement":[{"Action":["sts:AssumeRole","sts:TagSession"],"Effect":"Allow","Principal":{"Service":["eks.amazonaws.com"]}}]}`; role["assumeRolePolicy"] != want {
		t.Errorf("trust policy %v\nwant %s", role["assumeRolePolicy"], want)
	}
	config := `{"apiVersion":"v1","clusters":[{"cluster":{"server":"https://127.0.0.1:1","certificate-authority-data":"Q0E="},"name":"kubernetes"}],` +
		`"contexts":[{"context":{"cluster":"kubernetes","user":"aws"},"name":"aws"}],"current-context":"aws","kind":"Config","users":[{"name":"aws","user":{"exec":` +
		`{"apiVersion":"client.authentication.k8s.io/v1beta1","command":"aws","args":["--region","us-west-2","eks","get-token","--cluster-name","demo","--output","json"],` +
		`"env":[{"name":"KUBERNETES_EXEC_INFO","value":"{\"apiVersion\": \"client.authentication.k8s.io/v1beta1\"}"}]}}}]}`
	if got := out["kubeconfigJson"]; !got.IsString() || got.StringValue() != config {
		t.Errorf("kubeconfigJson\n%v\nwant\n%s", got, config)
	}
	if got := e.inputs("k-eks-k8s pulumi:providers:kubernetes")["kubeconfig"]; got != config {
		t.Errorf("the kubernetes provider's kubeconfig is %v", got)
	}
	state := e.resources["k-eksCluster aws:eks/cluster:Cluster"].state.AsMap()
	group := state["vpcConfig"].(object)["clusterSecurityGroupId"]
	url := state["identities"].([]any)[0].(object)["oidcs"].([]any)[0].(object)["issuer"].(string)
	for name, want := range map[string]any{
		"clusterSecurityGroupId": group, "nodeSecurityGroupId": group, "oidcProviderUrl": url, "oidcIssuer": strings.TrimPrefix(url, "https://"), "oidcProviderArn": "",
		"clusterIngressRuleId": "", "defaultNodeGroupAsgName": "", "fargateProfileId": "", "fargateProfileStatus": "", "autoModeNodeRoleName": "",
	} {
		if got := out[resource.PropertyKey(name)]; !got.IsString() || got.StringValue() != want {
			t.Errorf("output %s is %v, want %v", name, got, want)
		}
	}
	if r := out["eksCluster"]; !r.IsResourceReference() || r.ResourceReferenceValue().ID.StringValue() != "demo" {
		t.Errorf("output eksCluster is %v, must refer to the cluster", r)
	}
	if core := out["core"]; !core.IsObject() || !core.ObjectValue()["cluster"].IsResourceReference() || core.ObjectValue()["endpoint"].StringValue() != "https://127.0.0.1:1" {
		t.Errorf("output core is %v", core)
	}
}

func TestClusterPreview(t *testing.T) {
	e, in := stack(t, "https://127.0.0.1:1")
	e.dryRun = true
	out, err := e.construct(clusterType, "k", with(in, object{"endpointPublicAccess": true}), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []resource.PropertyKey{"kubeconfigJson", "kubeconfig", "nodeSecurityGroupId", "oidcProviderUrl"} {
		if !out[name].IsComputed() {
			t.Errorf("in preview %s is %v, must be unknown", name, out[name])
		}
	}
	if !strings.Contains(e.tree(clusterType), "k-eks-k8s") {
		t.Errorf("a preview leaves children out:\n%s", e.tree(clusterType))
	}
}

func TestClusterWithItsOptions(t *testing.T) {
	e, in := stack(t, "https://127.0.0.1:1")
	jane := "arn:aws:iam::123456789012:role/jane"
	out, err := e.construct(clusterType, "k", with(in, object{
		"skipDefaultSecurityGroups": nil, "createOidcProvider": true, "kubeProxyAddonOptions": nil, "providerCredentialOpts": object{"roleArn": jane, "profileName": "deploy"},
		"accessEntries": object{"jane": object{"principalArn": jane, "accessPolicies": object{"view": object{
			"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy", "accessScope": object{"type": "namespace", "namespaces": []any{"example"}},
		}}}},
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `aws:ec2/securityGroup:SecurityGroup k-eksClusterSecurityGroup in k v6.83.2
aws:ec2/securityGroup:SecurityGroup k-nodeSecurityGroup in k v6.83.2
aws:ec2/securityGroupRule:SecurityGroupRule k-eksClusterIngressRule in k v6.83.2
aws:ec2/securityGroupRule:SecurityGroupRule k-eksClusterInternetEgressRule in k v6.83.2
aws:ec2/securityGroupRule:SecurityGroupRule k-eksExtApiServerClusterIngressRule in k v6.83.2
aws:ec2/securityGroupRule:SecurityGroupRule k-eksNodeClusterIngressRule in k v6.83.2
aws:ec2/securityGroupRule:SecurityGroupRule k-eksNodeIngressRule in k v6.83.2
aws:ec2/securityGroupRule:SecurityGroupRule k-eksNodeInternetEgressRule in k v6.83.2
aws:eks/accessEntry:AccessEntry k-jane in k v6.83.2
aws:eks/accessPolicyAssociation:AccessPolicyAssociation k-jane-view in k-jane v6.83.2
aws:eks/addon:Addon k-kube-proxy in k v6.83.2
aws:eks/cluster:Cluster k-eksCluster in k v6.83.2 ignores accessConfig.bootstrapClusterCreatorAdminPermissions, bootstrapSelfManagedAddons
aws:iam/openIdConnectProvider:OpenIdConnectProvider k-oidcProvider in k v6.83.2
aws:iam/role:Role k-eksRole-role in k-eksRole v6.83.2
aws:iam/rolePolicyAttachment:RolePolicyAttachment k-eksRole-4b490823 in k-eksRole v6.83.2
eks:index:ServiceRole k-eksRole in k
pulumi:providers:kubernetes k-eks-k8s in k v4.30.0
`
	if got := e.tree(clusterType); got != want {
		t.Errorf("children\n%s\nwant\n%s", got, want)
	}
	if v := e.inputs("k-kube-proxy aws:eks/addon:Addon"); v["addonVersion"] != "v1.34.1-eksbuild.2" || v["resolveConflictsOnCreate"] != "OVERWRITE" {
		t.Errorf("kube-proxy is %v, want the newest version", v)
	}
	if v := e.inputs("k-nodeSecurityGroup aws:ec2/securityGroup:SecurityGroup")["tags"].(object); v["kubernetes.io/cluster/demo"] != "owned" || v["team"] != "a" {
		t.Errorf("the nodes' security group has the tags %v", v)
	}
	config := out["kubeconfigJson"].StringValue()
	if !strings.Contains(config, `"--role","`+jane+`"`) || strings.Contains(config, "--profile") {
		t.Errorf("the kubeconfig for others is %s", config)
	}
	if own := e.inputs("k-eks-k8s pulumi:providers:kubernetes")["kubeconfig"].(string); !strings.Contains(own, `"--profile","deploy"`) {
		t.Errorf("the provider's own kubeconfig is %s", own)
	}
	if a, b := out["clusterSecurityGroupId"].StringValue(), out["nodeSecurityGroupId"].StringValue(); a == b || !out["nodeSecurityGroup"].IsResourceReference() {
		t.Errorf("security groups %s and %s", a, b)
	}
	if arn := out["oidcProviderArn"].StringValue(); !strings.HasPrefix(arn, "arn:aws:iam::123456789012:oidc-provider/oidc.eks.") {
		t.Errorf("oidcProviderArn %q", arn)
	}
}

func TestClusterWaitsUntilItAnswers(t *testing.T) {
	var asked atomic.Int32
	kubernetes := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" || asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer kubernetes.Close()
	e, in := stack(t, kubernetes.URL)
	out, err := e.construct(clusterType, "k", with(in, object{"endpointPublicAccess": true}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out["kubeconfigJson"].StringValue(), kubernetes.URL) || asked.Load() < 3 {
		t.Errorf("the kubeconfig was given out after %d questions; the third was the first to be answered", asked.Load())
	}
}

func TestExplicitProvidersReachTheChildren(t *testing.T) {
	e, in := stack(t, "https://127.0.0.1:1")
	const ref = "urn:pulumi:dev::test::pulumi:providers:aws::mine::id-1"
	if _, err := e.construct(clusterType, "k", in, func(r *pulumirpc.ConstructRequest) { r.Providers = map[string]string{"aws": ref} }); err != nil {
		t.Fatal(err)
	}
	for key, n := range e.resources {
		if strings.HasPrefix(n.GetType(), "aws:") && strings.HasPrefix(n.GetName(), "k-") && n.GetProvider() != ref {
			t.Errorf("%s is made by provider %q", key, n.GetProvider())
		}
	}
}

func TestWhatTheStandInCannotDoIsNamed(t *testing.T) {
	e, in := stack(t, "https://127.0.0.1:1")
	for want, change := range map[string]object{
		"does not know the argument(s) fargate, storageClasses. Where the real plugin is installed":    {"fargate": true, "storageClasses": "gp3"},
		`authenticationMode is "CONFIG_MAP", must be API`:                                              {"authenticationMode": "CONFIG_MAP"},
		`authenticationMode is "", must be API`:                                                        {"authenticationMode": nil},
		"skipDefaultNodeGroup must be true":                                                            {"skipDefaultNodeGroup": nil},
		"useDefaultVpcCni must be true: the sandbox does not know the component eks:index:VpcCniAddon": {"useDefaultVpcCni": nil},
		"subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually exclusive":     {"subnetIds": []any{"subnet-1"}},
		"`publicAccessCidrs` can only be set when `endpointPublicAccess` is true":                      {"publicAccessCidrs": []any{"203.0.113.0/24"}},
		"vpcId is required": {"vpcId": nil},
	} {
		before := len(e.resources)
		if _, err := e.construct(clusterType, "k", with(in, change), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("with %v: %v\nwant %s", change, err, want)
		}
		if strings.Contains(want, "argument(s)") && len(e.resources) != before {
			t.Error("something was registered before the refusal")
		}
	}
	if _, err := e.construct("eks:index:NodeGroupV2", "n", object{}, nil); err == nil || !strings.Contains(err.Error(), "does not know the component eks:index:NodeGroupV2; it knows eks:index:Addon, eks:index:Cluster, eks:index:ManagedNodeGroup") {
		t.Errorf("an unknown component: %v", err)
	}
	if _, err := e.server.Invoke(context.Background(), &pulumirpc.InvokeRequest{Tok: "eks:index:get"}); err == nil {
		t.Error("an unknown function is answered")
	}
}

func TestManagedNodeGroup(t *testing.T) {
	e, in := stack(t, "https://127.0.0.1:1")
	if _, err := e.construct(clusterType, "k", in, nil); err != nil {
		t.Fatal(err)
	}
	args := object{"cluster": e.reference("k " + clusterType), "nodeRole": e.reference("node aws:iam/role:Role"), "instanceTypes": []any{"m5.large"}, "ignoreScalingChanges": true}
	out, err := e.construct(managedNodeGroupType, "m", args, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := e.tree(managedNodeGroupType), "aws:eks/nodeGroup:NodeGroup m in m v6.83.2 ignores scalingConfig.desiredSize\n"; got != want {
		t.Errorf("children\n%s\nwant\n%s", got, want)
	}
	group := e.inputs("m aws:eks/nodeGroup:NodeGroup")
	_, role := e.resources["node aws:iam/role:Role"], e.resources["node aws:iam/role:Role"].state.AsMap()["arn"]
	for name, want := range map[string]any{
		"clusterName": "demo", "nodeRoleArn": role, "version": "1.34", "scalingConfig": object{"desiredSize": 2.0, "minSize": 1.0, "maxSize": 2.0},
		"subnetIds": []any{in["publicSubnetIds"].([]any)[0], in["privateSubnetIds"].([]any)[0]},
	} {
		if !reflect.DeepEqual(group[name], want) {
			t.Errorf("the node group's %s is %v, want %v", name, group[name], want)
		}
	}
	if r := out["nodeGroup"]; !r.IsResourceReference() || !strings.HasPrefix(r.ResourceReferenceValue().ID.StringValue(), "demo:m-") {
		t.Errorf("output nodeGroup is %v, must refer to the node group", r)
	}
	core := e.resources["k "+clusterType].outputs.GetFields()["core"]
	byCore := with(args, object{"cluster": resource.NewStringProperty("")})
	request := func(r *pulumirpc.ConstructRequest) { r.Inputs.Fields["cluster"] = core }
	if _, err := e.construct(managedNodeGroupType, "second", byCore, request); err != nil {
		t.Errorf("with the core of a cluster: %v", err)
	} else if got := e.inputs("second aws:eks/nodeGroup:NodeGroup")["clusterName"]; got != "demo" {
		t.Errorf("with the core of a cluster the name is %v", got)
	}
	for want, change := range map[string]object{
		"an IAM role, or role ARN must be provided":          {"nodeRole": nil},
		"you cannot specify both nodeRole and nodeRoleArn":   {"nodeRoleArn": "arn:aws:iam::123456789012:role/x"},
		"cluster is required":                                {"cluster": nil},
		"does not know the argument(s) amiId, enableIMDSv2.": {"amiId": "ami-1", "enableIMDSv2": true},
	} {
		if _, err := e.construct(managedNodeGroupType, "wrong", with(args, change), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("with %v: %v\nwant %s", change, err, want)
		}
	}
}

func TestAddon(t *testing.T) {
	e, in := stack(t, "https://127.0.0.1:1")
	if _, err := e.construct(clusterType, "k", in, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := e.construct(addonType, "cni", object{"cluster": e.reference("k " + clusterType), "addonName": "vpc-cni", "configurationValues": object{"env": object{"A": "1"}}}, nil); err != nil {
		t.Fatal(err)
	}
	if got := e.inputs("cni aws:eks/addon:Addon"); got["clusterName"] != "demo" || got["configurationValues"] != `{"env":{"A":"1"}}` {
		t.Errorf("the add-on is %v", got)
	}
}

func TestGetKubeconfig(t *testing.T) {
	e, in := stack(t, "https://127.0.0.1:1")
	if _, err := e.construct(clusterType, "k", in, nil); err != nil {
		t.Fatal(err)
	}
	call := func(tok string) (string, error) {
		resp, err := e.server.Call(context.Background(), &pulumirpc.CallRequest{
			Tok: tok, MonitorEndpoint: e.address, Project: "test", Stack: "dev", Parallel: 16,
			Args: properties(t, object{"__self__": e.reference("k " + clusterType), "roleArn": "arn:aws:iam::123456789012:role/jane"}),
		})
		return resp.GetReturn().GetFields()["result"].GetStringValue(), err
	}
	config, err := call(clusterType + "/getKubeconfig")
	if err != nil || !strings.Contains(config, `"--cluster-name","demo","--output","json","--role","arn:aws:iam::123456789012:role/jane"`) {
		t.Errorf("getKubeconfig: %q %v", config, err)
	}
	if _, err := call(clusterType + "/other"); err == nil || !strings.Contains(err.Error(), "does not know the method eks:index:Cluster/other") {
		t.Errorf("an unknown method: %v", err)
	}
}
