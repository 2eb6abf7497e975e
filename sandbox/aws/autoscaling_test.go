package aws

import (
	"strings"
	"testing"
	"time"
)

func TestScalingRefusals(t *testing.T) {
	w := newWorld(t)
	past, future, later := "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2999-02-01T00:00:00Z"
	w.add("once", scheduleToken, object{"autoscalingGroupName": w.id("scaled"), "scheduledActionName": "once", "startTime": future, "minSize": 1.0, "maxSize": 2.0, "desiredCapacity": -1.0})
	w.refuses([]refusal{
		{"scaled", object{"name": w.id("scaled")}, "AlreadyExists"},
		{"scaled", object{"launchTemplate": nil}, "launchTemplate is required"},
		{"scaled", object{"launchTemplate": object{"id": "lt-1"}}, "InvalidLaunchTemplateId.NotFound"},
		{"scaled", object{"vpcZoneIdentifiers": list("subnet-1")}, "The subnet ID 'subnet-1' does not exist"},
		{"scaled", object{"minSize": 5.0}, "Max bound, 4, must be greater than or equal to min bound, 5"},
		{"scaled", object{"desiredCapacity": 9.0}, "Desired capacity:9 must be between the specified min size:1 and max size:4"},
		{"scaled", object{"vpcZoneIdentifiers": nil}, "vpcZoneIdentifiers is required"},
		{"scaled", object{"vpcZoneIdentifiers": nil, "availabilityZones": list("us-west-2z")}, "Invalid availability zones: [us-west-2z]"},
		{"scaled", object{"vpcZoneIdentifiers": nil, "availabilityZones": list("us-west-2a")}, "No default subnet for availability zone"},
		{"scaled", object{"targetGroupArns": list(w.id("addresses"))}, "has target type ip, must be instance"},
		{"attachment", object{"autoscalingGroupName": "none"}, "AutoScalingGroup name not found"},
		{"attachment", object{"lbTargetGroupArn": "arn:none"}, "Provided Target Groups may not be valid"},
		{"attachment", object{"lbTargetGroupArn": w.id("addresses")}, "must be instance"},
		{"attachment", object{"lbTargetGroupArn": nil}, "lbTargetGroupArn is required, or elb"},
		{"schedule", nil, "AlreadyExists"},
		{"schedule", object{"scheduledActionName": "b"}, "starts at the same time"},
		{"schedule", object{"scheduledActionName": "b", "autoscalingGroupName": "none"}, "AutoScalingGroup name not found"},
		{"schedule", object{"scheduledActionName": "b", "recurrence": "0 20 * *"}, "it has 4 fields, must have 5"},
		{"schedule", object{"scheduledActionName": "b", "recurrence": "0 24 * * *"}, `hour is "24", must be 0 to 23`},
		{"schedule", object{"scheduledActionName": "b", "recurrence": "0 1 * * FRI-MON"}, `day of week is "FRI-MON"`},
		{"schedule", object{"scheduledActionName": "b", "recurrence": "0 1 * * *", "timeZone": "Europe/Bonn"}, "time zone Europe/Bonn is invalid"},
		{"schedule", object{"scheduledActionName": "b", "recurrence": nil}, "Either a recurrence or a start time"},
		{"schedule", object{"scheduledActionName": "b", "recurrence": "0 1 * * *", "maxSize": nil, "minSize": 1.0}, "Max bound, 0, must be greater than or equal to min bound, 1"},
		{"schedule", object{"scheduledActionName": "b", "recurrence": "0 1 * * *", "desiredCapacity": 9.0}, "must be between the specified min size:0 and max size:4"},
		{"schedule", object{"scheduledActionName": "b", "recurrence": "0 1 * * *", "maxSize": -1.0, "minSize": -1.0, "desiredCapacity": -1.0}, "At least one of MinSize"},
		{"once", object{"scheduledActionName": "b"}, "starts at the same time"},
		{"once", object{"scheduledActionName": "b", "startTime": past}, "Given start time is in the past"},
		{"once", object{"scheduledActionName": "b", "startTime": later, "endTime": future}, "Given end time is before or equal to start time"},
		{"once", object{"scheduledActionName": "b", "startTime": nil, "recurrence": "0 1 * * *", "endTime": past}, "Given end time is in the past"},
		{"once", object{"scheduledActionName": "b", "startTime": later, "maxSize": -2.0}, "maxSize is -2, must be at least 0"},
		{"once", object{"scheduledActionName": "b", "startTime": "tomorrow"}, "cannot be parsed as iso8601 Timestamp Format"},
		{"hook", object{"name": w.id("hook")}, "AlreadyExists"},
		{"hook", object{"autoscalingGroupName": "none"}, "AutoScalingGroup name not found"},
		{"hook", object{"heartbeatTimeout": 29.0}, "is 29, must be 30 to 7200"},
		{"hook", object{"defaultResult": "WAIT"}, "must be one of CONTINUE, ABANDON"},
		{"hook", object{"lifecycleTransition": "end"}, "must be one of autoscaling:EC2_INSTANCE_LAUNCHING"},
		{"policy", object{"name": w.id("policy")}, "AlreadyExists"},
		{"policy", object{"policyType": "StepScaling"}, "stepAdjustments is required where policyType is StepScaling"},
		{"policy", object{"cooldown": 60.0}, "cooldown is not taken"},
		{"policy", object{"minAdjustmentMagnitude": 1.0}, "is taken only where adjustmentType is PercentChangeInCapacity"},
		{"policy", object{"targetTrackingConfiguration": object{"targetValue": 60.0, "predefinedMetricSpecification": object{"predefinedMetricType": "ALBRequestCountPerTarget"}}}, "resourceLabel is required"},
		{"policy", object{"targetTrackingConfiguration": object{"targetValue": 60.0}}, "predefinedMetricSpecification is required"},
		{"policy", object{"targetTrackingConfiguration": object{"targetValue": 60.0, "predefinedMetricSpecification": object{"predefinedMetricType": "CPU"}}}, "must be one of ASGAverageCPUUtilization"},
	})
	w.revises([]revision{
		{"scaled", object{"maxSize": 6.0}, nil},
		{"scaled", object{"name": "other"}, []string{"name"}},
		{"attachment", object{"lbTargetGroupArn": w.id("addresses")}, []string{"lbTargetGroupArn"}},
		{"schedule", object{"recurrence": "0 21 * * *"}, nil},
		{"schedule", object{"scheduledActionName": "evening"}, []string{"scheduledActionName"}},
		{"policy", object{"targetTrackingConfiguration": object{"targetValue": 50.0, "predefinedMetricSpecification": object{"predefinedMetricType": "ASGAverageCPUUtilization"}}}, nil},
		{"hook", object{"heartbeatTimeout": 60.0}, nil},
		{"hook", object{"name": "other"}, []string{"name"}},
		{"policy", object{"policyType": "SimpleScaling", "targetTrackingConfiguration": nil, "scalingAdjustment": 1.0, "adjustmentType": "ChangeInCapacity"}, []string{"policyType"}},
	})
	w.keeps("privateA", "DependencyViolation")
}

