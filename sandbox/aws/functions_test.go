package aws

import (
	"reflect"
	"strings"
	"testing"
)

func TestFunctions(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		token string
		args  object
		want  object
	}{
		{"aws:index/getAvailabilityZones:getAvailabilityZones", nil, object{
			"names": list("us-west-2a", "us-west-2b", "us-west-2c", "us-west-2d"), "zoneIds": list("usw2-az1", "usw2-az2", "usw2-az3", "usw2-az4"),
		}},
		{"aws:index/getAvailabilityZones:getAvailabilityZones", object{"state": "available", "excludeNames": list("us-west-2a")}, object{"names": list("us-west-2b", "us-west-2c", "us-west-2d")}},
		{"aws:index/getAvailabilityZones:getAvailabilityZones", object{"filters": list(object{"name": "zone-id", "values": list("usw2-az3")})}, object{"names": list("us-west-2c")}},
		{"aws:index/getCallerIdentity:getCallerIdentity", nil, object{"accountId": "123456789012", "arn": "arn:aws:sts::123456789012:assumed-role/slipway-deploy/sandbox"}},
		{"aws:index/getRegion:getRegion", nil, object{"name": "us-west-2", "endpoint": "ec2.us-west-2.amazonaws.com", "description": "US West (Oregon)"}},
		{"aws:index/getPartition:getPartition", nil, object{"partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}},
		{"aws:ec2/getVpc:getVpc", object{"tags": object{"Name": "main"}}, object{"id": w.id("vpc"), "cidrBlock": "10.0.0.0/16"}},
		{"aws:ec2/getSubnet:getSubnet", object{"cidrBlock": "10.0.1.0/24"}, object{"id": w.id("publicB"), "availableIpAddressCount": 251.0}},
		{"aws:ec2/getSubnets:getSubnets", object{"filters": list(object{"name": "vpc-id", "values": list(w.id("vpc"))})}, object{"ids": list(w.id("publicA"), w.id("publicB"), w.id("privateA"))}},
		{"aws:ec2/getSubnets:getSubnets", object{"tags": object{"kubernetes.io/role/elb": "1"}}, object{"ids": list(w.id("publicA"))}},
		{"aws:ec2/getSubnets:getSubnets", object{"filters": list(object{"name": "availability-zone", "values": list("*2b")})}, object{"ids": list(w.id("publicB"))}},
		{"aws:ec2/getSecurityGroup:getSecurityGroup", object{"id": w.id("group")}, object{"description": "nodes", "vpcId": w.id("vpc")}},
		{"aws:lb/getLoadBalancer:getLoadBalancer", object{"arn": w.id("balancer")}, object{"dnsName": w.out("balancer", "dnsName")}},
		{"aws:ecr/getAuthorizationToken:getAuthorizationToken", nil, object{"userName": "AWS", "proxyEndpoint": "https://123456789012.dkr.ecr.us-west-2.amazonaws.com"}},
	} {
		out, refused := w.invoke(c.token, c.args)
		if refused != "" {
			t.Errorf("%s(%v): %s", c.token, c.args, refused)
		}
		for name, want := range c.want {
			if !reflect.DeepEqual(out[name], want) {
				t.Errorf("%s(%v): %s is %v, want %v", c.token, c.args, name, out[name], want)
			}
		}
	}
	for _, c := range []struct {
		token string
		args  object
		want  string
	}{
		{"aws:index/getAvailabilityZones:getAvailabilityZones", object{"filters": list(object{"name": "colour", "values": list("red")})}, "The filter 'colour' is invalid"},
		{"aws:index/getAvailabilityZones:getAvailabilityZones", object{"State": "available"}, "State is no property"},
		{"aws:index/getRegion:getRegion", object{"name": "moon-1"}, "no matching EC2 Region found"},
		{"aws:ec2/getVpc:getVpc", object{"id": "vpc-1"}, "no matching EC2 VPC found"},
		{"aws:ec2/getSubnet:getSubnet", object{"vpcId": w.id("vpc")}, "multiple EC2 Subnets matched"},
	} {
		if _, refused := w.invoke(c.token, c.args); !strings.Contains(refused, c.want) {
			t.Errorf("%s(%v): %q, want %s", c.token, c.args, refused, c.want)
		}
	}
}

func TestZonesOfRegions(t *testing.T) {
	for zone, want := range map[string]string{
		"us-west-2a": "usw2-az1", "eu-central-1c": "euc1-az3", "ap-southeast-2b": "apse2-az2", "ca-central-1a": "cac1-az1", "us-east-1f": "use1-az6", "sa-east-1a": "sae1-az1",
	} {
		if got := zoneID(zone); got != want {
			t.Errorf("%s is %s, want %s", zone, got, want)
		}
	}
	for region := range regions {
		if n := len(zonesOf(region)); n < 3 {
			t.Errorf("%s has %d zones", region, n)
		}
	}
	if zonesOf("us-gov-west-1") != nil {
		t.Error("a region of another partition has zones here")
	}
}

func TestTagAndAlarmRefusals(t *testing.T) {
	w := newWorld(t)
	w.refuses([]refusal{
		{"tag", nil, "has a tag kubernetes.io/role/elb already"},
		{"tag", object{"resourceId": "subnet-1"}, "InvalidID: The ID 'subnet-1' is not valid"},
		{"tag", object{"key": "aws:x"}, "reserved for internal use"},
		{"scaledTag", object{"autoscalingGroupName": "none"}, "AutoScalingGroup name not found"},
		{"alarm", object{"period": 45.0}, "is 45, must be 10, 20, 30 or a multiple of 60"},
		{"alarm", object{"statistic": nil}, "statistic is required with metricName"},
		{"alarm", object{"threshold": nil}, "threshold is required"},
		{"alarm", object{"datapointsToAlarm": 4.0}, "must be at most evaluationPeriods (3)"},
		{"alarm", object{"evaluationPeriods": 1441.0}, "must be at most 86400 in all"},
		{"alarm", object{"period": 3600.0, "evaluationPeriods": 169.0}, "must be at most 604800 in all"},
		{"alarm", object{"name": w.id("alarm")}, "exists already"},
		{"alarm", object{"comparisonOperator": ">"}, "must be one of"},
	})
	w.revises([]revision{
		{"tag", object{"value": "0"}, nil},
		{"tag", object{"key": "b"}, []string{"key"}},
		{"scaledTag", object{"tag": object{"key": "team", "value": "net", "propagateAtLaunch": true}}, nil},
		{"alarm", object{"threshold": 90.0}, nil},
		{"alarm", object{"period": 3600.0, "evaluationPeriods": 168.0}, nil},
		{"alarm", object{"name": "b"}, []string{"name"}},
	})
}
