package aws

import (
	"encoding/json"
	"testing"
)

var (
	identitySnapshot = &snapshot{build: (*world).addIdentity}
	clusterSnapshot  = &snapshot{build: (*world).addCluster}
)

func newIdentity(t *testing.T) *world     { t.Helper(); return identitySnapshot.open(t) }
func newClusterWorld(t *testing.T) *world { t.Helper(); return clusterSnapshot.open(t) }

// trust is a trust policy that lets a service assume a role.
func trust(service string, actions ...any) string {
	if len(actions) == 0 {
		actions = list("sts:AssumeRole")
	}
	return policyText(object{"Effect": "Allow", "Action": actions, "Principal": object{"Service": service}})
}

func policyText(statement object) string {
	b, _ := json.Marshal(object{"Version": "2012-10-17", "Statement": list(statement)})
	return string(b)
}

func (w *world) addIdentity() {
	w.add("role", roleToken, object{"assumeRolePolicy": trust("eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession"), "tags": object{"team": "a"}})
	w.add("rolePolicy", attachmentToken, object{"role": w.id("role"), "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"})
	w.add("nodeRole", roleToken, object{"assumeRolePolicy": trust("ec2.amazonaws.com")})
	w.add("nodePolicy", attachmentToken, object{"role": w.id("nodeRole"), "policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"})
	w.add("podRole", roleToken, object{"assumeRolePolicy": trust("pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession")})
	read := policyText(object{"Effect": "Allow", "Action": list("s3:GetObject"), "Resource": list("*")})
	w.add("inlinePolicy", rolePolicyToken, object{"role": w.id("podRole"), "policy": read})
	w.add("policy", policyToken, object{"policy": read})
	w.add("profile", instanceProfileToken, object{"role": w.id("nodeRole")})
	w.add("oidc", oidcProviderToken, object{"url": "https://oidc.example.com/id/1", "clientIdLists": list("sts.amazonaws.com")})
	w.add("key", keyToken, object{"enableKeyRotation": true, "deletionWindowInDays": 30.0, "description": "secrets"})
	w.add("alias", aliasToken, object{"name": "alias/secrets", "targetKeyId": w.id("key")})
	w.add("logs", logGroupToken, object{"name": "/aws/eks/demo/cluster", "retentionInDays": 90.0})
}

func (w *world) addCluster() {
	w.addNetwork()
	w.addIdentity()
	w.add("nodeTemplate", launchTemplateToken, object{
		"metadataOptions":     object{"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1.0},
		"blockDeviceMappings": list(object{"deviceName": "/dev/xvda", "ebs": object{"volumeSize": 40.0, "volumeType": "gp3", "encrypted": "true"}}),
	})
	w.add("cluster", clusterToken, object{
		"name": "demo", "roleArn": w.out("role", "arn"), "version": "1.33", "enabledClusterLogTypes": list("api", "audit"),
		"vpcConfig":        object{"subnetIds": list(w.id("publicA"), w.id("publicB")), "endpointPrivateAccess": true, "publicAccessCidrs": list("203.0.113.0/24")},
		"accessConfig":     object{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": true},
		"encryptionConfig": object{"provider": object{"keyArn": w.out("key", "arn")}, "resources": list("secrets")},
	})
	w.add("entry", accessEntryToken, object{"clusterName": "demo", "principalArn": "arn:aws:iam::123456789012:role/team/admins", "kubernetesGroups": list("readers")})
	w.add("association", accessPolicyToken, object{
		"clusterName": "demo", "principalArn": "arn:aws:iam::123456789012:role/team/admins", "policyArn": clusterAdminPolicy, "accessScope": object{"type": "cluster"},
	})
	w.add("cni", addonToken, object{"clusterName": "demo", "addonName": "vpc-cni", "resolveConflictsOnCreate": "OVERWRITE"})
	w.add("nodes", nodeGroupToken, object{
		"clusterName": "demo", "nodeRoleArn": w.out("nodeRole", "arn"), "subnetIds": list(w.id("privateA"), w.id("publicB")), "instanceTypes": list("m5.large"),
		"scalingConfig": object{"minSize": 1.0, "desiredSize": 2.0, "maxSize": 4.0}, "launchTemplate": object{"id": w.id("nodeTemplate"), "version": "1"},
		"updateConfig": object{"maxUnavailablePercentage": 33.0}, "labels": object{"tier": "web"},
	})
	w.add("dns", addonToken, object{"clusterName": "demo", "addonName": "coredns", "addonVersion": "v1.12.1-eksbuild.2"})
	w.add("podIdentity", podIdentityToken, object{"clusterName": "demo", "namespace": "example", "serviceAccount": "app", "roleArn": w.out("podRole", "arn")})
}
