package aws

// ec2Actions are EC2's, whose tags are set by CreateTags in the same call that creates.
func ec2Actions(a Actions) Actions {
	a.Service = "ec2"
	if a.Given == nil {
		a.Given = map[string]string{}
	}
	if a.Changed == nil {
		a.Changed = map[string]string{}
	}
	a.Given["tags"], a.Changed["tags"] = "CreateTags", "CreateTags DeleteTags"
	return a
}

func init() {
	const (
		ingress = "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress"
		egress  = "AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress"
		// Some interfaces of AWS's own services outlive them, and the provider looks for those before it deletes a group or subnet.
		lingering = "DescribeNetworkInterfaces"
		routes    = "CreateRoute DeleteRoute ReplaceRoute"
		cidr      = "AssociateVpcCidrBlock DisassociateVpcCidrBlock"
		address   = "AssociateAddress DisassociateAddress"
	)
	// What CreateSubnet does not take is set afterwards.
	subnet := func() map[string]string {
		all := map[string]string{}
		for _, name := range []string{
			"assignIpv6AddressOnCreation", "customerOwnedIpv4Pool", "enableDns64", "enableLniAtDeviceIndex", "enableResourceNameDnsARecordOnLaunch",
			"enableResourceNameDnsAaaaRecordOnLaunch", "mapCustomerOwnedIpOnLaunch", "mapPublicIpOnLaunch",
		} {
			all[name] = "ModifySubnetAttribute"
		}
		return all
	}
	also := func(m map[string]string, name, actions string) map[string]string {
		m[name] = actions
		return m
	}
	declare(map[string]Actions{
		"aws:ec2/vpc:Vpc": ec2Actions(Actions{
			Read:   "DescribeVpcs DescribeVpcAttribute DescribeNetworkAcls DescribeRouteTables DescribeSecurityGroups",
			Create: "CreateVpc", Delete: "DeleteVpc DescribeVpcs",
			Given: map[string]string{"enableDnsHostnames": "ModifyVpcAttribute", "enableNetworkAddressUsageMetrics": "ModifyVpcAttribute"},
			Changed: map[string]string{
				"enableDnsHostnames": "ModifyVpcAttribute", "enableDnsSupport": "ModifyVpcAttribute", "enableNetworkAddressUsageMetrics": "ModifyVpcAttribute",
				"instanceTenancy": "ModifyVpcTenancy", "assignGeneratedIpv6CidrBlock": cidr, "ipv6IpamPoolId": cidr, "ipv6NetmaskLength": cidr,
			},
		}),
		"aws:ec2/subnet:Subnet": ec2Actions(Actions{
			Read: "DescribeSubnets", Create: "CreateSubnet", Delete: "DeleteSubnet " + lingering,
			Given: subnet(), Changed: also(subnet(), "ipv6CidrBlock", "AssociateSubnetCidrBlock DisassociateSubnetCidrBlock"),
		}),
		"aws:ec2/internetGateway:InternetGateway": ec2Actions(Actions{
			Read: "DescribeInternetGateways", Create: "CreateInternetGateway", Delete: "DeleteInternetGateway DetachInternetGateway DescribeInternetGateways",
			Given:   map[string]string{"vpcId": "AttachInternetGateway"},
			Changed: map[string]string{"vpcId": "AttachInternetGateway DetachInternetGateway"},
			Also:    []Also{{Actions: "AttachInternetGateway", Of: "vpcId", On: "arn:aws:ec2:{region}:{account}:vpc/{vpcId}"}},
		}),
		"aws:ec2/internetGatewayAttachment:InternetGatewayAttachment": {
			Service: "ec2", Read: "DescribeInternetGateways", Create: "AttachInternetGateway", Delete: "DetachInternetGateway DescribeInternetGateways",
			On: "arn:aws:ec2:{region}:{account}:internet-gateway/{internetGatewayId}",
		},
		"aws:ec2/eip:Eip": ec2Actions(Actions{
			Read: "DescribeAddresses DescribeAddressesAttribute", Create: "AllocateAddress", Delete: "ReleaseAddress DescribeAddresses",
			Given:   map[string]string{"instance": "AssociateAddress", "networkInterface": "AssociateAddress"},
			Changed: map[string]string{"instance": address, "networkInterface": address, "associateWithPrivateIp": address},
		}),
		"aws:ec2/natGateway:NatGateway": ec2Actions(Actions{
			Read: "DescribeNatGateways", Create: "CreateNatGateway", Delete: "DeleteNatGateway DescribeNatGateways",
			Changed: map[string]string{
				"secondaryAllocationIds":      "AssociateNatGatewayAddress DisassociateNatGatewayAddress",
				"secondaryPrivateIpAddresses": "AssignPrivateNatGatewayAddress UnassignPrivateNatGatewayAddress",
			},
			Also: []Also{
				{Actions: "CreateNatGateway", Of: "subnetId", On: "arn:aws:ec2:{region}:{account}:subnet/{subnetId}"},
				{Actions: "CreateNatGateway", Of: "allocationId", On: "arn:aws:ec2:{region}:{account}:elastic-ip/{allocationId}"},
			},
		}),
		"aws:ec2/routeTable:RouteTable": ec2Actions(Actions{
			Read: "DescribeRouteTables", Create: "CreateRouteTable", Delete: "DescribeRouteTables DeleteRouteTable",
			Given: map[string]string{"routes": "CreateRoute"}, Changed: map[string]string{"routes": routes},
		}),
		"aws:ec2/route:Route": {
			Service: "ec2", Read: "DescribeRouteTables", Create: "CreateRoute", Update: "ReplaceRoute", Delete: "DeleteRoute DescribeRouteTables",
			On: "arn:aws:ec2:{region}:{account}:route-table/{routeTableId}",
		},
		"aws:ec2/routeTableAssociation:RouteTableAssociation": {
			Service: "ec2", Read: "DescribeRouteTables", Create: "AssociateRouteTable", Update: "ReplaceRouteTableAssociation", Delete: "DisassociateRouteTable DescribeRouteTables",
			On: "arn:aws:ec2:{region}:{account}:route-table/{routeTableId}",
		},
		"aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation": {
			Service: "ec2", Read: "DescribeRouteTables", Create: "ReplaceRouteTableAssociation", Update: "ReplaceRouteTableAssociation", Delete: "ReplaceRouteTableAssociation DescribeRouteTables",
			On: "arn:aws:ec2:{region}:{account}:route-table/{routeTableId}",
		},
		// A new group lets everything out: the provider takes that rule away first.
		"aws:ec2/securityGroup:SecurityGroup": ec2Actions(Actions{
			Read: "DescribeSecurityGroups", Create: "CreateSecurityGroup RevokeSecurityGroupEgress", Delete: "DeleteSecurityGroup DescribeSecurityGroups " + lingering,
			Given:   map[string]string{"ingress": "AuthorizeSecurityGroupIngress", "egress": "AuthorizeSecurityGroupEgress"},
			Changed: map[string]string{"ingress": ingress, "egress": egress},
			Also:    []Also{{Actions: "CreateSecurityGroup", Of: "vpcId", On: "arn:aws:ec2:{region}:{account}:vpc/{vpcId}"}},
		}),
		// The group comes with the VPC: it is taken over, emptied, and left where it is.
		"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ec2Actions(Actions{
			Read: "DescribeSecurityGroups", Create: "RevokeSecurityGroupIngress RevokeSecurityGroupEgress",
			Given:   map[string]string{"ingress": "AuthorizeSecurityGroupIngress", "egress": "AuthorizeSecurityGroupEgress"},
			Changed: map[string]string{"ingress": ingress, "egress": egress},
		}),
		"aws:ec2/securityGroupRule:SecurityGroupRule": {
			Service: "ec2", Read: "DescribeSecurityGroups DescribeSecurityGroupRules", Create: "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress",
			Update: "UpdateSecurityGroupRuleDescriptionsIngress UpdateSecurityGroupRuleDescriptionsEgress", Delete: "RevokeSecurityGroupIngress RevokeSecurityGroupEgress DescribeSecurityGroups",
			On: "arn:aws:ec2:{region}:{account}:security-group/{securityGroupId}",
		},
		"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ec2Actions(Actions{
			Read: "DescribeSecurityGroupRules", Create: "AuthorizeSecurityGroupIngress", Update: "ModifySecurityGroupRules", Delete: "RevokeSecurityGroupIngress",
			On: "arn:aws:ec2:{region}:{account}:security-group/{securityGroupId}",
		}),
		"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": ec2Actions(Actions{
			Read: "DescribeSecurityGroupRules", Create: "AuthorizeSecurityGroupEgress", Update: "ModifySecurityGroupRules", Delete: "RevokeSecurityGroupEgress",
			On: "arn:aws:ec2:{region}:{account}:security-group/{securityGroupId}",
		}),
		"aws:ec2/tag:Tag": {
			Service: "ec2", Read: "DescribeTags", Create: "CreateTags", Update: "CreateTags", Delete: "DeleteTags",
			On: "arn:aws:ec2:{region}:{account}:*/{resourceId}",
		},
		"aws:ec2/launchTemplate:LaunchTemplate": ec2Actions(Actions{
			Read: "DescribeLaunchTemplates DescribeLaunchTemplateVersions", Create: "CreateLaunchTemplate", Update: "CreateLaunchTemplateVersion", Delete: "DeleteLaunchTemplate",
			Changed: map[string]string{"defaultVersion": "ModifyLaunchTemplate"},
			Also:    []Also{{Actions: "ModifyLaunchTemplate", Of: "updateDefaultVersion", On: "{arn}", Ops: []string{"update"}}},
		}),
		"aws:ec2/vpcEndpoint:VpcEndpoint": ec2Actions(Actions{
			Read: "DescribeVpcEndpoints DescribePrefixLists", Create: "CreateVpcEndpoint", Update: "ModifyVpcEndpoint", Delete: "DeleteVpcEndpoints DescribeVpcEndpoints",
		}),
		"aws:ec2/getSecurityGroup:getSecurityGroup":           {Service: "ec2", Invoke: "DescribeSecurityGroups"},
		"aws:ec2/getSubnet:getSubnet":                         {Service: "ec2", Invoke: "DescribeSubnets"},
		"aws:ec2/getSubnets:getSubnets":                       {Service: "ec2", Invoke: "DescribeSubnets"},
		"aws:ec2/getVpc:getVpc":                               {Service: "ec2", Invoke: "DescribeVpcs DescribeVpcAttribute DescribeRouteTables"},
		"aws:index/getAvailabilityZones:getAvailabilityZones": {Service: "ec2", Invoke: "DescribeAvailabilityZones"},
		"aws:index/getCallerIdentity:getCallerIdentity":       {Service: "sts", Invoke: "GetCallerIdentity"},
		"aws:index/getDefaultTags:getDefaultTags":             {}, // the provider knows them
		"aws:index/getPartition:getPartition":                 {}, // the provider knows it
		"aws:index/getRegion:getRegion":                       {}, // the provider knows them
	})
}
