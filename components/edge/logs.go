package edge

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// AccessLogs keeps a line for each request in a bucket that is made for it: private, encrypted, and emptied in time.
type AccessLogs struct {
	// RetentionDays is how long a line is kept, 1 to 3653; default 90. A shorter one deletes older lines within a day.
	RetentionDays int `pulumi:"retentionDays,optional"`
}

// logDelivery is the service that writes the logs:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
const logDelivery = "logdelivery.elasticloadbalancing.amazonaws.com"

func (l *AccessLogs) checked(p *check.Problems) *AccessLogs {
	if l == nil {
		return nil
	}
	out := &AccessLogs{RetentionDays: cmp.Or(l.RetentionDays, 90)}
	p.Between("accessLogs.retentionDays", out.RetentionDays, 1, 3653)
	return out
}

// logs is the bucket of the access logs, and what must be there before the load balancer writes into it; nil where none are kept.
func (b *builder) logs() (*s3.BucketV2, []pulumi.Resource, error) {
	if b.args.AccessLogs == nil {
		return nil, nil, nil
	}
	name := b.name + "-logs"
	bucket, err := s3.NewBucketV2(b.ctx, name, &s3.BucketV2Args{
		BucketPrefix: pulumi.String(strings.ToLower(name) + "-"),
		// Logs go with their load balancer, and stay where that may not be deleted.
		ForceDestroy: pulumi.Bool(b.args.AllowDeletion),
		Tags:         b.tags(""),
	}, b.below)
	if err != nil {
		return nil, nil, fmt.Errorf("bucket of the access logs: %w", err)
	}
	policy, err := b.logsPolicy(bucket)
	if err != nil {
		return nil, nil, err
	}
	block, err := s3.NewBucketPublicAccessBlock(b.ctx, name, &s3.BucketPublicAccessBlockArgs{
		Bucket: bucket.ID(), BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true), IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, b.below)
	if err != nil {
		return nil, nil, fmt.Errorf("access to the logs: %w", err)
	}
	encryption, err := s3.NewBucketServerSideEncryptionConfigurationV2(b.ctx, name, &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{&s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			ApplyServerSideEncryptionByDefault: &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
				SseAlgorithm: pulumi.String("AES256"), // load balancers write with no other key
			},
		}},
	}, b.below)
	if err != nil {
		return nil, nil, fmt.Errorf("encryption of the logs: %w", err)
	}
	_, err = s3.NewBucketLifecycleConfigurationV2(b.ctx, name, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules: s3.BucketLifecycleConfigurationV2RuleArray{&s3.BucketLifecycleConfigurationV2RuleArgs{
			Id: pulumi.String("expire"), Status: pulumi.String("Enabled"), Filter: &s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
			Expiration: &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(b.args.AccessLogs.RetentionDays)},
		}},
	}, b.below)
	if err != nil {
		return nil, nil, fmt.Errorf("retention of the logs: %w", err)
	}
	return bucket, []pulumi.Resource{policy, block, encryption}, nil
}

// logsPolicy lets the load balancers of this account and region write, and nobody in the open.
func (b *builder) logsPolicy(bucket *s3.BucketV2) (*s3.BucketPolicy, error) {
	account, err := aws.GetCallerIdentity(b.ctx, &aws.GetCallerIdentityArgs{}, b.below)
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	region, err := aws.GetRegion(b.ctx, &aws.GetRegionArgs{}, b.below)
	if err != nil {
		return nil, fmt.Errorf("region: %w", err)
	}
	document := bucket.Arn.ApplyT(func(arn string) (string, error) {
		partition := strings.Split(arn, ":")[1]
		doc, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{
			map[string]any{
				"Effect": "Allow", "Principal": map[string]string{"Service": logDelivery}, "Action": "s3:PutObject", "Resource": arn + "/AWSLogs/" + account.AccountId + "/*",
				"Condition": map[string]any{"ArnLike": map[string]string{"aws:SourceArn": fmt.Sprintf("arn:%s:elasticloadbalancing:%s:%s:loadbalancer/*", partition, region.Name, account.AccountId)}},
			},
			map[string]any{
				"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": []string{arn, arn + "/*"},
				"Condition": map[string]any{"Bool": map[string]string{"aws:SecureTransport": "false"}},
			},
		}})
		return string(doc), err
	}).(pulumi.StringOutput)
	policy, err := s3.NewBucketPolicy(b.ctx, b.name+"-logs", &s3.BucketPolicyArgs{Bucket: bucket.ID(), Policy: document}, b.below)
	if err != nil {
		return nil, fmt.Errorf("policy of the logs: %w", err)
	}
	return policy, nil
}
