package test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
)

// weekOfClockChange moves the account, which is still empty, to noon of a Monday in Los Angeles: the one before clocks change there.
func (b *box) weekOfClockChange(t *testing.T) (monday time.Time) {
	t.Helper()
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().In(zone)
	for monday = time.Date(now.Year(), now.Month(), now.Day(), 12, 0, 0, 0, zone); ; monday = monday.AddDate(0, 0, 1) {
		_, before := monday.Zone()
		_, after := monday.AddDate(0, 0, 7).Zone()
		if monday.Weekday() == time.Monday && monday.After(now) && before != after {
			break
		}
	}
	b.must("clock", monday.Format("2006-01-02T15:04"), "--zone", zone.String())
	return monday
}

// weekReplays: nights and weekends as the configuration says, through a change of clocks.
func (b *box) weekReplays(t *testing.T, monday time.Time) {
	t.Helper()
	shown := b.must("clock").out
	if !strings.HasPrefix(shown, monday.UTC().Format("Mon 2006-01-02 15:04")+" UTC\n"+monday.Format("Mon 2006-01-02 15:04")+" America/Los_Angeles\n") ||
		!regexp.MustCompile(`3 nodes \(min 3, max 6\)\n  next  `+monday.Format("Mon 2006-01-02")+` 20:00 America/Los_Angeles  week-nights-down  min 2, desired 2, max 6\n`).MatchString(shown) {
		t.Errorf("before it, the clock shows\n%s", shown)
	}
	var want []string
	for day := range 4 {
		want = append(want, monday.AddDate(0, 0, day).Format("Mon 2006-01-02")+" 20:00 America/Los_Angeles  week-nights-down    main 3 → 2 (min 2, max 6)",
			monday.AddDate(0, 0, day+1).Format("Mon 2006-01-02")+" 06:30 America/Los_Angeles  week-nights-up      main 2 → 3 (min 3, max 6)")
	}
	want = append(want, monday.AddDate(0, 0, 4).Format("Mon 2006-01-02")+" 20:00 America/Los_Angeles  week-weekends-down  main 3 → 2 (min 2, max 6)",
		monday.AddDate(0, 0, 7).Format("Mon 2006-01-02")+" 06:30 America/Los_Angeles  week-weekends-up    main 2 → 3 (min 3, max 6)",
		"the account's time is "+monday.AddDate(0, 0, 7).UTC().Format("Mon 2006-01-02 15:04")+" UTC, "+monday.AddDate(0, 0, 7).Format("Mon 2006-01-02 15:04")+" America/Los_Angeles",
		"no app fell below its disruption budget (budgets watched: 3)", "")
	before := b.nodeNames()
	// The name of the node group has a suffix that is another one each time.
	got := regexp.MustCompile(`cluster-main-[0-9a-f]{7}`).ReplaceAllString(b.must("clock", "+1w").out, "main")
	if got != strings.Join(want, "\n") {
		t.Errorf("the week was\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	// It waited for nodes and pods: both are there at once, and no node stayed through five nights.
	for _, p := range b.notReady(2) {
		t.Error(p)
	}
	after := b.nodeNames()
	for name := range after {
		if before[name] {
			t.Errorf("node %s has outlived the week", name)
		}
	}
	if len(before) != 3 || len(after) != 3 {
		t.Errorf("there were %d nodes, now there are %d, want 3", len(before), len(after))
	}
	if s := b.try("preview"); s.code != 0 {
		t.Errorf("preview after the week ended with %d:\n%s", s.code, s.all())
	}
	if s := b.try("clock", monday.Format(time.RFC3339)); s.code != 1 || !strings.Contains(s.errOut, "the clock only goes forward") {
		t.Errorf("back to Monday: exit code %d, %s", s.code, s.all())
	}
}

func (b *box) nodeNames() map[string]bool {
	var nodes items
	b.kubectl(&nodes, "get", "nodes")
	names := map[string]bool{}
	for _, n := range nodes.Items {
		names[n.Metadata.Name] = true
	}
	return names
}

// sizeIsTheSchedules: the stack leaves the sizes of the nodes to its schedule, whoever changes them.
func (b *box) sizeIsTheSchedules(t *testing.T) {
	t.Helper()
	var groups struct {
		AutoScalingGroups []struct {
			AutoScalingGroupName              string
			MinSize, MaxSize, DesiredCapacity int
		}
	}
	read := func() {
		if err := json.Unmarshal([]byte(b.must("aws", "autoscaling", "describe-auto-scaling-groups").out), &groups); err != nil || len(groups.AutoScalingGroups) != 1 {
			t.Fatalf("%v, %+v", err, groups)
		}
	}
	read()
	name := groups.AutoScalingGroups[0].AutoScalingGroupName
	b.must("aws", "autoscaling", "set-desired-capacity", "--auto-scaling-group-name", name, "--desired-capacity", "5")
	if s := b.try("preview"); s.code != 0 {
		t.Errorf("preview after a scale-out by hand ended with %d:\n%s", s.code, s.all())
	}
	b.must("aws", "autoscaling", "update-auto-scaling-group", "--auto-scaling-group-name", name, "--min-size", "1", "--max-size", "4")
	b.must("clock", "+1m") // waits for the nodes, and for pods that moved
	b.must("pulumi", "refresh", "--yes", "--skip-preview", "--stack", "prod")
	if s := b.try("preview"); s.code != 0 {
		t.Errorf("preview after a change of bounds by hand, and a refresh, ended with %d:\n%s", s.code, s.all())
	}
	if read(); groups.AutoScalingGroups[0].MinSize != 1 || groups.AutoScalingGroups[0].MaxSize != 4 || groups.AutoScalingGroups[0].DesiredCapacity != 4 {
		t.Errorf("the group is %+v, want 4 nodes of 1 to 4, as AWS lowers what is above a new maximum", groups.AutoScalingGroups[0])
	}
	// The next morning brings back what the configuration says.
	b.must("clock", "+1d")
	if read(); groups.AutoScalingGroups[0].MinSize != 3 || groups.AutoScalingGroups[0].MaxSize != 6 || groups.AutoScalingGroups[0].DesiredCapacity != 3 {
		t.Errorf("after a night the group is %+v, want 3 nodes of 3 to 6", groups.AutoScalingGroups[0])
	}
}
