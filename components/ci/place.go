package ci

import (
	"cmp"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// place is where in AWS something is.
type place struct{ partition, account, region string }

// whereabouts asks the provider. region is the one that was given, or empty.
func whereabouts(ctx *pulumi.Context, region string, below pulumi.InvokeOption) (place, error) {
	partition, err := aws.GetPartition(ctx, &aws.GetPartitionArgs{}, below)
	if err != nil {
		return place{}, fmt.Errorf("partition: %w", err)
	}
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{}, below)
	if err != nil {
		return place{}, fmt.Errorf("account: %w", err)
	}
	here, err := aws.GetRegion(ctx, &aws.GetRegionArgs{}, below)
	if err != nil {
		return place{}, fmt.Errorf("region: %w", err)
	}
	return place{partition.Partition, caller.AccountId, cmp.Or(region, here.Name)}, nil
}
