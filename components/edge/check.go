package edge

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Check finds every problem with args but that the network and the nodes are not there yet. A stack that checks all its parts before it
// makes the first one registers nothing when anything is wrong.
func (args *HttpsLoadBalancerArgs) Check(_ *pulumi.Context, name string) error {
	_, err := args.checked(name)
	return check.Before(err, "vpcId", "publicSubnetIds", "nodeSecurityGroupId", "autoScalingGroupNames", "routes[].nodePort")
}
