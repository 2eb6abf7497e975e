// Package haproxy renders haproxy.cfg for HAProxy 2.6 (Debian 12) between an old system and the new one that takes over
// from it.
//
// Each route has a backend for each side, and the frontend decides which side a new session goes to. The plainer form, one
// backend with servers of both sides and HAProxy's own weights, cannot do what a migration needs:
//
//   - A Host header can be set for a backend, not for a server: http-request rules run before a server is chosen.
//     http-send-name-header Host is "not officially supported" (configuration manual, http-send-name-header), and
//     server-template makes up the names of its servers.
//   - A weight belongs to a server. A load balancer's DNS name has two addresses today and five tomorrow, and the share of
//     its side would grow with them.
//
// Two proxies in a row, the first with one server for each side, would do both, and handle every request twice.
//
// The choice is a weighted round robin as HAProxy's own: of each OldWeight+NewWeight new sessions of a route, exactly
// NewWeight go to the new system, evenly spread. A counter in a stick table is behind it, which all threads share; rand()
// would be off by a percent or two over thousands of requests. Each HAProxy and each reload counts from the start.
//
// Without a cookie every request is a session of its own.
//
// A side of which no server is up or ready gives its share to the other side, if that one takes a share too: a side with
// weight 0, in [Drain] or in [Maint] is never an escape, because it may not be ready for production at all. Requests that
// meet a dead server before its checks have found out are answered with 503 (see [Checks]).
//
// The file holds no secret. What is changed at run time, on the statistics page or on the runtime socket, lasts until
// the next reload: the file is what holds.
package haproxy

// PasswordVariable is the environment variable with the password of the statistics page. HAProxy reads it when it starts
// and not when it reloads, so that a new password needs a restart. Debian's unit takes it from /etc/default/haproxy, which
// must then be readable by root only.
const PasswordVariable = "SLIPWAY_STATS_PASSWORD"

// Commands for the runtime socket. They make the health port answer 503 and 200, so that the load balancer in front sends
// its new connections elsewhere before an instance is stopped. Clients that are connected are served all the time.
const (
	DrainInstance  = "set server instance/accepting state drain"
	ResumeInstance = "set server instance/accepting state ready"
)

// State is what a side of a route does.
type State string

const (
	// Ready takes its share of new sessions and keeps the sessions that it has. The default.
	Ready State = "ready"
	// Drain takes no new sessions, and keeps the sessions that it has. With weight 0, a side that is ready does the same.
	Drain State = "drain"
	// Maint is out: its sessions go to the other side, and it is not checked. Requests that it is answering are finished.
	Maint State = "maint"
)

// Config is everything that haproxy.cfg says.
type Config struct {
	// Address is the local IP address that all ports listen on. Default 0.0.0.0, every IPv4 address; "::" is every address
	// of both kinds.
	Address string
	// Listeners are the ports for clients. Default: one on port 8000, for plain HTTP.
	Listeners []Listener
	// Old is the system that is left. Nil once it is gone.
	Old *System
	// New is the system that takes over. Nil as long as there is none.
	New *System
	// Routes are asked in this order; the first that matches takes the request. At least one, at most 100. A request that
	// matches none is answered with 404.
	Routes []Route
	// Cookie keeps a client on its side, and on its server where the side has Addresses: the route's name is added, as in
	// "slipway-shop". Default: none, every request is a session of its own.
	Cookie string
	// KeepShares answers with 503 for a side of which no server is up. Default: its share goes to the other side.
	KeepShares bool
	Checks     Checks
	Timeouts   Timeouts
	Resolver   Resolver
	Health     Health
	// Statistics is the statistics page. Default: none.
	Statistics *Statistics
	Process    Process
}

// Listener is one port for clients. What it is told by X-Forwarded-For, -Proto and -Port is kept from trusted sources only;
// the servers always get all three, and X-Forwarded-Host with the name that the client asked for.
type Listener struct {
	// Port, 1 to 65535, each once in the file. Default 8000.
	Port int
	// HTTPS tells that clients speak TLS, which ends in front of this port. With Certificate it is always so.
	HTTPS bool
	// PublicPort is the port that clients connected to, for X-Forwarded-Port. Default 443 with HTTPS, else 80.
	PublicPort int
	// Certificate is the absolute path of a PEM file with key and certificates, with which TLS ends here. Default: none.
	Certificate string
	// RedirectToHTTPS sends clients to https on port 443, with host, path and query as they are, once the old system takes no new
	// sessions of their route: with 301 where it is in [Maint] or there is none, else with 302, since browsers remember a 301 and the old
	// system may have to take over again. Sessions that Cookie keeps on the old system are not redirected, nor what came by https as a
	// trusted source says. Not with HTTPS. Default false: the systems get plain HTTP as it comes.
	RedirectToHTTPS bool
	// TrustedSources are the networks of load balancers in front that set X-Forwarded-*, such as an ALB, in CIDR
	// notation. Default: none.
	TrustedSources []string
	// ProxyProtocolSources are the networks of load balancers in front that send the PROXY protocol, such as an NLB, in CIDR
	// notation: from there every connection must begin with it. TrustedSources are compared after it. Default: none.
	ProxyProtocolSources []string
}

