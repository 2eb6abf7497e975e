package aws

import (
	"fmt"
	"strings"
)

const (
	internetGatewayToken           = "aws:ec2/internetGateway:InternetGateway"
	internetGatewayAttachmentToken = "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment"
	eipToken                       = "aws:ec2/eip:Eip"
	natGatewayToken                = "aws:ec2/natGateway:NatGateway"
	instanceToken                  = "aws:ec2/instance:Instance"
	networkInterfaceToken          = "aws:ec2/networkInterface:NetworkInterface"
)

var (
	addressRef  = &Ref{Types: []string{eipToken}, Code: "InvalidAllocationID.NotFound", Message: "The allocation ID '%s' does not exist", Holds: true}
	instanceRef = &Ref{Types: []string{instanceToken}, Code: "InvalidInstanceID.NotFound", Message: "The instance ID '%s' does not exist", Holds: true}
	eniRef      = &Ref{Types: []string{networkInterfaceToken}, Code: "InvalidNetworkInterfaceID.NotFound", Message: "The networkInterface ID '%s' does not exist", Holds: true}
)

func init() {
	register(
		&Type{
			Token: internetGatewayToken, Label: "EC2 Internet Gateway", Service: "EC2",
			Ops:      Ops{"CreateInternetGateway", "AttachInternetGateway", "DetachInternetGateway"},
			Props:    map[string]Prop{"tags": tagMap, "vpcId": text.filled().to(vpcRef)},
			Outputs:  []string{"arn", "ownerId"},
			Validate: validateInternetGateway,
			Create: func(tx *Tx, o *Object) error {
				o.ID = tx.NewID("igw")
				o.Set("arn", tx.ARN("ec2", "internet-gateway/"+o.ID))
				o.Set("ownerId", AccountID)
				o.fill("vpcId", "")
				return nil
			},
			Waits:  true,
			Delete: func(tx *Tx, o *Object) error { return tx.detachable(o.Str("vpcId")) },
		},
		&Type{
			Token: internetGatewayAttachmentToken, Label: "EC2 Internet Gateway Attachment", Service: "EC2",
			Ops: Ops{"AttachInternetGateway", "", "DetachInternetGateway"},
			Props: map[string]Prop{
				"internetGatewayId": text.must().fixed().to(&Ref{
					Types: []string{internetGatewayToken}, Code: "InvalidInternetGatewayID.NotFound", Message: "The internetGateway ID '%s' does not exist",
				}),
				"vpcId": text.must().fixed().to(vpcRef),
			},
			Validate: func(tx *Tx, o, _ *Object) error {
				if g := tx.Find(internetGatewayToken, "id", o.Str("internetGatewayId")); g.Str("vpcId") != "" {
					return Errorf("Resource.AlreadyAssociated", "resource %s is already attached to network %s", g.ID, g.Str("vpcId"))
				}
				return tx.attachable(o.Str("vpcId"))
			},
			Create: func(tx *Tx, o *Object) error {
				o.ID = o.Str("internetGatewayId") + ":" + o.Str("vpcId")
				tx.Find(internetGatewayToken, "id", o.Str("internetGatewayId")).Set("vpcId", o.Str("vpcId"))
				return nil
			},
			Waits: true,
			Delete: func(tx *Tx, o *Object) error {
				if err := tx.detachable(o.Str("vpcId")); err != nil {
					return err
				}
				if g := tx.Find(internetGatewayToken, "id", o.Str("internetGatewayId")); g != nil {
					g.Set("vpcId", "")
				}
				return nil
			},
		},
		&Type{
			Token: eipToken, Label: "EC2 EIP", Service: "EC2", Ops: Ops{"AllocateAddress", "AssociateAddress", "ReleaseAddress"},
			Props: map[string]Prop{
				"address": text.fixed(), "associateWithPrivateIp": text, "customerOwnedIpv4Pool": text.fixed(),
				"domain": text.filled().in("vpc", "standard").fixed(), "instance": text.filled().to(instanceRef),
				"ipamPoolId": text.filled().to(ipamRef).fixed(), "networkBorderGroup": text.filled().fixed(),
				"networkInterface": text.filled().to(eniRef), "publicIpv4Pool": text.filled().fixed(), "tags": tagMap, "vpc": flag.filled().fixed().not("domain"),
			},
			Outputs: []string{
				"allocationId", "arn", "associationId", "carrierIp", "customerOwnedIp", "privateDns", "privateIp", "ptrRecord", "publicDns", "publicIp",
			},
			Validate: validateEIP, Create: createEIP,
			Held: Held{"InvalidIPAddress.InUse", "Address %s is in use."},
		},
		&Type{
			Token: natGatewayToken, Label: "EC2 NAT Gateway", Service: "EC2", Ops: Ops{"CreateNatGateway", "AssociateNatGatewayAddress", "DeleteNatGateway"},
			Props: map[string]Prop{
				"allocationId": text.fixed().to(addressRef), "connectivityType": text.or("public").in("public", "private").fixed(),
				"privateIp": text.filled().fixed(), "secondaryAllocationIds": setOf(text.to(addressRef)),
				"secondaryPrivateIpAddressCount": number.filled().within(1, 31).fixed().not("secondaryPrivateIpAddresses"),
				"secondaryPrivateIpAddresses":    setOf(text).not("secondaryPrivateIpAddressCount"),
				"subnetId":                       text.must().fixed().to(subnetRef), "tags": tagMap,
			},
			Outputs: []string{"associationId", "networkInterfaceId", "publicIp"},
			Check:   checkNatGateway, Validate: validateNatGateway, Create: createNatGateway,
			Delete: func(tx *Tx, o *Object) error {
				if a := tx.Find(eipToken, "id", o.Str("allocationId")); a != nil {
					for _, name := range []string{"associationId", "privateIp", "privateDns"} {
						a.Set(name, "")
					}
					a.fill("networkInterface", "")
				}
				return nil
			},
		},
	)
}

