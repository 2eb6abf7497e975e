package test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestDrift changes what runs by hand, with kubectl and with the aws command, looks whether `slipway drift` names each and nothing else,
// and whether what it says sets all of it back. With UPDATE=1 it keeps what the refresh printed for the tests of package review.
func TestDrift(t *testing.T) {
	b := newBox(t)
	b.must("up")
	b.podsAreReady(t)
	d := newDriftSite(t, b)

	if code, out := d.look(t); code != 0 || !strings.Contains(out, "slipway/prod: no drift: ") || len(d.named(out)) > 0 || len(d.hub.issues) > 0 {
		t.Errorf("a stack just brought up: exit code %d, issues %+v\n%s", code, d.hub.issues, out)
	}

	d.changeByHand(t)
	code, out := d.look(t)
	want := []string{
		"changed cluster-main", "changed door-https", "changed images-frontend", "changed users-backend-deployment", "changed users-backend-network",
		"gone door-http-ipv4", "gone thoughts-backend-budget", "gone week-nights-down",
	}
	if got := d.named(out); code != 3 || !slices.Equal(got, want) {
		t.Errorf("exit code %d, named are\n%s\nwant\n%s\n%s", code, strings.Join(got, "\n"), strings.Join(want, "\n"), out)
	}
	for _, says := range []string{
		"slipway/prod: 8 of 100 resources are not as the stack left them: 3 gone, 5 changed.", "\n         spec.replicas: 2 → 3\n", "written by kubectl-patch on ",
		"\n         scalingConfig.maxSize: 6 → 9 (left as it is", `labels: not set → {"tier":"hot"}`, "imageTagMutability: IMMUTABLE → MUTABLE",
		"sslPolicy: ELBSecurityPolicy-TLS13-1-2-2021-06 → ELBSecurityPolicy-2016-08",
	} {
		if !strings.Contains(out, says) {
			t.Errorf("the report lacks %q:\n%s", says, out)
		}
	}
	if len(d.hub.issues) != 1 || !strings.Contains(d.hub.issues[0].Body, "`spec.replicas`: `2` → `3`") || d.hub.issues[0].Title != "Drift: slipway/prod" {
		t.Fatalf("the issues are %+v", d.hub.issues)
	}
	d.keep(t)

	// A program without a change leaves it as it is, as the report says.
	if s := b.try("preview"); s.code != 0 {
		t.Errorf("preview ended with %d:\n%s", s.code, s.all())
	}
	before := d.hub.asked
	b.must("fault", "aws:eks/nodeGroup:NodeGroup", "read", "1", "ExpiredTokenException")
	if code, out := d.look(t); code != 1 || strings.Contains(out, "no drift") || !strings.Contains(out, "is not known: the refresh failed") || !strings.Contains(out, "The AWS credentials are missing or have expired") {
		t.Errorf("an expired token: exit code %d\n%s", code, out)
	}
	if d.hub.asked != before {
		t.Error("a refresh that failed asked for the issue")
	}

	if s := b.tryIn("..", []string{"PULUMI_K8S_ENABLE_PATCH_FORCE=true"}, "pulumi", "up", "--refresh", "--yes", "--skip-preview", "--stack", "prod"); s.code != 0 {
		t.Fatalf("up ended with %d:\n%s", s.code, s.all())
	}
	if code, out := d.look(t); code != 0 || d.hub.issues[0].State != "closed" || len(d.hub.comments) != 1 {
		t.Errorf("after it was set back: exit code %d, issues %+v, comments %q\n%s", code, d.hub.issues, d.hub.comments, out)
	}
}

// driftSite is the command, and a GitHub for its issue.
type driftSite struct {
	box *box
	exe string
	hub *hub
	// refreshed is what the last refresh printed.
	refreshed string
}

func newDriftSite(t *testing.T, b *box) *driftSite {
	t.Helper()
	d := &driftSite{box: b, exe: filepath.Join(t.TempDir(), "slipway"), hub: &hub{}}
	build := exec.Command("go", "build", "-o", d.exe, "../cmd/slipway")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the command does not build: %v\n%s", err, out)
	}
	server := httptest.NewServer(d.hub)
	t.Cleanup(server.Close)
	for k, v := range map[string]string{"GITHUB_API_URL": server.URL, "GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "octo/shop", "GITHUB_STEP_SUMMARY": "", "GITHUB_EVENT_PATH": ""} {
		t.Setenv(k, v)
	}
	return d
}

// look refreshes as the workflow does, and reports.
func (d *driftSite) look(t *testing.T) (code int, out string) {
	t.Helper()
	s := d.box.tryIn("..", []string{"PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true"}, "pulumi", "refresh", "--preview-only", "--json", "--non-interactive", "--stack", "prod")
	log := filepath.Join(t.TempDir(), "drift.log")
	if err := os.WriteFile(log, []byte(s.errOut), 0o600); err != nil {
		t.Fatal(err)
	}
	d.refreshed = s.out
	cmd := exec.Command(d.exe, "drift", "--issue", "--stack", "slipway/prod", "--log", log)
	var said, problems bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(s.out), &said, &problems
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), said.String() + problems.String()
}

