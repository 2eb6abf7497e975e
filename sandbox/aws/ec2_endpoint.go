package aws

import (
	"fmt"
	"strings"
)

const vpcEndpointToken = "aws:ec2/vpcEndpoint:VpcEndpoint"

// gatewayServices are reached by a route to a prefix list; every other service by network interfaces.
var gatewayServices = map[string]bool{"s3": true, "dynamodb": true}

func init() {
	register(&Type{
		Token: vpcEndpointToken, Label: "EC2 VPC Endpoint", Service: "EC2", Ops: Ops{"CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints"},
		Props: map[string]Prop{
			"autoAccept":    flag,
			"dnsOptions":    fields(map[string]Prop{"dnsRecordIpType": text.filled().in("ipv4", "dualstack", "ipv6", "service-defined"), "privateDnsOnlyForInboundResolverEndpoint": flag}).filled(),
			"ipAddressType": text.filled().in("ipv4", "dualstack", "ipv6"), "policy": {Kind: JSON, Computed: true}, "privateDnsEnabled": flag.filled(),
			"resourceConfigurationArn": text.fixed(), "routeTableIds": setOf(text.to(routeTableRef)).filled(),
			"securityGroupIds": setOf(text.to(groupRef)).filled(), "serviceName": text.fixed().not("resourceConfigurationArn", "serviceNetworkArn"),
			"serviceNetworkArn": text.fixed(), "serviceRegion": text.filled().fixed(),
			"subnetConfigurations": setOf(fields(map[string]Prop{"ipv4": text, "ipv6": text, "subnetId": text.to(subnetRef)})).filled(),
			"subnetIds":            setOf(text.to(subnetRef)).filled(), "tags": tagMap,
			"vpcEndpointType": text.or("Gateway").fixed().in("Gateway", "Interface", "GatewayLoadBalancer", "Resource", "ServiceNetwork"),
			"vpcId":           text.must().fixed().to(vpcRef),
		},
		Outputs:  []string{"arn", "cidrBlocks", "dnsEntries", "networkInterfaceIds", "ownerId", "prefixListId", "requesterManaged", "state"},
		Validate: validateVPCEndpoint, Create: createVPCEndpoint,
		Held: Held{"DependencyViolation", "The vpcEndpoint '%s' has dependencies and cannot be deleted."},
	})
}

func validateVPCEndpoint(tx *Tx, o, old *Object) error {
	service, ok := strings.CutPrefix(o.Str("serviceName"), "com.amazonaws."+tx.Region+".")
	if !ok || service == "" {
		return Errorf("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", o.Str("serviceName"))
	}
	gateway := o.Str("vpcEndpointType") == "Gateway"
	if gateway && !gatewayServices[service] {
		return Errorf("InvalidParameter", "Endpoint type (Gateway) does not match available service types ([Interface]).")
	}
	if gateway && len(o.List("subnetIds"))+len(o.List("securityGroupIds")) > 0 {
		return Errorf("InvalidParameter", "Subnet IDs and security group IDs are only supported for Interface type VPC Endpoint.")
	}
	vpc := o.Str("vpcId")
	for _, s := range o.List("subnetIds") {
		if tx.vpcOf(s) != vpc {
			return Errorf("InvalidParameter", "Subnet %s does not belong to VPC %s", s, vpc)
		}
	}
	for _, t := range o.List("routeTableIds") {
		if tx.Find(routeTableToken, "id", t).Str("vpcId") != vpc {
			return Errorf("InvalidRouteTableId.NotFound", "The routeTable ID '%s' does not exist", t)
		}
		for _, e := range tx.All(vpcEndpointToken) {
			if gateway && (old == nil || e.ID != old.ID) && e.Str("serviceName") == o.Str("serviceName") && contains(e, "routeTableIds", t) {
				return Errorf("RouteAlreadyExists", "route table %s already has a route with destination-prefix-list-id %s", t, e.Str("prefixListId"))
			}
		}
	}
	if o.Bool("privateDnsEnabled") {
		v := tx.Find(vpcToken, "id", vpc)
		if !v.Bool("enableDnsSupport") || !v.Bool("enableDnsHostnames") {
			return Errorf("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", vpc)
		}
	}
	return nil
}

func contains(o *Object, name, value string) bool {
	for _, v := range o.List(name) {
		if v == value {
			return true
		}
	}
	return false
}

func createVPCEndpoint(tx *Tx, o *Object) error {
	o.ID = tx.NewID("vpce")
	o.Set("arn", tx.ARN("ec2", "vpc-endpoint/"+o.ID))
	o.Set("ownerId", AccountID)
	o.Set("state", "available")
	o.Set("requesterManaged", false)
	interfaces, dns, list := []any{}, []any{}, ""
	if o.Str("vpcEndpointType") == "Gateway" {
		list = "pl-" + Hex(8)
	} else {
		for range o.List("subnetIds") {
			interfaces = append(interfaces, tx.NewID("eni"))
		}
		service := strings.TrimPrefix(o.Str("serviceName"), "com.amazonaws."+tx.Region+".")
		dns = append(dns, map[string]any{
			"dnsName": fmt.Sprintf("%s-%s.%s.%s.vpce.amazonaws.com", o.ID, Hex(8), service, tx.Region), "hostedZoneId": "Z1YSA3EXCYUU9Z",
		})
	}
	o.Set("networkInterfaceIds", interfaces)
	o.Set("dnsEntries", dns)
	o.Set("prefixListId", list)
	o.Set("cidrBlocks", []any{})
	for name, v := range map[string]any{
		"ipAddressType": "ipv4", "privateDnsEnabled": false, "serviceRegion": tx.Region, "routeTableIds": []any{}, "securityGroupIds": []any{},
		"subnetIds": []any{}, "subnetConfigurations": []any{}, "policy": `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
		"dnsOptions": map[string]any{"dnsRecordIpType": "ipv4"},
	} {
		o.fill(name, v)
	}
	return nil
}
