package edge

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Header is a condition on one header of a request.
type Header struct {
	// Name of the header: 1 to 40 letters, digits and hyphens, since the load balancer drops headers of other names, such as X_Beta; upper
	// and lower case do not differ. Required. Host is not among them: see Route.Hosts.
	Name string `pulumi:"name"`
	// Values of which one must match: * for any text, ? for one character; upper and lower case do not differ. Required.
	Values []string `pulumi:"values"`
}

var (
	// What is left of https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_HttpHeaderConditionConfig.html where the
	// load balancer drops invalid header fields (API_LoadBalancerAttribute.html).
	headerName  = regexp.MustCompile("^[A-Za-z0-9-]{1,40}$")
	headerValue = regexp.MustCompile(`^[\x20-\x7e]{1,128}$`)
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_HttpRequestMethodConditionConfig.html
	method = regexp.MustCompile(`^[A-Z][A-Z_-]{0,39}$`)
)

// conditional tells whether the route asks for more than a host and a path.
func (r Route) conditional() bool { return len(r.Headers)+len(r.Methods)+len(r.SourceCidrs) > 0 }

func (r Route) checkFurther(p *check.Problems) {
	var names []string
	for i, h := range r.Headers {
		at := p.At("headers[%d]", i)
		at.Match("name", h.Name, headerName, `letters, digits and hyphens, like "X-Beta": the load balancer drops headers of other names`)
		if strings.EqualFold(h.Name, "host") {
			at.Addf("name", "is %q, must be left to hosts", h.Name)
		}
		names = append(names, strings.ToLower(h.Name))
		at.Required("values", len(h.Values) > 0, `["1"]`)
		for j, v := range h.Values {
			at.Match(fmt.Sprintf("values[%d]", j), v, headerValue, "1 to 128 printable ASCII characters, with * and ? as wildcards")
		}
		at.Unique("values", h.Values)
	}
	p.Unique("headers", names)
	for i, m := range r.Methods {
		p.Match(fmt.Sprintf("methods[%d]", i), m, method, `a method in upper case, like "GET"`)
	}
	p.Unique("methods", r.Methods)
	for i, c := range r.SourceCidrs {
		if net, err := netip.ParsePrefix(c); err != nil || net != net.Masked() {
			p.Addf(fmt.Sprintf("sourceCidrs[%d]", i), "is %q, must be a range of addresses whose host bits are 0, like %q", c, "198.51.100.0/24")
		}
	}
	p.Unique("sourceCidrs", spelled(r.SourceCidrs))
}

// spelled are ranges of addresses in one spelling, and what is none as it is.
func spelled(ranges []string) []string {
	out := make([]string, len(ranges))
	for i, s := range ranges {
		out[i] = s
		if r, err := netip.ParsePrefix(s); err == nil {
			out[i] = r.String()
		}
	}
	return out
}

// addresses are ranges in the one way in which the same addresses can be written: none lies in another, and two halves are one.
func addresses(ranges []string) (all []string) {
	for _, s := range ranges {
		r, err := netip.ParsePrefix(s)
		if err != nil {
			return ranges // has been said
		}
		all = append(all, r.String())
	}
	for i, s := range all {
		a := netip.MustParsePrefix(s)
		for j, o := range all[:i] {
			b := netip.MustParsePrefix(o)
			both := b
			switch {
			case a.Overlaps(b) && a.Bits() < b.Bits():
				both = a
			case a.Overlaps(b):
			case a.Bits() == b.Bits() && a.Bits() > 0 && netip.PrefixFrom(a.Addr(), a.Bits()-1).Masked() == netip.PrefixFrom(b.Addr(), b.Bits()-1).Masked():
				both = netip.PrefixFrom(a.Addr(), a.Bits()-1).Masked()
			default:
				continue
			}
			rest := slices.Delete(slices.Clone(all), i, i+1)
			rest[j] = both.String()
			return addresses(rest)
		}
	}
	slices.Sort(all)
	return all
}

