package scaling

import (
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Check finds every problem with args but that AutoScalingGroupName is not there yet. A stack that checks all its parts before it
// makes the first one registers nothing when anything is wrong.
func (args *NodeScalingScheduleArgs) Check(_ *pulumi.Context, name string) error {
	_, _, err := args.checked(name, time.Now())
	return check.Before(err, "autoScalingGroupName")
}
