package edge

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// behind is a load balancer with one rule and one target.
type behind struct {
	edge     *Edge
	balancer *balancer
	listener *listener
	rule     *rule
	group    *group
}

func newBehind(t *testing.T, target string) *behind {
	t.Helper()
	g := groupOf(aws.TargetGroup{ARN: "arn:g", Name: "web", Protocol: "HTTP", Version: "HTTP1"}, "+")
	host, port := place(t, target)
	g.targets[0].address, g.targets[0].port = host, port
	b := &behind{
		edge: &Edge{transports: transports()}, group: g, listener: &listener{Listener: aws.Listener{Protocol: "HTTPS", Port: 443}},
		balancer: &balancer{LoadBalancer: aws.LoadBalancer{Name: "door", IdleTimeout: time.Minute, ForwardedFor: "append"}, groups: map[string]*group{"arn:g": g}},
		rule:     &rule{split: &split{}},
	}
	b.rule.split.set([]aws.Share{{Group: "arn:g", Weight: 1}})
	return b
}

func (b *behind) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.edge.forward(w, r, b.balancer, b.listener, b.rule)
}

func (b *behind) ask(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w.Result()
}

func TestHeadersOfForwardedRequests(t *testing.T) {
	var got *http.Request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("Server", "own")
		w.WriteHeader(http.StatusTeapot)
	}))
	defer s.Close()
	b := newBehind(t, s.URL)
	const fresh = `1-[0-9a-f]{8}-[0-9a-f]{24}`
	send := func(change func(*http.Request)) http.Header {
		t.Helper()
		r := httptest.NewRequest("GET", "https://Www.example.com:34567/a%2Fb?x=1;y&%zz", nil)
		r.RemoteAddr = "127.0.0.1:40000"
		change(r)
		if resp := b.ask(r); resp.StatusCode != http.StatusTeapot || resp.Header.Get("Server") != "own" {
			t.Fatalf("the target's answer does not come through: %v", resp)
		}
		return got.Header
	}
	expect := func(h http.Header, name, pattern string) {
		t.Helper()
		if v := strings.Join(h.Values(name), "|"); !regexp.MustCompile("^" + pattern + "$").MatchString(v) {
			t.Errorf("%s is %q, want %s", name, v, pattern)
		}
	}

	h := send(func(*http.Request) {})
	expect(h, "X-Forwarded-For", `127\.0\.0\.1`)
	expect(h, "X-Forwarded-Proto", "https")
	expect(h, "X-Forwarded-Port", "443")
	expect(h, "X-Amzn-Trace-Id", "Root="+fresh)
	expect(h, "User-Agent", "")
	expect(h, "Accept-Encoding", "")
	if got.Host != "Www.example.com" || got.RequestURI != "/a%2Fb?x=1;y&%zz" {
		t.Errorf("asked for %s of %q, want the path and query as they were sent, and the host without its port", got.RequestURI, got.Host)
	}

	h = send(func(r *http.Request) {
		r.Header = http.Header{
			"X-Forwarded-For": {"198.51.100.7", "203.0.113.9"}, "X-Forwarded-Proto": {"gopher"}, "X-Forwarded-Port": {"1"}, "X-Forwarded-Host": {"given"},
			"X-Amzn-Trace-Id": {"Self=1-1-1;Root=1-67891233-abcdef012345678912345678;CalledFrom=app"}, "X_under": {"a"}, "Cookie": {"a=b"}, "Connection": {"X-Hop"}, "X-Hop": {"1"},
		}
	})
	expect(h, "X-Forwarded-For", `198\.51\.100\.7, 203\.0\.113\.9, 127\.0\.0\.1`)
	expect(h, "X-Forwarded-Proto", "https")
	expect(h, "X-Forwarded-Port", "443")
	expect(h, "X-Forwarded-Host", "given")
	expect(h, "X-Amzn-Trace-Id", "Self="+fresh+";Root=1-67891233-abcdef012345678912345678;CalledFrom=app")
	expect(h, "X_under", "a")
	expect(h, "X-Hop", "")

	b.balancer.ForwardedFor, b.balancer.PreserveHost, b.balancer.DropInvalidHeaders = "preserve", true, true
	forwarded := func(r *http.Request) {
		r.Header.Set("X-Forwarded-For", "198.51.100.7")
		r.Header["X_under"] = []string{"a"}
	}
	h = send(forwarded)
	expect(h, "X-Forwarded-For", `198\.51\.100\.7`)
	expect(h, "X_under", "")
	if got.Host != "Www.example.com:34567" {
		t.Errorf("the host is %q, want it as it was sent", got.Host)
	}
	b.balancer.ForwardedFor = "remove"
	expect(send(forwarded), "X-Forwarded-For", "")
	b.balancer.ForwardedFor, b.balancer.ClientPort = "append", true
	expect(send(forwarded), "X-Forwarded-For", `198\.51\.100\.7, 127\.0\.0\.1:40000`)
}

