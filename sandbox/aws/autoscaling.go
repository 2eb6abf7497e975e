package aws

import (
	"fmt"
	"slices"
	"strings"
)

const (
	autoScalingGroupToken = "aws:autoscaling/group:Group"
	groupAttachmentToken  = "aws:autoscaling/attachment:Attachment"
)

// ofScalingGroups are the types of what lives in an auto scaling group, and goes with it.
var ofScalingGroups = []string{scheduleToken, scalingPolicyToken, groupAttachmentToken, lifecycleHookToken}

var scalingGroupRef = &Ref{Types: []string{autoScalingGroupToken}, By: "name", Code: "ValidationError", Message: "AutoScalingGroup name not found - AutoScalingGroup: %s not found"}

// targetGroupsOf names target groups that instances of a group register with; they may go before it.
var targetGroupsOf = &Ref{
	Types: []string{targetGroupToken}, By: "arn", Code: "ValidationError", Message: "Provided Target Groups may not be valid. Please ensure they exist and try again. ('%s')",
}

func init() {
	templateOverride := map[string]Prop{
		"instanceRequirements": instanceRequirements, "instanceType": text, "weightedCapacity": text,
		"launchTemplateSpecification": fields(templateSpecification),
	}
	preferences := map[string]Prop{
		"alarmSpecification": fields(map[string]Prop{"alarms": listOf(text)}), "autoRollback": flag.or(false), "checkpointDelay": text,
		"checkpointPercentages": listOf(number.within(1, 100)), "instanceWarmup": text, "maxHealthyPercentage": number.or(100.0).within(100, 200),
		"minHealthyPercentage": number.or(90.0).within(0, 100), "scaleInProtectedInstances": text.or("Ignore").in("Refresh", "Ignore", "Wait"),
		"skipMatching": flag.or(false), "standbyInstances": text.or("Ignore").in("Terminate", "Ignore", "Wait"),
	}
	hook := map[string]Prop{
		"defaultResult": text.filled().in("CONTINUE", "ABANDON"), "heartbeatTimeout": number.within(30, 7200),
		"lifecycleTransition": text.must().in("autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"), "name": text.must(),
		"notificationMetadata": text, "notificationTargetArn": text, "roleArn": text,
	}
	register(
		&Type{
			Token: autoScalingGroupToken, Label: "Auto Scaling Group", Service: "Auto Scaling",
			Ops:      Ops{"CreateAutoScalingGroup", "UpdateAutoScalingGroup", "DeleteAutoScalingGroup"},
			AutoName: &AutoName{Prop: "name", Max: 255},
			Props: map[string]Prop{
				"availabilityZoneDistribution": fields(map[string]Prop{"capacityDistributionStrategy": text.in("balanced-only", "balanced-best-effort")}).filled(),
				"availabilityZones":            setOf(text).filled().not("vpcZoneIdentifiers"), "capacityRebalance": flag,
				"capacityReservationSpecification": fields(map[string]Prop{
					"capacityReservationPreference": text.in("default", "none", "capacity-reservations-only", "capacity-reservations-first"),
					"capacityReservationTarget":     fields(map[string]Prop{"capacityReservationIds": setOf(text), "capacityReservationResourceGroupArns": setOf(text)}),
				}).filled(),
				"context": text, "defaultCooldown": number.filled(), "defaultInstanceWarmup": number, "desiredCapacity": number.filled(),
				"desiredCapacityType": text.in("units", "vcpu", "memory-mib"), "enabledMetrics": setOf(text), "forceDelete": flag.or(false),
				"forceDeleteWarmPool": flag.or(false), "healthCheckGracePeriod": number.or(300.0), "healthCheckType": text.filled(),
				"ignoreFailedScalingActivities": flag.or(false), "initialLifecycleHooks": setOf(fields(hook)).fixed(),
				"instanceMaintenancePolicy": fields(map[string]Prop{"maxHealthyPercentage": number.must().within(-1, 200), "minHealthyPercentage": number.must().within(-1, 100)}),
				"instanceRefresh":           fields(map[string]Prop{"preferences": fields(preferences), "strategy": text.must().in("Rolling"), "triggers": setOf(text)}),
				"launchConfiguration":       text.not("launchTemplate", "mixedInstancesPolicy").to(&Ref{Code: "ValidationError", Message: "Launch configuration name not found - %s"}),
				"launchTemplate": fields(map[string]Prop{
					"id": text.filled().not("name").to(launchTemplateRef("id")), "name": text.filled().not("id").to(launchTemplateRef("name")), "version": text.filled(),
				}).filled().not("launchConfiguration", "mixedInstancesPolicy"),
				"loadBalancers":       setOf(text.to(&Ref{Code: "ValidationError", Message: "Provided Load Balancers may not be valid. Please ensure they exist and try again. ('%s')"})).filled(),
				"maxInstanceLifetime": number, "maxSize": number.must(), "metricsGranularity": text.or("1Minute").in("1Minute"), "minElbCapacity": number, "minSize": number.must(),
				"mixedInstancesPolicy": fields(map[string]Prop{
					"instancesDistribution": fields(map[string]Prop{
						"onDemandAllocationStrategy": text.filled().in("prioritized", "lowest-price"), "onDemandBaseCapacity": number.filled(),
						"onDemandPercentageAboveBaseCapacity": number.filled().within(0, 100), "spotAllocationStrategy": text.filled(), "spotInstancePools": number.filled(), "spotMaxPrice": text,
					}).filled(),
					"launchTemplate": fields(map[string]Prop{
						"launchTemplateSpecification": fields(templateSpecification).must(), "overrides": listOf(fields(templateOverride)),
					}).must(),
				}).filled().not("launchConfiguration", "launchTemplate"),
				"name": text.filled().fixed().not("namePrefix").within(1, 255), "namePrefix": text.filled().fixed().not("name").within(1, 229),
				"placementGroup": text, "protectFromScaleIn": flag.or(false), "serviceLinkedRoleArn": text.filled(), "suspendedProcesses": setOf(text),
				"tags":            setOf(fields(scalingTag)),
				"targetGroupArns": setOf(text.to(targetGroupsOf)).filled(), "terminationPolicies": listOf(text),
				"trafficSources":     setOf(fields(map[string]Prop{"identifier": text.must().within(1, 2048), "type": text.in("elb", "elbv2", "vpc-lattice")})).filled(),
				"vpcZoneIdentifiers": setOf(text.to(scalingSubnetRef)).filled().not("availabilityZones"), "waitForCapacityTimeout": text.or("10m"), "waitForElbCapacity": number,
				"warmPool": fields(map[string]Prop{
					"instanceReusePolicy": fields(map[string]Prop{"reuseOnScaleIn": flag.or(false)}), "maxGroupPreparedCapacity": number.or(-1.0), "minSize": number.or(0.0),
					"poolState": text.or("Stopped").in("Stopped", "Running", "Hibernated"),
				}),
			},
			Outputs: []string{"arn", "predictedCapacity", "warmPoolSize"},
			Check:   checkScalingGroup, Validate: validateScalingGroup, Create: createScalingGroup, Update: describeScalingGroup, Delete: deleteScalingGroup,
			Held: Held{"ResourceInUse", "The group %s is in use"},
		},
		&Type{
			Token: groupAttachmentToken, Label: "Auto Scaling Group Attachment", Service: "Auto Scaling",
			Ops: Ops{"AttachLoadBalancerTargetGroups", "", "DetachLoadBalancerTargetGroups"},
			Props: map[string]Prop{
				"autoscalingGroupName": text.must().fixed().to(scalingGroupRef), "lbTargetGroupArn": text.fixed().not("elb").to(targetGroupsOf),
				"elb": text.fixed().not("lbTargetGroupArn").to(&Ref{Code: "ValidationError", Message: "Provided Load Balancers may not be valid. Please ensure they exist and try again. ('%s')"}),
			},
			Check: func(in Inputs) []Problem {
				if !in.Has("elb") && !in.Has("lbTargetGroupArn") {
					return []Problem{{"lbTargetGroupArn", "is required, or elb"}}
				}
				return nil
			},
			Validate: func(tx *Tx, o, _ *Object) error { return tx.instanceTargets(o.Str("lbTargetGroupArn")) },
			Create: func(_ *Tx, o *Object) error {
				o.ID = o.Str("autoscalingGroupName") + "-" + Hex(26)
				return nil
			},
		},
	)
}

