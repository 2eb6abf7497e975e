package aws

import (
	"time"

	"github.com/slipway-iac/slipway/sandbox/healthcheck"
)

// LoadBalancer is an application load balancer of the account, as whoever plays it has to see it.
type LoadBalancer struct {
	ARN, Name string
	// DNSName is the one that AWS gave, in lower case.
	DNSName string
	// Names are those of Route 53 that lead here, sorted; one may begin with "*.".
	Names []string
	// IdleTimeout is how long a connection may be silent.
	IdleTimeout time.Duration
	// HTTP2 offers it to clients.
	HTTP2 bool
	// DropInvalidHeaders takes header fields off whose name is more than letters, digits and hyphens.
	DropInvalidHeaders bool
	// PreserveHost hands the Host header on as it came; else its port is taken off.
	PreserveHost bool
	// ForwardedFor is what becomes of X-Forwarded-For: append, preserve or remove.
	ForwardedFor string
	// ClientPort adds the client's port to X-Forwarded-For.
	ClientPort bool
	Listeners  []Listener
}

// Listener takes requests at one port of a load balancer.
type Listener struct {
	ARN, Protocol, TLSPolicy string
	Port                     int
	// ClientCertificates is how clients prove who they are: off, passthrough or verify.
	ClientCertificates string
	// Certificates are the listener's, the default one first.
	Certificates []Certificate
	// Rules in the order in which they are tried; the last is the default one, which has no conditions.
	Rules []Rule
}

// Certificate is one of ACM.
type Certificate struct {
	ARN string
	// Names that it is for; one may begin with "*.". Empty for one that was imported and cannot be read.
	Names []string
}

// Rule says what is done with requests that meet all its conditions.
type Rule struct {
	ARN string
	// Name is that of the stack's resource; "" where no stack made it.
	Name string
	// Priority is 0 for the default rule.
	Priority   int
	Conditions []Condition
	Actions    []Action
}

// Condition is met if one of its values is.
type Condition struct {
	// Kind is hostHeader, pathPattern, httpHeader, httpRequestMethod, sourceIp or queryStrings.
	Kind string
	// Header is the header's name for httpHeader.
	Header string
	Values []string
	// Queries are the values of queryStrings.
	Queries []Query
}

// Query is a parameter in a query string; any key where Key is "".
type Query struct{ Key, Value string }

// Action of a rule.
type Action struct {
	// Kind is forward, redirect, fixed-response, authenticate-cognito or authenticate-oidc.
	Kind     string
	Forward  []Share
	Redirect Redirect
	Fixed    FixedResponse
	// StickyFor is how long a client stays with its target group; 0 where it does not.
	StickyFor time.Duration
}

// Share is the part of the requests that a target group gets: Weight of the sum of all weights.
type Share struct {
	Group  string // ARN
	Weight int
}

// Redirect has placeholders such as #{host} in it.
type Redirect struct {
	Protocol, Host, Port, Path, Query string
	// Status is 301 or 302.
	Status int
}

// FixedResponse is answered by the load balancer itself.
type FixedResponse struct {
	Status            int
	ContentType, Body string
}

// TargetGroup is where requests go.
type TargetGroup struct {
	ARN, Name string
	// Type is instance, ip, lambda or alb.
	Type string
	// Protocol is HTTP or HTTPS, Version HTTP1, HTTP2 or GRPC.
	Protocol, Version string
	Port              int
	// Deregistration is how long a target that was taken out keeps the requests that it has.
	Deregistration time.Duration
	// Algorithm is round_robin, least_outstanding_requests or weighted_random.
	Algorithm string
	Check     HealthCheck
	Sticky    Stickiness
	// MinHealthy and MinHealthyPercent are the fewest healthy targets with which only those get requests; 0 for no such bound.
	MinHealthy, MinHealthyPercent int
	// ScalingGroups are those whose instances are targets.
	ScalingGroups []ScalingGroup
	// Targets are those that were registered one by one.
	Targets []Target
}

// HealthCheck is how a target is found to be healthy.
type HealthCheck = healthcheck.Settings

// Stickiness keeps a client with its target.
type Stickiness struct {
	// Cookie is lb_cookie or app_cookie; "" where clients do not stick.
	Cookie string
	// AppCookie is the application's cookie for app_cookie.
	AppCookie string
	For       time.Duration
}

// ScalingGroup is an auto scaling group.
type ScalingGroup struct {
	Name string
	// NodeGroup is the EKS node group that it belongs to; "" where it belongs to none.
	NodeGroup string
	Desired   int
}

// Target is one that was registered by itself.
type Target struct {
	// ID is an address, or the id of an instance or of a function.
	ID   string
	Port int
}
