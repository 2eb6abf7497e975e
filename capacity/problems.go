package capacity

import (
	"errors"
	"fmt"
	"strings"

	"github.com/slipway-iac/slipway/calendar"
)

// Problem is something that does not fit.
type Problem struct {
	// Warning tells what only ought to be known from what must not go out: pods at the minimum without a node.
	Warning bool
	// When it is, in the schedule's zone: "Mon–Fri 20:00 to 06:30".
	When string
	// Text says what does not fit, which pods are left out, and the smallest change that would help.
	Text string
}

// String is the problem in a line.
func (p Problem) String() string {
	if p.When == "" {
		return p.Text
	}
	return p.When + ": " + p.Text
}

// Err is one error that lists all problems but warnings; nil if there is none.
func (r *Report) Err() error {
	var lines []string
	for _, p := range r.Problems() {
		if !p.Warning {
			lines = append(lines, "\n  "+p.String())
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New("the pods do not fit the nodes" + r.inZone() + ":" + strings.Join(lines, ""))
}

// Warnings are the problems that are no errors, a line each.
func (r *Report) Warnings() (lines []string) {
	for _, p := range r.Problems() {
		if p.Warning {
			lines = append(lines, p.String())
		}
	}
	return lines
}

func (r *Report) inZone() string {
	if r.TimeZone == "" {
		return ""
	}
	return " (times in " + r.TimeZone + ")"
}

// Problems is everything that does not fit, in the order of the first week, and what comes with other weeks after it. What is the
// same in several intervals is said once.
func (r *Report) Problems() (all []Problem) {
	said := map[string]bool{}
	for n, w := range r.Weeks {
		var order []Problem
		when := map[Problem][]calendar.Interval{}
		for _, i := range w.Intervals {
			failed := map[Load]bool{}
			for _, c := range i.Cases {
				failed[c.Load] = c.Verdict > Expected
				p, is := c.problem()
				if !is || said[p.Text] || failed[implied[c.Load]] {
					continue
				}
				if _, known := when[p]; !known {
					order = append(order, p)
				}
				when[p] = append(when[p], i.Interval)
			}
		}
		for _, p := range order {
			said[p.Text] = true
			intervals := when[p]
			if !intervals[0].From.IsZero() {
				p.When = calendar.Describe(intervals)
				if n > 0 {
					p.When += " in " + w.Name
				}
			}
			all = append(all, p)
		}
	}
	for _, what := range r.bounded {
		all = append(all, Problem{Warning: true, Text: what})
	}
	for _, what := range r.addresses {
		all = append(all, Problem{Warning: true, Text: what})
	}
	for _, what := range r.unmodelled {
		all = append(all, Problem{Warning: true, Text: what + ", which no plan looks at: its pods may wait all the same"})
	}
	return all
}

// implied is the load that need not fit where a smaller one does not: to say so twice would not help.
var implied = map[Load]Load{Current: Minimum, Release: Minimum, ZoneLost: Minimum, NodeDrained: Minimum, MaximumRelease: Maximum}

// problem is what there is to say of a case. The minimum must fit, and is worth a word where it only usually does; of other loads
// it is worth a word that they do not.
func (c Case) problem() (p Problem, is bool) {
	p.Warning = c.Load != Minimum || c.Verdict == Expected || c.bounded
	if c.Verdict == Certain || c.Verdict == Expected && c.Load != Minimum {
		return p, false
	}
	would := ", and no more nodes or larger ones of the family would help"
	switch {
	case c.bounded:
		would = "; all of them may"
	case c.Change != "":
		would = "; " + c.Change + " would"
	}
	hold, verb := "hold", "do"
	if strings.HasPrefix(c.Nodes, "1 ") {
		hold, verb = "holds", "does"
	}
	switch c.Verdict {
	case Expected:
		p.Text = fmt.Sprintf("%s %s %s as pods are usually placed, but not whatever their order%s", c.Nodes, hold, c.Load, would)
	case Uncertain:
		p.Text = fmt.Sprintf("%s may not hold %s, depending on the order in which pods come: up to %s left out%s", c.Nodes, c.Load, pods(c.LeftOut), would)
	default:
		p.Text = fmt.Sprintf("%s %s not hold %s: %s left out%s", c.Nodes, verb, c.Load, pods(c.LeftOut), would)
	}
	return p, true
}

func pods(out []LeftOut) string {
	var parts []string
	total := 0
	for _, o := range out {
		total += o.Pods
		if len(parts) == 0 {
			parts = append(parts, fmt.Sprintf("%d of %d pods of %s", o.Pods, o.Of, o.App))
		} else {
			parts = append(parts, fmt.Sprintf("%d of %d of %s", o.Pods, o.Of, o.App))
		}
	}
	if total == 1 {
		return parts[0] + " is"
	}
	return strings.Join(parts, ", ") + " are"
}
