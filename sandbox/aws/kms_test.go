package aws

import (
	"strings"
	"testing"
)

func TestKeyRefusals(t *testing.T) {
	w := newIdentity(t)
	foreign := policyText(object{"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": object{"AWS": "arn:aws:iam::210987654321:root"}})
	w.refuses([]refusal{
		{"key", object{"deletionWindowInDays": 3.0}, "must be 7 to 30"},
		{"key", object{"keyUsage": "ENCRYPT"}, "must be one of ENCRYPT_DECRYPT"},
		{"key", object{"policy": foreign}, "MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future."},
		{"key", object{"customerMasterKeySpec": "RSA_2048"}, "UnsupportedOperationException"},
		{"key", object{"enableKeyRotation": false, "rotationPeriodInDays": 180.0}, "needs enableKeyRotation to be true"},
		{"key", object{"rotationPeriodInDays": 30.0}, "must be 90 to 2560"},
		{"alias", nil, "AlreadyExistsException: An alias with the name arn:aws:kms:us-west-2:123456789012:alias/secrets already exists"},
		{"alias", object{"name": "secrets"}, `must be "alias/" and letters`},
		{"alias", object{"name": "alias/aws/eks"}, "reserved for AWS"},
		{"alias", object{"name": "alias/other", "targetKeyId": "none"}, "NotFoundException: Key 'none' does not exist"},
	})
	bypassed := w.create(keyToken, "bypassed", object{"policy": foreign, "bypassPolicyLockoutSafetyCheck": true})
	if !strings.HasPrefix(bypassed.Out["arn"].(string), "arn:aws:kms:us-west-2:123456789012:key/") {
		t.Errorf("arn %v", bypassed.Out["arn"])
	}
}

func TestKeyRevisions(t *testing.T) {
	w := newIdentity(t)
	second := w.create(keyToken, "second", object{})
	w.revises([]revision{
		{"key", object{"enableKeyRotation": false, "description": "other"}, nil},
		{"key", object{"multiRegion": true}, []string{"multiRegion"}},
		{"key", object{"keyUsage": "GENERATE_VERIFY_MAC", "enableKeyRotation": false}, []string{"keyUsage"}},
		{"alias", object{"targetKeyId": second.Out["arn"]}, nil},
		{"alias", object{"name": "alias/renamed"}, []string{"name"}},
	})
	if got := w.by["alias"].Out["targetKeyArn"]; got != second.Out["arn"] {
		t.Errorf("the alias points to %v, want %v", got, second.Out["arn"])
	}
}

func TestAliasIsNamedWithItsPrefix(t *testing.T) {
	w := newIdentity(t)
	a := w.create(aliasToken, "auto", object{"targetKeyId": w.id("key")})
	if !strings.HasPrefix(a.ID, "alias/auto-") {
		t.Errorf("an alias without a name is called %q", a.ID)
	}
}
