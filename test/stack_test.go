package test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStack takes the production stack through its life, as `make up`, `make preview` and `make destroy` do.
func TestStack(t *testing.T) {
	b := newBox(t)
	week := b.weekOfClockChange(t)
	if s := b.try("preview"); s.code != 3 || !strings.Contains(s.out, "to create") || strings.Contains(s.all(), "error:") {
		t.Errorf("a preview of everything ended with %d, want 3 and no error:\n%s", s.code, s.all())
	}
	read := b.asked(t)
	up := b.must("up")
	write := b.asked(t)
	t.Run("up ends with the outputs and where to look next", func(t *testing.T) {
		for _, want := range []string{"https://www.example.com", "123456789012.dkr.ecr.us-west-2.amazonaws.com/frontend", "slipway-prod-cluster", "America/Los_Angeles", "Where to look next"} {
			if !strings.Contains(up.out, want) {
				t.Errorf("the output lacks %q:\n%s", want, up.out)
			}
		}
	})
	t.Run("the pods of the services are ready, in two zones at least", func(t *testing.T) { b.podsAreReady(t) })
	t.Run("nothing changes without a change", func(t *testing.T) {
		if s := b.try("preview"); s.code != 0 {
			t.Errorf("preview ended with %d:\n%s", s.code, s.all())
		}
		if s := b.try("pulumi", "refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", "prod"); s.code != 0 {
			t.Errorf("refresh ended with %d:\n%s", s.code, s.all())
		}
		if s := b.try("preview"); s.code != 0 {
			t.Errorf("preview after refresh ended with %d:\n%s", s.code, s.all())
		}
		read = append(read, b.asked(t)...)
	})
	t.Run("a week replays, and no app falls below its budget", func(t *testing.T) { b.weekReplays(t, week) })
	t.Run("what others do to the size of the nodes is no change", func(t *testing.T) { b.sizeIsTheSchedules(t) })
	t.Run("the frontend has an autoscaler, and its deployment no count of its own", func(t *testing.T) {
		var list items
		b.kubectl(&list, "get", "hpa", "-n", "example")
		if len(list.Items) != 1 {
			t.Errorf("there are %d autoscalers, want 1: %+v", len(list.Items), list.Items)
		}
	})
	t.Run("Pod Security admission refuses what is not restricted", func(t *testing.T) {
		s := b.try("kubectl", "run", "root", "--image=example.com/root:1", "-n", "example")
		if s.code == 0 || !strings.Contains(s.errOut, "violates PodSecurity \"restricted") {
			t.Errorf("a pod that may run as root: exit code %d, %s", s.code, s.all())
		}
	})
	t.Run("a release changes the app's deployment and nothing else", func(t *testing.T) {
		s := b.try("pulumi", "preview", "--stack", "prod", "--config-file", b.configWith(t, `frontend: "1.0.0"`, `frontend: "1.0.1"`))
		// The component that the user wrote, and its one part that changes.
		if s.code != 0 || !strings.Contains(s.out, "~ 2 to update") || !strings.Contains(s.out, "slipway:index:AppDeployment frontend update") ||
			!strings.Contains(s.out, "kubernetes:apps/v1:Deployment frontend-deployment update") {
			t.Errorf("exit code %d:\n%s", s.code, s.all())
		}
	})
	t.Run("only those named are administrators, whoever ran it is not", func(t *testing.T) {
		state := b.must("pulumi", "stack", "export", "--stack", "prod").out
		if !strings.Contains(state, `"bootstrapClusterCreatorAdminPermissions": false`) || strings.Contains(state, `"bootstrapClusterCreatorAdminPermissions": true`) {
			t.Error("the cluster makes its creator an administrator")
		}
	})
	t.Run("the password is shown nowhere", func(t *testing.T) {
		password := strings.TrimSpace(b.must("pulumi", "config", "get", "slipway:databasePassword", "--stack", "prod").out)
		if len(password) < 8 {
			t.Fatalf("the password of Pulumi.prod.yaml is %q: too short to look for", password)
		}
		encoded := base64.StdEncoding.EncodeToString([]byte(password))
		for what, s := range map[string]said{
			"up":                 up,
			"the state":          b.must("pulumi", "stack", "export", "--stack", "prod"),
			"a preview":          b.must("pulumi", "preview", "--diff", "--show-sames", "--json", "--stack", "prod", "--config-file", b.configWith(t, `users_server: "1.0.0"`, `users_server: "1.0.1"`)),
			"a change's preview": b.must("pulumi", "preview", "--diff", "--stack", "prod", "--config-file", b.configWith(t, "user: postgres", "user: reader")),
			"the account":        b.must("status"),
		} {
			if strings.Contains(s.all(), password) || strings.Contains(s.all(), encoded) {
				t.Errorf("%s shows the password", what)
			}
		}
	})
	t.Run("a plain destroy is refused, in words that say why", func(t *testing.T) {
		s := b.try("pulumi", "destroy", "--yes", "--skip-preview", "--stack", "prod")
		if s.code == 0 || !strings.Contains(s.all(), "slipway:protect-to-false") {
			t.Errorf("exit code %d:\n%s", s.code, s.all())
		}
		if s := b.try("preview"); s.code != 0 {
			t.Errorf("the refused destroy changed something: preview ended with %d:\n%s", s.code, s.all())
		}
	})
	t.Run("what was done survives a kill of the control plane", func(t *testing.T) {
		killService(t, filepath.Join(b.home, "kube"))
		if s := b.try("preview"); s.code != 0 {
			t.Errorf("preview ended with %d:\n%s", s.code, s.all())
		}
		b.podsAreReady(t)
	})
	t.Run("a damaged state is brought back from what it was before its last change", func(t *testing.T) {
		file := filepath.Join(b.home, "state", ".pulumi", "stacks", "slipway", "prod.json")
		before, err := os.ReadFile(file + ".bak")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, before, 0o600); err != nil {
			t.Fatal(err)
		}
		b.must("up")
		if s := b.try("preview"); s.code != 0 {
			t.Errorf("preview ended with %d:\n%s", s.code, s.all())
		}
	})
	t.Run("a change of the system goes through", func(t *testing.T) {
		changed := b.configWith(t, `frontend: "1.0.0"`, `frontend: "1.0.1"`, "max: 6", "max: 7", "198.51.100.0/24", "203.0.113.0/24", "weekendNodes: 2", "weekendNodes: 1")
		b.must("pulumi", "up", "--yes", "--skip-preview", "--stack", "prod", "--config-file", changed)
	})
	t.Run("destroy leaves nothing, and up works again", func(t *testing.T) {
		b.destroyed(t)
		b.must("up")
		b.podsAreReady(t)
		b.destroyed(t)
	})
	t.Run("the roles of a pipeline allow what was asked for, and no more", func(t *testing.T) {
		rolesAllowWhatIsAsked(t, b, append(write, b.asked(t)...), read)
	})
}

