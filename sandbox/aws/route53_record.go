package aws

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

const recordToken = "aws:route53/record:Record"

// routingPolicies tell records of one name apart; each such record has a setIdentifier.
var routingPolicies = []string{
	"cidrRoutingPolicy", "failoverRoutingPolicies", "geolocationRoutingPolicies", "geoproximityRoutingPolicy", "latencyRoutingPolicies",
	"multivalueAnswerRoutingPolicy", "weightedRoutingPolicies",
}

func init() {
	others := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(routingPolicies), func(n string) bool { return n == name })
	}
	register(&Type{
		Token: recordToken, Label: "Route 53 Record", Service: "Route 53", Global: true,
		Ops: Ops{"ChangeResourceRecordSets", "ChangeResourceRecordSets", "ChangeResourceRecordSets"},
		Props: map[string]Prop{
			"aliases": listOf(fields(map[string]Prop{
				"evaluateTargetHealth": flag.must(), "name": text.must().within(1, 1024), "zoneId": text.must().within(1, 32),
			})).within(0, 1).not("records", "ttl"),
			"allowOverwrite": flag.filled(),
			"cidrRoutingPolicy": fields(map[string]Prop{
				"collectionId": text.must().to(&Ref{Code: "NoSuchCidrCollectionException", Message: "No CIDR collection found with ID: %s"}), "locationName": text.must(),
			}).not(others("cidrRoutingPolicy")...),
			"failoverRoutingPolicies": listOf(fields(map[string]Prop{"type": text.must().in("PRIMARY", "SECONDARY")})).within(0, 1).not(others("failoverRoutingPolicies")...),
			"geolocationRoutingPolicies": listOf(fields(map[string]Prop{"continent": text, "country": text, "subdivision": text})).within(0, 1).
				not(others("geolocationRoutingPolicies")...),
			"geoproximityRoutingPolicy": fields(map[string]Prop{
				"awsRegion": text, "bias": number.within(-90, 90), "localZoneGroup": text,
				"coordinates": setOf(fields(map[string]Prop{"latitude": text.must(), "longitude": text.must()})),
			}).not(others("geoproximityRoutingPolicy")...),
			"healthCheckId":                 text.to(&Ref{Code: "NoSuchHealthCheck", Message: "No health check found with ID: %s"}),
			"latencyRoutingPolicies":        listOf(fields(map[string]Prop{"region": text.must()})).within(0, 1).not(others("latencyRoutingPolicies")...),
			"multivalueAnswerRoutingPolicy": flag.not(others("multivalueAnswerRoutingPolicy")...),
			"name":                          text.must().fixed().within(0, 1024), "records": setOf(text.within(1, 4000)).not("aliases"),
			"setIdentifier": text.within(1, 128), "ttl": number.within(0, 2147483647).not("aliases"),
			"type": text.must().in("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT"),
			"weightedRoutingPolicies": listOf(fields(map[string]Prop{"weight": number.must().within(0, 255)})).within(0, 1).
				not(others("weightedRoutingPolicies")...),
			"zoneId": text.must().fixed().to(zoneRef),
		},
		Outputs: []string{"fqdn"},
		Check:   checkRecord, Validate: validateRecord, Create: createRecord,
		Update: func(tx *Tx, o, _ *Object) error {
			describeRecord(tx, o)
			tx.settleAll(o)
			return nil
		},
		Delete: func(tx *Tx, o *Object) error {
			zone := tx.Find(zoneToken, "id", o.Str("zoneId"))
			if zone != nil && o.Str("fqdn") == canonical(zone.Str("name")) && slices.Contains([]string{"NS", "SOA"}, o.Str("type")) {
				return invalidChange("A HostedZone must contain at least one NS record for the zone itself and exactly one SOA record")
			}
			return nil
		},
	})
}

