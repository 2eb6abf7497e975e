package aws

import (
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
)

const (
	routeTableToken            = "aws:ec2/routeTable:RouteTable"
	routeToken                 = "aws:ec2/route:Route"
	routeTableAssociationToken = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	mainAssociationToken       = "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation"
)

var (
	routeTableRef = &Ref{Types: []string{routeTableToken}, Code: "InvalidRouteTableID.NotFound", Message: "The routeTable ID '%s' does not exist"}

	// routeTargets are where a route may lead, with what must exist for it.
	routeTargets = map[string]Prop{
		"carrierGatewayId":    text.to(&Ref{Code: "InvalidCarrierGatewayID.NotFound", Message: "The carrier gateway ID '%s' does not exist"}),
		"coreNetworkArn":      text.to(&Ref{Code: "InvalidCoreNetworkArn.NotFound", Message: "The core network ARN '%s' does not exist"}),
		"egressOnlyGatewayId": text.to(&Ref{Code: "InvalidGatewayID.NotFound", Message: "The egress-only internet gateway ID '%s' does not exist"}),
		"gatewayId": text.to(&Ref{
			Types: []string{internetGatewayToken, vpcEndpointToken}, Code: "InvalidGatewayID.NotFound", Message: "The gateway ID '%s' does not exist",
			Outside: func(v string) bool { return v == "local" },
		}),
		"localGatewayId":         text.to(&Ref{Code: "InvalidLocalGatewayID.NotFound", Message: "The local gateway ID '%s' does not exist"}),
		"natGatewayId":           text.to(&Ref{Types: []string{natGatewayToken}, Code: "InvalidNatGatewayID.NotFound", Message: "The natGateway ID '%s' does not exist"}),
		"networkInterfaceId":     text.to(&Ref{Types: []string{networkInterfaceToken}, Code: "InvalidNetworkInterfaceID.NotFound", Message: "The networkInterface ID '%s' does not exist"}),
		"transitGatewayId":       text.to(&Ref{Code: "InvalidTransitGatewayID.NotFound", Message: "The transitGateway ID '%s' does not exist"}),
		"vpcEndpointId":          text.to(&Ref{Types: []string{vpcEndpointToken}, Code: "InvalidVpcEndpointId.NotFound", Message: "The VPC endpoint ID '%s' does not exist"}),
		"vpcPeeringConnectionId": text.to(&Ref{Code: "InvalidVpcPeeringConnectionID.NotFound", Message: "The vpcPeeringConnection ID '%s' does not exist"}),
	}
	inlineRoute = withProps(routeTargets, map[string]Prop{"cidrBlock": text, "destinationPrefixListId": text, "ipv6CidrBlock": text})
)

