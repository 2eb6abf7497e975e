package aws

import (
	"encoding/base64"
	"fmt"
	"strings"
)

const launchTemplateToken = "aws:ec2/launchTemplate:LaunchTemplate"

// launchTemplateRef names a launch template by its id or its name.
func launchTemplateRef(by string) *Ref {
	if by == "name" {
		return &Ref{
			Types: []string{launchTemplateToken}, By: "name", Code: "InvalidLaunchTemplateName.NotFoundException",
			Message: "The specified launch template, with template name %s, does not exist.",
		}
	}
	return &Ref{
		Types: []string{launchTemplateToken}, Code: "InvalidLaunchTemplateId.NotFound", Message: "The specified launch template, with template ID %s, does not exist.",
	}
}

// span is a lower and an upper bound.
var span = fields(map[string]Prop{"min": number, "max": number})

// instanceRequirements is attribute-based choice of instance types.
var instanceRequirements = fields(map[string]Prop{
	"acceleratorCount": span, "acceleratorManufacturers": setOf(text.in("amazon-web-services", "amd", "nvidia", "xilinx", "habana")), "acceleratorNames": setOf(text),
	"acceleratorTotalMemoryMib": span, "acceleratorTypes": setOf(text.in("fpga", "gpu", "inference", "media")),
	"allowedInstanceTypes": setOf(text).not("excludedInstanceTypes").within(0, 400), "bareMetal": text.in("included", "required", "excluded"),
	"baselineEbsBandwidthMbps": span, "burstablePerformance": text.in("included", "required", "excluded"),
	"cpuManufacturers": setOf(text.in("intel", "amd", "amazon-web-services", "apple")), "excludedInstanceTypes": setOf(text).not("allowedInstanceTypes").within(0, 400),
	"instanceGenerations": setOf(text.in("current", "previous")), "localStorage": text.in("included", "required", "excluded"), "localStorageTypes": setOf(text.in("hdd", "ssd")),
	"maxSpotPriceAsPercentageOfOptimalOnDemandPrice": number, "memoryGibPerVcpu": span, "memoryMib": span, "networkBandwidthGbps": span, "networkInterfaceCount": span,
	"onDemandMaxPricePercentageOverLowestPrice": number, "requireHibernateSupport": flag, "spotMaxPricePercentageOverLowestPrice": number, "totalLocalStorageGb": span, "vcpuCount": span,
})

