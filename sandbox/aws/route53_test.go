package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestRecordRefusals(t *testing.T) {
	h := newWorld(t)
	zone := h.zone("example.com")
	h.add("a", recordToken, object{"zoneId": zone, "name": "api", "type": "A", "ttl": 60.0, "records": list("192.0.2.1")})
	h.refuses([]refusal{
		{"a", nil, "InvalidChangeBatch: [Tried to create resource record set [name='api.example.com.', type='A'] but it already exists]"},
		{"a", object{"name": "API.example.com."}, "but it already exists"},
		{"a", object{"type": "CNAME", "records": list("example.net")}, "a conflicting RRSet of type A"},
		{"a", object{"name": "myexample.com"}, "RRSet with DNS name myexample.com. is not permitted in zone example.com."},
		{"a", object{"name": "example.com", "type": "CNAME", "records": list("example.net")}, "not permitted at apex"},
		{"a", object{"name": "b", "ttl": nil}, "ttl is required with records"},
		{"a", object{"name": "b", "records": nil}, "records is required, or aliases"},
		{"a", object{"name": "b", "records": list("example.net")}, "ARRDATAIllegalIPv4Address"},
		{"a", object{"name": "b", "type": "AAAA"}, "AAAARRDATAIllegalIPv6Address"},
		{"a", object{"name": "b", "type": "CNAME", "records": list("a.example.net", "b.example.net")}, "CNAMERRSetWithMultipleRecords"},
		{"a", object{"name": "b", "type": "ANAME"}, `type is "ANAME", must be one of`},
		{"a", object{"zoneId": "Z1"}, "NoSuchHostedZone: No hosted zone found with ID: Z1"},
		{"a", object{"name": "b", "weightedRoutingPolicies": list(object{"weight": 1.0})}, "setIdentifier is required with a routing policy"},
		{"a", object{"setIdentifier": "one", "weightedRoutingPolicies": list(object{"weight": 1.0})}, "other RRSets exist with the same name and type"},
		{"a", object{"name": "b", "setIdentifier": "one"}, "setIdentifier needs a routing policy"},
		{"alias", object{"name": "b", "aliases": list(object{"name": "api.example.net", "zoneId": zone, "evaluateTargetHealth": false})}, "does not lie within the target zone"},
		{"alias", object{"name": "b", "aliases": list(object{"name": h.out("balancer", "dnsName"), "zoneId": "Z35SXDOTRQ7X7K", "evaluateTargetHealth": false})}, "does not lie within the target zone"},
		{"alias", object{"name": "b", "ttl": 60.0}, "aliases conflicts with ttl"},
		{"alias", object{"name": "b", "type": "TXT"}, "that target was not found"},
		{"alias", object{"name": "b", "aliases": list(object{"name": "none.us-west-2.elb.amazonaws.com", "zoneId": "Z1H1FL5HABSF5", "evaluateTargetHealth": false})}, "that target was not found"},
		{"alias", object{"name": "b", "aliases": list(object{"name": h.out("balancer", "dnsName"), "zoneId": "Z2FDTNDATAQYW2", "evaluateTargetHealth": false})}, "does not lie within the target zone"},
		{"alias", object{"name": "b", "aliases": list(object{"name": "c.example.com", "zoneId": zone, "evaluateTargetHealth": false})}, "that target was not found"},
	})
	h.create(recordToken, "within", object{"zoneId": zone, "name": "", "type": "A", "aliases": list(object{"name": "api.example.com", "zoneId": zone, "evaluateTargetHealth": false})})
	if got := h.delete(&made{Token: recordToken, Name: "ns", ID: zone + "_example.com_NS"}); !strings.Contains(got, "must contain at least one NS record") {
		t.Errorf("the zone's own NS record was deleted: %q", got)
	}
	h.revises([]revision{
		{"a", object{"records": list("192.0.2.2"), "ttl": 30.0}, nil},
		{"a", object{"name": "b"}, []string{"name"}},
		{"a", object{"zoneId": "Z1"}, []string{"zoneId"}},
	})
	if h.out("a", "fqdn") != "api.example.com" || h.id("a") != zone+"_api_A" {
		t.Errorf("fqdn %s, id %s", h.out("a", "fqdn"), h.id("a"))
	}
}

func TestRecordsOfOneNameWithWeights(t *testing.T) {
	h := newHarness(t)
	for _, id := range []string{"old", "new"} {
		in := object{"zoneId": h.zone("example.com"), "name": "www", "type": "A", "ttl": 5.0, "records": list("192.0.2.1"), "setIdentifier": id, "weightedRoutingPolicies": list(object{"weight": 10.0})}
		h.create(recordToken, id, in)
	}
}

