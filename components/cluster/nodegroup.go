package cluster

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Who decides how many nodes a group has, after it is made: the values of NodeGroup.DesiredSizeOwner.
const (
	// OwnerFixed is the stack: the sizes in NodeGroup hold, and `pulumi up --refresh` puts right what was changed by hand.
	OwnerFixed = "fixed"
	// OwnerSchedule is a schedule on the auto scaling group, which sets minimum, maximum and desired size: those in NodeGroup
	// only say how the group begins.
	OwnerSchedule = "schedule"
	// OwnerAutoscaler is a node autoscaler in the cluster: MinSize and MaxSize hold, DesiredSize only says how the group begins.
	OwnerAutoscaler = "autoscaler"
)

// NodeGroup is a number of like nodes over all private subnets: Amazon Linux 2023, encrypted gp3 disks, on demand. Their
// instance metadata takes tokens only and answers the node itself, not its pods, so that no pod can act as its node: pods get
// rights by EKS Pod Identity or a service account's role. Nodes are replaced with their pods drained, as far as disruption
// budgets allow; after 15 minutes without progress the update fails.
type NodeGroup struct {
	// Name of the group, unique in the cluster: 1 to 30 lower-case letters, digits and "-"; together with the component's name at
	// most 54. Required. A change makes a new group and then drains the old.
	Name string `pulumi:"name"`
	// InstanceTypes that will do, the preferred one first: 1 to 20, all of one processor architecture, without accelerators.
	// Required. A change makes a new group, and when its nodes are there drains the old.
	InstanceTypes []string `pulumi:"instanceTypes"`
	// MinSize is the least number of nodes, 0 or more; default 0.
	MinSize int `pulumi:"minSize,optional"`
	// MaxSize is the largest number of nodes, 1 or more and at least MinSize. Required. During updates there are more. AWS's quota
	// is 450, unless raised.
	MaxSize int `pulumi:"maxSize"`
	// DesiredSize is the number of nodes, MinSize to MaxSize; default MinSize. With another owner than OwnerFixed it only says how
	// the group begins.
	DesiredSize int `pulumi:"desiredSize,optional"`
	// DesiredSizeOwner says who decides the number of nodes: OwnerFixed, OwnerSchedule or OwnerAutoscaler; default OwnerFixed.
	// Sizes that it owns are left alone from then on. With OwnerAutoscaler, run a change of MinSize or MaxSize with `pulumi up
	// --refresh`: AWS takes all three sizes at once, and the desired one sent with them is the last that Pulumi has read.
	DesiredSizeOwner string `pulumi:"desiredSizeOwner,optional"`
	// DiskSizeGiB is a node's disk for images, logs and scratch space, in GiB: 20 to 16384; default 80. A change replaces all nodes,
	// MaxUnavailablePercent at a time.
	DiskSizeGiB int `pulumi:"diskSizeGiB,optional"`
	// MaxUnavailablePercent is how many nodes of the group are replaced at the same time when it is updated, in percent: 1 to 100;
	// default 33. At least one is.
	MaxUnavailablePercent int `pulumi:"maxUnavailablePercent,optional"`
	// ReleaseVersion pins the nodes' image, like "1.34.1-20251016", of the cluster's Version; default: the newest when the group is
	// made and when Version or the disk changes, and none in between. A change replaces all nodes, MaxUnavailablePercent at a time.
	ReleaseVersion string `pulumi:"releaseVersion,optional"`
}

