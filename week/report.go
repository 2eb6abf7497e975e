package week

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/capacity"
)

// Options of Look.
type Options struct {
	// Now is the time from which the year's weeks are looked for; default the clock's.
	Now time.Time
	// Hour is the price of a node's hour in US dollars, and Source where it comes from; default 0, which says nothing of money.
	Hour   float64
	Source string
}

// Report is a stack's week.
type Report struct {
	stack *Stack
	zone  string
	weeks []calendar.Week
	// plan has the weeks' intervals with what fits; nil where the stack does not say enough.
	plan *capacity.Report
	// unread is why there is no plan.
	unread []string
	// fewest nodes that hold the minimum and the maximum of pods for certain; 0 where that is not known.
	fewestMin, fewestMax int
	podsMin, podsMax     int
	hour                 float64
	source               string
}

// The hours of a usual week, and of a month as AWS's price pages count them.
const (
	hoursPerWeek  = 168.0
	hoursPerMonth = 730.0
)

// Look works out the week. An error is about the schedule: then there is no week.
func Look(s *Stack, o Options) (*Report, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	weeks, err := s.Schedule.Weeks(o.Now)
	if err != nil {
		return nil, err
	}
	r := &Report{stack: s, zone: s.Schedule.TimeZone, weeks: weeks, unread: s.Unread, hour: o.Hour, source: o.Source}
	if r.zone == "" {
		r.zone = "Etc/UTC"
	}
	if len(r.unread) > 0 {
		return r, nil
	}
	in := s.Capacity
	in.Weeks, in.TimeZone = weeks, r.zone
	if r.plan, err = capacity.Plan(in); err != nil {
		r.unread = strings.Split(err.Error(), "\n")
		return r, nil
	}
	for _, a := range in.Apps {
		r.podsMin, r.podsMax = r.podsMin+a.Min, r.podsMax+max(a.Min, a.Max)
	}
	r.fewestMin, r.fewestMax = fewest(in, capacity.Minimum, 1), 0
	if r.fewestMin > 0 {
		r.fewestMax = fewest(in, capacity.Maximum, r.fewestMin)
	}
	return r, nil
}

// mostTried is up to how many nodes are tried, so that a week takes no minutes.
const mostTried = 60

// fewest is how many nodes of the scheduled group hold a load for certain; 0 if that is more than mostTried.
func fewest(in capacity.Input, l capacity.Load, from int) int {
	for n := from; n <= mostTried; n++ {
		scenes, err := in.Scenes(l, calendar.Size{Min: n, Max: n, Desired: n})
		if err != nil {
			return 0
		}
		certain := true
		for _, s := range scenes {
			v, _ := s.Judge()
			certain = certain && v == capacity.Certain
		}
		if certain {
			return n
		}
	}
	return 0
}

// hours are the node-hours of a usual week with the schedule, and with its base all week.
func (r *Report) hours() (with, without float64) {
	return r.weeks[0].NodeHours(), float64(r.stack.Schedule.Base.Desired) * hoursPerWeek
}

// saved is the difference in words: "28% less".
func saved(with, without float64) string {
	if without == 0 {
		return "where there would be none"
	}
	switch percent := (with - without) / without * 100; {
	case percent <= -0.05:
		return fmt.Sprintf("%.1f%% less", -percent)
	case percent >= 0.05:
		return fmt.Sprintf("%.1f%% more", percent)
	}
	return "no difference"
}

func month(nodeHours, hour float64) float64 { return nodeHours / hoursPerWeek * hoursPerMonth * hour }

// facts are the lines below the table.
func (r *Report) facts() (lines []string) {
	with, without := r.hours()
	lines = append(lines, fmt.Sprintf("Node-hours a week: %s, without the schedule %s: %s.", plainNumber(with), plainNumber(without), saved(with, without)))
	if r.hour > 0 {
		a, b := month(with, r.hour), month(without, r.hour)
		lines = append(lines, fmt.Sprintf("A month of nodes at %g USD an hour (%s): %.2f USD, without the schedule %.2f USD: %+.2f USD.", r.hour, r.source, a, b, a-b))
	}
	if r.plan != nil {
		lines = append(lines, fmt.Sprintf("Fewest nodes that certainly hold the pods: %s at the minimum (%s), %s at the maximum (%s).",
			nodesOrNone(r.fewestMin), counted(r.podsMin, "pod"), nodesOrNone(r.fewestMax), counted(r.podsMax, "pod")))
	}
	return lines
}

