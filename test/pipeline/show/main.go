// Command show tells the story of the pipeline on a terminal; the exit code is 1 where a point does not hold.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/slipway-iac/slipway/test/pipeline"
)

// terminal shows the story, and keeps its points for the table at the end.
type terminal struct {
	acts   int
	points []point
	began  time.Time
}

type point struct {
	act           int
	name, problem string
}

func (t *terminal) Act(title string) {
	t.acts++
	head := fmt.Sprintf("%d  %s", t.acts, title)
	fmt.Printf("\n%s\n%s\n", head, strings.Repeat("═", len([]rune(head))))
}

func (t *terminal) Say(line string) { fmt.Printf("· %s\n", line) }

func (t *terminal) Show(title, text string) {
	fmt.Printf("\n  ┌ %s\n", title)
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		fmt.Printf("  │ %s\n", line)
	}
	fmt.Printf("  └\n\n")
}

func (t *terminal) Point(name, problem string) {
	t.points = append(t.points, point{t.acts, name, problem})
	if problem == "" {
		fmt.Printf("✓ %s\n", name)
		return
	}
	fmt.Printf("✗ %s\n    %s\n", name, strings.ReplaceAll(problem, "\n", "\n    "))
}

// table is what was shown.
func (t *terminal) table() (failed int) {
	fmt.Printf("\nWhat was shown, in %s\n\n", time.Since(t.began).Round(time.Second))
	for _, p := range t.points {
		state := "ok    "
		if p.problem != "" {
			state, failed = "FAILED", failed+1
		}
		fmt.Printf("  %s  %d  %s\n", state, p.act, p.name)
	}
	return failed
}

func main() {
	os.Exit(show())
}

func show() int {
	keep := flag.Bool("keep", false, "keep the folder with the runs' logs and the sandbox")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root, err := os.Getwd()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		return 1
	}
	dir, err := os.MkdirTemp("", "slipway-pipeline-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		return 1
	}
	t := &terminal{began: time.Now()}
	err = pipeline.Tell(ctx, pipeline.Stage{Root: root, Sandbox: filepath.Join(root, "bin", "sandbox"), Dir: dir}, t)
	failed := t.table()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pipeline: the story broke off:", err)
	}
	if failed > 0 || err != nil || *keep {
		fmt.Fprintln(os.Stderr, "pipeline: everything is kept in", dir)
	} else if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "pipeline:", err)
	}
	if failed > 0 || err != nil {
		return 1
	}
	return 0
}
