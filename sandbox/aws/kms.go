package aws

import (
	"fmt"
	"slices"
	"strings"
)

const (
	keyToken   = "aws:kms/key:Key"
	aliasToken = "aws:kms/alias:Alias"
)

func init() {
	aliasName := func(other string) Prop {
		return text.fixed().within(1, 256).not(other).
			like(`^alias/[a-zA-Z0-9/_-]+$`, `"alias/" and letters, digits and /_-`)
	}
	register(
		&Type{
			Token: keyToken, Label: "KMS Key", Service: "KMS", Ops: Ops{"CreateKey", "UpdateKeyDescription", "ScheduleKeyDeletion"},
			Props: map[string]Prop{
				"bypassPolicyLockoutSafetyCheck": flag.or(false), "customKeyStoreId": text.fixed(),
				"customerMasterKeySpec": text.or("SYMMETRIC_DEFAULT").fixed().in("SYMMETRIC_DEFAULT", "RSA_2048", "RSA_3072", "RSA_4096",
					"ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SM2"),
				"deletionWindowInDays": number.within(7, 30), "description": text.filled().within(0, 8192), "enableKeyRotation": flag.or(false),
				"isEnabled": flag.or(true), "keyUsage": text.or("ENCRYPT_DECRYPT").fixed().in("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"),
				"multiRegion": flag.filled().fixed(), "policy": Prop{Kind: JSON}.filled().within(1, 32768),
				"rotationPeriodInDays": number.filled().within(90, 2560), "tags": tagMap, "xksKeyId": text.fixed(),
			},
			Outputs: []string{"arn", "keyId"},
			Check:   checkKey, Validate: validateKey, Create: createKey, Update: describeKey,
		},
		&Type{
			Token: aliasToken, Label: "KMS Alias", Service: "KMS", Ops: Ops{"CreateAlias", "UpdateAlias", "DeleteAlias"},
			AutoName: &AutoName{Prop: "name", Max: 255, Prefix: "alias/"},
			Props: map[string]Prop{
				"name": aliasName("namePrefix").filled(), "namePrefix": aliasName("name"), "targetKeyId": text.must(),
			},
			Outputs:  []string{"arn", "targetKeyArn"},
			Validate: validateAlias, Create: createAlias, Update: func(tx *Tx, o, _ *Object) error { return describeAlias(tx, o) },
		},
	)
}

func checkKey(in Inputs) []Problem {
	o := in.Object()
	if in.Has("rotationPeriodInDays") && in.Known("enableKeyRotation") && !o.Bool("enableKeyRotation") {
		return []Problem{{"rotationPeriodInDays", "needs enableKeyRotation to be true"}}
	}
	return nil
}

func validateKey(_ *Tx, o, _ *Object) error {
	if o.Bool("enableKeyRotation") && o.Str("customerMasterKeySpec") != "SYMMETRIC_DEFAULT" {
		return Errorf("UnsupportedOperationException", "Automatic key rotation is only supported for symmetric encryption keys, not for %s.", o.Str("customerMasterKeySpec"))
	}
	if p := o.Str("policy"); p != "" && !o.Bool("bypassPolicyLockoutSafetyCheck") && !keepsControl(p) {
		return Errorf("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.")
	}
	return nil
}

// keepsControl tells whether somebody in the account may still change the key's policy.
func keepsControl(policy string) bool {
	p, err := parsePolicy(policy)
	if err != nil {
		return false
	}
	self := []string{"*", AccountID, "arn:aws:iam::" + AccountID + ":root", CallerARN, "arn:aws:iam::" + AccountID + ":role/" + callerRole}
	for _, s := range p.Statement {
		m, _ := s.Principal.(map[string]any)
		mine := s.Principal == "*" || slices.ContainsFunc(textOrTexts(m["AWS"]), func(a string) bool { return slices.Contains(self, a) })
		may := slices.ContainsFunc(s.Action, func(a string) bool {
			return a == "*" || strings.EqualFold(a, "kms:*") || strings.EqualFold(a, "kms:Put*") || strings.EqualFold(a, "kms:PutKeyPolicy")
		})
		if s.Effect == "Allow" && mine && may {
			return true
		}
	}
	return false
}

func createKey(tx *Tx, o *Object) error {
	o.ID = uuid()
	if o.Bool("multiRegion") {
		o.ID = "mrk-" + Hex(32)
	}
	o.Set("keyId", o.ID)
	o.Set("arn", tx.ARN("kms", "key/"+o.ID))
	return describeKey(tx, o, nil)
}

// describeKey fills in what KMS chooses where the program says nothing.
func describeKey(_ *Tx, o, _ *Object) error {
	o.fill("description", "")
	o.fill("multiRegion", false)
	o.fill("policy", `{"Id":"key-default-1","Statement":[{"Action":"kms:*","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+AccountID+
		`:root"},"Resource":"*","Sid":"Enable IAM User Permissions"}],"Version":"2012-10-17"}`)
	if o.Bool("enableKeyRotation") {
		o.fill("rotationPeriodInDays", 365.0)
	}
	return nil
}

// key is the key of that id or ARN; nil where there is none.
func (tx *Tx) key(idOrARN string) *Object {
	if o := tx.Find(keyToken, "arn", idOrARN); o != nil {
		return o
	}
	return tx.Find(keyToken, "id", idOrARN)
}

func validateAlias(tx *Tx, o, old *Object) error {
	name := o.named("name", "namePrefix")
	if strings.HasPrefix(name, "alias/aws/") {
		return Errorf("NotAuthorizedException", "Alias names that begin with alias/aws/ are reserved for AWS: %s", name)
	}
	if old == nil && tx.Find(aliasToken, "name", name) != nil {
		return Errorf("AlreadyExistsException", "An alias with the name %s already exists", tx.ARN("kms", name))
	}
	if t := o.Str("targetKeyId"); tx.key(t) == nil {
		return Errorf("NotFoundException", "Key '%s' does not exist", t)
	}
	return nil
}

func createAlias(tx *Tx, o *Object) error {
	o.ID = o.named("name", "namePrefix")
	o.Set("arn", tx.ARN("kms", o.ID))
	return describeAlias(tx, o)
}

func describeAlias(tx *Tx, o *Object) error {
	k := tx.key(o.Str("targetKeyId"))
	if k == nil {
		return fmt.Errorf("alias %s: its key %s is gone", o.ID, o.Str("targetKeyId"))
	}
	o.Set("targetKeyArn", k.Str("arn"))
	return nil
}
