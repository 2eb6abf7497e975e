package edge

import (
	"cmp"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// AWS's limits for the rules of a load balancer: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html.
const (
	maxRoutes     = 100
	maxTargets    = 100
	maxConditions = 5
	maxWildcards  = 5
	maxPattern    = 128
	maxPriority   = 50000
	maxPath       = 1024
)

var (
	hostPattern = regexp.MustCompile(`^[a-z0-9.*?-]*\.[a-z]+$`)
	pathPattern = regexp.MustCompile(`^[/*][A-Za-z0-9_.$/~"'@:+&*?-]*$`)
	urlPath     = regexp.MustCompile(`^/[\x21-\x7e]*$`)
	cookieName  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,127}$")
)

// checkRoutes is the routes with their defaults filled in.
func (args *HttpsLoadBalancerArgs) checkRoutes(p *check.Problems, name string) []Route {
	p.Required("routes", len(args.Routes) > 0, `one route without hosts and paths, which takes everything`)
	args.checkNumber(p)
	sound := true
	out := slices.Clone(args.Routes)
	names := make([]string, len(out))
	for i := range out {
		at := p.At("routes[%d]", i)
		names[i] = out[i].Name
		before := p.Len()
		out[i].checkName(at, name)
		out[i].checkConditions(at, args.names())
		out[i].checkFurther(at)
		if out[i].Priority != 0 {
			at.Between("priority", out[i].Priority, 1, maxPriority)
		}
		sound = sound && p.Len() == before
		out[i] = out[i].checkTarget(at, args)
	}
	for i, n := range names {
		if j := slices.Index(names, n); j < i && n != "" {
			p.Addf(fmt.Sprintf("routes[%d].name", i), "is %q, the same as routes[%d].name", n, j)
			sound = false
		}
		if former := out[i].FormerName; former != "" && slices.Contains(names, former) {
			p.Addf(fmt.Sprintf("routes[%d].formerName", i), "is %q, must not be the name of a route that there is", former)
		}
	}
	if !args.TargetType.Pods() {
		args.checkPorts(p)
	}
	// Routes that cannot be read would be said to contest each other.
	if sound {
		checkOrder(p, out)
	}
	return out
}

// checkNumber refuses more rules, or more target groups, than a load balancer has.
func (args *HttpsLoadBalancerArgs) checkNumber(p *check.Problems) {
	most, why := maxRoutes, "AWS's limit of rules for a load balancer"
	if args.Maintenance != nil {
		most, why = maxRoutes-1, why+", and maintenance is one"
	}
	if n := len(args.Routes); n > most {
		p.Addf("routes", "has %d entries, must have at most %d: %s", n, most, why)
		return
	}
	targets := 0
	for _, r := range args.Routes {
		if r.SameTargetAs == "" && !r.answers() {
			targets++
		}
	}
	if m := args.Migration; m != nil && targets >= maxTargets && slices.ContainsFunc(args.weighed(), func(r string) bool { return sharedOut(*m, r) }) {
		p.Addf("routes", "has %d with a target of their own, must have at most %d with a migration: AWS's limit of target groups for a load balancer is %d, and the old system is one", targets, maxTargets-1, maxTargets)
	}
}

func (r Route) checkName(p *check.Problems, component string) {
	p.Required("name", r.Name != "", `"frontend"`)
	if r.Name == "" {
		return
	}
	p.Match("name", r.Name, routeName, "lower-case letters and digits, with hyphens between them")
	if r.FormerName != "" {
		p.Match("formerName", r.FormerName, routeName, "lower-case letters and digits, with hyphens between them")
	}
	if n := len(component) + 1 + len(r.Name) + randomSuffix; n > maxName {
		p.Addf("name", "is %q, must be at most %d characters: the target group's name is %q with %d more characters, which makes %d, and AWS takes %d",
			r.Name, max(maxName-randomSuffix-1-len(component), 0), component+"-"+r.Name, randomSuffix, n, maxName)
	}
}

func (r Route) checkConditions(p *check.Problems, names []string) {
	for i, h := range r.Hosts {
		path := fmt.Sprintf("hosts[%d]", i)
		switch {
		case !hostPattern.MatchString(h):
			p.Addf(path, "is %q, must be a name in lower case with at least one dot and letters after the last one, like %q or %q", h, "app.example.com", "*.example.com")
		case len(h) > maxPattern:
			p.Addf(path, "is %d characters long, must be at most %d", len(h), maxPattern)
		case !slices.ContainsFunc(names, func(n string) bool { return covers(n, h) }):
			p.Addf(path, "is %q, must be one of the names of the load balancer (%s): browsers refuse a certificate for another name; add it to alternativeNames", h, strings.Join(names, ", "))
		}
	}
	p.Unique("hosts", r.Hosts)
	for i, s := range r.Paths {
		path := fmt.Sprintf("paths[%d]", i)
		p.Match(path, s, pathPattern, `a path that begins with "/" or "*", of letters, digits, * and ? as wildcards, and _-.$/~"'@:+&, like "/api/*"`)
		if len(s) > maxPattern {
			p.Addf(path, "is %d characters long, must be at most %d", len(s), maxPattern)
		}
	}
	p.Unique("paths", r.Paths)
	values := slices.Concat(r.Hosts, r.Paths, r.furtherValues())
	all := strings.Join(values, " ")
	if n := len(values); n > maxConditions {
		p.Addf("", "(%s) has %d hosts, paths and other values, must have at most %d: AWS's limit for one rule; put the others into a route with sameTargetAs", r.Name, n, maxConditions)
	}
	if n := strings.Count(all, "*") + strings.Count(all, "?"); n > maxWildcards {
		p.Addf("", "(%s) has %d wildcards, must have at most %d: AWS's limit for one rule; put the others into a route with sameTargetAs", r.Name, n, maxWildcards)
	}
}

