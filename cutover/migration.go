package cutover

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"

	"github.com/slipway-iac/slipway/internal/check"
)

// Migration is one decision: where the old system is, and how far the new one has taken over. A change of the stage changes weights and
// nothing else, up to Done.
type Migration struct {
	// Stage of the whole system: see the constants. Required.
	Stage string `json:"stage" pulumi:"stage"`
	// Routes has another stage for some routes, by the name of the route. Default none: all are at Stage.
	Routes map[string]string `json:"routes,omitempty" pulumi:"routes,optional"`
	// Old is the system that is left behind. Required, at stage "done" too: remove the whole migration when nobody wants to go back.
	Old Old `json:"old" pulumi:"old"`
	// Force lets one thing through that is refused otherwise, by its name: "skip-drain" goes to "done" while requests still go to
	// the old system. Default none. Remove it afterwards.
	Force string `json:"force,omitempty" pulumi:"force,optional"`
}

// SkipDrain is the one value of Migration.Force.
const SkipDrain = "skip-drain"

// Old is where the old system answers.
type Old struct {
	// Addresses are its IP addresses. One of Addresses and DnsName is required. An ALB takes addresses, and only private ones; HAProxy
	// takes both.
	Addresses []string `json:"addresses,omitempty" pulumi:"addresses,optional"`
	// DnsName is its name, resolved again while the system runs.
	DnsName string `json:"dnsName,omitempty" pulumi:"dnsName,optional"`
	// Port on which it speaks HTTP, 1 to 65535; default 80.
	Port int `json:"port,omitempty" pulumi:"port,optional"`
	// HealthCheckPath is asked with GET; default "/".
	HealthCheckPath string `json:"healthCheckPath,omitempty" pulumi:"healthCheckPath,optional"`
	// HealthCheckCodes are the answers of a healthy system; default "200-399".
	HealthCheckCodes string `json:"healthCheckCodes,omitempty" pulumi:"healthCheckCodes,optional"`
	// HostHeader is the Host that it expects, where that is not the one that the client asked for. Default: the client's. HAProxy sets
	// it; an ALB passes on the client's.
	HostHeader string `json:"hostHeader,omitempty" pulumi:"hostHeader,optional"`
}

var (
	hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$`)
	urlPath  = regexp.MustCompile(`^/[\x21-\x7e]*$`)
)

// Checked is m with its defaults filled in; routes are the names of the routes that there are. It fills p with what is wrong.
func (m *Migration) Checked(p *check.Problems, routes []string) Migration {
	out := *m
	if _, err := ParseStage(m.Stage); m.Stage == "" {
		p.Required("stage", false, `"legacy"`)
	} else if err != nil {
		p.Addf("stage", "%s", err)
	}
	for _, r := range slices.Sorted(maps.Keys(m.Routes)) {
		path := fmt.Sprintf("routes[%q]", r)
		if !slices.Contains(routes, r) {
			p.Addf(path, "is for a route that there is not: the routes are %v", routes)
		}
		if _, err := ParseStage(m.Routes[r]); err != nil {
			p.Addf(path, "%s", err)
		}
	}
	if m.Force != "" {
		p.OneOf("force", m.Force, SkipDrain)
	}
	out.Old = m.Old.checked(p.At("old"))
	return out
}

func (o Old) checked(p *check.Problems) Old {
	switch {
	case len(o.Addresses) == 0 && o.DnsName == "":
		p.Addf("addresses", "is required (or dnsName), for example %v: where the old system answers", []string{"10.0.0.10"})
	case len(o.Addresses) > 0 && o.DnsName != "":
		p.Addf("dnsName", "is %q, must be left out when addresses are given", o.DnsName)
	}
	for i, a := range o.Addresses {
		if addr, err := netip.ParseAddr(a); err != nil || !addr.Is4() {
			p.Addf(fmt.Sprintf("addresses[%d]", i), "is %q, must be an IPv4 address, like %q", a, "10.0.0.10")
		}
	}
	p.Unique("addresses", o.Addresses)
	if o.DnsName != "" {
		p.Match("dnsName", o.DnsName, hostName, `a DNS name in lower case without a dot at the end, like "legacy.example.com"`)
	}
	if o.HostHeader != "" {
		p.Match("hostHeader", o.HostHeader, hostName, `a DNS name in lower case without a dot at the end, like "www.example.com"`)
	}
	if o.Port == 0 {
		o.Port = 80
	}
	p.Between("port", o.Port, 1, 65535)
	if o.HealthCheckPath == "" {
		o.HealthCheckPath = "/"
	}
	p.Match("healthCheckPath", o.HealthCheckPath, urlPath, `a path that begins with "/", without spaces`)
	if o.HealthCheckCodes == "" {
		o.HealthCheckCodes = "200-399"
	}
	p.Codes("healthCheckCodes", o.HealthCheckCodes)
	return o
}

// At is the stage of a route. The migration must have passed Checked.
func (m Migration) At(route string) Stage {
	text := m.Stage
	if own, ok := m.Routes[route]; ok {
		text = own
	}
	s, err := ParseStage(text)
	if err != nil {
		panic("a migration that was not checked: " + err.Error())
	}
	return s
}

// Ended tells whether the old system is out of the door for all of the routes.
func (m Migration) Ended(routes []string) bool {
	return !slices.ContainsFunc(routes, func(r string) bool { return !m.At(r).Ended() })
}