// podsAreReady waits until they are: the autoscaler starts the frontend's second pod some seconds after the first.
func (b *box) podsAreReady(t *testing.T) {
	t.Helper()
	b.podsAreReadyIn(t, 2)
}

// podsAreReadyIn waits until the pods of all services are ready, in so many zones at least.
func (b *box) podsAreReadyIn(t *testing.T, zones int) {
	t.Helper()
	problems := b.notReady(zones)
	for deadline := time.Now().Add(2 * time.Minute); len(problems) > 0 && time.Now().Before(deadline); problems = b.notReady(zones) {
		time.Sleep(time.Second) // between two looks at the cluster
	}
	for _, p := range problems {
		t.Error(p)
	}
	// Ready is not yet available: a refresh would take a Deployment whose new pod has not been ready for minReadySeconds for one that is not up.
	b.must("kubectl", "wait", "--for=condition=Available", "deployment", "--all", "-n", "example", "--timeout", "2m")
}

// notReady is what is missing until they are.
func (b *box) notReady(wantZones int) (problems []string) {
	var nodes, pods items
	b.kubectl(&nodes, "get", "nodes")
	zone := map[string]string{}
	for _, n := range nodes.Items {
		zone[n.Metadata.Name] = n.Metadata.Labels["topology.kubernetes.io/zone"]
	}
	b.kubectl(&pods, "get", "pods", "-n", "example")
	zones, perApp := map[string]bool{}, map[string]int{}
	for _, p := range pods.Items {
		if !ready(p.Status.Conditions) {
			problems = append(problems, "pod "+p.Metadata.Name+" is not ready")
			continue
		}
		zones[zone[p.Spec.NodeName]] = true
		perApp[p.Metadata.Labels["app.kubernetes.io/name"]]++
	}
	for _, app := range []string{"frontend", "thoughts-backend", "users-backend"} {
		if perApp[app] < 2 {
			problems = append(problems, fmt.Sprintf("%s has %d ready pods, want 2 at least", app, perApp[app]))
		}
	}
	if len(zones) < wantZones {
		problems = append(problems, fmt.Sprintf("the pods are in the zones %v, want %d at least", zones, wantZones))
	}
	return problems
}

// destroyed takes the stack away and looks whether anything is left.
func (b *box) destroyed(t *testing.T) {
	t.Helper()
	b.must("destroy")
	if s := b.must("pulumi", "stack", "export", "--stack", "prod"); strings.Contains(s.out, `"urn:`) {
		t.Errorf("the state still holds resources:\n%s", s.out)
	}
	if s := b.must("status"); !strings.Contains(s.out, "account      123456789012, 0 resources") {
		t.Errorf("the account is not empty:\n%s", s.out)
	}
	var namespaces items
	b.kubectl(&namespaces, "get", "namespaces")
	for _, n := range namespaces.Items {
		if n.Metadata.Name != "default" && !strings.HasPrefix(n.Metadata.Name, "kube-") {
			t.Errorf("namespace %s is left", n.Metadata.Name)
		}
	}
}

// configWith is a copy of the stack's configuration with one text in place of another.
func (b *box) configWith(t *testing.T, oldAndNew ...string) string {
	t.Helper()
	content, err := os.ReadFile("../Pulumi.prod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "Pulumi.prod.yaml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(oldAndNew...).Replace(string(content))), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
