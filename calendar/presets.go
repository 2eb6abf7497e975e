package calendar

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-iac/slipway/internal/check"
)

// OfficeHours keeps the group at Base by day from Monday to Friday, and at Size for the rest of the week.
type OfficeHours struct {
	// From is when Base is there, from Monday to Friday: "07:00". Required. Nodes need some minutes until they run pods: choose it
	// before people come.
	From string `pulumi:"from"`
	// Until is when it goes on the same days, later than From: "20:00". Required.
	Until string `pulumi:"until"`
	// Size outside of these hours. Required. With 0 nodes nothing runs.
	Size Size `pulumi:"size"`
}

// Nights takes the group to Size every night, and back to Base in the morning. Together with Weekends it leaves out the
// evenings and mornings that fall into the weekend.
type Nights struct {
	// DownAt is when the night begins, "20:00". Required.
	DownAt string `pulumi:"downAt"`
	// UpAt is when Base is back, "07:00"; earlier in the day than DownAt means the day after. Required. Nodes need some
	// minutes until they run pods: choose it before people come.
	UpAt string `pulumi:"upAt"`
	// Size at night. Required. With 0 nodes nothing runs.
	Size Size `pulumi:"size"`
}

// Weekends takes the group to Size once a week for some days, and back to Base after.
type Weekends struct {
	// From is when the weekend begins, a day and a time: "Fri 20:00". Required.
	From string `pulumi:"from"`
	// Until is when Base is back: "Mon 07:00". Required. With Nights it must not lie inside a night.
	Until string `pulumi:"until"`
	// Size at the weekend. Required. With 0 nodes nothing runs.
	Size Size `pulumi:"size"`
}

const (
	day  = 24 * 60
	week = 7 * day
)

// preset is an action that OfficeHours, Nights or Weekends makes, and the argument that asked for it.
type preset struct {
	path   string
	action Action
}

// presets are the actions of OfficeHours, or of Nights and Weekends. No two of them fall on the same minute, and none undoes the other: what
// Nights would do during the weekend is left out.
func (s Schedule) presets(p *check.Problems) (out []preset) {
	add := func(path, name string, minute int, days []int, to Size) {
		if len(days) > 0 {
			a := Action{Name: name, Recurrence: fmt.Sprintf("%d %d * * %s", minute%60, minute%day/60, cronDays(days)), Min: &to.Min, Max: &to.Max, Desired: &to.Desired}
			out = append(out, preset{path, a})
		}
	}
	if o := s.OfficeHours; o != nil {
		begin, okBegin := dayMinute(p, "officeHours.from", o.From)
		end, okEnd := dayMinute(p, "officeHours.until", o.Until)
		if okBegin && okEnd && end <= begin {
			p.Addf("officeHours.until", "is %q, must be later in the day than officeHours.from (%s)", o.Until, o.From)
		}
		if s.Nights != nil || s.Weekends != nil {
			p.Addf("officeHours", "must be left out beside nights and weekends: both say when the group is smaller")
		}
		if checkSize(p.At("officeHours.size"), o.Size) && okBegin && okEnd {
			weekdays := []int{1, 2, 3, 4, 5}
			add("officeHours", "office-hours-begin", begin, weekdays, s.Base)
			add("officeHours", "office-hours-over", end, weekdays, o.Size)
		}
	}
	from, until, free := 0, 0, s.Weekends != nil
	if w := s.Weekends; w != nil {
		var okFrom, okUntil bool
		from, okFrom = weekMinute(p, "weekends.from", w.From)
		until, okUntil = weekMinute(p, "weekends.until", w.Until)
		okSize := checkSize(p.At("weekends.size"), w.Size)
		if okFrom && okUntil && from == until {
			p.Addf("weekends.until", "is %q, must differ from weekends.from", w.Until)
		}
		free = okFrom && okUntil && okSize
	}
	if n := s.Nights; n != nil {
		down, okDown := dayMinute(p, "nights.downAt", n.DownAt)
		up, okUp := dayMinute(p, "nights.upAt", n.UpAt)
		if checkSize(p.At("nights.size"), n.Size) && okDown && okUp {
			if down == up {
				p.Addf("nights.upAt", "is %q, must differ from nights.downAt", n.UpAt)
			}
			if m := until % day; free && inside(m, down, up, day) {
				p.Addf("weekends.until", "is %q, must not lie inside a night (%s to %s): the nodes would come back in the middle of it", s.Weekends.Until, n.DownAt, n.UpAt)
			}
			var downs, ups []int
			for d := range 7 {
				if !free || !inside(d*day+down, from, until, week) {
					downs = append(downs, d)
				}
				// The minute at which the weekend begins, and that at which it ends, are the weekend's own.
				if m := d*day + up; !free || !inside(m, from, until, week) && m != until {
					ups = append(ups, d)
				}
			}
			add("nights", "nights-down", down, downs, n.Size)
			add("nights", "nights-up", up, ups, s.Base)
		}
	}
	if free {
		add("weekends", "weekends-down", from, []int{from / day}, s.Weekends.Size)
		add("weekends", "weekends-up", until, []int{until / day}, s.Base)
	}
	return out
}

// inside tells whether m lies in from..until, with from and without until, going round at the end of the period.
func inside(m, from, until, period int) bool {
	length := (until - from + period) % period
	return (m-from+period)%period < length
}

var clockTime = regexp.MustCompile(`^([01][0-9]|2[0-3]):([0-5][0-9])$`)

func dayMinute(p *check.Problems, path, text string) (int, bool) {
	if text == "" {
		p.Required(path, false, `"07:00"`)
		return 0, false
	}
	m := clockTime.FindStringSubmatch(text)
	if m == nil {
		p.Addf(path, `is %q, must be a time of day, 00:00 to 23:59`, text)
		return 0, false
	}
	h, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	return h*60 + minute, true
}

// weekMinute counts from Sunday 0:00, as crontab does.
func weekMinute(p *check.Problems, path, text string) (int, bool) {
	if text == "" {
		p.Required(path, false, `"Fri 20:00"`)
		return 0, false
	}
	name, at, _ := strings.Cut(text, " ")
	for d := range 7 {
		if time.Weekday(d).String()[:3] == name && clockTime.MatchString(at) {
			m, _ := dayMinute(p, path, at)
			return d*day + m, true
		}
	}
	p.Addf(path, `is %q, must be a day and a time, "Mon 00:00" to "Sun 23:59"`, text)
	return 0, false
}

// cronDays are days of the week, 0 for Sunday, as crontab has them.
func cronDays(days []int) string {
	if len(days) == 7 {
		return "*"
	}
	if n := len(days); n > 1 && days[n-1]-days[0] == n-1 {
		return fmt.Sprintf("%d-%d", days[0], days[n-1])
	}
	var out []string
	for _, d := range slices.Sorted(slices.Values(days)) {
		out = append(out, strconv.Itoa(d))
	}
	return strings.Join(out, ",")
}
