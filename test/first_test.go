package test

import (
	"strings"
	"testing"
)

// TestRepositoriesComeFirst: before there are images, the stack makes the repositories alone; then all the rest, and it does
// not go back by a slip of the configuration.
func TestRepositoriesComeFirst(t *testing.T) {
	b := newBox(t)
	only := b.configWith(t, "config:\n", "config:\n  slipway:repositoriesOnly: true\n")
	b.must("pulumi", "stack", "select", "--create", "prod")
	up := func(config string) said {
		return b.try("pulumi", "up", "--yes", "--skip-preview", "--stack", "prod", "--config-file", config)
	}
	if s := up(only); s.code != 0 || !strings.Contains(s.out, "/thoughts_server") {
		t.Fatalf("exit code %d:\n%s", s.code, s.all())
	}
	if got := b.must("status").out; !strings.Contains(got, "3 aws:ecr/repository:Repository") || strings.Contains(got, "aws:ec2/vpc:Vpc") {
		t.Errorf("the account holds:\n%s", got)
	}
	if s := up("Pulumi.prod.yaml"); s.code != 0 {
		t.Fatalf("exit code %d:\n%s", s.code, s.all())
	}
	if s := up(only); s.code == 0 || !strings.Contains(s.all(), "protect") {
		t.Errorf("the configuration for the first run took the system away, exit code %d:\n%s", s.code, s.all())
	}
}
