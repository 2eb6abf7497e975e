package ci

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// StateType is in every stack's state: to change it takes an alias and a major version.
const StateType = "slipway:index:State"

// StateArgs says how the state of stacks is kept.
type StateArgs struct {
	// BucketName is the name of the bucket, among those of all accounts of AWS; default one that begins with the component's name. A change
	// makes a new bucket.
	BucketName string `pulumi:"bucketName,optional"`
	// KeyAlias is by what name the key of the secrets stands in the stacks' configuration, without "alias/"; default the component's name. A
	// change makes a new name, and stacks that have the old one cannot open their secrets until they have the new one.
	KeyAlias string `pulumi:"keyAlias,optional"`
	// KeepDays is how long what was overwritten or deleted can be brought back, 1 to 3650 days; default 90.
	KeepDays int `pulumi:"keepDays,optional"`
	// EncryptWithKey encrypts the bucket, too, with the key of the secrets; default with S3's own. Give Roles the key as StateKeyArn then.
	EncryptWithKey bool `pulumi:"encryptWithKey,optional"`
	// Ephemeral lets the bucket and the key be deleted, with every state and secret in them; default not.
	Ephemeral bool `pulumi:"ephemeral,optional"`
	// Tags of the bucket and the key, beside those of the provider; default none.
	Tags map[string]string `pulumi:"tags,optional"`
}

