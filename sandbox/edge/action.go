package edge

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// software is what an application load balancer calls itself in its own answers.
const software = "awselb/2.0"

// phrases are those of the pages of a load balancer that Go has other words for.
var phrases = map[int]string{http.StatusServiceUnavailable: "Service Temporarily Unavailable", http.StatusGatewayTimeout: "Gateway Time-out"}

// page is an answer of the load balancer itself, word for word as AWS's is.
func page(w http.ResponseWriter, status int) {
	phrase := phrases[status]
	if phrase == "" {
		phrase = http.StatusText(status)
	}
	title := strconv.Itoa(status) + " " + phrase
	w.Header().Set("Content-Type", "text/html")
	answer(w, status, "<html>\r\n<head><title>"+title+"</title></head>\r\n<body>\r\n<center><h1>"+title+"</h1></center>\r\n</body>\r\n</html>\r\n")
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Server", software)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func fixed(w http.ResponseWriter, f aws.FixedResponse) {
	w.Header().Set("Content-Type", f.ContentType)
	answer(w, f.Status, f.Body)
}

// redirect sends the client elsewhere. Ports are those of the listeners, not those of loopback: an answer differs in nothing from
// that of AWS.
func redirect(w http.ResponseWriter, r *http.Request, listener aws.Listener, to aws.Redirect) {
	w.Header().Set("Location", location(questionOf(r), listener, to))
	page(w, to.Status)
}

func location(q question, listener aws.Listener, to aws.Redirect) string {
	fill := strings.NewReplacer(
		"#{protocol}", strings.ToLower(listener.Protocol), "#{host}", q.host, "#{port}", strconv.Itoa(listener.Port),
		"#{path}", strings.TrimPrefix(q.path, "/"), "#{query}", q.query,
	)
	u := strings.ToLower(fill.Replace(to.Protocol)) + "://" + fill.Replace(to.Host) + ":" + fill.Replace(to.Port) + fill.Replace(to.Path)
	if query := fill.Replace(to.Query); query != "" {
		u += "?" + query
	}
	return u
}

// excuse is an answer of the sandbox where AWS would not have let the client come so far, or the sandbox plays something not.
func excuse(w http.ResponseWriter, status int, format string, a ...any) {
	w.Header().Set("Server", "sandbox edge")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "sandbox edge: "+format+"\n", a...)
}

// canned is what a target says that runs no code. It names the way of the request, so that a client can count.
func canned(w http.ResponseWriter, b *balancer, l *listener, rule *rule, g *group, t *target) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "load balancer: %s\nlistener: %d\nrule: %s\ntarget group: %s\n%s: %s\nport: %d\n\n%s\n",
		b.Name, l.Port, rule.label(), g.name(), t.noun, t.name, t.port, t.why)
}

// urlOf is where a real target answers.
func urlOf(protocol, hostPort string) *url.URL {
	return &url.URL{Scheme: strings.ToLower(protocol), Host: hostPort}
}
