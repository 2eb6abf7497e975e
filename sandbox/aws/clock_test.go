package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// clocked is an account with a node group of 2 (1 to 4), at noon of a Friday, and what its clock does.
type clocked struct {
	*world
	group string
}

func newClocked(t *testing.T) *clocked {
	t.Helper()
	w := newClusterWorld(t)
	c := &clocked{w, autoScalingGroupOf(&Object{Outputs: w.by["nodes"].Out})}
	c.do(func(tx *Tx) { c.set(tx, "2027-03-26T12:00:00Z") })
	return c
}

func (c *clocked) do(f func(*Tx)) {
	c.t.Helper()
	if err := c.p.account.Do("us-west-2", func(tx *Tx) error { f(tx); return nil }); err != nil {
		c.t.Fatal(err)
	}
}

func moment(s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return at
}

func (c *clocked) set(tx *Tx, at string) {
	now := moment(at)
	tx.Clock = &now
	tx.Touch()
}

// acts adds a scheduled action; sizes are min, max and desired.
func (c *clocked) acts(name string, change object, sizes ...float64) *made {
	c.t.Helper()
	in := object{"autoscalingGroupName": c.group, "scheduledActionName": name, "minSize": sizes[0], "maxSize": sizes[1], "desiredCapacity": sizes[2]}
	for k, v := range change {
		in[k] = v
	}
	return c.create(scheduleToken, name, in)
}

// advance is what runs until then, a line each.
func (c *clocked) advance(to string) (lines []string) {
	c.t.Helper()
	for {
		var fired []Firing
		c.do(func(tx *Tx) { fired = tx.Advance(moment(to)) })
		if len(fired) == 0 {
			return lines
		}
		for _, f := range fired {
			line := fmt.Sprintf("%s %s %v→%v", f.At.Format("Mon 15:04"), f.Action, f.Before, f.After)
			if f.Refused != nil {
				line = fmt.Sprintf("%s %s refused: %v", f.At.Format("Mon 15:04"), f.Action, f.Refused)
			}
			lines = append(lines, line)
		}
	}
}