// withProps is both sets of properties.
func withProps(a, b map[string]Prop) map[string]Prop {
	out := map[string]Prop{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

func init() {
	register(
		&Type{
			Token: routeTableToken, Label: "EC2 Route Table", Service: "EC2", Ops: Ops{"CreateRouteTable", "CreateRoute", "DeleteRouteTable"},
			Props: map[string]Prop{
				"propagatingVgws": setOf(text.to(&Ref{Code: "InvalidVpnGatewayID.NotFound", Message: "The vpnGateway ID '%s' does not exist"})).filled(),
				"routes":          setOf(fields(inlineRoute)).filled(), "tags": tagMap, "vpcId": text.must().fixed().to(vpcRef),
			},
			Outputs: []string{"arn", "ownerId"},
			Check:   checkRouteTable, Validate: validateRouteTable,
			Create: func(tx *Tx, o *Object) error {
				o.ID = tx.NewID("rtb")
				describeRouteTable(tx, o)
				return nil
			},
			Delete: func(tx *Tx, o *Object) error {
				// The provider takes the table off its subnets before it deletes it.
				for _, token := range []string{routeTableAssociationToken, routeToken} {
					tx.removeWhere(token, func(e *Object) bool { return e.Str("routeTableId") == o.ID })
				}
				return nil
			},
			Held: Held{"DependencyViolation", "The routeTable '%s' has dependencies and cannot be deleted."},
		},
		&Type{
			Token: routeToken, Label: "Route", Service: "EC2", Ops: Ops{"CreateRoute", "ReplaceRoute", "DeleteRoute"},
			Props: withProps(withFilled(routeTargets, "networkInterfaceId"), map[string]Prop{
				"destinationCidrBlock": text.fixed(), "destinationIpv6CidrBlock": text.fixed(), "destinationPrefixListId": text.fixed(),
				"routeTableId": text.must().fixed().to(routeTableRef),
			}),
			Outputs: []string{"instanceId", "instanceOwnerId", "origin", "state"},
			Check:   checkRoute, Validate: validateRoute,
			Create: func(_ *Tx, o *Object) error {
				o.ID = fmt.Sprintf("r-%s%d", o.Str("routeTableId"), crc32.ChecksumIEEE([]byte(routeDestination(o.Inputs))))
				o.Set("origin", "CreateRoute")
				o.Set("state", "active")
				o.Set("instanceId", "")
				o.Set("instanceOwnerId", "")
				o.fill("networkInterfaceId", "")
				return nil
			},
			Import: func(tx *Tx, id string) *Object {
				for _, r := range tx.All(routeToken) {
					if r.Str("routeTableId")+"_"+routeDestination(r.Inputs) == id {
						return r
					}
				}
				return nil
			},
		},
		&Type{
			Token: routeTableAssociationToken, Label: "Route Table Association", Service: "EC2",
			Ops: Ops{"AssociateRouteTable", "ReplaceRouteTableAssociation", "DisassociateRouteTable"},
			Props: map[string]Prop{
				"gatewayId": text.fixed().not("subnetId").to(&Ref{
					Types: []string{internetGatewayToken}, Code: "InvalidGatewayID.NotFound", Message: "The gateway ID '%s' does not exist",
				}),
				"routeTableId": text.must().to(routeTableRef),
				"subnetId": text.fixed().not("gatewayId").to(&Ref{
					Types: []string{subnetToken}, Code: "InvalidSubnetID.NotFound", Message: "The subnet ID '%s' does not exist",
				}),
			},
			Check: func(in Inputs) []Problem {
				if !in.Has("subnetId") && !in.Has("gatewayId") {
					return []Problem{{"subnetId", "is required, or gatewayId"}}
				}
				return nil
			},
			Validate: validateAssociation,
			Create: func(tx *Tx, o *Object) error {
				o.ID = tx.NewID("rtbassoc")
				return nil
			},
			Import: func(tx *Tx, id string) *Object {
				for _, a := range tx.All(routeTableAssociationToken) {
					if a.Str("subnetId")+a.Str("gatewayId")+"/"+a.Str("routeTableId") == id {
						return a
					}
				}
				return nil
			},
		},
		&Type{
			Token: mainAssociationToken, Label: "Main Route Table Association", Service: "EC2",
			Ops: Ops{"ReplaceRouteTableAssociation", "ReplaceRouteTableAssociation", "ReplaceRouteTableAssociation"},
			Props: map[string]Prop{
				"routeTableId": text.must().to(&Ref{Types: routeTableRef.Types, Code: routeTableRef.Code, Message: routeTableRef.Message, Holds: true}),
				"vpcId":        text.must().fixed().to(vpcRef),
			},
			Outputs: []string{"originalRouteTableId"},
			Validate: func(tx *Tx, o, _ *Object) error {
				return sameNetwork(o.Str("routeTableId"), tx.Find(routeTableToken, "id", o.Str("routeTableId")).Str("vpcId"), "network", o.Str("vpcId"), o.Str("vpcId"))
			},
			Create: func(tx *Tx, o *Object) error {
				vpc := tx.Find(vpcToken, "id", o.Str("vpcId"))
				o.ID = tx.NewID("rtbassoc")
				o.Set("originalRouteTableId", vpc.Str("mainRouteTableId"))
				vpc.Set("mainRouteTableId", o.Str("routeTableId"))
				return nil
			},
			Update: func(tx *Tx, o, _ *Object) error {
				tx.Find(vpcToken, "id", o.Str("vpcId")).Set("mainRouteTableId", o.Str("routeTableId"))
				return nil
			},
			Delete: func(tx *Tx, o *Object) error {
				if vpc := tx.Find(vpcToken, "id", o.Str("vpcId")); vpc != nil {
					vpc.Set("mainRouteTableId", o.Str("originalRouteTableId"))
				}
				return nil
			},
		},
	)
}

// withFilled is the properties with one of them left to AWS where it is not given.
func withFilled(props map[string]Prop, name string) map[string]Prop {
	out := maps.Clone(props)
	out[name] = out[name].filled()
	return out
}

func describeRouteTable(tx *Tx, o *Object) {
	o.Set("arn", tx.ARN("ec2", "route-table/"+o.ID))
	o.Set("ownerId", AccountID)
	o.fill("routes", []any{})
	o.fill("propagatingVgws", []any{})
}

// routeDestination is what a route is for, whether it stands alone or in a table.
func routeDestination(route map[string]any) string {
	for _, name := range []string{"destinationCidrBlock", "cidrBlock", "destinationIpv6CidrBlock", "ipv6CidrBlock", "destinationPrefixListId"} {
		if s, _ := route[name].(string); s != "" {
			return s
		}
	}
	return ""
}

// routeProblems finds what is wrong with the destination and target of a route whose properties begin at path.
func routeProblems(path string, in Inputs, v4, v6 string) []Problem {
	var out []Problem
	destinations := 0
	for _, name := range []string{v4, v6, "destinationPrefixListId"} {
		if in.Has(name) {
			destinations++
		}
		c := in.Object().Str(name)
		if why := cidrProblem(c, name == v6); c != "" && name != "destinationPrefixListId" && why != "" {
			out = append(out, Problem{join(path, name), fmt.Sprintf("is %q, %s", c, why)})
		}
	}
	if destinations != 1 {
		out = append(out, Problem{join(path, v4), fmt.Sprintf("give exactly one of %s, %s, destinationPrefixListId; %d are given", v4, v6, destinations)})
	}
	targets := 0
	for name := range routeTargets {
		if in.Has(name) {
			targets++
		}
	}
	if targets != 1 {
		out = append(out, Problem{join(path, "gatewayId"), fmt.Sprintf("give exactly one target of %s; %d are given",
			strings.Join(slices.Sorted(maps.Keys(routeTargets)), ", "), targets)})
	}
	return out
}

func checkRouteTable(in Inputs) []Problem {
	var out []Problem
	for i, r := range objects(in.Values["routes"]) {
		out = append(out, routeProblems(fmt.Sprintf("routes[%d]", i), inputs(r), "cidrBlock", "ipv6CidrBlock")...)
	}
	return out
}

func checkRoute(in Inputs) []Problem {
	return routeProblems("", in, "destinationCidrBlock", "destinationIpv6CidrBlock")
}

func validateRouteTable(tx *Tx, o, old *Object) error {
	if old == nil {
		n := 0
		for _, t := range tx.All(routeTableToken) {
			if t.Str("vpcId") == o.Str("vpcId") {
				n++
			}
		}
		if n >= 200 {
			return Errorf("RouteTableLimitExceeded", "The maximum number of route tables has been reached.")
		}
	}
	seen := map[string]bool{}
	for _, r := range objects(o.Inputs["routes"]) {
		d := routeDestination(r)
		if seen[d] {
			return Errorf("RouteAlreadyExists", "The route identified by %s already exists.", d)
		}
		seen[d] = true
		if err := tx.routeReaches(o.ID, o.Str("vpcId"), r); err != nil {
			return err
		}
	}
	return nil
}

func validateRoute(tx *Tx, o, old *Object) error {
	table := tx.Find(routeTableToken, "id", o.Str("routeTableId"))
	if old == nil {
		d := routeDestination(o.Inputs)
		taken := tx.Find(vpcToken, "id", table.Str("vpcId")).Str("cidrBlock") == d
		for _, r := range objects(table.Inputs["routes"]) {
			taken = taken || routeDestination(r) == d
		}
		for _, r := range tx.All(routeToken) {
			taken = taken || (r.Str("routeTableId") == table.ID && routeDestination(r.Inputs) == d)
		}
		if taken {
			return Errorf("RouteAlreadyExists", "Route in Route Table (%s) with destination (%s) already exists", table.ID, d)
		}
	}
	return tx.routeReaches(table.ID, table.Str("vpcId"), o.Inputs)
}

// routeReaches is why a route of that table cannot lead where it does.
func (tx *Tx) routeReaches(table, vpc string, route map[string]any) error {
	if id, _ := route["gatewayId"].(string); strings.HasPrefix(id, "igw-") {
		if g := tx.Find(internetGatewayToken, "id", id); g != nil {
			return sameNetwork(table, vpc, "network gateway", id, g.Str("vpcId"))
		}
	}
	if id, _ := route["natGatewayId"].(string); id != "" {
		if n := tx.Find(natGatewayToken, "id", id); n != nil {
			return sameNetwork(table, vpc, "NAT gateway", id, tx.vpcOf(n.Str("subnetId")))
		}
	}
	return nil
}

func sameNetwork(table, vpc, what, id, other string) error {
	if vpc == other {
		return nil
	}
	return Errorf("InvalidParameterValue", "route table %s and %s %s belong to different networks", table, what, id)
}

func validateAssociation(tx *Tx, o, old *Object) error {
	table := tx.Find(routeTableToken, "id", o.Str("routeTableId"))
	if s := o.Str("subnetId"); s != "" {
		if err := sameNetwork(table.ID, table.Str("vpcId"), "subnet", s, tx.vpcOf(s)); err != nil {
			return err
		}
	}
	for _, a := range tx.All(routeTableAssociationToken) {
		if old == nil && a.Str("subnetId") == o.Str("subnetId") && a.Str("gatewayId") == o.Str("gatewayId") {
			return Errorf("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", table.ID)
		}
	}
	return nil
}
