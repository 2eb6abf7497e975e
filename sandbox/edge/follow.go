package edge

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

const (
	// look is how soon a change of the account is seen. Looking, because file notification does not work on every file system on
	// which people keep their work.
	look = 200 * time.Millisecond
	// calm is how long nothing has to change until it is told what there is: `sandbox up` makes a change for each resource.
	calm = time.Second
)

// followAccount makes a table after each change of the account or the cluster, until ctx ends.
func (e *Edge) followAccount(ctx context.Context) {
	defer func() {
		for _, g := range e.groups {
			g.end()
		}
		e.checks.Wait()
	}()
	published, pods := make(chan []Node, 1), make(chan []Pod, 1)
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { e.options.Nodes(ctx, into(ctx, published)) })
	all.Go(func() { e.options.Pods(ctx, into(ctx, pods)) })
	tick := time.NewTicker(look)
	defer tick.Stop()
	var h here
	var seen os.FileInfo // nil while nothing was ever made in the account
	stale, told := true, ""
	quiet := time.NewTimer(calm)
	for {
		info, _ := os.Stat(e.options.Account.File())
		if stale || !same(seen, info) {
			seen, stale = info, false
			e.load(ctx, h)
			quiet.Reset(calm)
		}
		select {
		case <-ctx.Done():
			return
		case h.nodes = <-published:
			stale = true
		case h.pods = <-pods:
			stale = true
		case <-quiet.C:
			if text := e.describe(); text != told {
				told = text
				e.options.Say(text)
			}
		case <-tick.C:
		}
	}
}

// into passes on what is published.
func into[T any](ctx context.Context, to chan<- T) func(T) {
	return func(v T) {
		select {
		case to <- v:
		case <-ctx.Done():
		}
	}
}

// same tells whether a file is the one that was seen before; one that was replaced as a whole is another.
func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// load makes a table of the account as it is. Where it cannot be read, the table before stays.
func (e *Edge) load(ctx context.Context, h here) {
	balancers, groups, err := e.options.Account.LoadBalancers()
	if err != nil {
		e.options.Say(err.Error() + "\nThe load balancers stay as they were.")
		return
	}
	h.own = ownAddresses()
	live := map[string]*group{}
	for _, view := range groups {
		g := e.groups[view.ARN]
		if g == nil {
			g = &group{}
		}
		g.update(ctx, view, h.members(view), func(ctx context.Context, t *target) {
			e.checks.Go(func() { t.watch(ctx, view, e.options.Say) })
		})
		live[view.ARN] = g
	}
	for arn, g := range e.groups {
		if live[arn] == nil {
			g.end()
		}
	}
	e.groups = live
	t := &table{}
	splits := map[string]*split{}
	for _, b := range balancers {
		t.balancers = append(t.balancers, e.balancer(t, b, splits))
	}
	e.splits = splits
	e.table.Store(t)
}

func (e *Edge) balancer(t *table, view aws.LoadBalancer, splits map[string]*split) *balancer {
	b := &balancer{LoadBalancer: view, listeners: map[int]*listener{}, groups: e.groups}
	problem := func(format string, a ...any) {
		t.problems = append(t.problems, "load balancer "+view.Name+": "+fmt.Sprintf(format, a...))
	}
	for _, v := range view.Listeners {
		if want := map[int]string{80: "HTTP", 443: "HTTPS"}[v.Port]; want != v.Protocol {
			problem("its listener at port %d speaks %s: only HTTP at 80 and HTTPS at 443 are played", v.Port, v.Protocol)
			continue
		}
		l := &listener{Listener: v}
		for _, r := range v.Rules {
			n := &rule{Rule: r, action: r.Actions[len(r.Actions)-1], split: e.splits[r.ARN]}
			if len(r.Actions) > 1 {
				n.action = r.Actions[0]
				problem("rule %s at port %d has an action %s, which is not played", n.label(), v.Port, n.action.Kind)
			}
			if n.split == nil {
				n.split = &split{}
			}
			n.split.set(n.action.Forward)
			n.stickyFor = n.action.StickyFor
			splits[r.ARN] = n.split
			l.rules = append(l.rules, n)
		}
		if v.ClientCertificates == "passthrough" || v.ClientCertificates == "verify" {
			problem("its listener at port %d asks clients for certificates, which is not played", v.Port)
		}
		if v.Protocol == "HTTPS" {
			l.secure = e.secure(v, view.HTTP2, problem)
		}
		b.listeners[v.Port] = l
	}
	return b
}

// secure are the TLS settings of a listener. A certificate of the sandbox's authority stands in for each of the account's.
func (e *Edge) secure(l aws.Listener, http2 bool, problem func(string, ...any)) []secure {
	var out []secure
	for _, c := range l.Certificates {
		if len(c.Names) == 0 {
			problem("certificate %s of its listener at port %d names no domain that can be read, and is left out", c.ARN, l.Port)
			continue
		}
		leaf, err := e.authority.Leaf(c.Names)
		if err != nil {
			problem("%s", err)
			continue
		}
		s := secure{names: c.Names, config: &tls.Config{Certificates: []tls.Certificate{*leaf}, NextProtos: []string{"http/1.1"}}}
		s.config.MinVersion, s.config.MaxVersion = versions(l.TLSPolicy)
		if http2 {
			s.config.NextProtos = []string{"h2", "http/1.1"}
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		problem("its listener at port %d has no certificate: every TLS connection is refused", l.Port)
	}
	return out
}

// ownAddresses are those of this machine's interfaces.
func ownAddresses() []netip.Addr {
	all, _ := net.InterfaceAddrs() // without them, addresses of this machine are only not known as its own
	var out []netip.Addr
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !slices.Contains(out, p.Addr()) {
			out = append(out, p.Addr())
		}
	}
	return out
}
