package aws

import (
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"
)

const zoneToken = "aws:route53/zone:Zone"

var zoneRef = &Ref{Types: []string{zoneToken}, Code: "NoSuchHostedZone", Message: "No hosted zone found with ID: %s"}

func init() {
	for _, name := range []string{"example.com", "example.net", "example.org"} {
		z := &Object{
			Type: zoneToken, ID: fmt.Sprintf("%-21s", "Z0"+strings.ToUpper(strings.ReplaceAll(name, ".", ""))), Owner: OwnerAccount,
			Inputs:  map[string]any{"name": name, "comment": "registered before any stack", "forceDestroy": false},
			Created: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		}
		z.ID = strings.ReplaceAll(z.ID, " ", "0")
		describeZone(z)
		given = append(given, z)
		given = append(given, apexRecords(z)...)
	}
	register(&Type{
		Token: zoneToken, Label: "Route 53 Hosted Zone", Service: "Route 53", Global: true,
		Ops:      Ops{"CreateHostedZone", "UpdateHostedZoneComment", "DeleteHostedZone"},
		AutoName: &AutoName{Prop: "name", Max: 255},
		Props: map[string]Prop{
			"comment": text.or("Managed by Pulumi").within(0, 256), "delegationSetId": text.fixed().not("vpcs").to(&Ref{
				Code: "NoSuchDelegationSet", Message: "No delegation set found with ID: %s",
			}),
			"forceDestroy": flag.or(false), "name": text.filled().fixed().within(1, 1024), "tags": tagMap,
			"vpcs": setOf(fields(map[string]Prop{
				"vpcId":     text.must().to(&Ref{Types: []string{vpcToken}, Code: "InvalidVPCId", Message: "The VPC: %s cannot be found."}),
				"vpcRegion": text.filled(),
			})).not("delegationSetId"),
		},
		Outputs: []string{"arn", "nameServers", "primaryNameServer", "zoneId"},
		Validate: func(tx *Tx, o, old *Object) error {
			if old == nil && len(tx.All(zoneToken)) >= 500 {
				return Errorf("TooManyHostedZones", "Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - Cannot create more hosted zones.")
			}
			if old != nil && (len(objects(o.Inputs["vpcs"])) == 0) != (len(objects(old.Inputs["vpcs"])) == 0) {
				return Errorf("LastVPCAssociation", "a public hosted zone cannot become private, nor a private one public")
			}
			return nil
		},
		Create: func(tx *Tx, o *Object) error {
			o.ID = "Z0" + strings.ToUpper(Hex(19))
			describeZone(o)
			for _, r := range apexRecords(o) {
				tx.Add(r)
			}
			return nil
		},
		Delete: deleteZone,
	})
	registerFunctions(&Function{
		Token: "aws:route53/getZone:getZone", Props: map[string]Prop{
			"name": text.not("zoneId"), "privateZone": flag, "tags": tagMap, "vpcId": text, "zoneId": text.not("name"), "resourceRecordSetCount": number,
		}, Call: getZone,
	}, &Function{
		Token: "aws:route53/getRecords:getRecords", Props: map[string]Prop{"nameRegex": text, "zoneId": text.must()}, Call: getRecords,
	})
}

// canonical is a domain name as names are compared: lower case, without the trailing period.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// within tells whether a domain name is that zone's own or lies below it.
func within(name, zone string) bool {
	return name == zone || strings.HasSuffix(name, "."+zone)
}

func describeZone(o *Object) {
	o.Set("arn", "arn:aws:route53:::hostedzone/"+o.ID)
	o.Set("zoneId", o.ID)
	var servers []string
	seed := crc32.ChecksumIEEE([]byte(o.ID))
	for i, tld := range []string{"com", "net", "org", "co.uk"} {
		n := int(seed>>(8*i))%512 + 512*i
		servers = append(servers, fmt.Sprintf("ns-%d.awsdns-%02d.%s", n, n%64, tld))
	}
	slices.Sort(servers)
	o.Set("nameServers", anys(servers))
	o.Set("primaryNameServer", servers[0])
}

func (o *Object) private() bool { return len(objects(o.Inputs["vpcs"])) > 0 }

// apexRecords are the two that Route 53 puts into every zone.
func apexRecords(zone *Object) []*Object {
	name := canonical(zone.Str("name"))
	record := func(kind string, ttl float64, values ...string) *Object {
		return &Object{
			Type: recordToken, ID: zone.ID + "_" + name + "_" + kind, Owner: zone.Key(), Created: zone.Created,
			Inputs:  map[string]any{"zoneId": zone.ID, "name": name, "type": kind, "ttl": ttl, "records": anys(values)},
			Outputs: map[string]any{"fqdn": name},
		}
	}
	var servers []string
	for _, s := range zone.List("nameServers") {
		servers = append(servers, s+".")
	}
	return []*Object{
		record("NS", 172800, servers...),
		record("SOA", 900, zone.Str("primaryNameServer")+". awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"),
	}
}

