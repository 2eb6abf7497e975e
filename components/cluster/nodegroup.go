package cluster

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

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
	// OwnerAutoscaler is the cluster autoscaler, which EksCluster then runs in kube-system, with rights over these groups alone: MinSize
	// and MaxSize hold, DesiredSize only says how the group begins.
	OwnerAutoscaler = "autoscaler"
)

// How a group's instances are paid: the values of NodeGroup.Capacity.
const (
	// OnDemand instances stay until somebody ends them.
	OnDemand = "on-demand"
	// Spot instances cost a part of that, and AWS takes them back at two minutes' notice. EKS starts another and drains the node
	// when it hears of it: for pods that can be lost at any time.
	Spot = "spot"
)

// Which operating system a group's nodes run: the values of NodeGroup.AmiFamily.
const (
	// AmazonLinux is Amazon Linux 2023.
	AmazonLinux = "al2023"
	// Bottlerocket has a read-only system that runs containers and nothing else.
	Bottlerocket = "bottlerocket"
)

// NodeGroup is a number of like nodes over all private subnets, with encrypted gp3 disks. Their instance metadata takes tokens only
// and answers the node itself, not its pods, so that no pod can act as its node: pods get rights by EKS Pod Identity or a service
// account's role.
//
// EKS replaces nodes within a group, MaxUnavailablePercent at a time, with their pods drained as far as disruption budgets allow;
// after 15 minutes without progress the update fails (ForceUpdate: it goes on). What it cannot change within a group makes a new
// group, Ready before the old one is drained and then deleted: docs/node-groups.md.
type NodeGroup struct {
	// Name of the group, unique in the cluster: 1 to 30 lower-case letters, digits and "-"; together with the component's name at
	// most 54. Required. A change makes a new group and then drains the old.
	Name string `pulumi:"name"`
	// InstanceTypes that will do, the preferred one first: 1 to 20, all of one processor architecture, without accelerators, on Nitro
	// with EksClusterArgs.PrefixDelegation, and a1 with Bottlerocket only. Required; at least 2 with Spot. A change makes a new group,
	// and when its nodes are there drains the old.
	InstanceTypes []string `pulumi:"instanceTypes"`
	// InstanceSizes are the numbers of those types that this release has in no table (capacity.Names), by type; default none. Without them
	// it is not known how many pods fit on such a node.
	InstanceSizes map[string]InstanceSize `pulumi:"instanceSizes,optional"`
	// Capacity is OnDemand or Spot; default OnDemand. A change makes a new group, and when its nodes are there drains the old.
	Capacity string `pulumi:"capacity,optional"`
	// AmiFamily is AmazonLinux or Bottlerocket, each for the architecture of InstanceTypes; default AmazonLinux. A change makes a new
	// group, and when its nodes are there drains the old.
	AmiFamily string `pulumi:"amiFamily,optional"`
	// SubnetIds are the subnets of this group's nodes, some of the cluster's VPC; default EksClusterArgs.PrivateSubnetIds. A change
	// makes a new group, and when its nodes are there drains the old.
	SubnetIds pulumi.StringArrayInput `pulumi:"subnetIds,optional"`
	// Labels of the nodes, to choose them by: keys of at most 63 characters, with their prefix if they have one, and values of 1 to 63,
	// since EKS takes no empty one; default none beyond those of EKS. A change is made to the nodes in place.
	Labels map[string]string `pulumi:"labels,optional"`
	// Taints keep pods off the nodes, at most 50; default none. One group with nodes must have none, for CoreDNS and
	// metrics-server. A change is made to the nodes in place.
	Taints []Taint `pulumi:"taints,optional"`
	// Kubelet is how much of a node pods get; default as EKS has it.
	Kubelet *Kubelet `pulumi:"kubelet,optional"`
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
	// default 33. At least one is. Not with MaxUnavailable.
	MaxUnavailablePercent int `pulumi:"maxUnavailablePercent,optional"`
	// MaxUnavailable is the same as a number of nodes, 1 to 100; default MaxUnavailablePercent.
	MaxUnavailable int `pulumi:"maxUnavailable,optional"`
	// ForceUpdate lets EKS end pods that a disruption budget has kept on a node for 15 minutes of an update; default no, then the
	// update fails and the nodes that are left stay as they were.
	ForceUpdate bool `pulumi:"forceUpdate,optional"`
	// ReleaseVersion pins the nodes' image, like "1.35.6-20260728" of the cluster's Version, or "1.50.0-ed0a1c2b" of Bottlerocket;
	// default: the newest when the group is made and when Version or the disk changes, and none in between. A change replaces all
	// nodes, MaxUnavailablePercent at a time.
	ReleaseVersion string `pulumi:"releaseVersion,optional"`
}

