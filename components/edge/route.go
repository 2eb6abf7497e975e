package edge

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Route sends the requests for some hosts and paths to one node port of every node, or answers them itself (Redirect,
// FixedResponse). Without hosts it takes every host, without paths every path, without any condition every request that no other
// route takes. Of each list one entry must match: of the hosts one, of the paths one, and so on; five entries of all lists
// together at most, with five wildcards, which is AWS's limit for one rule: more go into a second route with SameTargetAs
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html).
type Route struct {
	// Name of the route: lower-case letters, digits and hyphens. With the component's name at most 23 characters, because AWS
	// allows 32 for a target group's. Required. A new name means a new target group, unless FormerName says that it is the old one. With
	// the same NodePort or Priority FormerName is needed: AWS holds one opening of a port and one rule of a number, and the new ones are
	// made before the old ones go.
	Name string `pulumi:"name"`
	// FormerName keeps what the route had under another name. Default none. Leave it for as long as a stack may hold the old name.
	FormerName string `pulumi:"formerName,optional"`
	// Hosts are the names asked for: lower case, * for any text, ? for one character, at most 128 characters. Each must be among the
	// door's names, or else no certificate holds for it. Default any.
	Hosts []string `pulumi:"hosts,optional"`
	// Paths are patterns for the path, without the query: * for any text (with slashes), ? for one character, upper and lower case
	// differ, at most 128 characters. "/api" matches that path alone, "/api/*" what is below it. Default any.
	Paths []string `pulumi:"paths,optional"`
	// Headers that a request must have, all of them. Default none.
	Headers []Header `pulumi:"headers,optional"`
	// Methods of requests, in upper case: "GET". Default any.
	Methods []string `pulumi:"methods,optional"`
	// SourceCidrs are the ranges of addresses that the client's connection comes from, IPv4 or IPv6; behind a content delivery network
	// that is the network's own. Default any.
	SourceCidrs []string `pulumi:"sourceCidrs,optional"`
	// Redirect sends the client elsewhere, instead of a target. Default nil: no.
	Redirect *Redirect `pulumi:"redirect,optional"`
	// FixedResponse answers at the load balancer itself, instead of a target. Default nil: no.
	FixedResponse *FixedResponse `pulumi:"fixedResponse,optional"`
	// Priority decides between two routes that match one request: the lower number wins, 1 to 50000. Default: the more specific
	// route wins, hosts before paths: an exact host before a wildcard, a longer wildcard before a shorter one, a wildcard before any
	// host; then the same for paths; then one with headers, methods or sourceCidrs before one without, in the order of the Gateway
	// API (https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule). The number is then a function of the route's own name and
	// conditions, from 1001 to 49000, so
	// that no other route can change it. 1 to 1000 are free for what comes first, 49001 to 50000 for what comes last. It is an error if
	// specificity does not decide, if two names land on the same number, and if a number lets another route take every request first.
	// A number that goes from one route to another in one change is refused by AWS with PriorityInUse, since one is set before the other is
	// given up: do it in two changes, by way of a number that is free.
	Priority int `pulumi:"priority,optional"`
	// NodePort is the port of the app's Service on every node, 30000 to 32767. Required for target.Instance, unless SameTargetAs,
	// Redirect or FixedResponse is set; not used for pods. A change makes a new target group and moves the rule there; requests may be
	// answered 503 until the first health check has passed. A port that goes from one route to another in one change is refused by AWS with
	// InvalidPermission.Duplicate, since an opening is made before the old one is deleted: do it in two changes.
	NodePort pulumi.IntInput `pulumi:"nodePort,optional"`
	// Service is the app's Service. Required for pods, in the same way; not used for target.Instance.
	Service *Service `pulumi:"service,optional"`
	// SameTargetAs is the name of another route, whose target group takes these requests too. Default none. Two routes cannot have the
	// same port each on its own: AWS holds one opening of a port in a security group.
	SameTargetAs string `pulumi:"sameTargetAs,optional"`
	// HealthCheckPath is asked on every node with GET and without the host's name (an app that checks the Host header must let it
	// pass); default "/". At most 1024 characters.
	HealthCheckPath string `pulumi:"healthCheckPath,optional"`
	// HealthCheckCodes are the answers of a healthy app, of 200 to 499: "200", "200,204" or "200-399". Default "200-399", as for the
	// http probes of Kubernetes.
	HealthCheckCodes string `pulumi:"healthCheckCodes,optional"`
	// HealthCheckIntervalSeconds is the time from one check of a node to the next, 5 to 300. Default 10, or less if DrainSeconds is
	// below 25. Two failures take a node out, one success brings a new node in. Noticing must not take longer than DrainSeconds: the
	// apps serve on for that long after they say that they end.
	HealthCheckIntervalSeconds int `pulumi:"healthCheckIntervalSeconds,optional"`
	// StickySeconds keeps a client at the node that it first came to, by a cookie that lives so long: 1 to 604800. Default 0: every
	// request goes to the next one in turn. A node that drains gets a client's requests no more. Not while a migration shares the
	// requests that come to this target.
	StickySeconds int `pulumi:"stickySeconds,optional"`
	// StickyCookie is the app's own cookie by which StickySeconds keeps a client. Default: one of the load balancer's.
	StickyCookie string `pulumi:"stickyCookie,optional"`
	// SlowStartSeconds gives a new node its full share only after so long, 30 to 900. Default 0: at once.
	SlowStartSeconds int `pulumi:"slowStartSeconds,optional"`
	// SameZoneOnly sends requests only to nodes in the zone that they came into: no costs between zones, and no share of the load for a
	// zone without clients. Each zone needs nodes of its own then. Default false: all nodes get the same share. Not with StickySeconds.
	SameZoneOnly bool `pulumi:"sameZoneOnly,optional"`
}

const (
	lowestNodePort  = 30000
	highestNodePort = 32767
	// unhealthyChecks and healthyChecks in a row decide; both are the lowest that AWS takes.
	unhealthyChecks  = 2
	healthyChecks    = 2
	shortestInterval = 5
	usualInterval    = 10
)

// checkTimeout is how long a health check that runs every interval seconds waits; AWS wants it shorter than the interval.
func checkTimeout(interval int) int { return min(5, interval-1) }

// noticed is how long the load balancer may take to see that a node does not answer.
func noticed(interval int) int { return unhealthyChecks*interval + checkTimeout(interval) }

// longestInterval is the longest with which a node that does not answer is noticed within drain seconds.
func longestInterval(drain int) int {
	i := shortestInterval
	for i < 300 && noticed(i+1) <= drain {
		i++
	}
	return i
}

// port is the route's node port, or an error for a port that no Service can have.
func (r Route) port(path string) pulumi.IntOutput {
	return r.NodePort.ToIntOutput().ApplyT(func(port int) (int, error) {
		if problem := badPort(port); problem != "" {
			return 0, fmt.Errorf("%s.nodePort %s", path, problem)
		}
		return port, nil
	}).(pulumi.IntOutput)
}

func badPort(port int) string {
	if port >= lowestNodePort && port <= highestNodePort {
		return ""
	}
	return fmt.Sprintf("is %d, must be %d to %d: the port that Kubernetes gave to a Service of type NodePort", port, lowestNodePort, highestNodePort)
}

// alias is the name of a part of the route under the route's former name.
func (r Route) alias(name, suffix string) pulumi.ResourceOption {
	if r.FormerName == "" {
		return pulumi.Aliases(nil)
	}
	return pulumi.Aliases([]pulumi.Alias{{Name: pulumi.String(name + "-" + r.FormerName + suffix)}})
}
