// Package capacity tells, for every interval of a week of node sizes, whether the pods fit the nodes: at the fewest pods and at the
// most, during a release, with a zone lost, with a node drained. It is plain Go: no cloud is asked.
//
// A node has for pods what EKS leaves of it (Instance.Allocatable), less the pods of the system. Pods are placed as kube-scheduler
// with its default plugins does: by resources, number of pods, labels, spread over zones and nodes, anti-affinity, and its scores.
//
// Which pods wait in the end depends on more than their number: on the order in which they come, on how the scheduler breaks ties,
// on where earlier pods happen to be. So there are four verdicts, and where the package errs, it errs to the side of promising
// less: what is Certain is proven for every order and every choice, whatever the scheduler's scores. Expected, Uncertain and Never
// rest on a model of those scores and on a bounded search.
//
// Not in the model: which images a node has (ImageLocality), and with 100 nodes or more that the scheduler looks at some only, which
// both matter to nothing that is Certain; volumes, ports, required affinity and preemption by pods that were placed later, which
// App.Unmodelled is for; and the order of events within a release, of which the moment with the most pods is looked at.
package capacity

import (
	"fmt"
	"slices"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/internal/check"
)

// Input is what Plan needs to know.
type Input struct {
	// Weeks whose intervals are looked at, as calendar.Schedule.Weeks gives them; without one, the sizes of the groups hold all week.
	Weeks []calendar.Week
	// TimeZone is named in problems; default none is.
	TimeZone string
	// Groups of nodes, at most one of them with OwnerSchedule. Required.
	Groups []NodeGroup
	// Apps that run on the nodes.
	Apps []App
	// System is what runs beside them; nil stands for DefaultSystem(), and the cluster autoscaler where it owns a group.
	System *System
}

// Load is a number of pods and what is left of the nodes.
type Load string

// The loads that each interval is tried with.
const (
	// Minimum is the fewest pods of each app, on all nodes.
	Minimum Load = "the minimum"
	// Current is the pods that there are now.
	Current Load = "the current pods"
	// Release is the fewest pods of each app while all are released at once.
	Release Load = "a release at the minimum"
	// Maximum is the most pods of each app at the same time.
	Maximum Load = "the maximum"
	// MaximumRelease is the most pods of each app while all are released at once.
	MaximumRelease Load = "a release at the maximum"
	// Headroom is the most pods of each app and one more of the largest.
	Headroom Load = "one more pod than the maximum"
	// ZoneLost is the fewest pods on the nodes of all zones but one, whichever is worst, before new nodes come elsewhere.
	ZoneLost Load = "the minimum with a zone lost"
	// NodeDrained is the fewest pods on all nodes but one, whichever is worst.
	NodeDrained Load = "the minimum with a node drained"
)

// Report is what Plan finds.
type Report struct {
	// Weeks as given, each interval with what fits.
	Weeks []Week
	// TimeZone as given.
	TimeZone string

	apps       []App
	unmodelled []string
	// addresses is which subnets could run out of them.
	addresses []string
	// bounded is which groups have more nodes than are planned with.
	bounded []string
}

// Week is a week of the report.
type Week struct {
	// Name as given.
	Name string
	// Intervals in time order.
	Intervals []Interval
}

// Interval is the time from one change of sizes to the next.
type Interval struct {
	calendar.Interval
	// Nodes is how many there are for pods, over all groups.
	Nodes int
	// Zones are the nodes by zone.
	Zones []ZoneNodes
	// Cases is one for each load, none where there is no node: then nothing is meant to run.
	Cases []Case
}

// ZoneNodes is how many nodes a zone has. Where they do not come out even, which zone has one more is AWS's choice.
type ZoneNodes struct {
	Zone              string
	Min, Desired, Max int
}

// Case is what becomes of a load.
type Case struct {
	Load Load
	// Verdict is whether all pods find a node.
	Verdict Verdict
	// bounded tells that there are more nodes than are planned with: then pods that are left out may fit all the same.
	bounded bool
	// LeftOut are the apps with pods that find none, in the worst case that was met; none where the verdict is Certain.
	LeftOut []LeftOut
	// Nodes is what there is, in words: "2 m5.large nodes".
	Nodes string
	// Change is the smallest one that would make the verdict Certain, in words: "3 nodes"; empty where nothing is to be done.
	Change string
}

// LeftOut is pods of an app without a node.
type LeftOut struct {
	App string
	// Pods left out, of Of.
	Pods, Of int
}

