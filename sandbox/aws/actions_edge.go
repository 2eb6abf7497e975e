package aws

func init() {
	tagged, retag := map[string]string{"tags": "AddTags"}, map[string]string{"tags": "AddTags RemoveTags"}
	const targetGroup, zone = "{targetGroupArn}", "arn:aws:route53:::hostedzone/{zoneId}"
	declare(map[string]Actions{
		"aws:lb/loadBalancer:LoadBalancer": {
			Service: "elasticloadbalancing", Read: "DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeCapacityReservation DescribeTags",
			Create: "CreateLoadBalancer ModifyLoadBalancerAttributes", Delete: "DeleteLoadBalancer ec2:DescribeNetworkInterfaces", Given: tagged,
			Update: "ModifyLoadBalancerAttributes",
			Changed: map[string]string{
				"tags": retag["tags"], "securityGroups": "SetSecurityGroups", "subnets": "SetSubnets", "subnetMappings": "SetSubnets", "ipAddressType": "SetIpAddressType",
				"ipamPools": "ModifyIpPools", "minimumLoadBalancerCapacity": "ModifyCapacityReservation",
			},
			Also: []Also{
				{Actions: "ModifyCapacityReservation", Of: "minimumLoadBalancerCapacity", On: "{arn}", Ops: []string{"create"}},
				{Actions: "SetSecurityGroups", Of: "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic", On: "{arn}", Ops: []string{"create"}},
				{
					Actions: "iam:CreateServiceLinkedRole", On: "arn:aws:iam::{account}:role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRole",
					With: map[string]string{"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"},
				},
			},
		},
		"aws:lb/targetGroup:TargetGroup": {
			Service: "elasticloadbalancing", Read: "DescribeTargetGroups DescribeTargetGroupAttributes DescribeTags", Create: "CreateTargetGroup ModifyTargetGroupAttributes",
			Update: "ModifyTargetGroupAttributes", Delete: "DeleteTargetGroup", Given: tagged, Changed: map[string]string{"tags": retag["tags"], "healthCheck": "ModifyTargetGroup"},
		},
		"aws:lb/targetGroupAttachment:TargetGroupAttachment": {
			Service: "elasticloadbalancing", Read: "DescribeTargetHealth", Create: "RegisterTargets", Delete: "DeregisterTargets DescribeTargetHealth", On: targetGroup,
		},
		"aws:lb/listener:Listener": {
			Service: "elasticloadbalancing", Read: "DescribeListeners DescribeListenerAttributes DescribeTags", Create: "CreateListener", Update: "ModifyListener", Delete: "DeleteListener",
			Given: tagged, Changed: retag,
			Also: []Also{
				{Actions: "CreateListener", Of: "loadBalancerArn"},
				{Actions: "ModifyListenerAttributes", Of: "tcpIdleTimeoutSeconds", On: "{arn}"},
				{Actions: "ModifyListenerAttributes", Of: "routingHttpResponseStrictTransportSecurityHeaderValue", On: "{arn}"},
			},
		},
		"aws:lb/listenerCertificate:ListenerCertificate": {
			Service: "elasticloadbalancing", Read: "DescribeListenerCertificates", Create: "AddListenerCertificates", Delete: "RemoveListenerCertificates", On: "{listenerArn}",
		},
		"aws:lb/listenerRule:ListenerRule": {
			Service: "elasticloadbalancing", Read: "DescribeRules DescribeTags", Create: "CreateRule", Update: "ModifyRule", Delete: "DeleteRule", Given: tagged,
			Changed: map[string]string{"tags": retag["tags"], "priority": "SetRulePriorities"}, Also: []Also{{Actions: "CreateRule", Of: "listenerArn"}},
		},
		"aws:lb/getLoadBalancer:getLoadBalancer": {Service: "elasticloadbalancing", Invoke: "DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeTags"},
		"aws:lb/getListener:getListener":         {Service: "elasticloadbalancing", Invoke: "DescribeListeners DescribeListenerAttributes DescribeTags"},
		"aws:lb/getTargetGroup:getTargetGroup":   {Service: "elasticloadbalancing", Invoke: "DescribeTargetGroups DescribeTargetGroupAttributes DescribeTargetHealth DescribeTags"},

		"aws:acm/certificate:Certificate": {
			Service: "acm", Read: "DescribeCertificate ListTagsForCertificate", Create: "RequestCertificate", Delete: "DeleteCertificate DescribeCertificate",
			Given:   map[string]string{"tags": "AddTagsToCertificate", "privateKey": "ImportCertificate GetCertificate"},
			Changed: map[string]string{"tags": "AddTagsToCertificate RemoveTagsFromCertificate", "options": "UpdateCertificateOptions", "privateKey": "ImportCertificate", "certificateBody": "ImportCertificate", "certificateChain": "ImportCertificate"},
		},
		// Waiting is all that it does.
		"aws:acm/certificateValidation:CertificateValidation": {Service: "acm", Read: "DescribeCertificate", On: "{certificateArn}"},

		"aws:route53/zone:Zone": {
			Service: "route53", Read: "GetHostedZone ListTagsForResource", Create: "CreateHostedZone GetChange", Delete: "DeleteHostedZone GetChange ListResourceRecordSets",
			Given: map[string]string{"tags": "ChangeTagsForResource", "vpcs": "AssociateVPCWithHostedZone ListResourceRecordSets"},
			Changed: map[string]string{
				"tags": "ChangeTagsForResource", "comment": "UpdateHostedZoneComment", "vpcs": "AssociateVPCWithHostedZone DisassociateVPCFromHostedZone",
			},
			On: zone,
		},
		"aws:route53/record:Record": {
			Service: "route53", Read: "GetHostedZone ListResourceRecordSets", Create: "ChangeResourceRecordSets GetChange", Update: "ChangeResourceRecordSets GetChange",
			Delete: "ChangeResourceRecordSets GetChange ListResourceRecordSets", On: "arn:aws:route53:::hostedzone/{zoneId}",
		},
		"aws:route53/getRecords:getRecords": {Service: "route53", Invoke: "ListResourceRecordSets", On: "arn:aws:route53:::hostedzone/{zoneId}"},
		"aws:route53/getZone:getZone":       {Service: "route53", Invoke: "ListHostedZones GetHostedZone ListTagsForResource", On: "arn:aws:route53:::hostedzone/{zoneId}"},

		"aws:wafv2/webAclAssociation:WebAclAssociation": {
			Service: "wafv2", Read: "GetWebACLForResource", Create: "AssociateWebACL", Delete: "DisassociateWebACL", On: "{webAclArn}",
			Also: []Also{
				{Actions: "wafv2:AssociateWebACL elasticloadbalancing:SetWebAcl", Of: "resourceArn"},
				{Actions: "wafv2:DisassociateWebACL elasticloadbalancing:SetWebAcl", Of: "resourceArn", Ops: []string{"delete"}},
				{Actions: "wafv2:GetWebACLForResource", Of: "resourceArn", Ops: []string{"read"}},
			},
		},
	})
}