func TestTrace(t *testing.T) {
	for came, want := range map[string]string{
		"":                          "Root=NEW",
		"Root=1-a-b":                "Self=NEW;Root=1-a-b",
		"Self=1-x-y;Root=1-a-b":     "Self=NEW;Root=1-a-b",
		"CalledFrom=app":            "Root=NEW;CalledFrom=app",
		"Root=1-a-b;CalledFrom=app": "Self=NEW;Root=1-a-b;CalledFrom=app",
		"Self=1-x-y":                "Root=NEW",
	} {
		if got := trace(came, "NEW"); got != want {
			t.Errorf("%q becomes %q, want %q", came, got, want)
		}
	}
}

func TestTargetsThatDoNotAnswer(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	b := newBehind(t, gone.URL)
	get := func() *http.Request { return httptest.NewRequest("GET", "/", nil) }
	if resp := b.ask(get()); resp.StatusCode != 502 || resp.Header.Get("Server") != "awselb/2.0" {
		t.Errorf("nothing listens: %d", resp.StatusCode)
	}
	b.group.targets = nil
	if resp := b.ask(get()); resp.StatusCode != 503 || resp.Header.Get("Server") != "awselb/2.0" {
		t.Errorf("no targets: %d", resp.StatusCode)
	}
	b.rule.split.set([]aws.Share{{Group: "arn:g", Weight: 0}})
	if resp := b.ask(get()); resp.StatusCode != 503 {
		t.Errorf("all weights 0: %d", resp.StatusCode)
	}
}

// played is a target that a test plays.
type played func(*http.Request) (*http.Response, error)

func (p played) RoundTrip(r *http.Request) (*http.Response, error) { return p(r) }

// spoken is a body that says one byte after each pause, and is cut off when ctx ends.
type spoken struct {
	ctx    context.Context
	pauses []time.Duration
}

func (s *spoken) Read(p []byte) (int, error) {
	if len(s.pauses) == 0 {
		return 0, io.EOF
	}
	select {
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	case <-time.After(s.pauses[0]):
	}
	s.pauses = s.pauses[1:]
	p[0] = '.'
	return 1, nil
}

func (s *spoken) Close() error { return nil }

// The clock of these cases is that of synctest: no time passes.
func TestIdleTimeout(t *testing.T) {
	const minute = time.Minute
	for _, c := range []struct {
		name string
		// first is how long the target takes for the header, pauses are those before each byte of the body.
		first  time.Duration
		pauses []time.Duration
		status int
		body   string
		took   time.Duration
	}{
		{"it says nothing", time.Hour, nil, 504, "", minute},
		{"it says nothing for almost so long", minute - 1, nil, 200, "", minute - 1},
		{"it talks on", 50 * time.Second, []time.Duration{50 * time.Second, 50 * time.Second, 50 * time.Second}, 200, "...", 200 * time.Second},
		{"it falls silent", time.Second, []time.Duration{50 * time.Second, 2 * minute, 1}, 200, ".", 51*time.Second + minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBehind(t, "http://127.0.0.1:1")
			b.edge.transports["HTTP1"] = played(func(r *http.Request) (*http.Response, error) {
				select {
				case <-r.Context().Done():
					return nil, r.Context().Err()
				case <-time.After(c.first):
				}
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: &spoken{r.Context(), c.pauses}}, nil
			})
			begin := time.Now()
			resp := b.ask(httptest.NewRequest("GET", "/", nil))
			body, _ := io.ReadAll(resp.Body)
			if c.status == 504 {
				body = nil // the load balancer's page
			}
			if took := time.Since(begin); resp.StatusCode != c.status || string(body) != c.body || took != c.took {
				t.Errorf("%s: %d %q after %s, want %d %q after %s", c.name, resp.StatusCode, body, took, c.status, c.body, c.took)
			}
		})
	}
}

func TestChangeOfProtocol(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString("echo " + line)
		_ = rw.Flush()
	}))
	defer s.Close()
	front := httptest.NewServer(newBehind(t, s.URL))
	defer front.Close()
	c, err := net.Dial("tcp", front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatalf("%v %v", resp, err)
	}
	_, _ = io.WriteString(c, "hello\n")
	if line, err := r.ReadString('\n'); line != "echo hello\n" {
		t.Errorf("got %q, %v", line, err)
	}
}

// kept are the cookies that an answer sets, by name, with what they say of themselves.
func kept(resp *http.Response) map[string]*http.Cookie {
	out := map[string]*http.Cookie{}
	for _, c := range resp.Cookies() {
		out[c.Name] = c
	}
	return out
}

