package aws

import (
	"fmt"
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

func startSchedule(tx *Tx, o, _ *Object) error {
	if o.Str("startTime") != "" || o.Str("recurrence") == "" {
		return nil
	}
	c, err := parseCron(o.Str("recurrence"))
	if err != nil {
		return err
	}
	o.Set("startTime", startText(c.next(tx.Now().In(zoneOf(o)))))
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
	if o.Str("startTime") != "" && start.Before(tx.Now()) {
		return refuse("Given start time is in the past")
	}
	if e := o.Str("endTime"); e != "" {
		switch end, _ := time.Parse(scheduleTime, e); {
		case end.Before(tx.Now()):
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
