package edge

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Check finds every problem with args but that the network, the nodes and the apps are not there yet. A stack that checks all its parts before it
// makes the first one registers nothing when anything is wrong.
func (args *HttpsLoadBalancerArgs) Check(_ *pulumi.Context, name string) error {
	_, err := args.checked(name, nil)
	return check.Before(err, "vpcId", "publicSubnetIds", "nodeSecurityGroupId", "autoScalingGroupNames", "namespace", "clusterName", "provider",
		"routes[].nodePort", "routes[].service.name")
}
