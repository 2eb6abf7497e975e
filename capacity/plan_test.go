package capacity_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/capacity"
)

const mib = 1 << 20

func instance(t *testing.T, name string) capacity.Instance {
	t.Helper()
	i, err := capacity.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func weeks(t *testing.T, s calendar.Schedule) []calendar.Week {
	t.Helper()
	w, err := s.Weeks(time.Date(2026, 10, 7, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// production is the system of the production stack: three services on m5.large in three zones, fewer nodes at night.
func production(t *testing.T) capacity.Input {
	day := calendar.Size{Min: 3, Desired: 3, Max: 6}
	quiet := calendar.Size{Min: 2, Desired: 2, Max: 6}
	spread := capacity.Spread{Zones: capacity.SpreadPreferred, Nodes: capacity.SpreadPreferred}
	small := capacity.Resources{MilliCPU: 100, Memory: 128 * mib, Ephemeral: 128 * mib}
	return capacity.Input{
		TimeZone: "America/Los_Angeles",
		Weeks: weeks(t, calendar.Schedule{
			TimeZone: "America/Los_Angeles", Base: day,
			Nights:   &calendar.Nights{DownAt: "20:00", UpAt: "06:30", Size: quiet},
			Weekends: &calendar.Weekends{From: "Fri 20:00", Until: "Mon 06:30", Size: quiet},
		}),
		Groups: []capacity.NodeGroup{{Name: "main", Instances: []capacity.Instance{instance(t, "m5.large")}, Zones: []string{"us-west-2a", "us-west-2b", "us-west-2c"}, Owner: capacity.OwnerSchedule}},
		Apps: []capacity.App{
			{Name: "frontend", Requests: small, Min: 2, Max: 8, SurgeAtMin: 1, SurgeAtMax: 2, Spread: spread},
			{Name: "thoughts-backend", Requests: small, Min: 2, SurgeAtMin: 1, SurgeAtMax: 1, Spread: spread},
			{Name: "users-backend", Requests: small, Min: 2, SurgeAtMin: 1, SurgeAtMax: 1, Spread: spread},
		},
	}
}

func plan(t *testing.T, in capacity.Input) *capacity.Report {
	t.Helper()
	r, err := capacity.Plan(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// all is the report's error and its warnings, a line each.
func all(r *capacity.Report) string {
	lines := r.Warnings()
	for i := range lines {
		lines[i] = "warning: " + lines[i]
	}
	if err := r.Err(); err != nil {
		lines = append([]string{err.Error()}, lines...)
	}
	return strings.Join(lines, "\n")
}

func TestProductionFitsCertainly(t *testing.T) {
	r := plan(t, production(t))
	if got := all(r); got != "" {
		t.Error(got)
	}
	if len(r.Weeks) != 3 || len(r.Weeks[0].Intervals) != 10 {
		t.Fatalf("%+v", r.Weeks)
	}
	for _, w := range r.Weeks {
		for _, i := range w.Intervals {
			if i.Nodes != i.Size.Desired || len(i.Cases) != 7 {
				t.Errorf("%s: %d nodes, %d cases", i.From, i.Nodes, len(i.Cases))
			}
			for _, c := range i.Cases {
				if c.Verdict != capacity.Certain || c.LeftOut != nil || c.Change != "" {
					t.Errorf("%s: %+v", i.From, c)
				}
			}
		}
	}
	night := r.Weeks[0].Intervals[1]
	want := []capacity.ZoneNodes{{Zone: "us-west-2a", Min: 1, Desired: 1, Max: 2}, {Zone: "us-west-2b", Min: 1, Desired: 1, Max: 2}, {Zone: "us-west-2c", Max: 2}}
	if !reflect.DeepEqual(night.Zones, want) {
		t.Errorf("at night %+v, want %+v", night.Zones, want)
	}
}

func TestProblems(t *testing.T) {
	requests := func(in *capacity.Input, milliCPU, memoryMiB int64) {
		for i := range in.Apps {
			in.Apps[i].Requests = capacity.Resources{MilliCPU: milliCPU, Memory: memoryMiB * mib}
		}
	}
	group := func(in *capacity.Input, owner string, size calendar.Size) {
		in.Weeks, in.TimeZone = nil, ""
		in.Groups[0].Owner, in.Groups[0].Size = owner, size
	}
	for name, tc := range map[string]struct {
		change func(*capacity.Input)
		want   string
	}{
		"the minimum does not fit at night": {func(in *capacity.Input) { requests(in, 600, 128) }, `
the pods do not fit the nodes (times in America/Los_Angeles):
  Mon–Thu 20:00 to 06:30, Fri 20:00 to Mon 06:30: 2 m5.large nodes do not hold the minimum: 2 of 2 pods of users-backend are left out; 3 nodes would
warning: Mon–Fri 06:30 to 20:00: 3 m5.large nodes do not hold a release at the minimum: 1 of 3 pods of frontend, 1 of 3 of thoughts-backend, 1 of 3 of users-backend are left out; 5 nodes would
warning: Mon–Fri 06:30 to 20:00: 3 m5.large nodes do not hold the maximum: 2 of 8 pods of frontend, 2 of 2 of thoughts-backend, 2 of 2 of users-backend are left out; 6 nodes would
warning: Mon–Fri 06:30 to 20:00: 3 m5.large nodes do not hold the minimum with a zone lost: 2 of 2 pods of users-backend are left out; 5 nodes would
warning: Mon–Fri 06:30 to 20:00: 3 m5.large nodes do not hold the minimum with a node drained: 2 of 2 pods of users-backend are left out; 4 nodes would
warning: Mon–Thu 20:00 to 06:30, Fri 20:00 to Mon 06:30: 2 m5.large nodes do not hold the maximum: 4 of 8 pods of frontend, 2 of 2 of thoughts-backend, 2 of 2 of users-backend are left out; 6 nodes would`},
		"no number of nodes helps a pod that is larger than a node": {func(in *capacity.Input) {
			in.Apps = []capacity.App{{Name: "db", Requests: capacity.Resources{MilliCPU: 500, Memory: 20000 * mib}, Min: 1}}
			group(in, capacity.OwnerFixed, calendar.Size{Min: 2, Desired: 2, Max: 2})
		}, `
the pods do not fit the nodes:
  2 m5.large nodes do not hold the minimum: 1 of 1 pods of db is left out; as many m5.2xlarge nodes would`},
		"nor a larger node one that is larger than all": {func(in *capacity.Input) {
			in.Apps = []capacity.App{{Name: "db", Requests: capacity.Resources{MilliCPU: 500, Memory: 2000000 * mib}, Min: 1}}
			group(in, capacity.OwnerFixed, calendar.Size{Min: 1, Desired: 1, Max: 1})
		}, `
the pods do not fit the nodes:
  1 m5.large node does not hold the minimum: 1 of 1 pods of db is left out, and no more nodes or larger ones of the family would help`},
		"an autoscaler makes room up to its maximum": {func(in *capacity.Input) {
			requests(in, 1000, 128)
			in.Apps[0].Max = 0
			group(in, capacity.OwnerAutoscaler, calendar.Size{Min: 1, Desired: 1, Max: 8})
		}, `
warning: 8 m5.large nodes do not hold a release at the minimum: 1 of 3 pods of users-backend is left out; 9 nodes would
warning: 8 m5.large nodes do not hold the minimum with a zone lost: 1 of 2 pods of users-backend is left out; 9 nodes would`},
		"the autoscaler takes room itself": {func(in *capacity.Input) {
			in.Apps = []capacity.App{{Name: "db", Requests: capacity.Resources{MilliCPU: 100, Memory: 6000 * mib}, Min: 2}}
			group(in, capacity.OwnerAutoscaler, calendar.Size{Min: 2, Desired: 2, Max: 2})
		}, `
the pods do not fit the nodes:
  2 m5.large nodes may not hold the minimum, depending on the order in which pods come: up to 1 of 2 pods of db is left out; 3 nodes would`},
		"no room for one more": {func(in *capacity.Input) {
			in.Apps = []capacity.App{{Name: "web", Requests: capacity.Resources{MilliCPU: 1500, Memory: 128 * mib}, Min: 1, Max: 2}}
			in.System = &capacity.System{}
			group(in, capacity.OwnerFixed, calendar.Size{Min: 2, Desired: 2, Max: 2})
		}, `
warning: 2 m5.large nodes do not hold one more pod than the maximum: 1 of 3 pods of web is left out; 3 nodes (the maximum is 2) would`},
		"zones that must be even": {func(in *capacity.Input) {
			in.Apps = []capacity.App{{Name: "web", Requests: capacity.Resources{MilliCPU: 1500, Memory: 128 * mib}, Min: 4, Spread: capacity.Spread{Zones: capacity.SpreadRequired}}}
			in.System = &capacity.System{}
			in.Groups[0].Zones = in.Groups[0].Zones[:2]
			group(in, capacity.OwnerFixed, calendar.Size{Min: 3, Desired: 3, Max: 4})
		}, `
the pods do not fit the nodes:
  3 m5.large nodes do not hold the minimum: 1 of 4 pods of web is left out; 4 nodes would`},
		"it depends on who comes first": {func(in *capacity.Input) {
			in.Apps = []capacity.App{
				{Name: "small", Requests: capacity.Resources{MilliCPU: 900, Memory: mib}, Min: 2},
				{Name: "large", Requests: capacity.Resources{MilliCPU: 1800, Memory: mib}, Min: 1},
			}
			in.System = &capacity.System{}
			group(in, capacity.OwnerFixed, calendar.Size{Min: 2, Desired: 2, Max: 6})
		}, `
the pods do not fit the nodes:
  2 m5.large nodes may not hold the minimum, depending on the order in which pods come: up to 1 of 1 pods of large is left out; 3 nodes would`},
		"it usually fits": {func(in *capacity.Input) {
			in.Apps = []capacity.App{
				{Name: "web", Requests: capacity.Resources{MilliCPU: 600, Memory: mib}, Min: 4, Spread: capacity.Spread{Nodes: capacity.SpreadPreferred}},
				{Name: "job", Requests: capacity.Resources{MilliCPU: 700, Memory: mib}, Min: 2, Spread: capacity.Spread{Nodes: capacity.SpreadPreferred}},
			}
			in.System = &capacity.System{}
			group(in, capacity.OwnerFixed, calendar.Size{Min: 2, Desired: 2, Max: 6})
		}, `
warning: 2 m5.large nodes hold the minimum as pods are usually placed, but not whatever their order; 3 nodes would
warning: 2 m5.large nodes do not hold one more pod than the maximum: 2 of 4 pods of web are left out; 3 nodes would
warning: 2 m5.large nodes do not hold the minimum with a zone lost: 4 of 4 pods of web are left out; 5 nodes would
warning: 2 m5.large nodes do not hold the minimum with a node drained: 4 of 4 pods of web are left out; 4 nodes would`},
		"the kubelet takes fewer pods": {func(in *capacity.Input) { in.Groups[0].MaxPods = 6 }, `
the pods do not fit the nodes (times in America/Los_Angeles):
  Mon–Fri 06:30 to 20:00: 3 m5.large nodes do not hold the minimum: 1 of 2 pods of users-backend is left out; 4 nodes would
  Mon–Thu 20:00 to 06:30, Fri 20:00 to Mon 06:30: 2 m5.large nodes do not hold the minimum: 2 of 2 pods of thoughts-backend, 2 of 2 of users-backend are left out; 4 nodes would
warning: Mon–Fri 06:30 to 20:00: 3 m5.large nodes do not hold the maximum: 3 of 8 pods of frontend, 2 of 2 of thoughts-backend, 2 of 2 of users-backend are left out; 6 nodes would
warning: Mon–Thu 20:00 to 06:30, Fri 20:00 to Mon 06:30: 2 m5.large nodes do not hold the maximum: 6 of 8 pods of frontend, 2 of 2 of thoughts-backend, 2 of 2 of users-backend are left out; 6 nodes would`},
		"nodes that keep pods off are no room": {func(in *capacity.Input) {
			requests(in, 600, 128)
			in.Apps[0].Max, in.Apps[0].SurgeAtMin = 0, 0
			in.Groups = append(in.Groups, capacity.NodeGroup{
				Name: "apart", Instances: in.Groups[0].Instances, Zones: in.Groups[0].Zones, Size: calendar.Size{Min: 9, Desired: 9, Max: 9}, KeepsOff: true,
			})
			in.Weeks[0].Intervals = in.Weeks[0].Intervals[1:2]
			in.Weeks = in.Weeks[:1]
		}, `
the pods do not fit the nodes (times in America/Los_Angeles):
  Mon 20:00 to 06:30: 2 m5.large nodes do not hold the minimum: 2 of 2 pods of users-backend are left out; 3 nodes in group main would`},
		"a subnet has too few addresses": {func(in *capacity.Input) { in.Groups[0].SubnetAddresses = 59 }, `
warning: at its maximum a subnet has 2 m5.large nodes, which take 60 addresses when full of pods, 30 each, and it has 59: then pods wait for one. Larger subnets, or fewer nodes or pods, would help`},
		"and has just as many": {func(in *capacity.Input) { in.Groups[0].SubnetAddresses = 60 }, ``},
		"blocks of addresses take more": {func(in *capacity.Input) {
			in.Groups[0].SubnetAddresses, in.Groups[0].PrefixDelegation = 257, true
		}, `
warning: at its maximum a subnet has 2 m5.large nodes, which take 258 addresses when full of pods, 129 each, and it has 257: then pods wait for one. Larger subnets, or fewer nodes or pods, would help`},
		"nothing runs where there are no nodes": {func(in *capacity.Input) { group(in, capacity.OwnerFixed, calendar.Size{Max: 3}) }, ``},
		"what is not looked at is said": {func(in *capacity.Input) { in.Apps[1].Unmodelled = []string{"a volume"} }, `
warning: thoughts-backend has a volume, which no plan looks at: its pods may wait all the same`},
		"another week": {func(in *capacity.Input) {
			in.Weeks = weeks(t, calendar.Schedule{TimeZone: "Europe/Madrid", Base: calendar.Size{Min: 1, Desired: 3, Max: 6}, Actions: []calendar.Action{
				{Name: "saving", Start: "2026-12-24T18:00", End: "2026-12-27T06:00", Desired: n(1)},
			}})
			in.Apps = in.Apps[:2]
			requests(in, 400, 128)
			for i := range in.Apps {
				in.Apps[i].Max, in.Apps[i].SurgeAtMin, in.Apps[i].SurgeAtMax = 0, 0, 0
			}
		}, `
the pods do not fit the nodes (times in America/Los_Angeles):
  Thu 18:00 to Sun 06:00 in the week of 21 Dec 2026: 1 m5.large node does not hold the minimum: 1 of 2 pods of thoughts-backend is left out; 2 nodes would`},
		"a group of its own": {func(in *capacity.Input) {
			group(in, capacity.OwnerFixed, calendar.Size{Min: 3, Desired: 3, Max: 6})
			in.Groups = append(in.Groups, capacity.NodeGroup{
				Name: "batch", Instances: []capacity.Instance{{"x9.tiny", "amd64", 2, 4096, 3, 6}}, Zones: []string{"us-west-2a"},
				Size: calendar.Size{Min: 1, Desired: 1, Max: 1}, Labels: map[string]string{"for": "batch"},
			})
			in.Apps = append(in.Apps, capacity.App{Name: "nightly", Requests: capacity.Resources{MilliCPU: 1000, Memory: 512 * mib}, Min: 2, NodeSelector: map[string]string{"for": "batch"}})
		}, `
the pods do not fit the nodes:
  3 m5.large nodes and 1 x9.tiny node do not hold the minimum: 1 of 2 pods of nightly is left out; 3 nodes in group batch (the maximum is 1) would
warning: 3 m5.large nodes and 1 x9.tiny node do not hold the maximum: 1 of 2 pods of nightly is left out; 5 nodes in group batch (the maximum is 1) would`},
	} {
		t.Run(name, func(t *testing.T) {
			in := production(t)
			tc.change(&in)
			if got := all(plan(t, in)); got != strings.TrimSpace(tc.want) {
				t.Errorf("got\n%s\nwant%s", got, tc.want)
			}
		})
	}
}

// In a large system ties are more than can be followed. What cannot fit is an error all the same.
func TestLargeSystemsThatDoNotFit(t *testing.T) {
	in := production(t)
	in.Weeks, in.Groups[0].Owner = nil, capacity.OwnerFixed
	in.Groups[0].Size = calendar.Size{Min: 200, Desired: 200, Max: 200}
	in.Apps = []capacity.App{{Name: "large", Requests: capacity.Resources{MilliCPU: 1500}, Min: 210}}
	want := "200 m5.large nodes do not hold the minimum: 11 of 210 pods of large are left out"
	if err := plan(t, in).Err(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

// An account's quota of nodes may be raised: then the plan is of some of them, and says so, and no preview fails by it.
func TestMoreNodesThanArePlannedWith(t *testing.T) {
	in := production(t)
	in.Weeks, in.Groups[0].Owner = nil, capacity.OwnerFixed
	in.Groups[0].Size = calendar.Size{Min: 3, Desired: 3, Max: 2000}
	if got := all(plan(t, in)); got != "" {
		t.Errorf("of 3 nodes, a maximum of 2000: %s", got)
	}
	in.Groups[0].Size = calendar.Size{Min: 600, Desired: 600, Max: 2000}
	const note = "group main may have 600 nodes, and 450 of them are planned with, so that no plan takes for ever: pods that do not fit these may fit all of them, which is no error"
	r := plan(t, in)
	if err, got := r.Err(), r.Warnings(); err != nil || !reflect.DeepEqual(got, []string{note}) {
		t.Errorf("of 600 nodes: %v, %q", err, got)
	}
	if got := r.Weeks[0].Intervals[0]; got.Nodes != 600 || got.Zones[0].Max != 667 || got.Cases[0].Nodes != "450 of 600 m5.large nodes" {
		t.Errorf("%+v", got)
	}
	// One pod a node, and 500 of them, beside one of the system's: they need more than 450 nodes, and fit 600.
	in.Apps = []capacity.App{{Name: "large", Requests: capacity.Resources{MilliCPU: 1500}, Min: 500}}
	r = plan(t, in)
	const left = "450 of 600 m5.large nodes do not hold the minimum: 51 of 500 pods of large are left out; all of them may"
	if err, got := r.Err(), strings.Join(r.Warnings(), "\n"); err != nil || !strings.Contains(got, left) || !strings.Contains(got, note) {
		t.Errorf("of 500 pods: %v, %q", err, got)
	}
	in.Weeks, in.Groups[0].Owner = weeks(t, calendar.Schedule{TimeZone: "Etc/UTC", Base: calendar.Size{Min: 500, Desired: 500, Max: 700}}), capacity.OwnerSchedule
	in.Apps = nil
	if got := all(plan(t, in)); !strings.Contains(got, "group main may have 500 nodes, and 450 of them are planned with") {
		t.Errorf("with a schedule: %q", got)
	}
}

func n(i int) *int { return &i }

func TestInputThatIsWrong(t *testing.T) {
	day := calendar.Size{Min: 3, Desired: 2, Max: 1}
	_, err := capacity.Plan(capacity.Input{
		Groups: []capacity.NodeGroup{{Owner: "me", Size: day, DiskGiB: 3, MaxPods: -1, KubeReservedMemory: -1, SubnetAddresses: -1, Zones: []string{"a", "a"}}, {Name: "x", Owner: capacity.OwnerSchedule, Instances: make([]capacity.Instance, 1)}},
		Apps:   []capacity.App{{Name: "coredns", Min: -1, Max: 2000, Requests: capacity.Resources{Memory: -1}, Spread: capacity.Spread{Nodes: "even"}}},
	})
	want := `capacity.Input "" has 21 invalid argument(s):
  groups[0].name is required, for example "main"
  groups[0].instances is required, for example the one that Lookup("m5.large") gives
  groups[0].zones[1] is "a", the same as groups[0].zones[0]
  groups[0].owner is "me", must be one of "fixed", "schedule", "autoscaler"
  groups[0].size is of min 3, desired 2, max 1, must be 0 or more, in this order
  groups[0].diskGiB is 3, must be 20 to 16384
  groups[0].maxPods is -1, must be 1 to 250
  groups[0].kubeReservedMemory is -1, must be 0 to 1125899906842624 bytes
  groups[0].subnetAddresses is -1, must be 0 or more
  groups[1].instances[0].name is required, for example "m5.large"
  groups[1].instances[0].vcpu is 0, must be 1 to 1000
  groups[1].instances[0].memoryMiB is 0, must be 512 to 104857600
  groups[1].instances[0].enis is 0, must be 1 to 100
  groups[1].instances[0].ipsPerENI is 0, must be 2 to 100
  groups[1].zones is required, for example "eu-west-1a"
  weeks is required for a group with owner "schedule", for example calendar.Schedule.Weeks
  apps[0].requests.memory is -1, must be 0 to 1125899906842624
  apps[0].min is -1, must be 0 to 1000
  apps[0].max is 2000, must be min (-1) to 1000
  apps[0].spread.nodes is "even", must be one of "ScheduleAnyway", "DoNotSchedule", "Off"
  apps[0].name is "coredns", the same as of system.cluster[0]`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
