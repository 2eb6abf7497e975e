package workload

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Check finds every problem with args but that the cluster, the namespace and the image are not there yet. A stack that checks all its parts before it
// makes the first one registers nothing when anything is wrong.
func (args *AppDeploymentArgs) Check(_ *pulumi.Context, name string) error {
	_, err := args.checked(name, nil)
	return check.Before(err, "provider", "namespace", "image")
}

// Check finds every problem with args but that the cluster is not there yet, as AppDeploymentArgs.Check does.
func (args *AppNamespaceArgs) Check(_ *pulumi.Context, name string) error {
	_, err := args.checked(name, nil)
	return check.Before(err, "provider")
}