func checkRecord(in Inputs) []Problem {
	var out []Problem
	if !in.Has("records") && !in.Has("aliases") {
		out = append(out, Problem{"records", "is required, or aliases"})
	}
	if in.Has("records") && !in.Has("ttl") {
		out = append(out, Problem{"ttl", "is required with records"})
	}
	if in.Has("ttl") && !in.Has("records") && !in.Has("aliases") {
		out = append(out, Problem{"ttl", "needs records"})
	}
	policy := slices.ContainsFunc(routingPolicies, in.Has)
	if policy && !in.Has("setIdentifier") {
		out = append(out, Problem{"setIdentifier", "is required with a routing policy"})
	}
	if !policy && in.Has("setIdentifier") {
		out = append(out, Problem{"setIdentifier", "needs a routing policy"})
	}
	return out
}

func invalidChange(format string, a ...any) error {
	return Errorf("InvalidChangeBatch", "[%s]", fmt.Sprintf(format, a...))
}

// expanded is the name of a record as the provider completes it with the zone's.
func expanded(name, zone string) string {
	name, zone = canonical(name), canonical(zone)
	switch {
	case name == "":
		return zone
	case strings.HasSuffix(name, zone):
		return name
	}
	return name + "." + zone
}

func describeRecord(tx *Tx, o *Object) {
	o.Set("fqdn", expanded(o.Str("name"), tx.Find(zoneToken, "id", o.Str("zoneId")).Str("name")))
}

func validateRecord(tx *Tx, o, old *Object) error {
	zone := tx.Find(zoneToken, "id", o.Str("zoneId"))
	apex, kind := canonical(zone.Str("name")), o.Str("type")
	name := expanded(o.Str("name"), apex)
	if !within(name, apex) {
		return invalidChange("RRSet with DNS name %s. is not permitted in zone %s.", name, apex)
	}
	if kind == "CNAME" && name == apex {
		return invalidChange("RRSet of type CNAME with DNS name %s. is not permitted at apex in zone %s.", name, apex)
	}
	if kind == "CNAME" && len(o.List("records")) > 1 {
		return invalidChange("Invalid Resource Record: 'FATAL problem: CNAMERRSetWithMultipleRecords encountered for %s.'", name)
	}
	for _, r := range tx.All(recordToken) {
		if r.Str("zoneId") != zone.ID || r.Str("fqdn") != name || (old != nil && r.ID == old.ID) {
			continue
		}
		switch {
		case r.Str("type") != kind:
			if r.Str("type") == "CNAME" || kind == "CNAME" {
				return invalidChange("RRSet of type %s with DNS name %s. is not permitted because a conflicting RRSet of type %s with the same DNS name already exists in zone %s.",
					kind, name, r.Str("type"), apex)
			}
		case (r.Str("setIdentifier") == "") != (o.Str("setIdentifier") == ""):
			return invalidChange("RRSet with DNS name %s., type %s cannot be created as other RRSets exist with the same name and type", name, kind)
		case r.Str("setIdentifier") == o.Str("setIdentifier") && !o.Bool("allowOverwrite"):
			return invalidChange("Tried to create resource record set [name='%s.', type='%s'] but it already exists", name, kind)
		}
	}
	for _, v := range o.List("records") {
		a, err := netip.ParseAddr(v)
		switch {
		case kind == "A" && (err != nil || !a.Is4()):
			return invalidChange("Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '%s''", v)
		case kind == "AAAA" && (err != nil || !a.Is6()):
			return invalidChange("Invalid Resource Record: 'FATAL problem: AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address) encountered with '%s''", v)
		}
	}
	for _, alias := range objects(o.Get("aliases")) {
		if err := tx.aliasReaches(zone, kind, alias); err != nil {
			return err
		}
	}
	return nil
}

// aliasZones are zones of AWS's own services, outside regions, with the domain that lies in them.
var aliasZones = map[string]string{"Z2FDTNDATAQYW2": "cloudfront.net", "Z2BJ6XQ5FK7U4H": "awsglobalaccelerator.com"}

