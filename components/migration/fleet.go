package migration

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/haproxy"
)

// boot is what a proxy runs when it starts. What stands between @ is filled in.
//
//go:embed boot.sh
var boot string

// profile is the identity of the proxies: it reads their parameters, and does nothing else.
func (b *builder) profile(p parameters) (*iam.InstanceProfile, error) {
	role, err := iam.NewRole(b.ctx, b.name, &iam.RoleArgs{
		AssumeRolePolicy: pulumi.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
		Tags:             b.tags(""),
	}, b.below)
	if err != nil {
		return nil, fmt.Errorf("role: %w", err)
	}
	arns := pulumi.StringArray{p.configuration.Arn}
	if p.password != nil {
		arns = append(arns, p.password.Arn)
	}
	policy := arns.ToStringArrayOutput().ApplyT(func(arns []string) (string, error) {
		doc, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": arns}}})
		return string(doc), err
	}).(pulumi.StringOutput)
	if _, err := iam.NewRolePolicy(b.ctx, b.name, &iam.RolePolicyArgs{Role: role.Name, Policy: policy}, b.below); err != nil {
		return nil, fmt.Errorf("policy of the role: %w", err)
	}
	profile, err := iam.NewInstanceProfile(b.ctx, b.name, &iam.InstanceProfileArgs{Role: role.Name, Tags: b.tags("")}, b.below)
	if err != nil {
		return nil, fmt.Errorf("instance profile: %w", err)
	}
	return profile, nil
}

// template says how a proxy is made.
func (b *builder) template(inner *ec2.SecurityGroup, p parameters) (*ec2.LaunchTemplate, error) {
	profile, err := b.profile(p)
	if err != nil {
		return nil, err
	}
	region, err := aws.GetRegion(b.ctx, &aws.GetRegionArgs{}, b.below)
	if err != nil {
		return nil, fmt.Errorf("region: %w", err)
	}
	var tagged ec2.LaunchTemplateTagSpecificationArray
	for _, kind := range []string{"instance", "volume", "network-interface"} {
		tagged = append(tagged, &ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String(kind), Tags: b.tags(b.name)})
	}
	template, err := ec2.NewLaunchTemplate(b.ctx, b.name, &ec2.LaunchTemplateArgs{
		ImageId:              pulumi.String(b.args.ImageId),
		InstanceType:         pulumi.String(b.args.InstanceType),
		IamInstanceProfile:   &ec2.LaunchTemplateIamInstanceProfileArgs{Arn: profile.Arn},
		VpcSecurityGroupIds:  pulumi.StringArray{inner.ID()},
		UpdateDefaultVersion: pulumi.Bool(true),
		MetadataOptions: &ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"), HttpTokens: pulumi.String("required"), HttpPutResponseHopLimit: pulumi.Int(1),
		},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{&ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String("/dev/xvda"), // the root disk of Debian's images
			Ebs: &ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeType: pulumi.String("gp3"), VolumeSize: pulumi.Int(8), Encrypted: pulumi.String("true"), DeleteOnTermination: pulumi.String("true"),
			},
		}},
		TagSpecifications: tagged,
		UserData:          b.userData(region.Name, p),
		Tags:              b.tags(""),
	}, b.below)
	if err != nil {
		return nil, fmt.Errorf("launch template: %w", err)
	}
	return template, nil
}

// userData is the boot script. The version of the password is in it, and the configuration is not: a new password replaces the
// proxies, which read it when HAProxy starts, a new configuration does not.
func (b *builder) userData(region string, p parameters) pulumi.StringOutput {
	script := func(passwordParameter string, version int) string {
		return base64.StdEncoding.EncodeToString([]byte(strings.NewReplacer(append(leaving(b.args.DrainSeconds),
			"@region@", region, "@configuration@", b.parameterPath("haproxy.cfg"), "@password@", passwordParameter,
			"@passwordVersion@", strconv.Itoa(version), "@passwordVariable@", haproxy.PasswordVariable,
		)...).Replace(boot)))
	}
	if p.password == nil {
		return pulumi.String(script("", 0)).ToStringOutput()
	}
	return p.password.Version.ApplyT(func(version int) string {
		return script(b.parameterPath("statistics-password"), version)
	}).(pulumi.StringOutput)
}

// leaving is what the boot script says of a proxy whose machine stops. Systemd gives it a while more than it takes.
func leaving(drain int) []string {
	return []string{
		"@drainInstance@", haproxy.DrainInstance, "@noticeSeconds@", strconv.Itoa(noticeSeconds), "@drainSeconds@", strconv.Itoa(drain),
		"@stopSeconds@", strconv.Itoa(noticeSeconds + drain + 30),
	}
}

// fleet is the group of proxies.
func (b *builder) fleet(template *ec2.LaunchTemplate, groups []*lb.TargetGroup, p parameters) (*autoscaling.Group, error) {
	var arns pulumi.StringArray
	for _, g := range groups {
		arns = append(arns, g.Arn)
	}
	var tags autoscaling.GroupTagArray
	all := b.tags(b.name)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		tags = append(tags, &autoscaling.GroupTagArgs{Key: pulumi.String(k), Value: all[k], PropagateAtLaunch: pulumi.Bool(false)}) // the template does
	}
	group, err := autoscaling.NewGroup(b.ctx, b.name, &autoscaling.GroupArgs{
		MinSize: pulumi.Int(b.args.Instances), DesiredCapacity: pulumi.Int(b.args.Instances), MaxSize: pulumi.Int(b.args.Instances + 1),
		VpcZoneIdentifiers: b.args.PrivateSubnetIds,
		TargetGroupArns:    arns,
		LaunchTemplate:     &autoscaling.GroupLaunchTemplateArgs{Id: template.ID(), Version: pulumi.Sprintf("%d", template.LatestVersion)},
		// One that the load balancer finds dead is replaced; packages are installed in the first minutes.
		HealthCheckType:        pulumi.String("ELB"),
		HealthCheckGracePeriod: pulumi.Int(300),
		InstanceRefresh: &autoscaling.GroupInstanceRefreshArgs{
			Strategy: pulumi.String("Rolling"),
			// New before old, one at a time.
			Preferences: &autoscaling.GroupInstanceRefreshPreferencesArgs{MinHealthyPercentage: pulumi.Int(100), MaxHealthyPercentage: pulumi.Int(150)},
		},
		Tags: tags,
	}, b.below, pulumi.DependsOn([]pulumi.Resource{p.configuration}))
	if err != nil {
		return nil, fmt.Errorf("auto scaling group: %w", err)
	}
	return group, nil
}