func validateInternetGateway(tx *Tx, o, old *Object) error {
	if old == nil {
		if len(tx.All(internetGatewayToken)) >= 5 {
			return Errorf("InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached.")
		}
		return tx.attachable(o.Str("vpcId"))
	}
	if o.Str("vpcId") == old.Str("vpcId") {
		return nil
	}
	if err := tx.detachable(old.Str("vpcId")); err != nil {
		return err
	}
	return tx.attachable(o.Str("vpcId"))
}

// gatewayOf is the internet gateway that is attached to a VPC; nil where there is none.
func (tx *Tx) gatewayOf(vpc string) *Object {
	if vpc == "" {
		return nil
	}
	return tx.Find(internetGatewayToken, "vpcId", vpc)
}

func (tx *Tx) attachable(vpc string) error {
	if tx.gatewayOf(vpc) != nil {
		return Errorf("InvalidParameterValue", "Network %s already has an internet gateway attached", vpc)
	}
	return nil
}

// detachable is why the internet gateway of a VPC cannot be taken off it.
func (tx *Tx) detachable(vpc string) error {
	mapped := func(o *Object, subnets ...string) error {
		for _, s := range subnets {
			if vpc != "" && tx.vpcOf(s) == vpc {
				return Errorf("DependencyViolation", "Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway. (in use by %s %s)",
					vpc, o.Type, o.ID)
			}
		}
		return nil
	}
	for _, n := range tx.All(natGatewayToken) {
		if n.Str("connectivityType") == "public" {
			if err := mapped(n, n.Str("subnetId")); err != nil {
				return err
			}
		}
	}
	for _, l := range tx.All(loadBalancerToken) {
		if !l.Bool("internal") {
			if err := mapped(l, loadBalancerSubnets(l)...); err != nil {
				return err
			}
		}
	}
	return nil
}

func validateEIP(tx *Tx, o, old *Object) error {
	if old == nil && len(tx.All(eipToken)) >= 5 {
		return Errorf("AddressLimitExceeded", "The maximum number of addresses has been reached.")
	}
	if o.Str("domain") == "standard" || (o.has("vpc") && !o.Bool("vpc")) {
		return Errorf("UnsupportedOperation", "EC2-Classic is retired; use the domain vpc")
	}
	if a := o.Str("address"); old == nil && a != "" {
		return Errorf("InvalidAddress.NotFound", "Address '%s' not found.", a)
	}
	return nil
}

