// Package edge plays the application load balancers of the account on loopback: their listeners at ports 80 and 443, with rules,
// weights, cookies and health checks, for clients such as curl. What it plays follows the account at once; it changes nothing in
// it. Left out are slow start, WAF, authentication of users and of clients' certificates, changes of headers by listeners, the
// health checks of gRPC, logs, and Route 53's routing policies.
package edge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// Options of an Edge.
type Options struct {
	// Account whose load balancers are played.
	Account *aws.Account
	// Dir holds the certificate authority; it is made if it is not there.
	Dir string
	// HTTP and HTTPS are the ports on 127.0.0.1 that stand for 80 and 443; 0 for a free one.
	HTTP, HTTPS int
	// Nodes publishes the nodes of the cluster, and again after each change, until ctx ends. nil for a cluster without nodes.
	Nodes func(ctx context.Context, publish func([]Node))
	// Pods publishes the pods in the same way. nil for a cluster without pods.
	Pods func(ctx context.Context, publish func([]Pod))
	// Say gets what a person has to know, one text a time. nil for nobody.
	Say func(string)
}

// Edge is the account's load balancers on loopback.
type Edge struct {
	options     Options
	authority   *Authority
	http, https net.Listener
	transports  map[string]http.RoundTripper

	table atomic.Pointer[table]
	// groups and splits outlive a table: by ARN of the target group, and of the rule.
	groups map[string]*group
	splits map[string]*split

	checks sync.WaitGroup

	silences silences
}

// Open takes the ports and makes the authority; Run serves.
func Open(o Options) (*Edge, error) {
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if o.Nodes == nil {
		o.Nodes = func(context.Context, func([]Node)) {}
	}
	if o.Pods == nil {
		o.Pods = func(context.Context, func([]Pod)) {}
	}
	authority, err := OpenAuthority(o.Dir)
	if err != nil {
		return nil, err
	}
	e := &Edge{options: o, authority: authority, transports: transports(), groups: map[string]*group{}, splits: map[string]*split{}}
	e.table.Store(&table{})
	if e.http, err = listen("--http", o.HTTP); err != nil {
		return nil, err
	}
	if e.https, err = listen("--https", o.HTTPS); err != nil {
		e.http.Close()
		return nil, err
	}
	return e, nil
}

func listen(option string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("%s %d: %w. Without %s it takes a free port", option, port, err, option)
	}
	return l, nil
}

// HTTP is the address that stands for port 80.
func (e *Edge) HTTP() string { return e.http.Addr().String() }

// HTTPS is the address that stands for port 443.
func (e *Edge) HTTPS() string { return e.https.Addr().String() }

// Authority signs the certificates of the listeners.
func (e *Edge) Authority() *Authority { return e.authority }

// endTime is what requests get to end after Run was told to.
const endTime = 5 * time.Second

// Run serves and follows account and cluster until ctx ends.
func (e *Edge) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 2)
	var all sync.WaitGroup
	defer all.Wait()
	plain := e.server(func(r *http.Request) string { return withoutPort(r.Host) }, 80)
	secure := e.server(func(r *http.Request) string {
		if r.TLS.ServerName == "" {
			return withoutPort(r.Host)
		}
		return r.TLS.ServerName
	}, 443)
	secure.TLSConfig = &tls.Config{GetConfigForClient: e.handshake, MinVersion: tls.VersionTLS10} // the listener's policy says which is the oldest
	all.Go(func() { failed <- plain.Serve(e.http) })
	all.Go(func() { failed <- secure.ServeTLS(e.https, "", "") })
	all.Go(func() { e.followAccount(ctx) })
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel()
	ending, done := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer done()
	for _, s := range []*http.Server{plain, secure} {
		if s.Shutdown(ending) != nil {
			_ = s.Close()
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// server answers what comes to one port; name is that by which a request has found its load balancer.
func (e *Edge) server(name func(*http.Request) string, port int) *http.Server {
	return &http.Server{
		ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0), ConnContext: e.silences.begin, ConnState: e.silences.watch,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.serve(w, r, name(r), port) }),
	}
}

func (e *Edge) serve(w http.ResponseWriter, r *http.Request, name string, port int) {
	t := e.table.Load()
	b := t.find(name)
	switch {
	case len(t.balancers) == 0:
		excuse(w, http.StatusServiceUnavailable, "the account has no application load balancer")
		return
	case b == nil:
		excuse(w, http.StatusMisdirectedRequest, "no record of Route 53 leads %q to one of the account's %d load balancers", name, len(t.balancers))
		return
	}
	limitSilence(r, b.IdleTimeout)
	l := b.listeners[port]
	if l == nil {
		excuse(w, http.StatusMisdirectedRequest, "load balancer %s has no listener at port %d", b.Name, port)
		return
	}
	rule := l.matching(questionOf(r))
	switch rule.action.Kind {
	case "redirect":
		redirect(w, r, l.Listener, rule.action.Redirect)
	case "fixed-response":
		fixed(w, rule.action.Fixed)
	case "forward":
		e.forward(w, r, b, l, rule)
	default:
		excuse(w, http.StatusNotImplemented, "rule %s has an action %s, which is not played", rule.label(), rule.action.Kind)
	}
}

// handshake chooses certificate and versions by the name that the client asks for.
func (e *Edge) handshake(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	b := e.table.Load().find(hello.ServerName)
	if b == nil || b.listeners[443] == nil {
		return nil, fmt.Errorf("no load balancer listens at 443 for %q", hello.ServerName)
	}
	if c := b.listeners[443].settings(hello.ServerName); c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("the listener has no certificate for %q", hello.ServerName)
}