var (
	templateSpecification = map[string]Prop{
		"launchTemplateId":   text.filled().not("launchTemplateName").to(launchTemplateRef("id")),
		"launchTemplateName": text.filled().not("launchTemplateId").to(launchTemplateRef("name")), "version": text.or("$Default"),
	}
	scalingTag = map[string]Prop{"key": text.must().within(1, 128), "propagateAtLaunch": flag.must(), "value": text.must().within(0, 256)}

	scalingSubnetRef = &Ref{Types: []string{subnetToken}, Code: "ValidationError", Message: "The subnet ID '%s' does not exist", Holds: true}
)

// instanceTargets is why a scaling group cannot register its instances with target groups.
func (tx *Tx) instanceTargets(arns ...string) error {
	for _, arn := range arns {
		if g := tx.Find(targetGroupToken, "arn", arn); g != nil && g.Str("targetType") != "instance" {
			return Errorf("ValidationError", "Provided Target Groups may not be valid. Please ensure they exist and try again. (%s has target type %s, must be instance)", arn, g.Str("targetType"))
		}
	}
	return nil
}

func checkScalingGroup(in Inputs) []Problem {
	var out []Problem
	o := in.Object()
	if !in.Has("launchTemplate") && !in.Has("mixedInstancesPolicy") && !in.Has("launchConfiguration") {
		out = append(out, Problem{"launchTemplate", "is required, or mixedInstancesPolicy or launchConfiguration"})
	}
	if !in.Has("vpcZoneIdentifiers") && !in.Has("availabilityZones") {
		out = append(out, Problem{"vpcZoneIdentifiers", "is required, or availabilityZones"})
	}
	if in.Known("minSize") && in.Known("maxSize") && in.Known("desiredCapacity") {
		out = append(out, sizeProblems(o)...)
	}
	return out
}

