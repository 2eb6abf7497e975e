package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Summary is a plan in words, a line an action: first the week, from Monday on, then what depends on the date, then what happens once.
func Summary(plan []Entry, timeZone string) []string {
	plan = slices.Clone(plan)
	slices.SortStableFunc(plan, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.order(), b.order()), cmp.Compare(a.Name, b.Name))
	})
	var widest, widestSize int
	for _, e := range plan {
		widest, widestSize = max(widest, utf8.RuneCountInString(e.when(timeZone))), max(widestSize, len(e.size()))
	}
	lines := make([]string, len(plan))
	for i, e := range plan {
		lines[i] = fmt.Sprintf("%-*s  %-*s  %s", widest, e.when(timeZone), widestSize, e.size(), e.Name)
	}
	return lines
}

const (
	everyWeek = iota
	someDates
	once
)

func (e Entry) rank() int {
	switch {
	case !e.Recurs():
		return once
	case e.cron.weekly():
		return everyWeek
	}
	return someDates
}

func (e Entry) order() int64 {
	if e.Recurs() {
		return int64(e.cron.firstOfWeek())
	}
	return e.From.Unix()
}

// minuteFormat is a date and a time as people read it.
const minuteFormat = "2006-01-02 15:04"

func (e Entry) when(timeZone string) string {
	if !e.Recurs() {
		return e.From.Format("Mon "+minuteFormat) + " " + timeZone
	}
	text := e.cron.words(e.Recurrence) + " " + timeZone
	if !e.From.IsZero() {
		text += " from " + e.From.Format(minuteFormat)
	}
	if !e.Until.IsZero() {
		text += " until " + e.Until.Format(minuteFormat)
	}
	return text
}

// Passed says of an action that is over when that was, for whoever has mistaken the date; nothing of one that only restores the base, or
// whose end is still to come.
func (e Entry) Passed(timeZone string, now time.Time) string {
	switch {
	case strings.HasSuffix(e.Path, ".end"), e.Until.After(now):
		return ""
	case e.Recurs():
		return fmt.Sprintf("%s (%s) has ended on %s %s: take it out, or correct its end", e.Path, e.Name, e.Until.Format("Mon "+minuteFormat), timeZone)
	}
	return fmt.Sprintf("%s (%s) has its start on %s %s, which has passed, so that Auto Scaling is not asked for it: take it out, or correct its start",
		e.Path, e.Name, e.From.Format("Mon "+minuteFormat), timeZone)
}

func (e Entry) size() string {
	var parts []string
	for _, part := range []struct {
		name string
		n    *int
	}{{"min", e.Min}, {"desired", e.Desired}, {"max", e.Max}} {
		if part.n != nil {
			parts = append(parts, fmt.Sprintf("%s %d", part.name, *part.n))
		}
	}
	return strings.Join(parts, " ")
}