// Plan tries every interval of the weeks with every load.
func Plan(in Input) (*Report, error) {
	in, err := in.checked()
	if err != nil {
		return nil, err
	}
	r := &Report{TimeZone: in.TimeZone, apps: in.Apps, addresses: in.addresses(), bounded: in.bounded()}
	for _, a := range in.Apps {
		for _, what := range a.Unmodelled {
			r.unmodelled = append(r.unmodelled, a.Name+" has "+what)
		}
	}
	known := map[string][]Case{}
	for _, w := range in.Weeks {
		week := Week{Name: w.Name}
		for _, i := range w.Intervals {
			sizes := in.sizes(i.Size)
			one := Interval{Interval: i, Nodes: in.count(sizes), Zones: in.zones(sizes)}
			k := fmt.Sprint(sizes)
			if _, done := known[k]; !done {
				known[k] = in.cases(sizes)
			}
			one.Cases = known[k]
			week.Intervals = append(week.Intervals, one)
		}
		r.Weeks = append(r.Weeks, week)
	}
	return r, nil
}

// sizes is the size of each group when the scheduled one has that size.
func (in Input) sizes(scheduled calendar.Size) (all []calendar.Size) {
	for _, g := range in.Groups {
		if g.Owner == OwnerSchedule {
			all = append(all, scheduled)
		} else {
			all = append(all, g.Size)
		}
	}
	return all
}

// nodes are those of all groups that are planned with.
func (in Input) nodes(sizes []calendar.Size) (all []Node) {
	for i, g := range in.Groups {
		all = append(all, g.nodes(g.planned(sizes[i]))...)
	}
	return all
}

// count is how many nodes all groups have for pods.
func (in Input) count(sizes []calendar.Size) (n int) {
	for i, g := range in.Groups {
		n += g.count(sizes[i])
	}
	return n
}

// bounded are the groups that have more nodes for pods than are planned with, in words.
func (in Input) bounded() (all []string) {
	for _, g := range in.Groups {
		n := g.count(g.Size)
		if g.Owner == OwnerSchedule {
			n = 0
			for _, w := range in.Weeks {
				for _, i := range w.Intervals {
					n = max(n, g.count(i.Size))
				}
			}
		}
		if n > mostNodes {
			all = append(all, fmt.Sprintf("group %s may have %d nodes, and %d of them are planned with, so that no plan takes for ever: pods that do not fit these may fit all of them, which is no error", g.Name, n, mostNodes))
		}
	}
	return all
}

func (in Input) zones(sizes []calendar.Size) (all []ZoneNodes) {
	at := func(zone string) *ZoneNodes {
		i := slices.IndexFunc(all, func(z ZoneNodes) bool { return z.Zone == zone })
		if i < 0 {
			all = append(all, ZoneNodes{Zone: zone})
			i = len(all) - 1
		}
		return &all[i]
	}
	for i, g := range in.Groups {
		for n, zone := range g.Zones {
			share := func(count int) int { return (count - n + len(g.Zones) - 1) / len(g.Zones) }
			z := at(zone)
			z.Min += share(sizes[i].Min)
			z.Desired += share(sizes[i].Desired)
			z.Max += share(sizes[i].Max)
		}
	}
	return all
}

// checked is in with its defaults filled in.
func (in Input) checked() (Input, error) {
	var p check.Problems
	if in.System == nil {
		s := DefaultSystem()
		if slices.ContainsFunc(in.Groups, func(g NodeGroup) bool { return g.Owner == OwnerAutoscaler }) {
			s.Cluster = append(s.Cluster, autoscaler)
		}
		in.System = &s
	}
	if len(in.Groups) == 0 {
		p.Required("groups", false, "one node group")
	}
	scheduled := 0
	in.Groups = slices.Clone(in.Groups)
	for i := range in.Groups {
		g := &in.Groups[i]
		at := p.At("groups[%d]", i)
		g.check(at)
		if g.Owner == "" {
			g.Owner = OwnerFixed
		}
		if g.Owner == OwnerSchedule {
			scheduled++
		}
	}
	if scheduled > 1 {
		p.Addf("groups", "has %d groups with owner %q, must have one at most: the weeks are the sizes of one group", scheduled, OwnerSchedule)
	}
	if scheduled > 0 && len(in.Weeks) == 0 {
		p.Addf("weeks", "is required for a group with owner %q, for example calendar.Schedule.Weeks", OwnerSchedule)
	}
	if len(in.Weeks) == 0 {
		in.Weeks = []calendar.Week{{Name: "a usual week", Intervals: make([]calendar.Interval, 1)}}
	}
	if scheduled > 0 {
		for i, w := range in.Weeks {
			for j, n := range w.Intervals {
				if s := n.Size; s.Min < 0 || s.Desired < s.Min || s.Max < s.Desired {
					p.Addf(fmt.Sprintf("weeks[%d].intervals[%d]", i, j), "is of min %d, desired %d, max %d, must be 0 or more, in this order", s.Min, s.Desired, s.Max)
				}
			}
		}
	}
	in.Apps = slices.Clone(in.Apps)
	names := map[string]string{}
	for _, list := range []struct {
		path string
		apps []App
	}{{"system.cluster", in.System.Cluster}, {"apps", in.Apps}} {
		for i := range list.apps {
			path := fmt.Sprintf("%s[%d]", list.path, i)
			list.apps[i].check(p.At("%s", path))
			if other, twice := names[list.apps[i].Name]; twice {
				p.Addf(path+".name", "is %q, the same as of %s", list.apps[i].Name, other)
			}
			names[list.apps[i].Name] = path
		}
	}
	for i, d := range in.System.PerNode {
		d.Requests.check(p.At("system.perNode[%d].requests", i))
	}
	for i := range in.Apps {
		in.Apps[i].Max = max(in.Apps[i].Max, in.Apps[i].Min)
	}
	return in, p.Err("capacity.Input", in.TimeZone)
}

