package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// bar shows how many bytes are copied: on a terminal a line that is redrawn, elsewhere a line at the start, every half minute
// and at the end.
type bar struct {
	out  io.Writer
	live bool

	mu          sync.Mutex
	done, total int64
	start       time.Time
	stop        chan struct{}
	closed      sync.WaitGroup
}

func newBar(out io.Writer) *bar {
	f, ok := out.(*os.File)
	return &bar{out: out, live: ok && term.IsTerminal(int(f.Fd()))}
}

func (b *bar) add(n int64) {
	b.mu.Lock()
	b.done += n
	b.mu.Unlock()
}

func (b *bar) begin(total int64) {
	b.total, b.start, b.stop = total, time.Now(), make(chan struct{})
	every := 30 * time.Second
	if b.live {
		every = 200 * time.Millisecond
	} else {
		fmt.Fprintln(b.out, "· copying")
	}
	b.closed.Go(func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-b.stop:
				return
			case <-t.C:
				b.draw()
			}
		}
	})
}

func (b *bar) draw() {
	b.mu.Lock()
	defer b.mu.Unlock()
	line := fmt.Sprintf("· copying %s%s of %s  %s", filled(b.done, b.total), size(b.done), size(b.total), time.Since(b.start).Round(time.Second))
	if b.live {
		fmt.Fprint(b.out, "\r\x1b[K"+line)
		return
	}
	fmt.Fprintln(b.out, line)
}

// end closes what begin opened, and returns err.
func (b *bar) end(err error) error {
	close(b.stop)
	b.closed.Wait()
	mark := "✓"
	if err != nil {
		mark = "✗"
	}
	if b.live {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
	fmt.Fprintf(b.out, "%s copied %s  %.1fs\n", mark, size(b.done), time.Since(b.start).Seconds())
	return err
}

func filled(done, total int64) string {
	const width = 24
	if total <= 0 {
		return ""
	}
	full := int(min(width, max(0, done*width/total)))
	return strings.Repeat("█", full) + strings.Repeat("░", width-full) + " "
}

func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
}
