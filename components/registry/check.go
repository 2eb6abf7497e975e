package registry

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Check finds every problem with args as NewEcrRepos would, without making anything. A stack that checks all its parts before it
// makes the first one registers nothing when anything is wrong. Where there is Running it asks ECR, with the default provider.
func (args *EcrReposArgs) Check(ctx *pulumi.Context, name string) error {
	a, err := args.checked(name)
	if err != nil {
		return err
	}
	return a.checkRunning(ctx, name)
}
