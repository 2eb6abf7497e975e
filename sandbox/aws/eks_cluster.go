package aws

import (
	"fmt"
	"slices"
)

const clusterToken = "aws:eks/cluster:Cluster"

// clusterRef is the cluster of whatever lies in one.
var clusterRef = &Ref{Types: []string{clusterToken}, By: "name", Code: "ResourceNotFoundException", Message: "No cluster found for name: %s."}

const (
	clusterNamePattern = `^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$`
	clusterNameSays    = "1 to 100 letters, digits, - and _, beginning with a letter or digit"
	cidrPattern        = `^\d+\.\d+\.\d+\.\d+/\d+$`
)

func init() {
	on := fields(map[string]Prop{"enabled": flag})
	cidrs := setOf(text.like(cidrPattern, "a network such as 203.0.113.0/24"))
	subnets := setOf(text.to(&Ref{
		Types: []string{subnetToken}, Code: "InvalidParameterException", Holds: true,
		Message: "The subnet ID '%s' does not exist (Service: AmazonEC2; Status Code: 400; Error Code: InvalidSubnetID.NotFound)",
	}))
	groups := setOf(text.to(&Ref{
		Types: []string{securityGroupToken}, Code: "InvalidParameterException", Holds: true,
		Message: "The security group '%s' does not exist (Service: AmazonEC2; Status Code: 400; Error Code: InvalidGroup.NotFound)",
	}))
	register(&Type{
		Token: clusterToken, Label: "EKS Cluster", Service: "EKS", Ops: Ops{"CreateCluster", "UpdateClusterConfig", "DeleteCluster"},
		AutoName: &AutoName{Prop: "name", Max: 100},
		Props: map[string]Prop{
			"accessConfig": fields(map[string]Prop{
				"authenticationMode":                      text.filled().in("CONFIG_MAP", "API_AND_CONFIG_MAP", "API"),
				"bootstrapClusterCreatorAdminPermissions": flag.or(true).fixed(),
			}).filled(),
			"bootstrapSelfManagedAddons": flag.or(true).fixed(),
			"computeConfig": fields(map[string]Prop{
				"enabled": flag, "nodeRoleArn": text,
				"nodePools": setOf(text.in("general-purpose", "system")),
			}),
			"defaultAddonsToRemoves": listOf(text),
			"enabledClusterLogTypes": setOf(text.in("api", "audit", "authenticator", "controllerManager", "scheduler")),
			"encryptionConfig": {Kind: Nested, ReplaceIfRemoved: true, Without: []string{"outpostConfig"}, Fields: map[string]Prop{
				"provider":  fields(map[string]Prop{"keyArn": text.must()}).must(),
				"resources": setOf(text.in("secrets")).must().within(1, 1),
			}},
			"forceUpdateVersion": flag,
			"kubernetesNetworkConfig": fields(map[string]Prop{
				"elasticLoadBalancing": on.filled(), "ipFamily": text.filled().fixed().in("ipv4", "ipv6"),
				"serviceIpv4Cidr": text.filled().fixed().like(cidrPattern, "a network such as 172.20.0.0/16"), "serviceIpv6Cidr": text.filled(),
			}).filled().not("outpostConfig"),
			"name": text.filled().fixed().like(clusterNamePattern, clusterNameSays),
			"outpostConfig": fields(map[string]Prop{
				"controlPlaneInstanceType": text.must().fixed(), "outpostArns": setOf(text).must(),
				"controlPlanePlacement": fields(map[string]Prop{"groupName": text.must().fixed()}),
			}).not("encryptionConfig", "kubernetesNetworkConfig", "remoteNetworkConfig"),
			"remoteNetworkConfig": fields(map[string]Prop{
				"remoteNodeNetworks": fields(map[string]Prop{"cidrs": cidrs}).must(), "remotePodNetworks": fields(map[string]Prop{"cidrs": cidrs}).filled(),
			}).fixed().not("outpostConfig"),
			"roleArn":       text.must().fixed().like(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`, "the ARN of an IAM role"),
			"storageConfig": fields(map[string]Prop{"blockStorage": on}), "tags": tagMap,
			"upgradePolicy": fields(map[string]Prop{"supportType": text.filled().in("STANDARD", "EXTENDED")}).filled(),
			"version":       text.filled().like(`^\d+\.\d+$`, "a minor version such as 1.34"),
			"vpcConfig": fields(map[string]Prop{
				"clusterSecurityGroupId": text.filled(), "endpointPrivateAccess": flag.or(false), "endpointPublicAccess": flag.or(true),
				"publicAccessCidrs": cidrs.filled().within(0, 40), "securityGroupIds": groups.within(0, 5),
				"subnetIds": subnets.must().within(1, 16), "vpcId": text.filled(),
			}).must(),
			"zonalShiftConfig": on,
		},
		Outputs: []string{
			"arn", "certificateAuthorities", "certificateAuthority", "createdAt", "endpoint", "identities", "platformVersion", "status",
		},
		Check: checkCluster, Validate: validateCluster, Create: createCluster, Update: describeCluster, Delete: deleteCluster,
	})
}

func checkCluster(in Inputs) []Problem {
	var out []Problem
	o := in.Object()
	vpc := nested(o.Get("vpcConfig"))
	for i, c := range Strings(vpc["publicAccessCidrs"]) {
		if why := cidrProblem(c, false); why != "" {
			out = append(out, Problem{fmt.Sprintf("vpcConfig.publicAccessCidrs[%d]", i), fmt.Sprintf("is %q, %s", c, why)})
		}
	}
	network := nested(o.Get("kubernetesNetworkConfig"))
	if c, ok := network["serviceIpv4Cidr"].(string); ok {
		p := prefix(c)
		if why := cidrProblem(c, false); why != "" {
			out = append(out, Problem{"kubernetesNetworkConfig.serviceIpv4Cidr", fmt.Sprintf("is %q, %s", c, why)})
		} else if p.Bits() < 12 || p.Bits() > 24 || !p.Addr().IsPrivate() {
			out = append(out, Problem{"kubernetesNetworkConfig.serviceIpv4Cidr", fmt.Sprintf("is %q, must be /12 to /24 within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16", c)})
		}
	}
	enabled := func(v any) bool { return nested(v)["enabled"] == true }
	compute := enabled(o.Get("computeConfig"))
	block := enabled(nested(o.Get("storageConfig"))["blockStorage"])
	balancing := enabled(network["elasticLoadBalancing"])
	if in.Known("computeConfig") && in.Known("storageConfig") && in.Known("kubernetesNetworkConfig") && (compute != block || block != balancing) {
		out = append(out, Problem{"computeConfig", "compute_config.enabled, kubernetes_network_config.elastic_load_balancing.enabled, and " +
			"storage_config.block_storage.enabled must all be set to either true or false"})
	}
	return out
}

func validateCluster(tx *Tx, o, old *Object) error {
	if old == nil {
		if tx.Find(clusterToken, "name", o.Str("name")) != nil {
			return &Error{"ResourceInUseException", "Cluster already exists with name: " + o.Str("name"), 409}
		}
		if err := tx.onlyCluster(); err != nil {
			return err
		}
	}
	for _, unknown := range []string{"outpostConfig", "remoteNetworkConfig"} {
		if o.has(unknown) {
			return fmt.Errorf("%s: the sandbox has no clusters with %s; try this on AWS", clusterToken, unknown)
		}
	}
	if nested(o.Get("computeConfig"))["enabled"] == true {
		return fmt.Errorf("%s: the sandbox has no EKS Auto Mode (computeConfig.enabled); try this on AWS", clusterToken)
	}
	if err := clusterVersion(o, old); err != nil {
		return err
	}
	if err := tx.clusterRole(o.Str("roleArn")); err != nil {
		return err
	}
	if err := tx.clusterNetwork(o); err != nil {
		return err
	}
	return tx.clusterSecurity(o, old)
}

// onlyCluster refuses a second cluster: there is one Kubernetes control plane.
func (tx *Tx) onlyCluster() error {
	for _, e := range tx.Objects {
		if e.Type == clusterToken {
			return Errorf("ResourceLimitExceededException", "the sandbox has one Kubernetes control plane, and cluster %s in %s has it. This is the sandbox's limit, not one of AWS: "+
				"destroy that cluster first; a cluster that has to be replaced needs a name of its own choice, so that the old one goes first", e.ID, e.Region)
		}
	}
	return nil
}

func clusterVersion(o, old *Object) error {
	v := o.Str("version")
	if _, ok := releases[v]; v != "" && !ok {
		return unsupportedVersion(v)
	}
	if old == nil || v == "" {
		return nil
	}
	if was := old.Str("version"); v != was && minor(v) != minor(was)+1 {
		return Errorf("InvalidParameterException", "Unsupported Kubernetes minor version update from %s to %s", was, v)
	}
	return nil
}

func (tx *Tx) clusterRole(arn string) error {
	role := tx.roleOf(arn)
	if role == nil {
		return Errorf("InvalidParameterException", "Role with arn: %s, could not be assumed because it does not exist or the trusted entity is not correct", arn)
	}
	if !trusts(role, "eks.amazonaws.com", "sts:AssumeRole") {
		return Errorf("InvalidParameterException", "Role with arn: %s, could not be assumed because it does not exist or the trusted entity is not correct (it does not let eks.amazonaws.com assume it)", arn)
	}
	if !slices.Contains(tx.policiesOf(role.ID), "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy") && !tx.hasOwnPolicies(role.ID) {
		return Errorf("InvalidParameterException", "The provided role doesn't have the Amazon EKS Managed Policies associated with it. Please ensure the following policies [arn:aws:iam::aws:policy/AmazonEKSClusterPolicy] are attached")
	}
	return nil
}

// hasOwnPolicies tells whether a role has policies that AWS did not write: what they allow is not looked into.
func (tx *Tx) hasOwnPolicies(role string) bool {
	r := tx.Find(roleToken, "name", role)
	return r != nil && (len(objects(r.Get("inlinePolicies"))) > 0 || tx.Find(rolePolicyToken, "role", role) != nil ||
		slices.ContainsFunc(tx.policiesOf(role), func(p string) bool { return !isManagedPolicy(p) }))
}

func (tx *Tx) clusterNetwork(o *Object) error {
	vpcConfig := nested(o.Inputs["vpcConfig"])
	if vpcConfig["endpointPublicAccess"] == false && vpcConfig["endpointPrivateAccess"] != true {
		return Errorf("InvalidParameterException", "Private and public endpoint access cannot be false")
	}
	if vpcConfig["endpointPublicAccess"] == false && len(Strings(vpcConfig["publicAccessCidrs"])) > 0 {
		return Errorf("InvalidParameterException", "Public access CIDRs cannot be set when public endpoint access is false")
	}
	zones, vpc := map[string]bool{}, ""
	for _, id := range Strings(vpcConfig["subnetIds"]) {
		s := tx.Find(subnetToken, "id", id)
		if s == nil {
			continue // references has refused it
		}
		zones[s.Str("availabilityZone")] = true
		if vpc != "" && s.Str("vpcId") != vpc {
			return Errorf("InvalidParameterException", "Subnets specified must belong to the same VPC")
		}
		vpc = s.Str("vpcId")
	}
	if len(zones) < 2 {
		return Errorf("InvalidParameterException", "Subnets specified must be in at least two different AZs")
	}
	for _, id := range Strings(vpcConfig["securityGroupIds"]) {
		if g := tx.Find(securityGroupToken, "id", id); g != nil && g.Str("vpcId") != vpc {
			return Errorf("InvalidParameterException", "Security group(s) [%s] are not in the same VPC as the subnets.", id)
		}
	}
	return nil
}

// clusterSecurity checks encryption and access.
func (tx *Tx) clusterSecurity(o, old *Object) error {
	key := func(o *Object) any { return nested(nested(o.Inputs["encryptionConfig"])["provider"])["keyArn"] }
	if arn, _ := key(o).(string); arn != "" {
		k := tx.Find(keyToken, "arn", arn)
		if k == nil {
			return Errorf("InvalidRequestException", "Unable to describe KMS key %s: it does not exist", arn)
		}
		if k.Str("keyUsage") != "ENCRYPT_DECRYPT" || k.Str("customerMasterKeySpec") != "SYMMETRIC_DEFAULT" || !k.Bool("isEnabled") {
			return Errorf("InvalidRequestException", "KMS key %s must be an enabled symmetric encryption key", arn)
		}
	}
	if old == nil {
		return nil
	}
	if was := key(old); was != nil && key(o) != nil && was != key(o) {
		return Errorf("InvalidRequestException", "Cluster already has encryption configuration: its key %v cannot be changed to %v", was, key(o))
	}
	from, to := authenticationMode(old), authenticationMode(o)
	order := []string{"CONFIG_MAP", "API_AND_CONFIG_MAP", "API"}
	if d := slices.Index(order, to) - slices.Index(order, from); d != 0 && d != 1 {
		return Errorf("InvalidParameterException", "Unsupported authentication mode update from %s to %s", from, to)
	}
	return nil
}

// authenticationMode of a cluster; EKS falls back to CONFIG_MAP.
func authenticationMode(o *Object) string {
	if m, ok := nested(o.Get("accessConfig"))["authenticationMode"].(string); ok {
		return m
	}
	return "CONFIG_MAP"
}

// clusterOf is the cluster in which an object lies.
func (tx *Tx) clusterOf(o *Object) (*Object, error) {
	c := tx.Find(clusterToken, "name", o.Str("clusterName"))
	if c == nil {
		return nil, &Error{clusterRef.Code, fmt.Sprintf(clusterRef.Message, o.Str("clusterName")), 404}
	}
	return c, nil
}

func init() {
	registerFunctions(&Function{Token: "aws:eks/getCluster:getCluster", Props: map[string]Prop{"name": text.must(), "tags": tagMap}, Call: getCluster})
}

func getCluster(tx *Tx, in Inputs) (map[string]any, error) {
	name := in.Object().Str("name")
	c := tx.Find(clusterToken, "name", name)
	if c == nil {
		return nil, fmt.Errorf("reading EKS Cluster (%s): couldn't find resource", name)
	}
	out := map[string]any{"id": c.ID, "name": c.ID, "tags": map[string]any{}, "enabledClusterLogTypes": []any{}}
	for _, k := range []string{"arn", "createdAt", "enabledClusterLogTypes", "endpoint", "identities", "platformVersion", "roleArn", "status", "version", "vpcConfig", "certificateAuthorities"} {
		if v := c.Get(k); v != nil {
			out[k] = v
		}
	}
	for k, list := range map[string]string{"accessConfig": "accessConfigs", "upgradePolicy": "upgradePolicies", "zonalShiftConfig": "zonalShiftConfigs", "kubernetesNetworkConfig": "kubernetesNetworkConfigs"} {
		out[list] = []any{}
		if v := c.Get(k); v != nil {
			out[list] = []any{v}
		}
	}
	if t := c.Get("tagsAll"); t != nil {
		out["tags"] = t
	}
	return out, nil
}