// aliasReaches is why an alias record cannot lead where it does.
func (tx *Tx) aliasReaches(zone *Object, kind string, alias map[string]any) error {
	target, _ := alias["name"].(string)
	id, _ := alias["zoneId"].(string)
	target = canonical(target)
	refuse := func(why string) error {
		return invalidChange("Tried to create an alias that targets %s., type %s in zone %s, but %s", target, kind, id, why)
	}
	const outside, missing = "the alias target name does not lie within the target zone", "that target was not found"
	if domain := aliasZones[id]; domain != "" {
		if !within(target, domain) {
			return refuse(outside)
		}
		return nil
	}
	if id == zone.ID {
		if !within(target, canonical(zone.Str("name"))) {
			return refuse(outside)
		}
		for _, r := range tx.All(recordToken) {
			if r.Str("zoneId") == id && r.Str("fqdn") == target && r.Str("type") == kind {
				return nil
			}
		}
		return refuse(missing)
	}
	for _, l := range tx.Objects {
		if l.Type != loadBalancerToken || strings.TrimPrefix(target, "dualstack.") != strings.ToLower(l.Str("dnsName")) {
			continue
		}
		if l.Str("zoneId") != id {
			return refuse(outside)
		}
		if kind != "A" && kind != "AAAA" {
			return refuse(missing)
		}
		return nil
	}
	return refuse(missing)
}

func createRecord(tx *Tx, o *Object) error {
	describeRecord(tx, o)
	o.ID = o.Str("zoneId") + "_" + strings.ToLower(o.Str("name")) + "_" + o.Str("type")
	if s := o.Str("setIdentifier"); s != "" {
		o.ID += "_" + s
	}
	o.fill("allowOverwrite", false)
	// What stands in the way was found in Validate: what is left was to be overwritten.
	tx.removeWhere(recordToken, func(r *Object) bool {
		return r.Str("zoneId") == o.Str("zoneId") && r.Str("fqdn") == o.Str("fqdn") && r.Str("type") == o.Str("type") && r.Str("setIdentifier") == o.Str("setIdentifier")
	})
	tx.settleAll(o)
	return nil
}

// settleAll issues the certificates of all regions that waited for this record.
func (tx *Tx) settleAll(record *Object) {
	if record.Str("type") != "CNAME" {
		return
	}
	look := *tx
	look.Objects = append(slices.Clone(tx.Objects), record)
	for _, o := range tx.Objects {
		if o.Type == certificateToken {
			look.settle(o)
		}
	}
}

// getRecords gives the records of a zone as Route 53 writes them: with a period after each name, and a star as its octal number.
func getRecords(tx *Tx, in Inputs) (map[string]any, error) {
	o := in.Object()
	zone := tx.Find(zoneToken, "id", o.Str("zoneId"))
	if zone == nil {
		return nil, Errorf("NoSuchHostedZone", "No hosted zone found with ID: %s", o.Str("zoneId"))
	}
	want, err := regexp.Compile(o.Str("nameRegex"))
	if err != nil {
		return nil, fmt.Errorf("nameRegex: %w", err)
	}
	sets := []any{}
	for _, r := range tx.All(recordToken) {
		name := strings.Replace(r.Str("fqdn"), "*", `\052`, 1) + "."
		if r.Str("zoneId") != zone.ID || !want.MatchString(name) {
			continue
		}
		values := []any{}
		for _, v := range r.List("records") {
			values = append(values, map[string]any{"value": v})
		}
		set := map[string]any{"name": name, "type": r.Str("type"), "setIdentifier": r.Str("setIdentifier"), "resourceRecords": values, "ttl": float64(r.Num("ttl"))}
		for _, alias := range objects(r.Get("aliases")) {
			set["aliasTarget"] = map[string]any{"dnsName": canonical(fmt.Sprint(alias["name"])) + ".", "hostedZoneId": alias["zoneId"], "evaluateTargetHealth": alias["evaluateTargetHealth"]}
		}
		sets = append(sets, set)
	}
	return map[string]any{"id": zone.ID, "zoneId": zone.ID, "nameRegex": o.Str("nameRegex"), "resourceRecordSets": sets}, nil
}
