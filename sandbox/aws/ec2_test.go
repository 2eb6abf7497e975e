package aws

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

func TestNetworkRefusals(t *testing.T) {
	w := newNetwork(t)
	w.refuses([]refusal{
		{"vpc", object{"cidrBlock": "10.0.0.0/8"}, "InvalidVpc.Range"},
		{"vpc", object{"cidrBlock": "10.0.0.1/16"}, "did you mean 10.0.0.0/16?"},
		{"vpc", object{"cidrBlock": nil}, "cidrBlock is required, or ipv4IpamPoolId"},
		{"vpc", object{"cidrblock": "10.0.0.0/16"}, "cidrblock is no property that the sandbox knows"},
		{"vpc", object{"enableDnsSupport": false}, "InvalidParameterCombination"},
		{"vpc", object{"instanceTenancy": "shared"}, `instanceTenancy is "shared", must be one of default, dedicated`},
		{"publicA", object{"vpcId": "vpc-1"}, "api error InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist"},
		{"publicA", object{"vpcId": nil}, "vpcId is required"},
		{"publicA", object{"cidrBlock": "10.1.0.0/24"}, "InvalidSubnet.Range"},
		{"publicA", object{"cidrBlock": "10.0.0.128/25"}, "InvalidSubnet.Conflict"},
		{"publicA", object{"cidrBlock": "10.0.9.0/29"}, "must be /16 to /28"},
		{"publicA", object{"cidrBlock": "10.0.9.0/24", "availabilityZone": "us-east-1a"}, "Value (us-east-1a) for parameter availabilityZone is invalid"},
		{"publicA", object{"cidrBlock": "10.0.9.0/24", "availabilityZoneId": "usw2-az1"}, "availabilityZone conflicts with availabilityZoneId"},
		{"publicA", object{"cidrBlock": "10.0.9.0/24", "ipv6CidrBlock": "2001:db8::/64"}, "InvalidSubnet.Range"},
		{"publicA", object{"cidrBlock": nil}, "cidrBlock is required, unless ipv6Native is true"},
		{"publicA", object{"cidrBlock": "10.0.9.0"}, "must be a network such as"},
		{"publicA", object{"cidrBlock": "10.0.9.0/24", "availabilityZone": nil, "availabilityZoneId": "use1-az1"}, "Value (use1-az1) for parameter availabilityZoneId is invalid"},
		{"publicA", object{"ipv6CidrBlock": "10.0.0.0/24"}, "must be an IPv6 network"},
		{"igw", nil, "already has an internet gateway attached"},
		{"eip", object{"domain": "standard"}, "UnsupportedOperation"},
		{"eip", object{"address": "192.0.2.9"}, "InvalidAddress.NotFound"},
		{"eip", object{"instance": "i-1"}, "InvalidInstanceID.NotFound"},
		{"nat", nil, "Resource.AlreadyAssociated"},
		{"nat", object{"allocationId": nil}, "allocationId is required where connectivityType is public"},
		{"nat", object{"allocationId": "eipalloc-1"}, "InvalidAllocationID.NotFound"},
		{"nat", object{"connectivityType": "private"}, "allocationId is not taken where connectivityType is private"},
		{"route", nil, "RouteAlreadyExists"},
		{"route", object{"destinationCidrBlock": "10.0.0.0/16"}, "RouteAlreadyExists"},
		{"route", object{"natGatewayId": "nat-1"}, "exactly one target"},
		{"route", object{"destinationCidrBlock": nil}, "exactly one of destinationCidrBlock, destinationIpv6CidrBlock, destinationPrefixListId; 0 are given"},
		{"route", object{"destinationCidrBlock": "10.9.0.0/16", "gatewayId": "igw-1"}, "InvalidGatewayID.NotFound"},
		{"route", object{"routeTableId": "rtb-1"}, "InvalidRouteTableID.NotFound"},
		{"inline", object{"routes": list(object{"cidrBlock": "0.0.0.0/0"})}, "routes[0].gatewayId give exactly one target"},
		{"route", object{"destinationCidrBlock": "0.0.0.1/0"}, "did you mean 0.0.0.0/0?"},
		{"inline", object{"routes": list(object{"cidrBlock": "0.0.0.0/0", "natGatewayId": w.id("nat")}, object{"cidrBlock": "0.0.0.0/0", "gatewayId": w.id("igw")})}, "RouteAlreadyExists"},
		{"association", nil, "Resource.AlreadyAssociated"},
		{"association", object{"subnetId": nil}, "subnetId is required, or gatewayId"},
		{"endpoint", nil, "RouteAlreadyExists"},
		{"endpoint", object{"serviceName": "com.amazonaws.us-west-2.ecr.api"}, "Endpoint type (Gateway) does not match"},
		{"endpoint", object{"serviceName": "com.amazonaws.eu-west-1.s3"}, "InvalidServiceName"},
		{"endpoint", object{"vpcEndpointType": "Interface", "subnetIds": list("subnet-1")}, "InvalidSubnetID.NotFound"},
		{"endpoint", object{"subnetIds": list(w.id("publicA"))}, "only supported for Interface type"},
	})
	other := w.create(vpcToken, "other", object{"cidrBlock": "10.9.0.0/16"})
	w.refuses([]refusal{
		{"inline", object{"vpcId": other.ID}, "belong to different networks"},
		{"endpoint", object{"vpcId": other.ID}, "InvalidRouteTableId.NotFound"},
		{"endpoint", object{"vpcId": other.ID, "vpcEndpointType": "Interface", "routeTableIds": nil, "subnetIds": list(w.id("publicA"))}, "does not belong to VPC " + other.ID},
		{"endpoint", object{"vpcId": other.ID, "vpcEndpointType": "Interface", "routeTableIds": nil, "privateDnsEnabled": true}, "requires both enableDnsSupport and enableDnsHostnames"},
	})
	endpoint := w.create(vpcEndpointToken, "registry", object{
		"vpcId": w.id("vpc"), "vpcEndpointType": "Interface", "serviceName": "com.amazonaws.us-west-2.ecr.dkr", "subnetIds": list(w.id("privateA")), "privateDnsEnabled": true,
	})
	if n := len(endpoint.Out["networkInterfaceIds"].([]any)); n != 1 {
		t.Errorf("%d network interfaces in one subnet", n)
	}
	w.keeps("privateA", "DependencyViolation")
}

