package edge

import (
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
)

// Route 53 writes names with a period at the end, and a star as a number.
func TestNamesAsRoute53WritesThem(t *testing.T) {
	for host, of := range map[string]struct{ written, not string }{
		"www.example.com":  {"www.example.com.", "wwwXexample.com."},
		"example.com":      {"example.com.", "www.example.com."},
		"*.example.com":    {`\052.example.com.`, "www.example.com."},
		"Shop.Example.com": {"shop.example.com.", "shop.example.com.net."},
	} {
		match := regexp.MustCompile(named(host)).MatchString
		if !match(of.written) || !match(strings.TrimSuffix(of.written, ".")) || match(of.not) {
			t.Errorf("%s: %s matches %q: %v, %q: %v", host, named(host), of.written, match(of.written), of.not, match(of.not))
		}
	}
}

// What stands in the way of a record is said with where it leads, and with the way through.
func TestRecordsThatAreThereAlready(t *testing.T) {
	type record = route53.GetRecordsResourceRecordSet
	plain := record{Type: "A", Ttl: 3600, ResourceRecords: []route53.GetRecordsResourceRecordSetResourceRecord{{Value: "203.0.113.7"}, {Value: "203.0.113.8"}}}
	weighted := plain
	weighted.SetIdentifier = "old"
	cname := record{Type: "CNAME", Ttl: 60, ResourceRecords: []route53.GetRecordsResourceRecordSetResourceRecord{{Value: "old.example.net"}}}
	for name, c := range map[string]struct {
		r         record
		typ       string
		overwrite bool
		says      string
	}{
		"the same type":                 {plain, "A", false, "set overwriteRecords"},
		"the same type, to overwrite":   {plain, "A", true, ""},
		"another type":                  {plain, "AAAA", false, ""},
		"mail":                          {record{Type: "MX"}, "A", false, ""},
		"a CNAME":                       {cname, "A", false, "beside a CNAME. Put a record A in its place"},
		"a CNAME, to overwrite":         {cname, "AAAA", true, "beside a CNAME. Put a record AAAA in its place"},
		"one of several":                {weighted, "A", false, `("old")`},
		"one of several, to overwrite":  {weighted, "A", true, `("old")`},
		"one of several, of other type": {weighted, "AAAA", true, ""},
	} {
		if got := conflict(c.r, c.typ, c.overwrite); (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
	}
	alias := record{Type: "A", AliasTarget: route53.GetRecordsResourceRecordSetAliasTarget{DnsName: "d1.cloudfront.net."}}
	for want, r := range map[string]record{"203.0.113.7, 203.0.113.8 for 3600 s": plain, "d1.cloudfront.net": alias} {
		if got := leadsTo(r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
