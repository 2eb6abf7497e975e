package aws

import (
	"fmt"
	"maps"
	"slices"

	"github.com/slipway-iac/slipway/sandbox/kube/instancetypes"
)

func createNodeGroup(tx *Tx, o *Object) error {
	c, err := tx.clusterOf(o)
	if err != nil {
		return err
	}
	name, id := o.named("nodeGroupName", "nodeGroupNamePrefix"), uuid()
	o.ID = c.ID + ":" + name
	o.Set("arn", tx.ARN("eks", "nodegroup/"+c.ID+"/"+name+"/"+id))
	o.Set("status", "ACTIVE")
	group := "eks-" + name + "-" + id
	access := ""
	if nested(o.Inputs["remoteAccess"])["ec2SshKey"] != nil {
		access = tx.addRemoteAccess(o, c)
	}
	o.Set("resources", []any{map[string]any{
		"autoscalingGroups": []any{map[string]any{"name": group}}, "remoteAccessSecurityGroupId": access,
	}})
	o.fill("version", c.Str("version"))
	o.fill("capacityType", "ON_DEMAND")
	o.fill("updateConfig", map[string]any{"maxUnavailable": 1.0})
	o.fill("nodeRepairConfig", map[string]any{"enabled": false})
	if err := describeNodeGroup(tx, o); err != nil {
		return err
	}
	tx.addEntry(c, o.Str("nodeRoleArn"), "EC2_LINUX")
	tx.addAutoScalingGroup(o, group)
	return nil
}

// describeNodeGroup fills in what EKS chooses where the program says nothing.
func describeNodeGroup(tx *Tx, o *Object) error {
	lt := tx.launchTemplate(o)
	disk := 0.0 // the launch template says it
	if lt == nil {
		disk = 20
	}
	o.fill("diskSize", disk)
	if lt == nil || lt.Str("instanceType") == "" {
		o.fill("instanceTypes", []any{"t3.medium"})
	}
	kind := "AL2023_x86_64_STANDARD"
	if t, err := instancetypes.Lookup(firstOf(instanceTypesOf(o, lt))); err == nil && t.Arch == instancetypes.ARM64 {
		kind = "AL2023_ARM_64_STANDARD"
	}
	if lt != nil {
		given := nested(o.Inputs["launchTemplate"])
		v, _ := given["version"].(string)
		o.Set("launchTemplate", map[string]any{"id": lt.ID, "name": lt.Str("name"), "version": templateVersion(lt, v)})
		if lt.Str("imageId") != "" {
			kind = "CUSTOM"
		}
	}
	o.fill("amiType", kind)
	// Nodes stay on their AMI until somebody asks for another one, or for another version of Kubernetes.
	if o.Str("amiType") != "CUSTOM" && o.Str("releaseVersion") == "" {
		o.fill("releaseVersion", releases[o.Str("version")].ami)
	}
	return nil
}

func firstOf(l []string) string {
	if len(l) == 0 {
		return ""
	}
	return l[0]
}

// instanceTypesOf is the types of a node group's instances: its own, or the one of its launch template.
func instanceTypesOf(o, lt *Object) []string {
	if l := o.List("instanceTypes"); len(l) > 0 {
		return l
	}
	if lt != nil && lt.Str("instanceType") != "" {
		return []string{lt.Str("instanceType")}
	}
	return nil
}

// updateNodeGroup follows changes of inputs. A size is only set where the program changed it: what a schedule or an
// autoscaler has made of the group since stays, as the AWS provider leaves it.
func updateNodeGroup(tx *Tx, o, old *Object) error {
	if same(types[nodeGroupToken].Props["scalingConfig"], tx.was["scalingConfig"], o.Inputs["scalingConfig"]) {
		o.Inputs["scalingConfig"] = old.Inputs["scalingConfig"]
	}
	if o.Str("version") != old.Str("version") {
		if _, pinned := o.Inputs["releaseVersion"]; !pinned || o.Str("releaseVersion") == old.Str("releaseVersion") {
			delete(o.Inputs, "releaseVersion")
			delete(o.Outputs, "releaseVersion")
		}
	}
	if err := describeNodeGroup(tx, o); err != nil {
		return err
	}
	if g := tx.Find(autoScalingGroupToken, "name", autoScalingGroupOf(o)); g != nil {
		mirrorSize(o, g)
		g.Set("launchTemplate", o.Get("launchTemplate"))
		tx.tellPods(o, g)
		tx.Touch()
	}
	return nil
}

// endedToken marks node groups that are gone, as long as their cluster is there; no stack makes them.
const endedToken = "eks:endedNodeGroup"

// deleteNodeGroup takes along what hangs on the auto scaling group, and the role's access entry if no other group needs it. How long its
// nodes go on is decided by what hangs there now: whoever ends them may look at the account only later.
func deleteNodeGroup(tx *Tx, o *Object) error {
	group := autoScalingGroupOf(o)
	if c, s := tx.Find(clusterToken, "name", o.Str("clusterName")), tx.Find(autoScalingGroupToken, "name", group); c != nil && s != nil {
		tx.Add(&Object{Type: endedToken, ID: o.Str("arn"), Region: o.Region, Owner: c.Key(), Inputs: map[string]any{
			"clusterName": c.ID, "endSeconds": float64(balancing{tx.Objects}.endSeconds(s)),
		}})
	}
	for _, token := range ofScalingGroups {
		tx.removeWhere(token, func(e *Object) bool { return e.Region == o.Region && e.Str("autoscalingGroupName") == group })
	}
	for _, g := range tx.All(nodeGroupToken) {
		if g.ID != o.ID && g.Str("clusterName") == o.Str("clusterName") && g.Str("nodeRoleArn") == o.Str("nodeRoleArn") {
			return nil
		}
	}
	if e := tx.entry(o.Str("clusterName"), o.Str("nodeRoleArn")); e != nil && e.Owner != "" {
		tx.Remove(e)
	}
	return nil
}

