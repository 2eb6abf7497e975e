package aws

import (
	"strings"
	"testing"
)

// free takes the cluster and what lies in it out of the account, so that another one can be tried.
func (w *world) free() {
	w.t.Helper()
	for _, key := range []string{"nodes", "cluster"} {
		if refused := w.delete(w.by[key]); refused != "" {
			w.t.Fatal(refused)
		}
	}
}

func TestClusterRefusals(t *testing.T) {
	w := newClusterWorld(t)
	w.refuses([]refusal{
		{"cluster", nil, "ResourceInUseException: Cluster already exists with name: demo"},
		{"cluster", object{"name": "second"}, "ResourceLimitExceededException: the sandbox has one Kubernetes control plane, and cluster demo in us-west-2 has it"},
		{"cluster", object{"name": "-x"}, "must be 1 to 100 letters"},
		{"cluster", object{"roleArn": nil}, "roleArn is required"},
		{"cluster", object{"vpcConfig": nil}, "vpcConfig is required"},
		{"cluster", object{"clusterName": "x"}, "clusterName is no property that the sandbox knows"},
	})
	w.free()
	subnets := func(ids ...any) object { return object{"vpcConfig": object{"subnetIds": ids}} }
	access := func(more object) object {
		more["subnetIds"] = list(w.id("publicA"), w.id("publicB"))
		return object{"vpcConfig": more}
	}
	elsewhere := w.create(vpcToken, "elsewhere", object{"cidrBlock": "10.8.0.0/16"})
	far := w.create(subnetToken, "far", object{"vpcId": elsewhere.ID, "cidrBlock": "10.8.0.0/24", "availabilityZone": "us-west-2b"})
	farGroup := w.create(securityGroupToken, "far", object{"vpcId": elsewhere.ID})
	bare := w.create(roleToken, "bare", object{"assumeRolePolicy": trust("eks.amazonaws.com")})
	signing := w.create(keyToken, "signing", object{"keyUsage": "SIGN_VERIFY", "customerMasterKeySpec": "ECC_NIST_P256"})
	w.refuses([]refusal{
		{"cluster", object{"version": "1.99"}, "InvalidParameterException: unsupported Kubernetes version 1.99 (the sandbox knows 1.30, 1.31, 1.32, 1.33, 1.34, 1.35, 1.36)"},
		{"cluster", object{"version": "1.33.1"}, "must be a minor version such as 1.34"},
		{"cluster", subnets(w.id("publicA"), w.id("privateA")), "Subnets specified must be in at least two different AZs"},
		{"cluster", subnets(w.id("publicA"), far.ID), "Subnets specified must belong to the same VPC"},
		{"cluster", subnets(w.id("publicA"), "subnet-1"), "The subnet ID 'subnet-1' does not exist"},
		{"cluster", subnets(), "must have 1 to 16"},
		{"cluster", access(object{"endpointPublicAccess": false}), "Private and public endpoint access cannot be false"},
		{"cluster", access(object{"endpointPublicAccess": false, "endpointPrivateAccess": true, "publicAccessCidrs": list("203.0.113.0/24")}), "Public access CIDRs cannot be set"},
		{"cluster", access(object{"publicAccessCidrs": list("203.0.113.1/24")}), "vpcConfig.publicAccessCidrs[0] is \"203.0.113.1/24\", has host bits set"},
		{"cluster", access(object{"securityGroupIds": list(farGroup.ID)}), "are not in the same VPC as the subnets"},
		{"cluster", access(object{"securityGroupIds": list("sg-1")}), "The security group 'sg-1' does not exist"},
		{"cluster", object{"roleArn": "arn:aws:iam::123456789012:role/nobody"}, "Role with arn: arn:aws:iam::123456789012:role/nobody, could not be assumed because it does not exist"},
		{"cluster", object{"roleArn": w.out("nodeRole", "arn")}, "does not let eks.amazonaws.com assume it"},
		{"cluster", object{"roleArn": bare.Out["arn"]}, "Please ensure the following policies [arn:aws:iam::aws:policy/AmazonEKSClusterPolicy] are attached"},
		{"cluster", object{"enabledClusterLogTypes": list("everything")}, "must be one of api, audit, authenticator"},
		{"cluster", object{"accessConfig": object{"authenticationMode": "IAM"}}, "must be one of CONFIG_MAP"},
		{"cluster", object{"encryptionConfig": object{"provider": object{"keyArn": "arn:aws:kms:us-west-2:123456789012:key/none"}, "resources": list("secrets")}}, "Unable to describe KMS key"},
		{"cluster", object{"encryptionConfig": object{"provider": object{"keyArn": signing.Out["arn"]}, "resources": list("secrets")}}, "must be an enabled symmetric encryption key"},
		{"cluster", object{"encryptionConfig": object{"provider": object{"keyArn": w.out("key", "arn")}, "resources": list("configmaps")}}, "must be one of secrets"},
		{"cluster", object{"kubernetesNetworkConfig": object{"serviceIpv4Cidr": "8.8.0.0/16"}}, "must be /12 to /24 within 10.0.0.0/8"},
		{"cluster", object{"computeConfig": object{"enabled": true}}, "must all be set to either true or false"},
		{"cluster", object{
			"computeConfig": object{"enabled": true}, "storageConfig": object{"blockStorage": object{"enabled": true}},
			"kubernetesNetworkConfig": object{"elasticLoadBalancing": object{"enabled": true}},
		}, "the sandbox has no EKS Auto Mode"},
		{"cluster", object{"remoteNetworkConfig": object{"remoteNodeNetworks": object{"cidrs": list("10.1.0.0/16")}}}, "the sandbox has no clusters with remoteNetworkConfig"},
	})
}