var (
	groupName      = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$`)
	releaseVersion = regexp.MustCompile(`^(1\.[0-9]+)\.[0-9]+-20[0-9]{6}$`)
	// Family, generation, attributes, size: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html.
	instanceType = regexp.MustCompile(`^([a-z]+)([0-9]+)([a-z]*)(?:-[a-z0-9]+)?\.((?:[0-9]+x|x)?large|nano|micro|small|medium|metal(?:-[0-9]+xl)?)$`)
	// They need other images, with their drivers; vt and f need none that EKS has.
	accelerated = regexp.MustCompile(`^(p|g|gr|inf|trn|dl|vt|f)$`)
)

// longestGroupName is what a node group's name may have, 63, without the "-0123456" that makes it unique.
const longestGroupName = 63 - 8

func (g NodeGroup) checked(p *check.Problems, component, version string) NodeGroup {
	p.Match("name", g.Name, groupName, `1 to 30 lower-case letters, digits and "-", from a letter to a letter or digit`)
	if n := len(component) + 1 + len(g.Name); groupName.MatchString(g.Name) && n > longestGroupName {
		p.Addf("name", "is %q, must have %d characters less: AWS allows 63, of which the component's name takes %d and a unique suffix 8", g.Name, n-longestGroupName, len(component)+1)
	}
	g.checkInstanceTypes(p)
	g.DesiredSize = cmp.Or(g.DesiredSize, g.MinSize)
	switch {
	case g.MaxSize < 1:
		p.Addf("maxSize", "is %d, must be 1 or more", g.MaxSize)
	case g.MinSize < 0 || g.MinSize > g.MaxSize:
		p.Addf("minSize", "is %d, must be 0 to maxSize (%d)", g.MinSize, g.MaxSize)
	case g.DesiredSize < g.MinSize || g.DesiredSize > g.MaxSize:
		p.Addf("desiredSize", "is %d, must be minSize (%d) to maxSize (%d)", g.DesiredSize, g.MinSize, g.MaxSize)
	}
	g.DesiredSizeOwner = cmp.Or(g.DesiredSizeOwner, OwnerFixed)
	p.OneOf("desiredSizeOwner", g.DesiredSizeOwner, OwnerFixed, OwnerSchedule, OwnerAutoscaler)
	g.DiskSizeGiB = cmp.Or(g.DiskSizeGiB, 80)
	p.Between("diskSizeGiB", g.DiskSizeGiB, 20, 16384)
	g.MaxUnavailablePercent = cmp.Or(g.MaxUnavailablePercent, 33)
	p.Between("maxUnavailablePercent", g.MaxUnavailablePercent, 1, 100)
	if g.ReleaseVersion != "" {
		p.Match("releaseVersion", g.ReleaseVersion, releaseVersion, `a release of the EKS image, like "1.34.1-20251016"`)
		if m := releaseVersion.FindStringSubmatch(g.ReleaseVersion); m != nil && m[1] != version {
			p.Addf("releaseVersion", "is %q, must be of version (%s)", g.ReleaseVersion, version)
		}
	}
	return g
}

func (g NodeGroup) checkInstanceTypes(p *check.Problems) {
	if n := len(g.InstanceTypes); n < 1 || n > 20 {
		p.Addf("instanceTypes", `has %d entries, must have 1 to 20, for example ["m5.large"]`, n)
	}
	for i, t := range g.InstanceTypes {
		path, m := fmt.Sprintf("instanceTypes[%d]", i), instanceType.FindStringSubmatch(t)
		switch {
		case m == nil:
			p.Addf(path, `is %q, must be an EC2 instance type, like "m5.large"`, t)
		case accelerated.MatchString(m[1]):
			p.Addf(path, "is %q, must be a type without accelerators: the nodes' image has no drivers for them", t)
		case m[4] == "nano" || m[4] == "micro":
			p.Addf(path, "is %q, must be a small one at least: system pods take all the addresses that it has for pods", t)
		case instanceType.MatchString(g.InstanceTypes[0]) && processor(t) != processor(g.InstanceTypes[0]):
			p.Addf(path, "is %q of %s, must be of the same architecture as instanceTypes[0] (%s): they share an image", t, processor(t), processor(g.InstanceTypes[0]))
		}
	}
}

// processor is the architecture of an instance type, as AWS's image types spell it: Graviton has a g right after the
// generation, but for the first.
func processor(t string) string {
	m := instanceType.FindStringSubmatch(t)
	if strings.HasPrefix(m[3], "g") || m[1]+m[2] == "a1" {
		return "ARM_64"
	}
	return "x86_64"
}

// madeGroups are the node groups as others need them.
type madeGroups struct {
	resources                []pulumi.Resource
	names, autoScalingGroups pulumi.StringMap
}

func (b *builder) nodeGroups(after []pulumi.Resource) (made madeGroups, err error) {
	role, rights, err := b.nodeRole()
	if err != nil {
		return made, fmt.Errorf("nodes' role: %w", err)
	}
	made.names, made.autoScalingGroups = pulumi.StringMap{}, pulumi.StringMap{}
	for _, g := range b.NodeGroups {
		group, err := b.nodeGroup(g, role, append(rights, after...))
		if err != nil {
			return made, fmt.Errorf("node group %s: %w", g.Name, err)
		}
		made.resources = append(made.resources, group)
		made.names[g.Name] = group.NodeGroupName
		made.autoScalingGroups[g.Name] = group.Resources.Index(pulumi.Int(0)).AutoscalingGroups().Index(pulumi.Int(0)).Name().Elem()
	}
	return made, nil
}

// nodeGroup makes a group with the aws provider: the ManagedNodeGroup of the eks plugin has no update step, and hands out its
// auto scaling group only inside of a resource.
func (b *builder) nodeGroup(g NodeGroup, role pulumi.StringInput, after []pulumi.Resource) (*awseks.NodeGroup, error) {
	template, err := b.launchTemplate(g)
	if err != nil {
		return nil, fmt.Errorf("launch template: %w", err)
	}
	args := &awseks.NodeGroupArgs{
		ClusterName:   b.cluster,
		NodeRoleArn:   role,
		SubnetIds:     b.PrivateSubnetIds,
		Version:       pulumi.String(b.Version),
		AmiType:       pulumi.String("AL2023_" + processor(g.InstanceTypes[0]) + "_STANDARD"),
		CapacityType:  pulumi.String("ON_DEMAND"),
		InstanceTypes: pulumi.ToStringArray(g.InstanceTypes),
		LaunchTemplate: awseks.NodeGroupLaunchTemplateArgs{
			Id:      template.ID(),
			Version: template.LatestVersion.ApplyT(strconv.Itoa).(pulumi.StringOutput),
		},
		ScalingConfig: awseks.NodeGroupScalingConfigArgs{
			MinSize: pulumi.Int(g.MinSize), MaxSize: pulumi.Int(g.MaxSize), DesiredSize: pulumi.Int(g.DesiredSize),
		},
		UpdateConfig: awseks.NodeGroupUpdateConfigArgs{MaxUnavailablePercentage: pulumi.Int(g.MaxUnavailablePercent)},
		Tags:         b.tags(b.ClusterName + "-" + g.Name),
	}
	if g.ReleaseVersion != "" {
		args.ReleaseVersion = pulumi.String(g.ReleaseVersion)
	}
	opts := []pulumi.ResourceOption{b.below, pulumi.DependsOn(after)}
	switch g.DesiredSizeOwner {
	case OwnerSchedule:
		opts = append(opts, pulumi.IgnoreChanges([]string{"scalingConfig"}))
	case OwnerAutoscaler:
		opts = append(opts, pulumi.IgnoreChanges([]string{"scalingConfig.desiredSize"}))
	}
	return awseks.NewNodeGroup(b.ctx, b.name+"-"+g.Name, args, opts...)
}

// launchTemplate names no security group, so that EKS puts the nodes into the cluster's own.
func (b *builder) launchTemplate(g NodeGroup) (*ec2.LaunchTemplate, error) {
	tags := b.tags(b.ClusterName + "-" + g.Name)
	var onMade ec2.LaunchTemplateTagSpecificationArray
	for _, kind := range []string{"instance", "volume", "network-interface"} {
		onMade = append(onMade, ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String(kind), Tags: tags})
	}
	return ec2.NewLaunchTemplate(b.ctx, b.name+"-"+g.Name, &ec2.LaunchTemplateArgs{
		UpdateDefaultVersion: pulumi.Bool(true),
		MetadataOptions: ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint:            pulumi.String("enabled"),
			HttpTokens:              pulumi.String("required"),
			HttpPutResponseHopLimit: pulumi.Int(1),
		},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String("/dev/xvda"),
			Ebs: ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeSize:          pulumi.Int(g.DiskSizeGiB),
				VolumeType:          pulumi.String("gp3"),
				Encrypted:           pulumi.String("true"),
				DeleteOnTermination: pulumi.String("true"),
			},
		}},
		TagSpecifications: onMade,
		Tags:              tags,
	}, b.below)
}