// autoScalingGroupOf is the name of the auto scaling group behind a node group.
func autoScalingGroupOf(o *Object) string {
	for _, r := range objects(o.Get("resources")) {
		for _, g := range objects(r["autoscalingGroups"]) {
			name, _ := g["name"].(string)
			return name
		}
	}
	return ""
}

// addAutoScalingGroup makes the group that EKS makes: it goes with the node group, and scheduled actions, scaling policies
// and target groups may name it.
func (tx *Tx) addAutoScalingGroup(o *Object, name string) {
	subnets := o.List("subnetIds")
	var zones []string
	for _, id := range subnets {
		if s := tx.Find(subnetToken, "id", id); s != nil {
			zones = append(zones, s.Str("availabilityZone"))
		}
	}
	slices.Sort(zones)
	g := &Object{Type: autoScalingGroupToken, ID: name, Region: tx.Region, Owner: o.Key(), Inputs: map[string]any{
		"name": name, "vpcZoneIdentifiers": anys(subnets), "healthCheckType": "EC2", "healthCheckGracePeriod": 15.0, "capacityRebalance": true,
		"terminationPolicies": anys([]string{"AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"}),
		"tags": []any{
			map[string]any{"key": "eks:cluster-name", "value": o.Str("clusterName"), "propagateAtLaunch": true},
			map[string]any{"key": "eks:nodegroup-name", "value": o.Str("nodeGroupName"), "propagateAtLaunch": true},
		},
	}}
	g.Set("arn", tx.ARN("autoscaling", "autoScalingGroup:"+uuid()+":autoScalingGroupName/"+name))
	g.Set("availabilityZones", anys(slices.Compact(zones)))
	if lt := o.Get("launchTemplate"); lt != nil {
		g.Set("launchTemplate", lt)
	}
	mirrorSize(o, g)
	tx.tellPods(o, g)
	tx.Add(g)
}

// tellPods keeps with the auto scaling group how many pods its nodes are told to take, which a later version of the launch template does
// not change until the node group takes it.
func (tx *Tx) tellPods(o, g *Object) {
	g.Set("maxPods", float64(toldMaxPods(tx.launchTemplate(o), o.Str("amiType"))))
}

// mirrorSize gives the auto scaling group the size of its node group.
func mirrorSize(o, g *Object) {
	s := nested(o.Get("scalingConfig"))
	g.Inputs["minSize"], g.Inputs["maxSize"], g.Inputs["desiredCapacity"] = s["minSize"], s["maxSize"], s["desiredSize"]
}

func (tx *Tx) addRemoteAccess(o, cluster *Object) string {
	g := &Object{Type: securityGroupToken, ID: tx.NewID("sg"), Region: tx.Region, Owner: o.Key(), Inputs: map[string]any{
		"name": "eks-remoteAccess-" + uuid(), "description": "Security group for all nodes in the nodeGroup to allow SSH access",
		"vpcId": tx.clusterVPC(cluster).ID, "tags": map[string]any{"eks": o.Str("nodeGroupName")},
	}}
	g.Set("arn", tx.ARN("ec2", "security-group/"+g.ID))
	g.Set("ownerId", AccountID)
	tx.Add(g)
	return g.ID
}

// Resize changes the size of an auto scaling group as a scheduled action, an autoscaler or an operator does, and of the
// node group to which it belongs. A size of -1 stays as it is.
func (tx *Tx) Resize(group string, low, high, desired int) error {
	g := tx.Find(autoScalingGroupToken, "name", group)
	if g == nil {
		return Errorf("ValidationError", "AutoScalingGroup name not found - no such group: %s", group)
	}
	inputs := maps.Clone(g.Inputs)
	for prop, n := range map[string]int{"minSize": low, "maxSize": high, "desiredCapacity": desired} {
		if n >= 0 {
			inputs[prop] = float64(n)
		}
	}
	given := desired >= 0
	low, high, desired = wholeNumber(inputs["minSize"]), wholeNumber(inputs["maxSize"]), wholeNumber(inputs["desiredCapacity"])
	if low > high {
		return Errorf("ValidationError", "Max bound, %d, must be greater than or equal to min bound, %d", high, low)
	}
	if given && (desired < low || desired > high) {
		return Errorf("ValidationError", "Desired capacity:%d must be between the specified min size:%d and max size:%d", desired, low, high)
	}
	// A group never stands outside its bounds: who moves them alone moves the group:
	// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html.
	desired = min(max(desired, low), high)
	inputs["desiredCapacity"] = float64(desired)
	g.Inputs = inputs
	for _, o := range tx.All(nodeGroupToken) {
		if o.Key() == g.Owner {
			o.Inputs = maps.Clone(o.Inputs)
			o.Inputs["scalingConfig"] = map[string]any{"minSize": float64(low), "maxSize": float64(high), "desiredSize": float64(desired)}
		}
	}
	tx.Touch()
	return nil
}

// nodeDisk is the size of a node's disk in GiB: the node group's, or that of its launch template's first volume.
func nodeDisk(o, lt *Object) int {
	if lt != nil {
		for _, d := range objects(lt.Get("blockDeviceMappings")) {
			if n := wholeNumber(nested(d["ebs"])["volumeSize"]); n > 0 {
				return n
			}
		}
	}
	if n := o.Num("diskSize"); n > 0 {
		return n
	}
	return 20
}

// labelsOf is a map of texts.
func labelsOf(v any) map[string]string {
	out := map[string]string{}
	for k, e := range nested(v) {
		out[k] = fmt.Sprint(e)
	}
	return out
}
