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

// door is the account's load balancers as `sandbox edge` serves them.
type door struct {
	// https and http are the addresses that stand for ports 443 and 80; authority is the file with who has signed the certificates.
	https, http, authority string
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
	lines := bufio.NewScanner(out)
	for d.authority == "" && lines.Scan() {
		if m := edgeAddresses.FindStringSubmatch(lines.Text()); m != nil {
			d.https, d.http = m[1], m[2]
		}
		if m := edgeAuthority.FindStringSubmatch(lines.Text()); m != nil {
			d.authority = m[1]
		}
	}
	if d.authority == "" || d.https == "" {
		t.Fatalf("sandbox edge says nothing of its addresses: %v", lines.Err())
	}
	go func() {
		for lines.Scan() { // what it says later is for people
		}
	}()
	return d
}

// curl asks for a URL with curl, which takes no certificate that is not the site's.
func (d door) curl(t *testing.T, url string, args ...string) string {
	t.Helper()
	args = append([]string{"-sS", "--cacert", d.authority, "--connect-to", ":443:" + d.https, "--connect-to", ":80:" + d.http, url}, args...)
	out, err := exec.Command("curl", args...).CombinedOutput()
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
		answers = d.curl(t, "https://www.example.com/[1-100]")
		return strings.Count(answers, "target group: door-frontend-") == wanted && strings.Count(answers, "target group: door-old-") == 100-wanted
	}) {
		t.Errorf("of 100 requests %d reach the new system and %d the old one, want %d and %d", strings.Count(answers, "target group: door-frontend-"),
			strings.Count(answers, "target group: door-old-"), wanted, 100-wanted)
	}
}

// redirects asks for a URL, and holds the answer against a status and where it sends on to.
func (d door) redirects(t *testing.T, url, want string) {
	t.Helper()
	if got := d.curl(t, url, "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}"); got != want {
		t.Errorf("%s is answered %q, want %q", url, got, want)
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
