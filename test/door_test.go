package test

import (
	"bufio"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// door is the account's load balancer as `sandbox edge` serves it.
type door struct {
	// site is how curl reaches https://www.example.com/, plain the same for http.
	site, plain []string
}

var (
	edgeAddresses = regexp.MustCompile(`^https://(127\.0\.0\.1:\d+) and http://(127\.0\.0\.1:\d+) stand for`)
	edgeAuthority = regexp.MustCompile(`^the certificates are signed by (.*)$`)
)

func openDoor(t *testing.T, b *box) door {
	t.Helper()
	cmd := b.cmd("..", nil, "edge")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	var d door
	var authority string
	lines := bufio.NewScanner(out)
	for authority == "" && lines.Scan() {
		if m := edgeAddresses.FindStringSubmatch(lines.Text()); m != nil {
			d.site = []string{"--connect-to", "www.example.com:443:" + m[1], "https://www.example.com/"}
			d.plain = []string{"--connect-to", "www.example.com:80:" + m[2], "http://www.example.com/a/page?q=1"}
		}
		if m := edgeAuthority.FindStringSubmatch(lines.Text()); m != nil {
			authority = m[1]
		}
	}
	if authority == "" || d.site == nil {
		t.Fatalf("sandbox edge says nothing of its addresses: %v", lines.Err())
	}
	go func() {
		for lines.Scan() { // what it says later is for people
		}
	}()
	d.site = append([]string{"--cacert", authority}, d.site...)
	return d
}

func curl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("curl", append([]string{"-sS"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// shares waits until the load balancer, asked 100 times, sends this many of the requests to the new system, and the others to the old.
func (d door) shares(t *testing.T, wanted int) {
	t.Helper()
	var answers string
	if !within(func() bool {
		// One connection, 100 requests.
		url := d.site[len(d.site)-1]
		answers = curl(t, append(d.site[:len(d.site)-1:len(d.site)-1], url+"[1-100]")...)
		return strings.Count(answers, "target group: door-frontend-") == wanted && strings.Count(answers, "target group: door-old-") == 100-wanted
	}) {
		t.Errorf("of 100 requests %d reach the new system and %d the old one, want %d and %d", strings.Count(answers, "target group: door-frontend-"),
			strings.Count(answers, "target group: door-old-"), wanted, 100-wanted)
	}
}

func (d door) redirects(t *testing.T) {
	t.Helper()
	got := curl(t, append([]string{"-o", "/dev/null", "-w", "%{http_code} %{redirect_url}"}, d.plain...)...)
	if want := "301 https://www.example.com:443/a/page?q=1"; got != want {
		t.Errorf("http is answered %q, want %q", got, want)
	}
}

// within waits five minutes at most for what makes no event that a test could see, and tells whether it came.
func within(ok func() bool) bool {
	for deadline := time.Now().Add(5 * time.Minute); !ok(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
