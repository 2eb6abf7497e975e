package haproxy_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/haproxy"
)

// fromAddress is a request from another local address than 127.0.0.1.
func fromAddress(t *testing.T, ip, url string, header http.Header) (*http.Response, string) {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, address)
	}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Host = "shop.example.com:8000"
	return answer(t, transport, req)
}

var forwarded = []string{
	"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Host", "Forwarded", "X_Forwarded_For", "X-Forwarded_Proto", "X_Forwarded-Host",
}

func (a *app) forwarded() string {
	var out []string
	for _, name := range forwarded {
		if v := a.header(name); v != "" {
			out = append(out, name+": "+v)
		}
	}
	return strings.Join(out, "\n")
}

func TestHeadersTellWhatTheClientSpokeWith(t *testing.T) {
	a := startApp(t, "old", "www.example.com", "127.0.0.1:0")
	p := start(t, haproxy.Config{
		Listeners: []haproxy.Listener{
			{TrustedSources: []string{"127.0.0.2/32"}},
			{HTTPS: true},
			{HTTPS: true, PublicPort: 8443, TrustedSources: []string{"203.0.113.0/24"}, ProxyProtocolSources: []string{"127.0.0.3/32"}},
		},
		Old:    a.system(),
		Routes: []haproxy.Route{{Name: "site", OldWeight: 100}},
	})
	lies := http.Header{}
	for _, name := range forwarded {
		lies[name] = []string{"lie"}
	}
	url := func(i int) string { return fmt.Sprintf("http://127.0.0.1:%d/", p.Listeners[i].Port) }
	for _, tc := range []struct {
		name, from string
		listener   int
		header     http.Header
		want       string
	}{
		{"plain", "127.0.0.1", 0, nil, "X-Forwarded-For: 127.0.0.1\nX-Forwarded-Proto: http\nX-Forwarded-Port: 80\nX-Forwarded-Host: shop.example.com:8000"},
		{"plain, with lies", "127.0.0.1", 0, lies, "X-Forwarded-For: 127.0.0.1\nX-Forwarded-Proto: http\nX-Forwarded-Port: 80\nX-Forwarded-Host: shop.example.com:8000"},
		{"from the load balancer in front", "127.0.0.2", 0, lies, "X-Forwarded-For: lie | 127.0.0.2\nX-Forwarded-Proto: lie\nX-Forwarded-Port: lie\nX-Forwarded-Host: shop.example.com:8000"},
		{"from it, and it says nothing", "127.0.0.2", 0, nil, "X-Forwarded-For: 127.0.0.2\nX-Forwarded-Proto: http\nX-Forwarded-Port: 80\nX-Forwarded-Host: shop.example.com:8000"},
		{"https, trusted on another port", "127.0.0.2", 1, lies, "X-Forwarded-For: 127.0.0.2\nX-Forwarded-Proto: https\nX-Forwarded-Port: 443\nX-Forwarded-Host: shop.example.com:8000"},
		{"no PROXY protocol from here", "127.0.0.1", 2, lies, "X-Forwarded-For: 127.0.0.1\nX-Forwarded-Proto: https\nX-Forwarded-Port: 8443\nX-Forwarded-Host: shop.example.com:8000"},
	} {
		resp, body := fromAddress(t, tc.from, url(tc.listener), tc.header)
		if got := a.forwarded(); resp.StatusCode != 200 || got != tc.want {
			t.Errorf("%s: %d %s, got\n%s\nwant\n%s", tc.name, resp.StatusCode, body, got, tc.want)
		}
	}
	for client, want := range map[string]string{
		"198.51.100.7": "X-Forwarded-For: 198.51.100.7\nX-Forwarded-Proto: https\nX-Forwarded-Port: 8443\nX-Forwarded-Host: x.example.com",
		"203.0.113.7":  "X-Forwarded-For: lie | 203.0.113.7\nX-Forwarded-Proto: https\nX-Forwarded-Port: 8443\nX-Forwarded-Host: x.example.com",
	} {
		status := throughProxyProtocol(t, p.Listeners[2].Port, client)
		if got := a.forwarded(); status != 200 || got != want {
			t.Errorf("as %s: %d, got\n%s\nwant\n%s", client, status, got, want)
		}
	}
}

