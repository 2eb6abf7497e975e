package aws

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	roleToken            = "aws:iam/role:Role"
	rolePolicyToken      = "aws:iam/rolePolicy:RolePolicy"
	attachmentToken      = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	policyToken          = "aws:iam/policy:Policy"
	instanceProfileToken = "aws:iam/instanceProfile:InstanceProfile"
	oidcProviderToken    = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
)

// maxPoliciesPerRole is IAM's default quota of managed policies.
const maxPoliciesPerRole = 10

var (
	roleRef   = &Ref{Types: []string{roleToken}, By: "name", Code: "NoSuchEntity", Message: "The role with name %s cannot be found."}
	policyRef = &Ref{
		Types: []string{policyToken}, By: "arn", Code: "NoSuchEntity",
		Message: "Policy %s does not exist or is not attachable.", Outside: isManagedPolicy,
	}
)

// iamName is a name or its prefix; prefixes are shorter, because 26 digits follow.
func iamName(longest float64, other string) Prop {
	return text.fixed().within(1, longest).like(`^[\w+=,.@-]*$`, "letters, digits and _+=,.@-").not(other)
}

func init() {
	path := text.or("/").within(1, 512).like(`^/([!-~]+/)?$`, "/ or a text that begins and ends with /").fixed()
	policy := Prop{Kind: JSON}
	register(
		&Type{
			Token: roleToken, Label: "IAM Role", Service: "IAM", Ops: Ops{"CreateRole", "UpdateRole", "DeleteRole"}, Global: true,
			AutoName: &AutoName{Prop: "name", Max: 64},
			Props: map[string]Prop{
				"assumeRolePolicy": policy.must(), "description": text.within(0, 1000), "forceDetachPolicies": flag.or(false),
				"inlinePolicies":    setOf(fields(map[string]Prop{"name": text, "policy": policy})).filled(),
				"managedPolicyArns": setOf(text.to(policyRef)).filled(), "maxSessionDuration": number.or(3600.0).within(3600, 43200),
				"name": iamName(64, "namePrefix").filled(), "namePrefix": iamName(38, "name"), "path": path,
				"permissionsBoundary": text.to(policyRef), "tags": tagMap,
			},
			Outputs:  []string{"arn", "createDate", "uniqueId"},
			Validate: validateRole, Create: createRole, Delete: deleteRole,
		},
		&Type{
			Token: attachmentToken, Label: "IAM Role Policy Attachment", Service: "IAM", Ops: Ops{"AttachRolePolicy", "AttachRolePolicy", "DetachRolePolicy"}, Global: true,
			Props:    map[string]Prop{"policyArn": text.must().fixed().to(policyRef), "role": text.must().fixed().to(roleRef)},
			Validate: validateAttachment,
			Create: func(_ *Tx, o *Object) error {
				o.ID = o.Str("role") + "-" + timeSuffix()
				return nil
			},
			Import: func(tx *Tx, id string) *Object {
				role, policy, _ := strings.Cut(id, "/")
				for _, o := range tx.All(attachmentToken) {
					if o.Str("role") == role && o.Str("policyArn") == policy {
						return o
					}
				}
				return nil
			},
		},
		&Type{
			Token: rolePolicyToken, Label: "IAM Role Policy", Service: "IAM", Ops: Ops{"PutRolePolicy", "PutRolePolicy", "DeleteRolePolicy"}, Global: true,
			AutoName: &AutoName{Prop: "name", Max: 128},
			Props: map[string]Prop{
				"name": iamName(128, "namePrefix").filled(), "namePrefix": iamName(102, "name"), "policy": policy.must(), "role": text.must().fixed().to(roleRef),
			},
			Validate: validateRolePolicy,
			Create: func(_ *Tx, o *Object) error {
				o.ID = o.Str("role") + ":" + o.named("name", "namePrefix")
				return nil
			},
		},
		&Type{
			Token: policyToken, Label: "IAM Policy", Service: "IAM", Ops: Ops{"CreatePolicy", "CreatePolicyVersion", "DeletePolicy"}, Global: true,
			AutoName: &AutoName{Prop: "name", Max: 128},
			Props: map[string]Prop{
				"description": text.within(0, 1000).fixed(), "name": iamName(128, "namePrefix").filled(), "namePrefix": iamName(102, "name"),
				"path": path, "policy": policy.must(), "tags": tagMap,
			},
			Outputs:  []string{"arn", "attachmentCount", "policyId"},
			Validate: validatePolicy, Create: createPolicy, Delete: deletePolicy,
		},
		&Type{
			Token: instanceProfileToken, Label: "IAM Instance Profile", Service: "IAM", Ops: Ops{"CreateInstanceProfile", "AddRoleToInstanceProfile", "DeleteInstanceProfile"}, Global: true,
			AutoName: &AutoName{Prop: "name", Max: 128},
			Props: map[string]Prop{
				"name": iamName(128, "namePrefix").filled(), "namePrefix": iamName(102, "name"), "path": path, "role": text.to(roleRef), "tags": tagMap,
			},
			Outputs: []string{"arn", "createDate", "uniqueId"},
			Validate: func(tx *Tx, o, old *Object) error {
				return tx.unused(o, old, "Instance Profile %s already exists.")
			},
			Create: func(tx *Tx, o *Object) error {
				o.ID = o.named("name", "namePrefix")
				tx.identify(o, "instance-profile"+o.Str("path")+o.ID, "AIPA")
				return nil
			},
		},
		&Type{
			Token: oidcProviderToken, Label: "IAM OIDC Provider", Service: "IAM", Ops: Ops{"CreateOpenIDConnectProvider", "UpdateOpenIDConnectProviderThumbprint", "DeleteOpenIDConnectProvider"}, Global: true,
			Props: map[string]Prop{
				"clientIdLists": setOf(text.within(1, 255)).must().within(1, 100), "tags": tagMap,
				"thumbprintLists": listOf(text.like(`^[0-9a-fA-F]{40}$`, "40 hexadecimal digits, a SHA-1 fingerprint")).filled().within(0, 5),
				"url":             text.must().fixed().within(1, 255).like(`^https://[^/?#]+(/[^?#]*)?$`, "a URL that begins with https:// and has no query"),
			},
			Outputs:  []string{"arn"},
			Validate: validateOIDCProvider, Create: createOIDCProvider,
		},
	)
	registerFunctions(&Function{Token: "aws:iam/getRole:getRole", Props: map[string]Prop{"name": text.must(), "tags": tagMap}, Call: getRole})
}