func TestNetworkRevisions(t *testing.T) {
	w := newNetwork(t)
	w.revises([]revision{
		{"vpc", object{"cidrBlock": "10.1.0.0/16"}, []string{"cidrBlock"}},
		{"vpc", object{"tags": object{"Name": "other"}}, nil},
		{"vpc", object{"assignGeneratedIpv6CidrBlock": true}, nil},
		{"publicA", object{"cidrBlock": "10.0.9.0/24"}, []string{"cidrBlock"}},
		{"publicA", object{"availabilityZone": "us-west-2c"}, []string{"availabilityZone"}},
		{"publicA", object{"availabilityZone": nil, "mapPublicIpOnLaunch": false}, nil},
		{"nat", object{"subnetId": "subnet-2"}, []string{"subnetId"}},
		{"route", object{"gatewayId": nil, "natGatewayId": w.id("nat")}, nil},
		{"route", object{"destinationCidrBlock": "10.9.0.0/16"}, []string{"destinationCidrBlock"}},
		{"association", object{"subnetId": w.id("publicB")}, []string{"subnetId"}},
		{"association", object{"routeTableId": w.id("inline")}, nil},
		{"endpoint", object{"routeTableIds": list(w.id("table"))}, nil},
		{"endpoint", object{"serviceName": "com.amazonaws.us-west-2.dynamodb"}, []string{"serviceName"}},
	})
	w.revises([]revision{{"publicB", object{"privateDnsHostnameTypeOnLaunch": "resource-name"}, nil}})
	if got := w.out("publicB", "privateDnsHostnameTypeOnLaunch"); got != "resource-name" {
		t.Errorf("what AWS chose before stands in the way of what the program says now: %s", got)
	}
	vpc := w.by["vpc"].Out
	if !strings.HasPrefix(vpc["ipv6CidrBlock"].(string), "2001:db8:") || vpc["ipv6AssociationId"] == "" {
		t.Errorf("no IPv6 network after it was asked for: %v", vpc)
	}
}