func TestClientsStick(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		}
	}))
	defer s.Close()
	b := newBehind(t, s.URL)
	ask := func(path string, cookies ...*http.Cookie) map[string]*http.Cookie {
		r := httptest.NewRequest("GET", path, nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		return kept(b.ask(r))
	}
	if got := ask("/"); len(got) != 0 {
		t.Errorf("without stickiness an answer sets %v", got)
	}

	b.rule.stickyFor = time.Hour
	got := ask("/")
	group, other := got["AWSALBTG"], got["AWSALBTGCORS"]
	if len(got) != 2 || group == nil || other == nil || group.Value != other.Value || group.Path != "/" || group.Expires.IsZero() {
		t.Fatalf("a rule whose clients stick sets %v", got)
	}
	if other.SameSite != http.SameSiteNoneMode || !other.Secure || group.SameSite != 0 || group.Secure {
		t.Errorf("the cookie for requests of other origins is %v, the first one %v", other, group)
	}
	b.balancer.groups["arn:h"] = groupOf(aws.TargetGroup{ARN: "arn:h", Name: "other"}, "+")
	b.balancer.groups["arn:h"].targets[0].address = ""
	b.rule.split.set([]aws.Share{{Group: "arn:g", Weight: 1}, {Group: "arn:h", Weight: 998}})
	for range 20 {
		if again := ask("/", group)["AWSALBTG"]; again == nil || again.Value != group.Value {
			t.Fatalf("a client with the cookie of its group comes to another: %v", again)
		}
	}
	if again := ask("/", &http.Cookie{Name: "AWSALBTGCORS", Value: group.Value})["AWSALBTG"]; again == nil || again.Value != group.Value {
		t.Errorf("the cookie for other origins does not hold: %v", again)
	}
	b.rule.split.set([]aws.Share{{Group: "arn:g", Weight: 0}, {Group: "arn:h", Weight: 1}})
	if again := ask("/", group)["AWSALBTG"]; again == nil || again.Value == group.Value {
		t.Errorf("a group of weight 0 still gets the clients that stick to it: %v", again)
	}

	b.rule.stickyFor = 0
	b.rule.split.set([]aws.Share{{Group: "arn:g", Weight: 1}})
	b.group.view.Sticky = aws.Stickiness{Cookie: "lb_cookie", For: time.Hour}
	got = ask("/")
	if c := got["AWSALB"]; len(got) != 2 || c == nil || c.Value != b.group.token(b.group.targets[0]) || got["AWSALBCORS"] == nil {
		t.Errorf("a group whose clients stick sets %v", got)
	}

	b.group.view.Sticky = aws.Stickiness{Cookie: "app_cookie", AppCookie: "session", For: time.Hour}
	if got := ask("/"); len(got) != 0 {
		t.Errorf("without the application's cookie the load balancer sets %v", got)
	}
	got = ask("/login")
	app := got["AWSALBAPP-0"]
	if len(got) != 2 || app == nil || got["session"] == nil || app.Value != b.group.token(b.group.targets[0]) {
		t.Fatalf("with the application's cookie it sets %v", got)
	}
	second := newTarget(member{id: "second", noun: "node", name: "second", why: "-"})
	second.state.Well = true
	b.group.targets = append(b.group.targets, second)
	where := func(cookies ...*http.Cookie) (simulated int) {
		for range 10 {
			r := httptest.NewRequest("GET", "/", nil)
			for _, c := range cookies {
				r.AddCookie(c)
			}
			body, _ := io.ReadAll(b.ask(r).Body)
			if strings.Contains(string(body), "node: second") {
				simulated++
			}
		}
		return simulated
	}
	if n := where(app, got["session"]); n != 0 {
		t.Errorf("with both cookies %d of 10 requests leave their target", n)
	}
	b.group.view.Sticky = aws.Stickiness{Cookie: "lb_cookie", For: time.Hour}
	for name, want := range map[string]int{"AWSALB": 0, "AWSALBCORS": 0, "other": 5} {
		if n := where(&http.Cookie{Name: name, Value: app.Value}); n != want {
			t.Errorf("with the first target's cookie %s %d of 10 requests go to the second, want %d", name, n, want)
		}
	}
	b.group.view.Sticky = aws.Stickiness{Cookie: "app_cookie", AppCookie: "session", For: time.Hour}
	if n := where(app); n != 5 {
		t.Errorf("without the application's own cookie %d of 10 requests go to the second of two targets", n)
	}
}

func TestCannedAnswerTellsTheWay(t *testing.T) {
	b := newBehind(t, "http://127.0.0.1:1")
	b.rule.Rule = aws.Rule{Priority: 10, Name: "door-web"}
	b.group.targets[0] = newTarget(member{id: "n", port: 30080, noun: "node", name: "ip-10-0-0-7", why: noPods})
	b.group.targets[0].state.Well = true
	resp := b.ask(httptest.NewRequest("GET", "/", nil))
	body, _ := io.ReadAll(resp.Body)
	const want = `load balancer: door
listener: 443
rule: 10 door-web
target group: web
node: ip-10-0-0-7
port: 30080

No pod has answered: pods are simulated here and run no code, so ` + "`sandbox edge`" + ` answers for this node.
`
	if resp.StatusCode != 200 || string(body) != want {
		t.Errorf("%d\n%s\nwant\n%s", resp.StatusCode, body, want)
	}
}

// A request that takes longer than its target may keep it is cut.
func TestRequestsOfTargetsThatAreGone(t *testing.T) {
	asked := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	defer s.Close()
	b := newBehind(t, s.URL)
	go func() {
		<-asked
		b.group.targets[0].end(errGone)
	}()
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-502-issues
	if resp := b.ask(httptest.NewRequest("GET", "/", nil)); resp.StatusCode != http.StatusBadGateway {
		t.Errorf("it ends with %s", resp.Status)
	}
}
