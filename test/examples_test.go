package test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples runs each program of examples/ beside the production stack: it comes up, a second preview changes nothing, and
// it goes away whole.
func TestExamples(t *testing.T) {
	dirs, err := filepath.Glob("../examples/*/main.go")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	b := newBox(t)
	b.must("up")
	for _, main := range dirs {
		dir := filepath.Dir(main)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			must := func(args ...string) said {
				t.Helper()
				s := b.tryIn(dir, nil, append([]string{"pulumi"}, args...)...)
				if s.code != 0 {
					t.Fatalf("pulumi %s ended with %d:\n%s", strings.Join(args, " "), s.code, s.all())
				}
				return s
			}
			must("stack", "init", "dev")
			must("up", "--yes", "--skip-preview", "--stack", "dev")
			must("preview", "--expect-no-changes", "--stack", "dev")
			if filepath.Base(dir) == "redirects" {
				// A second stack would lead the name elsewhere, which is said before anything is made.
				must("stack", "init", "second")
				s := b.tryIn(dir, nil, "pulumi", "preview", "--stack", "second", "--config-file", "Pulumi.dev.yaml")
				if want := "has a record A of old.example.com already, which leads to old-alb-"; s.code == 0 || !strings.Contains(s.all(), want) {
					t.Errorf("the preview ended with %d and does not say %q:\n%s", s.code, want, s.all())
				}
				must("stack", "rm", "--yes", "--preserve-config", "second")
			}
			must("destroy", "--yes", "--skip-preview", "--stack", "dev")
		})
	}
}
