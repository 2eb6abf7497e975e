package network

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Check finds every problem with args as NewVpc would, without making anything. A stack that checks all its parts before it
// makes the first one registers nothing when anything is wrong.
func (args *VpcArgs) Check(_ *pulumi.Context, name string) error {
	_, _, err := args.checked(name)
	return err
}
