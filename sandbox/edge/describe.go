package edge

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// describe is what there is, for a person: how to ask each load balancer, and where its requests go.
func (e *Edge) describe() string {
	t := e.table.Load()
	if len(t.balancers) == 0 {
		return "waiting: the account has no application load balancer yet. It is served as soon as it is there; `sandbox up` makes one"
	}
	var b strings.Builder
	for _, balancer := range t.balancers {
		e.describeBalancer(&b, balancer)
	}
	if len(t.balancers) > 1 {
		for _, balancer := range t.balancers {
			if len(balancer.Names) == 0 {
				fmt.Fprintf(&b, "problem: no record of Route 53 leads to load balancer %s: among %d it is found by %s only\n", balancer.Name, len(t.balancers), balancer.DNSName)
			}
		}
	}
	for _, p := range t.problems {
		fmt.Fprintf(&b, "problem: %s\n", p)
	}
	return strings.TrimRight(b.String(), "\n")
}

func (e *Edge) describeBalancer(w *strings.Builder, b *balancer) {
	fmt.Fprintf(w, "load balancer %s", b.Name)
	if len(b.Names) > 0 {
		fmt.Fprintf(w, " (%s)", strings.Join(b.Names, ", "))
	}
	w.WriteString("\n")
	_, http, _ := net.SplitHostPort(e.HTTP())
	_, https, _ := net.SplitHostPort(e.HTTPS())
	if l := b.listeners[443]; l != nil && len(l.secure) > 0 {
		name := b.nameOf(l)
		fmt.Fprintf(w, "  curl --cacert %s --resolve %s:%s:127.0.0.1 https://%s:%s/\n", quoted(e.authority.File), name, https, name, https)
		if b.listeners[80] != nil {
			fmt.Fprintf(w, "  curl --cacert %s --connect-to %s:443:127.0.0.1:%s --connect-to %s:80:127.0.0.1:%s -L http://%s/   # follows redirects\n",
				quoted(e.authority.File), name, https, name, http, name)
		}
	} else if b.listeners[80] != nil {
		name := b.DNSName
		if len(b.Names) > 0 {
			name = host(b.Names[0])
		}
		fmt.Fprintf(w, "  curl --resolve %s:%s:127.0.0.1 http://%s:%s/\n", name, http, name, http)
	} else {
		w.WriteString("  has no listener that is played yet\n")
	}
	for _, port := range []int{80, 443} {
		if l := b.listeners[port]; l != nil {
			for _, r := range l.rules {
				fmt.Fprintf(w, "  %-3d  %-28s %s → %s\n", port, r.label(), conditions(r.Conditions), b.action(r))
			}
		}
	}
}

// nameOf is a name to try a listener by: one that leads here and that its certificate holds for, if there is one.
func (b *balancer) nameOf(l *listener) string {
	for _, n := range b.Names {
		if slices.ContainsFunc(l.secure, func(s secure) bool { return s.config.Certificates[0].Leaf.VerifyHostname(host(n)) == nil }) {
			return host(n)
		}
	}
	return host(l.secure[0].names[0])
}

// host is a name that a wildcard stands for.
func host(name string) string {
	if parent, ok := strings.CutPrefix(name, "*."); ok {
		return "www." + parent
	}
	return name
}

// quoted is a path as a shell reads it.
func quoted(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

func conditions(all []aws.Condition) string {
	if len(all) == 0 {
		return "every other request"
	}
	var out []string
	for _, c := range all {
		values := slices.Clone(c.Values)
		for _, q := range c.Queries {
			values = append(values, strings.TrimPrefix(q.Key+"="+q.Value, "="))
		}
		word := map[string]string{
			"hostHeader": "", "pathPattern": "", "httpRequestMethod": "", "sourceIp": "from ", "queryStrings": "?", "httpHeader": c.Header + ": ",
		}[c.Kind]
		out = append(out, word+strings.Join(values, "|"))
	}
	return strings.Join(out, " and ")
}

func (b *balancer) action(r *rule) string {
	switch a := r.action; a.Kind {
	case "redirect":
		return fmt.Sprintf("%d to %s://%s:%s%s?%s", a.Redirect.Status, strings.ToLower(a.Redirect.Protocol), a.Redirect.Host, a.Redirect.Port, a.Redirect.Path, a.Redirect.Query)
	case "fixed-response":
		return fmt.Sprintf("%d %s", a.Fixed.Status, a.Fixed.ContentType)
	case "forward":
		var out []string
		for _, s := range a.Forward {
			g := b.groups[s.Group]
			if g == nil {
				continue
			}
			text := g.name() + " (" + g.summary() + ")"
			if len(a.Forward) > 1 {
				text = fmt.Sprintf("%d × %s", s.Weight, text)
			}
			out = append(out, text)
		}
		return strings.Join(out, " + ")
	default:
		return a.Kind
	}
}

// summary counts the targets of a group.
func (g *group) summary() string {
	all, well, real := g.counts()
	word := "targets"
	if all == 1 {
		word = "target"
	}
	switch {
	case all == 0:
		return "no targets: 503"
	case real > 0:
		return fmt.Sprintf("%d %s, %d healthy", all, word, well)
	}
	return fmt.Sprintf("%d simulated %s", all, word)
}
