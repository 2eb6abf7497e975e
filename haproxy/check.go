package haproxy

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"

	"github.com/slipway-iac/slipway/internal/check"
)

const (
	maxRoutes    = 100
	maxAddresses = 64
	maxName      = 253
	maxPath      = 512 // a line of the file holds 2048 bytes
	maxFile      = 255
	maxSocket    = 97 // HAProxy's limit: it binds to a longer temporary name first
	maxEntries   = 100
	day          = 86400
)

var (
	label      = `[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?`
	dnsName    = regexp.MustCompile(`^(` + label + `\.)*[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	routeHost  = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	hostHeader = regexp.MustCompile(`^(` + label + `\.)*` + label + `(:[1-9][0-9]{0,4})?$`)
	routeName  = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$`)
	userName   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)
	cookieName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
	file       = regexp.MustCompile(`^(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+$`)
	routePath  = regexp.MustCompile(`^(/|(/[A-Za-z0-9._~!$&()*+,;=:@%-]+)+)$`)
	healthPath = regexp.MustCompile(`^/[A-Za-z0-9._~!$&()*+,;=:@%/?-]*$`)
)

const pathCharacters = `letters, digits and ._~!$&()*+,;=:@%-`

// checked is c with the defaults filled in.
func (c Config) checked(p *check.Problems) Config {
	c.Address = cmp.Or(c.Address, "0.0.0.0")
	checkAddress(p, "address", c.Address)
	ports := map[int]string{}
	c.Listeners = slices.Clone(c.Listeners)
	if len(c.Listeners) == 0 {
		c.Listeners = make([]Listener, 1)
	}
	checkNumber(p, "listeners", len(c.Listeners))
	for i := range c.Listeners {
		c.Listeners[i].check(p.At("listeners[%d]", i), ports)
	}
	c.Health.check(p.At("health"), ports)
	if c.Statistics != nil {
		s := *c.Statistics
		s.check(p.At("statistics"), ports)
		c.Statistics = &s
	}
	p.Required("new", c.Old != nil || c.New != nil, "the name of an ALB: there must be an old or a new system")
	c.Old, c.New = c.Old.checked(p.At("old")), c.New.checked(p.At("new"))
	c.checkRoutes(p)
	if c.Cookie != "" {
		p.Match("cookie", c.Cookie, cookieName, "at most 32 letters, digits, _ and -")
	}
	c.Checks.check(p.At("checks"))
	c.Timeouts.check(p.At("timeouts"))
	c.Resolver.check(p.At("resolver"))
	c.Process.check(p.At("process"))
	return c
}

// between fills in the default of a number and checks it.
func between(p *check.Problems, path string, n *int, usual, lo, hi int) {
	*n = cmp.Or(*n, usual)
	p.Between(path, *n, lo, hi)
}

// port is between for a port that this machine listens on: each can be there once.
func port(p *check.Problems, n *int, usual int, taken map[int]string) {
	between(p, "port", n, usual, 1, 65535)
	if other := taken[*n]; other != "" {
		p.Addf("port", "is %d, the same as %s", *n, other)
		return
	}
	taken[*n] = p.Path("port")
}

func checkNumber(p *check.Problems, path string, n int) {
	if n > maxEntries {
		p.Addf(path, "has %d entries, must have at most %d", n, maxEntries)
	}
}

func checkAddress(p *check.Problems, path, s string) {
	if a, err := netip.ParseAddr(s); err != nil || a.Zone() != "" || a.Is4In6() {
		p.Addf(path, `is %q, must be an IP address, like "10.0.0.5" or "2001:db8::5"`, s)
	}
}

func checkNetworks(p *check.Problems, path string, networks []string) {
	checkNumber(p, path, len(networks))
	for i, s := range networks {
		n, err := netip.ParsePrefix(s)
		switch {
		case err != nil || n.Addr().Is4In6():
			p.Addf(fmt.Sprintf("%s[%d]", path, i), `is %q, must be a network in CIDR notation, like "10.0.0.0/16"`, s)
		case n != n.Masked():
			p.Addf(fmt.Sprintf("%s[%d]", path, i), "is %q, must be %q: that is the network of this address", s, n.Masked())
		}
	}
	p.Unique(path, networks)
}

func checkFile(p *check.Problems, path, name string) {
	p.Match(path, name, file, `an absolute path of letters, digits and ._+-, like "/etc/haproxy/site.pem"`)
	checkLength(p, path, name, maxFile)
}

func checkLength(p *check.Problems, path, s string, most int) {
	if len(s) > most {
		p.Addf(path, "is %d characters long, must be at most %d", len(s), most)
	}
}

func (l *Listener) check(p *check.Problems, taken map[int]string) {
	port(p, &l.Port, 8000, taken)
	if l.Certificate != "" {
		l.HTTPS = true
		checkFile(p, "certificate", l.Certificate)
	}
	public := 80
	if l.HTTPS {
		public = 443
	}
	between(p, "publicPort", &l.PublicPort, public, 1, 65535)
	if l.RedirectToHTTPS && l.HTTPS {
		p.Addf("redirectToHTTPS", "is true, must be left out with https: clients have come by it")
	}
	checkNetworks(p, "trustedSources", l.TrustedSources)
	checkNetworks(p, "proxyProtocolSources", l.ProxyProtocolSources)
}

func (h *Health) check(p *check.Problems, taken map[int]string) {
	port(p, &h.Port, 8002, taken)
	h.Path = cmp.Or(h.Path, "/healthz")
	checkPath(p, "path", h.Path, healthPath, pathCharacters+"/?")
}