// System is a side: where the requests go.
type System struct {
	// Addresses are the IP addresses of its servers, at most 64. This or Name.
	Addresses []string
	// Name is a DNS name that is resolved again at run time, such as that of an ALB. This or Addresses. With Config.Cookie,
	// its addresses count as one server: behind a name there is a load balancer.
	Name string
	// Slots is how many addresses of Name are used at a time, 1 to 32. Default 8, as many as AWS returns.
	Slots int
	// Port of its servers. Default 80, with TLS 443.
	Port int
	// Host is the Host header that it expects, a name or an address, with its port if that is part of it. Default: what the
	// client sent. The checks send it too; without it they send Name or the server's first address.
	Host string
	// TLS speaks TLS to its servers. Their certificate must be for Host, which is then required.
	TLS bool
	// CAFile is the absolute path of a PEM file with the authorities that TLS trusts. Default: those of the machine.
	CAFile string
	// HealthMethod is how the checks ask, HEAD or GET. Default HEAD.
	HealthMethod string
	// HealthPath is what the checks ask for; 200 to 399 is healthy. Default "/".
	HealthPath string
}

// Route is a part of the requests, and its stage of the migration.
type Route struct {
	// Name of the route, at most 32 lower-case letters, digits and hyphens. Its backends are NAME.old and NAME.new.
	Name string
	// Hosts are names, or "*.example.com" for every name below. Ports and upper case in requests do not matter. Default: all.
	Hosts []string
	// Paths are beginnings of paths, by whole segments: "/api" takes /api and /api/x, not /apix. Default: all.
	Paths []string
	// OldWeight and NewWeight are the shares of new sessions, 0 to 100 each. They need not add up to 100. The share of a
	// side that is not Ready is 0, and one side at least must take a share.
	OldWeight, NewWeight int
	// OldState and NewState default to Ready.
	OldState, NewState State
}

// Checks is how the servers are watched. A server that stops answering is out after IntervalSeconds × Fall, and
// Timeouts.Check for each check that it leaves unanswered.
type Checks struct {
	// IntervalSeconds between two checks of a server, 1 to 300. Default 2.
	IntervalSeconds int
	// Fall is how many checks in a row must fail, 1 to 20. Default 3.
	Fall int
	// Rise is how many checks in a row must succeed until the server is used again, 1 to 20. Default 2.
	Rise int
}

// Timeouts are in seconds, 1 to 86400.
type Timeouts struct {
	// Connect to a server. Default 5.
	Connect int
	// Client sends nothing. Default 50.
	Client int
	// Server sends nothing: the slowest answer. Default 50.
	Server int
	// HTTPRequest is for the whole head of a request. Default 10.
	HTTPRequest int
	// HTTPKeepAlive is how long a client's connection waits for the next request. Default 65: an ALB in front keeps
	// connections for 60, and answers 502 if the other end closes one first.
	HTTPKeepAlive int
	// Queue is the wait for a free connection to a server. Default 5.
	Queue int
	// Check is the answer to a check. Default 2.
	Check int
	// Tunnel is a websocket on which nothing is sent. Default 3600.
	Tunnel int
}

// Resolver is how the names of systems are resolved at run time. When HAProxy starts, it asks the machine's resolver once.
type Resolver struct {
	// Nameservers are addresses with ports, such as "10.0.0.2:53", at most 8. Default: those of /etc/resolv.conf.
	Nameservers []string
	// EverySeconds is how often a name is asked for, 1 to 300. Default 5.
	EverySeconds int
	// KeepSeconds is how long an address is used that is in the answers no more, 1 to 3600. Default 30: a name with more
	// addresses than an answer holds shows others each time.
	KeepSeconds int
}

// Health is the port that a load balancer in front asks. It fails while no side that takes new sessions has a usable server, unless
// Alone.
type Health struct {
	// Port. Default 8002.
	Port int
	// Path. Default "/healthz".
	Path string
	// Alone tells of this instance and not of the systems behind it. For an auto scaling group that replaces what its load balancer
	// finds dead: it would replace every instance, again and again, while a system is down. Default false.
	Alone bool
	// Draining makes it fail from the start; DrainInstance does the same at run time.
	Draining bool
}

// Statistics is HAProxy's statistics page, on which servers can be set to ready, drain and maint. It is plain HTTP: reach
// it through a private network.
type Statistics struct {
	// Port. Default 8001.
	Port int
	// User whose name and password the page asks for. Default "admin". The password is in PasswordVariable; if that has fewer
	// than 12 characters the page is refused to everyone, and everything else works.
	User string
	// Sources are the networks in CIDR notation that reach the page; others get 403. At least one, and not the whole
	// internet.
	Sources []string
}

// Process is how HAProxy itself runs. The defaults are for Debian's systemd unit.
type Process struct {
	// Socket is the absolute path of the runtime socket, at most 97 characters. Whoever can open it can do everything.
	// Default "/run/haproxy/admin.sock".
	Socket string
	// MaxConnections at once from clients, 100 to 1000000. Default 10000.
	MaxConnections int
	// HardStopSeconds is how long requests may last that began before a reload or stop, 1 to 86400. Default 300.
	HardStopSeconds int
	// Syslog logs to /dev/log. Default: to standard output, which systemd's journal keeps.
	Syslog bool
	// KeepUser runs as the user who starts it. Default: Debian's user haproxy, for which it must be started as root.
	KeepUser bool
}
