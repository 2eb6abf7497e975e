package command

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// clockOrder is what the words after `sandbox clock` ask for.
type clockOrder struct {
	// time is the TIME to move to; "" only shows the clock.
	time string
	// zone is the time zone of TIME; "" leaves it to the scheduled actions.
	zone string
	// reset gives the machine's time back.
	reset bool
}

func parseClock(args []string) (o clockOrder, err error) {
	usage := func(format string, a ...any) error {
		return fmt.Errorf(format+"; usage: `%s clock [TIME [--zone ZONE] | --now]`", append(a, executable())...)
	}
	for i := 0; i < len(args); i++ {
		zone, isZone := strings.CutPrefix(args[i], "--zone=")
		switch a := args[i]; {
		case isZone:
			o.zone = zone
		case a == "--zone":
			if i++; i == len(args) {
				return clockOrder{}, usage("--zone has no value, must have a time zone, such as Europe/Madrid")
			}
			o.zone = args[i]
		case a == "--now" || a == "reset":
			o.reset = true
		case strings.HasPrefix(a, "-") || o.time != "":
			return clockOrder{}, usage("there is no argument %q", a)
		default:
			o.time = a
		}
	}
	if o.reset && o.time+o.zone != "" {
		return clockOrder{}, usage("--now takes neither a TIME nor a --zone")
	}
	if o.time == "" && o.zone != "" {
		return clockOrder{}, usage("--zone %s is without a TIME", o.zone)
	}
	return o, nil
}

// zoneOfActions is the one in which all actions run, UTC where they differ or there are none.
func zoneOfActions(actions []aws.Pending) *time.Location {
	for _, a := range actions {
		if a.At.Location().String() != actions[0].At.Location().String() {
			return time.UTC
		}
	}
	if len(actions) == 0 {
		return time.UTC
	}
	return actions[0].At.Location()
}

// farthest is how many years a move may go: each action on the way runs.
const farthest = 5

// moment is the time to which the order moves an account whose time is now, and the zone in which it was read.
func (o clockOrder) moment(now time.Time, zone *time.Location) (to time.Time, in *time.Location, err error) {
	var problems []error
	if o.zone != "" {
		given, err := time.LoadLocation(o.zone)
		if err != nil || o.zone == "Local" {
			problems = append(problems, fmt.Errorf("--zone is %q, must be a name of the IANA time zone database, such as Europe/Madrid", o.zone))
			given = time.UTC // in which all times are there once
		}
		zone = given
	}
	to, err = readTime(o.time, now, zone)
	switch {
	case err == nil && len(problems) > 0:
	case err != nil:
		problems = append(problems, fmt.Errorf("TIME is %q, %w", o.time, err))
	case to.Before(now):
		problems = append(problems, fmt.Errorf("TIME is %q, must not be before the account's time, %s: the clock only goes forward, for what scheduled actions did is not undone. "+
			"`%s clock --now` gives the machine's time back", o.time, shown(now.In(zone)), executable()))
	case to.After(now.AddDate(farthest, 0, 0)):
		problems = append(problems, fmt.Errorf("TIME is %q, must be at most %d years after the account's time, %s: each scheduled action on the way runs", o.time, farthest, shown(now.In(zone))))
	}
	return to, zone, errors.Join(problems...)
}

var (
	steps    = regexp.MustCompile(`^\+([0-9]{1,6}[mhdw])+$`)
	oneStep  = regexp.MustCompile(`([0-9]+)([mhdw])`)
	timeForm = `must be a time in the zone, like 2027-03-28T01:30, one with its offset, like 2027-03-28T01:30:00+01:00, or a step of minutes, hours, days and weeks, like +90m, +12h or +1w`
)

func readTime(s string, now time.Time, zone *time.Location) (time.Time, error) {
	if steps.MatchString(s) {
		to := now.In(zone)
		for _, m := range oneStep.FindAllStringSubmatch(s, -1) {
			switch n, _ := strconv.Atoi(m[1]); m[2] {
			case "m":
				to = to.Add(time.Duration(n) * time.Minute)
			case "h":
				to = to.Add(time.Duration(n) * time.Hour)
			case "d":
				to = to.AddDate(0, 0, n) // the same time of that day, also where clocks change on the way
			case "w":
				to = to.AddDate(0, 0, 7*n)
			}
		}
		return to, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		local, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		at, shift := aws.WallClock(local, zone)
		if shift != 0 {
			return at, fmt.Errorf("which no clock in %s shows that day: they go forward by %s. The moment is %s there", zone, shift, at.Format("15:04"))
		}
		if again := second(at, zone); !again.IsZero() {
			return at, fmt.Errorf("which comes twice in %s that day, must be %s or %s", zone, at.Format(time.RFC3339), again.Format(time.RFC3339))
		}
		return at, nil
	}
	return time.Time{}, errors.New(timeForm)
}

// second is the other moment at which clocks in zone show what they show at first; zero where there is none.
func second(first time.Time, zone *time.Location) time.Time {
	_, before := first.In(zone).Zone()
	_, after := first.Add(4 * time.Hour).In(zone).Zone()
	again := first.Add(time.Duration(before-after) * time.Second).In(zone)
	if before <= after || again.Format(time.DateTime) != first.In(zone).Format(time.DateTime) {
		return time.Time{}
	}
	return again
}

// shown is a time with its zone, as people read it.
func shown(t time.Time) string { return t.Format("Mon 2006-01-02 15:04") + " " + t.Location().String() }