// named is the object's physical name: the one given, or the prefix and 26 digits.
func (o *Object) named(prop, prefixProp string) string {
	if o.Str(prop) == "" {
		prefix := o.Str(prefixProp)
		if prefix == "" {
			prefix = "terraform-" // what the provider falls back to where autonaming is switched off
		}
		o.Set(prop, prefix+timeSuffix())
	}
	return o.Str(prop)
}

// timeSuffix is 26 digits as the AWS provider appends them to a prefix: the time, and a counter.
func timeSuffix() string {
	return strings.ReplaceAll(time.Now().UTC().Format("20060102150405.0000"), ".", "") + Hex(8)
}

// identify sets what IAM computes for an entity.
func (tx *Tx) identify(o *Object, resource, kind string) {
	o.Set("arn", tx.GlobalARN("iam", resource))
	o.Set("createDate", time.Now().UTC().Format(time.RFC3339))
	o.Set("uniqueId", kind+strings.ToUpper(Hex(17)))
}

// unused refuses a name that another object of the type has. IAM compares without regard to case.
func (tx *Tx) unused(o, old *Object, message string) error {
	if old != nil {
		return nil
	}
	name := o.named("name", "namePrefix")
	for _, e := range tx.All(o.Type) {
		if strings.EqualFold(e.Str("name"), name) {
			return &Error{"EntityAlreadyExists", fmt.Sprintf(message, name), 409}
		}
	}
	return nil
}

func validateRole(tx *Tx, o, old *Object) error {
	if err := tx.unused(o, old, "Role with name %s already exists."); err != nil {
		return err
	}
	if err := trustPolicy(o.Str("assumeRolePolicy")); err != nil {
		return err
	}
	for _, p := range objects(o.Get("inlinePolicies")) {
		text, _ := p["policy"].(string)
		if err := identityPolicy(text); err != nil {
			return err
		}
	}
	if len(o.List("managedPolicyArns")) > maxPoliciesPerRole {
		return tooManyPolicies()
	}
	return nil
}

func tooManyPolicies() error {
	return &Error{"LimitExceeded", fmt.Sprintf("Cannot exceed quota for PoliciesPerRole: %d", maxPoliciesPerRole), 409}
}

func createRole(tx *Tx, o *Object) error {
	o.ID = o.named("name", "namePrefix")
	tx.identify(o, "role"+o.Str("path")+o.ID, "AROA")
	o.fill("inlinePolicies", []any{})
	o.fill("managedPolicyArns", []any{})
	return nil
}

