package test

import (
	"path/filepath"
	"testing"

	"github.com/slipway-iac/slipway/test/pipeline"
)

// teller hears the story of the pipeline as a test.
type teller struct {
	t      *testing.T
	points int
}

func (l *teller) Act(title string)        { l.t.Log(title) }
func (l *teller) Say(line string)         { l.t.Log(line) }
func (l *teller) Show(title, text string) {}

func (l *teller) Point(name, problem string) {
	l.points++
	l.t.Run(name, func(t *testing.T) {
		if problem != "" {
			t.Error(problem)
		}
	})
}

// TestPipeline plays the story that `make pipeline` shows: each workflow's steps against a sandbox, on the way of changes to production.
func TestPipeline(t *testing.T) {
	if out, err := command(); err != nil {
		t.Fatalf("the sandbox does not build: %v\n%s", err, out)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	l := &teller{t: t}
	if err := pipeline.Tell(t.Context(), pipeline.Stage{Root: root, Sandbox: filepath.Join(root, "bin", "sandbox"), Dir: t.TempDir()}, l); err != nil {
		t.Fatalf("the story broke off after %d points: %v", l.points, err)
	}
}
