package aws

import "testing"

func TestBuckets(t *testing.T) {
	w := newWorld(t)
	w.refuses([]refusal{
		{"bucket", nil, "BucketAlreadyOwnedByYou"},
		{"bucket", object{"bucket": "Logs"}, "must be lower-case letters"},
		{"bucket", object{"bucket": "ab"}, "must have 3 to 63"},
		{"bucketPolicy", nil, "OperationAborted"},
		{"bucketPolicy", object{"bucket": "none"}, "NoSuchBucket"},
		{"bucketPolicy", object{"policy": "none"}, "MalformedPolicy"},
		{"bucketEncryption", object{"bucket": "none"}, "NoSuchBucket"},
		{"bucketEncryption", object{"rules": list(object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": "DES"}})}, "must be one of"},
		{"bucketBlock", object{"bucket": "none"}, "NoSuchBucket"},
		{"bucketOwnership", object{"rule": object{"objectOwnership": "Me"}}, "must be one of"},
		{"bucketLifecycle", object{"rules": nil}, "rules is required"},
	})
	w.revises([]revision{
		{"bucket", object{"bucket": "others"}, []string{"bucket"}},
		{"bucket", object{"forceDestroy": true}, nil},
		{"bucketPolicy", object{"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`}, nil},
		{"bucketBlock", object{"blockPublicAcls": false}, nil},
		{"bucketEncryption", object{"bucket": "others"}, []string{"bucket"}},
		{"bucketOwnership", object{"rule": object{"objectOwnership": "ObjectWriter"}}, nil},
		{"bucketLifecycle", object{"rules": list(object{"id": "old", "status": "Disabled", "expiration": object{"days": 7.0}})}, nil},
	})
	if got := w.delete(w.by["bucket"]); got != "" {
		t.Error(got)
	}
}

// A load balancer writes a test file into the bucket of its logs when they are switched on.
func TestLoadBalancerLogsWhereItMay(t *testing.T) {
	w := newWorld(t)
	logs := func(bucket, prefix string) object {
		return object{"accessLogs": object{"bucket": bucket, "prefix": prefix, "enabled": true}}
	}
	policy := func(principal, action, resource string) object {
		return object{"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + principal + `"},"Action":"` + action + `","Resource":"` + resource + `"}]}`}
	}
	encrypted := func(by string) object {
		return object{"rules": list(object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": by}})}
	}
	bucket, service := w.id("bucket"), logDelivery
	mine := "arn:aws:s3:::" + bucket
	w.revises([]revision{{"balancer", logs(bucket, ""), nil}, {"balancer", object{"accessLogs": nil}, nil}})
	for _, tc := range []struct {
		policy, encryption object
		logs               object
		refused            bool
	}{
		{policy(service, "s3:PutObject", mine+"/AWSLogs/123456789012/*"), encrypted("AES256"), logs(bucket, ""), false},
		{policy(service, "s3:PutObject", mine+"/door/AWSLogs/123456789012/*"), encrypted("AES256"), logs(bucket, "door"), false},
		{policy(service, "s3:PutObject", mine+"/door/AWSLogs/123456789012/*"), encrypted("AES256"), logs(bucket, ""), true},
		{policy(service, "s3:GetObject", mine+"/*"), encrypted("AES256"), logs(bucket, ""), true},
		{policy("s3.amazonaws.com", "s3:PutObject", mine+"/*"), encrypted("AES256"), logs(bucket, ""), true},
		{policy(service, "s3:PutObject", mine+"/*"), encrypted("aws:kms"), logs(bucket, ""), true},
		{policy(service, "s3:PutObject", mine+"/*"), encrypted("AES256"), logs("none", ""), true},
	} {
		w.revises([]revision{{"bucketPolicy", tc.policy, nil}, {"bucketEncryption", tc.encryption, nil}})
		if tc.refused {
			tc.logs["name"] = "logging"
			w.refuses([]refusal{{"balancer", tc.logs, "InvalidConfigurationRequest: Access Denied for bucket"}})
			continue
		}
		w.revises([]revision{{"balancer", tc.logs, nil}, {"balancer", object{"accessLogs": nil}, nil}})
	}
}
