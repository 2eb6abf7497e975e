package cluster

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Check finds every problem with args but that the network is not there yet. A stack that checks all its parts before it
// makes the first one registers nothing when anything is wrong.
func (args *EksClusterArgs) Check(ctx *pulumi.Context, name string) error {
	a, err := args.checked(ctx.Project(), ctx.Stack(), name)
	if err := check.Before(err, "vpcId", "privateSubnetIds"); err != nil {
		return err
	}
	return a.checkCaller(ctx, name)
}
