package cluster

import (
	"encoding/base64"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// launchTemplate names no security group, so that EKS puts the nodes into the cluster's own.
func (b *builder) launchTemplate(g NodeGroup) (*ec2.LaunchTemplate, error) {
	tags := b.tags(b.ClusterName + "-" + g.Name)
	var onMade ec2.LaunchTemplateTagSpecificationArray
	for _, kind := range []string{"instance", "volume", "network-interface"} {
		onMade = append(onMade, ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String(kind), Tags: tags})
	}
	args := &ec2.LaunchTemplateArgs{
		UpdateDefaultVersion: pulumi.Bool(true),
		MetadataOptions: ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint:            pulumi.String("enabled"),
			HttpTokens:              pulumi.String("required"),
			HttpPutResponseHopLimit: pulumi.Int(1),
		},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String(g.dataDisk()),
			Ebs: ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeSize:          pulumi.Int(g.DiskSizeGiB),
				VolumeType:          pulumi.String("gp3"),
				Encrypted:           pulumi.String("true"),
				DeleteOnTermination: pulumi.String("true"),
			},
		}},
		TagSpecifications: onMade,
		Tags:              tags,
	}
	data, err := b.userData(g)
	if err != nil {
		return nil, err
	}
	if data != "" {
		args.UserData = pulumi.String(base64.StdEncoding.EncodeToString([]byte(data)))
	}
	return ec2.NewLaunchTemplate(b.ctx, b.name+"-"+g.Name, args, b.below)
}

// dataDisk is the device that holds images, logs and scratch space. Bottlerocket has its system on another, of a size of its own.
func (g NodeGroup) dataDisk() string {
	if g.AmiFamily == Bottlerocket {
		return "/dev/xvdb"
	}
	return "/dev/xvda"
}
