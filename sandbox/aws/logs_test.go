package aws

import (
	"strings"
	"testing"
)

func TestLogGroup(t *testing.T) {
	w := newIdentity(t)
	w.refuses([]refusal{
		{"logs", nil, "ResourceAlreadyExistsException: The specified log group already exists"},
		{"logs", object{"name": "a b"}, "must be letters, digits"},
		{"logs", object{"name": "aws/mine"}, "reserved for AWS"},
		{"logs", object{"name": "other", "retentionInDays": 42.0}, "retentionInDays is 42, must be one of 0, 1, 3, 5, 7, 14, 30"},
		{"logs", object{"name": "other", "logGroupClass": "CHEAP"}, "must be one of STANDARD"},
		{"logs", object{"name": "other", "kmsKeyId": "arn:aws:kms:us-west-2:123456789012:key/none"}, "The specified KMS Key Id could not be found"},
	})
	w.revises([]revision{
		{"logs", object{"retentionInDays": 30.0, "kmsKeyId": w.out("key", "arn")}, nil},
		{"logs", object{"logGroupClass": "INFREQUENT_ACCESS"}, []string{"logGroupClass"}},
		{"logs", object{"name": "other"}, []string{"name"}},
	})
	kept := w.create(logGroupToken, "kept", object{"name": "kept", "skipDestroy": true})
	for _, m := range []*made{kept, w.by["logs"]} {
		if refused := w.delete(m); refused != "" {
			t.Fatal(refused)
		}
	}
	if _, refused := w.try(logGroupToken, "again", object{"name": "kept"}); !strings.Contains(refused, "ResourceAlreadyExistsException") {
		t.Errorf("a log group with skipDestroy must stay in the account; made again: %q", refused)
	}
	w.create(logGroupToken, "again", object{"name": "/aws/eks/demo/cluster"})
}
