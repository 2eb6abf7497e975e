package edge

import (
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

func weights(w ...int) []aws.Share {
	var out []aws.Share
	for i, n := range w {
		out = append(out, aws.Share{Group: string(rune('a' + i)), Weight: n})
	}
	return out
}

func taken(s *split, n int) map[string]int {
	got := map[string]int{}
	for range n {
		got[s.next()]++
	}
	return got
}

// Among as many requests as the weights add up to, each group gets exactly its weight, whichever the first of them is.
func TestSplitIsExact(t *testing.T) {
	for _, w := range [][]int{{1}, {90, 10}, {50, 50}, {999, 1}, {3, 0, 2}, {5, 3, 2, 7, 1}} {
		s := &split{}
		s.set(weights(w...))
		want := map[string]int{}
		sum := 0
		for _, share := range s.shares {
			if sum += share.Weight; share.Weight > 0 {
				want[share.Group] = share.Weight
			}
		}
		for range 3 {
			if got := taken(s, sum); !reflect.DeepEqual(got, want) {
				t.Errorf("weights %v: %v", w, got)
			}
		}
	}
}

func TestSplitSpreads(t *testing.T) {
	s := &split{}
	s.set(weights(4, 1))
	var row strings.Builder
	for range 10 {
		row.WriteString(s.next())
	}
	if row.String() != "aabaaaabaa" {
		t.Errorf("4 to 1 is handed out as %s: not as far apart as can be", &row)
	}
}

func TestSplitOfNothing(t *testing.T) {
	s := &split{}
	for _, w := range [][]aws.Share{nil, weights(0), weights(0, 0)} {
		s.set(w)
		if got := s.next(); got != "" {
			t.Errorf("weights %v: a request goes to %q", w, got)
		}
	}
}

// A change of the account that leaves the weights alone must not begin the round anew: a small share would never come.
func TestSplitGoesOnWhereItWas(t *testing.T) {
	s := &split{}
	got := map[string]int{}
	for range 10 {
		s.set(weights(9, 1))
		got[s.next()]++
	}
	if got["a"] != 9 || got["b"] != 1 {
		t.Errorf("with the same weights set before each request: %v", got)
	}
	s.set(weights(0, 1))
	if got := taken(s, 5); got["b"] != 5 {
		t.Errorf("after a change to 0 and 1: %v", got)
	}
}

func TestSplitForManyAtOnce(t *testing.T) {
	s := &split{}
	s.set(weights(7, 3))
	var mu sync.Mutex
	got := map[string]int{}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			mine := taken(s, 100)
			mu.Lock()
			defer mu.Unlock()
			for k, n := range mine {
				got[k] += n
			}
		})
	}
	all.Wait()
	if got["a"] != 700 || got["b"] != 300 {
		t.Errorf("ten clients at once get %v of 1000", got)
	}
}

func TestHeldGroup(t *testing.T) {
	s := &split{}
	s.set(weights(1, 0, 5))
	for cookie, want := range map[string]string{token("a"): "a", token("b"): "", token("c"): "c", token("gone"): "", "": ""} {
		if got := s.holds([]string{"other", cookie}); got != want {
			t.Errorf("cookie %q holds %q, want %q", cookie, got, want)
		}
	}
}
