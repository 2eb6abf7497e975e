package capacity_test

import (
	"fmt"
	"time"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/capacity"
)

// Two nodes at night hold the fewest pods of both apps, but not with one of them drained.
func Example() {
	schedule := calendar.Schedule{
		TimeZone: "Europe/Madrid", Base: calendar.Size{Min: 3, Desired: 3, Max: 6},
		Nights: &calendar.Nights{DownAt: "20:00", UpAt: "06:30", Size: calendar.Size{Min: 2, Desired: 2, Max: 6}},
	}
	weeks, err := schedule.Weeks(time.Date(2026, 10, 7, 12, 0, 0, 0, time.UTC))
	if err != nil {
		fmt.Println(err)
		return
	}
	large, err := capacity.Lookup("m5.large")
	if err != nil {
		fmt.Println(err)
		return
	}
	spread := capacity.Spread{Zones: capacity.SpreadPreferred, Nodes: capacity.SpreadPreferred}
	report, err := capacity.Plan(capacity.Input{
		Weeks: weeks, TimeZone: schedule.TimeZone,
		Groups: []capacity.NodeGroup{{Name: "main", Instances: []capacity.Instance{large}, Zones: []string{"a", "b", "c"}, Owner: capacity.OwnerSchedule}},
		Apps: []capacity.App{
			{Name: "web", Requests: capacity.Resources{MilliCPU: 250, Memory: 512 << 20}, Min: 4, Spread: spread},
			{Name: "api", Requests: capacity.Resources{MilliCPU: 400, Memory: 256 << 20}, Min: 2, Spread: spread},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Err())
	for _, w := range report.Warnings() {
		fmt.Println(w)
	}
	// Output:
	// <nil>
	// every day 20:00 to 06:30: 2 m5.large nodes do not hold the minimum with a zone lost: 2 of 2 pods of api are left out; 3 nodes would
	// every day 20:00 to 06:30: 2 m5.large nodes do not hold the minimum with a node drained: 2 of 2 pods of api are left out; 3 nodes would
}
