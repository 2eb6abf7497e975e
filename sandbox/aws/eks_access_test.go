package aws

import (
	"strings"
	"testing"
)

func TestAccessRefusals(t *testing.T) {
	w := newClusterWorld(t)
	who := func(arn string) object { return object{"principalArn": arn} }
	const other = "arn:aws:iam::123456789012:user/jane"
	w.refuses([]refusal{
		{"entry", nil, "ResourceInUseException: The specified access entry resource is already in use on this cluster."},
		{"entry", who("arn:aws:iam::123456789012:role/slipway-deploy"), "ResourceInUseException"}, // EKS has made it for the creator
		{"entry", who(w.out("nodeRole", "arn")), "ResourceInUseException"},                        // EKS has made it for the node group
		{"entry", who("arn:aws:sts::123456789012:assumed-role/admins/jane"), "The principalArn parameter format is not valid (arn:aws:sts::123456789012:assumed-role/admins/jane is a session: name its role)"},
		{"entry", who("jane"), "The principalArn parameter format is not valid"},
		{"entry", who("arn:aws:iam::123456789012:role/aws-service-role/eks.amazonaws.com/X"), "Service Linked Role"},
		{"entry", object{"principalArn": other, "clusterName": "none"}, "ResourceNotFoundException: No cluster found for name: none."},
		{"entry", object{"principalArn": other, "type": "ADMIN"}, "must be one of STANDARD"},
		{"entry", object{"principalArn": other, "kubernetesGroups": list("system:masters")}, "The kubernetes group name system:masters is invalid, it cannot start with system:"},
		{"entry", object{"principalArn": other, "userName": "eks:admin"}, "The username eks:admin is invalid"},
		{"entry", object{"principalArn": other, "type": "EC2_LINUX"}, "cannot be specified for access entries of type EC2_LINUX"},
		{"association", who(other), "ResourceNotFoundException: The specified principalArn could not be found"},
		{"association", object{"policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterAdminPolicy"}, "ResourceNotFoundException: The specified policyArn could not be found"},
		{"association", who(w.out("nodeRole", "arn")), "cannot be associated with access entries of type EC2_LINUX"},
		{"association", object{"accessScope": object{"type": "namespace"}}, "accessScope.namespaces is required where type is namespace"},
		{"association", object{"accessScope": object{"type": "cluster", "namespaces": list("a")}}, "must not be given where type is cluster"},
		{"podIdentity", nil, "ResourceInUseException: Association already exists: a-"},
		{"podIdentity", object{"serviceAccount": "b", "roleArn": w.out("nodeRole", "arn")}, "must let pods.eks.amazonaws.com do sts:AssumeRole and sts:TagSession"},
		{"podIdentity", object{"serviceAccount": "b", "roleArn": "arn:aws:iam::123456789012:role/nobody"}, "does not exist"},
	})
}

func TestAccessNeedsTheRightMode(t *testing.T) {
	w := newClusterWorld(t)
	w.free()
	w.create(clusterToken, "old", w.changed("cluster", object{"accessConfig": nil}))
	w.refuses([]refusal{{"entry", nil, "authentication mode must be set to one of [API, API_AND_CONFIG_MAP]"}})
}

