package edge

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-iac/slipway/sandbox/healthcheck"
)

// connectTime is how long a load balancer tries to connect to a target.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-504-issues
const connectTime = 10 * time.Second

// errSilent ends a request on whose connections nothing was sent for the load balancer's idle time-out.
var errSilent = errors.New("nothing was sent for the idle time-out")

// transports are what speaks with targets, by the version of their group.
func transports() map[string]http.RoundTripper {
	out := map[string]http.RoundTripper{}
	for _, version := range []string{"HTTP1", "HTTP2", "GRPC"} {
		out[version] = &http.Transport{
			DialContext:     (&net.Dialer{Timeout: connectTime}).DialContext,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // AWS does not look at targets' certificates either
			Protocols:       healthcheck.Protocols(version), DisableCompression: true, MaxIdleConnsPerHost: 100, IdleConnTimeout: time.Minute,
		}
	}
	return out
}

// forward sends a request to a target group, by weights and cookies, and there to a target.
func (e *Edge) forward(w http.ResponseWriter, r *http.Request, b *balancer, l *listener, rule *rule) {
	secure := l.Protocol == "HTTPS"
	now := time.Now()
	arn := ""
	if rule.stickyFor > 0 {
		arn = rule.split.holds(sent(r, groupCookie))
	}
	if arn == "" {
		arn = rule.split.next()
	}
	g := b.groups[arn]
	if g == nil {
		page(w, http.StatusServiceUnavailable)
		return
	}
	view := g.settings()
	var stick []string
	switch view.Sticky.Cookie {
	case "lb_cookie":
		stick = sent(r, targetCookie)
	case "app_cookie":
		// Both cookies have to come: the application's own shows that its session lives.
		if _, err := r.Cookie(view.Sticky.AppCookie); err == nil {
			stick = sent(r, applicationCookie)
		}
	}
	t := g.choose(stick)
	if t == nil {
		page(w, http.StatusServiceUnavailable)
		return
	}
	t.busy.Add(1)
	defer t.busy.Add(-1)
	remember := func(h http.Header) {
		var set []*http.Cookie
		if rule.stickyFor > 0 {
			set = cookies(groupCookie, token(arn), rule.stickyFor, secure, now)
		}
		switch {
		case view.Sticky.Cookie == "lb_cookie":
			set = append(set, cookies(targetCookie, g.token(t), view.Sticky.For, secure, now)...)
		case view.Sticky.Cookie == "app_cookie" && sets(h, view.Sticky.AppCookie):
			set = append(set, cookies(applicationCookie, g.token(t), view.Sticky.For, secure, now)...)
		}
		for _, c := range set {
			h.Add("Set-Cookie", c.String())
		}
	}
	if !t.real() {
		remember(w.Header())
		canned(w, b, l, rule, g, t)
		return
	}
	e.pass(w, r, b, l, t, view.Protocol, e.transports[view.Version], remember)
}

// sets tells whether an answer sets a cookie.
func sets(h http.Header, name string) bool {
	for _, c := range (&http.Response{Header: h}).Cookies() {
		if c.Name == name {
			return true
		}
	}
	return false
}

// pass hands a request on to a target, and its answer back.
func (e *Edge) pass(w http.ResponseWriter, r *http.Request, b *balancer, l *listener, t *target, protocol string, via http.RoundTripper, remember func(http.Header)) {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer context.AfterFunc(t.requests, func() { cancel(context.Cause(t.requests)) })()
	silence := time.AfterFunc(b.IdleTimeout, func() { cancel(errSilent) })
	defer silence.Stop()
	heard := func() { silence.Reset(b.IdleTimeout) }
	r = r.WithContext(ctx)
	r.Body = listened{r.Body, heard}
	proxy := httputil.ReverseProxy{
		Transport: via, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(p *httputil.ProxyRequest) {
			u := urlOf(protocol, net.JoinHostPort(t.address, strconv.Itoa(t.port)))
			p.Out.URL.Scheme, p.Out.URL.Host = u.Scheme, u.Host
			dress(p.In, p.Out, b, l)
		},
		ModifyResponse: func(resp *http.Response) error {
			heard()
			remember(resp.Header)
			if both, ok := resp.Body.(io.ReadWriteCloser); ok {
				resp.Body = listenedBoth{both, heard}
			} else {
				resp.Body = listened{resp.Body, heard}
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			var timeout net.Error
			if errors.Is(context.Cause(ctx), errSilent) || (errors.As(err, &timeout) && timeout.Timeout()) {
				page(w, http.StatusGatewayTimeout)
				return
			}
			page(w, http.StatusBadGateway)
		},
	}
	proxy.ServeHTTP(w, r)
}

// listened tells of each part that is read.
type listened struct {
	io.ReadCloser
	heard func()
}

func (l listened) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if n > 0 {
		l.heard()
	}
	return n, err
}