func createEIP(tx *Tx, o *Object) error {
	o.ID = tx.NewID("eipalloc")
	o.Set("allocationId", o.ID)
	o.Set("arn", tx.ARN("ec2", "elastic-ip/"+o.ID))
	ip := tx.freePublicAddress()
	o.Set("publicIp", ip)
	dashed := strings.ReplaceAll(ip, ".", "-")
	o.Set("publicDns", "ec2-"+dashed+"."+computeDomain(tx.Region)+".amazonaws.com")
	for _, name := range []string{"associationId", "carrierIp", "customerOwnedIp", "privateDns", "privateIp", "ptrRecord"} {
		o.Set(name, "")
	}
	for name, v := range map[string]any{
		"domain": "vpc", "vpc": true, "networkBorderGroup": tx.Region, "publicIpv4Pool": "amazon", "instance": "", "networkInterface": "", "ipamPoolId": "",
	} {
		o.fill(name, v)
	}
	return nil
}

func computeDomain(region string) string {
	if region == "us-east-1" {
		return "compute-1"
	}
	return region + ".compute"
}

// freePublicAddress is an address that no other object of the account has, out of the networks that are kept for
// documentation: what a program does with it never reaches anybody's machine.
func (tx *Tx) freePublicAddress() string {
	taken := map[string]bool{}
	for _, o := range tx.Objects {
		taken[o.Str("publicIp")] = true
	}
	for _, network := range []string{"203.0.113", "198.51.100", "192.0.2"} {
		for i := 1; i < 255; i++ {
			if ip := fmt.Sprintf("%s.%d", network, i); !taken[ip] {
				return ip
			}
		}
	}
	return ""
}

func checkNatGateway(in Inputs) []Problem {
	var out []Problem
	private := in.Object().Str("connectivityType") == "private"
	switch {
	case private && in.Has("allocationId"):
		out = append(out, Problem{"allocationId", "is not taken where connectivityType is private"})
	case !private && !in.Has("allocationId"):
		out = append(out, Problem{"allocationId", "is required where connectivityType is public"})
	}
	return out
}

func validateNatGateway(tx *Tx, o, old *Object) error {
	if old != nil {
		return nil
	}
	subnet := tx.Find(subnetToken, "id", o.Str("subnetId"))
	inZone := 0
	for _, n := range tx.All(natGatewayToken) {
		if a := o.Str("allocationId"); a != "" && n.Str("allocationId") == a {
			return Errorf("Resource.AlreadyAssociated", "resource %s is already associated with %s", a, n.ID)
		}
		if s := tx.Find(subnetToken, "id", n.Str("subnetId")); s != nil && s.Str("availabilityZone") == subnet.Str("availabilityZone") {
			inZone++
		}
	}
	if inZone >= 5 {
		return Errorf("NatGatewayLimitExceeded", "The maximum number of NAT Gateways has been reached.")
	}
	// AWS takes the call and lets the gateway fail afterwards; the provider tells of both in one error.
	if vpc := subnet.Str("vpcId"); o.Str("connectivityType") == "public" && tx.gatewayOf(vpc) == nil {
		return fmt.Errorf("waiting for EC2 NAT Gateway (%s) create: unexpected state 'failed', wanted target 'available'. last error: Gateway.NotAttached: Network %s has no Internet gateway attached",
			tx.NewID("nat"), vpc)
	}
	return nil
}

func createNatGateway(tx *Tx, o *Object) error {
	o.ID = tx.NewID("nat")
	subnet := o.Str("subnetId")
	n := 0
	for _, other := range tx.All(natGatewayToken) {
		if other.Str("subnetId") == subnet {
			n++
		}
	}
	o.fill("privateIp", tx.privateAddress(subnet, n))
	o.fill("secondaryPrivateIpAddressCount", 0.0)
	o.Set("networkInterfaceId", tx.NewID("eni"))
	o.Set("publicIp", "")
	o.Set("associationId", "")
	if a := tx.Find(eipToken, "id", o.Str("allocationId")); a != nil {
		o.Set("publicIp", a.Str("publicIp"))
		o.Set("associationId", tx.NewID("eipassoc"))
		a.Set("associationId", o.Str("associationId"))
		a.Set("privateIp", o.Str("privateIp"))
		a.Set("privateDns", "ip-"+strings.ReplaceAll(o.Str("privateIp"), ".", "-")+"."+tx.Region+".compute.internal")
		a.fill("networkInterface", o.Str("networkInterfaceId"))
	}
	return nil
}
