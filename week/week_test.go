package week_test

import (
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/capacity"
	"github.com/slipway-iac/slipway/review"
	"github.com/slipway-iac/slipway/week"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 8, 12, 9, 0, 0, 0, time.UTC)

// taken are the resources of a preview that the CLI has printed.
func taken(t *testing.T, name string) (all []week.Resource) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "review", "testdata", name+".json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	p, err := review.Read(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Steps {
		if s.New != nil {
			all = append(all, week.Resource{Type: s.URN.Type(), Name: s.URN.Name(), Inputs: s.New.Inputs})
		}
	}
	return all
}

// unknown stands in a patch for a value that is not known.
const unknown = "UNKNOWN"

func look(t *testing.T, resources []week.Resource) *week.Report {
	t.Helper()
	s, err := week.Read(resources)
	if err != nil {
		t.Fatal(err)
	}
	r, err := week.Look(s, week.Options{Now: now, Hour: 0.096, Source: "of a test"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// changed are the resources with the inputs of one, of a type and a name, changed by a JSON merge.
func changed(t *testing.T, resources []week.Resource, kind, patch string) []week.Resource {
	t.Helper()
	done := false
	for _, r := range resources {
		if r.Type != kind || done {
			continue
		}
		done = true
		var p map[string]any
		if err := json.Unmarshal([]byte(patch), &p); err != nil {
			t.Fatal(err)
		}
		for k, v := range p {
			r.Inputs[k] = v
			if v == unknown {
				r.Inputs[k] = struct{}{}
			}
		}
	}
	if !done {
		t.Fatalf("there is no %s", kind)
	}
	return resources
}

// TestGoldens: what is shown of the stack as it runs, of its first preview, and of one whose nights are too small.
func TestGoldens(t *testing.T) {
	small := changed(t, taken(t, "schedule"), "slipway:index:EksCluster", `{"nodeGroups": [{"name": "main", "instanceTypes": ["t3.small"],
		"minSize": 3, "maxSize": 6, "desiredSize": 3, "desiredSizeOwner": "schedule", "diskSizeGiB": 80}]}`)
	small = changed(t, small, week.ScheduleType, `{"actions": [{"name": "sale", "start": "2026-11-27T08:00", "end": "2026-11-28T10:00", "min": 5, "desired": 5},
		{"name": "noon", "recurrence": "0 12 * * 3", "min": 2, "desired": 4}]}`)
	for name, resources := range map[string][]week.Resource{"unchanged": taken(t, "unchanged"), "first": taken(t, "first"), "small": small} {
		r := look(t, resources)
		for ending, got := range map[string]string{"txt": r.Text(), "md": r.Markdown(), "svg": r.SVG()} {
			file := filepath.Join("testdata", name+"."+ending)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(file); err != nil || got != string(want) {
				t.Errorf("%v, %s is\n%s\nwant\n%s", err, file, got, want)
			}
		}
	}
}

// TestNodeHours is what the calendar says.
func TestNodeHours(t *testing.T) {
	for _, r := range taken(t, "unchanged") {
		if r.Type != week.ScheduleType {
			continue
		}
		size := func(n int) calendar.Size { return calendar.Size{Min: n, Max: 6, Desired: n} }
		s := calendar.Schedule{
			TimeZone: "America/Los_Angeles", Base: size(3),
			Nights:   &calendar.Nights{DownAt: "20:00", UpAt: "06:30", Size: size(2)},
			Weekends: &calendar.Weekends{From: "Fri 20:00", Until: "Mon 06:30", Size: size(2)},
		}
		monday := time.Date(2026, 8, 3, 7, 0, 0, 0, time.UTC)
		want, err := s.NodeHours(monday, monday.AddDate(0, 0, 7))
		if err != nil {
			t.Fatal(err)
		}
		got, says, ok := week.NodeHours(r.Inputs)
		if !ok || got != want || !strings.Contains(says, fmt.Sprint(want)) {
			t.Errorf("%g %q %v, want %g", got, says, ok, want)
		}
		r.Inputs["base"] = struct{}{}
		if _, _, ok := week.NodeHours(r.Inputs); ok {
			t.Error("a base that is not known has node-hours")
		}
		return
	}
	t.Error("no schedule")
}

// TestOfficeHours are read: outside of them there is one node.
func TestOfficeHours(t *testing.T) {
	resources := changed(t, taken(t, "unchanged"), week.ScheduleType, `{"nights": null, "weekends": null,
		"officeHours": {"from": "07:00", "until": "19:00", "size": {"min": 1, "max": 6, "desired": 1}}}`)
	for _, r := range resources {
		if r.Type != week.ScheduleType {
			continue
		}
		// 3 nodes for 5 times 12 hours, and 1 for the rest.
		if got, _, ok := week.NodeHours(r.Inputs); !ok || got != 3*60+108 {
			t.Errorf("%g %v", got, ok)
		}
	}
}

// podWith is a Deployment with a pod of one container, and what is given.
func podWith(more string) string {
	return `{"spec": {"template": {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "60m", "memory": "64Mi"}}}], ` + more + `}}}}`
}

// TestPodsAreWholePods: what is beside an app's container, and what it keeps away from, is what Demand makes of it.
func TestPodsAreWholePods(t *testing.T) {
	const mib = 1 << 20
	s, err := week.Read(changed(t, taken(t, "unchanged"), "kubernetes:apps/v1:Deployment", podWith(`"initContainers": [
		{"restartPolicy": "Always", "resources": {"requests": {"cpu": "40m", "memory": "36Mi", "ephemeral-storage": "1Mi"}}},
		{"resources": {"requests": {"cpu": "500m", "memory": "10Mi"}}}],
		"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
			{"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "users-backend"}}},
			{"topologyKey": "topology.kubernetes.io/zone", "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "thoughts-backend"}}}]},
			"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100}]}}`)))
	if err != nil || len(s.Unread)+len(s.Notes) > 0 {
		t.Fatal(err, s.Unread, s.Notes)
	}
	got := s.Capacity.Apps[0]
	want := capacity.App{
		Name: "frontend", Requests: capacity.Resources{MilliCPU: 500, Memory: 100 * mib, Ephemeral: mib}, Min: 2, Max: 8, SurgeAtMin: 1, SurgeAtMax: 2,
		Spread: capacity.Spread{Zones: capacity.SpreadPreferred, Nodes: capacity.SpreadPreferred}, Loose: true,
		AwayFrom: []string{"users-backend"}, AwayFromInZone: []string{"thoughts-backend"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want\n%+v", got, want)
	}
}

// TestNodesAreAsTheirKubeletsAreTold, and their types as the stack gives them, where no table has them.
func TestNodesAreAsTheirKubeletsAreTold(t *testing.T) {
	s, err := week.Read(changed(t, taken(t, "unchanged"), "slipway:index:EksCluster", `{"prefixDelegation": true, "nodeGroups": [{"name": "main", "instanceTypes": ["m99.huge", "m5.large"],
		"minSize": 3, "maxSize": 6, "desiredSize": 3, "desiredSizeOwner": "schedule", "diskSizeGiB": 80,
		"instanceSizes": {"m99.huge": {"vcpu": 2, "memoryMiB": 8192, "networkInterfaces": 3, "addressesPerInterface": 12}},
		"taints": [{"key": "a", "value": "", "effect": "PreferNoSchedule"}, {"key": "b", "value": "", "effect": "NoExecute"}],
		"kubelet": {"maxPods": 70, "systemReservedCpu": "100m", "systemReservedMemory": "", "kubeReservedMemory": "1Gi"}}]}`))
	if err != nil || len(s.Unread)+len(s.Notes) > 0 {
		t.Fatal(err, s.Unread, s.Notes)
	}
	large, err := capacity.Lookup("m5.large")
	if err != nil {
		t.Fatal(err)
	}
	want := capacity.NodeGroup{
		Name: "main", Instances: []capacity.Instance{{Name: "m99.huge", VCPU: 2, MemoryMiB: 8192, ENIs: 3, IPsPerENI: 12}, large}, Zones: []string{"a", "b", "c"},
		Owner: capacity.OwnerSchedule, Size: calendar.Size{Min: 3, Max: 6, Desired: 3}, DiskGiB: 80,
		PrefixDelegation: true, MaxPods: 70, SystemReserved: capacity.Resources{MilliCPU: 100}, KubeReservedMemory: 1 << 30, KeepsOff: true,
	}
	if got := s.Capacity.Groups[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want\n%+v", got, want)
	}
}

// TestSubnetsOfAGroupAreItsZones: a group that is in one zone only goes with it.
func TestSubnetsOfAGroupAreItsZones(t *testing.T) {
	for _, c := range []struct{ cluster, group, zones, says string }{
		{`["s1", "s2", "s3"]`, `["s3"]`, "c", ""},
		{`["s1", "s2", "s3"]`, `["s3", "s1"]`, "c a", ""},
		{`["s1", "s2", "s3"]`, `["elsewhere"]`, "a", `node group "main": which zones its subnets are in is not known; it is taken for the first 1`},
		{`"UNKNOWN"`, `[null, null]`, "a b", "it is taken for the first 2"},
		{`"UNKNOWN"`, `[null, null, null]`, "a b c", ""},
	} {
		s, err := week.Read(changed(t, taken(t, "unchanged"), "slipway:index:EksCluster", `{"privateSubnetIds": `+c.cluster+`, "nodeGroups": [{"name": "main",
			"instanceTypes": ["m5.large"], "minSize": 3, "maxSize": 6, "desiredSize": 3, "desiredSizeOwner": "schedule", "subnetIds": `+c.group+`}]}`))
		if err != nil || len(s.Unread) > 0 {
			t.Fatal(err, s.Unread)
		}
		if got := strings.Join(s.Capacity.Groups[0].Zones, " "); got != c.zones || !strings.Contains(strings.Join(s.Notes, "\n"), c.says) || c.says == "" && len(s.Notes) > 0 {
			t.Errorf("%s of %s: zones %s, want %s; %q", c.group, c.cluster, got, c.zones, s.Notes)
		}
	}
}

// TestPoliciesAreSaid: the nodes may be fewer than the schedule sets, which no plan looks at.
func TestPoliciesAreSaid(t *testing.T) {
	s, err := week.Read(append(taken(t, "unchanged"), week.Resource{Type: "slipway:index:NodeScalingPolicy", Name: "load"}))
	if err != nil || len(s.Notes) != 1 || !strings.HasPrefix(s.Notes[0], `the policies of "load" move the number of nodes between`) {
		t.Error(err, s.Notes)
	}
}

// TestWhatIsNotKnownIsSaid and not guessed: without a schedule there is no week, without nodes or apps there is no verdict.
func TestWhatIsNotKnownIsSaid(t *testing.T) {
	for _, c := range []struct {
		kind, patch, err, text string
	}{
		{week.ScheduleType, `{"base": "UNKNOWN"}`, `schedule "week": base is not known before the stack is there`, ""},
		{week.ScheduleType, `{"nights": {"downAt": 7, "upAt": "06:30", "size": {"min": "x", "max": 1.5}}}`, `nights.size.desired is not there`, ""},
		{week.ScheduleType, `{"timeZone": "Pacific"}`, "timeZone", ""},
		{"slipway:index:EksCluster", `{"nodeGroups": "UNKNOWN"}`, "", `cluster "cluster": nodeGroups is not known before the stack is there`},
		{"slipway:index:EksCluster", `{"nodeGroups": [{"name": "x", "instanceTypes": ["m99.huge"], "minSize": 1, "maxSize": 1, "desiredSize": 1}]}`, "", `"m99.huge" is in no table`},
		{"slipway:index:EksCluster", `{"nodeGroups": [{"name": "x", "instanceTypes": ["m99.huge"], "instanceSizes": {"m99.huge": {"vcpu": 2}}, "minSize": 1, "maxSize": 1, "desiredSize": 1}]}`, "", `nodeGroups[0].instanceSizes.m99.huge.memoryMiB is not there`},
		{"slipway:index:EksCluster", `{"nodeGroups": [{"name": "x", "subnetIds": "unknown", "instanceTypes": ["m5.large"], "minSize": 1, "maxSize": 1, "desiredSize": 1}]}`, "", `nodeGroups[0].subnetIds is not known before`},
		{"slipway:index:EksCluster", `{"nodeGroups": []}`, "", "0 groups whose desiredSizeOwner"},
		{"slipway:index:Vpc", `{"zones": "UNKNOWN"}`, "", `network "network": zones is not known`},
		{"slipway:index:AppDeployment", `{"replicas": "UNKNOWN", "autoscaling": null}`, "", "replicas is not known"},
		{"slipway:index:AppDeployment", `{"resources": {"requests": {"cpu": "lots", "memory": "64Mi"}}}`, "", `resources.requests.cpu is "lots", must be a quantity`},
		{"slipway:index:AppDeployment", `{"rollout": {"strategy": "RollingUpdate", "maxSurge": "half"}}`, "", `rollout.maxSurge is "half"`},
		{"kubernetes:apps/v1:Deployment", `{"spec": "UNKNOWN"}`, "", `Note: app "frontend": what containers beside its own request`},
		{"kubernetes:apps/v1:Deployment", podWith(`"priorityClassName": "high"`), "", "frontend has a priority class"},
		{"kubernetes:apps/v1:Deployment", podWith(`"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]`), "", "frontend has a volume"},
		{"kubernetes:apps/v1:Deployment", podWith(`"initContainers": [{"resources": {"requests": {"cpu": "some"}}}]`), "", `initContainers[0].resources.requests.cpu is "some"`},
	} {
		resources := changed(t, taken(t, "unchanged"), c.kind, c.patch)
		s, err := week.Read(resources)
		if err == nil {
			var r *week.Report
			if r, err = week.Look(s, week.Options{Now: now}); err == nil {
				if c.err != "" || !strings.Contains(r.Text(), c.text) || !strings.Contains(r.Text(), "403.5") || r.Unfit() {
					t.Errorf("%s: %s", c.patch, r.Text())
				}
				continue
			}
		}
		if c.err == "" || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %q", c.patch, err, c.err)
		}
	}
	all := taken(t, "unchanged")
	for _, r := range all {
		if r.Type == week.ScheduleType {
			all = append(all, week.Resource{Type: r.Type, Name: "other", Inputs: r.Inputs})
		}
	}
	if _, err := week.Read(all); err == nil || !strings.Contains(err.Error(), `2 schedules, "other", "week"`) {
		t.Error(err)
	}
	if _, err := week.Read(nil); err == nil || week.Has(nil) {
		t.Error("nothing has a week")
	}
}

// TestUnfit: at night one small node does not hold what has to run.
func TestUnfit(t *testing.T) {
	if look(t, taken(t, "unchanged")).Unfit() {
		t.Error("the stack as it runs does not fit")
	}
	if !look(t, changed(t, taken(t, "schedule"), "slipway:index:AppDeployment", `{"replicas": 40, "autoscaling": null}`)).Unfit() {
		t.Error("40 pods fit one node")
	}
}

// TestNamesStandInCode: GitHub finds mentions in what is shown, whatever way a character was written.
func TestNamesStandInCode(t *testing.T) {
	for text, want := range map[string]string{
		"1 t3.small node does not hold 2 of web-1, 1 of web, 3 of deadbeef; 2 nodes would": "1 `t3.small` node does not hold 2 of `web-1`, 1 of `web`, 3 of `deadbeef`; 2 nodes would",
		`app "@octocat": in #12 (see https://example.com/x), webs.`:                        "app \"`@octocat`\": in `#12` (see `https://example.com/x`), webs.",
		"Mon–Thu 20:00 to 06:30: 26.7% less, -5.3, +2":                                     "Mon–Thu 20:00 to 06:30: 26.7% less, -5.3, +2",
		"a|b `c` \\d <e>":    "<code>a&#124;b</code> <code>&#96;c&#96;</code> <code>&#92;d</code> `<e>`",
		"two\nlines":         "two\ufffdlines",
		"with space. is one": "`with space.` is one",
	} {
		if got := week.Escape(text, "web", "web-1", "t3.small", "deadbeef", "with space.", ""); got != want {
			t.Errorf("%q is written\n%q, want\n%q", text, got, want)
		}
	}
}

var inCode = regexp.MustCompile("`[^`\n]*`|<code>[^<\n]*</code>")

// between is what stands in a text between two others.
func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// TestNamesMeanNothing to a reader of SVG or Markdown, whatever is in them.
func TestNamesMeanNothing(t *testing.T) {
	resources := taken(t, "unchanged")
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.StringOfN(rapid.RuneFrom([]rune("a<>&\"'|`@#[]()*_~\n\r\x1b\x00w.:/é"+"\u202e")), 0, 20, -1).Draw(rt, "name")
		for i := range resources {
			if resources[i].Type == week.ScheduleType {
				resources[i].Name = name
			}
		}
		s, err := week.Read(resources)
		if err != nil {
			rt.Fatal(err)
		}
		s.Unread = []string{"not looked at here: " + name} // to judge all pods each time takes long
		s.Notes = []string{fmt.Sprintf("app %q: of %s", name, name)}
		r, err := week.Look(s, week.Options{Now: now})
		if err != nil {
			rt.Fatal(err)
		}
		for d := xml.NewDecoder(strings.NewReader(r.SVG())); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				rt.Fatalf("%v:\n%s", err, r.SVG())
			}
			if e, is := token.(xml.StartElement); is && e.Name.Local == "a" {
				rt.Fatal("the name has made an element")
			}
		}
		text := r.Markdown()
		for _, line := range []string{between(text, "<summary>", "</summary>"), between(text, "**Whether the pods fit is not known:** ", "\n"), between(text, "**Note:** ", "\n")} {
			line = inCode.ReplaceAllString(line, "") // what is in code means nothing, and is one line
			if strings.ContainsAny(line, "<>&'|`@#[]*_~\n\r\x1b\x00/\u202e") || strings.Contains(line, "w.w") {
				rt.Fatalf("%q in\n%s", line, text)
			}
		}
		if strings.ContainsAny(r.Text(), "\x1b\x00\r\u202e") {
			rt.Fatalf("%q", r.Text())
		}
	})
}
