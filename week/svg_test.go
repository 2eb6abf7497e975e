package week

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/slipway-iac/slipway/calendar"
)

// TestNamesOfActionsDoNotOverlap, and none leaves the picture, however many there are and whenever they run.
func TestNamesOfActionsDoNotOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var runs []calendar.Run
		for i := range rapid.IntRange(0, 80).Draw(t, "runs") {
			at := time.Date(2026, 8, 3, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, weekMinutes-1).Draw(t, "minute")) * time.Minute)
			runs = append(runs, calendar.Run{At: at, Action: calendar.Action{Name: fmt.Sprint("a-rather-long-name-", i)}})
		}
		all, high, left := marks(runs)
		if len(all)+left != len(runs) {
			t.Fatalf("%d and %d of %d", len(all), left, len(runs))
		}
		for i, m := range all {
			if m.textX < m.x {
				t.Fatalf("%+v", m)
			}
			// What is a letter's height apart in the direction across the text.
			if i > 0 && (m.textX-all[i-1].textX)*svgSlope < 11 {
				t.Fatalf("%+v and %+v", all[i-1], m)
			}
			long := svgSlope * svgLetter * float64(len([]rune(m.text)))
			if m.textX+long > svgWidth || long > float64(high) {
				t.Fatalf("%+v ends outside", m)
			}
		}
	})
}

func TestStep(t *testing.T) {
	for top, want := range map[int]int{1: 1, 9: 1, 10: 2, 30: 5, 99: 10, 450: 50, 1000: 200} {
		if got := step(top); got != want {
			t.Errorf("%d: %d, want %d", top, got, want)
		}
	}
}
