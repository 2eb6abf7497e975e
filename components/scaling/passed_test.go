package scaling

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/internal/check"
)

// What never runs is refused while it is new; what has run is not.
func TestActionsThatComeTooLate(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	four := 4
	args := NodeScalingScheduleArgs{TimeZone: "Europe/Madrid", Base: Size{Min: 2, Max: 6, Desired: 3}, Actions: []Action{
		{Name: "sale", Start: "2025-11-27T08:00", Desired: &four},
		{Name: "summer", Recurrence: "0 9 * * 1", End: "2026-09-01T00:00", Desired: &four},
		{Name: "since", Recurrence: "0 8 * * 1", Start: "2026-01-01T00:00", Desired: &four},
		{Name: "goes-on", Start: "2026-11-25T08:00", End: "2026-12-24T08:00", Desired: &four},
		{Name: "will-be", Start: "2027-11-27T08:00", Desired: &four},
	}}
	var p check.Problems
	plan := func(args NodeScalingScheduleArgs) []calendar.Entry {
		_, plan := args.Calendar().Checked(&p, "week", now)
		return plan
	}
	recorded := func(args NodeScalingScheduleArgs) resource.PropertyMap {
		var actions []any
		for _, a := range args.Actions {
			one := map[string]any{"name": a.Name}
			for k, v := range map[string]string{"recurrence": a.Recurrence, "start": a.Start, "end": a.End} {
				if v != "" {
					one[k] = v
				}
			}
			actions = append(actions, one)
		}
		return resource.NewPropertyMapFromMap(map[string]any{"actions": actions})
	}
	const sale, summer = `actions[0] (sale) has its start on Thu 2025-11-27 08:00 Europe/Madrid, which has passed`, `actions[1] (summer) has ended on Tue 2026-09-01 00:00 Europe/Madrid`
	moved := args
	moved.Actions = slices.Clone(args.Actions)
	moved.Actions[0].Start = "2025-11-28T08:00"
	for name, c := range map[string]struct {
		before resource.PropertyMap
		want   []string
	}{
		"a stack that begins":          {nil, []string{sale, summer}},
		"a stack that had none":        {recorded(NodeScalingScheduleArgs{}), []string{sale, summer}},
		"a stack that had all":         {recorded(args), nil},
		"one has another start now":    {recorded(moved), []string{sale}},
		"a state that nobody can read": {resource.PropertyMap{"actions": resource.NewProperty("?")}, []string{sale, summer}},
	} {
		err := late(plan(args), c.before, "Europe/Madrid", now)
		var got []string
		if err != nil {
			got = strings.Split(err.Error(), "\n")
		}
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	if err := p.Err("schedule", "week"); err != nil {
		t.Error(err)
	}
}