func (c *clocked) want(got []string, want ...string) {
	c.t.Helper()
	if !slices.Equal(got, want) {
		c.t.Errorf("ran\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// names is the scheduled actions that are left.
func (c *clocked) names() (out []string) {
	c.do(func(tx *Tx) {
		for _, s := range tx.All(scheduleToken) {
			out = append(out, s.ID)
		}
	})
	return out
}

func TestActionsRunInTheirOrderAndResizeNodeGroups(t *testing.T) {
	c := newClocked(t)
	madrid := object{"timeZone": "Europe/Madrid"}
	at := func(recurrence string) object {
		return object{"recurrence": recurrence, "timeZone": madrid["timeZone"]}
	}
	c.acts("up", at("0 7 * * 1-5"), 2, 4, 3)
	c.acts("down", at("0 20 * * 1-5"), 1, 4, 1)
	c.acts("late", at("30 2 * * *"), -1, -1, 2)
	c.want(c.advance("2027-03-26T12:30:00Z"))
	c.want(c.advance("2027-03-29T05:00:00Z"),
		"Fri 20:00 down {1 4 2}→{1 4 1}",
		"Sat 02:30 late {1 4 1}→{1 4 2}",
		"Sun 03:00 late {1 4 2}→{1 4 2}", // clocks skip 02:30
		"Mon 02:30 late {1 4 2}→{1 4 2}",
		"Mon 07:00 up {1 4 2}→{2 4 3}")
	c.do(func(tx *Tx) {
		if got := tx.Now(); !got.Equal(moment("2027-03-29T05:00:00Z")) {
			t.Errorf("the clock stands at %s", got)
		}
		if g := KubeView(tx).Clusters[0].NodeGroups[0]; g.Desired != 3 {
			t.Errorf("Kubernetes is to have %d nodes, want 3", g.Desired)
		}
		var next []string
		for _, p := range tx.Pending() {
			next = append(next, p.Action+" "+p.At.Format(time.RFC3339)+" "+p.Label)
		}
		if want := []string{"down 2027-03-29T20:00:00+02:00", "late 2027-03-30T02:30:00+02:00", "up 2027-03-30T07:00:00+02:00"}; !slices.EqualFunc(next, want, strings.HasPrefix) || !strings.HasSuffix(next[0], tx.All(nodeGroupToken)[0].Str("nodeGroupName")) {
			t.Errorf("next are %q", next)
		}
		// What the stack reads is what the program has not said: nothing to change.
		if s := tx.All(nodeGroupToken)[0]; wholeNumber(nested(s.Get("scalingConfig"))["desiredSize"]) != 3 || wholeNumber(nested(s.Get("scalingConfig"))["minSize"]) != 2 {
			t.Errorf("the node group's sizes are %v", s.Get("scalingConfig"))
		}
	})
}

func TestActionsOfOneMomentRunAsSpecified(t *testing.T) {
	c := newClocked(t)
	c.acts("b", object{"recurrence": "0 20 * * *"}, -1, -1, 3)
	c.acts("a", object{"recurrence": "0 20 * * 1-5"}, -1, -1, 1)
	c.want(c.advance("2027-03-27T12:00:00Z"), "Fri 20:00 b {1 4 2}→{1 4 3}", "Fri 20:00 a {1 4 3}→{1 4 1}")
}

func TestBoundsAloneTakeTheSizeAlongAndSizesOutsideAreRefused(t *testing.T) {
	c := newClocked(t)
	c.acts("low", object{"recurrence": "0 13 * * *"}, -1, 1, -1)
	c.acts("high", object{"recurrence": "0 14 * * *"}, -1, -1, 3)
	c.acts("cross", object{"recurrence": "0 15 * * *"}, 2, -1, -1)
	c.acts("both", object{"recurrence": "0 16 * * *"}, 3, 5, -1)
	c.acts("none", object{"recurrence": "0 17 * * *"}, 0, 0, 0)
	c.want(c.advance("2027-03-27T12:00:00Z"),
		"Fri 13:00 low {1 4 2}→{1 1 1}",
		"Fri 14:00 high refused: api error ValidationError: Desired capacity:3 must be between the specified min size:1 and max size:1",
		"Fri 15:00 cross refused: api error ValidationError: Max bound, 1, must be greater than or equal to min bound, 2",
		"Fri 16:00 both {1 1 1}→{3 5 3}",
		"Fri 17:00 none {3 5 3}→{0 0 0}")
}

func TestStartsAndEnds(t *testing.T) {
	c := newClocked(t)
	c.acts("once", object{"startTime": "2027-03-26T13:00:00Z"}, -1, -1, 3)
	c.acts("sale", object{"recurrence": "0 9 * * *", "startTime": "2027-03-26T18:00:00Z", "endTime": "2027-03-28T09:00:00Z"}, -1, -1, 4)
	c.acts("close", object{"recurrence": "0 22 * * *", "endTime": "2027-03-27T21:00:00Z"}, -1, -1, 1)
	if err := c.p.account.Do("us-west-2", func(tx *Tx) error {
		c.set(tx, "2027-03-26T12:00:00Z")
		return validateSchedule(tx, &Object{Inputs: object{"autoscalingGroupName": c.group, "scheduledActionName": "x", "startTime": "2027-03-26T11:00:00Z", "desiredCapacity": 1.0, "minSize": -1.0, "maxSize": -1.0}}, nil)
	}); err == nil || !strings.Contains(err.Error(), "in the past") {
		t.Errorf("a start before the account's time: %v", err)
	}
	c.want(c.advance("2027-03-27T20:00:00Z"),
		"Fri 13:00 once {1 4 2}→{1 4 3}",
		"Fri 18:00 sale {1 4 3}→{1 4 4}", // its start, whatever its recurrence says
		"Fri 22:00 close {1 4 4}→{1 4 1}",
		"Sat 09:00 sale {1 4 1}→{1 4 4}")
	if got := c.names(); !slices.Equal(got, []string{"sale", "close"}) {
		t.Errorf("left are %q: one that ran once is gone", got)
	}
	c.want(c.advance("2027-03-27T23:00:00Z"))
	if got := c.names(); !slices.Equal(got, []string{"sale"}) {
		t.Errorf("left are %q: one that has ended is gone", got)
	}
	c.want(c.advance("2027-03-29T12:00:00Z"), "Sun 09:00 sale {1 4 4}→{1 4 4}")
	if got := c.names(); len(got) != 0 {
		t.Errorf("left are %q", got)
	}
}

// One big move does what many small ones do.
func TestStepsDoNotMatter(t *testing.T) {
	run := func(step time.Duration) (all []string) {
		c := newClocked(t)
		c.acts("up", object{"recurrence": "30 6 * * 1-5", "timeZone": "America/Los_Angeles"}, 2, 4, 3)
		c.acts("down", object{"recurrence": "0 20 * * *", "timeZone": "America/Los_Angeles"}, 1, 4, 1)
		c.acts("hourly", object{"recurrence": "15 */5 * * *", "startTime": "2027-03-27T01:02:00Z"}, -1, -1, 2)
		end := moment("2027-04-02T12:00:00Z")
		for at := moment("2027-03-26T12:00:00Z"); at.Before(end); {
			if at = at.Add(step); at.After(end) {
				at = end
			}
			all = append(all, c.advance(at.Format(time.RFC3339))...)
		}
		return all
	}
	whole := run(1000 * time.Hour)
	if len(whole) < 40 {
		t.Fatalf("only %d actions ran", len(whole))
	}
	for _, step := range []time.Duration{7 * time.Hour, 33 * time.Hour} {
		if got := run(step); !slices.Equal(got, whole) {
			t.Errorf("in steps of %s:\n%s\nat once:\n%s", step, strings.Join(got, "\n"), strings.Join(whole, "\n"))
		}
	}
}

func TestWhatWasDueBeforeRunsFirst(t *testing.T) {
	c := newClocked(t)
	c.acts("down", object{"recurrence": "0 20 * * *"}, -1, -1, 1)
	c.acts("up", object{"recurrence": "0 7 * * *"}, -1, -1, 3)
	c.do(func(tx *Tx) { c.set(tx, "2027-03-27T12:00:00Z") }) // as the machine's time goes on without a move
	var first []Firing
	c.do(func(tx *Tx) { first = tx.Advance(moment("2027-03-27T21:00:00Z")) })
	if len(first) != 2 || first[0].Action != "down" || first[1].Action != "up" {
		t.Errorf("first ran %+v, want the two that were due, at once", first)
	}
	c.want(c.advance("2027-03-27T21:00:00Z"), "Sat 20:00 down {1 4 3}→{1 4 1}")
}

func TestSuspendedActionsDoNothing(t *testing.T) {
	c := newClocked(t)
	c.acts("down", object{"recurrence": "0 20 * * *"}, -1, -1, 1)
	c.do(func(tx *Tx) {
		tx.Find(autoScalingGroupToken, "name", c.group).Inputs["suspendedProcesses"] = list("ScheduledActions")
		tx.Touch()
	})
	c.want(c.advance("2027-03-26T21:00:00Z"), "Fri 20:00 down {1 4 2}→{1 4 2}")
}

func TestResetGivesTheMachinesTimeBack(t *testing.T) {
	c := newClocked(t)
	c.acts("down", object{"recurrence": "0 20 * * *"}, -1, -1, 1)
	c.acts("later", object{"recurrence": "0 21 * * *", "startTime": "2998-01-01T00:00:00Z"}, -1, -1, 1)
	c.want(c.advance("2027-03-26T21:00:00Z"), "Fri 20:00 down {1 4 2}→{1 4 1}")
	c.do(func(tx *Tx) {
		tx.ResetClock()
		now := time.Now()
		if d := tx.Now().Sub(now).Abs(); d > time.Minute {
			t.Errorf("the account's time is %s away from the machine's", d)
		}
		next := tx.Pending()
		if next[0].Action != "down" || next[0].At.Before(now) || next[0].At.Sub(now) > 25*time.Hour || next[1].At.Year() != 2998 {
			t.Errorf("next are %+v", next)
		}
		if s := sizeOf(tx.Find(autoScalingGroupToken, "name", c.group)); s.Desired != 1 {
			t.Errorf("the group has %d, want the 1 of before", s.Desired)
		}
	})
}

func TestCertificatesHoldFromTheAccountsTime(t *testing.T) {
	w := newWorld(t)
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
		at := moment("2031-05-06T07:08:09Z")
		tx.Clock = &at
		cert := tx.All(certificateToken)[0]
		tx.issue(cert)
		if cert.Str("notBefore") != "2031-05-06T00:00:00Z" || cert.Str("notAfter") != "2032-06-05T23:59:59Z" {
			t.Errorf("it holds from %s to %s", cert.Str("notBefore"), cert.Str("notAfter"))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestSetDesiredCapacity(t *testing.T) {
	c := newClocked(t)
	c.do(func(tx *Tx) {
		if err := tx.SetDesiredCapacity(c.group, 4); err != nil || KubeView(tx).Clusters[0].NodeGroups[0].Desired != 4 {
			t.Errorf("%v, Kubernetes is to have %d nodes, want 4", err, KubeView(tx).Clusters[0].NodeGroups[0].Desired)
		}
		for desired, want := range map[int]string{0: "value 0 is below min value 1", 5: "value 5 is above max value 4"} {
			if err := tx.SetDesiredCapacity(c.group, desired); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%d: %v, want %q", desired, err, want)
			}
		}
		if err := tx.SetDesiredCapacity("none", 1); err == nil || !strings.Contains(err.Error(), "name not found") {
			t.Errorf("a group that is not there: %v", err)
		}
	})
}