func TestClusterOutputs(t *testing.T) {
	w := newClusterWorld(t)
	out := w.by["cluster"].Out
	vpc := nested(out["vpcConfig"])
	group, _ := vpc["clusterSecurityGroupId"].(string)
	if vpc["vpcId"] != w.id("vpc") || !strings.HasPrefix(group, "sg-0") || len(Strings(vpc["publicAccessCidrs"])) != 1 {
		t.Errorf("vpcConfig %v", vpc)
	}
	if url := issuerOf(out); !strings.HasPrefix(url, "https://oidc.eks.us-west-2.amazonaws.com/id/") {
		t.Errorf("issuer %q", url)
	}
	for name, want := range map[string]any{
		"arn": "arn:aws:eks:us-west-2:123456789012:cluster/demo", "status": "ACTIVE", "endpoint": "https://127.0.0.1:6443", "platformVersion": "eks.20", "version": "1.33",
	} {
		if out[name] != want {
			t.Errorf("%s is %v, want %v", name, out[name], want)
		}
	}
	if data := nested(out["certificateAuthority"])["data"]; data != "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t" {
		t.Errorf("certificateAuthority.data is %v", data)
	}
	// The group that EKS makes is one that rules can be added to, and that nobody can delete before the cluster.
	w.create(securityGroupRuleToken, "to-nodes", object{
		"securityGroupId": group, "type": "ingress", "protocol": "tcp", "fromPort": 30000.0, "toPort": 32767.0, "sourceSecurityGroupId": w.id("balancerGroup"),
	})
	found, refused := w.invoke("aws:eks/getCluster:getCluster", object{"name": "demo"})
	if refused != "" || found["endpoint"] != out["endpoint"] || nested(found["vpcConfig"])["clusterSecurityGroupId"] != group {
		t.Errorf("getCluster: %v %s", found, refused)
	}
	counts, err := w.p.account.Resources()
	if err != nil || counts[securityGroupToken] != 2 || counts[autoScalingGroupToken] != 0 || counts[accessEntryToken] != 1 {
		t.Errorf("what EKS made by itself counts as resources of a stack: %v %v", counts, err)
	}
}

func issuerOf(out object) string {
	oidc := objects(objects(out["identities"])[0]["oidcs"])[0]
	url, _ := oidc["issuer"].(string)
	return url
}

func TestClusterPreviewLeavesNestedOutputsUnknown(t *testing.T) {
	w := newClusterWorld(t)
	expected := types[clusterToken].expected(w.changed("cluster", nil), nil)
	if v := nested(expected["vpcConfig"]); v["clusterSecurityGroupId"] != (unknown{}) || v["vpcId"] != (unknown{}) || v["endpointPrivateAccess"] != true {
		t.Errorf("in preview vpcConfig is %v", v)
	}
	out := w.previewUpdate("cluster", object{"tags": object{"a": "b"}})
	if v := nested(out["vpcConfig"])["clusterSecurityGroupId"]; v != nested(w.by["cluster"].Out["vpcConfig"])["clusterSecurityGroupId"] {
		t.Errorf("in the preview of new tags the security group is %v", v)
	}
}