func TestOverwrittenRecordIsGone(t *testing.T) {
	h := newHarness(t)
	in := object{"zoneId": h.zone("example.org"), "name": "www", "type": "A", "ttl": 60.0, "records": list("192.0.2.1")}
	h.create(recordToken, "first", in)
	in["allowOverwrite"], in["records"] = true, list("192.0.2.2")
	second := h.create(recordToken, "second", in)
	if refused := h.delete(second); refused != "" {
		t.Error(refused)
	}
	delete(in, "allowOverwrite")
	h.create(recordToken, "third", in)
}

// The records of a zone are told as Route 53 writes their names, those of a name or all.
func TestRecordsOfAZone(t *testing.T) {
	h := newHarness(t)
	zone := h.zone("example.org")
	h.create(recordToken, "www", object{"zoneId": zone, "name": "www", "type": "A", "ttl": 3600.0, "records": list("192.0.2.1", "192.0.2.2")})
	h.create(recordToken, "any", object{"zoneId": zone, "name": "*.example.org", "type": "CNAME", "ttl": 60.0, "records": list("old.example.net")})
	h.create(recordToken, "alias", object{"zoneId": zone, "name": "shop", "type": "A", "aliases": list(object{"name": "www.example.org", "zoneId": zone, "evaluateTargetHealth": false})})
	for regex, want := range map[string][]string{
		`^www\.example\.org\.?$`:        {"www.example.org. A 192.0.2.1 192.0.2.2 3600 <nil>"},
		`^(\*|\\052)\.example\.org\.?$`: {`\052.example.org. CNAME old.example.net 60 <nil>`},
		`^shop`:                         {"shop.example.org. A 0 www.example.org."},
		`none`:                          nil,
	} {
		out, refused := h.invoke("aws:route53/getRecords:getRecords", object{"zoneId": zone, "nameRegex": regex})
		var got []string
		for _, r := range objects(out["resourceRecordSets"]) {
			words := []any{r["name"], r["type"]}
			for _, v := range objects(r["resourceRecords"]) {
				words = append(words, v["value"])
			}
			words = append(words, r["ttl"], nested(r["aliasTarget"])["dnsName"])
			got = append(got, strings.TrimSuffix(fmt.Sprintln(words...), "\n"))
		}
		if refused != "" || !slices.Equal(got, want) {
			t.Errorf("%s: %q %s, want %q", regex, got, refused, want)
		}
	}
	if all, refused := h.invoke("aws:route53/getRecords:getRecords", object{"zoneId": zone}); refused != "" || len(objects(all["resourceRecordSets"])) != 5 {
		t.Errorf("%v %s", all, refused)
	}
	if _, refused := h.invoke("aws:route53/getRecords:getRecords", object{"zoneId": "Z0"}); !strings.Contains(refused, "NoSuchHostedZone: No hosted zone found with ID: Z0") {
		t.Error(refused)
	}
}

func TestZones(t *testing.T) {
	h := newHarness(t)
	given, refused := h.invoke("aws:route53/getZone:getZone", object{"name": "example.com."})
	if refused != "" || given["name"] != "example.com" || given["resourceRecordSetCount"] != 2.0 || len(given["nameServers"].([]any)) != 4 {
		t.Fatalf("%v %s", given, refused)
	}
	if _, refused := h.invoke("aws:route53/getZone:getZone", object{"name": "none.example"}); !strings.Contains(refused, "no matching Route 53 Hosted Zone found") {
		t.Error(refused)
	}
	if by, refused := h.invoke("aws:route53/getZone:getZone", object{"zoneId": given["zoneId"]}); refused != "" || by["name"] != "example.com" {
		t.Errorf("%v %s", by, refused)
	}
	if got := h.delete(&made{Token: zoneToken, Name: "given", ID: given["zoneId"].(string)}); !strings.Contains(got, "AccessDenied") {
		t.Errorf("a domain of the account was deleted: %q", got)
	}
	z := h.create(zoneToken, "z", object{"name": "dev.example.com"})
	r := h.create(recordToken, "r", object{"zoneId": z.ID, "name": "a", "type": "TXT", "ttl": 60.0, "records": list("x")})
	if got := h.delete(z); !strings.Contains(got, "HostedZoneNotEmpty: The specified hosted zone contains non-required resource record sets") {
		t.Error(got)
	}
	if _, replaces := h.diff(z, object{"name": "other.example.com"}); len(replaces) != 1 {
		t.Errorf("another name: replaced for %q", replaces)
	}
	if refused := h.update(z, object{"name": "dev.example.com", "forceDestroy": true}); refused != "" {
		t.Error(refused)
	}
	for _, m := range []*made{z, r} {
		if refused := h.delete(m); refused != "" {
			t.Error(refused)
		}
	}
}
