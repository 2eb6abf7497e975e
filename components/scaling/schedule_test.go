package scaling_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/scaling"
	"github.com/slipway-iac/slipway/internal/recorder"
)

const scheduleType = "aws:autoscaling/schedule:Schedule"

// run makes a schedule for the group "nodes-abc" against a recorder.
func run(r *recorder.Recorder, args scaling.NodeScalingScheduleArgs) error {
	_, err := summaryOf(r, args)
	return err
}

func summaryOf(r *recorder.Recorder, args scaling.NodeScalingScheduleArgs) ([]string, error) {
	if args.AutoScalingGroupName == nil {
		args.AutoScalingGroupName = pulumi.String("nodes-abc")
	}
	lines := make(chan []string, 1)
	err := r.Run(func(ctx *pulumi.Context) error {
		c, err := scaling.NewNodeScalingSchedule(ctx, "week", &args)
		if err == nil {
			c.Summary.ApplyT(func(s []string) string { lines <- s; return "" })
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return <-lines, nil
}

func n(i int) *int { return &i }

// production is a week with nights, weekends, a monthly run and one busy Friday.
func production() scaling.NodeScalingScheduleArgs {
	return scaling.NodeScalingScheduleArgs{
		TimeZone: "Europe/Madrid", Base: scaling.Size{Min: 2, Max: 6, Desired: 3},
		Nights:   &scaling.Nights{DownAt: "20:00", UpAt: "07:00", Size: scaling.Size{Min: 1, Max: 2, Desired: 1}},
		Weekends: &scaling.Weekends{From: "Fri 20:00", Until: "Mon 07:00", Size: scaling.Size{Max: 1}},
		Actions: []scaling.Action{
			{Name: "lunch", Recurrence: "30 11 * * 1-5", Desired: n(5), Max: n(6), Min: n(3), Start: "2999-01-01T00:00", End: "2999-07-01T12:00:00+02:00"},
			{Name: "payroll", Recurrence: "0 6 1 * *", Max: n(8)},
			{Name: "sale", Start: "2999-11-29T06:00", End: "2999-11-30T00:00", Min: n(8), Desired: n(8), Max: n(12)},
		},
	}
}

func TestRegistered(t *testing.T) {
	r := &recorder.Recorder{}
	lines, err := summaryOf(r, production())
	if err != nil {
		t.Fatal(err)
	}
	want := `Mon 07:00 Europe/Madrid                                                   min 2 desired 3 max 6   weekends-up
Mon–Fri 11:30 Europe/Madrid from 2999-01-01 00:00 until 2999-07-01 12:00  min 3 desired 5 max 6   lunch
Mon–Thu 20:00 Europe/Madrid                                               min 1 desired 1 max 2   nights-down
Tue–Fri 07:00 Europe/Madrid                                               min 2 desired 3 max 6   nights-up
Fri 20:00 Europe/Madrid                                                   min 0 desired 0 max 1   weekends-down
day 1 06:00 Europe/Madrid                                                 max 8                   payroll
Mon 2999-07-01 12:00 Europe/Madrid                                        min 2 desired 3 max 6   lunch-end
Fri 2999-11-29 06:00 Europe/Madrid                                        min 8 desired 8 max 12  sale
Sat 2999-11-30 00:00 Europe/Madrid                                        min 2 desired 3 max 6   sale-end`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("summary\n%s\nwant\n%s", got, want)
	}
	r.Golden(t, "schedule")
	recorder.CheckDocTree(t, "schedule.go", "NodeScalingSchedule", r)
}

func TestOfficeHours(t *testing.T) {
	r := &recorder.Recorder{}
	lines, err := summaryOf(r, scaling.NodeScalingScheduleArgs{
		Base: scaling.Size{Min: 2, Max: 6, Desired: 3}, OfficeHours: &scaling.OfficeHours{From: "06:30", Until: "20:00", Size: scaling.Size{Max: 1}},
	})
	want := `Mon–Fri 06:30 Etc/UTC  min 2 desired 3 max 6  office-hours-begin
Mon–Fri 20:00 Etc/UTC  min 0 desired 0 max 1  office-hours-over`
	if got := strings.Join(lines, "\n"); err != nil || got != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	// The calendar and the review read what is recorded.
	if got := r.Find(t, scaling.NodeScalingScheduleType, "week").Inputs["officeHours"].ObjectValue(); got["from"].StringValue() != "06:30" ||
		got["until"].StringValue() != "20:00" || got["size"].ObjectValue()["max"].NumberValue() != 1 {
		t.Errorf("recorded is %v", got)
	}
}

// What Pulumi's provider is not told, it sets to 0: every node would go.
func TestWhatIsUnsetIsLeftAlone(t *testing.T) {
	r := &recorder.Recorder{}
	args := production()
	args.Actions = []scaling.Action{{Name: "more", Recurrence: "0 9 * * 1", Desired: n(3)}}
	args.Nights, args.Weekends = nil, nil
	if err := run(r, args); err != nil {
		t.Fatal(err)
	}
	in := r.Find(t, scheduleType, "week-more").Inputs
	if got := [3]float64{in["minSize"].NumberValue(), in["maxSize"].NumberValue(), in["desiredCapacity"].NumberValue()}; got != [3]float64{-1, -1, 3} {
		t.Errorf("min, max, desired are %v, want -1, -1, 3", got)
	}
	if in.HasValue("startTime") || in.HasValue("endTime") {
		t.Errorf("a start or an end that nobody asked for: %v", in)
	}
}

func TestEndBringsTheBaseBack(t *testing.T) {
	r := &recorder.Recorder{}
	if err := run(r, production()); err != nil {
		t.Fatal(err)
	}
	in := r.Find(t, scheduleType, "week-lunch-end").Inputs
	if in["startTime"].StringValue() != "2999-07-01T10:00:00Z" || in.HasValue("recurrence") || in["minSize"].NumberValue() != 2 || in["maxSize"].NumberValue() != 6 || in["desiredCapacity"].NumberValue() != 3 {
		t.Errorf("the base comes back by %v", in)
	}
	if got := r.Find(t, scheduleType, "week-lunch").Inputs["endTime"].StringValue(); got != "2999-07-01T10:00:00Z" {
		t.Errorf("it repeats until %s", got)
	}
}

// AWS refuses a start that has passed, and forgets what is over; the stack must go on working with the same arguments.
func TestTimeGoesBy(t *testing.T) {
	args := production()
	args.Nights, args.Weekends = nil, nil
	args.Actions = []scaling.Action{
		{Name: "started", Recurrence: "0 9 * * 1", Desired: n(4), Start: "2001-01-01T00:00"},
		{Name: "ended", Recurrence: "0 9 * * 2", Desired: n(4), End: "2001-06-01T00:00"},
		{Name: "done", Start: "2001-02-01T00:00", Desired: n(4)},
		{Name: "running", Start: "2001-03-01T00:00", End: "2999-03-01T00:00", Desired: n(4)},
		// They fell on a Monday's 9:00, when nobody asked.
		{Name: "met", Start: "2001-01-08T09:00", Desired: n(4)},
		{Name: "meets", Recurrence: "0 10 * * 1", Start: "2001-01-08T09:00", Desired: n(4)},
	}
	r := &recorder.Recorder{}
	lines, err := summaryOf(r, args)
	if err != nil {
		t.Fatal(err)
	}
	if in := r.Find(t, scheduleType, "week-started").Inputs; in.HasValue("startTime") {
		t.Errorf("a start in the past is asked for: %v", in["startTime"])
	}
	r.Find(t, scheduleType, "week-running-end")
	// Those that are over may be new, which only the state can tell.
	if hooks := r.Find(t, scaling.NodeScalingScheduleType, "week").RegisterRPC.GetHooks(); !slices.Equal(hooks.GetBeforeCreate(), []string{"week-in-time"}) ||
		!slices.Equal(hooks.GetBeforeUpdate(), hooks.GetBeforeCreate()) || len(hooks.GetBeforeDelete()) > 0 {
		t.Errorf("the hooks are %v", hooks)
	}
	if got := strings.Count(r.Tree(), scheduleType); got != 3 || len(lines) != 3 {
		t.Errorf("%d actions are left, in %d lines, want 3:\n%s", got, len(lines), r.Tree())
	}
}

// An action is replaced whenever its definition changes, also where the provider sees no change (an end taken away), and
// never because its start passes.
func TestChangesReplace(t *testing.T) {
	definition := func(a scaling.Action) string {
		r := &recorder.Recorder{}
		args := production()
		args.Nights, args.Weekends, args.Actions = nil, nil, []scaling.Action{a}
		if err := run(r, args); err != nil {
			t.Fatal(err)
		}
		rpc := r.Find(t, scheduleType, "week-x").RegisterRPC
		if got := rpc.GetReplaceOnChanges(); !rpc.GetDeleteBeforeReplace() || len(got) != 1 || got[0] != "*" {
			t.Errorf("replaced on %v, delete first %v", got, rpc.GetDeleteBeforeReplace())
		}
		return rpc.GetReplacementTrigger().GetStringValue()
	}
	with := scaling.Action{Name: "x", Recurrence: "0 9 * * 1", Desired: n(3), End: "2999-01-01T00:00"}
	without := with
	without.End = ""
	if definition(with) == "" || definition(with) == definition(without) {
		t.Error("an end that is taken away stays in force")
	}
	if first, second := definition(with), definition(with); first != second {
		t.Error("the same action is replaced on every run")
	}
}

func TestEverythingWrongAtOnce(t *testing.T) {
	r := &recorder.Recorder{}
	err := run(r, scaling.NodeScalingScheduleArgs{
		TimeZone: "Europe/Atlantis", Base: scaling.Size{Min: 2, Max: 6, Desired: 3},
		Nights:   &scaling.Nights{DownAt: "8pm", Size: scaling.Size{Min: 3, Max: 2}},
		Weekends: &scaling.Weekends{From: "Friday 20:00", Until: "Mon 24:00", Size: scaling.Size{Min: 1, Max: 2, Desired: 3}},
		Actions: []scaling.Action{
			{Name: "a", Recurrence: "@daily", Desired: n(3)},
			{Name: "a", Start: "tomorrow", Max: n(1)},
			{Name: "no spaces"},
			{Recurrence: "0 9 * * 1", Start: "2999-02-01T00:00", End: "2999-01-01T00:00", Min: n(5), Max: n(4)},
			{Name: "d", Recurrence: "0 9 * * 1", Desired: n(9)},
			{Name: "e", Recurrence: "0 8 * * 1", Desired: n(-1)},
			{Name: strings.Repeat("f", 251), Recurrence: "0 7 * * 1", Min: n(3), Desired: n(2), Max: n(9)},
		},
	})
	want := `slipway:index:NodeScalingSchedule "week" has 23 invalid argument(s):
  timeZone is "Europe/Atlantis", must be the IANA name of a time zone, like "Europe/Madrid"
  weekends.from is "Friday 20:00", must be a day and a time, "Mon 00:00" to "Sun 23:59"
  weekends.until is "Mon 24:00", must be a day and a time, "Mon 00:00" to "Sun 23:59"
  weekends.size.desired is 3, must be 1 to 2
  nights.downAt is "8pm", must be a time of day, 00:00 to 23:59
  nights.upAt is required, for example "07:00"
  nights.size.max is 2, must be at least 1 and at least min (3)
  actions[0].recurrence is "@daily", must be five fields "minute hour day-of-month month day-of-week", like "0 20 * * 1-5"
  actions[1].start is "tomorrow", must be a date and a time, "2026-11-27T08:00" in timeZone or "2026-11-27T08:00:00Z"
  actions[2].name is "no spaces", must be letters, digits, ".", "_" and "-", like "lunch"
  actions[2].recurrence is required, or start for an action that runs once
  actions[2].desired is required, or min or max: the action changes nothing
  actions[3].name is required, for example "lunch"
  actions[3].end is "2999-01-01T00:00", must be after start ("2999-02-01T00:00")
  actions[5].desired is -1, must be at least 0; leave it out to leave the size alone
  actions[1] makes an action called "a", as does actions[0]
  actions[6] makes an action called "` + strings.Repeat("f", 251) + `", 256 characters with "week-" in front, must be at most 255
  actions[0].min is left alone, but actions[3] may have set it to 5, and this action goes down to 3: set min too
  actions[0].max is left alone, but actions[1] may have set it to 1, and this action goes up to 3: set max too
  actions[1].min is left alone, but base may have set it to 2, and this action goes down to 1: set min too
  actions[3].max is 4, must be at least min (5)
  actions[4].max is left alone, but base may have set it to 6, and this action goes up to 9: set max too
  actions[6].desired is 2, must be 3 to 9`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if seen := r.Tree(); strings.Contains(seen, "slipway:") {
		t.Errorf("registered in spite of it:\n%s", seen)
	}
}

func TestRefused(t *testing.T) {
	weekdays := func(actions ...scaling.Action) scaling.NodeScalingScheduleArgs {
		a := production()
		a.Weekends, a.Actions = nil, actions
		return a
	}
	for name, tc := range map[string]struct {
		args scaling.NodeScalingScheduleArgs
		want string
	}{
		"nothing": {scaling.NodeScalingScheduleArgs{Base: scaling.Size{Max: 1}}, "actions is required where none of officeHours, nights and weekends is given"},
		"two at one moment": {
			weekdays(scaling.Action{Name: "x", Recurrence: "*/30 7 * * 3", Desired: n(2)}),
			"actions[0] runs at the same minute as nights (nights-up, Wed 07:00 Europe/Madrid): Auto Scaling refuses two actions for one moment",
		},
		"one moment of one and of many": {
			weekdays(scaling.Action{Name: "x", Start: "2999-11-29T20:00", Desired: n(2)}),
			"actions[0] runs at the same minute as nights (nights-down, Fri 2999-11-29 20:00 Europe/Madrid): Auto Scaling refuses two actions for one moment",
		},
		"an end while it runs": {
			weekdays(scaling.Action{Name: "x", Recurrence: "0 9 * * 1", End: "2999-07-01T09:00", Desired: n(2)}),
			"actions[0].end runs at the same minute as actions[0] (x, Mon 2999-07-01 09:00 Europe/Madrid): Auto Scaling refuses two actions for one moment",
		},
		"a name of a preset": {
			weekdays(scaling.Action{Name: "nights-up", Recurrence: "0 9 * * 1", Desired: n(2)}),
			`actions[0] makes an action called "nights-up", as does nights`,
		},
		"more than what is left in force": {
			weekdays(scaling.Action{Name: "x", Recurrence: "0 9 * * 1", Desired: n(4), Min: n(1)}),
			"actions[0].max is left alone, but nights may have set it to 2, and this action goes up to 4: set max too",
		},
		"fewer than what is left in force": {
			weekdays(scaling.Action{Name: "x", Recurrence: "0 9 * * 1", Max: n(1)}),
			"actions[0].min is left alone, but base may have set it to 2, and this action goes down to 1: set min too",
		},
		"too many": {weekdays(many(124)...), "actions makes 126 scheduled actions with officeHours, nights, weekends and ends, must be at most 125"},
	} {
		t.Run(name, func(t *testing.T) {
			want := "slipway:index:NodeScalingSchedule \"week\" has 1 invalid argument(s):\n  " + tc.want
			if err := run(&recorder.Recorder{}, tc.args); err == nil || !strings.HasSuffix(strings.TrimSpace(err.Error()), want) {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

// many are actions, none of which falls on the minute of another.
func many(count int) (out []scaling.Action) {
	for i := range count {
		out = append(out, scaling.Action{Name: fmt.Sprintf("x%d", i), Recurrence: fmt.Sprintf("%d %d * * 1", 1+i%50, 1+i/50), Desired: n(2)})
	}
	return out
}

func TestActionsInWindowsThatDoNotTouchMayShareAMinute(t *testing.T) {
	args := production()
	args.Actions = []scaling.Action{
		{Name: "winter", Recurrence: "0 9 * * 1", Min: n(1), Desired: n(2), Max: n(2), End: "2999-03-01T00:00"},
		{Name: "summer", Recurrence: "0 9 * * 1", Min: n(1), Desired: n(2), Max: n(2), Start: "2999-06-01T00:00"},
		// A Monday.
		{Name: "spring", Min: n(1), Desired: n(2), Max: n(2), Start: "2999-05-06T09:00"},
	}
	if err := run(&recorder.Recorder{}, args); err != nil {
		t.Error(err)
	}
}

func TestPreviewWithAGroupThatDoesNotExistYet(t *testing.T) {
	r := &recorder.Recorder{Preview: true}
	err := r.Run(func(ctx *pulumi.Context) error {
		group := &struct{ pulumi.CustomResourceState }{}
		if err := ctx.RegisterResource("test:index:Group", "group", pulumi.Map{}, group); err != nil {
			return err
		}
		args := production()
		args.AutoScalingGroupName = group.ID().ToStringOutput()
		_, err := scaling.NewNodeScalingSchedule(ctx, "week", &args)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// The recorder leaves out what is not known.
	in := r.Find(t, scheduleType, "week-nights-up").Inputs
	if in.HasValue("autoscalingGroupName") || in["recurrence"].StringValue() != "0 7 * * 2-5" {
		t.Errorf("got %v", in)
	}
}
