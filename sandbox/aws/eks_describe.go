package aws

import (
	"encoding/base64"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
)

func createCluster(tx *Tx, o *Object) error {
	server, ca, err := tx.Kubernetes()
	if err != nil {
		return fmt.Errorf("the control plane of cluster %s: %w", o.Str("name"), err)
	}
	o.ID = o.Str("name")
	o.Set("arn", tx.ARN("eks", "cluster/"+o.ID))
	o.Set("createdAt", time.Now().UTC().Format(time.RFC3339))
	o.Set("status", "ACTIVE")
	o.Set("endpoint", server)
	authority := map[string]any{"data": base64.StdEncoding.EncodeToString([]byte(ca))}
	o.Set("certificateAuthority", authority)
	o.Set("certificateAuthorities", []any{authority})
	issuer := "https://oidc.eks." + tx.Region + ".amazonaws.com/id/" + strings.ToUpper(Hex(32))
	o.Set("identities", []any{map[string]any{"oidcs": []any{map[string]any{"issuer": issuer}}}})
	o.Set("vpcConfig", map[string]any{"clusterSecurityGroupId": tx.addClusterSecurityGroup(o)})
	if err := describeCluster(tx, o, nil); err != nil {
		return err
	}
	tx.addCreator(o)
	return nil
}

// describeCluster fills in what EKS chooses where the program says nothing, and follows changes of inputs.
func describeCluster(tx *Tx, o, old *Object) error {
	o.fill("version", defaultVersion)
	o.Set("platformVersion", releases[o.Str("version")].platform)
	o.fill("upgradePolicy", map[string]any{"supportType": "EXTENDED"})
	access := map[string]any{"authenticationMode": authenticationMode(o), "bootstrapClusterCreatorAdminPermissions": true}
	maps.Copy(access, nested(o.Inputs["accessConfig"]))
	o.Set("accessConfig", access)

	before := nested(o.Outputs["vpcConfig"])
	if old != nil {
		before = nested(old.Outputs["vpcConfig"])
	}
	given := nested(o.Inputs["vpcConfig"])
	vpc := map[string]any{"clusterSecurityGroupId": before["clusterSecurityGroupId"], "vpcId": tx.clusterVPC(o).ID}
	if given["endpointPublicAccess"] != false {
		vpc["publicAccessCidrs"] = []any{"0.0.0.0/0"}
	}
	maps.Copy(vpc, given)
	o.Set("vpcConfig", vpc)

	service := "172.20.0.0/16"
	if inside(prefix(tx.clusterVPC(o).Str("cidrBlock")), prefix("172.16.0.0/12")) {
		service = "10.100.0.0/16"
	}
	network := map[string]any{"ipFamily": "ipv4", "serviceIpv4Cidr": service, "elasticLoadBalancing": map[string]any{"enabled": false}}
	maps.Copy(network, nested(o.Inputs["kubernetesNetworkConfig"]))
	if network["ipFamily"] == "ipv6" {
		network["serviceIpv6Cidr"] = "fd00:ec2::/108"
		delete(network, "serviceIpv4Cidr")
	}
	o.Set("kubernetesNetworkConfig", network)
	tx.addLogs(o)
	return nil
}

// clusterVPC is the VPC of the cluster's subnets.
func (tx *Tx) clusterVPC(o *Object) *Object {
	for _, id := range Strings(nested(o.Inputs["vpcConfig"])["subnetIds"]) {
		if s := tx.Find(subnetToken, "id", id); s != nil {
			if v := tx.Find(vpcToken, "id", s.Str("vpcId")); v != nil {
				return v
			}
		}
	}
	return &Object{}
}

// addClusterSecurityGroup makes the group that EKS puts on the control plane and on the nodes of managed node groups.
func (tx *Tx) addClusterSecurityGroup(o *Object) string {
	g := &Object{Type: securityGroupToken, ID: tx.NewID("sg"), Region: tx.Region, Owner: o.Key()}
	g.Inputs = map[string]any{
		"name":        "eks-cluster-sg-" + o.ID + "-" + strconv.FormatInt(time.Now().UnixMilli(), 10),
		"description": "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.",
		"vpcId":       tx.clusterVPC(o).ID, "tags": map[string]any{"kubernetes.io/cluster/" + o.ID: "owned", "aws:eks:cluster-name": o.ID},
		"ingress": []any{map[string]any{"protocol": "-1", "fromPort": 0.0, "toPort": 0.0, "self": true}},
		"egress":  []any{map[string]any{"protocol": "-1", "fromPort": 0.0, "toPort": 0.0, "cidrBlocks": []any{"0.0.0.0/0"}}},
	}
	g.Set("arn", tx.ARN("ec2", "security-group/"+g.ID))
	g.Set("ownerId", AccountID)
	tx.Add(g)
	return g.ID
}

// addLogs makes the log group that EKS makes itself where logs are on and none is there. It outlives the cluster and blocks a
// log group of that name in a later stack, as it does on AWS: whoever wants to own it makes it before the cluster.
func (tx *Tx) addLogs(o *Object) {
	name := "/aws/eks/" + o.ID + "/cluster"
	if len(o.List("enabledClusterLogTypes")) == 0 || tx.Find(logGroupToken, "name", name) != nil {
		return
	}
	g := &Object{Type: logGroupToken, ID: name, Region: tx.Region, Inputs: map[string]any{"name": name, "retentionInDays": 0.0, "skipDestroy": false}}
	_ = createLogGroup(tx, g) // cannot fail: the name is right and free
	tx.Add(g)
}

// deleteCluster refuses as EKS does, and takes what lies in the cluster along.
func deleteCluster(tx *Tx, o *Object) error {
	if tx.Find(nodeGroupToken, "clusterName", o.ID) != nil {
		return &Error{"ResourceInUseException", "Cluster has nodegroups attached", 409}
	}
	for _, token := range []string{addonToken, accessEntryToken, accessPolicyToken, podIdentityToken} {
		tx.removeWhere(token, func(e *Object) bool { return e.Str("clusterName") == o.ID && e.Region == o.Region })
	}
	return nil
}
