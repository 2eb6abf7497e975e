// Package week shows a stack's week: how many nodes its schedule makes from each change to the next, whether the pods fit them, and
// what that saves. It reads the arguments that Slipway's components record in Pulumi's state and in `pulumi preview --json`, so it
// needs neither the stack's program nor a cloud.
package week

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/capacity"
)

// Resource is a resource with its recorded inputs.
type Resource struct {
	// Type is the token, such as "slipway:index:Vpc".
	Type string
	// Name in the program.
	Name string
	// Inputs as JSON has them, numbers as float64 or json.Number. A value of any other type stands for one that is not known yet, or secret.
	Inputs map[string]any
}

// Types of the components that are read.
const (
	ScheduleType   = "slipway:index:NodeScalingSchedule"
	clusterType    = "slipway:index:EksCluster"
	policyType     = "slipway:index:NodeScalingPolicy"
	vpcType        = "slipway:index:Vpc"
	deploymentType = "slipway:index:AppDeployment"
)

// Stack is what a stack says of its week.
type Stack struct {
	// Name of the schedule in the program.
	Name string
	// Schedule of the node group's sizes.
	Schedule calendar.Schedule
	// Nodes and Apps, without the weeks; of no use where Unread says something.
	Capacity capacity.Input
	// Unread is why nothing can be said of pods, a line each; empty where something can.
	Unread []string
	// Notes are what is not looked at since the resources do not show it, a line each.
	Notes []string
}

// InstanceType is the type of the scheduled group's nodes; empty where there is not exactly one.
func (s *Stack) InstanceType() string {
	for _, g := range s.Capacity.Groups {
		if g.Owner == capacity.OwnerSchedule && len(g.Instances) == 1 {
			return g.Instances[0].Name
		}
	}
	return ""
}

// Read finds the schedule, the nodes and the apps among the resources of a stack. An error says why there is no week to show: no
// schedule, several, or one with values that are not known.
func Read(resources []Resource) (*Stack, error) {
	resources = slices.Clone(resources)
	slices.SortStableFunc(resources, func(a, b Resource) int { return strings.Compare(a.Name, b.Name) })
	schedules := of(resources, ScheduleType)
	switch len(schedules) {
	case 0:
		return nil, fmt.Errorf("the stack has no %s", ScheduleType)
	case 1:
	default:
		return nil, fmt.Errorf("the stack has %d schedules, %s: which of them a week should show is not known", len(schedules), names(schedules))
	}
	s := &Stack{Name: schedules[0].Name}
	var err error
	if s.Schedule, err = Schedule(schedules[0]); err != nil {
		return nil, err
	}
	s.readNodes(resources)
	for _, p := range of(resources, policyType) {
		s.Notes = append(s.Notes, fmt.Sprintf("the policies of %q move the number of nodes between the minimum and the maximum: what is said of pods and money is of the number that the schedule sets", p.Name))
	}
	s.readApps(of(resources, deploymentType), of(resources, kubernetesDeploymentType))
	return s, nil
}

// Has tells whether there is a schedule at all.
func Has(resources []Resource) bool { return len(of(resources, ScheduleType)) > 0 }

func of(resources []Resource, kind string) (all []Resource) {
	for _, r := range resources {
		if r.Type == kind {
			all = append(all, r)
		}
	}
	return all
}

func names(resources []Resource) string {
	var all []string
	for _, r := range resources {
		all = append(all, fmt.Sprintf("%q", r.Name))
	}
	return strings.Join(all, ", ")
}

// Schedule is what a slipway:index:NodeScalingSchedule records.
func Schedule(from Resource) (calendar.Schedule, error) {
	r := &reader{of: fmt.Sprintf("schedule %q", from.Name)}
	in := from.Inputs
	s := calendar.Schedule{TimeZone: r.text(in, "", "timeZone", false), Base: r.size(in, "", "base")}
	if o, ok := r.object(in, "", "officeHours"); ok {
		s.OfficeHours = &calendar.OfficeHours{From: r.text(o, "officeHours.", "from", true), Until: r.text(o, "officeHours.", "until", true), Size: r.size(o, "officeHours.", "size")}
	}
	if n, ok := r.object(in, "", "nights"); ok {
		s.Nights = &calendar.Nights{DownAt: r.text(n, "nights.", "downAt", true), UpAt: r.text(n, "nights.", "upAt", true), Size: r.size(n, "nights.", "size")}
	}
	if w, ok := r.object(in, "", "weekends"); ok {
		s.Weekends = &calendar.Weekends{From: r.text(w, "weekends.", "from", true), Until: r.text(w, "weekends.", "until", true), Size: r.size(w, "weekends.", "size")}
	}
	for i, v := range r.list(in, "", "actions") {
		path := fmt.Sprintf("actions[%d].", i)
		m, ok := v.(map[string]any)
		if !ok {
			r.addf(strings.TrimSuffix(path, "."), "is not known before the stack is there, or no object")
			continue
		}
		a := calendar.Action{
			Name: r.text(m, path, "name", true), Recurrence: r.text(m, path, "recurrence", false),
			Start: r.text(m, path, "start", false), End: r.text(m, path, "end", false),
		}
		for key, to := range map[string]**int{"min": &a.Min, "max": &a.Max, "desired": &a.Desired} {
			if _, there := value(m, key); there {
				n := r.number(m, path, key, true)
				*to = &n
			}
		}
		s.Actions = append(s.Actions, a)
	}
	slices.Sort(r.problems)
	if len(r.problems) > 0 {
		return s, fmt.Errorf("%s", strings.Join(r.problems, "\n"))
	}
	return s, nil
}

func (r *reader) size(m map[string]any, path, key string) calendar.Size {
	o, ok := r.object(m, path, key)
	if !ok {
		if _, there := value(m, key); !there {
			r.addf(path+key, "is not there")
		}
		return calendar.Size{}
	}
	path += key + "."
	return calendar.Size{Min: r.number(o, path, "min", true), Max: r.number(o, path, "max", true), Desired: r.number(o, path, "desired", true)}
}
