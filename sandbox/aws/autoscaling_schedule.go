package aws

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // time zones must be known on machines without a zone database too
)

const scheduleToken = "aws:autoscaling/schedule:Schedule"

// scheduleTime is how the provider writes times.
const scheduleTime = "2006-01-02T15:04:05Z"

func init() {
	register(&Type{
		Token: scheduleToken, Label: "Auto Scaling Scheduled Action", Service: "Auto Scaling", Within: []string{"autoscalingGroupName"},
		Ops: Ops{"PutScheduledUpdateGroupAction", "PutScheduledUpdateGroupAction", "DeleteScheduledAction"},
		Props: map[string]Prop{
			"autoscalingGroupName": text.must().fixed().to(scalingGroupRef), "desiredCapacity": number.filled(), "endTime": text.filled(),
			"maxSize": number.filled(), "minSize": number.filled(), "recurrence": text.filled().within(1, 255),
			"scheduledActionName": text.must().fixed().within(1, 255), "startTime": text.filled(), "timeZone": text.filled().within(1, 255),
		},
		Outputs: []string{"arn"},
		Check: func(in Inputs) []Problem {
			var out []Problem
			for _, name := range []string{"startTime", "endTime"} {
				if s := in.Object().Str(name); s != "" {
					if _, err := time.Parse(scheduleTime, s); err != nil {
						out = append(out, Problem{name, fmt.Sprintf("is %q, cannot be parsed as iso8601 Timestamp Format, must be like 2030-01-31T18:00:00Z", s)})
					}
				}
			}
			return out
		},
		Validate: validateSchedule,
		Create: func(tx *Tx, o *Object) error {
			o.ID = o.Str("scheduledActionName")
			o.Set("arn", tx.ARN("autoscaling", "scheduledUpdateGroupAction:"+uuid()+":autoScalingGroupName/"+o.Str("autoscalingGroupName")+":scheduledActionName/"+o.ID))
			for _, name := range []string{"endTime", "recurrence", "timeZone"} {
				o.fill(name, "")
			}
			// The provider cannot tell unset from 0 and sends 0; -1 is its word for "leave the size alone".
			for _, name := range scheduleSizes {
				o.fill(name, 0.0)
			}
			return startSchedule(tx, o, o)
		},
		Update: startSchedule,
		Import: func(tx *Tx, id string) *Object {
			for _, s := range tx.All(scheduleToken) {
				if s.Str("autoscalingGroupName")+"/"+s.ID == id {
					return s
				}
			}
			return nil
		},
	})
}

var scheduleSizes = []string{"minSize", "maxSize", "desiredCapacity"}

func startSchedule(_ *Tx, o, _ *Object) error {
	if o.Str("startTime") != "" || o.Str("recurrence") == "" {
		return nil
	}
	c, err := parseCron(o.Str("recurrence"))
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(o.Str("timeZone"))
	if err != nil {
		return err
	}
	o.Set("startTime", c.next(time.Now().In(zone)).UTC().Format(scheduleTime))
	return nil
}

func validateSchedule(tx *Tx, o, old *Object) error {
	refuse := func(format string, a ...any) error { return Errorf("ValidationError", format, a...) }
	group, name := o.Str("autoscalingGroupName"), o.Str("scheduledActionName")
	n := 0
	for _, s := range tx.All(scheduleToken) {
		if s.Str("autoscalingGroupName") != group || (old != nil && s.ID == old.ID) {
			continue
		}
		if s.ID == name {
			return Errorf("AlreadyExists", "the group %s has a scheduled action %s already: putting it would replace that one, and deleting either would delete both", group, name)
		}
		sameStart := o.hasInput("startTime") && s.Inputs["startTime"] == o.Inputs["startTime"]
		sameRhythm := o.Str("recurrence") != "" && !o.hasInput("startTime") && !s.hasInput("startTime") && s.Str("recurrence") == o.Str("recurrence") && s.Str("timeZone") == o.Str("timeZone")
		if sameStart || sameRhythm {
			return Errorf("AlreadyExists", "Another scheduled update action %s of the group %s starts at the same time", s.ID, group)
		}
		n++
	}
	if n >= 125 {
		return Errorf("LimitExceeded", "You've reached the limit of 125 scheduled actions for this Auto Scaling group")
	}
	if z := o.Str("timeZone"); z != "" {
		if _, err := time.LoadLocation(z); err != nil || z == "Local" {
			return refuse("Given time zone %s is invalid: it must be a canonical name of the IANA database, such as Europe/Berlin", z)
		}
	}
	if r := o.Str("recurrence"); r != "" {
		if _, err := parseCron(r); err != nil {
			return refuse("Given recurrence string:%s is invalid: %s", r, err)
		}
	} else if o.Str("startTime") == "" {
		return refuse("Either a recurrence or a start time must be specified")
	}
	// On update the provider sends the start time of its state too, also one that AWS computed from the recurrence.
	start, _ := time.Parse(scheduleTime, o.Str("startTime"))
	if o.Str("startTime") != "" && start.Before(time.Now()) {
		return refuse("Given start time is in the past")
	}
	if e := o.Str("endTime"); e != "" {
		switch end, _ := time.Parse(scheduleTime, e); {
		case end.Before(time.Now()):
			return refuse("Given end time is in the past")
		case o.Str("startTime") != "" && !end.After(start):
			return refuse("Given end time is before or equal to start time")
		}
	}
	sent := &Object{Inputs: map[string]any{}}
	for _, size := range scheduleSizes {
		switch v := o.Num(size); {
		case v < -1:
			return refuse("%s is %d, must be at least 0 (-1 leaves it alone)", size, v)
		case v >= 0:
			sent.Inputs[size] = float64(v)
		}
	}
	if len(sent.Inputs) == 0 {
		return refuse("At least one of MinSize, MaxSize, DesiredCapacity must be specified")
	}
	if p := sizeProblems(sent); len(p) > 0 {
		return refuse("%s %s", p[0].Path, p[0].Reason)
	}
	return nil
}