// listenedBoth tells of each part in either direction, after a change of protocol.
type listenedBoth struct {
	io.ReadWriteCloser
	heard func()
}

func (l listenedBoth) Read(p []byte) (int, error) {
	n, err := l.ReadWriteCloser.Read(p)
	if n > 0 {
		l.heard()
	}
	return n, err
}

func (l listenedBoth) Write(p []byte) (int, error) {
	l.heard()
	return l.ReadWriteCloser.Write(p)
}

// validHeader is a name that passes where the load balancer drops invalid header fields.
var validHeader = regexp.MustCompile(`^[-A-Za-z0-9]+$`)

// dress gives a request the header fields that it has behind an application load balancer.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
func dress(in, out *http.Request, b *balancer, l *listener) {
	out.URL.RawQuery = in.URL.RawQuery // ReverseProxy would leave out what Go cannot parse
	out.Host = in.Host
	if !b.PreserveHost {
		// Listeners at 80 and 443 take the port off.
		// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#host-header-preservation
		out.Host = hostOnly(in.Host)
	}
	for _, name := range []string{"Forwarded", "X-Forwarded-Host"} { // ReverseProxy takes them off, AWS does not
		if v, ok := in.Header[name]; ok {
			out.Header[name] = v
		}
	}
	forwardedFor(in, out, b)
	out.Header.Set("X-Forwarded-Proto", strings.ToLower(l.Protocol))
	out.Header.Set("X-Forwarded-Port", strconv.Itoa(l.Port))
	out.Header.Set("X-Amzn-Trace-Id", trace(in.Header.Get("X-Amzn-Trace-Id"), traceID(time.Now())))
	if b.DropInvalidHeaders {
		for name := range out.Header {
			if !validHeader.MatchString(name) {
				delete(out.Header, name)
			}
		}
	}
}

func forwardedFor(in, out *http.Request, b *balancer) {
	const name = "X-Forwarded-For"
	out.Header.Del(name)
	came := in.Header[name]
	switch b.ForwardedFor {
	case "remove":
		return
	case "preserve":
		if came != nil {
			out.Header[name] = came
		}
		return
	}
	client := in.RemoteAddr
	if from, err := netip.ParseAddrPort(in.RemoteAddr); err == nil && !b.ClientPort {
		client = from.Addr().Unmap().String()
	}
	out.Header.Set(name, strings.Join(append(came[:len(came):len(came)], client), ", "))
}

// traceID is a new identifier: the version, the time, and 24 random hexadecimal digits.
func traceID(now time.Time) string {
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails: crypto/rand aborts the program instead
	return fmt.Sprintf("1-%08x-%s", now.Unix(), hex.EncodeToString(b))
}

// trace is the header that tells where a request came from: its root stays, and this load balancer is Self behind one.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
func trace(came, id string) string {
	var kept []string
	root := false
	for _, field := range strings.Split(came, ";") {
		field = strings.TrimSpace(field)
		if field == "" || strings.HasPrefix(field, "Self=") {
			continue
		}
		root = root || strings.HasPrefix(field, "Root=")
		kept = append(kept, field)
	}
	if root {
		return strings.Join(append([]string{"Self=" + id}, kept...), ";")
	}
	return strings.Join(append([]string{"Root=" + id}, kept...), ";")
}
