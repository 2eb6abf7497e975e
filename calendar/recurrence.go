package calendar

import (
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// The top bit of a field tells that it is a star.
const star = 1 << 63

// anyYear repeats: after 28 years each date falls on the same day of the week again, until 2100.
const anyYear = 28 * 366

// recurrence is a crontab line, read in the schedule's time zone.
type recurrence struct{ *cron.SpecSchedule }

var fields = regexp.MustCompile(`^[0-9A-Za-z*,/-]+( +[0-9A-Za-z*,/-]+){4}$`)

// parseRecurrence takes what both EC2 Auto Scaling and crontab take, five fields, and says what is wrong otherwise. It
// leaves out what the parser adds on its own: "@daily", "TZ=…", "?".
func parseRecurrence(text string) (r recurrence, problem string) {
	const want = `five fields "minute hour day-of-month month day-of-week", like "0 20 * * 1-5"`
	if !fields.MatchString(text) {
		return r, fmt.Sprintf("is %q, must be %s", text, want)
	}
	f := strings.Fields(text)
	s, err := cron.ParseStandard(strings.Join(f[:4], " ") + " " + sundays(f[4]))
	if err != nil {
		return r, fmt.Sprintf("is %q, must be %s: %v", text, want, err)
	}
	r.SpecSchedule = s.(*cron.SpecSchedule)
	if strings.HasPrefix(f[2], "*/") && f[4] != "*" || strings.HasPrefix(f[4], "*/") && f[2] != "*" {
		return r, fmt.Sprintf("is %q, must not have a step in one of its day fields and something in the other: crons differ in whether that is \"and\" or \"or\"", text)
	}
	monday := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range anyYear {
		if r.onDay(monday.AddDate(0, 0, i)) {
			return r, ""
		}
	}
	return r, fmt.Sprintf("is %q, which no date ever is", text)
}

// sundays writes the 7 in a field of days of the week as 0: both are Sunday to crontab, and the parser knows the latter only.
func sundays(field string) string {
	parts := strings.Split(field, ",")
	for i, part := range parts {
		span, step, stepped := strings.Cut(part, "/")
		first, last, ranged := strings.Cut(span, "-")
		from, err := strconv.Atoi(first)
		by := 1
		if stepped && err == nil {
			by, err = strconv.Atoi(step)
		}
		switch {
		case err != nil || by < 1 || from > 7:
		case part == "7":
			parts[i] = "0"
		case ranged && last == "7":
			var days []string
			for day := from; day <= 7; day += by {
				days = append(days, strconv.Itoa(day%7))
			}
			parts[i] = strings.Join(days, ",")
		}
	}
	return strings.Join(parts, ",")
}

// onDay tells whether it runs on that date. As in crontab, a day of the month and a day of the week, both given, are an "or".
func (r recurrence) onDay(t time.Time) bool {
	dom, dow := r.Dom&(1<<t.Day()) != 0, r.Dow&(1<<t.Weekday()) != 0
	if r.Month&(1<<t.Month()) == 0 {
		return false
	}
	if r.Dom&star != 0 || r.Dow&star != 0 {
		return dom && dow
	}
	return dom || dow
}

// runsAt tells whether it runs in the minute of t.
func (r recurrence) runsAt(t time.Time) bool {
	return r.Minute&(1<<t.Minute()) != 0 && r.Hour&(1<<t.Hour()) != 0 && r.onDay(t)
}

// weekly tells whether every week is the same.
func (r recurrence) weekly() bool {
	return len(set(r.Month)) == 12 && len(set(r.Dom)) == 31 && r.Dom&star != 0
}

// meets is the first minute from..until at which both run, in the zone of from.
func (r recurrence) meets(other recurrence, from, until time.Time) (time.Time, bool) {
	hours, minutes := set(r.Hour&other.Hour), set(r.Minute&other.Minute)
	if len(hours) == 0 || len(minutes) == 0 {
		return time.Time{}, false
	}
	day := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, from.Location())
	for i := 0; i < anyYear && !day.After(until); i, day = i+1, day.AddDate(0, 0, 1) {
		if !r.onDay(day) || !other.onDay(day) {
			continue
		}
		for _, h := range hours {
			for _, m := range minutes {
				wall := time.Date(day.Year(), day.Month(), day.Day(), h, m, 0, 0, time.UTC)
				if t := moment(wall, day.Location()); !t.Before(from) && !t.After(until) {
					return t, true
				}
			}
		}
	}
	return time.Time{}, false
}

// words says when it runs, for people; what has no short words stays a crontab line.
func (r recurrence) words(text string) string {
	hours, minutes := set(r.Hour), set(r.Minute)
	if len(hours)*len(minutes) > 4 {
		return "cron " + text
	}
	var times []string
	for _, h := range hours {
		for _, m := range minutes {
			times = append(times, fmt.Sprintf("%02d:%02d", h, m))
		}
	}
	return r.days() + " " + strings.Join(times, ", ")
}

func (r recurrence) days() string {
	var all []string
	if r.Dom&star == 0 {
		all = append(all, "day "+strings.Join(runs(set(r.Dom), strconv.Itoa), ", "))
	}
	if r.Dow&star == 0 {
		all = append(all, daysOfWeek(r.Dow))
	}
	when := strings.Join(all, " or ")
	if when == "" {
		when = "every day"
	}
	if r.Month&star == 0 {
		when += " in " + strings.Join(runs(set(r.Month), func(i int) string { return time.Month(i).String()[:3] }), ", ")
	}
	return when
}

// firstOfWeek is the first minute of a week, from Monday 0:00, at which it may run.
func (r recurrence) firstOfWeek() int {
	return mondayFirst(r.Dow)[0]*24*60 + set(r.Hour)[0]*60 + set(r.Minute)[0]
}

// mondayFirst are the days of the week in a field, counted from Monday as 0.
func mondayFirst(field uint64) []int {
	days := set(field)
	for i, d := range days {
		days[i] = (d + 6) % 7
	}
	slices.Sort(days)
	return days
}

// set is the numbers in a field, in order.
func set(field uint64) (in []int) {
	for field &^= star; field != 0; field &= field - 1 {
		in = append(in, bits.TrailingZeros64(field))
	}
	return in
}

// runs puts numbers in words, three or more in a row as "from–to".
func runs(in []int, word func(int) string) (out []string) {
	for i := 0; i < len(in); {
		j := i
		for j+1 < len(in) && in[j+1] == in[j]+1 {
			j++
		}
		switch {
		case j-i >= 2:
			out = append(out, word(in[i])+"–"+word(in[j]))
		case j-i == 1:
			out = append(out, word(in[i]), word(in[j]))
		default:
			out = append(out, word(in[i]))
		}
		i = j + 1
	}
	return out
}
