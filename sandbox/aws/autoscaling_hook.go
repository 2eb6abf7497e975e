package aws

import "cmp"

const (
	lifecycleHookToken = "aws:autoscaling/lifecycleHook:LifecycleHook"
	// usualHook is for how many seconds a hook holds that does not say so.
	// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html
	usualHook = 3600
)

func init() {
	register(&Type{
		Token: lifecycleHookToken, Label: "Auto Scaling Lifecycle Hook", Service: "Auto Scaling", Within: []string{"autoscalingGroupName"},
		Ops:      Ops{"PutLifecycleHook", "PutLifecycleHook", "DeleteLifecycleHook"},
		AutoName: &AutoName{Prop: "name", Max: 255},
		Props: map[string]Prop{
			"autoscalingGroupName": text.must().to(scalingGroupRef), "defaultResult": text.filled().in("CONTINUE", "ABANDON"), "heartbeatTimeout": number.within(30, 7200),
			"lifecycleTransition":  text.must().in("autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"),
			"name":                 text.filled().fixed().like(`^[A-Za-z0-9_/-]{1,255}$`, `1 to 255 letters, digits, "-", "_" and "/"`),
			"notificationMetadata": text.within(1, 4000), "notificationTargetArn": text, "roleArn": text,
		},
		Validate: validateLifecycleHook,
		Create: func(_ *Tx, o *Object) error {
			o.ID = o.Str("name")
			o.fill("defaultResult", "ABANDON")
			return nil
		},
		Update: moveLifecycleHook,
		Import: func(tx *Tx, id string) *Object {
			for _, h := range tx.All(lifecycleHookToken) {
				if h.Str("autoscalingGroupName")+"/"+h.ID == id {
					return h
				}
			}
			return nil
		},
	})
}

func validateLifecycleHook(tx *Tx, o, old *Object) error {
	group, n := o.Str("autoscalingGroupName"), 0
	for _, h := range tx.All(lifecycleHookToken) {
		if h.Str("autoscalingGroupName") != group || (old != nil && h.ID == old.ID) {
			continue
		}
		if n++; h.ID == o.Str("name") {
			return Errorf("AlreadyExists", "the group %s has a lifecycle hook %s already: putting it would replace that one", group, h.ID)
		}
	}
	// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html
	if n >= 50 {
		return Errorf("LimitExceeded", "You've reached the limit of 50 lifecycle hooks for this Auto Scaling group")
	}
	return nil
}

// moveLifecycleHook leaves the hook where it was too when it is put on another group: the provider puts it there, and deletes nothing.
func moveLifecycleHook(tx *Tx, o, old *Object) error {
	if group := tx.Find(autoScalingGroupToken, "name", old.Str("autoscalingGroupName")); group != nil && o.Str("autoscalingGroupName") != old.Str("autoscalingGroupName") {
		left := old.clone()
		left.Owner = group.Key()
		tx.Add(left)
	}
	return nil
}

// endSeconds is how long an instance of an auto scaling group goes on when it is told to end: its target groups wait for the requests
// that it has, and lifecycle hooks for whoever has to do something first.
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
func (v balancing) endSeconds(scaling *Object) (longest int) {
	for _, g := range v.all(targetGroupToken) {
		if v.registers(scaling, g.ID) {
			longest = max(longest, g.Num("deregistrationDelay"))
		}
	}
	for _, h := range v.all(lifecycleHookToken) {
		if h.Region == scaling.Region && h.Str("autoscalingGroupName") == scaling.Str("name") && h.Str("lifecycleTransition") == "autoscaling:EC2_INSTANCE_TERMINATING" {
			longest = max(longest, cmp.Or(h.Num("heartbeatTimeout"), usualHook))
		}
	}
	return longest
}
