package edge_test

import (
	"cmp"
	"maps"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/edge"
	"github.com/slipway-iac/slipway/cutover"
	"github.com/slipway-iac/slipway/internal/recorder"
)

const (
	albType        = "aws:lb/loadBalancer:LoadBalancer"
	targetType     = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
	attachmentType = "aws:autoscaling/attachment:Attachment"
	certType       = "aws:acm/certificate:Certificate"
	egressType     = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	groupType      = "aws:lb/targetGroup:TargetGroup"
	ingressType    = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	listenerType   = "aws:lb/listener:Listener"
	recordType     = "aws:route53/record:Record"
	ruleType       = "aws:lb/listenerRule:ListenerRule"
	validationType = "aws:acm/certificateValidation:CertificateValidation"
)

// account is a recorder that answers as AWS does: a wildcard and the name it hangs at have one and the same proof.
func account() *recorder.Recorder {
	str := resource.NewStringProperty
	arn := func(a pulumi.MockResourceArgs) resource.PropertyMap {
		return resource.PropertyMap{"arn": str("arn:" + a.Name), "name": str(a.Name + "-1234567"), "dnsName": str(a.Name + ".elb.example.net"), "zoneId": str("Z35SXDOTRQ7X7K")}
	}
	return &recorder.Recorder{
		Outputs: map[string]func(pulumi.MockResourceArgs) resource.PropertyMap{
			albType: arn, groupType: arn, listenerType: arn,
			"aws:s3/bucketV2:BucketV2": func(a pulumi.MockResourceArgs) resource.PropertyMap {
				return resource.PropertyMap{"arn": str("arn:aws:s3:::" + a.Name), "bucket": str(a.Name)}
			},
			certType: func(a pulumi.MockResourceArgs) resource.PropertyMap {
				hosts := []resource.PropertyValue{a.Inputs["domainName"]}
				hosts = append(hosts, a.Inputs["subjectAlternativeNames"].ArrayValue()...)
				var options []resource.PropertyValue
				for _, h := range hosts {
					name := h.StringValue()
					if len(name) > 2 && name[:2] == "*." {
						name = name[2:]
					}
					options = append(options, resource.NewObjectProperty(resource.PropertyMap{
						"domainName": h, "resourceRecordName": str("_1." + name + "."), "resourceRecordType": str("CNAME"), "resourceRecordValue": str("_2." + name + ".acm."),
					}))
				}
				return resource.PropertyMap{"arn": str("arn:requested"), "domainValidationOptions": resource.NewArrayProperty(options)}
			},
			validationType: func(pulumi.MockResourceArgs) resource.PropertyMap {
				return resource.PropertyMap{"certificateArn": str("arn:issued")}
			},
			recordType: func(a pulumi.MockResourceArgs) resource.PropertyMap {
				return resource.PropertyMap{"fqdn": a.Inputs["name"]}
			},
		},
		Calls: map[string]func(resource.PropertyMap) resource.PropertyMap{
			"aws:index/getCallerIdentity:getCallerIdentity": func(resource.PropertyMap) resource.PropertyMap {
				return resource.PropertyMap{"accountId": str("123456789012")}
			},
			"aws:index/getRegion:getRegion": func(resource.PropertyMap) resource.PropertyMap { return resource.PropertyMap{"name": str("us-west-2")} },
			"aws:route53/getZone:getZone": func(in resource.PropertyMap) resource.PropertyMap {
				out := maps.Clone(in)
				out["zoneId"], out["id"] = str("Z0FOUND"), str("Z0FOUND")
				return out
			},
		},
	}
}