// cron is a recurrence: the allowed minutes, hours, days of the month, months and days of the week.
type cron struct {
	sets [5][]int
	// anyDay and anyWeekday: the field is *, and the other one alone decides.
	anyDay, anyWeekday bool
}

var cronFields = [5]struct {
	name      string
	low, high int
	words     string
}{
	{"minute", 0, 59, ""},
	{"hour", 0, 23, ""},
	{"day of month", 1, 31, ""},
	{"month", 1, 12, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"},
	{"day of week", 0, 7, "SUN MON TUE WED THU FRI SAT"},
}

func parseCron(s string) (*cron, error) {
	words := strings.Fields(s)
	if len(words) != 5 {
		return nil, fmt.Errorf("it has %d fields, must have 5: minute, hour, day of month, month, day of week", len(words))
	}
	c := &cron{anyDay: words[2] == "*", anyWeekday: words[4] == "*"}
	for i, w := range words {
		for _, part := range strings.Split(w, ",") {
			set, err := cronPart(i, part)
			if err != nil {
				return nil, err
			}
			c.sets[i] = append(c.sets[i], set...)
		}
	}
	if slices.Contains(c.sets[4], 7) {
		c.sets[4] = append(c.sets[4], 0)
	}
	return c, nil
}

func cronPart(field int, part string) ([]int, error) {
	f := cronFields[field]
	bad := fmt.Errorf("%s is %q, must be %d to %d, as in 5, 1-5, 1,3 or */2", f.name, part, f.low, f.high)
	value := func(s string) (int, bool) {
		for i, w := range strings.Fields(f.words) {
			if strings.EqualFold(w, s) {
				return i + f.low, true
			}
		}
		n, err := strconv.Atoi(s)
		return n, err == nil && n >= f.low && n <= f.high
	}
	span, every, stepped := strings.Cut(part, "/")
	step := 1
	if stepped {
		n, err := strconv.Atoi(every)
		if err != nil || n < 1 {
			return nil, bad
		}
		step = n
	}
	low, high := f.low, f.high
	if span != "*" {
		from, to, ranged := strings.Cut(span, "-")
		var ok bool
		if low, ok = value(from); !ok {
			return nil, bad
		}
		if high = low; ranged {
			if high, ok = value(to); !ok || high < low {
				return nil, bad
			}
		} else if stepped {
			high = f.high
		}
	}
	var out []int
	for v := low; v <= high; v += step {
		out = append(out, v)
	}
	return out, nil
}

// next is the first time after t, in t's time zone, that fits; the zero time where there is none within eight years (the
// longest pause of February 29).
func (c *cron) next(t time.Time) time.Time {
	year, month, day := t.Date()
	for d := range 8*366 + 1 {
		date := time.Date(year, month, day+d, 0, 0, 0, 0, t.Location())
		if !c.fits(date) {
			continue
		}
		for _, hour := range slices.Sorted(slices.Values(c.sets[1])) {
			for _, minute := range slices.Sorted(slices.Values(c.sets[0])) {
				at := time.Date(date.Year(), date.Month(), date.Day(), hour, minute, 0, 0, t.Location())
				if at.After(t) {
					return at
				}
			}
		}
	}
	return time.Time{}
}

func (c *cron) fits(date time.Time) bool {
	if !slices.Contains(c.sets[3], int(date.Month())) {
		return false
	}
	day, weekday := slices.Contains(c.sets[2], date.Day()), slices.Contains(c.sets[4], int(date.Weekday()))
	if c.anyDay || c.anyWeekday {
		return day && weekday
	}
	return day || weekday
}
