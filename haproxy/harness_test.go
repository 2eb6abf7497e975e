package haproxy_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/haproxy"
)

const password = `a"b'c\ $HOME ${HOME} #x\n%~` // every character that haproxy.cfg gives a meaning

// program is the path of HAProxy.
func program(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("haproxy")
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("haproxy is not on PATH: apt-get install haproxy")
	}
	t.Skip("haproxy is not on PATH: apt-get install haproxy, to run this") // a laptop without it; CI installs it, and fails above
	return ""
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) { // another process makes no event here
		if time.Now().After(deadline) {
			t.Fatalf("after a minute it is still not so that %s", what)
		}
	}
}

// freePort is one that nobody had a moment ago, on all of 127.0.0.0/8.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// app is one server of a system. It refuses a Host that it does not expect, and /slow waits for finish.
type app struct {
	*httptest.Server
	side, host string
	started    chan struct{}
	finish     chan struct{}
	mu         sync.Mutex
	last       http.Header // of the last request that was no check
}

func startApp(t testing.TB, side, host, address string) *app {
	t.Helper()
	l, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{side: side, host: host, started: make(chan struct{}, 1), finish: make(chan struct{})}
	a.Server = &httptest.Server{Listener: l, Config: &http.Server{Handler: a}}
	a.Start()
	t.Cleanup(a.Close)
	return a
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.host != "" && r.Host != a.host {
		http.Error(w, "not my host: "+r.Host, http.StatusMisdirectedRequest)
		return
	}
	switch r.URL.Path {
	case "/health":
		return
	case "/slow":
		a.started <- struct{}{}
		select {
		case <-a.finish:
		case <-r.Context().Done():
		}
	}
	a.mu.Lock()
	a.last = r.Header.Clone()
	a.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s %s", a.side, body)
}

func (a *app) header(name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.last.Values(name), " | ")
}

func (a *app) port() int { return a.Listener.Addr().(*net.TCPAddr).Port }

func (a *app) system() *haproxy.System {
	return &haproxy.System{Addresses: []string{"127.0.0.1"}, Port: a.port(), Host: a.host, HealthPath: "/health"}
}

// proxy is a running HAProxy.
type proxy struct {
	haproxy.Config
	dir string
	cmd *exec.Cmd
	out *bytes.Buffer
}

// prepared fills in what a test on this machine needs.
func prepared(t testing.TB, c haproxy.Config) haproxy.Config {
	t.Helper()
	c.Address = "127.0.0.1"
	if len(c.Listeners) == 0 {
		c.Listeners = []haproxy.Listener{{}}
	}
	for i := range c.Listeners {
		c.Listeners[i].Port = freePort(t)
	}
	c.Health.Port = freePort(t)
	if c.Statistics != nil {
		c.Statistics.Port = freePort(t)
	}
	c.Checks = haproxy.Checks{IntervalSeconds: 1, Fall: 2, Rise: 1}
	c.Process.KeepUser = os.Geteuid() != 0
	c.Process.MaxConnections = 200
	return c
}

func start(t testing.TB, c haproxy.Config, environment ...string) *proxy {
	t.Helper()
	path := program(t)
	dir, err := os.MkdirTemp("", "haproxy") //nolint:usetesting // t.TempDir is too long for a socket, which has at most 97 characters
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &proxy{Config: prepared(t, c), dir: dir, out: &bytes.Buffer{}}
	p.Process.Socket = filepath.Join(dir, "admin.sock")
	p.write(t)
	p.cmd = exec.Command(path, "-W", "-S", filepath.Join(dir, "master.sock"), "-f", p.file())
	p.cmd.Env = append(append(os.Environ(), haproxy.PasswordVariable+"="+password), environment...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		p.cmd.Wait()
		close(exited)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Signal(syscall.SIGTERM)
		<-exited
		if t.Failed() {
			t.Logf("HAProxy said:\n%s", p.out)
		}
	})
	eventually(t, "HAProxy answers on its socket", func() bool {
		select {
		case <-exited:
			t.Fatalf("HAProxy ended: %v", p.cmd.ProcessState)
		default:
		}
		return p.worker() != ""
	})
	p.settled(t)
	return p
}

func (p *proxy) file() string { return filepath.Join(p.dir, "haproxy.cfg") }

