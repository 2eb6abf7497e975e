// Package progress tells a person what is being done, how far it is and how long it took.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// Step is one thing being done, shown on a line of its own: on a terminal the line is redrawn, elsewhere it is printed at
// the start, every half minute, and at the end.
type Step struct {
	out   io.Writer
	live  bool
	width func() int // of the terminal
	title string
	start time.Time

	mu     sync.Mutex
	done   int
	total  int
	stop   chan struct{}
	closed sync.WaitGroup
}

// Start begins a step. The hint says about how long it takes; "" where that is short.
func Start(title, hint string) *Step {
	s := &Step{out: os.Stderr, live: term.IsTerminal(int(os.Stderr.Fd())), width: terminalWidth, title: title}
	if hint != "" {
		s.title += " (" + hint + ")"
	}
	every := 30 * time.Second
	if s.live {
		every = 200 * time.Millisecond
	}
	s.begin(every)
	return s
}

// begin shows the step now and again and again, until End.
func (s *Step) begin(every time.Duration) {
	s.start, s.stop = time.Now(), make(chan struct{})
	if s.live {
		s.draw()
	} else {
		fmt.Fprintf(s.out, "· %s\n", s.title)
	}
	s.closed.Add(1)
	go func() {
		defer s.closed.Done()
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-s.stop:
				return
			case <-t.C:
				s.draw()
			}
		}
	}()
}

// At says how far the step is, of a total; a total of 0 means that it is not known.
func (s *Step) At(done, total int) {
	s.mu.Lock()
	s.done, s.total = done, total
	s.mu.Unlock()
}

// End closes the step: with a tick, or with a cross where err is not nil. It returns err.
func (s *Step) End(err error) error {
	close(s.stop)
	s.closed.Wait()
	mark := "✓"
	if err != nil {
		mark = "✗"
	}
	if s.live {
		fmt.Fprint(s.out, "\r\x1b[K")
	}
	fmt.Fprintf(s.out, "%s %s  %s\n", mark, s.title, took(time.Since(s.start)))
	return err
}

func (s *Step) draw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	far := fmt.Sprintf(" %s%s", bar(s.done, s.total), took(time.Since(s.start)))
	if s.live {
		// A line that wraps is not taken back by the next one: the title gives way.
		title := shortened("· "+s.title, s.width()-1-utf8.RuneCountInString(far))
		fmt.Fprint(s.out, "\r\x1b[K"+title+far)
		return
	}
	fmt.Fprintln(s.out, "· "+s.title+far)
}

func terminalWidth() int {
	width, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err != nil || width == 0 {
		return 80
	}
	return width
}

// shortened is s in at most n characters.
func shortened(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:max(0, n-1)]) + "…"
}

// bar draws how far a step is; "" where that is not known.
func bar(done, total int) string {
	const width = 24
	if total == 0 {
		return ""
	}
	full := min(width, done*width/total)
	return fmt.Sprintf("%s%s %d/%d ", strings.Repeat("█", full), strings.Repeat("░", width-full), done, total)
}

func took(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}
