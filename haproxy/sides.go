package haproxy

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
)

// side is one end of a route.
type side struct {
	route  string
	name   string // old or new
	system System
	state  State
	// share and all: of all new sessions share come here, as long as both sides live.
	share, all int
}

// sides are old before new, route by route, without systems that there are not.
func (c Config) sides() []side {
	var out []side
	for _, r := range c.Routes {
		from, to := r.OldState.share(r.OldWeight), r.NewState.share(r.NewWeight)
		if c.Old != nil {
			out = append(out, side{r.Name, "old", *c.Old, r.OldState, from, from + to})
		}
		if c.New != nil {
			out = append(out, side{r.Name, "new", *c.New, r.NewState, to, from + to})
		}
	}
	return out
}

func (s side) backend() string { return s.route + "." + s.name }

// door is the frontend for clients.
func (c Config) door(f *cfg) {
	f.section("frontend door")
	for i, l := range c.Listeners {
		if l.Certificate == "" {
			c.bind(f, l.Port, " id %d", i+1)
		} else {
			c.bind(f, l.Port, " id %d ssl crt %s alpn h2,http/1.1 ssl-min-ver TLSv1.2", i+1, l.Certificate)
		}
	}
	for i, l := range c.Listeners {
		for _, n := range l.ProxyProtocolSources {
			f.line("tcp-request connection expect-proxy layer4 if { so_id %d } { src %s }", i+1, n)
		}
	}
	c.forwarded(f)
	f.line("http-request disable-l7-retry unless { method GET HEAD OPTIONS }")
	c.match(f)
	for _, s := range c.sides() {
		c.keepSession(f, s)
	}
	f.line("acl kept var(txn.kept) -m found")
	c.toHTTPS(f)
	f.line("http-request track-sc0 var(txn.route) table shares unless kept")
	for _, s := range c.sides() {
		c.newSession(f, s)
	}
	if !c.KeepShares {
		for _, r := range c.Routes {
			c.escape(f, r)
		}
	}
	f.line("http-request set-var(txn.side) var(txn.kept) if kept")
	for _, s := range c.sides() {
		f.line("use_backend %s if route.%s { var(txn.side) -m str %s }", s.backend(), s.route, s.name)
	}
}

// forwarded sets the headers that tell a server what its client spoke with.
func (c Config) forwarded(f *cfg) {
	// An ALB passes on what it does not set itself, and WSGI servers take _ for -.
	f.line(`http-request del-header '^(forwarded|x[-_]forwarded[-_]host|x_forwarded[-_].*|x-forwarded_.*)$' -m reg`)
	for i, l := range c.Listeners {
		for _, n := range l.TrustedSources {
			f.line("http-request set-var(txn.trusted) bool(true) if { so_id %d } { src %s }", i+1, n)
		}
	}
	for _, h := range []fixed{"For", "Proto", "Port"} {
		f.line("http-request del-header X-Forwarded-%s unless { var(txn.trusted) -m bool }", h)
	}
	f.line("option forwardfor")
	f.line("http-request set-header X-Forwarded-Host %%[req.hdr(host)] if { req.hdr(host) -m found }")
	for i, l := range c.Listeners {
		scheme := fixed("http")
		if l.HTTPS {
			scheme = "https"
		}
		f.line("http-request set-header X-Forwarded-Proto %s if { so_id %d } !{ req.hdr(x-forwarded-proto) -m found }", scheme, i+1)
		f.line("http-request set-header X-Forwarded-Port %d if { so_id %d } !{ req.hdr(x-forwarded-port) -m found }", l.PublicPort, i+1)
	}
}

// match finds the route of a request.
func (c Config) match(f *cfg) {
	f.line("acl routed var(txn.route) -m found")
	for _, r := range c.Routes {
		condition := ""
		for _, h := range r.Hosts {
			condition = " host." + r.Name
			if suffix, wild := strings.CutPrefix(h, "*"); wild {
				f.line("acl host.%s req.hdr(host),host_only,lower -m end %s", r.Name, suffix)
			} else {
				f.line("acl host.%s req.hdr(host),host_only,lower -m str %s", r.Name, h)
			}
		}
		under := ""
		for _, s := range r.Paths {
			under = " path." + r.Name
			if s != "/" {
				f.line("acl path.%s path -m str %s", r.Name, s)
			}
			f.line("acl path.%s path -m beg %s", r.Name, strings.TrimSuffix(s, "/")+"/")
		}
		f.line("http-request set-var(txn.route) str(%s) if !routed%s%s", r.Name, fixed(condition), fixed(under))
		f.line("acl route.%s var(txn.route) -m str %s", r.Name, r.Name)
	}
	f.line("http-request deny deny_status 404 unless routed")
}

// keepSession leaves a client on the side where it is.
func (c Config) keepSession(f *cfg, s side) {
	if c.Cookie == "" || s.state == Maint {
		return
	}
	if s.system.Name == "" {
		for i := range s.system.Addresses {
			server := fmt.Sprintf("%s%d", s.name, i+1)
			f.line("http-request set-var(txn.kept) str(%s) if route.%s { req.cook(%s) -m str %s } { srv_is_up(%s/%s) }",
				s.name, s.route, c.cookie(s), server, s.backend(), server)
		}
		return
	}
	for i := range s.system.Slots {
		f.line("acl up.%s srv_is_up(%s/%s%d)", s.backend(), s.backend(), s.name, i+1)
	}
	f.line("http-request set-var(txn.kept) str(%s) if route.%s { req.cook(%s) -m str %s } up.%s", s.name, s.route, c.cookie(s), s.name, s.backend())
}