// furtherValues are the values of the conditions beyond host and path: the limit of values counts them, that of wildcards too.
func (r Route) furtherValues() (all []string) {
	for _, h := range r.Headers {
		all = append(all, h.Values...)
	}
	return append(append(all, r.Methods...), r.SourceCidrs...)
}

// further is what the route asks beyond host and path, in words; the same words for the same conditions.
func (r Route) further() string {
	var all []string
	for _, h := range r.Headers {
		values := slices.Compact(slices.Sorted(slices.Values(lower(h.Values))))
		all = append(all, "header "+strings.ToLower(h.Name)+" "+strings.Join(values, " or "))
	}
	slices.Sort(all)
	if len(r.Methods) > 0 {
		all = append(all, "method "+strings.Join(slices.Sorted(slices.Values(r.Methods)), " or "))
	}
	if len(r.SourceCidrs) > 0 {
		all = append(all, "from "+strings.Join(addresses(r.SourceCidrs), " or "))
	}
	return strings.Join(all, ", ")
}

// furtherOverlaps tells whether one request can meet the conditions of both beyond host and path.
func (r Route) furtherOverlaps(o Route) bool {
	for _, h := range r.Headers {
		for _, g := range o.Headers {
			if strings.EqualFold(h.Name, g.Name) && !overlap(lower(h.Values), lower(g.Values)) {
				return false
			}
		}
	}
	if len(r.Methods) > 0 && len(o.Methods) > 0 && !slices.ContainsFunc(r.Methods, func(m string) bool { return slices.Contains(o.Methods, m) }) {
		return false
	}
	if len(r.SourceCidrs) == 0 || len(o.SourceCidrs) == 0 {
		return true
	}
	return slices.ContainsFunc(r.SourceCidrs, func(a string) bool {
		return slices.ContainsFunc(o.SourceCidrs, func(b string) bool {
			x, errX := netip.ParsePrefix(a)
			y, errY := netip.ParsePrefix(b)
			return errX != nil || errY != nil || x.Overlaps(y)
		})
	})
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool {
		return slices.ContainsFunc(b, func(y string) bool { return pattern(x).overlaps(pattern(y)) })
	})
}

// lower is the values of a header; those that mean the same are written the same.
func lower(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = single(strings.ToLower(s))
	}
	return out
}

// conditions of the route's rule; a rule needs one at least.
func (r Route) conditions() (all lb.ListenerRuleConditionArray) {
	if len(r.Hosts) > 0 {
		all = append(all, &lb.ListenerRuleConditionArgs{HostHeader: &lb.ListenerRuleConditionHostHeaderArgs{Values: pulumi.ToStringArray(r.Hosts)}})
	}
	paths := r.Paths
	if len(r.Hosts)+len(paths) == 0 && !r.conditional() {
		paths = []string{"/*"}
	}
	if len(paths) > 0 {
		all = append(all, &lb.ListenerRuleConditionArgs{PathPattern: &lb.ListenerRuleConditionPathPatternArgs{Values: pulumi.ToStringArray(paths)}})
	}
	for _, h := range r.Headers {
		all = append(all, &lb.ListenerRuleConditionArgs{HttpHeader: &lb.ListenerRuleConditionHttpHeaderArgs{
			HttpHeaderName: pulumi.String(h.Name), Values: pulumi.ToStringArray(h.Values),
		}})
	}
	if len(r.Methods) > 0 {
		all = append(all, &lb.ListenerRuleConditionArgs{HttpRequestMethod: &lb.ListenerRuleConditionHttpRequestMethodArgs{Values: pulumi.ToStringArray(r.Methods)}})
	}
	if len(r.SourceCidrs) > 0 {
		all = append(all, &lb.ListenerRuleConditionArgs{SourceIp: &lb.ListenerRuleConditionSourceIpArgs{Values: pulumi.ToStringArray(r.SourceCidrs)}})
	}
	return all
}
