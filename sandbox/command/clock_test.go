package command

import (
	"strings"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestWordsOfTheClock(t *testing.T) {
	for line, want := range map[string]clockOrder{
		"":                                {},
		"2027-03-28T01:30":                {time: "2027-03-28T01:30"},
		"2027-03-28T01:30 --zone Etc/UTC": {time: "2027-03-28T01:30", zone: "Etc/UTC"},
		"--zone=Etc/UTC +1w":              {time: "+1w", zone: "Etc/UTC"},
		"--now":                           {reset: true},
		"reset":                           {reset: true},
	} {
		if got, err := parseClock(strings.Fields(line)); err != nil || got != want {
			t.Errorf("clock %s: %+v, %v, want %+v", line, got, err, want)
		}
	}
	for line, want := range map[string]string{
		"+1h +2h":          `no argument "+2h"`,
		"--fast":           `no argument "--fast"`,
		"+1h --zone":       "--zone has no value",
		"--zone Etc/UTC":   "--zone Etc/UTC is without a TIME",
		"--now +1h":        "--now takes neither",
		"--now --zone UTC": "--now takes neither",
	} {
		if _, err := parseClock(strings.Fields(line)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "clock [TIME [--zone ZONE] | --now]`") {
			t.Errorf("clock %s: %v, want %q and the usage", line, err, want)
		}
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2027, 3, 26, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ time, zone, want string }{
		{"2027-03-28T01:30", "Europe/Madrid", "2027-03-28T01:30:00+01:00"},
		{"2027-03-28T01:30", "", "2027-03-28T01:30:00-07:00"},
		{"2027-03-28T03:30:15", "Europe/Madrid", "2027-03-28T03:30:15+02:00"},
		{"2027-03-28T02:30:00+02:00", "America/New_York", "2027-03-28T00:30:00Z"},
		{"2027-10-31T02:30:00+01:00", "Europe/Madrid", "2027-10-31T01:30:00Z"},
		{"+90m", "", "2027-03-26T13:30:00Z"},
		{"+12h", "", "2027-03-27T00:00:00Z"},
		{"+1w", "Europe/Madrid", "2027-04-02T11:00:00Z"}, // 13:00 both times
		{"+168h", "Europe/Madrid", "2027-04-02T12:00:00Z"},
		{"+1w2d3h", "UTC", "2027-04-04T15:00:00Z"},
		{"2027-03-26T12:00:00Z", "", "2027-03-26T12:00:00Z"},
	} {
		got, _, err := (clockOrder{time: c.time, zone: c.zone}).moment(now, zone(t, "America/Los_Angeles"))
		want, bad := time.Parse(time.RFC3339, c.want)
		if err != nil || bad != nil || !got.Equal(want) {
			t.Errorf("%s in %q is %s, %v, want %s", c.time, c.zone, got, err, want)
		}
	}
	for _, c := range []struct{ time, zone, want string }{
		{"2027-03-28T02:30", "Europe/Madrid", `TIME is "2027-03-28T02:30", which no clock in Europe/Madrid shows that day: they go forward by 1h0m0s. The moment is 03:30 there`},
		{"2027-10-31T02:30", "Europe/Madrid", "comes twice in Europe/Madrid that day, must be 2027-10-31T02:30:00+02:00 or 2027-10-31T02:30:00+01:00"},
		{"2027-11-07T01:30", "", "must be 2027-11-07T01:30:00-07:00 or 2027-11-07T01:30:00-08:00"},
		{"2027-03-26T11:59:00Z", "", `TIME is "2027-03-26T11:59:00Z", must not be before the account's time, Fri 2027-03-26 05:00 America/Los_Angeles`},
		{"2033-01-01T00:00", "", "at most 5 years after"},
		{"tomorrow", "", `TIME is "tomorrow", must be a time in the zone, like 2027-03-28T01:30`},
		{"+1y", "", `TIME is "+1y", must be`},
		{"-1h", "", `TIME is "-1h", must be`},
		{"2027-02-30T00:00", "", `TIME is "2027-02-30T00:00", must be`},
		{"2027-03-28", "Europe/Bonn", "--zone is \"Europe/Bonn\", must be a name of the IANA time zone database, such as Europe/Madrid\nTIME is \"2027-03-28\", must be"},
		{"2027-03-20T00:00", "Europe/Bonn", "--zone is \"Europe/Bonn\", must be a name of the IANA time zone database, such as Europe/Madrid"},
		{"+1h", "Local", `--zone is "Local", must be a name`},
	} {
		_, _, err := (clockOrder{time: c.time, zone: c.zone}).moment(now, zone(t, "America/Los_Angeles"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s in %q: %v, want %q", c.time, c.zone, err, c.want)
		}
		if err != nil && c.zone == "Europe/Bonn" && strings.Contains(err.Error(), "before") {
			t.Errorf("%s in no zone is compared with the account's time: %v", c.time, err)
		}
	}
}

func TestZoneOfActions(t *testing.T) {
	at := func(name string) aws.Pending { return aws.Pending{At: time.Now().In(zone(t, name))} }
	madrid, berlin := at("Europe/Madrid"), at("Europe/Berlin")
	for _, c := range []struct {
		actions []aws.Pending
		want    string
	}{
		{nil, "UTC"},
		{[]aws.Pending{madrid}, "Europe/Madrid"},
		{[]aws.Pending{madrid, madrid}, "Europe/Madrid"},
		{[]aws.Pending{madrid, berlin}, "UTC"},
	} {
		if got := zoneOfActions(c.actions).String(); got != c.want {
			t.Errorf("%v: %s, want %s", c.actions, got, c.want)
		}
	}
}

func TestLines(t *testing.T) {
	at := time.Date(2026, 11, 27, 20, 0, 0, 0, zone(t, "America/Los_Angeles"))
	action := aws.Pending{At: at, Group: "eks-main-1", Label: "main", Action: "nights-down", Min: 2, Max: -1, Desired: 2}
	m := move{width: len("weekends-down")}
	for want, f := range map[string]aws.Firing{
		"main 3 → 2 (min 2, max 6)":                                                 {Before: aws.Size{Min: 3, Max: 6, Desired: 3}, After: aws.Size{Min: 2, Max: 6, Desired: 2}},
		"main stays at 2 (min 2, max 6)":                                            {Before: aws.Size{Min: 1, Max: 6, Desired: 2}, After: aws.Size{Min: 2, Max: 6, Desired: 2}},
		"main stays at 3: refused, ValidationError: Desired capacity:9 is too much": {Before: aws.Size{Desired: 3}, Refused: aws.Errorf("ValidationError", "Desired capacity:9 is too much")},
		"main stays at 3: its scheduled actions are suspended":                      {Before: aws.Size{Desired: 3}, After: aws.Size{Desired: 3}, Suspended: true},
	} {
		f.Pending = action
		if got := m.line(f); got != "Fri 2026-11-27 20:00 America/Los_Angeles  nights-down    "+want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := sets(action); got != "min 2, desired 2" {
		t.Errorf("it sets %q", got)
	}
}

// An account without a cluster has nobody to wait for.
func TestMoveWithoutACluster(t *testing.T) {
	account, err := aws.OpenAccount(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	order := clockOrder{time: began.Add(48 * time.Hour).UTC().Format(time.RFC3339)}
	add(t, account)
	var out strings.Builder
	m := move{out: &out, account: account}
	if err := m.read(order); err != nil {
		t.Fatal(err)
	}
	err = m.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "Auto Scaling refused 1 of the runs above") {
		t.Errorf("it ended with %v", err)
	}
	if got := out.String(); !strings.Contains(got, "grow     web 1 → 3 (min 1, max 4)\n") || !strings.Contains(got, "too-far  web stays at 3: refused, ValidationError") ||
		!strings.Contains(got, "the account's time is "+shown(m.to.UTC())+", ") || strings.Contains(got, "budget") {
		t.Errorf("it said\n%s", got)
	}
	out.Reset()
	if err := account.Do("", func(tx *aws.Tx) error { showClock(&out, tx); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasPrefix(got, shown(m.to.UTC())+"\nThe clock stands still") || !strings.Contains(got, "\nweb  3 nodes (min 1, max 4)\n") {
		t.Errorf("the clock shows\n%s", got)
	}
	if err := (&move{out: &out, account: account}).read(clockOrder{time: began.Format(time.RFC3339)}); err == nil || !strings.Contains(err.Error(), "only goes forward") {
		t.Errorf("back it goes with %v", err)
	}
}

// add is a group of 1 with two actions within two days, the second of which it cannot follow.
func add(t *testing.T, account *aws.Account) {
	t.Helper()
	at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format("2006-01-02T15:04:05Z") }
	if err := account.Do("us-west-2", func(tx *aws.Tx) error {
		tx.Add(&aws.Object{Type: "aws:autoscaling/group:Group", ID: "web", Region: "us-west-2", Inputs: map[string]any{"name": "web", "minSize": 1.0, "maxSize": 4.0, "desiredCapacity": 1.0}})
		for name, in := range map[string]map[string]any{
			"grow":    {"startTime": at(3 * time.Hour), "desiredCapacity": 3.0},
			"too-far": {"startTime": at(6 * time.Hour), "desiredCapacity": 9.0},
		} {
			in["autoscalingGroupName"], in["scheduledActionName"], in["minSize"], in["maxSize"], in["timeZone"] = "web", name, -1.0, -1.0, "Europe/Madrid"
			tx.Add(&aws.Object{Type: "aws:autoscaling/schedule:Schedule", ID: name, Region: "us-west-2", Inputs: in})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