func (c Config) cookie(s side) string { return c.Cookie + "-" + s.route }

// toHTTPS redirects plain HTTP where nothing but the new system would get it. A load balancer there sees the proxies' TLS, and would
// never redirect.
func (c Config) toHTTPS(f *cfg) {
	plain := false
	for i, l := range c.Listeners {
		if l.RedirectToHTTPS {
			f.line("acl plain so_id %d", i+1)
			plain = true
		}
	}
	if !plain {
		return
	}
	for _, r := range c.Routes {
		if c.Old != nil && r.OldState.share(r.OldWeight) > 0 {
			continue
		}
		code, unless := 302, fixed(" !{ var(txn.kept) -m str old }")
		if c.Old == nil || r.OldState == Maint {
			code, unless = 301, ""
		}
		// Not by scheme, which would keep the port of plain HTTP.
		f.line("http-request redirect location https://%%[req.hdr(host),host_only]%%[pathq] code %d if plain route.%s { req.hdr(host) -m found } !{ req.hdr(x-forwarded-proto) -i https }%s",
			code, r.Name, unless)
	}
}

// newSession gives s its share.
func (c Config) newSession(f *cfg, s side) {
	switch {
	case s.share == 0:
	case s.share == s.all:
		f.line("http-request set-var(txn.side) str(%s) if route.%s !kept", s.name, s.route)
	case s.name == "old": // and then new has its part of these
		f.line("http-request set-var(txn.side) str(old) if route.%s !kept", s.route)
	default:
		// For n = 1, 2, 3 … n × share mod all is below share for share of each all, evenly spread.
		f.line("http-request set-var(txn.side) str(new) if route.%s !kept { sc0_inc_gpc0(shares),mul(%d),mod(%d) lt %d }", s.route, s.share, s.all, s.share)
	}
}

// escape moves a new session from a side without a usable server to the other one, where both take a share.
func (c Config) escape(f *cfg, r Route) {
	if r.OldState.share(r.OldWeight) == 0 || r.NewState.share(r.NewWeight) == 0 {
		return
	}
	for _, way := range [][2]string{{"old", "new"}, {"new", "old"}} {
		f.line("http-request set-var(txn.side) str(%s) if route.%s { var(txn.side) -m str %s } { nbsrv(%s.%s) lt 1 } { nbsrv(%s.%s) gt 0 }",
			way[1], r.Name, way[0], r.Name, way[0], r.Name, way[1])
	}
}

func (c Config) backend(f *cfg, s side) {
	f.section("backend %s", s.backend())
	f.line("description %s", s.description())
	f.line("balance roundrobin")
	f.line("option httpchk")
	sys := s.system
	f.line("http-check send meth %s uri %s ver HTTP/1.1 hdr Host %s", sys.HealthMethod, sys.HealthPath, sys.checkHost())
	f.line("http-check expect status 200-399")
	if sys.Host != "" {
		f.line("http-request set-header Host %s", sys.Host)
	}
	c.servers(f, s)
}

func (s side) description() string {
	switch {
	case s.state == Maint:
		return s.name + " system: in maintenance"
	case s.share == 0:
		return s.name + " system: takes no new sessions"
	}
	return fmt.Sprintf("%s system: takes %d of %d new sessions", s.name, s.share, s.all)
}

func (c Config) servers(f *cfg, s side) {
	sys := s.system
	if c.Cookie != "" {
		secure := fixed(" secure")
		for _, l := range c.Listeners {
			if !l.HTTPS {
				secure = ""
			}
		}
		f.line("cookie %s insert indirect nocache httponly%s attr SameSite=Lax", c.cookie(s), secure)
	}
	f.line("default-server check inter %ds fall %d rise %d%s", c.Checks.IntervalSeconds, c.Checks.Fall, c.Checks.Rise, disabled(s.state == Maint))
	if sys.TLS {
		name, _, _ := strings.Cut(sys.Host, ":")
		f.line("default-server ssl verify required ca-file %s sni str(%s) check-sni %s", cmp.Or(sys.CAFile, "@system-ca"), name, name)
	}
	if sys.Name == "" {
		for i, a := range sys.Addresses {
			f.line("server %s%d %s%s", s.name, i+1, netip.AddrPortFrom(netip.MustParseAddr(a), uint16(sys.Port)).String(), c.serverCookie(fmt.Sprintf("%s%d", s.name, i+1)))
		}
		return
	}
	if c.Cookie != "" {
		// Else they would all go to the first address, as all have the same cookie. After a drain at run time, that one has to do.
		f.line("ignore-persist if { nbsrv gt 0 } { req.cook(%s) -m str %s }", c.cookie(s), s.name)
	}
	f.line("server-template %s 1-%d %s:%d%s resolvers names resolve-prefer ipv4 init-addr last,libc,none", s.name, sys.Slots, sys.Name, sys.Port, c.serverCookie(s.name))
}

func (c Config) serverCookie(value string) fixed {
	if c.Cookie == "" {
		return ""
	}
	return fixed(" cookie " + value)
}

// checkHost is the Host header of the checks.
func (s System) checkHost() string {
	if s.Host != "" || s.Name != "" {
		return cmp.Or(s.Host, s.Name)
	}
	return netip.AddrPortFrom(netip.MustParseAddr(s.Addresses[0]), uint16(s.Port)).String()
}