// sizeProblems finds what does not fit between minSize, maxSize and desiredCapacity, of those that are given.
func sizeProblems(o *Object) []Problem {
	var out []Problem
	low, high, desired := o.Num("minSize"), o.Num("maxSize"), o.Num("desiredCapacity")
	if o.has("minSize") && o.has("maxSize") && low > high {
		out = append(out, Problem{"maxSize", fmt.Sprintf("is %d: Max bound, %d, must be greater than or equal to min bound, %d (ValidationError)", high, high, low)})
	}
	if o.has("desiredCapacity") && ((o.has("minSize") && desired < low) || (o.has("maxSize") && desired > high)) {
		out = append(out, Problem{"desiredCapacity", fmt.Sprintf("is %d: Desired capacity:%d must be between the specified min size:%d and max size:%d (ValidationError)", desired, desired, low, high)})
	}
	return out
}

func validateScalingGroup(tx *Tx, o, old *Object) error {
	if old == nil && tx.Find(autoScalingGroupToken, "name", o.Str("name")) != nil {
		return Errorf("AlreadyExists", "AutoScalingGroup by this name already exists - A group with the name %s already exists", o.Str("name"))
	}
	for _, z := range Strings(o.Inputs["availabilityZones"]) {
		if !slices.Contains(zonesOf(tx.Region), z) {
			return Errorf("ValidationError", "Invalid availability zones: [%s]", z)
		}
	}
	if o.hasInput("availabilityZones") {
		return Errorf("ValidationError", "No default subnet for availability zone: '%s'. Give vpcZoneIdentifiers", strings.Join(o.List("availabilityZones"), ", "))
	}
	vpc := ""
	for _, s := range Strings(o.Inputs["vpcZoneIdentifiers"]) {
		if v := tx.vpcOf(s); vpc == "" {
			vpc = v
		} else if v != vpc {
			return Errorf("ValidationError", "The subnets must be in the same VPC: %s is in %s, others in %s", s, v, vpc)
		}
	}
	return tx.instanceTargets(Strings(o.Inputs["targetGroupArns"])...)
}

func createScalingGroup(tx *Tx, o *Object) error {
	if p := o.Str("namePrefix"); p != "" {
		o.fill("name", p+Hex(26))
	}
	o.fill("namePrefix", "")
	o.ID = o.Str("name")
	o.Set("arn", tx.ARN("autoscaling", "autoScalingGroup:"+uuid()+":autoScalingGroupName/"+o.ID))
	o.Set("predictedCapacity", 0.0)
	o.Set("warmPoolSize", 0.0)
	o.fill("desiredCapacity", o.Get("minSize"))
	return describeScalingGroup(tx, o, o)
}

func describeScalingGroup(tx *Tx, o, _ *Object) error {
	var zones []string
	for _, s := range Strings(o.Inputs["vpcZoneIdentifiers"]) {
		if z := tx.Find(subnetToken, "id", s).Str("availabilityZone"); !slices.Contains(zones, z) {
			zones = append(zones, z)
		}
	}
	o.fill("availabilityZones", anys(zones))
	for name, v := range map[string]any{
		"availabilityZoneDistribution": map[string]any{"capacityDistributionStrategy": "balanced-best-effort"}, "defaultCooldown": 300.0, "healthCheckType": "EC2",
		"capacityReservationSpecification": map[string]any{"capacityReservationPreference": "default"}, "loadBalancers": []any{}, "targetGroupArns": []any{},
		"serviceLinkedRoleArn": tx.GlobalARN("iam", "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"), "trafficSources": []any{},
	} {
		o.fill(name, v)
	}
	if t := nested(o.Inputs["launchTemplate"]); len(t) > 0 {
		id, _ := t["id"].(string)
		name, _ := t["name"].(string)
		found := tx.Find(launchTemplateToken, "id", id)
		if found == nil {
			found = tx.Find(launchTemplateToken, "name", name)
		}
		version := t["version"]
		if version == nil {
			version = "$Default"
		}
		if found != nil {
			o.Set("launchTemplate", map[string]any{"id": found.ID, "name": found.Str("name"), "version": version})
		}
	} else {
		o.fill("launchTemplate", map[string]any{})
	}
	o.fill("mixedInstancesPolicy", map[string]any{})
	o.fill("vpcZoneIdentifiers", []any{})
	return nil
}

// deleteScalingGroup takes what lives in the group along. Where the group belongs to a node group, EKS alone deletes it.
func deleteScalingGroup(tx *Tx, o *Object) error {
	for _, token := range ofScalingGroups {
		tx.removeWhere(token, func(e *Object) bool { return e.Str("autoscalingGroupName") == o.Str("name") })
	}
	return nil
}
