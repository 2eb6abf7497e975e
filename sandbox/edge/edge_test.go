package edge

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// served is an Edge that runs, and a client that finds every name there.
type served struct {
	*testing.T
	*Edge
	client *http.Client
	nodes  chan []Node
	pods   chan []Pod

	mu   sync.Mutex
	said []string
}

func serve(t *testing.T, a *account) *served {
	t.Helper()
	s := &served{T: t, nodes: make(chan []Node), pods: make(chan []Pod)}
	e, err := Open(Options{
		Account: a.Account, Dir: filepath.Join(t.TempDir(), "edge"),
		Nodes: publishes(s.nodes), Pods: publishes(s.pods),
		Say: func(text string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.said = append(s.said, text)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Edge = e
	s.client = &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots(t, e.Authority())}, ForceAttemptHTTP2: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				to := e.HTTP()
				if strings.HasSuffix(address, ":443") {
					to = e.HTTPS()
				}
				return (&net.Dialer{}).DialContext(ctx, network, to)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- e.Run(ctx) }()
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	return s
}

// get asks, and gives status and body; 0 and why where the client got no answer.
func (s *served) get(url string, change ...func(*http.Request)) (int, string) {
	s.Helper()
	resp, body := s.ask(url, change...)
	if resp == nil {
		return 0, body
	}
	return resp.StatusCode, body
}

func (s *served) ask(url string, change ...func(*http.Request)) (*http.Response, string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.Fatal(err)
	}
	for _, f := range change {
		f(r)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp, string(body)
}

// becomes waits until an answer has that status and that text in it.
func (s *served) becomes(url string, status int, text string) {
	s.Helper()
	eventually(s.T, fmt.Sprintf("%s answers %d %q", url, status, text), func() bool {
		got, body := s.get(url)
		return got == status && strings.Contains(body, text)
	})
}

// shares counts which target groups answer n requests.
func (s *served) shares(n int, url string, change ...func(*http.Request)) map[string]int {
	s.Helper()
	got := map[string]int{}
	for range n {
		_, body := s.get(url, change...)
		_, name, _ := strings.Cut(body, "target group: ")
		name, _, _ = strings.Cut(name, "\n")
		got[name]++
	}
	return got
}

func (s *served) saysIt(part string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(strings.Join(s.said, "\n"), part)
}

func TestLoadBalancerFromNothingToNothing(t *testing.T) {
	a := newAccount(t)
	s := serve(t, a)
	s.becomes("http://www.example.com/", 503, "sandbox edge: the account has no application load balancer")
	eventually(t, "it says that it waits", func() bool { return s.saysIt("waiting: the account has no application load balancer yet") })

	a.network()
	a.certificate("certificate", "*.example.com")
	a.balancer("door", "certificate", "www.example.com")
	s.becomes("https://www.example.com/x", 404, "nothing at door")
	resp, _ := s.ask("https://www.example.com/x")
	if resp.ProtoMajor != 2 || resp.TLS.Version != tls.VersionTLS13 || resp.Header.Get("Server") != "awselb/2.0" {
		t.Errorf("answered by HTTP/%d and TLS %x as %s", resp.ProtoMajor, resp.TLS.Version, resp.Header.Get("Server"))
	}
	s.becomes("http://www.example.com/", 301, "301 Moved Permanently")
	resp, _ = s.ask("http://www.example.com/a?b=c")
	if resp.StatusCode != 301 || resp.Header.Get("Location") != "https://www.example.com:443/a?b=c" {
		t.Errorf("redirected by %d to %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	_, port, _ := net.SplitHostPort(s.HTTPS())
	line := "curl --cacert " + s.Authority().File + " --resolve www.example.com:" + port + ":127.0.0.1 https://www.example.com:" + port + "/"
	eventually(t, "it says "+line, func() bool { return s.saysIt(line) })
	if status, why := s.get("https://www.example.org/"); status != 0 || !strings.Contains(why, "certificate is valid for example.com, *.example.com, not www.example.org") {
		t.Errorf("for another name: %d %s", status, why)
	}

	a.change("door", object{"enableHttp2": false})
	s.client.CloseIdleConnections()
	eventually(t, "HTTP/1.1 where HTTP/2 is off", func() bool {
		defer s.client.CloseIdleConnections()
		resp, _ := s.ask("https://www.example.com/x")
		return resp != nil && resp.ProtoMajor == 1
	})
	a.change("door-https", object{"sslPolicy": "ELBSecurityPolicy-FS-1-2-2019-08"})
	eventually(t, "TLS 1.2 where the policy knows no 1.3", func() bool {
		defer s.client.CloseIdleConnections()
		resp, _ := s.ask("https://www.example.com/x")
		return resp != nil && resp.TLS.Version == tls.VersionTLS12
	})

	a.delete("door-http")
	s.becomes("http://www.example.com/", 421, "load balancer door has no listener at port 80")
	a.delete("www.example.com")
	a.delete("door")
	s.becomes("http://www.example.com/", 503, "no application load balancer")
}

func TestRulesAndWeightsFollowTheAccount(t *testing.T) {
	a := newAccount(t)
	a.network()
	a.certificate("certificate", "*.example.com")
	a.balancer("door", "certificate", "www.example.com")
	a.nodeGroup("general")
	a.group("new", 30080, nil)
	a.group("old", 8000, object{"targetType": "ip"})
	a.group("empty", 30081, nil)
	a.attach("general", "new")
	a.create("aws:lb/targetGroupAttachment:TargetGroupAttachment", "first", object{"targetGroupArn": a.id("old"), "targetId": "10.0.1.7"})
	host := func(h ...any) object { return object{"hostHeader": object{"values": h}} }
	a.rule("web", "door-https", 10, host("www.example.com"), a.forward(nil, "new", 90, "old", 10))
	a.rule("api", "door-https", 5, object{"pathPattern": object{"values": list("/api/*")}}, object{"type": "forward", "targetGroupArn": a.id("new")})
	a.rule("none", "door-https", 20, host("empty.example.com"), a.forward(nil, "empty", 1))
	s := serve(t, a)
	s.nodes <- []Node{{Name: "ip-10-0-0-5", Group: "general", Address: "10.0.0.5"}, {Name: "ip-10-0-0-6", Group: "general", Address: "10.0.0.6"}, {Name: "stranger", Group: "other"}}
	const url = "https://www.example.com/"

	s.becomes("https://www.example.com/api/x", 200, "rule: 5 api\ntarget group: new\nnode: ip-10-0-0-")
	if got := s.shares(1000, url); got["new"] != 900 || got["old"] != 100 {
		t.Errorf("at 90 and 10, 1000 requests go to %v", got)
	}
	seen := map[string]bool{}
	for range 40 {
		_, body := s.get(url)
		seen[body] = true
	}
	for _, part := range []string{"rule: 10 web\ntarget group: new\nnode: ip-10-0-0-5\nport: 30080\n\nNo pod", "node: ip-10-0-0-6\n", "rule: 10 web\ntarget group: old\ntarget: 10.0.1.7\nport: 8000\n\nNo server"} {
		found := false
		for body := range seen {
			found = found || strings.Contains(body, part)
		}
		if !found {
			t.Errorf("no answer has %q in it", part)
		}
	}
	if len(seen) != 3 {
		t.Errorf("there are %d different answers, want one for each of three targets", len(seen))
	}
	if status, body := s.get("https://empty.example.com/"); status != 503 || !strings.Contains(body, "Service Temporarily Unavailable") {
		t.Errorf("a group without targets: %d %s", status, body)
	}
	eventually(t, "the shares are told", func() bool {
		return s.saysIt("10 web                       www.example.com → 90 × new (2 simulated targets) + 10 × old (1 simulated target)")
	})

	a.change("web", object{"actions": list(a.forward(nil, "new", 50, "old", 50))})
	eventually(t, "half and half", func() bool { got := s.shares(100, url); return got["new"] == 50 && got["old"] == 50 })
	a.change("web", object{"actions": list(a.forward(nil, "new", 0, "old", 1))})
	eventually(t, "nothing for weight 0", func() bool { return s.shares(50, url)["old"] == 50 })
	a.change("web", object{"actions": list(a.forward(object{"enabled": true, "duration": 3600.0}, "new", 1, "old", 1))})
	var cookie *http.Cookie
	eventually(t, "a cookie for the group", func() bool {
		resp, _ := s.ask(url)
		cookie = kept(resp)["AWSALBTG"]
		return cookie != nil
	})
	if got := s.shares(20, url, func(r *http.Request) { r.AddCookie(cookie) }); len(got) != 1 {
		t.Errorf("a client with its cookie comes to %v", got)
	}
	a.change("web", object{"actions": list(a.forward(nil, "new", 0, "old", 0))})
	s.becomes(url, 503, "Service Temporarily Unavailable")
	a.change("api", object{"priority": 30.0})
	a.change("web", object{"actions": list(object{"type": "fixed-response", "fixedResponse": object{"contentType": "text/html", "statusCode": "200", "messageBody": "closed"}})})
	s.becomes("https://www.example.com/api/x", 200, "closed")
	s.nodes <- nil
	s.becomes("https://other.example.com/api/x", 503, "Service Temporarily Unavailable")
}

// A change elsewhere in the account must not begin anything anew: whose turn it is, and what is known of targets, stays.
func TestTablesShareWhatGoesOn(t *testing.T) {
	a := newAccount(t)
	a.network()
	a.certificate("certificate")
	a.balancer("door", "certificate", "example.com")
	a.group("web", 8000, object{"targetType": "ip"})
	a.create("aws:lb/targetGroupAttachment:TargetGroupAttachment", "target", object{"targetGroupArn": a.id("web"), "targetId": "10.0.1.7"})
	a.rule("all", "door-https", 10, object{"pathPattern": object{"values": list("/*")}}, a.forward(nil, "web", 1))
	e, err := Open(Options{Account: a.Account, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.http.Close()
	defer e.https.Close()
	loaded := func() (*split, *group, *tls.Certificate) {
		e.load(t.Context(), here{})
		l := e.table.Load().balancers[0].listeners[443]
		return l.rules[0].split, e.groups[a.id("web")], &l.secure[0].config.Certificates[0]
	}
	split, group, certificate := loaded()
	a.change("door", object{"idleTimeout": 30.0})
	again, other, second := loaded()
	if again != split || other != group || !second.Leaf.Equal(certificate.Leaf) {
		t.Error("a change of the idle time-out begins the weights, the targets or the certificate anew")
	}
	a.delete("all")
	before, _, _ := group.counts()
	e.load(t.Context(), here{})
	if after, _, _ := group.counts(); before != 1 || after != 0 || e.splits[a.id("all")] != nil || e.groups[a.id("web")] != nil {
		t.Errorf("a rule that is gone is kept in mind, or its target group, which had %d targets and has %d", before, after)
	}
}

func TestWhatIsNotPlayedIsSaid(t *testing.T) {
	a := newAccount(t)
	a.network()
	a.certificate("certificate")
	a.balancer("door", "certificate", "example.com")
	a.group("web", 30080, nil)
	a.create("aws:lb/listener:Listener", "other", object{"loadBalancerArn": a.id("door"), "port": 8080.0, "protocol": "HTTP", "defaultActions": list(a.forward(nil, "web", 1))})
	a.create("aws:lb/listenerRule:ListenerRule", "login", object{
		"listenerArn": a.id("door-https"), "priority": 7.0, "conditions": list(object{"pathPattern": object{"values": list("/login")}}),
		"actions": list(
			object{"type": "authenticate-cognito", "authenticateCognito": object{"userPoolArn": "arn:p", "userPoolClientId": "c", "userPoolDomain": "d"}},
			object{"type": "forward", "targetGroupArn": a.id("web")},
		),
	})
	a.create("aws:lb/loadBalancer:LoadBalancer", "bare", object{"name": "bare", "subnets": list(a.id("a"), a.id("b"))})
	s := serve(t, a)
	s.becomes("https://example.com/login", 501, "rule 7 login has an action authenticate-cognito, which is not played")
	for _, part := range []string{
		"load balancer bare\n  has no listener that is played yet\n",
		"problem: no record of Route 53 leads to load balancer bare: among 2 it is found by bare-",
		"problem: load balancer door: rule 7 login at port 443 has an action authenticate-cognito, which is not played",
		"problem: load balancer door: its listener at port 8080 speaks HTTP: only HTTP at 80 and HTTPS at 443 are played",
	} {
		eventually(t, "it says "+part, func() bool { return s.saysIt(part) })
	}
}

func TestRealTargets(t *testing.T) {
	pod := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			return
		}
		fmt.Fprintf(w, "pod at %s for %s from %s by %s:%s", r.URL, r.Host, r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-Port"))
	}))
	defer pod.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	_, port := place(t, pod.URL)
	_, closed := place(t, gone.URL)
	a := newAccount(t)
	a.network()
	a.certificate("certificate", "*.example.com")
	a.balancer("door", "certificate", "www.example.com")
	a.nodeGroup("general")
	check := object{"path": "/healthz", "interval": 5.0, "timeout": 2.0, "unhealthyThreshold": 2.0}
	a.group("web", port, object{"healthCheck": check})
	a.attach("general", "web")
	a.group("gone", closed, object{"healthCheck": check})
	a.attach("general", "gone")
	a.rule("web", "door-https", 10, object{"hostHeader": object{"values": list("www.example.com")}}, a.forward(nil, "web", 1))
	a.rule("gone", "door-https", 11, object{"hostHeader": object{"values": list("gone.example.com")}}, a.forward(nil, "gone", 1))
	s := serve(t, a)
	// All of the network 127.0.0.0/8 is this machine, and the server listens at 127.0.0.1 only.
	s.nodes <- []Node{{Name: "good", Group: "general", Address: "127.0.0.1", Real: true}, {Name: "dead", Group: "general", Address: "127.0.0.2", Real: true}}

	eventually(t, "the node that answers is healthy", func() bool { return s.saysIt(fmt.Sprintf("target group web: node good at port %d is healthy", port)) })
	for range 10 {
		if code, body := s.get("https://www.example.com/a?b=c"); code != 200 || body != "pod at /a?b=c for www.example.com from 127.0.0.1 by https:443" {
			t.Fatalf("with one healthy node of two: %d %s", code, body)
		}
	}
	if code, body := s.get("https://gone.example.com/"); code != 502 || !strings.Contains(body, "502 Bad Gateway") {
		t.Errorf("where no node is healthy all are tried: %d %s", code, body)
	}
}

func TestTwoLoadBalancers(t *testing.T) {
	a := newAccount(t)
	a.network()
	a.certificate("first", "www.example.com")
	a.certificate("second", "*.api.example.com")
	a.balancer("web", "first", "www.example.com")
	a.balancer("api", "second", "*.api.example.com")
	s := serve(t, a)
	s.becomes("https://www.example.com/", 404, "nothing at web")
	s.becomes("https://v1.api.example.com/", 404, "nothing at api")
	if code, body := s.get("https://v1.api.example.com/", func(r *http.Request) { r.Host = "www.example.com" }); code != 404 || body != "nothing at api" {
		t.Errorf("a connection to one with the other's Host header: %d %s", code, body)
	}
	if code, body := s.get("http://example.net/"); code != 421 || !strings.Contains(body, `leads "example.net" to one of the account's 2 load balancers`) {
		t.Errorf("a name that leads to none: %d %s", code, body)
	}
	if code, why := s.get("https://example.net/"); code != 0 || !strings.Contains(why, "tls: internal error") {
		t.Errorf("the same by TLS: %d %s", code, why)
	}
}

// An account that cannot be read at the moment is no reason to stop serving.
func TestDamagedAccountChangesNothing(t *testing.T) {
	a := newAccount(t)
	a.network()
	a.certificate("certificate")
	a.balancer("door", "certificate", "example.com")
	s := serve(t, a)
	s.becomes("https://example.com/", 404, "nothing at door")
	if err := replace(a.File(), []byte(`{"version":1,"obj`), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it says so", func() bool {
		return s.saysIt("it was cut short or edited") && s.saysIt("The load balancers stay as they were.")
	})
	s.becomes("https://example.com/", 404, "nothing at door")
}

func TestPortThatIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port := place(t, l.Addr().String())
	_, err = Open(Options{Account: newAccount(t).Account, Dir: t.TempDir(), HTTPS: port})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("--https %d: ", port)) || !strings.Contains(err.Error(), "Without --https it takes a free port") {
		t.Errorf("got %v", err)
	}
}
