package scaling

import (
	"errors"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/calendar"
)

// inTime refuses, in a preview too, actions that were over before anybody deployed them: their date is mistaken, or they come too late,
// and nothing would ever happen. An action that ran in its time is over as well, and does not stand in the way of its stack. Only the
// state tells the one from the other.
func inTime(ctx *pulumi.Context, name, timeZone string, plan []calendar.Entry, now time.Time) (pulumi.ResourceOption, error) {
	hook, err := ctx.RegisterResourceHook(name+"-in-time", func(change *pulumi.ResourceHookArgs) error {
		return late(plan, change.OldInputs, timeZone, now)
	}, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	hooks := []*pulumi.ResourceHook{hook}
	return pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: hooks, BeforeUpdate: hooks}), nil
}

// late are the actions that are over, and are not among the recorded arguments of before.
func late(plan []calendar.Entry, before resource.PropertyMap, timeZone string, now time.Time) error {
	known := map[[4]string]bool{}
	if actions := before["actions"]; actions.IsArray() {
		for _, a := range actions.ArrayValue() {
			if a.IsObject() {
				o := a.ObjectValue()
				known[[4]string{text(o, "name"), text(o, "recurrence"), text(o, "start"), text(o, "end")}] = true
			}
		}
	}
	var all []error
	for _, e := range plan {
		if says := e.Passed(timeZone, now); e.Over(now) && says != "" && !known[[4]string{e.Name, e.Recurrence, e.Start, e.End}] {
			all = append(all, errors.New(says))
		}
	}
	return errors.Join(all...)
}

func text(o resource.PropertyMap, key resource.PropertyKey) string {
	if v := o[key]; v.IsString() {
		return v.StringValue()
	}
	return ""
}
