package aws

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cron is a recurrence: the allowed minutes, hours, days of the month, months and days of the week.
type cron struct {
	sets [5][]int
	// anyDay and anyWeekday: the field is *, and the other one alone decides.
	anyDay, anyWeekday bool
}

var cronFields = [5]struct {
	name      string
	low, high int
	words     string
}{
	{"minute", 0, 59, ""},
	{"hour", 0, 23, ""},
	{"day of month", 1, 31, ""},
	{"month", 1, 12, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"},
	{"day of week", 0, 7, "SUN MON TUE WED THU FRI SAT"},
}

func parseCron(s string) (*cron, error) {
	words := strings.Fields(s)
	if len(words) != 5 {
		return nil, fmt.Errorf("it has %d fields, must have 5: minute, hour, day of month, month, day of week", len(words))
	}
	c := &cron{anyDay: words[2] == "*", anyWeekday: words[4] == "*"}
	for i, w := range words {
		for _, part := range strings.Split(w, ",") {
			set, err := cronPart(i, part)
			if err != nil {
				return nil, err
			}
			c.sets[i] = append(c.sets[i], set...)
		}
	}
	if slices.Contains(c.sets[4], 7) {
		c.sets[4] = append(c.sets[4], 0)
	}
	return c, nil
}

func cronPart(field int, part string) ([]int, error) {
	f := cronFields[field]
	bad := fmt.Errorf("%s is %q, must be %d to %d, as in 5, 1-5, 1,3 or */2", f.name, part, f.low, f.high)
	value := func(s string) (int, bool) {
		for i, w := range strings.Fields(f.words) {
			if strings.EqualFold(w, s) {
				return i + f.low, true
			}
		}
		n, err := strconv.Atoi(s)
		return n, err == nil && n >= f.low && n <= f.high
	}
	span, every, stepped := strings.Cut(part, "/")
	step := 1
	if stepped {
		n, err := strconv.Atoi(every)
		if err != nil || n < 1 {
			return nil, bad
		}
		step = n
	}
	low, high := f.low, f.high
	if span != "*" {
		from, to, ranged := strings.Cut(span, "-")
		var ok bool
		if low, ok = value(from); !ok {
			return nil, bad
		}
		if high = low; ranged {
			if high, ok = value(to); !ok || high < low {
				return nil, bad
			}
		} else if stepped {
			high = f.high
		}
	}
	var out []int
	for v := low; v <= high; v += step {
		out = append(out, v)
	}
	return out, nil
}

// next is the first time after t, in t's time zone, that fits; the zero time where there is none within eight years (the
// longest pause of February 29). A local time that clocks skip runs at the moment at which they do, one that comes twice runs the first
// time, as in Vixie cron; AWS only says that recurrences adjust to daylight saving.
func (c *cron) next(t time.Time) time.Time {
	year, month, day := t.Date()
	for d := range 8*366 + 1 {
		date := time.Date(year, month, day+d, 0, 0, 0, 0, time.UTC)
		if !c.fits(date) {
			continue
		}
		var first time.Time
		for _, hour := range c.sets[1] {
			for _, minute := range c.sets[0] {
				at, skipped := WallClock(date.Add(time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute), t.Location())
				if skipped != 0 {
					at, _ = at.ZoneBounds()
				}
				if at.After(t) && (first.IsZero() || at.Before(first)) {
					first = at
				}
			}
		}
		if !first.IsZero() {
			return first
		}
	}
	return time.Time{}
}

// WallClock is the moment at which clocks in zone show the date and time of local, whatever local's own zone. It is the first of
// two; where clocks skip it, shift is by how much, and the moment is that much later. time.Date leaves both open.
func WallClock(local time.Time, zone *time.Location) (at time.Time, shift time.Duration) {
	const layout = "2006-01-02T15:04:05"
	local = time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
	guess := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, zone)
	// No zone changes twice within so few hours, or by more.
	_, before := guess.Add(-4 * time.Hour).Zone()
	early := local.Add(-time.Duration(before) * time.Second).In(zone)
	switch want := local.Format(layout); {
	case early.Format(layout) == want:
		return early, 0
	case guess.Format(layout) == want:
		return guess, 0
	}
	_, after := guess.Add(4 * time.Hour).Zone()
	return early, time.Duration(after-before) * time.Second
}

func (c *cron) fits(date time.Time) bool {
	if !slices.Contains(c.sets[3], int(date.Month())) {
		return false
	}
	day, weekday := slices.Contains(c.sets[2], date.Day()), slices.Contains(c.sets[4], int(date.Weekday()))
	if c.anyDay || c.anyWeekday {
		return day && weekday
	}
	return day || weekday
}