func (p *proxy) write(t testing.TB) {
	t.Helper()
	text, err := p.Render()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.file(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reload puts p.Config into effect as systemd does it, and waits until the new worker has taken over.
func (p *proxy) reload(t testing.TB) {
	t.Helper()
	before := p.worker()
	p.write(t)
	if err := p.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a new worker runs", func() bool { now := p.worker(); return now != "" && now != before })
	p.settled(t)
}

// worker is the process id of the worker that has the runtime socket.
func (p *proxy) worker() string {
	answer, err := p.ask("show info")
	if err != nil {
		return ""
	}
	_, pid, _ := strings.Cut(answer, "\nPid: ")
	pid, _, _ = strings.Cut(pid, "\n")
	return pid
}

// settled waits until the master watches its worker: a signal that comes earlier is lost.
func (p *proxy) settled(t testing.TB) {
	t.Helper()
	eventually(t, "the master knows its worker", func() bool {
		answer, err := askSocket(filepath.Join(p.dir, "master.sock"), "show proc")
		return err == nil && strings.Contains(answer, "\n"+p.worker()+" ")
	})
}

func (p *proxy) ask(command string) (string, error) {
	return askSocket(p.Process.Socket, command)
}

func askSocket(path, command string) (string, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", err
	}
	// The master keeps the connection for as long as there may be another command.
	if err := conn.CloseWrite(); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

// tell is a command of which nothing but success is expected.
func (p *proxy) tell(t testing.TB, command string) {
	t.Helper()
	if answer, err := p.ask(command); err != nil || strings.TrimSpace(answer) != "" {
		t.Fatalf("%s: %q, %v", command, answer, err)
	}
}

// status is what HAProxy says of a server: UP, DOWN, DRAIN, MAINT.
func (p *proxy) status(t testing.TB, backend, server string) string {
	t.Helper()
	answer, err := p.ask("show stat " + backend + " 4 -1")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(answer) {
		if f := strings.Split(line, ","); len(f) > 17 && f[0] == backend && f[1] == server {
			return f[17]
		}
	}
	t.Fatalf("there is no server %s/%s in\n%s", backend, server, answer)
	return ""
}

func (p *proxy) url(path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", p.Listeners[0].Port, path)
}

// get is the status and body of one request on a connection of its own.
func get(t testing.TB, url string, change ...func(*http.Request)) (int, string) {
	t.Helper()
	resp, body := exchange(t, url, change...)
	return resp.StatusCode, body
}

func exchange(t testing.TB, url string, change ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	for _, f := range change {
		f(req)
	}
	return answer(t, http.DefaultTransport, req)
}

// answer is what a request gets, with its body read.
func answer(t testing.TB, via http.RoundTripper, req *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := via.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, strings.TrimSpace(string(body))
}

// names is a DNS server that answers every question with the same addresses.
type names struct {
	conn *net.UDPConn
	mu   sync.Mutex
	to   []string
}

func startNames(t testing.TB, to ...string) *names {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	n := &names{conn: conn, to: to}
	t.Cleanup(func() { conn.Close() })
	go n.serve()
	return n
}

func (n *names) address() string { return n.conn.LocalAddr().String() }

func (n *names) change(to ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.to = to
}

func (n *names) serve() {
	buf := make([]byte, 65536)
	for {
		size, from, err := n.conn.ReadFromUDP(buf)
		if err != nil {
			return
		}
		if answer := n.answer(buf[:size]); answer != nil {
			n.conn.WriteToUDP(answer, from)
		}
	}
}

// answer is RFC 1035: the header, the question as it came, and an A record for each address.
func (n *names) answer(query []byte) []byte {
	const header = 12
	if len(query) < header {
		return nil
	}
	end := header + bytes.IndexByte(query[header:], 0) + 5 // the name, type and class
	if end > len(query) || end < header+5 {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var records []byte
	count := 0
	if binary.BigEndian.Uint16(query[end-4:]) == 1 { // A
		for _, a := range n.to {
			records = append(records, 0xc0, header, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4)
			records = append(records, net.ParseIP(a).To4()...)
			count++
		}
	}
	out := append([]byte{query[0], query[1], 0x84, 0, 0, 1, 0, byte(count), 0, 0, 0, 0}, query[header:end]...)
	return append(out, records...)
}