func TestClusterRevisions(t *testing.T) {
	w := newClusterWorld(t)
	second := w.create(keyToken, "second", object{})
	group := nested(w.by["cluster"].Out["vpcConfig"])["clusterSecurityGroupId"]
	network := func(more object) object {
		more["subnetIds"] = list(w.id("publicA"), w.id("publicB"))
		return object{"vpcConfig": more}
	}
	w.revises([]revision{
		{"cluster", object{"name": "other"}, []string{"name"}},
		{"cluster", object{"roleArn": w.out("nodeRole", "arn")}, []string{"roleArn"}},
		{"cluster", object{"encryptionConfig": nil}, []string{"encryptionConfig"}},
		{"cluster", object{"accessConfig": object{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": false}}, []string{"accessConfig"}},
		{"cluster", object{"kubernetesNetworkConfig": object{"serviceIpv4Cidr": "10.200.0.0/16"}}, []string{"kubernetesNetworkConfig"}},
		{"cluster", network(object{"endpointPrivateAccess": true, "endpointPublicAccess": false}), nil},
		{"cluster", object{"enabledClusterLogTypes": list("api")}, nil},
		{"cluster", object{"version": "1.34"}, nil},
	})
	if got := w.by["cluster"].Out; nested(got["vpcConfig"])["clusterSecurityGroupId"] != group || got["version"] != "1.34" || got["platformVersion"] != "eks.9" {
		t.Errorf("after the updates: %v", got)
	}
	for want, change := range map[string]object{
		"Unsupported Kubernetes minor version update from 1.34 to 1.33": {"version": "1.33"},
		"unsupported Kubernetes version 1.37":                           {"version": "1.37"},
		"Unsupported Kubernetes minor version update from 1.34 to 1.36": {"version": "1.36"},
		"Unsupported authentication mode update from API to CONFIG_MAP": {"version": "1.34", "accessConfig": object{"authenticationMode": "CONFIG_MAP"}},
		"Cluster already has encryption configuration":                  {"version": "1.34", "encryptionConfig": object{"provider": object{"keyArn": second.Out["arn"]}, "resources": list("secrets")}},
	} {
		if got := w.update(w.by["cluster"], w.changed("cluster", change)); !strings.Contains(got, want) {
			t.Errorf("changed by %v: %q, want %q", change, got, want)
		}
	}
}

func TestClusterIsUpgradedOneMinorVersionAtATime(t *testing.T) {
	w := newClusterWorld(t)
	w.free()
	c := w.create(clusterToken, "old", w.changed("cluster", object{"name": "old", "version": "1.31"}))
	if got := w.update(c, w.changed("cluster", object{"name": "old", "version": "1.33"})); !strings.Contains(got, "Unsupported Kubernetes minor version update from 1.31 to 1.33") {
		t.Errorf("two minor versions at once: %q", got)
	}
	if got := w.update(c, w.changed("cluster", object{"name": "old", "version": "1.32"})); got != "" {
		t.Error(got)
	}
}

func TestClusterIsKeptWhileItHasNodeGroups(t *testing.T) {
	w := newClusterWorld(t)
	if got := w.delete(w.by["cluster"]); !strings.Contains(got, "ResourceInUseException: Cluster has nodegroups attached") {
		t.Fatalf("deleting a cluster with node groups: %q", got)
	}
	if got := w.delete(w.by["publicB"]); !strings.Contains(got, "DependencyViolation") {
		t.Errorf("deleting a subnet of the cluster: %q", got)
	}
	w.free()
	// What lies in the cluster is gone with it, and so is what EKS made by itself.
	for _, token := range []string{addonToken, accessEntryToken, accessPolicyToken, podIdentityToken, autoScalingGroupToken} {
		if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
			if l := tx.All(token); len(l) > 0 {
				t.Errorf("%s %s outlives the cluster", token, l[0].ID)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"podIdentity", "dns", "association", "entry"} {
		if got := w.delete(w.by[key]); got != "" {
			t.Errorf("deleting %s after its cluster: %s", key, got)
		}
	}
}

func TestLogGroupThatEksMakesOutlivesTheCluster(t *testing.T) {
	w := newClusterWorld(t)
	w.free()
	c := w.create(clusterToken, "chatty", w.changed("cluster", object{"name": "chatty"}))
	if got := w.delete(c); got != "" {
		t.Fatal(got)
	}
	if _, got := w.try(logGroupToken, "late", object{"name": "/aws/eks/chatty/cluster"}); !strings.Contains(got, "ResourceAlreadyExistsException") {
		t.Errorf("a log group made after a cluster that logs: %q", got)
	}
}