func nodesOrNone(n int) string {
	if n == 0 {
		return fmt.Sprintf("more than %d", mostTried)
	}
	return strconv.Itoa(n)
}

func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// plainNumber is a number of hours without needless digits.
func plainNumber(f float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") }

// row is an interval as the table shows it.
type row struct {
	from, until, nodes, pods, fits string
}

const minuteOfWeek = "Mon 15:04"

func (r *Report) row(week, interval int) row {
	i := r.weeks[week].Intervals[interval]
	one := row{from: i.From.Format(minuteOfWeek), until: i.Until.Format(minuteOfWeek), nodes: fmt.Sprintf("%d / %d / %d", i.Size.Min, i.Size.Desired, i.Size.Max), pods: "?", fits: "not known"}
	if r.plan == nil {
		return one
	}
	one.pods = fmt.Sprintf("%d / %d", r.podsMin, r.podsMax)
	one.fits = "no nodes: nothing runs"
	for _, c := range r.plan.Weeks[week].Intervals[interval].Cases {
		switch c.Load {
		case capacity.Minimum:
			one.fits = c.Verdict.String()
			if r.podsMin == r.podsMax {
				one.fits += " / " + c.Verdict.String()
			}
		case capacity.Maximum:
			one.fits += " / " + c.Verdict.String()
		default:
		}
	}
	return one
}

// other is a week that differs from the usual one, with the rows that it has beside.
type other struct {
	title string
	rows  []row
}

func (r *Report) others() (all []other) {
	usual := map[row]bool{}
	for i := range r.weeks[0].Intervals {
		usual[r.row(0, i)] = true
	}
	normal := r.weeks[0].NodeHours()
	for w := 1; w < len(r.weeks); w++ {
		var rows []row
		for i := range r.weeks[w].Intervals {
			if one := r.row(w, i); !usual[one] {
				rows = append(rows, one)
			}
		}
		long := 0.0
		for _, i := range r.weeks[w].Intervals {
			long += i.Hours()
		}
		// A week ends with its first change after Monday: one that is shorter by more than an hour ends where an earlier one says so.
		if nodeHours := r.weeks[w].NodeHours(); len(rows) > 0 || nodeHours != normal && math.Abs(long-hoursPerWeek) <= 1 {
			all = append(all, other{fmt.Sprintf("%s: %s node-hours in %s hours", r.weeks[w].Name, plainNumber(nodeHours), plainNumber(long)), rows})
		}
	}
	return all
}

// problems are what does not fit, and what is not known, a line each.
func (r *Report) problems() (lines []string) {
	for _, u := range r.unread {
		lines = append(lines, "Whether the pods fit is not known: "+strings.TrimSpace(u))
	}
	if r.plan != nil {
		for _, p := range r.plan.Problems() {
			kind := "Error: "
			if p.Warning {
				kind = "Warning: "
			}
			lines = append(lines, kind+p.String())
		}
	}
	for _, n := range r.stack.Notes {
		lines = append(lines, "Note: "+n)
	}
	return lines
}

// Unfit tells that pods at the minimum do not fit the nodes in some interval. It does not where that is not known.
func (r *Report) Unfit() bool { return r.plan != nil && r.plan.Err() != nil }

// Since says in Markdown what has changed since the week before; empty where nothing has.
func (r *Report) Since(before *Report) string {
	was, _ := before.hours()
	is, _ := r.hours()
	if was == is {
		return ""
	}
	return fmt.Sprintf("Node-hours a week: %s → **%s** (%+g).\n\n", plainNumber(was), plainNumber(is), is-was)
}

// NodeHours is the node-hours of a usual week under the schedule that these inputs record, and what that assumes; ok is false where
// they do not say.
func NodeHours(inputs map[string]any) (perWeek float64, assumption string, ok bool) {
	s, err := Schedule(Resource{Type: ScheduleType, Inputs: inputs})
	if err != nil {
		return 0, "", false
	}
	weeks, err := s.Weeks(time.Now())
	if err != nil {
		return 0, "", false
	}
	hours := weeks[0].NodeHours()
	return hours, plainNumber(hours) + " node-hours in a usual week of the schedule", true
}