// throughProxyProtocol is a request as a network load balancer passes it on.
func throughProxyProtocol(t *testing.T, port int, client string) int {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 3)}}
	conn, err := dialer.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PROXY TCP4 %s 192.0.2.1 4711 443\r\nGET / HTTP/1.1\r\nHost: x.example.com\r\nX-Forwarded-For: lie\r\nConnection: close\r\n\r\n", client)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// selfSigned is a certificate for name and a file with it and its key.
func selfSigned(t testing.TB, name string) (*x509.Certificate, tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...)
	path := filepath.Join(t.TempDir(), "site.pem")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return cert, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}

func TestTLSOnBothEnds(t *testing.T) {
	ours, _, ourFile := selfSigned(t, "shop.example.com")
	_, theirs, theirFile := selfSigned(t, "frontend.example.com")
	a := &app{side: "new", host: "frontend.example.com"}
	a.Server = httptest.NewUnstartedServer(a)
	a.Config.ErrorLog = log.New(io.Discard, "", 0) // of the certificate that is refused
	a.Server.TLS = &tls.Config{Certificates: []tls.Certificate{theirs}}
	a.StartTLS()
	t.Cleanup(a.Close)
	c := haproxy.Config{
		Listeners: []haproxy.Listener{{Certificate: ourFile}},
		New:       a.system(),
		Cookie:    "slipway",
		Routes:    []haproxy.Route{{Name: "site", NewWeight: 1}},
	}
	c.New.TLS, c.New.CAFile = true, theirFile
	p := start(t, c)
	roots := x509.NewCertPool()
	roots.AddCert(ours)
	ask := func() (int, string, string) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "shop.example.com"}, DisableKeepAlives: true}
		resp, err := (&http.Client{Transport: transport}).Get(fmt.Sprintf("https://127.0.0.1:%d/", p.Listeners[0].Port))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body), resp.Header.Get("Set-Cookie")
	}
	code, body, cookie := ask()
	if code != 200 || body != "new " || a.header("X-Forwarded-Proto") != "https" || a.header("X-Forwarded-Port") != "443" {
		t.Errorf("got %d %q, with %s", code, body, a.forwarded())
	}
	if want := "slipway-site=new1; path=/; HttpOnly; Secure; SameSite=Lax"; cookie != want {
		t.Errorf("the cookie is %q, want %q", cookie, want)
	}
	c.New.Host, a.host = "other.example.com", "other.example.com" // which the certificate is not for
	p.New = c.New
	p.reload(t)
	eventually(t, "the new system is down", func() bool { return p.status(t, "site.new", "new1") == "DOWN" })
	if code, _, _ := ask(); code != 503 {
		t.Errorf("with a certificate for another name it answers %d", code)
	}
}

func TestRoutesMatchByHostAndPath(t *testing.T) {
	from, to := startApp(t, "old", "", "127.0.0.1:0"), startApp(t, "new", "", "127.0.0.1:0")
	p := start(t, haproxy.Config{
		Old: from.system(), New: to.system(),
		Routes: []haproxy.Route{
			{Name: "first", Hosts: []string{"a.example.com", "*.b.example.com"}, Paths: []string{"/api", "/$x%20(;)"}, NewWeight: 1},
			{Name: "second", Hosts: []string{"a.example.com"}, OldWeight: 1},
			{Name: "third", Paths: []string{"/all"}, NewWeight: 1},
		},
	})
	for _, tc := range []struct{ host, path, want string }{
		{"a.example.com", "/api", "new"},
		{"a.example.com", "/api/", "new"},
		{"a.example.com", "/api/x?y", "new"},
		{"a.example.com", "/api?y", "new"},
		{"A.Example.com:8000", "/api", "new"},
		{"x.b.example.com", "/api", "new"},
		{"x.y.b.example.com", "/api", "new"},
		{"a.example.com", "/$x%20(;)/y", "new"},
		{"a.example.com", "/apix", "old"},
		{"a.example.com", "/API", "old"},
		{"a.example.com", "/x/api", "old"},
		{"a.example.com", "/", "old"},
		{"b.example.com", "/api", "404"},
		{"xb.example.com", "/api", "404"},
		{"a.example.com.evil.com", "/", "404"},
		{"x.b.example.com", "/", "404"},
		{"anything", "/all/of", "new"},
	} {
		code, body := get(t, p.url(tc.path), func(r *http.Request) { r.Host = tc.host })
		got := body
		if code != 200 {
			got = strconv.Itoa(code)
		}
		if got != tc.want {
			t.Errorf("%s%s: got %q, want %q", tc.host, tc.path, got, tc.want)
		}
	}
}
