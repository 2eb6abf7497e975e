package ci

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Check finds every problem with args but that what flows in from other resources is not there yet. A stack that checks all its parts before
// it makes the first one registers nothing when anything is wrong.
func (args *RolesArgs) Check(_ *pulumi.Context, name string) error {
	_, err := args.checked(name)
	return check.Before(err, "stateBucketArn", "secretsKeyArn")
}

// Check finds every problem with args as NewState would, without making anything.
func (args *StateArgs) Check(_ *pulumi.Context, name string) error {
	_, err := args.checked(name)
	return err
}
