package awscli

import (
	"strings"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// autoscaling: https://docs.aws.amazon.com/cli/latest/reference/autoscaling/.
var autoscaling = map[string]operation{
	"autoscaling set-desired-capacity": {
		"SetDesiredCapacity",
		[]string{"auto-scaling-group-name!", "desired-capacity!", "honor-cooldown", "no-honor-cooldown"},
		func(c call, tx *aws.Tx) (any, error) {
			return nil, tx.SetDesiredCapacity(c.flags["auto-scaling-group-name"], c.number("desired-capacity"))
		},
	},
	"autoscaling update-auto-scaling-group": {
		"UpdateAutoScalingGroup",
		[]string{"auto-scaling-group-name!", "min-size", "max-size", "desired-capacity"},
		func(c call, tx *aws.Tx) (any, error) {
			return nil, tx.Resize(c.flags["auto-scaling-group-name"], c.number("min-size"), c.number("max-size"), c.number("desired-capacity"))
		},
	},
	"autoscaling describe-auto-scaling-groups": {
		"DescribeAutoScalingGroups",
		[]string{"auto-scaling-group-names"},
		func(c call, tx *aws.Tx) (any, error) {
			return map[string]any{"AutoScalingGroups": tx.DescribeAutoScalingGroups(strings.Fields(c.flags["auto-scaling-group-names"]))}, nil
		},
	},
	"autoscaling describe-scheduled-actions": {
		"DescribeScheduledActions",
		[]string{"auto-scaling-group-name", "scheduled-action-names"},
		func(c call, tx *aws.Tx) (any, error) {
			return map[string]any{"ScheduledUpdateGroupActions": tx.DescribeScheduledActions(c.flags["auto-scaling-group-name"], strings.Fields(c.flags["scheduled-action-names"]))}, nil
		},
	},
}
