package edge

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

const dnsLabel = `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`

var dnsName = regexp.MustCompile(`^` + dnsLabel + `(\.` + dnsLabel + `)+$`)

const (
	// maxDomain is the limit for the first name of a certificate, maxDnsName for any other:
	// https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html.
	maxDomain  = 64
	maxDnsName = 253
	// maxNames is how many names one certificate can hold at most.
	maxNames = 100
)

// names are all names of the door, Domain first.
func (args *HttpsLoadBalancerArgs) names() []string {
	return append([]string{args.Domain}, args.AlternativeNames...)
}

// base is the name whose owner proves that name is theirs too: a wildcard and the name it hangs at share one proof.
func base(name string) string { return strings.TrimPrefix(name, "*.") }

// bases are the distinct bases of names: one validation record is made for each.
func bases(names []string) (out []string) {
	for _, n := range names {
		if b := base(n); !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

// within tells whether name is zone, or below it.
func within(name, zone string) bool {
	return base(name) == zone || strings.HasSuffix(name, "."+zone)
}

// covers tells whether a certificate for name holds for every host that the pattern stands for: a wildcard stands for one label.
func covers(name, host string) bool {
	_, rest, _ := strings.Cut(host, ".")
	return name == host || strings.HasPrefix(name, "*.") && base(name) == rest && host != "."+rest
}

func (args *HttpsLoadBalancerArgs) checkNames(p *check.Problems) {
	p.Required("domain", args.Domain != "", `"example.com"`)
	for i, n := range args.names() {
		path, longest := "domain", maxDomain
		if i > 0 {
			path, longest = fmt.Sprintf("alternativeNames[%d]", i-1), maxDnsName
		}
		switch {
		case i == 0 && n == "":
		case i == 0 && base(n) != n:
			p.Addf(path, "is %q, must be one name: put the wildcard into alternativeNames", n)
		case !dnsName.MatchString(base(n)):
			p.Addf(path, "is %q, must be a DNS name in lower case without a dot at the end, like %q", n, "www.example.com")
		case len(n) > longest:
			p.Addf(path, "is %d characters long, must be at most %d", len(n), longest)
		case args.ZoneName != "" && !within(n, args.ZoneName):
			p.Addf(path, "is %q, must be %q or end in %q: the zone can prove no other name", n, args.ZoneName, "."+args.ZoneName)
		}
		if i > 0 && n == args.Domain {
			p.Addf(path, "is %q, the same as domain", n)
		}
	}
	p.Unique("alternativeNames", args.AlternativeNames)
	if n := len(args.names()); n > maxNames {
		p.Addf("alternativeNames", "has %d entries, must have at most %d: one certificate holds %d names", n-1, maxNames-1, maxNames)
	}
	args.checkZone(p)
}

func (args *HttpsLoadBalancerArgs) checkZone(p *check.Problems) {
	id, plain := args.ZoneId.(pulumi.String)
	switch {
	case args.ZoneName == "" && args.ZoneId == nil && args.CertificateArn != nil:
	case args.ZoneName == "" && args.ZoneId == nil:
		p.Addf("zoneName", "is required (or zoneId), for example %q: the Route 53 zone in which the names are", "example.com")
	case args.ZoneName != "" && args.ZoneId != nil:
		p.Addf("zoneName", "is %q, must be left out when zoneId is set", args.ZoneName)
	case args.ZoneName != "":
		p.Match("zoneName", args.ZoneName, dnsName, `a DNS name in lower case without a dot at the end, like "example.com"`)
	case plain && !zoneId.MatchString(string(id)):
		p.Addf("zoneId", "is %q, must be the id of a Route 53 zone, like %q", string(id), "Z0123456789ABCDEFGHIJ")
	}
}

// https://docs.aws.amazon.com/Route53/latest/APIReference/API_HostedZone.html
var zoneId = regexp.MustCompile(`^(/hostedzone/)?Z[A-Z0-9]{1,31}$`)
