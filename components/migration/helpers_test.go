package migration_test

import (
	"cmp"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/migration"
	"github.com/slipway-iac/slipway/cutover"
	"github.com/slipway-iac/slipway/internal/recorder"
)

const (
	egressType    = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	groupType     = "aws:autoscaling/group:Group"
	ingressType   = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	nlbType       = "aws:lb/loadBalancer:LoadBalancer"
	parameterType = "aws:ssm/parameter:Parameter"
	policyType    = "aws:iam/rolePolicy:RolePolicy"
	templateType  = "aws:ec2/launchTemplate:LaunchTemplate"
)

func account() *recorder.Recorder {
	str := resource.NewStringProperty
	arn := func(a pulumi.MockResourceArgs) resource.PropertyMap {
		return resource.PropertyMap{"arn": str("arn:" + a.Name), "name": str(a.Name + "-1"), "dnsName": str(a.Name + ".elb.example.net"), "zoneId": str("Z1")}
	}
	return &recorder.Recorder{
		Outputs: map[string]func(pulumi.MockResourceArgs) resource.PropertyMap{
			nlbType: arn, groupType: arn, "aws:lb/targetGroup:TargetGroup": arn, "aws:iam/role:Role": arn, "aws:iam/instanceProfile:InstanceProfile": arn,
			parameterType: func(a pulumi.MockResourceArgs) resource.PropertyMap {
				return resource.PropertyMap{"arn": str("arn:" + a.Name), "version": resource.NewNumberProperty(3)}
			},
			templateType: func(pulumi.MockResourceArgs) resource.PropertyMap {
				return resource.PropertyMap{"latestVersion": resource.NewNumberProperty(7)}
			},
		},
		Calls: map[string]func(resource.PropertyMap) resource.PropertyMap{
			"aws:index/getRegion:getRegion": func(resource.PropertyMap) resource.PropertyMap {
				return resource.PropertyMap{"name": str("us-west-2"), "id": str("us-west-2")}
			},
		},
	}
}

// typical is a fleet between two machines and an application load balancer.
func typical(stage string) *migration.HaproxyFleetArgs {
	return &migration.HaproxyFleetArgs{
		Migration:        &cutover.Migration{Stage: stage, Old: cutover.Old{Addresses: []string{"192.168.1.10", "192.168.1.11"}, Port: 8080, HostHeader: "legacy.example.com"}},
		New:              migration.New{Name: pulumi.String("door-1.us-west-2.elb.amazonaws.com"), Host: "www.example.com"},
		VpcId:            pulumi.String("vpc-1"),
		PublicSubnetIds:  pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
		PrivateSubnetIds: pulumi.ToStringArray([]string{"subnet-3", "subnet-4"}),
		CertificateArn:   pulumi.String("arn:aws:acm:us-west-2:123456789012:certificate/1"),
		Statistics:       &migration.Statistics{Password: pulumi.ToSecret(pulumi.String(password)).(pulumi.StringOutput), Sources: []string{"10.20.0.0/16"}},
		Tags:             map[string]string{"team": "thoughts"},
	}
}

const password = `a"b\c$d` + "`efghijk"

func run(r *recorder.Recorder, name string, args *migration.HaproxyFleetArgs) error {
	var refused error
	err := r.Run(func(ctx *pulumi.Context) error {
		_, refused = migration.NewHaproxyFleet(ctx, name, args)
		return refused
	})
	return cmp.Or(refused, err)
}

func mustRun(t testing.TB, args *migration.HaproxyFleetArgs) *recorder.Recorder {
	t.Helper()
	r := account()
	if err := run(r, "proxy", args); err != nil {
		t.Fatal(err)
	}
	return r
}
