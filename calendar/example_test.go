package calendar_test

import (
	"fmt"
	"time"

	"github.com/slipway-iac/slipway/calendar"
)

// The nodes of a week, and what the nights and the weekend save.
func Example() {
	s := calendar.Schedule{
		TimeZone: "Europe/Madrid", Base: calendar.Size{Min: 2, Max: 6, Desired: 3},
		Nights:   &calendar.Nights{DownAt: "20:00", UpAt: "06:30", Size: calendar.Size{Min: 1, Max: 6, Desired: 2}},
		Weekends: &calendar.Weekends{From: "Fri 20:00", Until: "Mon 06:30", Size: calendar.Size{Min: 0, Max: 6, Desired: 1}},
	}
	weeks, err := s.Weeks(time.Date(2026, 10, 7, 12, 0, 0, 0, time.UTC))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, i := range weeks[0].Intervals[:3] {
		fmt.Printf("%s to %s: %d nodes\n", i.From.Format("Mon 15:04"), i.Until.Format("Mon 15:04"), i.Size.Desired)
	}
	for _, w := range weeks {
		fmt.Printf("%s: %.0f node-hours, without the schedule %d\n", w.Name, w.NodeHours(), 7*24*s.Base.Desired)
	}
	// Output:
	// Mon 06:30 to Mon 20:00: 3 nodes
	// Mon 20:00 to Tue 06:30: 2 nodes
	// Tue 06:30 to Tue 20:00: 3 nodes
	// a usual week: 345 node-hours, without the schedule 504
	// the week of 19 Oct 2026, when clocks go back: 346 node-hours, without the schedule 504
	// the week of 22 Mar 2027, when clocks go forward: 344 node-hours, without the schedule 504
}