func TestNetworkKeepsWhatIsInUse(t *testing.T) {
	w := newNetwork(t)
	w.keeps("vpc", "DependencyViolation: The vpc '"+w.id("vpc")+"' has dependencies and cannot be deleted.")
	w.keeps("publicA", "DependencyViolation")
	w.keeps("igw", "has some mapped public address(es)")
	w.keeps("eip", "InvalidIPAddress.InUse")
	if refused := w.update(w.by["igw"], object{"vpcId": ""}); !strings.Contains(refused, "mapped public address") {
		t.Errorf("detached while a NAT gateway has its address: %q", refused)
	}
	for _, key := range []string{"nat", "eip", "igw"} {
		if refused := w.delete(w.by[key]); refused != "" {
			t.Errorf("delete of %s: %s", key, refused)
		}
	}
}

func TestDefaultsOfAVpcGoWithIt(t *testing.T) {
	h := newHarness(t)
	vpc := h.create(vpcToken, "v", object{"cidrBlock": "10.0.0.0/16"})
	group, refused := h.invoke("aws:ec2/getSecurityGroup:getSecurityGroup", object{"vpcId": vpc.ID, "name": "default"})
	if refused != "" || group["id"] != vpc.Out["defaultSecurityGroupId"] {
		t.Fatalf("the default security group: %v %s", group, refused)
	}
	if refused := h.delete(vpc); refused != "" {
		t.Fatal(refused)
	}
	if _, refused := h.invoke("aws:ec2/getSecurityGroup:getSecurityGroup", object{"id": group["id"]}); !strings.Contains(refused, "no matching EC2 Security Group found") {
		t.Errorf("the default security group outlives its VPC: %q", refused)
	}
}

func TestNatGatewayFailsWithoutInternetGateway(t *testing.T) {
	h := newHarness(t)
	vpc := h.create(vpcToken, "v", object{"cidrBlock": "10.0.0.0/16"})
	subnet := h.create(subnetToken, "s", object{"vpcId": vpc.ID, "cidrBlock": "10.0.0.0/24"})
	in := object{"subnetId": subnet.ID, "allocationId": h.create(eipToken, "e", object{}).ID}
	if got := h.refused(natGatewayToken, "n", in); !strings.Contains(got, "Gateway.NotAttached: Network "+vpc.ID+" has no Internet gateway attached") {
		t.Error(got)
	}
	gateway := h.create(internetGatewayToken, "g", object{})
	attached := h.create(internetGatewayAttachmentToken, "a", object{"internetGatewayId": gateway.ID, "vpcId": vpc.ID})
	nat := h.create(natGatewayToken, "n", in)
	if got := h.delete(attached); !strings.Contains(got, "mapped public address") {
		t.Error(got)
	}
	for _, m := range []*made{nat, attached, gateway} {
		if refused := h.delete(m); refused != "" {
			t.Error(refused)
		}
	}
}

func TestGatewaysOfOtherNetworks(t *testing.T) {
	w := newNetwork(t)
	other := w.create(vpcToken, "other", object{"cidrBlock": "10.9.0.0/16"})
	table := w.create(routeTableToken, "other", object{"vpcId": other.ID})
	for _, target := range []object{{"gatewayId": w.id("igw")}, {"natGatewayId": w.id("nat")}} {
		target["routeTableId"], target["destinationCidrBlock"] = table.ID, "0.0.0.0/0"
		if got := w.refused(routeToken, "r", target); !strings.Contains(got, "belong to different networks") {
			t.Error(got)
		}
	}
	if got := w.refused(routeTableAssociationToken, "a", object{"routeTableId": table.ID, "subnetId": w.id("publicB")}); !strings.Contains(got, "belong to different networks") {
		t.Error(got)
	}
}

func TestQuotasOfARegion(t *testing.T) {
	h := newHarness(t)
	for i := range 5 {
		h.create(vpcToken, fmt.Sprint("v", i), object{"cidrBlock": "10.0.0.0/16"})
		h.create(eipToken, fmt.Sprint("e", i), object{})
	}
	if got := h.refused(vpcToken, "v", object{"cidrBlock": "10.0.0.0/16"}); !strings.Contains(got, "VpcLimitExceeded") {
		t.Error(got)
	}
	if got := h.refused(eipToken, "e", object{}); !strings.Contains(got, "AddressLimitExceeded") {
		t.Error(got)
	}
}

