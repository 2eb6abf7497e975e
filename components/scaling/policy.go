package scaling

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// NodeScalingPolicyType is in every stack's state: to change it takes an alias and a major version.
const NodeScalingPolicyType = "slipway:index:NodeScalingPolicy"

// NodeScalingPolicyArgs says which group follows the load, and by what. At least one of TargetTracking, Steps and Predictive is
// required.
//
// The CPU that nodes use is not the CPU that pods wait for: Kubernetes places pods by what they request. Nodes full of requests take
// no further pod however idle their CPU is, so that a policy on CPU neither sees pods that wait nor adds a node for them; and it takes
// idle nodes away whose requests then fit nowhere else. Let pods request about what they use, or follow a metric of what waits.
// Otherwise an autoscaler in the cluster is the better owner.
//
// Auto Scaling chooses the node that a policy takes away, by zone and age, not by what runs there. It is drained as in any scale-in of
// the group: EKS evicts its pods, and ends the node after 15 minutes whether or not they have gone, disruption budgets or not
// (https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html).
type NodeScalingPolicyArgs struct {
	// AutoScalingGroupName is the group behind the nodes, from EksCluster.AutoScalingGroupNames. Required. The policies stay within its
	// minimum and maximum, those of the node group or of the last scheduled action. A change replaces all policies.
	AutoScalingGroupName pulumi.StringInput `pulumi:"autoScalingGroupName"`
	// DesiredSizeOwner is what the node group says for it, NodeGroup.DesiredSizeOwner. Required, and must be "schedule", the only
	// owner that leaves the number of nodes to Auto Scaling: with "fixed" the stack takes back what a policy does, with "autoscaler"
	// an autoscaler in the cluster does. A NodeScalingSchedule beside it is welcome, not required.
	DesiredSizeOwner string `pulumi:"desiredSizeOwner"`
	// TargetTracking holds metrics at values, at most one policy a metric; default none.
	TargetTracking []TargetTracking `pulumi:"targetTracking,optional"`
	// Steps add or take away nodes when an alarm tells of a metric beyond a threshold; default none. With several policies the one
	// that asks for the most nodes wins.
	Steps []Step `pulumi:"steps,optional"`
	// Predictive learns from the last 14 days what the next two will need; default not. There is one at most, since Auto Scaling
	// forecasts a group's CPU but once.
	Predictive *Predictive `pulumi:"predictive,optional"`
	// Tags of the alarms, beside those of the provider; policies have none. Default none.
	Tags map[string]string `pulumi:"tags,optional"`
}

// NodeScalingPolicy lets the size of a node group follow the load:
//
//	slipway:index:NodeScalingPolicy            NAME
//	├─ aws:autoscaling/policy:Policy           NAME-POLICY      each of targetTracking and steps
//	├─ aws:autoscaling/policy:Policy           NAME-predictive  only with predictive
//	└─ aws:cloudwatch/metricAlarm:MetricAlarm  NAME-POLICY      each of steps; Auto Scaling makes those of targetTracking itself
type NodeScalingPolicy struct {
	pulumi.ResourceState
	// PolicyNames are the names of the policies at AWS, by the names in the arguments; "predictive" is that of Predictive, whose
	// forecast `aws autoscaling get-predictive-scaling-forecast` shows.
	PolicyNames pulumi.StringMapOutput `pulumi:"policyNames"`
	// AlarmNames are the names of the alarms at AWS, by the names of the steps.
	AlarmNames pulumi.StringMapOutput `pulumi:"alarmNames"`
}

// NewNodeScalingPolicy reports every problem with args at once, before it registers anything.
func NewNodeScalingPolicy(ctx *pulumi.Context, name string, args *NodeScalingPolicyArgs, opts ...pulumi.ResourceOption) (*NodeScalingPolicy, error) {
	a, err := args.checked(name)
	if err != nil {
		return nil, err
	}
	c := &NodeScalingPolicy{}
	if err := ctx.RegisterComponentResourceV2(NodeScalingPolicyType, name, a.recorded(), c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", NodeScalingPolicyType, name, err)
	}
	policies, alarms := pulumi.StringMap{}, pulumi.StringMap{}
	policy := func(part string, args *autoscaling.PolicyArgs) (*autoscaling.Policy, error) {
		args.AutoscalingGroupName = a.AutoScalingGroupName
		made, err := autoscaling.NewPolicy(ctx, name+"-"+part, args, pulumi.Parent(c))
		if err != nil {
			return nil, fmt.Errorf("%s %q: policy %q: %w", NodeScalingPolicyType, name, part, err)
		}
		policies[part] = made.Name
		return made, nil
	}
	for _, t := range a.TargetTracking {
		if _, err := policy(t.Name, t.policy()); err != nil {
			return nil, err
		}
	}
	for _, s := range a.Steps {
		made, err := policy(s.Name, s.policy())
		if err != nil {
			return nil, err
		}
		alarm, err := cloudwatch.NewMetricAlarm(ctx, name+"-"+s.Name, s.alarm(a.metric(s.Metric), made.Arn, a.Tags), pulumi.Parent(c))
		if err != nil {
			return nil, fmt.Errorf("%s %q: alarm %q: %w", NodeScalingPolicyType, name, s.Name, err)
		}
		alarms[s.Name] = alarm.Name
	}
	if a.Predictive != nil {
		if _, err := policy(predictiveName, a.Predictive.policy()); err != nil {
			return nil, err
		}
	}
	c.PolicyNames, c.AlarmNames = policies.ToStringMapOutput(), alarms.ToStringMapOutput()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"policyNames": c.PolicyNames, "alarmNames": c.AlarmNames})
}

// Check finds every problem with args but that AutoScalingGroupName is not there yet. A stack that checks all its parts before it
// makes the first one registers nothing when anything is wrong.
func (args *NodeScalingPolicyArgs) Check(_ *pulumi.Context, name string) error {
	_, err := args.checked(name)
	return check.Before(err, "autoScalingGroupName")
}
