package aws

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/kube/instancetypes"
)

const nodeGroupToken = "aws:eks/nodeGroup:NodeGroup"

// maxNodes is EKS's default quota of nodes in a managed node group.
const maxNodes = 450

var (
	labelName   = regexp.MustCompile(`^(([a-z0-9]([a-z0-9.-]*[a-z0-9])?)/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$`)
	labelValue  = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$`)
	releaseForm = regexp.MustCompile(`^1\.\d+\.\d+-\d{8}$`)
	rocketForm  = regexp.MustCompile(`^\d+\.\d+\.\d+-[0-9a-f]{8}$`)
)

func init() {
	name := func(longest float64, other string) Prop {
		return text.fixed().within(1, longest).not(other).like(`^[0-9A-Za-z][A-Za-z0-9_-]*$`, "letters, digits, - and _, beginning with a letter or digit")
	}
	subnets := setOf(text.to(&Ref{
		Types: []string{subnetToken}, Code: "InvalidParameterException", Holds: true,
		Message: "The subnet ID '%s' does not exist (Service: AmazonEC2; Status Code: 400; Error Code: InvalidSubnetID.NotFound)",
	}))
	groups := setOf(text.to(&Ref{
		Types: []string{securityGroupToken}, Code: "InvalidParameterException", Holds: true,
		Message: "The security group '%s' does not exist",
	}))
	amiTypes := append(slices.Sorted(maps.Keys(architectures)), "CUSTOM",
		"WINDOWS_CORE_2019_x86_64", "WINDOWS_FULL_2019_x86_64", "WINDOWS_CORE_2022_x86_64", "WINDOWS_FULL_2022_x86_64")
	register(&Type{
		Token: nodeGroupToken, Label: "EKS Node Group", Service: "EKS", Ops: Ops{"CreateNodegroup", "UpdateNodegroupConfig", "DeleteNodegroup"},
		AutoName: &AutoName{Prop: "nodeGroupName", Max: 63},
		Props: map[string]Prop{
			"amiType": text.filled().fixed().in(amiTypes...), "capacityType": text.filled().fixed().in("ON_DEMAND", "SPOT", "CAPACITY_BLOCK"),
			"clusterName": text.must().fixed().to(clusterRef).like(clusterNamePattern, clusterNameSays), "diskSize": number.filled().fixed().within(1, 16384),
			"forceUpdateVersion": flag, "instanceTypes": listOf(text.within(1, 255)).filled().fixed().within(0, 20),
			"labels": {Kind: Map, Elem: &Prop{Kind: String, Max: 63}},
			"launchTemplate": fields(map[string]Prop{
				"id": text.filled().fixed().not("name").like(`^lt-[0-9a-f]+$`, "the id of a launch template"), "name": text.filled().fixed().not("id").within(3, 128),
				"version": text.must().within(1, 255),
			}),
			"nodeGroupName": name(63, "nodeGroupNamePrefix").filled(), "nodeGroupNamePrefix": name(37, "nodeGroupName"),
			"nodeRepairConfig": fields(map[string]Prop{"enabled": flag.or(false)}).filled(), "nodeRoleArn": text.must().fixed(), "releaseVersion": text.filled(),
			"remoteAccess": fields(map[string]Prop{"ec2SshKey": text.fixed(), "sourceSecurityGroupIds": groups.fixed()}).fixed(),
			"scalingConfig": fields(map[string]Prop{
				"desiredSize": number.must().within(0, 1e9), "maxSize": number.must().within(1, 1e9), "minSize": number.must().within(0, 1e9),
			}).must(),
			"subnetIds": subnets.must().fixed().within(1, 1e9), "tags": tagMap,
			"taints": setOf(fields(map[string]Prop{
				"effect": text.must().in("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"), "key": text.must().within(1, 63), "value": text.within(0, 63),
			})).within(0, 50),
			"updateConfig": fields(map[string]Prop{
				"maxUnavailable": number.within(1, 100).not("maxUnavailablePercentage"), "maxUnavailablePercentage": number.within(1, 100).not("maxUnavailable"),
			}).filled(),
			"version": text.filled().like(`^\d+\.\d+$`, "a minor version such as 1.34"),
		},
		Outputs: []string{"arn", "resources", "status"},
		Check:   checkNodeGroup, Validate: validateNodeGroup, Create: createNodeGroup, Update: updateNodeGroup, Delete: deleteNodeGroup,
	})
}

func checkNodeGroup(in Inputs) []Problem {
	o := in.Object()
	if m, ok := o.Get("updateConfig").(map[string]any); ok && m["maxUnavailable"] == nil && m["maxUnavailablePercentage"] == nil {
		return []Problem{{"updateConfig", "needs maxUnavailable or maxUnavailablePercentage"}}
	}
	if m, ok := o.Get("launchTemplate").(map[string]any); ok && m["id"] == nil && m["name"] == nil {
		return []Problem{{"launchTemplate", "needs id or name"}}
	}
	return nil
}

// invalid is EKS's word for most of what it refuses.
func invalid(format string, a ...any) error {
	return Errorf("InvalidParameterException", format, a...)
}

func validateNodeGroup(tx *Tx, o, old *Object) error {
	c, err := tx.clusterOf(o)
	if err != nil {
		return err
	}
	name := o.named("nodeGroupName", "nodeGroupNamePrefix")
	if old == nil && tx.Find(nodeGroupToken, "id", c.ID+":"+name) != nil {
		return &Error{"ResourceInUseException", fmt.Sprintf("NodeGroup already exists with name %s and cluster name %s", name, c.ID), 409}
	}
	if err := nodeGroupSize(nested(o.Inputs["scalingConfig"])); err != nil {
		return err
	}
	if err := nodeGroupVersion(o, old, c); err != nil {
		return err
	}
	if err := nodeGroupLabels(o); err != nil {
		return err
	}
	if err := tx.nodeGroupTemplate(o); err != nil {
		return err
	}
	if old != nil {
		return nil
	}
	if err := nodeGroupInstances(o); err != nil {
		return err
	}
	if err := tx.nodeGroupPlace(o, c); err != nil {
		return err
	}
	return tx.nodeGroupRole(o)
}

// wholeNumber is a number as JSON holds it; 0 where it is none.
func wholeNumber(v any) int { f, _ := v.(float64); return int(f) }

func nodeGroupSize(s map[string]any) error {
	low, desired, high := wholeNumber(s["minSize"]), wholeNumber(s["desiredSize"]), wholeNumber(s["maxSize"])
	switch {
	case low > high:
		return invalid("Minimum capacity %d can't be greater than max size %d", low, high)
	case low > desired:
		return invalid("Minimum capacity %d can't be greater than desired size %d", low, desired)
	case desired > high:
		return invalid("desired capacity %d can't be greater than max size %d", desired, high)
	case high > maxNodes:
		return Errorf("ResourceLimitExceededException", "maxSize %d exceeds the quota of %d nodes in a managed node group", high, maxNodes)
	}
	return nil
}

func nodeGroupVersion(o, old, cluster *Object) error {
	of := cluster.Str("version")
	v, _ := o.Inputs["version"].(string)
	switch {
	case v == "":
		v = of
		if old != nil {
			v = old.Str("version")
		}
	case releases[v].ami == "":
		return unsupportedVersion(v)
	case minor(v) > minor(of):
		return invalid("Nodegroup Kubernetes version %s can't be newer than the cluster's version %s", v, of)
	case minor(v) < minor(of)-3:
		return invalid("Nodegroup Kubernetes version %s can't be more than three minor versions older than the cluster's version %s", v, of)
	}
	if old != nil && minor(v) < minor(old.Str("version")) {
		return invalid("Nodegroup Kubernetes version can't be downgraded from %s to %s", old.Str("version"), v)
	}
	r, ok := o.Inputs["releaseVersion"].(string)
	if kind, _ := o.Inputs["amiType"].(string); strings.HasPrefix(kind, "BOTTLEROCKET_") {
		if ok && (!rocketForm.MatchString(r) || releaseForm.MatchString(r)) {
			return invalid("Requested Nodegroup release version %s is invalid. A release of Bottlerocket looks like 1.50.0-ed0a1c2b", r)
		}
		return nil
	}
	if ok && (!releaseForm.MatchString(r) || !strings.HasPrefix(r, v+".")) {
		return invalid("Requested Nodegroup release version %s is invalid. Allowed release version is %s (or another one of %s)", r, releases[v].ami, v)
	}
	return nil
}

func nodeGroupLabels(o *Object) error {
	key := func(what, k string) error {
		for _, r := range []string{"kubernetes.io/", "k8s.io/", "eks.amazonaws.com/"} {
			if strings.Contains(k, r) {
				return invalid("%s cannot contain reserved prefixes [kubernetes.io/, k8s.io/, eks.amazonaws.com/]: %s", what, k)
			}
		}
		if !labelName.MatchString(k) {
			return invalid("%s key %q is no qualified name", what, k)
		}
		return nil
	}
	labels := nested(o.Get("labels"))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		if err := key("Label", k); err != nil {
			return err
		}
		// https://github.com/aws/aws-sdk-go-v2/blob/main/codegen/sdk-codegen/aws-models/eks.json: labelKey and labelValue
		v, _ := labels[k].(string)
		if len(k) > 63 || v == "" {
			return invalid("1 validation error detected: Value '{%s=%s}' at 'labels' failed to satisfy constraint: keys and values must have length greater than or equal to 1 and less than or equal to 63", k, v)
		}
		if !labelValue.MatchString(v) {
			return invalid("Label value %q of %s is no label value", v, k)
		}
	}
	seen := map[string]bool{}
	for _, t := range objects(o.Get("taints")) {
		k, _ := t["key"].(string)
		if err := key("Taint", k); err != nil {
			return err
		}
		if v, _ := t["value"].(string); !labelValue.MatchString(v) {
			return invalid("Taint value %q of %s is no label value", v, k)
		}
		if id := k + " " + fmt.Sprint(t["effect"]); seen[id] {
			return invalid("Duplicate taint %s", id)
		} else {
			seen[id] = true
		}
	}
	return nil
}

// launchTemplate is the launch template of a node group; nil where it has none, or it does not exist.
func (tx *Tx) launchTemplate(o *Object) *Object {
	lt := nested(o.Inputs["launchTemplate"])
	if id, _ := lt["id"].(string); id != "" {
		return tx.Find(launchTemplateToken, "id", id)
	}
	name, _ := lt["name"].(string)
	return tx.Find(launchTemplateToken, "name", name)
}

func (tx *Tx) nodeGroupTemplate(o *Object) error {
	given := nested(o.Inputs["launchTemplate"])
	if len(given) == 0 {
		return nil
	}
	lt := tx.launchTemplate(o)
	if lt == nil {
		if id, ok := given["id"].(string); ok {
			return Errorf("InvalidRequestException", "Launch template with ID %s does not exist", id)
		}
		return Errorf("InvalidRequestException", "Launch template with name %v does not exist", given["name"])
	}
	v, _ := given["version"].(string)
	if templateVersion(lt, v) == "" {
		return Errorf("InvalidRequestException", "Launch template %s does not have version %s: it has 1 to %d", lt.ID, v, lt.Num("latestVersion"))
	}
	if _, ok := o.Inputs["diskSize"]; ok {
		return invalid("Disk size must be specified within the launch template.")
	}
	if o.has("remoteAccess") {
		return invalid("Remote access configuration cannot be specified with a launch template.")
	}
	if lt.Str("instanceType") != "" && len(Strings(o.Inputs["instanceTypes"])) > 0 {
		return invalid("You cannot specify an instance type in both the launch template and the request.")
	}
	if kind, _ := o.Inputs["amiType"].(string); lt.Str("imageId") != "" && kind != "" && kind != "CUSTOM" {
		return invalid("You cannot specify an AMI Type other than CUSTOM, when specifying an image id in your launch template.")
	}
	if lt.Str("imageId") != "" && (o.Inputs["version"] != nil || o.Inputs["releaseVersion"] != nil) {
		return invalid("You cannot specify the field kubernetesVersion or releaseVersion when using custom AMIs.")
	}
	if lt.has("iamInstanceProfile") {
		return invalid("Launch template %s should not specify an instance profile. The noderole in your request will be used to construct an instance profile.", lt.ID)
	}
	for _, n := range objects(lt.Get("networkInterfaces")) {
		if n["subnetId"] != nil {
			return invalid("Launch template %s should not specify a subnet in its network interfaces: the node group's own are used.", lt.ID)
		}
	}
	return nil
}

// templateVersion is the number of a version of a launch template; "" where there is none.
func templateVersion(lt *Object, version string) string {
	switch version {
	case "$Latest":
		return strconv.Itoa(lt.Num("latestVersion"))
	case "$Default":
		return strconv.Itoa(lt.Num("defaultVersion"))
	}
	for n := 1; n <= lt.Num("latestVersion"); n++ {
		if strconv.Itoa(n) == version {
			return version
		}
	}
	return ""
}

func nodeGroupInstances(o *Object) error {
	kind, _ := o.Inputs["amiType"].(string)
	if strings.HasPrefix(kind, "WINDOWS_") {
		return fmt.Errorf("%s: the sandbox has no nodes with Windows (amiType %s); try this on AWS", nodeGroupToken, kind)
	}
	for _, name := range Strings(o.Inputs["instanceTypes"]) {
		t, err := instancetypes.Lookup(name)
		if err != nil {
			return invalid("The following supplied instance types do not exist: [%s] (%v)", name, err)
		}
		arch := architectures[kind]
		if kind == "" {
			arch = t.Arch // EKS chooses the AMI by the first type; they may not differ
			if first, err := instancetypes.Lookup(Strings(o.Inputs["instanceTypes"])[0]); err == nil {
				arch = first.Arch
			}
		}
		if arch != "" && t.Arch != arch {
			if kind == "" {
				return invalid("Instance types with different CPU architectures are not supported: %s", strings.Join(Strings(o.Inputs["instanceTypes"]), ", "))
			}
			return invalid("[%s] is not a valid instance type for requested amiType %s", name, kind)
		}
	}
	return nil
}

// nodeGroupPlace checks the subnets: they must lie in the cluster's VPC.
func (tx *Tx) nodeGroupPlace(o, cluster *Object) error {
	vpc := tx.clusterVPC(cluster).ID
	for _, id := range o.List("subnetIds") {
		if s := tx.Find(subnetToken, "id", id); s != nil && s.Str("vpcId") != vpc {
			return invalid("Subnets are not in the same VPC as the cluster: %s is in %s, the cluster in %s", id, s.Str("vpcId"), vpc)
		}
	}
	return nil
}

func (tx *Tx) nodeGroupRole(o *Object) error {
	arn := o.Str("nodeRoleArn")
	role := tx.roleOf(arn)
	if role == nil {
		return invalid("The role with ARN %s cannot be found.", arn)
	}
	if !trusts(role, "ec2.amazonaws.com", "sts:AssumeRole") {
		return invalid("Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of nodeRole %s", arn)
	}
	worker := func(p string) bool {
		return p == "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy" || p == "arn:aws:iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy"
	}
	if !slices.ContainsFunc(tx.policiesOf(role.ID), worker) && !tx.hasOwnPolicies(role.ID) && wholeNumber(nested(o.Get("scalingConfig"))["desiredSize"]) > 0 {
		// EKS would wait for the nodes for some 30 minutes.
		return fmt.Errorf("waiting for EKS Node Group (%s:%s) create: unexpected state 'CREATE_FAILED', wanted target 'ACTIVE'. last error: "+
			"NodeCreationFailure: Instances failed to join the kubernetes cluster (role %s has no AmazonEKSWorkerNodePolicy: let the node group depend on its attachment)",
			o.Str("clusterName"), o.Str("nodeGroupName"), role.ID)
	}
	return nil
}