func deleteZone(tx *Tx, o *Object) error {
	if o.Owner == OwnerAccount {
		return &Error{
			Code: "AccessDenied", Status: 403,
			Message: fmt.Sprintf("User: %s is not authorized to perform: route53:DeleteHostedZone on resource: %s with an explicit deny in a service control policy", CallerARN, o.Str("arn")),
		}
	}
	own := func(r *Object) bool { return r.Str("zoneId") == o.ID }
	if !o.Bool("forceDestroy") && slices.ContainsFunc(tx.All(recordToken), func(r *Object) bool { return own(r) && r.Owner == "" }) {
		return Errorf("HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
	}
	tx.removeWhere(recordToken, own)
	return nil
}

// resolve answers a question to the internet's DNS: the values of the account's public record of that name and type.
// It goes the way a resolver goes, from the domains that are registered down the delegations; a zone below one of these
// domains that its parent does not delegate to is not asked. Domains that are registered elsewhere count as delegated.
func (tx *Tx) resolve(name, kind string) []string {
	name = canonical(name)
	zone := tx.authority(name)
	if zone == nil {
		return nil
	}
	var out []string
	for _, r := range tx.All(recordToken) {
		if r.Str("zoneId") == zone.ID && r.Str("type") == kind && canonical(r.Str("fqdn")) == name {
			for _, v := range r.List("records") {
				out = append(out, canonical(v))
			}
		}
	}
	return out
}

// authority is the public zone whose servers are asked for a name; nil where there is none.
func (tx *Tx) authority(name string) *Object {
	var zone *Object
	for _, z := range tx.All(zoneToken) {
		if z.private() || !within(name, canonical(z.Str("name"))) {
			continue
		}
		// One of the account's own domains first; else the zone that is closest to the name.
		if zone == nil || z.Owner == OwnerAccount || (zone.Owner != OwnerAccount && len(z.Str("name")) > len(zone.Str("name"))) {
			zone = z
		}
	}
	for zone != nil {
		next := tx.delegated(name, zone)
		if next == nil {
			break
		}
		zone = next
	}
	return zone
}

// delegated is the zone to which one of the records of a zone hands a name over; nil where none does.
func (tx *Tx) delegated(name string, zone *Object) *Object {
	for _, r := range tx.All(recordToken) {
		cut := canonical(r.Str("fqdn"))
		if r.Str("type") != "NS" || r.Str("zoneId") != zone.ID || cut == canonical(zone.Str("name")) || !within(name, cut) {
			continue
		}
		for _, z := range tx.All(zoneToken) {
			if canonical(z.Str("name")) == cut && slices.ContainsFunc(r.List("records"), func(v string) bool {
				return contains(z, "nameServers", canonical(v))
			}) {
				return z
			}
		}
	}
	return nil
}

func getZone(tx *Tx, in Inputs) (map[string]any, error) {
	o := in.Object()
	if !o.has("name") && !o.has("zoneId") && !o.has("vpcId") && !o.has("tags") {
		return nil, errors.New("one of name, zoneId, vpcId, tags is required")
	}
	var found []*Object
	for _, z := range tx.All(zoneToken) {
		match := o.Str("zoneId") == z.ID
		if !o.has("zoneId") {
			match = (!o.has("name") || canonical(o.Str("name")) == canonical(z.Str("name"))) && o.Bool("privateZone") == z.private()
			match = match && (!o.has("vpcId") || slices.ContainsFunc(objects(z.Get("vpcs")), func(v map[string]any) bool { return v["vpcId"] == o.Get("vpcId") }))
		}
		for k, v := range nested(o.Get("tags")) {
			match = match && nested(z.Get("tagsAll"))[k] == v
		}
		if match {
			found = append(found, z)
		}
	}
	if len(found) != 1 {
		if len(found) == 0 {
			return nil, errors.New("no matching Route 53 Hosted Zone found")
		}
		return nil, errors.New("multiple Route 53 Hosted Zones matched; use additional constraints to reduce matches to a single Route 53 Hosted Zone")
	}
	z, records := found[0], 0
	for _, r := range tx.All(recordToken) {
		if r.Str("zoneId") == z.ID {
			records++
		}
	}
	tags := nested(z.Get("tagsAll"))
	out := map[string]any{
		"id": z.ID, "zoneId": z.ID, "arn": z.Str("arn"), "name": canonical(z.Str("name")), "nameServers": z.Get("nameServers"),
		"primaryNameServer": z.Str("primaryNameServer"), "privateZone": z.private(), "comment": z.Str("comment"), "callerReference": z.ID,
		"linkedServiceDescription": "", "linkedServicePrincipal": "", "resourceRecordSetCount": float64(records), "tags": tags,
	}
	if o.has("vpcId") {
		out["vpcId"] = o.Str("vpcId")
	}
	return out, nil
}
