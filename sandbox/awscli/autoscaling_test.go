package awscli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// groups puts the groups web and db, of 2 (1 to 4), into the account, and an action on web.
func groups(t *testing.T) {
	t.Helper()
	account, err := aws.OpenAccount(account(t).Account())
	if err != nil {
		t.Fatal(err)
	}
	if err := account.Do("us-west-2", func(tx *aws.Tx) error {
		for _, name := range []string{"web", "db"} {
			tx.Add(&aws.Object{Type: "aws:autoscaling/group:Group", ID: name, Region: "us-west-2", Inputs: map[string]any{
				"name": name, "minSize": 1.0, "maxSize": 4.0, "desiredCapacity": 2.0, "vpcZoneIdentifiers": []any{"subnet-1", "subnet-2"},
			}})
		}
		tx.Add(&aws.Object{Type: "aws:autoscaling/schedule:Schedule", ID: "night", Region: "us-west-2", Inputs: map[string]any{
			"autoscalingGroupName": "web", "scheduledActionName": "night", "minSize": 0.0, "maxSize": -1.0, "desiredCapacity": 1.0,
			"startTime": "2998-01-01T20:00:00Z", "recurrence": "0 20 * * *", "timeZone": "Europe/Madrid",
		}})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestSizesAreChangedAsByAnOperator(t *testing.T) {
	groups(t)
	sizes := func(names ...string) string {
		args := []string{"autoscaling", "describe-auto-scaling-groups", "--output", "json"}
		if len(names) > 0 {
			args = append(append(args, "--auto-scaling-group-names"), names...)
		}
		code, out, errOut := run(t, args...)
		var answer struct {
			AutoScalingGroups []struct {
				AutoScalingGroupName, VPCZoneIdentifier string
				MinSize, MaxSize, DesiredCapacity       int
			}
		}
		if err := json.Unmarshal([]byte(out), &answer); code != 0 || err != nil {
			t.Fatalf("ended with %d, %v: %s%s", code, err, out, errOut)
		}
		var all []string
		for _, g := range answer.AutoScalingGroups {
			b, err := json.Marshal([]any{g.AutoScalingGroupName, g.MinSize, g.MaxSize, g.DesiredCapacity, g.VPCZoneIdentifier})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(b))
		}
		return strings.Join(all, " ")
	}
	if got, want := sizes(), `["web",1,4,2,"subnet-1,subnet-2"] ["db",1,4,2,"subnet-1,subnet-2"]`; got != want {
		t.Errorf("before: %s, want %s", got, want)
	}
	for _, args := range []string{
		"set-desired-capacity --auto-scaling-group-name web --desired-capacity 4 --honor-cooldown",
		"update-auto-scaling-group --auto-scaling-group-name=db --min-size 0 --max-size 1 --region us-west-2",
	} {
		if code, out, errOut := run(t, append([]string{"autoscaling"}, strings.Fields(args)...)...); code != 0 || out+errOut != "" {
			t.Errorf("%s ended with %d: %s%s", args, code, out, errOut)
		}
	}
	if got, want := sizes("db", "web", "none"), `["web",1,4,4,"subnet-1,subnet-2"] ["db",0,1,1,"subnet-1,subnet-2"]`; got != want {
		t.Errorf("after: %s, want %s", got, want)
	}
	if got := sizes("db"); strings.Contains(got, "web") {
		t.Errorf("only db was asked for: %s", got)
	}
}

func TestScheduledActionsAreDescribed(t *testing.T) {
	groups(t)
	for _, c := range []struct {
		args  string
		there bool
	}{
		{"", true},
		{"--auto-scaling-group-name web", true},
		{"--auto-scaling-group-name db", false},
		{"--scheduled-action-names morning night", true},
		{"--scheduled-action-names morning", false},
		{"--region eu-west-1", false},
	} {
		code, out, errOut := run(t, append([]string{"autoscaling", "describe-scheduled-actions"}, strings.Fields(c.args)...)...)
		var answer struct{ ScheduledUpdateGroupActions []map[string]any }
		if err := json.Unmarshal([]byte(out), &answer); code != 0 || err != nil {
			t.Fatalf("ended with %d, %v: %s%s", code, err, out, errOut)
		}
		actions := answer.ScheduledUpdateGroupActions
		if actions == nil || (len(actions) == 1) != c.there {
			t.Errorf("%s: %s", c.args, out)
		}
		if !c.there || len(actions) == 0 {
			continue
		}
		a := actions[0]
		_, hasMax := a["MaxSize"]
		_, hasEnd := a["EndTime"]
		if a["ScheduledActionName"] != "night" || a["AutoScalingGroupName"] != "web" || a["MinSize"] != 0.0 || a["DesiredCapacity"] != 1.0 || hasMax || hasEnd ||
			a["StartTime"] != "2998-01-01T20:00:00Z" || a["Recurrence"] != "0 20 * * *" || a["TimeZone"] != "Europe/Madrid" {
			t.Errorf("%s: %v", c.args, a)
		}
	}
}

// Exit codes and words are those of the real command: scripts go by them.
func TestAutoScalingRefuses(t *testing.T) {
	groups(t)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"set-desired-capacity --auto-scaling-group-name web --desired-capacity 5", 254, "\nAn error occurred (ValidationError) when calling the SetDesiredCapacity operation: New SetDesiredCapacity value 5 is above max value 4 for the AutoScalingGroup.\n"},
		{"update-auto-scaling-group --auto-scaling-group-name web --min-size 5", 254, "\nAn error occurred (ValidationError) when calling the UpdateAutoScalingGroup operation: Max bound, 4, must be greater than or equal to min bound, 5\n"},
		{"update-auto-scaling-group --auto-scaling-group-name none --min-size 1", 254, "AutoScalingGroup name not found"},
		{"set-desired-capacity --auto-scaling-group-name web --desired-capacity 3 --region eu-west-1", 254, "AutoScalingGroup name not found"},
		{"set-desired-capacity", 252, "aws: error: the following arguments are required: --auto-scaling-group-name, --desired-capacity\n"},
		{"set-desired-capacity --auto-scaling-group-name web --desired-capacity two", 252, `--desired-capacity: "two" is no number of instances, must be 0 or more`},
		{"describe-scheduled-actions --query x --filters y", 252, "Unknown options: --filters, --query (the sandbox's aws takes --auto-scaling-group-name, --scheduled-action-names)"},
		{"describe-auto-scaling-groups --output table", 252, `prints json, not "table"`},
	} {
		code, out, errOut := run(t, append([]string{"autoscaling"}, strings.Fields(c.args)...)...)
		if code != c.code || out != "" || !strings.Contains(errOut, c.want) {
			t.Errorf("%s ended with %d, printed %q, said %q, want %d and %q", c.args, code, out, errOut, c.code, c.want)
		}
	}
}
