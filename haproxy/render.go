package haproxy

import (
	"net/netip"

	"github.com/slipway-iac/slipway/internal/check"
)

// Check adds every problem with c to p, for a component that has c as one of its arguments.
func (c Config) Check(p *check.Problems) {
	c.checked(p)
}

// Render is haproxy.cfg, or every problem with c at once.
func (c Config) Render() (string, error) {
	p := &check.Problems{}
	c = c.checked(p)
	if err := p.Err("file", "haproxy.cfg"); err != nil {
		return "", err
	}
	f := &cfg{}
	f.WriteString("# Rendered by Slipway. The next rendering overwrites what is changed here.\n")
	c.global(f)
	c.defaults(f)
	c.resolvers(f)
	c.door(f)
	for _, s := range c.sides() {
		c.backend(f, s)
	}
	c.shares(f)
	c.health(f)
	c.statistics(f)
	return f.String(), f.err
}

func (c Config) global(f *cfg) {
	f.section("global")
	if c.Process.Syslog {
		f.line("log /dev/log daemon")
	} else {
		f.line("log stdout format raw daemon")
	}
	f.line("maxconn %d", c.Process.MaxConnections)
	f.line("hard-stop-after %ds", c.Process.HardStopSeconds)
	// A master process hands its listening sockets to the next worker anyway; expose-fd does it for a reload without one (-x).
	f.line("stats socket %s mode 600 level admin expose-fd listeners", c.Process.Socket)
	f.line("stats timeout 30s")
	if !c.Process.KeepUser {
		f.line("user haproxy")
		f.line("group haproxy")
	}
	if c.Statistics != nil {
		// A warning only: a lost password must not stop the traffic.
		f.line(".if !defined(" + PasswordVariable + ")")
		f.line(`  .warning "` + PasswordVariable + ` is not set: the statistics page is refused to everyone"`)
		f.line(".endif")
	}
}

func (c Config) defaults(f *cfg) {
	f.section("defaults")
	f.line("mode http")
	f.line("log global")
	f.line("option httplog")
	f.line("option dontlognull")
	// Without it a reload closes idle connections at once, and an ALB in front answers 502 for what it has just sent on one
	// (configuration manual, option idle-close-on-response).
	f.line("option idle-close-on-response")
	f.line("option redispatch")
	f.line("retries 3")
	// A server may close an idle connection while a request is on its way; door keeps this to methods that can be repeated.
	f.line("retry-on conn-failure empty-response")
	t := c.Timeouts
	f.line("timeout connect %ds", t.Connect)
	f.line("timeout client %ds", t.Client)
	f.line("timeout server %ds", t.Server)
	f.line("timeout http-request %ds", t.HTTPRequest)
	f.line("timeout http-keep-alive %ds", t.HTTPKeepAlive)
	f.line("timeout queue %ds", t.Queue)
	f.line("timeout check %ds", t.Check)
	f.line("timeout tunnel %ds", t.Tunnel)
}

func (c Config) resolvers(f *cfg) {
	f.section("resolvers names")
	if len(c.Resolver.Nameservers) == 0 {
		f.line("parse-resolv-conf")
	}
	for i, s := range c.Resolver.Nameservers {
		f.line("nameserver dns%d %s", i+1, s)
	}
	f.line("accepted_payload_size 8192")
	f.line("resolve_retries 3")
	f.line("timeout resolve %ds", c.Resolver.EverySeconds)
	f.line("timeout retry 1s")
	f.line("hold valid 10s")
	f.line("hold obsolete %ds", c.Resolver.KeepSeconds)
	for _, failure := range []string{"nx", "refused", "timeout", "other"} {
		f.line("hold %s 30s", failure)
	}
}

// bind is a line for a port that this machine listens on; options are what comes after the address.
func (c Config) bind(f *cfg, port int, options string, values ...any) {
	a := netip.MustParseAddr(c.Address)
	if a == netip.IPv6Unspecified() {
		options += " v4v6"
	}
	f.line("bind %s"+options, append([]any{netip.AddrPortFrom(a, uint16(port)).String()}, values...)...)
}

// shares are the counters by which new sessions are dealt out, and the switch of this instance.
func (c Config) shares(f *cfg) {
	f.section("backend shares")
	f.line("stick-table type string len 33 size %d store gpc0", maxRoutes)
	f.section("backend instance")
	f.line("description %s", "drain or maint of this server drains the whole instance")
	f.line("server accepting 127.0.0.1:1%s", disabled(c.Health.Draining))
}

func (c Config) health(f *cfg) {
	f.section("frontend health")
	c.bind(f, c.Health.Port, "")
	f.line("monitor-uri %s", c.Health.Path)
	if !c.Health.Alone {
		for _, s := range c.sides() {
			if s.share > 0 {
				f.line("acl served nbsrv(%s) gt 0", s.backend())
			}
		}
		f.line("monitor fail unless served")
	}
	f.line("monitor fail if { nbsrv(instance) lt 1 }")
	f.line("http-request deny deny_status 404")
}

func (c Config) statistics(f *cfg) {
	s := c.Statistics
	if s == nil {
		return
	}
	f.section("userlist operators")
	// In double quotes HAProxy puts the variable in, and reads nothing in it.
	f.line(`user %s insecure-password "${`+PasswordVariable+`}"`, s.User)
	f.section("frontend statistics")
	c.bind(f, s.Port, "")
	for _, n := range s.Sources {
		f.line("acl near src %s", n)
	}
	f.line("http-request deny unless near")
	// Without the variable the password is empty, and an empty one is as good as any.
	f.line("http-request deny if { env(" + PasswordVariable + "),length lt 12 }")
	f.line("http-request auth realm statistics unless { http_auth(operators) }")
	// A browser that knows the password sends it with the form of any page.
	f.line("http-request set-var(txn.host) req.hdr(host)")
	f.line("http-request deny if METH_POST { req.hdr(origin) -m found } !{ req.hdr(origin),regsub(^https?://,),strcmp(txn.host) eq 0 }")
	f.line("stats enable")
	f.line("stats hide-version")
	f.line("stats uri /")
	f.line("stats admin if TRUE")
}

func disabled(is bool) fixed {
	if is {
		return " disabled"
	}
	return ""
}
