package edge

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Redirect sends the client elsewhere. What is left out stays as in the request; host or path must change: AWS takes a new query
// alone for a loop (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html).
type Redirect struct {
	// Host to go to, for example "www.example.com"; default the one asked for.
	Host string `pulumi:"host,optional"`
	// Path to go to, from "/" on; "#{path}" stands for the one asked for, without its first slash. Default "/#{path}".
	Path string `pulumi:"path,optional"`
	// Query to go with, without "?"; "#{query}" stands for the one asked for. Default "#{query}".
	Query string `pulumi:"query,optional"`
	// Permanent answers 301, which browsers remember for good; default 302.
	Permanent bool `pulumi:"permanent,optional"`
}

// FixedResponse answers at the load balancer itself.
type FixedResponse struct {
	// Status of the answer, 200 to 299 or 400 to 599. Required.
	Status int `pulumi:"status"`
	// Body of the answer, at most 1024 characters; default none.
	Body string `pulumi:"body,optional"`
	// ContentType of the body: one of ContentTypes(); default "text/plain".
	ContentType string `pulumi:"contentType,optional"`
}

// ContentTypes are those that AWS answers with
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_FixedResponseActionConfig.html).
func ContentTypes() []string {
	return []string{"text/plain", "text/css", "text/html", "application/javascript", "application/json"}
}

// Maintenance answers every request with 503, before any route is asked. The routes and their targets stay as they are.
type Maintenance struct {
	// Page is the answer's HTML, at most 1024 characters; default one sentence.
	Page string `pulumi:"page,optional"`
}

const (
	// maxBody is AWS's limit for the body of a fixed response.
	maxBody = 1024
	// samePath is the path that was asked for.
	samePath = "/#{path}"
	// maintenancePriority is before all routes'.
	maintenancePriority = 1
	maintenanceName     = "maintenance"
	maintenancePage     = "<!doctype html><title>Maintenance</title><p>We are working on it and will be back soon."
)

var redirectHost = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)

// answers tells whether the load balancer itself answers the route's requests.
func (r Route) answers() bool { return r.Redirect != nil || r.FixedResponse != nil }

// checkAnswer refuses what a route cannot say that has no target.
func (r Route) checkAnswer(p *check.Problems) {
	if r.Redirect != nil && r.FixedResponse != nil {
		p.Addf("fixedResponse", "must be left out with redirect: a request gets one answer")
	}
	if to := r.Redirect; to != nil {
		at := p.At("redirect")
		if to.Host == "" && (to.Path == "" || to.Path == samePath) {
			at.Addf("", "changes neither host nor path, must have one of them: AWS takes it for a loop, in which the client would ask again for ever")
		}
		if to.Host != "" {
			at.Match("host", to.Host, redirectHost, `a name, like "www.example.com"`)
		}
		if to.Path != "" {
			at.Match("path", to.Path, urlPath, `a path that begins with "/", without spaces`)
		}
		for _, part := range [][2]string{{"host", to.Host}, {"path", to.Path}, {"query", to.Query}} {
			if n := len(part[1]); n > maxPattern {
				at.Addf(part[0], "is %d characters long, must be at most %d", n, maxPattern)
			}
		}
	}
	if f := r.FixedResponse; f != nil {
		at := p.At("fixedResponse")
		if s := f.Status; (s < 200 || s > 299) && (s < 400 || s > 599) {
			at.Addf("status", "is %d, must be 200 to 299 or 400 to 599", s)
		}
		if n := len(f.Body); n > maxBody {
			at.Addf("body", "is %d characters long, must be at most %d", n, maxBody)
		}
		if f.ContentType != "" {
			at.OneOf("contentType", f.ContentType, ContentTypes()...)
		}
	}
	for path, set := range r.targetSettings() {
		if set {
			p.Addf(path, "must be left out with redirect and fixedResponse: such a route has no target")
		}
	}
	if r.SameTargetAs != "" {
		p.Addf("sameTargetAs", "is %q, must be left out with redirect and fixedResponse: such a route has no target", r.SameTargetAs)
	}
}

// answer is the action of a route without a target.
func (r Route) answer() lb.ListenerRuleActionArray {
	if f := r.FixedResponse; f != nil {
		return fixed(strconv.Itoa(f.Status), cmp.Or(f.ContentType, "text/plain"), f.Body)
	}
	to, status := r.Redirect, "HTTP_302"
	if to.Permanent {
		status = "HTTP_301"
	}
	return lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{Type: pulumi.String("redirect"), Redirect: &lb.ListenerRuleActionRedirectArgs{
		Host: pulumi.String(cmp.Or(to.Host, "#{host}")), Path: pulumi.String(cmp.Or(to.Path, samePath)), Query: pulumi.String(cmp.Or(to.Query, "#{query}")),
		StatusCode: pulumi.String(status),
	}}}
}

func fixed(status, contentType, body string) lb.ListenerRuleActionArray {
	return lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{Type: pulumi.String("fixed-response"), FixedResponse: &lb.ListenerRuleActionFixedResponseArgs{
		StatusCode: pulumi.String(status), ContentType: pulumi.String(contentType), MessageBody: pulumi.String(body),
	}}}
}

func (m *Maintenance) check(p *check.Problems, routes []Route) {
	if n := len(m.Page); n > maxBody {
		p.Addf("maintenance.page", "is %d characters long, must be at most %d", n, maxBody)
	}
	for i, r := range routes {
		if r.Name == maintenanceName {
			p.Addf(fmt.Sprintf("routes[%d].name", i), "is %q, must be another name with maintenance: the rule of the page has it", r.Name)
		}
		if r.Priority == maintenancePriority {
			p.Addf(fmt.Sprintf("routes[%d].priority", i), "is %d, must be higher with maintenance, whose page comes before all routes", r.Priority)
		}
	}
}

// maintenance is the rule that answers everything.
func (b *builder) maintenance(https *lb.Listener) error {
	_, err := lb.NewListenerRule(b.ctx, b.name+"-"+maintenanceName, &lb.ListenerRuleArgs{
		ListenerArn: https.Arn,
		Priority:    pulumi.Int(maintenancePriority),
		Conditions:  Route{}.conditions(),
		Actions:     fixed("503", "text/html", cmp.Or(b.args.Maintenance.Page, maintenancePage)),
		Tags:        b.tags(""),
	}, b.below)
	if err != nil {
		return fmt.Errorf("maintenance page: %w", err)
	}
	return nil
}
