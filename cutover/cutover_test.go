package cutover

import (
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/internal/check"
)

func TestStages(t *testing.T) {
	for text, want := range map[string][2]int{
		"legacy": {100, 0}, "canary 1": {99, 1}, "canary 50": {50, 50}, "split 99": {1, 99}, "drain-legacy": {0, 100}, "done": {0, 100},
	} {
		s, err := ParseStage(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if old, new := s.Weights(); old != want[0] || new != want[1] || s.String() != text || s.Ended() != (text == "done") {
			t.Errorf("%q is %s with weights %d and %d, ended %v", text, s, old, new, s.Ended())
		}
	}
	for _, text := range []string{"", "Legacy", "legacy 1", "canary", "canary 0", "canary 51", "canary 07", "canary +7", "canary  7", "split 100", "split 1.5", "done ", "drain-legacy 10", "ready"} {
		if s, err := ParseStage(text); err == nil || !strings.Contains(err.Error(), stageSays) {
			t.Errorf("%q became %s, %v", text, s, err)
		}
	}
}

// Every step is allowed but the one that takes away a system that has requests.
func TestSteps(t *testing.T) {
	all := []string{"legacy", "canary 10", "split 50", "drain-legacy", "done"}
	for _, from := range all {
		for _, to := range all {
			a, err := ParseStage(from)
			if err != nil {
				t.Fatal(err)
			}
			b, err := ParseStage(to)
			if err != nil {
				t.Fatal(err)
			}
			had, _ := a.Weights()
			refused := to == "done" && from != "done" && from != "drain-legacy"
			if err := b.Step(had); (err != nil) != refused || refused && !strings.Contains(err.Error(), `move to stage "drain-legacy" first`) {
				t.Errorf("from %s to %s: %v", from, to, err)
			}
		}
	}
}

func TestEveryProblemOfAMigration(t *testing.T) {
	var p check.Problems
	(&Migration{
		Stage: "canary 90", Routes: map[string]string{"frontend": "half", "nobody": "done"}, Force: "yes",
		Old: Old{
			Addresses: []string{"10.0.0.1", "legacy", "10.0.0.1", "::1"}, DnsName: "Legacy.example.com", Port: 70000,
			HealthCheckPath: "up", HealthCheckCodes: "200-300-400", HostHeader: "a\nb",
		},
	}).Checked(p.At("migration"), []string{"frontend"})
	(&Migration{}).Checked(p.At("other"), nil)
	want := `x "y" has 15 invalid argument(s):
  migration.stage is "canary 90", must be ` + stageSays + `
  migration.routes["frontend"] is "half", must be ` + stageSays + `
  migration.routes["nobody"] is for a route that there is not: the routes are [frontend]
  migration.force is "yes", must be one of "skip-drain"
  migration.old.dnsName is "Legacy.example.com", must be left out when addresses are given
  migration.old.addresses[1] is "legacy", must be an IPv4 address, like "10.0.0.10"
  migration.old.addresses[3] is "::1", must be an IPv4 address, like "10.0.0.10"
  migration.old.addresses[2] is "10.0.0.1", the same as migration.old.addresses[0]
  migration.old.dnsName is "Legacy.example.com", must be a DNS name in lower case without a dot at the end, like "legacy.example.com"
  migration.old.hostHeader is "a\nb", must be a DNS name in lower case without a dot at the end, like "www.example.com"
  migration.old.port is 70000, must be 1 to 65535
  migration.old.healthCheckPath is "up", must be a path that begins with "/", without spaces
  migration.old.healthCheckCodes is "200-300-400", must be codes of 200 to 499, like "200", "200,204" or "200-399"
  other.stage is required, for example "legacy"
  other.old.addresses is required (or dnsName), for example [10.0.0.10]: where the old system answers`
	if got := p.Err("x", "y").Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestARouteMayBeFurther(t *testing.T) {
	m := Migration{Stage: "done", Routes: map[string]string{"api": "split 30"}, Old: Old{Addresses: []string{"10.0.0.1"}}}
	var p check.Problems
	checked := m.Checked(&p, []string{"api", "web"})
	if !p.None() || checked.Old.Port != 80 || checked.Old.HealthCheckPath != "/" || checked.Old.HealthCheckCodes != "200-399" {
		t.Fatalf("got %+v, %v", checked, p.Err("x", "y"))
	}
	if checked.At("api").String() != "split 30" || checked.At("web").String() != "done" || checked.Ended([]string{"api", "web"}) || !checked.Ended([]string{"web"}) {
		t.Errorf("got %s and %s", checked.At("api"), checked.At("web"))
	}
}
