// A group of machines that follows the load: their CPU is held, pods that wait for room get a node, and a forecast tells what it would
// have started, without starting anything yet. The nodes of an EksCluster are followed in the same way, by the group's name from
// AutoScalingGroupNames, where its node group has DesiredSizeOwner "schedule".
package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/network"
	"github.com/slipway-iac/slipway/components/scaling"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		name, err := group(ctx)
		if err != nil {
			return err
		}
		from := 0.0
		load, err := scaling.NewNodeScalingPolicy(ctx, "load", &scaling.NodeScalingPolicyArgs{
			AutoScalingGroupName: name, DesiredSizeOwner: "schedule",
			TargetTracking: []scaling.TargetTracking{{Name: "cpu", Target: 60, WarmUpSeconds: 180}},
			// Pods wait where the nodes' CPU is requested, used or not: a metric of the cluster's own, which says how many do.
			Steps: []scaling.Step{{
				Name: "waiting", Metric: &scaling.Metric{Namespace: "Shop", Name: "PendingPods", Statistic: "Minimum"},
				Comparison: "GreaterThanThreshold", Threshold: 0, PeriodSeconds: 60, EvaluationPeriods: 2,
				Adjustments: []scaling.Adjustment{{Lower: &from, Change: 1}},
			}},
			Predictive: &scaling.Predictive{CPUPercent: 60},
		})
		if err != nil {
			return err
		}
		ctx.Export("group", name)
		ctx.Export("policies", load.PolicyNames)
		return nil
	})
}

// group is the name of one to four machines over two zones. It sets no desired size, which would take back what the policies do.
func group(ctx *pulumi.Context) (pulumi.StringOutput, error) {
	vpc, err := network.NewVpc(ctx, "network", &network.VpcArgs{Cidr: "10.62.0.0/16", Zones: 2, NatGateways: "one"})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	template, err := ec2.NewLaunchTemplate(ctx, "machine", &ec2.LaunchTemplateArgs{
		InstanceType: pulumi.String("t3.small"),
		ImageId:      pulumi.String("resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"),
		// CPU every minute rather than every five: the policies see it sooner.
		Monitoring: &ec2.LaunchTemplateMonitoringArgs{Enabled: pulumi.Bool(true)},
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	made, err := autoscaling.NewGroup(ctx, "machines", &autoscaling.GroupArgs{
		MinSize: pulumi.Int(1), MaxSize: pulumi.Int(4), VpcZoneIdentifiers: vpc.PrivateSubnetIds,
		LaunchTemplate: &autoscaling.GroupLaunchTemplateArgs{Id: template.ID(), Version: pulumi.Sprintf("%d", template.LatestVersion)},
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return made.Name, nil
}
