package aws

import (
	"strings"
	"testing"
)

// prove makes the DNS record that validates the certificate's nth name.
func (h *harness) prove(certificate *made, n int, zone string) *made {
	h.t.Helper()
	o := objects(certificate.Out["domainValidationOptions"])[n]
	return h.create(recordToken, "proof", object{"zoneId": zone, "name": o["resourceRecordName"], "type": "CNAME", "records": list(o["resourceRecordValue"]), "ttl": 60.0})
}

func (h *harness) zone(name string) string {
	h.t.Helper()
	z, refused := h.invoke("aws:route53/getZone:getZone", object{"name": name})
	if refused != "" {
		h.t.Fatal(refused)
	}
	return z["zoneId"].(string)
}

func TestCertificateIsIssuedOnceAllNamesAreProven(t *testing.T) {
	h := newHarness(t)
	c := h.create(certificateToken, "c", object{"domainName": "example.com", "subjectAlternativeNames": list("*.example.com", "example.net"), "validationMethod": "DNS"})
	options := objects(c.Out["domainValidationOptions"])
	if len(options) != 3 || options[0]["resourceRecordName"] != options[1]["resourceRecordName"] || options[0]["resourceRecordName"] == options[2]["resourceRecordName"] {
		t.Fatalf("a name and its wildcard share their record, others do not: %v", options)
	}
	if c.Out["status"] != "PENDING_VALIDATION" {
		t.Fatalf("status %v before any record", c.Out["status"])
	}
	first := h.prove(c, 0, h.zone("example.com"))
	in := object{"certificateArn": c.ID}
	got := h.refused(certificateValidationToken, "v", in)
	missing, _ := options[2]["resourceRecordName"].(string)
	if !strings.Contains(got, "timeout while waiting for state to become 'ISSUED' (last state: 'PENDING_VALIDATION'") || !strings.Contains(got, missing) {
		t.Error(got)
	}
	h.prove(c, 2, h.zone("example.net"))
	h.create(certificateValidationToken, "v", in)
	if refused := h.delete(first); refused != "" {
		t.Error(refused)
	}
	// Validation proofs are the same for all certificates of a name, and what is issued stays so.
	h.create(certificateValidationToken, "w", in)
}

func TestValidationListsRecordsThatAreMissing(t *testing.T) {
	h := newHarness(t)
	c := h.create(certificateToken, "c", object{"domainName": "example.com", "validationMethod": "DNS"})
	h.prove(c, 0, h.zone("example.com"))
	got := h.refused(certificateValidationToken, "v", object{"certificateArn": c.ID, "validationRecordFqdns": list("www.example.com")})
	if !strings.Contains(got, "missing example.com DNS validation record: _") {
		t.Error(got)
	}
}

func TestZoneThatIsNotDelegatedProvesNothing(t *testing.T) {
	h := newHarness(t)
	shop := h.create(zoneToken, "shop", object{"name": "shop.example.com"})
	c := h.create(certificateToken, "c", object{"domainName": "shop.example.com", "validationMethod": "DNS"})
	h.prove(c, 0, shop.ID)
	in := object{"certificateArn": c.ID}
	if got := h.refused(certificateValidationToken, "v", in); !strings.Contains(got, "no public zone that the internet would ask") {
		t.Error(got)
	}
	h.create(recordToken, "ns", object{"zoneId": h.zone("example.com"), "name": "shop", "type": "NS", "ttl": 60.0, "records": shop.Out["nameServers"]})
	h.create(certificateValidationToken, "v", in)
}

func TestPrivateZoneProvesNothing(t *testing.T) {
	h := newHarness(t)
	vpc := h.create(vpcToken, "v", object{"cidrBlock": "10.0.0.0/16"})
	private := h.create(zoneToken, "p", object{"name": "internal.dev", "vpcs": list(object{"vpcId": vpc.ID})})
	c := h.create(certificateToken, "c", object{"domainName": "internal.dev", "validationMethod": "DNS"})
	h.prove(c, 0, private.ID)
	h.refused(certificateValidationToken, "v", object{"certificateArn": c.ID})
}

func TestCertificateRefusals(t *testing.T) {
	w := newWorld(t)
	w.refuses([]refusal{
		{"certificate", object{"domainName": "example.com."}, "without a trailing period"},
		{"certificate", object{"domainName": "www.*.example.com"}, "must be a domain name"},
		{"certificate", object{"domainName": nil}, "domainName is required"},
		{"certificate", object{"validationMethod": nil}, "validationMethod must be DNS or EMAIL"},
		{"certificate", object{"keyAlgorithm": "RSA_512"}, "must be one of RSA_1024"},
		{"certificate", object{"subjectAlternativeNames": list("a.example.com", "b.example.com", "c.example.com", "d.example.com", "e.example.com", "f.example.com", "g.example.com", "h.example.com", "i.example.com", "j.example.com")}, "LimitExceededException"},
		{"validation", object{"certificateArn": "arn:aws:acm:us-west-2:123456789012:certificate/none"}, "ResourceNotFoundException"},
	})
	imported := w.create(certificateToken, "imported", object{"certificateBody": "-----BEGIN CERTIFICATE-----", "privateKey": "-----BEGIN PRIVATE KEY-----"})
	if imported.Out["status"] != issued || imported.Out["type"] != "IMPORTED" {
		t.Errorf("imported: %v", imported.Out)
	}
	w.refuses([]refusal{{"certificate", object{"domainName": nil, "subjectAlternativeNames": nil, "validationMethod": nil, "certificateBody": "x"}, "privateKey is required with certificateBody"}})
	mailed := w.create(certificateToken, "mailed", object{"domainName": "example.com", "validationMethod": "EMAIL"})
	w.refuses([]refusal{{"validation", object{"certificateArn": mailed.ID, "validationRecordFqdns": nil}, "answered by nobody here"}})
	w.revises([]revision{
		{"certificate", object{"subjectAlternativeNames": list("www.example.com")}, []string{"subjectAlternativeNames"}},
		{"certificate", object{"tags": object{"a": "b"}}, nil},
		{"validation", object{"certificateArn": w.id("otherCertificate")}, []string{"certificateArn"}},
	})
	w.keeps("certificate", "ResourceInUseException: Certificate "+w.id("certificate")+" in account 123456789012 is in use.")
	w.keeps("otherCertificate", "ResourceInUseException")
}