// named are the resources that a report names, each with what has become of it.
func (*driftSite) named(out string) []string {
	var all []string
	for line := range strings.Lines(out) {
		if w := strings.Fields(line); len(w) > 1 && slices.Contains([]string{"gone", "changed", "differs"}, w[0]) && strings.HasPrefix(line, w[0]) {
			all = append(all, w[0]+" "+strings.TrimSuffix(w[1], ","))
		}
	}
	slices.Sort(all)
	return all
}

// changeByHand is what people do at three in the morning.
func (d *driftSite) changeByHand(t *testing.T) {
	t.Helper()
	b := d.box
	one := func(kind, begins string) string {
		var list items
		b.kubectl(&list, "get", kind, "-n", "example")
		for _, i := range list.Items {
			if strings.HasPrefix(i.Metadata.Name, begins) {
				return i.Metadata.Name
			}
		}
		t.Fatalf("there is no %s %s…", kind, begins)
		return ""
	}
	var state struct {
		Deployment struct {
			Resources []struct{ URN, ID string }
		}
	}
	if err := json.Unmarshal([]byte(b.must("pulumi", "stack", "export", "--stack", "prod").out), &state); err != nil {
		t.Fatal(err)
	}
	id := func(ends string) string {
		for _, r := range state.Deployment.Resources {
			if strings.HasSuffix(r.URN, ends) {
				return r.ID
			}
		}
		t.Fatalf("the state has no %s", ends)
		return ""
	}
	var groups struct {
		AutoScalingGroups []struct{ AutoScalingGroupName string }
	}
	if err := json.Unmarshal([]byte(b.must("aws", "autoscaling", "describe-auto-scaling-groups").out), &groups); err != nil || len(groups.AutoScalingGroups) != 1 {
		t.Fatalf("%v, %+v", err, groups)
	}
	group, door := groups.AutoScalingGroups[0].AutoScalingGroupName, id("aws:ec2/securityGroup:SecurityGroup::door-alb")
	_, nodes, _ := strings.Cut(id("aws:eks/nodeGroup:NodeGroup::cluster-main"), ":")

	b.must("kubectl", "scale", "-n", "example", "deployment", one("deployment", "users-backend"), "--replicas=3")
	b.must("kubectl", "patch", "-n", "example", "networkpolicy", one("networkpolicy", "users-backend"), "--type=json", "-p", `[{"op": "replace", "path": "/spec/ingress", "value": [{}]}]`)
	b.must("kubectl", "delete", "-n", "example", "poddisruptionbudget", one("poddisruptionbudget", "thoughts-backend"))
	b.must("kubectl", "label", "-n", "example", "service", "users-service", "made=by-hand") // beside what the stack sets: not seen
	b.must("aws", "autoscaling", "update-auto-scaling-group", "--auto-scaling-group-name", group, "--max-size", "9")
	b.must("aws", "autoscaling", "delete-scheduled-action", "--auto-scaling-group-name", group, "--scheduled-action-name", "week-nights-down")
	b.must("aws", "eks", "update-nodegroup-config", "--cluster-name", "slipway-prod-cluster", "--nodegroup-name", nodes, "--labels", "addOrUpdateLabels={tier=hot}")
	b.must("aws", "elbv2", "modify-listener", "--listener-arn", id("aws:lb/listener:Listener::door-https"), "--ssl-policy", "ELBSecurityPolicy-2016-08")
	b.must("aws", "ecr", "put-image-tag-mutability", "--repository-name", "frontend", "--image-tag-mutability", "MUTABLE")
	b.must("aws", "ec2", "revoke-security-group-ingress", "--group-id", door, "--protocol", "tcp", "--port", "80", "--cidr", "0.0.0.0/0")
	b.must("aws", "ec2", "authorize-security-group-ingress", "--group-id", door, "--protocol", "tcp", "--port", "22", "--cidr", "0.0.0.0/0") // nobody's: not seen
}

// keep writes what the refresh printed to review/testdata, with UPDATE=1.
func (d *driftSite) keep(t *testing.T) {
	t.Helper()
	if os.Getenv("UPDATE") == "" {
		return
	}
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if _, err := w.Write([]byte(d.refreshed)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("../review/testdata/drift.json.gz", packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// hub is as much of GitHub as an issue needs.
type hub struct {
	mutex    sync.Mutex
	issues   []hubIssue
	comments []string
	asked    int
}

type hubIssue struct {
	Number  int    `json:"number"`
	State   string `json:"state"`
	Title   string `json:"title"`
	Body    string `json:"body"`
	HTMLURL string `json:"html_url"`
	User    struct {
		Login string `json:"login"`
	} `json:"user"`
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.asked++
	var sent hubIssue
	_ = json.NewDecoder(r.Body).Decode(&sent)
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	switch {
	case r.URL.Path == "/user":
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodGet:
		answer(h.issues)
	case r.URL.Path == "/repos/octo/shop/issues":
		sent.Number, sent.State, sent.HTMLURL, sent.User.Login = len(h.issues)+1, "open", fmt.Sprint("https://github.example/", len(h.issues)+1), "github-actions[bot]"
		h.issues = append(h.issues, sent)
		answer(sent)
	case r.Method == http.MethodPatch && r.URL.Path == "/repos/octo/shop/issues/1":
		h.issues[0].State = sent.State
		answer(h.issues[0])
	case r.URL.Path == "/repos/octo/shop/issues/1/comments":
		h.comments = append(h.comments, sent.Body)
		answer(sent)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}