// checkTarget is the route with the defaults of its target filled in.
func (r Route) checkTarget(p *check.Problems, args *HttpsLoadBalancerArgs) Route {
	if r.answers() {
		r.checkAnswer(p)
		return r
	}
	if r.SameTargetAs != "" {
		r.checkShared(p, args.Routes)
		return r
	}
	if args.TargetType.Pods() {
		r.Service = r.Service.checked(p.At("service"))
	} else {
		p.Required("nodePort", r.NodePort != nil, "30080, or the NodePort of the app")
	}
	if port, plain := r.NodePort.(pulumi.Int); plain {
		if problem := badPort(int(port)); problem != "" {
			p.Addf("nodePort", "%s", problem)
		}
	}
	r.HealthCheckPath = cmp.Or(r.HealthCheckPath, "/")
	p.Match("healthCheckPath", r.HealthCheckPath, urlPath, `a path that begins with "/", without spaces`)
	if n := len(r.HealthCheckPath); n > maxPath {
		p.Addf("healthCheckPath", "is %d characters long, must be at most %d", n, maxPath)
	}
	r.HealthCheckCodes = cmp.Or(r.HealthCheckCodes, "200-399")
	p.Codes("healthCheckCodes", r.HealthCheckCodes)
	r.checkInterval(p, args.DrainSeconds)
	r.HealthCheckIntervalSeconds = cmp.Or(r.HealthCheckIntervalSeconds, min(usualInterval, longestInterval(args.DrainSeconds)))
	r.checkSharing(p)
	return r
}

// checkSharing refuses ways to share requests among the nodes that AWS does not have.
func (r Route) checkSharing(p *check.Problems) {
	if r.StickySeconds != 0 {
		p.Between("stickySeconds", r.StickySeconds, 1, 604800)
	}
	if r.StickyCookie != "" {
		p.Match("stickyCookie", r.StickyCookie, cookieName, "the name of a cookie")
		if strings.HasPrefix(r.StickyCookie, "AWSALB") {
			p.Addf("stickyCookie", "is %q, must not begin with AWSALB: AWS keeps such names for the load balancer's own", r.StickyCookie)
		}
		p.Required("stickySeconds", r.StickySeconds != 0, "3600, with stickyCookie")
	}
	if r.SlowStartSeconds != 0 {
		p.Between("slowStartSeconds", r.SlowStartSeconds, 30, 900)
	}
	if r.SameZoneOnly && r.StickySeconds != 0 {
		p.Addf("sameZoneOnly", "must be left out with stickySeconds: AWS keeps no client at a node then")
	}
}

func (r Route) checkInterval(p *check.Problems, drain int) {
	i := r.HealthCheckIntervalSeconds
	if i == 0 {
		return
	}
	p.Between("healthCheckIntervalSeconds", i, shortestInterval, 300)
	if longest := longestInterval(drain); i > longest && i <= 300 {
		p.Addf("healthCheckIntervalSeconds", "is %d, must be at most %d: a node that does not answer is noticed after %d × %d s and a last wait of %d s, together %d s, and drainSeconds is %d",
			i, longest, unhealthyChecks, i, checkTimeout(i), noticed(i), drain)
	}
}

// checkShared refuses what a route that has no target of its own cannot set.
func (r Route) checkShared(p *check.Problems, routes []Route) {
	i := slices.IndexFunc(routes, func(o Route) bool { return o.Name == r.SameTargetAs })
	switch {
	case i < 0 || r.SameTargetAs == r.Name:
		p.Addf("sameTargetAs", "is %q, must be the name of another route", r.SameTargetAs)
	case routes[i].SameTargetAs != "":
		p.Addf("sameTargetAs", "is %q, must be a route with a target of its own: that one has sameTargetAs %q", r.SameTargetAs, routes[i].SameTargetAs)
	}
	for path, set := range r.targetSettings() {
		if set {
			p.Addf(path, "must be left out with sameTargetAs: route %q says it", r.SameTargetAs)
		}
	}
}

// targetSettings are the settings of a target, and whether they are set.
func (r Route) targetSettings() iter.Seq2[string, bool] {
	return func(yield func(string, bool) bool) {
		_ = yield("nodePort", r.NodePort != nil) &&
			yield("service", r.Service != nil) &&
			yield("healthCheckPath", r.HealthCheckPath != "") &&
			yield("healthCheckCodes", r.HealthCheckCodes != "") &&
			yield("healthCheckIntervalSeconds", r.HealthCheckIntervalSeconds != 0) &&
			yield("stickySeconds", r.StickySeconds != 0) &&
			yield("stickyCookie", r.StickyCookie != "") &&
			yield("slowStartSeconds", r.SlowStartSeconds != 0) &&
			yield("sameZoneOnly", r.SameZoneOnly)
	}
}

// checkPorts refuses two routes of which it is known already that they have the same port.
func (args *HttpsLoadBalancerArgs) checkPorts(p *check.Problems) {
	first := map[pulumi.Int]int{}
	for i, r := range args.Routes {
		port, plain := r.NodePort.(pulumi.Int)
		if !plain {
			continue
		}
		if j, dup := first[port]; dup {
			p.Addf(fmt.Sprintf("routes[%d].nodePort", i), "%s", samePort(int(port), args.Routes[j].Name))
			continue
		}
		first[port] = i
	}
}

func samePort(port int, other string) string {
	return fmt.Sprintf("is %d, the same as of route %q: set sameTargetAs: %q instead", port, other, other)
}
