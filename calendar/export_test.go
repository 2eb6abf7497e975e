package calendar

import "time"

// EachRun calls do for each time that a recurrence runs from..until.
func EachRun(text string, from, until time.Time, do func(at time.Time)) {
	cron, problem := parseRecurrence(text)
	if problem != "" {
		return // the other implementation must find none either
	}
	for _, r := range runsOf([]Entry{{Action: Action{Recurrence: text}, cron: cron}}, from, until) {
		do(r.at)
	}
}
