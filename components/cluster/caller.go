package cluster

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// checkCaller refuses a cluster that only whoever runs this gets into: with that role or user goes the cluster
// (github.com/terraform-aws-modules/terraform-aws-eks/issues/2911). Who runs this is asked only where there is one admin.
func (a *EksClusterArgs) checkCaller(ctx *pulumi.Context, name string, opts ...pulumi.InvokeOption) error {
	if len(a.Admins) != 1 {
		return nil
	}
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{}, opts...)
	if err != nil {
		return fmt.Errorf("%s %q: who runs this: %w", EksClusterType, name, err)
	}
	var p check.Problems
	if isCaller(a.Admins[0], caller.Arn) {
		p.Addf("admins", "is only %q, which runs this, must name a second role or user: with the only one the cluster would be lost, and nobody could give anybody rights in it", a.Admins[0])
	}
	return p.Err(EksClusterType, name)
}

// isCaller tells whether a principal is behind an identity as STS gives it: a role's session names the role without its path.
func isCaller(arn, caller string) bool {
	s, p := session.FindStringSubmatch(caller), principal.FindStringSubmatch(arn)
	if s == nil || p == nil {
		return arn == caller
	}
	account, path, isRole := strings.Cut(p[2], ":role/")
	return isRole && s[1] == p[1] && s[2] == account && s[3] == path[strings.LastIndex(path, "/")+1:]
}