func TestScheduleSendsZeroForSizesThatAreNotGiven(t *testing.T) {
	w := newWorld(t)
	s := w.create(scheduleToken, "weekend", object{"autoscalingGroupName": w.id("scaled"), "scheduledActionName": "weekend", "recurrence": "0 0 * * SAT"})
	for _, size := range scheduleSizes {
		if s.Out[size] != 0.0 {
			t.Errorf("%s is %v: the provider sends 0", size, s.Out[size])
		}
	}
	if start, err := time.Parse(scheduleTime, s.Out["startTime"].(string)); err != nil || start.Weekday() != time.Saturday || !start.After(time.Now()) {
		t.Errorf("starts %v (%v), want next Saturday", start, err)
	}
}

func TestScheduleIsNotUpdatedAfterItsFirstStart(t *testing.T) {
	w := newWorld(t)
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
		tx.Find(scheduleToken, "id", "night").Set("startTime", "2020-01-01T20:00:00Z")
		tx.Touch()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := w.update(w.by["schedule"], w.changed("schedule", object{"recurrence": "0 21 * * *"})); !strings.Contains(got, "Given start time is in the past") {
		t.Errorf("%q", got)
	}
}

func TestActionsOfOneNameInTwoGroups(t *testing.T) {
	w := newWorld(t)
	other := w.create(autoScalingGroupToken, "other", w.changed("scaled", nil))
	night := w.create(scheduleToken, "other", w.changed("schedule", object{"autoscalingGroupName": other.ID}))
	if refused := w.update(night, w.changed("schedule", object{"autoscalingGroupName": other.ID, "maxSize": 9.0})); refused != "" || night.Out["maxSize"] != 9.0 {
		t.Errorf("%v %s", night.Out, refused)
	}
	if refused := w.delete(w.by["schedule"]); refused != "" {
		t.Error(refused)
	}
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
		if left := tx.All(scheduleToken); len(left) != 1 || left[0].Str("autoscalingGroupName") != other.ID || left[0].Num("maxSize") != 9 {
			t.Errorf("left: %v", left)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// An instance that is told to end goes on for as long as its target groups and hooks ask for, whichever asks for longer.
func TestHowLongInstancesGoOn(t *testing.T) {
	w := newWorld(t)
	ends := func(group string) (seconds int) {
		if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
			seconds = balancing{tx.Objects}.endSeconds(tx.Find(autoScalingGroupToken, "name", group))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return seconds
	}
	scaled := w.id("scaled")
	if got := ends(scaled); got != 45 {
		t.Errorf("with a target group of 30 s and a hook of 45: %d", got)
	}
	if refused := w.update(w.by["targets"], w.changed("targets", object{"deregistrationDelay": 300.0})); refused != "" || ends(scaled) != 300 {
		t.Errorf("with a target group of 300 s and a hook of 45: %d %s", ends(scaled), refused)
	}
	if refused := w.delete(w.by["attachment"]); refused != "" || ends(scaled) != 45 {
		t.Errorf("with the hook alone: %d %s", ends(scaled), refused)
	}
	w.create(lifecycleHookToken, "launch", object{"autoscalingGroupName": scaled, "lifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "heartbeatTimeout": 600.0})
	if got := ends(scaled); got != 45 {
		t.Errorf("with a hook for instances that begin: %d", got)
	}
	other := w.create(autoScalingGroupToken, "other", w.changed("scaled", nil))
	if refused := w.update(w.by["hook"], w.changed("hook", object{"autoscalingGroupName": other.ID, "heartbeatTimeout": 60.0})); refused != "" || ends(other.ID) != 60 || ends(scaled) != 45 {
		t.Errorf("a hook that is put on another group stays where it was, too: %d there, %d here %s", ends(other.ID), ends(scaled), refused)
	}
	if refused := w.update(w.by["hook"], w.changed("hook", object{"autoscalingGroupName": other.ID, "heartbeatTimeout": nil})); refused != "" || ends(other.ID) != 3600 {
		t.Errorf("a hook that does not say how long: %d %s", ends(other.ID), refused)
	}
	if refused := w.delete(w.by["hook"]); refused != "" || ends(other.ID) != 0 {
		t.Errorf("without a hook: %d %s", ends(other.ID), refused)
	}
}
