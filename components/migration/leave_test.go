package migration

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/haproxy"
)

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) { // another process makes no event here
		if time.Now().After(deadline) {
			t.Fatalf("after a minute it is still not so that %s", what)
		}
	}
}

// site is a running HAProxy, as systemd starts it, before a system whose /slow waits for finish.
type site struct {
	haproxy.Config
	master          *exec.Cmd
	ended           chan struct{}
	started, finish chan struct{}
}

func startSite(t *testing.T) *site {
	t.Helper()
	s := &site{ended: make(chan struct{}), started: make(chan struct{}, 1), finish: make(chan struct{})}
	system := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			s.started <- struct{}{}
			<-s.finish
		}
	}))
	t.Cleanup(system.Close)
	dir, err := os.MkdirTemp("", "site") //nolint:usetesting // t.TempDir is too long for a socket, which has at most 97 characters
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("SOCKET", filepath.Join(dir, "admin.sock"))
	s.Config = haproxy.Config{
		Address: "127.0.0.1", Listeners: []haproxy.Listener{{Port: freePort(t)}}, Health: haproxy.Health{Port: freePort(t), Alone: true},
		New:     &haproxy.System{Addresses: []string{"127.0.0.1"}, Port: system.Listener.Addr().(*net.TCPAddr).Port},
		Routes:  []haproxy.Route{{Name: "all", NewWeight: 100}},
		Process: haproxy.Process{Socket: filepath.Join(dir, "admin.sock"), KeepUser: true, MaxConnections: 200},
	}
	text, err := s.Render()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.master = exec.Command("haproxy", "-W", "-S", filepath.Join(dir, "master.sock"), "-f", file)
	if err := s.master.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.master.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.master.Process.Signal(syscall.SIGTERM)
		<-s.ended
	})
	t.Setenv("MAINPID", strconv.Itoa(s.master.Process.Pid))
	eventually(t, "HAProxy is healthy", func() bool { return s.health() == http.StatusOK })
	// A signal that comes before the master answers is lost.
	eventually(t, "the master answers", func() bool { return answers(filepath.Join(dir, "master.sock")) })
	return s
}

func answers(socket string) bool {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket})
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "show proc\n")
	conn.CloseWrite()
	got, err := io.ReadAll(conn)
	return err == nil && strings.Contains(string(got), "master")
}

func (s *site) url(path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", s.Listeners[0].Port, path)
}

// health is what a load balancer is told; 0 where nobody answers.
func (s *site) health() int {
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/healthz", s.Health.Port))
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// ask is the answer's status, and whether the connection is kept; an error is one of a client that has lost a request.
func ask(t *testing.T, client *http.Client, url string) (code int, kept bool) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Error(err)
		return 0, false
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Error(err)
	}
	return resp.StatusCode, !resp.Close
}

// The load balancer hears first that a proxy leaves, then clients do, and no request is lost.
func TestAMachineThatStopsLosesNoRequest(t *testing.T) {
	needsHaproxy(t)
	b, leave, s := newBench(t), script(t, "slipway-leave"), startSite(t)
	keeper, slow := &http.Client{Transport: &http.Transport{}}, &http.Client{Transport: &http.Transport{}}
	if code, kept := ask(t, keeper, s.url("/")); code != http.StatusOK || !kept {
		t.Fatalf("before: %d, and the connection is kept: %v", code, kept)
	}
	answered := make(chan int)
	go func() {
		code, _ := ask(t, slow, s.url("/slow"))
		answered <- code
	}()
	<-s.started

	b.write(t, "running", "stopping\n")
	cmd := exec.Command(leave)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the load balancer is told", func() bool { return s.health() == http.StatusServiceUnavailable })
	if code, kept := ask(t, keeper, s.url("/")); code != http.StatusOK || !kept {
		t.Errorf("while the load balancer notices: %d, and the connection is kept: %v", code, kept)
	}
	if code, _ := ask(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, s.url("/")); code != http.StatusOK {
		t.Errorf("a new connection gets %d while the load balancer notices", code)
	}
	b.write(t, "slept", "")
	eventually(t, "HAProxy has closed its ports", func() bool { return s.health() == 0 })
	if code, kept := ask(t, keeper, s.url("/")); code != http.StatusOK || kept {
		t.Errorf("after that: %d, and the connection is kept: %v", code, kept)
	}
	s.finish <- struct{}{}
	if code := <-answered; code != http.StatusOK {
		t.Errorf("a request that had begun got %d", code)
	}
	<-s.ended
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// A drain that clients do not let end is over in time.
func TestADrainHasAnEnd(t *testing.T) {
	needsHaproxy(t)
	b, leave, s := newBench(t), script(t, "slipway-leave"), startSite(t)
	b.write(t, "running", "stopping\n")
	b.write(t, "slept", "")
	go http.Get(s.url("/slow"))
	<-s.started
	if out, err := exec.Command(leave).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	select {
	case <-s.ended:
		t.Error("HAProxy ended in the midst of a request")
	default:
	}
	close(s.finish)
}

// While HAProxy alone is restarted, it must not be away for so long that the proxy is replaced.
func TestARestartIsNoDrain(t *testing.T) {
	needsHaproxy(t)
	b, leave, s := newBench(t), script(t, "slipway-leave"), startSite(t)
	b.write(t, "slept", "")
	for _, state := range []string{"running", "degraded", "starting", ""} {
		b.write(t, "running", state+"\n")
		if out, err := exec.Command(leave).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		if got := s.health(); got != http.StatusOK {
			t.Errorf("the machine is %s, and the load balancer is told %d", state, got)
		}
	}
}

func TestSystemdWaitsForTheDrain(t *testing.T) {
	for drain, want := range map[int]string{1: "61", 30: "90", 3600: "3660"} {
		got := strings.NewReplacer(leaving(drain)...).Replace(boot)
		if !strings.Contains(got, "ExecStop=/usr/local/sbin/slipway-leave\nTimeoutStopSec="+want+"\n") {
			t.Errorf("with drainSeconds %d systemd waits otherwise:\n%s", drain, got)
		}
	}
}