func TestSecurityGroupRefusals(t *testing.T) {
	w := newNetwork(t)
	everywhere := list("0.0.0.0/0")
	w.refuses([]refusal{
		{"group", object{"name": w.out("group", "name")}, "InvalidGroup.Duplicate"},
		{"group", object{"name": "sg-mine"}, `must not be "default" and not begin with "sg-"`},
		{"group", object{"description": "a|b"}, `description is "a|b", must be letters`},
		{"group", object{"vpcId": nil}, "VPCIdNotSpecified"},
		{"group", object{"name": "a", "namePrefix": "b"}, "name conflicts with namePrefix"},
		{"balancerGroup", object{"ingress": list(object{"fromPort": 443.0, "toPort": 80.0, "protocol": "tcp", "cidrBlocks": everywhere})}, "ingress[0].toPort is 80, must be fromPort (443) to 65535"},
		{"balancerGroup", object{"ingress": list(object{"fromPort": 1.0, "toPort": 1.0, "protocol": "-1", "cidrBlocks": everywhere})}, "must both be 0"},
		{"balancerGroup", object{"ingress": list(object{"fromPort": 1.0, "toPort": 1.0, "protocol": "tcpp", "cidrBlocks": everywhere})}, "ingress[0].protocol is \"tcpp\""},
		{"balancerGroup", object{"ingress": list(object{"fromPort": 1.0, "toPort": 1.0, "protocol": "tcp", "securityGroups": list("sg-1")})}, "InvalidGroup.NotFound"},
		{"rule", nil, "InvalidPermission.Duplicate"},
		{"rule", object{"sourceSecurityGroupId": nil}, "cidrBlocks is required, or"},
		{"rule", object{"self": true}, "self conflicts with sourceSecurityGroupId"},
		{"rule", object{"type": "in"}, `type is "in", must be one of ingress, egress`},
		{"rule", object{"securityGroupId": "sg-1"}, "InvalidGroup.NotFound: The security group 'sg-1' does not exist"},
		{"rule", object{"sourceSecurityGroupId": nil, "cidrBlocks": list("10.0.0.1/8")}, "cidrBlocks[0] is \"10.0.0.1/8\", has host bits set"},
		{"rule", object{"fromPort": -1.0, "toPort": -1.0}, "fromPort is -1, must be 0 to 65535"},
		{"rule", object{"prefixListIds": list("pl-1")}, "InvalidPrefixListID.NotFound"},
		{"rule", object{"securityGroupId": w.id("balancerGroup"), "protocol": "6", "fromPort": 443.0, "toPort": 443.0, "sourceSecurityGroupId": nil, "cidrBlocks": everywhere}, "InvalidPermission.Duplicate"},
		{"ingress", object{"ipProtocol": "http"}, "ipProtocol is \"http\", must be tcp"},
		{"ingress", object{"toPort": 1.0}, "toPort is 1, must be at least fromPort (443)"},
		{"ingress", nil, "InvalidPermission.Duplicate"},
		{"ingress", object{"referencedSecurityGroupId": w.id("group")}, "exactly one of cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId; 2 are given"},
		{"ingress", object{"fromPort": nil}, "fromPort and toPort are required with tcp"},
		{"egress", object{"cidrIpv4": "::/0"}, "must be an IPv4 network"},
		{"default", object{"vpcId": "vpc-1"}, "InvalidVpcID.NotFound"},
	})
	twice := object{"fromPort": 1.0, "toPort": 1.0, "protocol": "tcp", "cidrBlocks": list("10.0.0.0/8", "10.0.0.0/8")}
	many := list()
	for i := range rulesPerGroup + 1 {
		many = append(many, object{"fromPort": float64(i), "toPort": float64(i), "protocol": "tcp", "self": true})
	}
	w.refuses([]refusal{
		{"balancerGroup", object{"ingress": list(twice)}, "InvalidPermission.Duplicate"},
		{"balancerGroup", object{"ingress": many}, "RulesPerSecurityGroupLimitExceeded"},
	})
	for i := range rulesPerGroup - 2 { // two are there
		w.create(ingressRuleToken, strconv.Itoa(i), object{"securityGroupId": w.id("group"), "ipProtocol": "udp", "fromPort": float64(i), "toPort": float64(i), "cidrIpv4": "10.0.0.0/8"})
	}
	w.refuses([]refusal{{"ingress", object{"fromPort": 1.0}, "RulesPerSecurityGroupLimitExceeded"}})
}