func TestAccessRevisions(t *testing.T) {
	w := newClusterWorld(t)
	w.revises([]revision{
		{"entry", object{"kubernetesGroups": list("writers"), "userName": "{{SessionName}}"}, nil},
		{"entry", object{"principalArn": "arn:aws:iam::123456789012:user/jane"}, []string{"principalArn"}},
		{"entry", object{"type": "EC2_LINUX"}, []string{"type"}},
		{"association", object{"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"}, []string{"policyArn"}},
		{"association", object{"accessScope": object{"type": "namespace", "namespaces": list("a")}}, []string{"accessScope"}},
		{"podIdentity", object{"namespace": "other"}, []string{"namespace"}},
	})
	if refused := w.delete(w.by["entry"]); refused != "" {
		t.Fatal(refused)
	}
	// The association went with its entry, so that it can be made again with it.
	w.create(accessEntryToken, "again", w.changed("entry", nil))
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
		if tx.Find(accessPolicyToken, "id", w.id("association")) != nil {
			t.Error("an association outlives its access entry")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAddonRefusals(t *testing.T) {
	w := newClusterWorld(t)
	w.refuses([]refusal{
		{"cni", nil, "ResourceInUseException: Addon already exists."},
		{"cni", object{"addonName": "haproxy"}, "Addon haproxy specified is not supported in 1.33 kubernetes version"},
		{"cni", object{"addonName": "kube-proxy", "addonVersion": "v1.34.0-eksbuild.2"}, "Addon version specified is not supported: kube-proxy v1.34.0-eksbuild.2 on Kubernetes 1.33"},
		{"cni", object{"addonName": "kube-proxy", "resolveConflictsOnCreate": "PRESERVE"}, "must be one of NONE, OVERWRITE"},
		{"cni", object{"addonName": "kube-proxy", "configurationValues": `{"mode":`}, "ConfigurationValue provided in request is not supported"},
		{"cni", object{"addonName": "kube-proxy", "serviceAccountRoleArn": "arn:aws:iam::123456789012:role/nobody"}, "does not exist"},
		{"cni", object{"addonName": "kube-proxy", "clusterName": "none"}, "No cluster found for name: none."},
	})
	w.revises([]revision{
		{"dns", object{"addonVersion": "v1.12.4-eksbuild.1", "configurationValues": `{"replicaCount":3}`}, nil},
		{"dns", object{"addonName": "metrics-server"}, []string{"addonName"}},
	})
}

func TestAddonsThatNeedNodes(t *testing.T) {
	w := newClusterWorld(t)
	for _, key := range []string{"dns", "nodes"} {
		if refused := w.delete(w.by[key]); refused != "" {
			t.Fatal(refused)
		}
	}
	w.refuses([]refusal{{"dns", nil, "timeout while waiting for state to become 'ACTIVE' (last state: 'DEGRADED', timeout: 20m0s)"}})
	w.create(addonToken, "proxy", object{"clusterName": "demo", "addonName": "kube-proxy"})
	tainted := w.create(nodeGroupToken, "tainted", w.changed("nodes", object{"taints": list(object{"key": "only", "value": "batch", "effect": "NO_SCHEDULE"})}))
	w.refuses([]refusal{{"dns", nil, "has no node group with nodes that take its pods"}})
	if refused := w.delete(tainted); refused != "" {
		t.Fatal(refused)
	}
	w.create(nodeGroupToken, "plain", w.changed("nodes", nil))
	w.create(addonToken, "dns", w.changed("dns", nil))
}

func TestAddonVersion(t *testing.T) {
	h := newHarness(t)
	const token = "aws:eks/getAddonVersion:getAddonVersion"
	ask := func(addon, version string, newest bool) string {
		out, refused := h.invoke(token, object{"addonName": addon, "kubernetesVersion": version, "mostRecent": newest})
		if refused != "" {
			return refused
		}
		return out["version"].(string)
	}
	for _, c := range []struct {
		addon, version string
		newest         bool
		want           string
	}{
		{"coredns", "1.34", false, "v1.12.3-eksbuild.1"},
		{"coredns", "1.34", true, "v1.12.4-eksbuild.1"},
		{"vpc-cni", "1.33", false, "v1.20.4-eksbuild.1"},
		{"vpc-cni", "1.36", false, "v1.22.4-eksbuild.3"},
		{"coredns", "1.99", false, "unsupported Kubernetes version 1.99"},
		{"nothing", "1.34", false, "Addon nothing specified is not supported"},
	} {
		if got := ask(c.addon, c.version, c.newest); !strings.Contains(got, c.want) {
			t.Errorf("%s on %s, newest %v: %q, want %q", c.addon, c.version, c.newest, got, c.want)
		}
	}
	for version, r := range releases {
		for addon, byDefault := range r.defaults {
			if versions, _, err := addonVersions(addon, version); err != nil || !strings.Contains(strings.Join(versions, " ")+" ", byDefault+" ") {
				t.Errorf("the default %s of %s on %s is none of its versions", byDefault, addon, version)
			}
		}
	}
}
