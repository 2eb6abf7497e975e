package progress

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// screen may be drawn to by a step while a test reads it.
type screen struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func begun(live bool, width int, title string) (*Step, *screen) {
	out := &screen{}
	s := &Step{out: out, live: live, width: func() int { return width }, title: title}
	s.begin(time.Hour) // the tests draw by themselves
	return s, out
}

func TestInALog(t *testing.T) {
	s, out := begun(false, 0, "building")
	s.At(3, 12)
	s.draw()
	if err := s.End(nil); err != nil {
		t.Error(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || lines[0] != "· building" || !strings.Contains(lines[1], "██████░░░░░░░░░░░░░░░░░░ 3/12 ") || !strings.HasPrefix(lines[2], "✓ building  ") {
		t.Errorf("got %q", lines)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("a log with control characters: %q", out)
	}
}

func TestAFailureIsMarkedAndKept(t *testing.T) {
	s, out := begun(false, 0, "building")
	failed := errors.New("no room")
	if err := s.End(failed); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(out.String(), "\n✗ building") {
		t.Errorf("got %q", out)
	}
}

// A terminal that wraps a line takes back only its last part: the screen would fill with the rest.
func TestALiveLineNeverWraps(t *testing.T) {
	for _, width := range []int{20, 60, 80, 200} {
		s, out := begun(true, width, strings.Repeat("a long title ", 9))
		s.At(1234, 2345)
		s.draw()
		for _, drawn := range strings.Split(out.String(), "\r\x1b[K") {
			if n := utf8.RuneCountInString(drawn); width >= 60 && n >= width {
				t.Errorf("%d characters on a terminal of %d: %q", n, width, drawn)
			}
		}
		if !strings.Contains(out.String(), "1234/2345") {
			t.Errorf("how far it is has no room on a terminal of %d: %q", width, out)
		}
		if err := s.End(nil); err != nil {
			t.Error(err)
		}
	}
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		done, total int
		want        string
	}{
		{5, 0, ""},
		{0, 4, "░░░░░░░░░░░░░░░░░░░░░░░░ 0/4 "},
		{2, 4, "████████████░░░░░░░░░░░░ 2/4 "},
		{5, 4, "████████████████████████ 5/4 "},
	} {
		if got := bar(c.done, c.total); got != c.want {
			t.Errorf("%d of %d: %q, want %q", c.done, c.total, got, c.want)
		}
	}
}

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{1234 * time.Millisecond: "1.2s", 59 * time.Second: "59.0s", 61400 * time.Millisecond: "1m1s"} {
		if got := took(d); got != want {
			t.Errorf("%s is said as %q, want %q", d, got, want)
		}
	}
}
