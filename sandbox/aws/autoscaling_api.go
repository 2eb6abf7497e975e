package aws

import (
	"slices"
	"strings"
)

// SetDesiredCapacity changes the size of an auto scaling group as an operator does in the console or with the aws command.
func (tx *Tx) SetDesiredCapacity(group string, desired int) error {
	if g := tx.Find(autoScalingGroupToken, "name", group); g != nil {
		switch s := sizeOf(g); {
		case desired < s.Min:
			return Errorf("ValidationError", "New SetDesiredCapacity value %d is below min value %d for the AutoScalingGroup.", desired, s.Min)
		case desired > s.Max:
			return Errorf("ValidationError", "New SetDesiredCapacity value %d is above max value %d for the AutoScalingGroup.", desired, s.Max)
		}
	}
	return tx.Resize(group, -1, -1, desired)
}

// DescribeAutoScalingGroups is what the API says of the groups with those names, of all where there are none. It leaves out the
// instances, which the account does not hold: the nodes of a node group are in Kubernetes.
func (tx *Tx) DescribeAutoScalingGroups(names []string) []map[string]any {
	out := []map[string]any{}
	for _, g := range tx.All(autoScalingGroupToken) {
		if len(names) > 0 && !slices.Contains(names, g.Str("name")) {
			continue
		}
		size, targets := sizeOf(g), g.List("targetGroupArns")
		for _, a := range tx.All(groupAttachmentToken) {
			if arn := a.Str("lbTargetGroupArn"); arn != "" && a.Str("autoscalingGroupName") == g.Str("name") && !slices.Contains(targets, arn) {
				targets = append(targets, arn)
			}
		}
		tags := []map[string]any{}
		for _, t := range objects(g.Get("tags")) {
			tags = append(tags, map[string]any{
				"ResourceId": g.Str("name"), "ResourceType": "auto-scaling-group", "Key": t["key"], "Value": t["value"], "PropagateAtLaunch": t["propagateAtLaunch"],
			})
		}
		processes := []map[string]any{}
		for _, p := range g.List("suspendedProcesses") {
			processes = append(processes, map[string]any{"ProcessName": p})
		}
		d := map[string]any{
			"AutoScalingGroupName": g.Str("name"), "AutoScalingGroupARN": g.Str("arn"), "MinSize": size.Min, "MaxSize": size.Max, "DesiredCapacity": size.Desired,
			"AvailabilityZones": orEmpty(g.List("availabilityZones")), "VPCZoneIdentifier": strings.Join(g.List("vpcZoneIdentifiers"), ","),
			"HealthCheckType": g.Str("healthCheckType"), "HealthCheckGracePeriod": g.Num("healthCheckGracePeriod"),
			"TargetGroupARNs": orEmpty(targets), "TerminationPolicies": orEmpty(g.List("terminationPolicies")),
			"CreatedTime": g.Created.Format("2006-01-02T15:04:05.000000Z07:00"), "SuspendedProcesses": processes, "Tags": tags,
		}
		if lt := nested(g.Get("launchTemplate")); len(lt) > 0 {
			d["LaunchTemplate"] = map[string]any{"LaunchTemplateId": lt["id"], "LaunchTemplateName": lt["name"], "Version": lt["version"]}
		}
		out = append(out, d)
	}
	return out
}

// DescribeScheduledActions is what the API says of the scheduled actions of a group, of all groups where it is "", and of those
// with those names, of all where there are none. Those that run next come first.
func (tx *Tx) DescribeScheduledActions(group string, names []string) []map[string]any {
	out := []map[string]any{}
	for _, p := range tx.Pending() {
		s := p.object
		if s.Region != tx.Region || group != "" && p.Group != group || len(names) > 0 && !slices.Contains(names, p.Action) {
			continue
		}
		d := map[string]any{
			"AutoScalingGroupName": p.Group, "ScheduledActionName": p.Action, "ScheduledActionARN": s.Str("arn"),
			"Time": s.Str("startTime"), "StartTime": s.Str("startTime"),
		}
		for name, v := range map[string]string{"EndTime": s.Str("endTime"), "Recurrence": s.Str("recurrence"), "TimeZone": s.Str("timeZone")} {
			if v != "" {
				d[name] = v
			}
		}
		for name, n := range map[string]int{"MinSize": p.Min, "MaxSize": p.Max, "DesiredCapacity": p.Desired} {
			if n >= 0 {
				d[name] = n
			}
		}
		out = append(out, d)
	}
	return out
}

func orEmpty(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}