// How many nodes of a group are planned with, which is AWS's quota where nobody has had it raised, and workload's most pods of an app: so
// that no plan takes for ever.
const (
	mostNodes = 450
	mostPods  = 1000
)

func (g NodeGroup) check(p *check.Problems) {
	p.Required("name", g.Name != "", `"main"`)
	if len(g.Instances) == 0 {
		p.Required("instances", false, `the one that Lookup("m5.large") gives`)
	}
	for i, t := range g.Instances {
		at := p.At("instances[%d]", i)
		at.Required("name", t.Name != "", `"m5.large"`)
		at.Between("vcpu", t.VCPU, 1, 1000)
		at.Between("memoryMiB", t.MemoryMiB, 512, 100<<20)
		at.Between("enis", t.ENIs, 1, 100)
		at.Between("ipsPerENI", t.IPsPerENI, 2, 100)
	}
	if len(g.Zones) == 0 {
		p.Required("zones", false, `"eu-west-1a"`)
	}
	p.Unique("zones", g.Zones)
	if g.Owner != "" {
		p.OneOf("owner", g.Owner, OwnerFixed, OwnerSchedule, OwnerAutoscaler)
	}
	if s := g.Size; g.Owner != OwnerSchedule && (s.Min < 0 || s.Desired < s.Min || s.Max < s.Desired) {
		p.Addf("size", "is of min %d, desired %d, max %d, must be 0 or more, in this order", s.Min, s.Desired, s.Max)
	}
	if g.DiskGiB != 0 {
		p.Between("diskGiB", g.DiskGiB, 20, 16384)
	}
	if g.MaxPods != 0 {
		p.Between("maxPods", g.MaxPods, 1, podsOnLarge)
	}
	g.SystemReserved.check(p.At("systemReserved"))
	if n := g.KubeReservedMemory; n < 0 || n > 1<<50 {
		p.Addf("kubeReservedMemory", "is %d, must be 0 to %d bytes", n, 1<<50)
	}
	if g.SubnetAddresses < 0 {
		p.Addf("subnetAddresses", "is %d, must be 0 or more", g.SubnetAddresses)
	}
}

func (a App) check(p *check.Problems) {
	p.Required("name", a.Name != "", `"frontend"`)
	a.Requests.check(p.At("requests"))
	p.Between("min", a.Min, 0, mostPods)
	p.Between("current", a.Current, 0, mostPods)
	if a.Max != 0 && a.Max < a.Min || a.Max > mostPods {
		p.Addf("max", "is %d, must be min (%d) to %d", a.Max, a.Min, mostPods)
	}
	p.Between("surgeAtMin", a.SurgeAtMin, 0, mostPods)
	p.Between("surgeAtMax", a.SurgeAtMax, 0, mostPods)
	for _, s := range []struct{ path, value string }{{"spread.zones", a.Spread.Zones}, {"spread.nodes", a.Spread.Nodes}} {
		if s.value != "" {
			p.OneOf(s.path, s.value, SpreadPreferred, SpreadRequired, SpreadOff)
		}
	}
}

func (r Resources) check(p *check.Problems) {
	for _, part := range []struct {
		path string
		n    int64
		most int64
	}{{"milliCPU", r.MilliCPU, 1e9}, {"memory", r.Memory, 1 << 50}, {"ephemeral", r.Ephemeral, 1 << 50}} {
		if part.n < 0 || part.n > part.most {
			p.Addf(part.path, "is %d, must be 0 to %d", part.n, part.most)
		}
	}
}
