package aws

import (
	"fmt"
	"slices"
	"strings"
)

const (
	bucketToken           = "aws:s3/bucketV2:BucketV2"
	bucketPolicyToken     = "aws:s3/bucketPolicy:BucketPolicy"
	bucketBlockToken      = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	bucketEncryptionToken = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	bucketLifecycleToken  = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	bucketOwnershipToken  = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	bucketVersioningToken = "aws:s3/bucketVersioningV2:BucketVersioningV2"
)

var bucketRef = &Ref{Types: []string{bucketToken}, Code: "NoSuchBucket", Message: "The specified bucket does not exist: %s"}

// ofBucket is a setting of a bucket, of which there is one each.
func ofBucket(token, label string, ops Ops, props map[string]Prop) *Type {
	props["bucket"] = text.must().fixed().to(bucketRef)
	return &Type{
		Token: token, Label: label, Service: "S3", Ops: ops, Props: props,
		Validate: func(tx *Tx, o, old *Object) error {
			if token == bucketPolicyToken {
				if _, err := parsePolicy(o.Str("policy")); err != nil {
					return Errorf("MalformedPolicy", "%s", err)
				}
			}
			if old == nil && tx.Find(token, "bucket", o.Str("bucket")) != nil {
				return Errorf("OperationAborted", "the bucket %s has a %s already: two would undo each other", o.Str("bucket"), label)
			}
			return nil
		},
		Create: func(_ *Tx, o *Object) error {
			o.ID = o.Str("bucket")
			if token == bucketLifecycleToken {
				o.fill("transitionDefaultMinimumObjectSize", "all_storage_classes_128K")
			}
			return nil
		},
	}
}

func init() {
	// Not here: bucket settings of old, which AWS has moved to resources of their own.
	name := func(longest float64, other string) Prop {
		return text.filled().fixed().within(3, longest).not(other).like(`^[a-z0-9][a-z0-9.-]*[a-z0-9-]$`, "lower-case letters, digits, dots and hyphens")
	}
	register(
		&Type{
			Token: bucketToken, Label: "S3 Bucket", Service: "S3", Ops: Ops{"CreateBucket", "PutBucketTagging", "DeleteBucket"},
			AutoName: &AutoName{Prop: "bucket", Max: 63},
			Props: map[string]Prop{
				"bucket": name(63, "bucketPrefix"), "bucketPrefix": name(37, "bucket"), "forceDestroy": flag.or(false), "objectLockEnabled": flag.filled().fixed(), "tags": tagMap,
			},
			Outputs: []string{"arn", "bucketDomainName", "bucketRegionalDomainName", "hostedZoneId", "region"},
			Validate: func(tx *Tx, o, old *Object) error {
				if old == nil && o.Str("bucket") != "" && tx.Find(bucketToken, "id", o.Str("bucket")) != nil {
					return Errorf("BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it: %s", o.Str("bucket"))
				}
				return nil
			},
			Create: func(tx *Tx, o *Object) error {
				if p := o.Str("bucketPrefix"); p != "" {
					o.fill("bucket", p+Hex(26))
				}
				o.fill("bucketPrefix", "")
				o.fill("objectLockEnabled", false)
				o.ID = o.Str("bucket")
				o.Set("arn", "arn:aws:s3:::"+o.ID)
				o.Set("bucketDomainName", o.ID+".s3.amazonaws.com")
				o.Set("bucketRegionalDomainName", fmt.Sprintf("%s.s3.%s.amazonaws.com", o.ID, tx.Region))
				o.Set("region", tx.Region)
				o.Set("hostedZoneId", "Z3BJ6K6RIION7M") // of us-west-2
				return nil
			},
			Delete: func(tx *Tx, o *Object) error {
				for _, token := range []string{bucketPolicyToken, bucketBlockToken, bucketEncryptionToken, bucketLifecycleToken, bucketOwnershipToken, bucketVersioningToken} {
					tx.removeWhere(token, func(s *Object) bool { return s.Str("bucket") == o.ID })
				}
				return nil
			},
		},
		ofBucket(bucketPolicyToken, "S3 Bucket Policy", Ops{"PutBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"}, map[string]Prop{"policy": text.must()}),
		ofBucket(bucketBlockToken, "S3 Bucket Public Access Block", Ops{"PutPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"}, map[string]Prop{
			"blockPublicAcls": flag.or(false), "blockPublicPolicy": flag.or(false), "ignorePublicAcls": flag.or(false), "restrictPublicBuckets": flag.or(false),
		}),
		ofBucket(bucketEncryptionToken, "S3 Bucket Server Side Encryption Configuration", Ops{"PutBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"}, map[string]Prop{
			"expectedBucketOwner": text.fixed(), "rules": setOf(fields(map[string]Prop{
				"applyServerSideEncryptionByDefault": fields(map[string]Prop{"kmsMasterKeyId": text, "sseAlgorithm": text.must().in("AES256", "aws:kms", "aws:kms:dsse")}),
				"bucketKeyEnabled":                   flag,
			})).must(),
		}),
		ofBucket(bucketOwnershipToken, "S3 Bucket Ownership Controls", Ops{"PutBucketOwnershipControls", "PutBucketOwnershipControls", "DeleteBucketOwnershipControls"}, map[string]Prop{
			"rule": fields(map[string]Prop{"objectOwnership": text.must().in("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced")}).must(),
		}),
		ofBucket(bucketVersioningToken, "S3 Bucket Versioning", Ops{"PutBucketVersioning", "PutBucketVersioning", "PutBucketVersioning"}, map[string]Prop{
			"expectedBucketOwner": text.fixed(), "mfa": text,
			"versioningConfiguration": fields(map[string]Prop{"mfaDelete": text.filled().in("Enabled", "Disabled"), "status": text.must().in("Enabled", "Suspended", "Disabled")}).must(),
		}),
		ofBucket(bucketLifecycleToken, "S3 Bucket Lifecycle Configuration", Ops{"PutBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"}, map[string]Prop{
			"expectedBucketOwner": text.fixed(), "transitionDefaultMinimumObjectSize": text.filled().in("all_storage_classes_128K", "varies_by_storage_class"),
			"rules": listOf(fields(map[string]Prop{
				"abortIncompleteMultipartUpload": fields(map[string]Prop{"daysAfterInitiation": number.must().within(1, 1e6)}),
				"expiration":                     fields(map[string]Prop{"date": text, "days": number.within(1, 1e6), "expiredObjectDeleteMarker": flag}),
				"filter":                         fields(map[string]Prop{"prefix": text}), "id": text.must().within(1, 255),
				"noncurrentVersionExpiration": fields(map[string]Prop{"newerNoncurrentVersions": number.within(1, 100), "noncurrentDays": number.must().within(1, 1e6)}), "status": text.must().in("Enabled", "Disabled"),
			})).must(),
		}),
	)
}

