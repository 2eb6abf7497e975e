package review

import (
	"cmp"
	"fmt"
	"slices"
)

// nodeLines are the machines of a node group, and their disks.
func nodeLines(g resource, all, schedules []resource, only bool, r regionPrices, hours NodeHours, problems map[string]bool) []priced {
	name := quoted(g.urn.Name())
	kind := shown(at(g.Inputs, "instanceTypes", 0))
	if at(g.Inputs, "instanceTypes", 0) == nil {
		kind = "t3.medium" // what EKS takes where none is given
	}
	if text(g.Inputs, "capacityType") == "SPOT" {
		problems["node group "+name+", which runs on spot capacity, whose price changes"] = true
		return nil
	}
	hour, ok := r.InstanceHour[kind]
	if !ok {
		problems[fmt.Sprintf("node group %s, with instances of type %s (no price here)", name, quoted(kind))] = true
		return nil
	}
	desired, ok := number(g.Inputs, "scalingConfig", "desiredSize")
	if !ok {
		problems["node group "+name+", whose size is not known"] = true
		return nil
	}
	week, assumption := desired*hoursPerWeek, fmt.Sprintf("%g nodes all week", desired)
	var own []resource
	for _, s := range schedules {
		if only && len(schedules) == 1 || scales(s, g) {
			own = append(own, s)
		}
	}
	for _, s := range own {
		counted := false
		if hours != nil {
			if w, said, ok := hours(s.Inputs); ok {
				week, assumption, counted = w, said, true
			}
		}
		if !counted {
			assumption += "; the schedule " + quoted(s.urn.Name()) + " is not counted"
		}
	}
	assumption += ", no autoscaling"
	nodes := week / hoursPerWeek
	lines := []priced{{"Nodes of " + name, fmt.Sprintf("%s at %g USD an hour; %s", quoted(kind), hour, assumption), nodes * hour * hoursPerMonth}}
	size, disk := diskOf(g, all)
	if gib, ok := r.DiskGibMonth[disk]; ok {
		lines = append(lines, priced{"Disks of " + name, fmt.Sprintf("%g GiB %s a node at %g USD a GiB and month", size, disk, gib), nodes * size * gib})
	} else {
		problems["disks of type "+quoted(disk)+" (no price here)"] = true
	}
	return lines
}

// scales says whether a schedule changes the size of a node group.
func scales(schedule, group resource) bool {
	if slices.Contains(schedule.PropertyDependencies["autoScalingGroupName"], group.urn) {
		return true
	}
	asg := text(group.made, "resources", 0, "autoscalingGroups", 0, "name")
	return asg != "" && asg == text(schedule.Inputs, "autoScalingGroupName")
}

// diskOf is the size in GiB and the type of a node's disk, from the group or its launch template.
func diskOf(g resource, all []resource) (float64, string) {
	if n, ok := number(g.Inputs, "diskSize"); ok {
		return n, "gp3"
	}
	for _, x := range all {
		if x.urn.Type() != "aws:ec2/launchTemplate:LaunchTemplate" {
			continue
		}
		if id := text(g.Inputs, "launchTemplate", "id"); (id == "" || id != x.ID) && !slices.Contains(g.PropertyDependencies["launchTemplate"], x.urn) && x.urn.Name() != g.urn.Name() {
			continue
		}
		if n, ok := number(x.Inputs, "blockDeviceMappings", 0, "ebs", "volumeSize"); ok {
			return n, cmp.Or(text(x.Inputs, "blockDeviceMappings", 0, "ebs", "volumeType"), "gp3")
		}
	}
	return 20, "gp3" // what EKS gives: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html
}
