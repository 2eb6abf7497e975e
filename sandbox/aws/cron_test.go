package aws

import (
	"slices"
	"testing"
	"time"
)

func zoneNamed(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestCron(t *testing.T) {
	berlin := zoneNamed(t, "Europe/Berlin")
	// Saturday, half an hour before clocks go forward.
	from := time.Date(2026, 3, 28, 23, 30, 0, 0, berlin)
	for recurrence, want := range map[string]string{
		"*/15 * * * *":    "2026-03-28 23:45",
		"0 8 * * 1-5":     "2026-03-30 08:00",
		"0 8 * * MON,WED": "2026-03-30 08:00",
		"0 0 1 JAN *":     "2027-01-01 00:00",
		"0 0 29 2 *":      "2028-02-29 00:00",
		"0 0 13 * 5":      "2026-04-03 00:00", // either field fits
		"0 0 * * 7":       "2026-03-29 00:00",
		"0 10/6 * * *":    "2026-03-29 10:00",
	} {
		c, err := parseCron(recurrence)
		if err != nil {
			t.Errorf("%s: %v", recurrence, err)
			continue
		}
		if got := c.next(from).Format("2006-01-02 15:04"); got != want {
			t.Errorf("%s: next is %s, want %s", recurrence, got, want)
		}
	}
	for _, bad := range []string{"", "* * * * * *", "60 * * * *", "a * * * *", "5-1 * * * *", "*/0 * * * *", "0 0 * 13 *", "0 0 * * 8", "0 0 L * *"} {
		if _, err := parseCron(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// Clocks go forward and back at other hours of UTC on each side of the Atlantic, where time.Date takes other sides.
func TestCronWhereClocksChange(t *testing.T) {
	for _, c := range []struct {
		zone, recurrence, from string
		want                   []string
	}{
		{"Europe/Madrid", "30 1 * * *", "2027-03-27T12:00", []string{"2027-03-28T01:30:00+01:00", "2027-03-29T01:30:00+02:00"}},
		{"Europe/Madrid", "30 2 * * *", "2027-03-27T12:00", []string{"2027-03-28T03:00:00+02:00", "2027-03-29T02:30:00+02:00"}},
		{"Europe/Madrid", "0 3 * * *", "2027-03-27T12:00", []string{"2027-03-28T03:00:00+02:00", "2027-03-29T03:00:00+02:00"}},
		{"Europe/Madrid", "30 2 * * *", "2027-10-30T12:00", []string{"2027-10-31T02:30:00+02:00", "2027-11-01T02:30:00+01:00"}},
		{"Europe/Madrid", "0 20 * * 0", "2027-10-30T12:00", []string{"2027-10-31T20:00:00+01:00", "2027-11-07T20:00:00+01:00"}},
		{"America/Los_Angeles", "30 2 * * *", "2027-03-13T12:00", []string{"2027-03-14T03:00:00-07:00", "2027-03-15T02:30:00-07:00"}},
		{"America/Los_Angeles", "30 1 * * *", "2027-11-06T12:00", []string{"2027-11-07T01:30:00-07:00", "2027-11-08T01:30:00-08:00"}},
		{"America/Los_Angeles", "30 6 * * 1", "2027-03-08T12:00", []string{"2027-03-15T06:30:00-07:00", "2027-03-22T06:30:00-07:00"}},
		// Clocks skip midnight.
		{"America/Santiago", "0 12 5 9 *", "2027-09-04T12:00", []string{"2027-09-05T12:00:00-03:00", "2028-09-05T12:00:00-03:00"}},
	} {
		zone := zoneNamed(t, c.zone)
		at, err := time.ParseInLocation("2006-01-02T15:04", c.from, zone)
		if err != nil {
			t.Fatal(err)
		}
		r, err := parseCron(c.recurrence)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for range c.want {
			at = r.next(at)
			got = append(got, at.Format(time.RFC3339))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s %s after %s: %q, want %q", c.zone, c.recurrence, c.from, got, c.want)
		}
	}
}

// FuzzCron: what is taken runs after now, at a minute that it names, unless clocks skip that one.
func FuzzCron(f *testing.F) {
	f.Add("0 20 * * 1-5", int64(1803600000), false)
	f.Add("30 2 * * *", int64(1805500000), true)
	f.Add("*/7 1,2 29 FEB 0", int64(0), false)
	f.Fuzz(func(t *testing.T, recurrence string, unix int64, west bool) {
		c, err := parseCron(recurrence)
		if err != nil || unix < 0 || unix > 1<<32 {
			return
		}
		zone := zoneNamed(t, map[bool]string{true: "America/Los_Angeles", false: "Europe/Madrid"}[west])
		from := time.Unix(unix, 0).In(zone)
		at := c.next(from)
		if at.IsZero() {
			return
		}
		fits := slices.Contains(c.sets[1], at.Hour()) && slices.Contains(c.sets[0], at.Minute())
		if jump, _ := at.ZoneBounds(); at.Equal(jump) && jump.Add(-time.Minute).Hour() == at.Hour()-2 {
			fits = fits || slices.Contains(c.sets[1], at.Hour()-1) // in the hour that clocks have just skipped
		}
		if !at.After(from) || at.Second() != 0 || !fits || !c.fits(at) {
			t.Errorf("%q runs at %s after %s", recurrence, at, from)
		}
	})
}
