package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Week is the sizes of one week. It begins with the first change after Monday 0:00 and ends with the first one after the next, so
// that no interval is cut in two; where nothing changes, at Monday 0:00 itself.
type Week struct {
	// Name says which: "a usual week", "the week of 29 Mar 2027, when clocks go forward", "the week of 23 Nov 2026".
	Name string
	// Intervals of the week, without a gap.
	Intervals []Interval
	// Runs are the actions that run in it, in time order, also those that change nothing.
	Runs []Run
}

// Run is one time that an action runs.
type Run struct {
	// At is when, in the schedule's zone.
	At time.Time
	// Action that runs.
	Action Action
}

// NodeHours is the desired number of nodes times the hours that it holds.
func (w Week) NodeHours() (sum float64) {
	for _, i := range w.Intervals {
		sum += float64(i.Size.Desired) * i.Hours()
	}
	return sum
}

// Weeks are what there is to know of the year that follows at: first a usual week, of what recurs every week and has begun; then the weeks in
// which clocks change; then each week that dates make different from all before it.
func (s Schedule) Weeks(at time.Time) ([]Week, error) {
	plan, zone, err := s.entries()
	if err != nil {
		return nil, err
	}
	monday := civil(at.In(zone)).Truncate(24 * time.Hour)
	for monday.Weekday() != time.Monday {
		monday = monday.AddDate(0, 0, 1)
	}
	const weeks = 53
	begin := func(w int) time.Time { return moment(monday.AddDate(0, 0, 7*w), zone) }

	always := slices.DeleteFunc(slices.Clone(plan), func(e Entry) bool {
		return !e.Recurs() || !e.cron.weekly() || e.From.After(at) || !e.Until.IsZero()
	})
	quiet := 0
	for quiet < weeks && (clocks(begin(quiet), begin(quiet+1)) != "" || clocks(begin(quiet+1), begin(quiet+2)) != "") {
		quiet++
	}
	usual := weekOf("a usual week", always, intervals(always, s.Base, begin(quiet), begin(quiet+2)), begin(quiet), begin(quiet+1))
	known := map[string]bool{pattern(usual): true}

	year := intervals(plan, s.Base, begin(0), begin(weeks+1))
	var changes, others []Week
	for w := range weeks {
		one := weekOf("the week of "+begin(w).Format("2 Jan 2006"), plan, year, begin(w), begin(w+1))
		if how := clocks(begin(w), begin(w+1)); how != "" {
			one.Name += ", when clocks go " + how
			changes = append(changes, one)
			continue
		}
		if p := pattern(one); !known[p] {
			known[p] = true
			others = append(others, one)
		}
	}
	return slices.Concat([]Week{usual}, changes, others), nil
}

// clocks is how they change from..until: "forward", "back", or "".
func clocks(from, until time.Time) string {
	_, before := from.Zone()
	_, after := until.Zone()
	switch {
	case after > before:
		return "forward"
	case after < before:
		return "back"
	}
	return ""
}

// weekOf is what all has from the first change after monday to the first one after next; all ends a week after next.
func weekOf(name string, plan []Entry, all []Interval, monday, next time.Time) Week {
	week := Week{Name: name}
	from, until := firstChange(all, monday, next), firstChange(all, next, next.AddDate(0, 0, 7))
	for _, i := range all {
		if !i.Until.After(from) || !i.From.Before(until) {
			continue
		}
		if i.From.Before(from) {
			i.From = from
		}
		if i.Until.After(until) {
			i.Until = until
		}
		week.Intervals = append(week.Intervals, i)
	}
	for _, r := range runsOf(plan, from, until) {
		week.Runs = append(week.Runs, Run{At: r.at, Action: r.does})
	}
	return week
}

func firstChange(all []Interval, from, until time.Time) time.Time {
	for n, i := range all {
		// The first interval begins where somebody began to look.
		if n > 0 && !i.From.Before(from) && i.From.Before(until) {
			return i.From
		}
	}
	return from
}

// pattern tells weeks apart by what happens at which time of the week.
func pattern(w Week) string {
	var b strings.Builder
	for _, i := range w.Intervals {
		fmt.Fprintln(&b, i.From.Format(weekMinuteFormat), i.Until.Format(weekMinuteFormat), i.Size)
	}
	return b.String()
}

const weekMinuteFormat = "Mon 15:04"

// Describe says when the intervals of a week are, for people: "Mon–Fri 20:00 to 06:30", "Fri 20:00 to Mon 06:30".
func Describe(all []Interval) string {
	type span struct{ from, until string }
	var order []span
	days := map[span]uint64{}
	for _, i := range all {
		if i.Hours() >= 7*24-1 {
			return "all week"
		}
		s := span{i.From.Format("15:04"), i.Until.Format("15:04")}
		if i.Hours() > 24 {
			s = span{i.From.Format(weekMinuteFormat), i.Until.Format(weekMinuteFormat)}
		}
		if _, seen := days[s]; !seen {
			order = append(order, s)
		}
		days[s] |= 1 << i.From.Weekday()
	}
	var out []string
	for _, s := range order {
		text := s.from + " to " + s.until
		if len(s.from) == len("15:04") {
			on := "every day"
			if days[s] != 1<<7-1 {
				on = daysOfWeek(days[s])
			}
			text = on + " " + text
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func daysOfWeek(field uint64) string {
	return strings.Join(runs(mondayFirst(field), func(i int) string { return time.Weekday((i + 1) % 7).String()[:3] }), ", ")
}