func init() {
	yesNo := text.in("true", "false")
	volume := map[string]Prop{
		"deleteOnTermination": yesNo, "encrypted": yesNo, "iops": number.filled(), "kmsKeyId": text.to(keyRef), "snapshotId": text, "throughput": number.filled().within(125, 2000),
		"volumeInitializationRate": number, "volumeSize": number.filled().within(1, 65536), "volumeType": text.filled().in("standard", "io1", "io2", "gp2", "gp3", "st1", "sc1"),
	}
	networkInterface := map[string]Prop{
		"associateCarrierIpAddress": yesNo, "associatePublicIpAddress": yesNo, "connectionTrackingSpecification": fields(map[string]Prop{
			"tcpEstablishedTimeout": number.within(60, 432000), "udpStreamTimeout": number.within(60, 180), "udpTimeout": number.within(30, 60),
		}), "deleteOnTermination": yesNo, "description": text, "deviceIndex": number,
		"enaSrdSpecification": fields(map[string]Prop{"enaSrdEnabled": flag, "enaSrdUdpSpecification": fields(map[string]Prop{"enaSrdUdpEnabled": flag})}),
		"interfaceType":       text.in("efa", "interface", "efa-only"), "ipv4AddressCount": number, "ipv4Addresses": setOf(text), "ipv4PrefixCount": number, "ipv4Prefixes": setOf(text),
		"ipv6AddressCount": number, "ipv6Addresses": setOf(text), "ipv6PrefixCount": number, "ipv6Prefixes": setOf(text), "networkCardIndex": number,
		"networkInterfaceId": text.to(eniRef), "primaryIpv6": yesNo, "privateIpAddress": text, "securityGroups": setOf(text), "subnetId": text,
	}
	id := map[string]Prop{"type": text.must()}
	register(&Type{
		Token: launchTemplateToken, Label: "EC2 Launch Template", Service: "EC2",
		Ops:      Ops{"CreateLaunchTemplate", "CreateLaunchTemplateVersion", "DeleteLaunchTemplate"},
		AutoName: &AutoName{Prop: "name", Max: 125},
		Props: map[string]Prop{
			"blockDeviceMappings": listOf(fields(map[string]Prop{"deviceName": text, "ebs": fields(volume), "noDevice": text, "virtualName": text})),
			"capacityReservationSpecification": fields(map[string]Prop{
				"capacityReservationPreference": text.in("open", "none", "capacity-reservations-only"),
				"capacityReservationTarget":     fields(map[string]Prop{"capacityReservationId": text, "capacityReservationResourceGroupArn": text}),
			}),
			"cpuOptions":          fields(map[string]Prop{"amdSevSnp": text.in("enabled", "disabled"), "coreCount": number, "threadsPerCore": number}),
			"creditSpecification": fields(map[string]Prop{"cpuCredits": text.in("standard", "unlimited")}), "defaultVersion": number.filled().not("updateDefaultVersion").within(1, 1e9),
			"description": text.within(0, 255), "disableApiStop": flag, "disableApiTermination": flag, "ebsOptimized": yesNo,
			"elasticGpuSpecifications": listOf(fields(id)), "elasticInferenceAccelerator": fields(id), "enclaveOptions": fields(map[string]Prop{"enabled": flag}),
			"hibernationOptions": fields(map[string]Prop{"configured": flag.must()}), "iamInstanceProfile": fields(map[string]Prop{"arn": text.not("name"), "name": text.not("arn")}),
			"imageId":                           text.like(`^(ami-[0-9a-f]{8,17}|resolve:ssm:.+)$`, "an image id such as ami-0123456789abcdef0, or resolve:ssm: and a parameter"),
			"instanceInitiatedShutdownBehavior": text.in("stop", "terminate"),
			"instanceMarketOptions": fields(map[string]Prop{"marketType": text.in("spot", "capacity-block"), "spotOptions": fields(map[string]Prop{
				"blockDurationMinutes": number, "instanceInterruptionBehavior": text.in("hibernate", "stop", "terminate"), "maxPrice": text,
				"spotInstanceType": text.in("one-time", "persistent"), "validUntil": text.filled(),
			})}),
			"instanceRequirements": instanceRequirements.not("instanceType"),
			"instanceType":         text.not("instanceRequirements").like(`^[a-z0-9-]+\.[a-z0-9-]+$`, "an instance type such as m5.large"),
			"kernelId":             text, "keyName": text.to(&Ref{Types: []string{"aws:ec2/keyPair:KeyPair"}, By: "keyName", Code: "InvalidKeyPair.NotFound", Message: "The key pair '%s' does not exist"}),
			"licenseSpecifications": setOf(fields(map[string]Prop{"licenseConfigurationArn": text.must()})),
			"maintenanceOptions":    fields(map[string]Prop{"autoRecovery": text.in("default", "disabled")}),
			"metadataOptions": fields(map[string]Prop{
				"httpEndpoint": text.filled().in("enabled", "disabled"), "httpProtocolIpv6": text.filled().in("enabled", "disabled"),
				"httpPutResponseHopLimit": number.filled().within(1, 64), "httpTokens": text.filled().in("optional", "required"), "instanceMetadataTags": text.filled().in("enabled", "disabled"),
			}).filled(),
			"monitoring":        fields(map[string]Prop{"enabled": flag}),
			"name":              text.filled().fixed().not("namePrefix").within(3, 128).like(`^[A-Za-z0-9()./_-]+$`, "letters, digits and ().-/_"),
			"namePrefix":        text.filled().fixed().not("name").within(3, 99).like(`^[A-Za-z0-9()./_-]+$`, "letters, digits and ().-/_"),
			"networkInterfaces": listOf(fields(networkInterface)),
			"placement": fields(map[string]Prop{
				"affinity": text, "availabilityZone": text, "groupName": text, "hostId": text, "hostResourceGroupArn": text, "partitionNumber": number, "spreadDomain": text,
				"tenancy": text.in("default", "dedicated", "host"),
			}),
			"privateDnsNameOptions": fields(map[string]Prop{
				"enableResourceNameDnsARecord": flag, "enableResourceNameDnsAaaaRecord": flag, "hostnameType": text.in("ip-name", "resource-name"),
			}),
			"ramDiskId": text, "securityGroupNames": setOf(text).not("vpcSecurityGroupIds"),
			"tagSpecifications": listOf(fields(map[string]Prop{"resourceType": text, "tags": tagMap})), "tags": tagMap,
			"updateDefaultVersion": flag.not("defaultVersion"), "userData": text, "vpcSecurityGroupIds": setOf(text).not("securityGroupNames"),
		},
		Outputs: []string{"arn", "latestVersion"}, Recomputed: []string{"latestVersion"},
		Check: checkLaunchTemplate,
		Validate: func(tx *Tx, o, old *Object) error {
			if old == nil && tx.Find(launchTemplateToken, "name", o.Str("name")) != nil {
				return Errorf("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
			}
			if v := o.Num("defaultVersion"); o.hasInput("defaultVersion") && v > o.Num("latestVersion")+1 {
				return Errorf("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version %d for the launch template with ID %s.", v, o.ID)
			}
			return nil
		},
		Create: func(tx *Tx, o *Object) error {
			if p := o.Str("namePrefix"); p != "" {
				o.fill("name", p+Hex(26))
			}
			o.fill("namePrefix", "")
			o.ID = tx.NewID("lt")
			o.Set("arn", tx.ARN("ec2", "launch-template/"+o.ID))
			o.Set("latestVersion", 1.0)
			o.fill("defaultVersion", 1.0)
			describeLaunchTemplate(o)
			return nil
		},
		Update: func(_ *Tx, o, old *Object) error {
			describeLaunchTemplate(o)
			for _, c := range changes("", types[launchTemplateToken].Props, old.Inputs, o.Inputs, false) {
				top, _, _ := strings.Cut(strings.SplitN(c.path, ".", 2)[0], "[")
				if top == "tags" || top == "defaultVersion" || top == "updateDefaultVersion" {
					continue // these belong to the template, not to its versions
				}
				o.Set("latestVersion", float64(old.Num("latestVersion")+1))
				if o.Bool("updateDefaultVersion") {
					o.Set("defaultVersion", o.Get("latestVersion"))
				}
				break
			}
			return nil
		},
		Held: Held{"DependencyViolation", "The launch template %s is in use"},
	})
}

func describeLaunchTemplate(o *Object) {
	o.fill("metadataOptions", map[string]any{})
}

func checkLaunchTemplate(in Inputs) []Problem {
	var out []Problem
	addf := func(path, format string, a ...any) { out = append(out, Problem{path, fmt.Sprintf(format, a...)}) }
	o := in.Object()
	for i, m := range objects(o.Get("blockDeviceMappings")) {
		v := nested(m["ebs"])
		at := fmt.Sprintf("blockDeviceMappings[%d].ebs.", i)
		if _, ok := v["throughput"]; ok && v["volumeType"] != "gp3" {
			addf(at+"throughput", "is taken only where volumeType is gp3")
		}
		if kind := v["volumeType"]; v["iops"] == nil && (kind == "io1" || kind == "io2") {
			addf(at+"iops", "is required where volumeType is %s", kind)
		}
		if v["kmsKeyId"] != nil && v["encrypted"] != "true" {
			addf(at+"encrypted", "must be \"true\" where kmsKeyId is given")
		}
	}
	if u := o.Str("userData"); u != "" {
		if b, err := base64.StdEncoding.DecodeString(u); err != nil {
			addf("userData", "must be base64 (InvalidUserData.Malformed)")
		} else if len(b) > 16384 {
			addf("userData", "has %d bytes, must have at most 16384", len(b))
		}
	}
	if len(objects(o.Get("networkInterfaces"))) > 0 && in.Has("vpcSecurityGroupIds") {
		addf("vpcSecurityGroupIds", "is not taken with networkInterfaces: give their securityGroups (InvalidParameterCombination)")
	}
	return out
}