func checkPath(p *check.Problems, path, got string, want *regexp.Regexp, characters string) {
	p.Match(path, got, want, `a path that begins with "/", of `+characters)
	checkLength(p, path, got, maxPath)
}

func (s *Statistics) check(p *check.Problems, taken map[int]string) {
	port(p, &s.Port, 8001, taken)
	s.User = cmp.Or(s.User, "admin")
	p.Match("user", s.User, userName, "at most 32 letters, digits and ._-")
	p.Required("sources", len(s.Sources) > 0, `"10.0.0.0/16": the networks that reach the page`)
	checkNetworks(p, "sources", s.Sources)
	for i, source := range s.Sources {
		if n, err := netip.ParsePrefix(source); err == nil && n.Bits() == 0 {
			p.Addf(fmt.Sprintf("sources[%d]", i), "is %q, must not be the whole internet: whoever has the password can take servers out", source)
		}
	}
}

// checked is a copy of s with the defaults filled in; nil stays nil.
func (s *System) checked(p *check.Problems) *System {
	if s == nil {
		return nil
	}
	out := *s
	switch {
	case len(s.Addresses) > 0 && s.Name != "":
		p.Addf("name", "is %q, must be left out with addresses", s.Name)
	case s.Name != "":
		p.Match("name", s.Name, dnsName, `a DNS name, like "door-1234.us-west-2.elb.amazonaws.com"; IP addresses belong in addresses`)
		checkLength(p, "name", s.Name, maxName)
		between(p, "slots", &out.Slots, 8, 1, 32)
	default:
		p.Required("addresses", len(s.Addresses) > 0, `"10.0.0.5", or a name`)
	}
	if s.Slots != 0 && s.Name == "" {
		p.Addf("slots", "is %d, must be left out without name", s.Slots)
	}
	for i, a := range s.Addresses {
		checkAddress(p, fmt.Sprintf("addresses[%d]", i), a)
	}
	p.Unique("addresses", s.Addresses)
	if n := len(s.Addresses); n > maxAddresses {
		p.Addf("addresses", "has %d entries, must have at most %d", n, maxAddresses)
	}
	usual := 80
	if s.TLS {
		usual = 443
	}
	between(p, "port", &out.Port, usual, 1, 65535)
	if s.Host != "" {
		p.Match("host", s.Host, hostHeader, `a name or an IPv4 address, with a port if need be, like "www.example.com" or "www.example.com:8080"`)
		checkLength(p, "host", s.Host, maxName)
	}
	p.Required("host", s.Host != "" || !s.TLS, `"www.example.com": with tls the certificate must be for it`)
	if s.CAFile != "" {
		checkFile(p, "caFile", s.CAFile)
		if !s.TLS {
			p.Addf("caFile", "is %q, must be left out without tls", s.CAFile)
		}
	}
	out.HealthMethod = cmp.Or(s.HealthMethod, "HEAD")
	p.OneOf("healthMethod", out.HealthMethod, "HEAD", "GET")
	out.HealthPath = cmp.Or(s.HealthPath, "/")
	checkPath(p, "healthPath", out.HealthPath, healthPath, pathCharacters+"/?")
	return &out
}

func (c *Checks) check(p *check.Problems) {
	between(p, "intervalSeconds", &c.IntervalSeconds, 2, 1, 300)
	between(p, "fall", &c.Fall, 3, 1, 20)
	between(p, "rise", &c.Rise, 2, 1, 20)
}

func (t *Timeouts) check(p *check.Problems) {
	between(p, "connect", &t.Connect, 5, 1, day)
	between(p, "client", &t.Client, 50, 1, day)
	between(p, "server", &t.Server, 50, 1, day)
	between(p, "httpRequest", &t.HTTPRequest, 10, 1, day)
	between(p, "httpKeepAlive", &t.HTTPKeepAlive, 65, 1, day)
	between(p, "queue", &t.Queue, 5, 1, day)
	between(p, "check", &t.Check, 2, 1, day)
	between(p, "tunnel", &t.Tunnel, 3600, 1, day)
}

func (r *Resolver) check(p *check.Problems) {
	for i, s := range r.Nameservers {
		a, err := netip.ParseAddrPort(s)
		if err != nil || a.Port() == 0 || a.Addr().Zone() != "" || a.Addr().Is4In6() {
			p.Addf(fmt.Sprintf("nameservers[%d]", i), `is %q, must be an address with a port, like "10.0.0.2:53" or "[2001:db8::2]:53"`, s)
		}
	}
	p.Unique("nameservers", r.Nameservers)
	if n := len(r.Nameservers); n > 8 {
		p.Addf("nameservers", "has %d entries, must have at most 8", n)
	}
	between(p, "everySeconds", &r.EverySeconds, 5, 1, 300)
	between(p, "keepSeconds", &r.KeepSeconds, 30, 1, 3600)
}

func (s *Process) check(p *check.Problems) {
	s.Socket = cmp.Or(s.Socket, "/run/haproxy/admin.sock")
	p.Match("socket", s.Socket, file, `an absolute path of letters, digits and ._+-, like "/run/haproxy/admin.sock"`)
	checkLength(p, "socket", s.Socket, maxSocket)
	between(p, "maxConnections", &s.MaxConnections, 10000, 100, 1000000)
	between(p, "hardStopSeconds", &s.HardStopSeconds, 300, 1, day)
}