var (
	groupName      = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$`)
	releaseVersion = regexp.MustCompile(`^(1\.[0-9]+)\.[0-9]+-20[0-9]{6}$`)
	rocketVersion  = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+-[0-9a-f]{8}$`)
)

// longestGroupName is what a node group's name may have, 63, without the "-0123456" that makes it unique.
const longestGroupName = 63 - 8

func (g NodeGroup) checked(p *check.Problems, component, version string, prefixes bool) NodeGroup {
	p.Match("name", g.Name, groupName, `1 to 30 lower-case letters, digits and "-", from a letter to a letter or digit`)
	if n := len(component) + 1 + len(g.Name); groupName.MatchString(g.Name) && n > longestGroupName {
		p.Addf("name", "is %q, must have %d characters less: AWS allows 63, of which the component's name takes %d and a unique suffix 8", g.Name, n-longestGroupName, len(component)+1)
	}
	g.checkInstanceTypes(p, prefixes)
	g.checkInstanceSizes(p)
	g.Capacity = cmp.Or(g.Capacity, OnDemand)
	p.OneOf("capacity", g.Capacity, OnDemand, Spot)
	if g.Capacity == Spot && len(g.InstanceTypes) == 1 {
		p.Addf("instanceTypes", "has only %q, must have 2 or more with capacity %q: AWS takes back the instances of one type in one go", g.InstanceTypes[0], Spot)
	}
	g.AmiFamily = cmp.Or(g.AmiFamily, AmazonLinux)
	p.OneOf("amiFamily", g.AmiFamily, AmazonLinux, Bottlerocket)
	g.checkLabels(p)
	g.checkPods(p, prefixes)
	g.Kubelet.check(p.At("kubelet"))
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
	if g.MaxUnavailable != 0 {
		p.Between("maxUnavailable", g.MaxUnavailable, 1, 100)
		if g.MaxUnavailablePercent != 0 {
			p.Addf("maxUnavailablePercent", "is %d beside maxUnavailable (%d), must be left out: EKS takes one of them", g.MaxUnavailablePercent, g.MaxUnavailable)
		}
	} else {
		g.MaxUnavailablePercent = cmp.Or(g.MaxUnavailablePercent, 33)
		p.Between("maxUnavailablePercent", g.MaxUnavailablePercent, 1, 100)
	}
	g.checkReleaseVersion(p, version)
	return g
}

func (g NodeGroup) checkReleaseVersion(p *check.Problems, version string) {
	switch {
	case g.ReleaseVersion == "":
	case g.AmiFamily == Bottlerocket:
		if !rocketVersion.MatchString(g.ReleaseVersion) || releaseVersion.MatchString(g.ReleaseVersion) {
			p.Addf("releaseVersion", `is %q, must be a release of Bottlerocket, like "1.50.0-ed0a1c2b"`, g.ReleaseVersion)
		}
	default:
		p.Match("releaseVersion", g.ReleaseVersion, releaseVersion, `a release of the EKS image, like "1.35.6-20260728"`)
		if m := releaseVersion.FindStringSubmatch(g.ReleaseVersion); m != nil && m[1] != version {
			p.Addf("releaseVersion", "is %q, must be of version (%s)", g.ReleaseVersion, version)
		}
	}
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
		instances := group.Resources.Index(pulumi.Int(0)).AutoscalingGroups().Index(pulumi.Int(0)).Name().Elem()
		hook, err := b.stayUntilForgotten(g, group, instances)
		if err != nil {
			return made, fmt.Errorf("node group %s: lifecycle hook: %w", g.Name, err)
		}
		made.resources = append(made.resources, group, hook)
		made.names[g.Name] = group.NodeGroupName
		made.autoScalingGroups[g.Name] = instances
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
	subnets := b.PrivateSubnetIds
	if g.SubnetIds != nil {
		subnets = g.SubnetIds
	}
	args := &awseks.NodeGroupArgs{
		ClusterName:   b.cluster,
		NodeRoleArn:   role,
		SubnetIds:     subnets,
		Version:       pulumi.String(b.Version),
		AmiType:       pulumi.String(g.amiType()),
		CapacityType:  pulumi.String(strings.ToUpper(strings.ReplaceAll(g.Capacity, "-", "_"))),
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
	if g.MaxUnavailable != 0 {
		args.UpdateConfig = awseks.NodeGroupUpdateConfigArgs{MaxUnavailable: pulumi.Int(g.MaxUnavailable)}
	}
	if g.ForceUpdate {
		args.ForceUpdateVersion = pulumi.Bool(true)
	}
	if len(g.Labels) > 0 {
		args.Labels = pulumi.ToStringMap(g.Labels)
	}
	if len(g.Taints) > 0 {
		args.Taints = g.taints()
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