// deleteRole refuses as IAM does. What the role carries by its own arguments, and its place in instance profiles, goes with
// it: the AWS provider takes that away first.
func deleteRole(tx *Tx, o *Object) error {
	force := o.Bool("forceDetachPolicies")
	for _, a := range tx.All(attachmentToken) {
		if a.Str("role") != o.ID {
			continue
		}
		if !force {
			return &Error{"DeleteConflict", fmt.Sprintf("Cannot delete entity, must detach all policies first. (%s still has %s)", o.ID, a.Str("policyArn")), 409}
		}
		tx.Remove(a)
	}
	for _, p := range tx.All(rolePolicyToken) {
		if p.Str("role") != o.ID {
			continue
		}
		if !force {
			return &Error{"DeleteConflict", fmt.Sprintf("Cannot delete entity, must delete policies first. (%s still has %s)", o.ID, p.Str("name")), 409}
		}
		tx.Remove(p)
	}
	return nil
}

func validateAttachment(tx *Tx, o, _ *Object) error {
	attached := tx.policiesOf(o.Str("role"))
	if !slices.Contains(attached, o.Str("policyArn")) && len(attached) >= maxPoliciesPerRole {
		return tooManyPolicies()
	}
	return nil
}

// policiesOf is the managed policies of a role, each once.
func (tx *Tx) policiesOf(role string) []string {
	var out []string
	for _, a := range tx.All(attachmentToken) {
		if a.Str("role") == role {
			out = append(out, a.Str("policyArn"))
		}
	}
	if r := tx.Find(roleToken, "name", role); r != nil {
		out = append(out, r.List("managedPolicyArns")...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func validateRolePolicy(_ *Tx, o, _ *Object) error { return identityPolicy(o.Str("policy")) }

func validatePolicy(tx *Tx, o, old *Object) error {
	if err := tx.unused(o, old, "A policy called %s already exists. Duplicate names are not allowed."); err != nil {
		return err
	}
	return identityPolicy(o.Str("policy"))
}

func createPolicy(tx *Tx, o *Object) error {
	tx.identify(o, "policy"+o.Str("path")+o.named("name", "namePrefix"), "ANPA")
	o.ID = o.Str("arn")
	o.Set("policyId", o.Str("uniqueId"))
	delete(o.Outputs, "uniqueId")
	delete(o.Outputs, "createDate")
	o.Set("attachmentCount", 0.0)
	return nil
}

func deletePolicy(tx *Tx, o *Object) error {
	for _, r := range tx.All(roleToken) {
		if slices.Contains(tx.policiesOf(r.ID), o.ID) {
			return &Error{"DeleteConflict", fmt.Sprintf("Cannot delete a policy attached to entities. (role %s has it)", r.ID), 409}
		}
	}
	return nil
}

func validateOIDCProvider(tx *Tx, o, old *Object) error {
	if old == nil && tx.Find(oidcProviderToken, "arn", tx.oidcARN(o)) != nil {
		url, _ := o.Inputs["url"].(string)
		return &Error{"EntityAlreadyExists", fmt.Sprintf("Provider with url %s already exists.", url), 409}
	}
	return nil
}

func (tx *Tx) oidcARN(o *Object) string {
	return tx.GlobalARN("iam", "oidc-provider/"+strings.TrimPrefix(o.Str("url"), "https://"))
}

func createOIDCProvider(tx *Tx, o *Object) error {
	o.ID = tx.oidcARN(o)
	o.Set("arn", o.ID)
	// IAM fetches the fingerprint of the top certificate itself where none is given; here it is made of the URL.
	sum := sha1.Sum([]byte(o.Str("url")))
	o.fill("thumbprintLists", []any{hex.EncodeToString(sum[:])})
	return nil
}

func getRole(tx *Tx, in Inputs) (map[string]any, error) {
	name := in.Object().Str("name")
	r := tx.Find(roleToken, "name", name)
	if r == nil {
		return nil, &Error{"NoSuchEntity", fmt.Sprintf("The role with name %s cannot be found.", name), 404}
	}
	out := map[string]any{"id": r.ID, "name": r.ID, "tags": map[string]any{}, "roleLastUseds": []any{}}
	for _, k := range []string{"arn", "assumeRolePolicy", "createDate", "description", "maxSessionDuration", "path", "permissionsBoundary", "uniqueId"} {
		out[k] = r.Get(k)
	}
	if t := r.Get("tagsAll"); t != nil {
		out["tags"] = t
	}
	return out, nil
}

// roleOf is the role with that ARN; nil where there is none.
func (tx *Tx) roleOf(arn string) *Object { return tx.Find(roleToken, "arn", arn) }