// typical is the door of a system of three services.
func typical() *edge.HttpsLoadBalancerArgs {
	return &edge.HttpsLoadBalancerArgs{
		Domain:              "example.com",
		AlternativeNames:    []string{"*.example.com", "api.eu.example.com"},
		ZoneName:            "example.com",
		VpcId:               pulumi.String("vpc-1"),
		PublicSubnetIds:     pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
		NodeSecurityGroupId: pulumi.String("sg-nodes"),
		AutoScalingGroupNames: map[string]pulumi.StringInput{
			"base": pulumi.String("eks-base-1"), "spot": pulumi.String("eks-spot-1"),
		},
		Routes: []edge.Route{
			{Name: "frontend", Hosts: []string{"example.com", "www.example.com"}, NodePort: pulumi.Int(30080), HealthCheckPath: "/healthz"},
			{Name: "thoughts", Hosts: []string{"api.eu.example.com"}, Paths: []string{"/thoughts", "/thoughts/*"}, NodePort: pulumi.Int(30081)},
			{Name: "users", Paths: []string{"/users/*"}, NodePort: pulumi.Int(30082), Priority: 7, HealthCheckCodes: "200", HealthCheckIntervalSeconds: 5},
			{Name: "rest", SameTargetAs: "frontend"},
		},
		Tags: map[string]string{"team": "thoughts"},
	}
}

// everything is a door with all that a typical one does not have.
func everything() *edge.HttpsLoadBalancerArgs {
	args := typical()
	args.CertificateArn = pulumi.String("arn:aws:acm:us-west-2:123456789012:certificate/1")
	args.TrustStoreArn = pulumi.String("arn:aws:elasticloadbalancing:us-west-2:123456789012:truststore/clients/1")
	args.WebAclArn = pulumi.String("arn:aws:wafv2:us-west-2:123456789012:regional/webacl/site/1")
	args.AccessLogs = &edge.AccessLogs{}
	args.Maintenance = &edge.Maintenance{Page: "<p>Soon."}
	args.Migration, args.VpcCidrs = migration("canary 10"), []string{"10.20.0.0/16"}
	args.Migration.Routes = map[string]string{"users": "done", "beta": "done"} // where clients stick, there are no weights
	args.Routes = append(args.Routes,
		edge.Route{
			Name: "beta", Headers: []edge.Header{{Name: "X-Beta", Values: []string{"1", "yes*"}}}, Methods: []string{"GET"}, SourceCidrs: []string{"198.51.100.0/24"},
			NodePort: pulumi.Int(30083), StickySeconds: 3600, StickyCookie: "session", SlowStartSeconds: 60,
		},
		edge.Route{Name: "near", Paths: []string{"/near/*"}, NodePort: pulumi.Int(30084), SameZoneOnly: true},
		edge.Route{Name: "moved", Paths: []string{"/blog/*"}, Redirect: &edge.Redirect{Host: "blog.example.com", Permanent: true}},
		edge.Route{Name: "gone", Paths: []string{"/v1/*"}, FixedResponse: &edge.FixedResponse{Status: 410, Body: `{"error":"gone"}`, ContentType: "application/json"}},
	)
	return args
}

// migration is one from a system of two machines, one of them outside the VPC.
func migration(stage string) *cutover.Migration {
	return &cutover.Migration{Stage: stage, Old: cutover.Old{Addresses: []string{"10.20.4.4", "192.168.1.10"}, Port: 8080, HealthCheckPath: "/up"}}
}

// run makes the door called "door".
func run(r *recorder.Recorder, args *edge.HttpsLoadBalancerArgs) error {
	return runNamed(r, "door", args, nil)
}

func runNamed(r *recorder.Recorder, name string, args *edge.HttpsLoadBalancerArgs, then func(*edge.HttpsLoadBalancer)) error {
	var refused error
	err := r.Run(func(ctx *pulumi.Context) error {
		var c *edge.HttpsLoadBalancer
		if c, refused = edge.NewHttpsLoadBalancer(ctx, name, args); refused == nil && then != nil {
			then(c)
		}
		return refused
	})
	// As NewHttpsLoadBalancer said it, without what the engine draws around it.
	return cmp.Or(refused, err)
}

func mustRun(t testing.TB, r *recorder.Recorder, args *edge.HttpsLoadBalancerArgs) *recorder.Recorder {
	t.Helper()
	if err := run(r, args); err != nil {
		t.Fatal(err)
	}
	return r
}
