package calendar

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRecurrencesThatAreRefused(t *testing.T) {
	const want = `, must be five fields "minute hour day-of-month month day-of-week", like "0 20 * * 1-5"`
	for text, more := range map[string]string{
		"@daily":                      want,
		"0 20 * *":                    want,
		"0 0 20 * * 1":                want,
		"TZ=UTC 0 20 * * 1":           want,
		"0 20 ? * 1":                  want,
		"0 20 * * 1\n0 20 * * 2":      want,
		"60 20 * * 1":                 want + ": end of range (60) above maximum (59): 60",
		"0 20 * * 8":                  want + ": end of range (8) above maximum (6): 8",
		"0 20 * * 8-7":                want + ": end of range (7) above maximum (6): 8-7",
		"0 20 * * 5-7/0":              want + ": end of range (7) above maximum (6): 5-7/0",
		"0 20 L * *":                  want + `: failed to parse int from L: strconv.Atoi: parsing "L": invalid syntax`,
		"0 20 */2 * 1":                `: crons differ in whether that is "and" or "or"`,
		"0 20 30 2 *":                 ", which no date ever is",
		"0 20 29 2 *":                 "",
		"0 20 * * MON-FRI":            "",
		"*/15 8-18,20 1,15 jan-mar *": "",
	} {
		_, got := parseRecurrence(text)
		if more != "" && !strings.HasSuffix(got, more) || more == "" && got != "" {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// As crontab has it: a day of the month and a day of the week, both given, are two chances.
func TestDays(t *testing.T) {
	for text, want := range map[string]string{
		"0 0 * * *":     "1 2 7 8",
		"0 0 2 * *":     "2",
		"0 0 * * 1":     "1 8",
		"0 0 2,7 * 1":   "1 2 7 8",
		"0 0 2 8 1":     "",
		"0 0 * 7 0":     "7",
		"0 0 1-7 jul *": "1 2 7",
		"0 0 * * 7":     "7",
		"0 0 * * 2,7":   "2 7",
		"0 0 * * 5-7":   "7",
		"0 0 * * 1-7/3": "1 7 8",
		"0 0 * * 1-7/2": "1 7 8",
		"0 0 * * 0-7":   "1 2 7 8",
	} {
		r, problem := parseRecurrence(text)
		if problem != "" {
			t.Fatal(problem)
		}
		var got []string
		for _, d := range []int{1, 2, 7, 8} {
			// 1 July 2024 is a Monday.
			if r.onDay(time.Date(2024, 7, d, 0, 0, 0, 0, time.UTC)) {
				got = append(got, strconv.Itoa(d))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s runs on %v, want %s", text, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"0 20 * * 1-5":       "Mon–Fri 20:00",
		"30 7 * * *":         "every day 07:30",
		"0 8 * * 6,0":        "Sat, Sun 08:00",
		"0 8,18 * * 0,1,2,4": "Mon, Tue, Thu, Sun 08:00, 18:00",
		"0 6 1 * *":          "day 1 06:00",
		"0 6 1,15 * 1":       "day 1, 15 or Mon 06:00",
		"0 6 */10 * *":       "day 1, 11, 21, 31 06:00",
		"0 6 24-26 12 *":     "day 24–26 in Dec 06:00",
		"0 6 * 1-3,11 1":     "Mon in Jan–Mar, Nov 06:00",
		"*/5 8-20 * * 1-5":   "cron */5 8-20 * * 1-5",
	} {
		r, problem := parseRecurrence(text)
		if problem != "" {
			t.Fatal(problem)
		}
		if got := r.words(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// Two recurrences meet where a walk through the minutes finds them, and nowhere else.
func TestMeetsIsWhatAWalkThroughTheYearFinds(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	field := func(all ...string) *rapid.Generator[string] { return rapid.SampledFrom(all) }
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.Join([]string{
			field("0", "30", "*/30").Draw(t, "minute"), field("20", "7", "*/6").Draw(t, "hour"), field("*", "1", "13", "1,29-31").Draw(t, "dom"),
			field("*", "2", "6-9").Draw(t, "month"), field("*", "1-5", "5", "0,6").Draw(t, "dow"),
		}, " ")
	})
	from := time.Date(2026, 11, 22, 12, 0, 0, 0, zone)
	until := from.AddDate(1, 0, 0)
	rapid.Check(t, func(t *rapid.T) {
		one, two := text.Draw(t, "one"), text.Draw(t, "two")
		a, problem := parseRecurrence(one)
		b, other := parseRecurrence(two)
		if problem+other != "" {
			t.Fatal(problem, other)
		}
		got, meet := a.meets(b, from, until)
		var want time.Time
		for m := from; !m.After(until); m = m.Add(30 * time.Minute) {
			if a.runsAt(m) && b.runsAt(m) {
				want = m
				break
			}
		}
		if meet == want.IsZero() || meet && !got.Equal(want) {
			t.Fatalf("%q and %q meet at %v, want %v", one, two, got, want)
		}
	})
}