// State is where the stacks of a team keep their state, and the key of their secrets:
//
//	slipway:index:State                                         NAME
//	├─ aws:s3/bucketV2:BucketV2                                 NAME          protected, as is the key, unless ephemeral
//	├─ aws:s3/bucketVersioningV2                                NAME          what was overwritten stays for keepDays
//	├─ aws:s3/bucketLifecycleConfigurationV2                    NAME
//	├─ aws:s3/bucketServerSideEncryptionConfigurationV2         NAME
//	├─ aws:s3/bucketOwnershipControls:BucketOwnershipControls   NAME          no access lists
//	├─ aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock   NAME
//	├─ aws:s3/bucketPolicy:BucketPolicy                         NAME          only over TLS
//	├─ aws:kms/key:Key                                          NAME-secrets  changes its material every year, and opens what the old one has closed
//	└─ aws:kms/alias:Alias                                      NAME-secrets
//
// Pulumi locks a stack with an object in the bucket while it changes it: two at once do not happen, and a lock that a job left behind
// goes with `pulumi cancel`. An admin makes this with a stack of its own, whose state lies elsewhere, or is moved here afterwards.
type State struct {
	pulumi.ResourceState
	// BackendUrl is where Pulumi finds the state: "s3://BUCKET?region=REGION", for PULUMI_BACKEND_URL or `pulumi login`.
	BackendUrl pulumi.StringOutput `pulumi:"backendUrl"`
	// SecretsProvider is for `pulumi stack init --secrets-provider`: "awskms://alias/ALIAS?region=REGION".
	SecretsProvider pulumi.StringOutput `pulumi:"secretsProvider"`
	BucketArn       pulumi.StringOutput `pulumi:"bucketArn"`
	KeyArn          pulumi.StringOutput `pulumi:"keyArn"`
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)
	aliasName  = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9/_-]{0,199}$`)
)

// checked is args with the defaults filled in; it accepts nil.
func (args *StateArgs) checked(name string) (a StateArgs, err error) {
	if args != nil {
		a = *args
	}
	a.KeyAlias, a.KeepDays = cmp.Or(a.KeyAlias, name), cmp.Or(a.KeepDays, 90)
	var p check.Problems
	if a.BucketName != "" {
		p.Match("bucketName", a.BucketName, bucketName, `3 to 63 lower-case letters, digits and "-", from a letter or digit to one: with a "." in it TLS fails`)
	}
	p.Match("keyAlias", a.KeyAlias, aliasName, `letters, digits and "/_-", like "pulumi", without "alias/"`)
	if strings.HasPrefix(a.KeyAlias, "aws/") {
		p.Addf("keyAlias", `is %q, must not begin with "aws/", which AWS keeps for itself`, a.KeyAlias)
	}
	if strings.HasPrefix(a.KeyAlias, "alias/") {
		p.Addf("keyAlias", `is %q, must be without "alias/"`, a.KeyAlias)
	}
	p.Between("keepDays", a.KeepDays, 1, 3650)
	p.Tags("tags", a.Tags)
	return a, p.Err(StateType, name)
}

// NewState reports every problem with args at once, before it registers anything.
func NewState(ctx *pulumi.Context, name string, args *StateArgs, opts ...pulumi.ResourceOption) (*State, error) {
	a, err := args.checked(name)
	if err != nil {
		return nil, err
	}
	c := &State{}
	recorded := pulumi.Map{
		"keyAlias": pulumi.String(a.KeyAlias), "keepDays": pulumi.Int(a.KeepDays), "encryptWithKey": pulumi.Bool(a.EncryptWithKey), "ephemeral": pulumi.Bool(a.Ephemeral),
	}
	if a.BucketName != "" {
		recorded["bucketName"] = pulumi.String(a.BucketName)
	}
	if len(a.Tags) > 0 {
		recorded["tags"] = pulumi.ToStringMap(a.Tags)
	}
	if err := ctx.RegisterComponentResourceV2(StateType, name, recorded, c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", StateType, name, err)
	}
	if err := a.build(ctx, name, c); err != nil {
		return nil, fmt.Errorf("%s %q: %w", StateType, name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"backendUrl": c.BackendUrl, "secretsProvider": c.SecretsProvider, "bucketArn": c.BucketArn, "keyArn": c.KeyArn,
	})
}

func (args StateArgs) build(ctx *pulumi.Context, name string, c *State) error {
	below := pulumi.Parent(c)
	in, err := whereabouts(ctx, "", below)
	if err != nil {
		return err
	}
	var tags pulumi.StringMapInput
	if len(args.Tags) > 0 {
		tags = pulumi.ToStringMap(args.Tags)
	}
	key, err := kms.NewKey(ctx, name+"-secrets", &kms.KeyArgs{
		Description: pulumi.String("Secrets of Pulumi stacks"), EnableKeyRotation: pulumi.Bool(true), DeletionWindowInDays: pulumi.Int(30), Tags: tags,
	}, below, pulumi.Protect(!args.Ephemeral))
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if _, err := kms.NewAlias(ctx, name+"-secrets", &kms.AliasArgs{Name: pulumi.String("alias/" + args.KeyAlias), TargetKeyId: key.KeyId}, below); err != nil {
		return fmt.Errorf("alias of the key: %w", err)
	}
	make := &s3.BucketV2Args{ForceDestroy: pulumi.Bool(args.Ephemeral), Tags: tags}
	if args.BucketName != "" {
		make.Bucket = pulumi.String(args.BucketName)
	}
	bucket, err := s3.NewBucketV2(ctx, name, make, below, pulumi.Protect(!args.Ephemeral))
	if err != nil {
		return fmt.Errorf("bucket: %w", err)
	}
	if err := args.settings(ctx, name, bucket, key, below); err != nil {
		return err
	}
	c.BucketArn, c.KeyArn = bucket.Arn, key.Arn
	c.BackendUrl = pulumi.Sprintf("s3://%s?region=%s", bucket.Bucket, in.region)
	c.SecretsProvider = pulumi.Sprintf("awskms://alias/%s?region=%s", args.KeyAlias, in.region)
	return nil
}

func (args StateArgs) settings(ctx *pulumi.Context, name string, bucket *s3.BucketV2, key *kms.Key, below pulumi.ResourceOption) error {
	versioning, err := s3.NewBucketVersioningV2(ctx, name, &s3.BucketVersioningV2Args{
		Bucket: bucket.ID(), VersioningConfiguration: &s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, below)
	if err != nil {
		return fmt.Errorf("versions: %w", err)
	}
	_, err = s3.NewBucketLifecycleConfigurationV2(ctx, name, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules: s3.BucketLifecycleConfigurationV2RuleArray{&s3.BucketLifecycleConfigurationV2RuleArgs{
			Id: pulumi.String("expire-old-versions"), Status: pulumi.String("Enabled"), Filter: &s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
			NoncurrentVersionExpiration: &s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{NoncurrentDays: pulumi.Int(args.KeepDays)},
			// Every lock that was taken leaves a marker behind.
			Expiration:                     &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{ExpiredObjectDeleteMarker: pulumi.Bool(true)},
			AbortIncompleteMultipartUpload: &s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{DaysAfterInitiation: pulumi.Int(7)},
		}},
	}, below, pulumi.DependsOn([]pulumi.Resource{versioning}))
	if err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	encryption := &s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
		ApplyServerSideEncryptionByDefault: &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{SseAlgorithm: pulumi.String("AES256")},
	}
	if args.EncryptWithKey {
		encryption.ApplyServerSideEncryptionByDefault = &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
			SseAlgorithm: pulumi.String("aws:kms"), KmsMasterKeyId: key.Arn,
		}
		encryption.BucketKeyEnabled = pulumi.Bool(true)
	}
	_, err = s3.NewBucketServerSideEncryptionConfigurationV2(ctx, name, &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.ID(), Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{encryption},
	}, below)
	if err != nil {
		return fmt.Errorf("encryption: %w", err)
	}
	_, err = s3.NewBucketOwnershipControls(ctx, name, &s3.BucketOwnershipControlsArgs{
		Bucket: bucket.ID(), Rule: &s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, below)
	if err != nil {
		return fmt.Errorf("ownership: %w", err)
	}
	block, err := s3.NewBucketPublicAccessBlock(ctx, name, &s3.BucketPublicAccessBlockArgs{
		Bucket: bucket.ID(), BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true), IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, below)
	if err != nil {
		return fmt.Errorf("access: %w", err)
	}
	policy := bucket.Arn.ApplyT(func(arn string) (string, error) {
		text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Sid": "OnlyOverTLS", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": []string{arn, arn + "/*"},
			"Condition": map[string]any{"Bool": map[string]string{"aws:SecureTransport": "false"}},
		}}})
		return string(text), err
	}).(pulumi.StringOutput)
	// Not both at once: S3 refuses two changes of who may do what.
	_, err = s3.NewBucketPolicy(ctx, name, &s3.BucketPolicyArgs{Bucket: bucket.ID(), Policy: policy}, below, pulumi.DependsOn([]pulumi.Resource{block}))
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	return nil
}
