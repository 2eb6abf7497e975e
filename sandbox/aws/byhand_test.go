package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// refresh reads a resource as the engine does, and tells what the next update would change; gone is that it is not there.
func (h *harness) refresh(m *made, ignore ...string) (differs []string, gone bool) {
	h.t.Helper()
	r, err := h.p.Read(context.Background(), &pulumirpc.ReadRequest{Urn: urnOf(m.Token, m.Name), Id: m.ID, Properties: mustMarshal(h.t, m.Out), Inputs: m.in})
	if err != nil {
		h.t.Fatal(err)
	}
	if r.GetId() == "" {
		return nil, true
	}
	d, err := h.p.Diff(context.Background(), &pulumirpc.DiffRequest{
		Urn: urnOf(m.Token, m.Name), Id: m.ID, Olds: r.GetProperties(), OldInputs: r.GetInputs(), News: m.in, IgnoreChanges: ignore,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(d.GetDetailedDiff())), false
}

// TestWhatIsChangedByHandIsSeen by a refresh, as far as AWS and its provider would see it.
func TestWhatIsChangedByHandIsSeen(t *testing.T) {
	ssh := Permission{Protocol: "tcp", FromPort: 22, ToPort: 22, Cidr: "0.0.0.0/0"}
	https := Permission{Protocol: "tcp", FromPort: 443, ToPort: 443, Cidr: "10.0.0.0/16"}
	for name, c := range map[string]struct {
		change func(w *world, tx *Tx) error
		of     string
		seen   []string
		gone   bool
	}{
		"a policy of TLS": {func(w *world, tx *Tx) error {
			_, err := tx.ModifyListener(w.id("https"), "ELBSecurityPolicy-2016-08")
			return err
		}, "https", []string{"sslPolicy"}, false},
		"tags that may move": {func(w *world, tx *Tx) error {
			_, err := tx.PutImageTagMutability(w.id("repository"), "MUTABLE")
			return err
		}, "repository", []string{"imageTagMutability"}, false},
		"another time": {func(w *world, tx *Tx) error {
			return tx.PutScheduledUpdateGroupAction(w.id("scaled"), w.id("schedule"), map[string]any{"recurrence": "0 3 * * *", "maxSize": 3.0})
		}, "schedule", []string{"maxSize", "recurrence"}, false},
		"an action that is gone": {func(w *world, tx *Tx) error { return tx.DeleteScheduledAction(w.id("scaled"), w.id("schedule")) }, "schedule", nil, true},
		"a new action, which is nobody's": {func(w *world, tx *Tx) error {
			return tx.PutScheduledUpdateGroupAction(w.id("scaled"), "mine", map[string]any{"recurrence": "0 3 * * *", "minSize": 1.0})
		}, "schedule", nil, false},
		"a rule that is gone": {func(w *world, tx *Tx) error { return tx.RevokeSecurityGroupIngress(w.id("group"), nil, https) }, "ingress", nil, true},
		"one by its id": {func(w *world, tx *Tx) error {
			return tx.RevokeSecurityGroupIngress(w.id("group"), []string{w.id("ingress")}, Permission{})
		}, "ingress", nil, true},
		"a new rule, which is nobody's": {func(w *world, tx *Tx) error {
			_, err := tx.AuthorizeSecurityGroupIngress(w.id("group"), ssh)
			return err
		}, "group", nil, false},
		"a new rule of a group that lists its rules": {func(w *world, tx *Tx) error {
			_, err := tx.AuthorizeSecurityGroupIngress(w.id("balancerGroup"), ssh)
			return err
		}, "balancerGroup", []string{"ingress"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			m := w.by[c.of]
			if seen, gone := w.refresh(m); len(seen) > 0 || gone {
				t.Fatalf("before: %v, %v", seen, gone)
			}
			if err := w.p.account.Do("us-west-2", func(tx *Tx) error { return c.change(w, tx) }); err != nil {
				t.Fatal(err)
			}
			if seen, gone := w.refresh(m); !slices.Equal(seen, c.seen) || gone != c.gone {
				t.Errorf("seen are %v, gone %v, want %v and %v", seen, gone, c.seen, c.gone)
			}
			if c.gone || len(c.seen) == 0 {
				return
			}
			if seen, _ := w.refresh(m, c.seen...); len(seen) > 0 {
				t.Errorf("ignored, and seen: %v", seen)
			}
		})
	}
}

// TestAnActionOfAnotherRecurrenceStartsThen, and one of another size as before.
func TestAnActionOfAnotherRecurrenceStartsThen(t *testing.T) {
	w := newWorld(t)
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
		start := func(given map[string]any) string {
			if err := tx.PutScheduledUpdateGroupAction(w.id("scaled"), w.id("schedule"), given); err != nil {
				t.Fatal(err)
			}
			return tx.scheduledAction(w.id("scaled"), w.id("schedule")).Str("startTime")
		}
		before := start(map[string]any{"maxSize": 3.0})
		if same := start(map[string]any{"maxSize": 2.0}); same != before || before == "" {
			t.Errorf("with another size it starts at %q, before at %q", same, before)
		}
		if other := start(map[string]any{"recurrence": "17 3 * * *"}); !strings.HasSuffix(other, ":17:00Z") {
			t.Errorf("with another recurrence it starts at %q, before at %q", other, before)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestWhatAWSRefusesByHand, in its words.
func TestWhatAWSRefusesByHand(t *testing.T) {
	w := newWorld(t)
	for want, do := range map[string]func(tx *Tx) error{
		"SSLPolicyNotFound: SSL policy 'none' not found":    func(tx *Tx) error { _, err := tx.ModifyListener(w.id("https"), "none"); return err },
		"ListenerNotFound: One or more listeners not found": func(tx *Tx) error { _, err := tx.ModifyListener("arn:none", "x"); return err },
		"An SSL policy cannot be specified for HTTP":        func(tx *Tx) error { _, err := tx.ModifyListener(w.id("http"), "ELBSecurityPolicy-2016-08"); return err },
		"RepositoryNotFoundException":                       func(tx *Tx) error { _, err := tx.PutImageTagMutability("none", "MUTABLE"); return err },
		"Scheduled action name not found":                   func(tx *Tx) error { return tx.DeleteScheduledAction(w.id("scaled"), "none") },
		"AutoScalingGroup name not found":                   func(tx *Tx) error { return tx.PutScheduledUpdateGroupAction("none", "x", object{}) },
		"Given recurrence string:daily is invalid": func(tx *Tx) error {
			return tx.PutScheduledUpdateGroupAction(w.id("scaled"), "x", object{"recurrence": "daily"})
		},
		"InvalidGroup.NotFound": func(tx *Tx) error { return tx.RevokeSecurityGroupIngress("sg-0", nil, Permission{}) },
		"InvalidSecurityGroupRuleId.NotFound": func(tx *Tx) error {
			return tx.RevokeSecurityGroupIngress(w.id("group"), []string{"sgr-0"}, Permission{})
		},
		"InvalidPermission.NotFound": func(tx *Tx) error {
			return tx.RevokeSecurityGroupIngress(w.id("group"), nil, Permission{Protocol: "tcp", FromPort: 1, ToPort: 1, Cidr: "10.0.0.0/8"})
		},
		"InvalidPermission.Duplicate": func(tx *Tx) error {
			_, err := tx.AuthorizeSecurityGroupIngress(w.id("group"), Permission{Protocol: "tcp", FromPort: 443, ToPort: 443, Cidr: "10.0.0.0/16"})
			return err
		},
		"CIDR block 10.0.0.0 is malformed": func(tx *Tx) error {
			_, err := tx.AuthorizeSecurityGroupIngress(w.id("group"), Permission{Protocol: "tcp", FromPort: 1, ToPort: 1, Cidr: "10.0.0.0"})
			return err
		},
		"ResourceNotFoundException: No cluster found": func(tx *Tx) error { _, err := tx.UpdateNodegroupConfig("none", "x", nil, nil, nil); return err },
	} {
		if err := w.p.account.Do("us-west-2", do); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("it says %v, want %q", err, want)
		}
	}
}

// TestANodeGroupIsChangedByHand: its labels, and its size together with that of the group behind it.
func TestANodeGroupIsChangedByHand(t *testing.T) {
	w := newClusterWorld(t)
	m := w.by["nodes"]
	cluster, name, _ := strings.Cut(m.ID, ":")
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
		if _, err := tx.UpdateNodegroupConfig(cluster, name, map[string]string{"heat": "hot"}, []string{"none"}, map[string]int{"maxSize": 9}); err != nil {
			return err
		}
		g := tx.Find(autoScalingGroupToken, "name", autoScalingGroupOf(tx.Find(nodeGroupToken, "id", m.ID)))
		if got := sizeOf(g).Max; got != 9 {
			t.Errorf("the auto scaling group has at most %d nodes, want 9", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if seen, _ := w.refresh(m, "scalingConfig.maxSize"); len(seen) != 1 || !strings.HasPrefix(seen[0], "labels") {
		t.Errorf("seen are %v, want the labels alone", seen)
	}
}

func TestHooksAreTakenOffByHand(t *testing.T) {
	w := newWorld(t)
	group, hook := w.id("scaled"), w.id("hook")
	w.create(lifecycleHookToken, "slow", object{"autoscalingGroupName": group, "lifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "name": "slow"})
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
		there, err := tx.DescribeLifecycleHooks(group)
		if err != nil || len(there) != 2 || there[0]["LifecycleHookName"] != hook || there[0]["HeartbeatTimeout"] != 45 || there[0]["DefaultResult"] != "CONTINUE" {
			t.Errorf("%v, %v", there, err)
		}
		if there[1]["HeartbeatTimeout"] != 3600 || there[1]["DefaultResult"] != "ABANDON" {
			t.Errorf("one that says nothing is %v", there[1])
		}
		if _, err := tx.DescribeLifecycleHooks("none"); !strings.Contains(fmt.Sprint(err), "AutoScalingGroup name not found") {
			t.Errorf("of a group that is not there: %v", err)
		}
		if err := tx.DeleteLifecycleHook(group, hook); err != nil {
			t.Error(err)
		}
		if err := tx.DeleteLifecycleHook(group, hook); !strings.Contains(fmt.Sprint(err), "No Lifecycle Hook found") {
			t.Errorf("a second time: %v", err)
		}
		left, err := tx.DescribeLifecycleHooks(group)
		if err != nil || len(left) != 1 {
			t.Errorf("left are %v, %v", left, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