// mayLog is why a load balancer may not write its logs into a bucket; nil where it may. AWS tries it when logs are switched on.
func (tx *Tx) mayLog(bucket, prefix string) error {
	refused := Errorf("InvalidConfigurationRequest", "Access Denied for bucket: %s. Please check S3bucket permission", bucket)
	p := tx.Find(bucketPolicyToken, "bucket", bucket)
	if tx.Find(bucketToken, "id", bucket) == nil || p == nil {
		return refused
	}
	if e := tx.Find(bucketEncryptionToken, "bucket", bucket); e != nil {
		for _, r := range objects(e.Get("rules")) {
			if nested(r["applyServerSideEncryptionByDefault"])["sseAlgorithm"] != "AES256" {
				return refused // AWS encrypts logs with its own keys only
			}
		}
	}
	doc, err := parsePolicy(p.Str("policy"))
	if err != nil {
		return refused
	}
	object := "arn:aws:s3:::" + bucket + "/" + strings.TrimPrefix(prefix+"/AWSLogs/"+AccountID+"/ELBAccessLogTestFile", "/")
	if !slices.ContainsFunc(doc.Statement, func(s statement) bool { return s.letsLog(object) }) {
		return refused
	}
	return nil
}

// letsLog tells whether a statement lets the service that delivers logs write an object.
func (s statement) letsLog(object string) bool {
	who, _ := s.Principal.(map[string]any)
	services, one := who["Service"].(string)
	return s.Effect == "Allow" && (one && services == logDelivery || slices.Contains(Strings(who["Service"]), logDelivery)) &&
		slices.ContainsFunc(s.Action, func(a string) bool { return a == "s3:PutObject" || a == "s3:*" }) &&
		slices.ContainsFunc(s.Resource, func(r string) bool {
			start, rest, wild := strings.Cut(r, "*")
			return r == object || wild && rest == "" && strings.HasPrefix(object, start)
		})
}

const logDelivery = "logdelivery.elasticloadbalancing.amazonaws.com"