func TestSecurityGroupRevisions(t *testing.T) {
	w := newNetwork(t)
	w.revises([]revision{
		{"group", object{"description": "other"}, []string{"description"}},
		{"group", object{"name": "mine"}, []string{"name"}},
		{"balancerGroup", object{"ingress": list(object{"fromPort": 80.0, "toPort": 80.0, "protocol": "tcp", "cidrBlocks": list("0.0.0.0/0")})}, nil},
		{"rule", object{"toPort": 32000.0}, []string{"toPort"}},
		{"rule", object{"description": "node ports"}, nil},
		{"ingress", object{"fromPort": 80.0}, nil},
		{"ingress", object{"securityGroupId": "sg-1"}, []string{"securityGroupId"}},
		{"default", object{"ingress": list(object{"fromPort": 0.0, "toPort": 0.0, "protocol": "-1", "self": true})}, nil},
	})
}

func TestSecurityGroupKeptWhileOthersReferToIt(t *testing.T) {
	w := newNetwork(t)
	w.keeps("balancerGroup", "DependencyViolation: resource "+w.id("balancerGroup")+" has a dependent object")
	own := w.create(securityGroupRuleToken, "own", object{"securityGroupId": w.id("balancerGroup"), "type": "egress", "protocol": "-1", "fromPort": 0.0, "toPort": 0.0, "self": true})
	if refused := w.delete(w.by["group"]); refused != "" {
		t.Errorf("a group's own rules hold it: %s", refused)
	}
	for _, m := range []*made{w.by["balancerGroup"], own, w.by["rule"]} {
		if refused := w.delete(m); refused != "" {
			t.Error(refused)
		}
	}
}

func TestLaunchTemplate(t *testing.T) {
	w := newNetwork(t)
	w.refuses([]refusal{
		{"template", object{"name": w.out("template", "name")}, "InvalidLaunchTemplateName.AlreadyExistsException"},
		{"template", object{"metadataOptions": object{"httpTokens": "always"}}, `metadataOptions.httpTokens is "always", must be one of optional, required`},
		{"template", object{"metadataOptions": object{"httpPutResponseHopLimit": 65.0}}, "is 65, must be 1 to 64"},
		{"template", object{"imageId": "amazon"}, "must be an image id"},
		{"template", object{"userData": "#!/bin/sh"}, "InvalidUserData.Malformed"},
		{"template", object{"blockDeviceMappings": list(object{"ebs": object{"volumeType": "gp2", "throughput": 125.0}})}, "throughput is taken only where volumeType is gp3"},
		{"template", object{"blockDeviceMappings": list(object{"ebs": object{"volumeType": "io2"}})}, "iops is required where volumeType is io2"},
		{"template", object{"blockDeviceMappings": list(object{"ebs": object{"kmsKeyId": "k"}})}, "must be \"true\" where kmsKeyId is given"},
		{"template", object{"userData": strings.Repeat("AAAA", 5462)}, "has 16386 bytes, must have at most 16384"},
		{"template", object{"networkInterfaces": list(object{"deviceIndex": 0.0}), "vpcSecurityGroupIds": list("sg-1")}, "is not taken with networkInterfaces"},
		{"template", object{"vpcSecurityGroupIds": list("sg-1"), "securityGroupNames": list("a")}, "conflicts with"},
		{"template", object{"defaultVersion": 3.0}, "VersionNotFound"},
	})
	w.revises([]revision{{"template", object{"tags": object{"a": "b"}}, nil}})
	if v := w.by["template"].Out["latestVersion"]; v != 1.0 {
		t.Errorf("tags made version %v", v)
	}
	w.revises([]revision{
		{"template", object{"instanceType": "m5.xlarge", "updateDefaultVersion": true}, nil},
		{"template", object{"name": "other"}, []string{"name"}},
	})
	if next := w.previewUpdate("template", object{"instanceType": "m5.2xlarge"}); next["latestVersion"] != (unknown{}) || next["arn"] != w.out("template", "arn") {
		t.Errorf("the preview of another version tells %v", next)
	}
	if next := w.previewUpdate("template", object{"tags": object{"a": "c"}}); next["latestVersion"] != 2.0 {
		t.Errorf("the preview of another tag tells %v", next)
	}
	if out := w.by["template"].Out; out["latestVersion"] != 2.0 || out["defaultVersion"] != 2.0 {
		t.Errorf("after another instance type: latest %v, default %v", out["latestVersion"], out["defaultVersion"])
	}
}
