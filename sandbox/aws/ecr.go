package aws

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	repositoryToken       = "aws:ecr/repository:Repository"
	lifecyclePolicyToken  = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
	repositoryPolicyToken = "aws:ecr/repositoryPolicy:RepositoryPolicy"
)

// repositoryName is the pattern of ECR's API reference for repositoryName.
const repositoryName = `^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`

var (
	keyRef = &Ref{
		Types: []string{"aws:kms/key:Key", "aws:kms/alias:Alias"}, By: "arn", Code: "NotFoundException", Message: "Key '%s' does not exist", Holds: false,
		Outside: func(v string) bool { return !strings.HasPrefix(v, "arn:") },
	}
	repositoryRef = &Ref{
		Types: []string{repositoryToken}, By: "name", Code: "RepositoryNotFoundException",
		Message: "The repository with name '%s' does not exist in the registry with id '" + AccountID + "'",
	}
)

func init() {
	attached := func(token, label string, ops Ops, check func(in Inputs) []Problem) *Type {
		return &Type{
			Token: token, Label: label, Service: "ECR", Ops: ops,
			Props:   map[string]Prop{"policy": {Kind: JSON, Required: true, Max: 30720, Min: 1}, "repository": text.must().fixed().to(repositoryRef)},
			Outputs: []string{"registryId"}, Check: check,
			Validate: func(tx *Tx, o, old *Object) error {
				if old == nil && tx.Find(token, "id", o.Str("repository")) != nil {
					return Errorf("InvalidParameterException", "the repository %s has a policy of this kind already, and a second would replace it", o.Str("repository"))
				}
				return nil
			},
			Create: func(_ *Tx, o *Object) error {
				o.ID = o.Str("repository")
				o.Set("registryId", AccountID)
				return nil
			},
		}
	}
	register(
		&Type{
			Token: repositoryToken, Label: "ECR Repository", Service: "ECR",
			Ops:      Ops{"CreateRepository", "PutImageTagMutability", "DeleteRepository"},
			AutoName: &AutoName{Prop: "name", Max: 256, Lower: true},
			Props: map[string]Prop{
				"encryptionConfigurations": listOf(fields(map[string]Prop{
					"encryptionType": text.or("AES256").in("AES256", "KMS", "KMS_DSSE").fixed(), "kmsKey": text.filled().fixed().to(keyRef),
				})).fixed().within(0, 1),
				"forceDelete":                flag,
				"imageScanningConfiguration": fields(map[string]Prop{"scanOnPush": flag.must()}),
				"imageTagMutability":         text.or("MUTABLE").in("MUTABLE", "IMMUTABLE"),
				"name": text.filled().fixed().within(2, 256).
					like(repositoryName, "lower-case letters and digits, with single . _ - between them and / between parts (InvalidParameterException)"),
				"tags": tagMap,
			},
			Outputs: []string{"arn", "registryId", "repositoryUrl"},
			Check: func(in Inputs) []Problem {
				for _, e := range objects(in.Values["encryptionConfigurations"]) {
					if e["kmsKey"] != nil && e["encryptionType"] == "AES256" {
						return []Problem{{"encryptionConfigurations[0].kmsKey", "is not taken where encryptionType is AES256"}}
					}
				}
				return nil
			},
			Validate: func(tx *Tx, o, old *Object) error {
				if old == nil && tx.Find(repositoryToken, "name", o.Str("name")) != nil {
					return Errorf("RepositoryAlreadyExistsException", "The repository with name '%s' already exists in the registry with id '%s'", o.Str("name"), AccountID)
				}
				return nil
			},
			Create: func(tx *Tx, o *Object) error {
				o.ID = o.Str("name")
				o.Set("arn", tx.ARN("ecr", "repository/"+o.ID))
				o.Set("registryId", AccountID)
				o.Set("repositoryUrl", registryHost(tx)+"/"+o.ID)
				return nil
			},
			Delete: func(tx *Tx, o *Object) error {
				images := func(i *Object) bool { return i.Str("repository") == o.ID }
				if !o.Bool("forceDelete") && slices.ContainsFunc(tx.All(imageToken), images) {
					return Errorf("RepositoryNotEmptyException", "The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", o.ID, AccountID)
				}
				for _, token := range []string{imageToken, lifecyclePolicyToken, repositoryPolicyToken} {
					tx.removeWhere(token, images)
				}
				return nil
			},
		},
		attached(lifecyclePolicyToken, "ECR Lifecycle Policy", Ops{"PutLifecyclePolicy", "PutLifecyclePolicy", "DeleteLifecyclePolicy"}, checkLifecyclePolicy),
		attached(repositoryPolicyToken, "ECR Repository Policy", Ops{"SetRepositoryPolicy", "SetRepositoryPolicy", "DeleteRepositoryPolicy"}, checkRepositoryPolicy),
	)
	registerFunctions(&Function{
		Token: "aws:ecr/getAuthorizationToken:getAuthorizationToken", Props: map[string]Prop{"registryId": text},
		Call: func(tx *Tx, _ Inputs) (map[string]any, error) {
			password := Hex(32)
			return map[string]any{
				"id": tx.Region, "userName": "AWS", "password": password, "proxyEndpoint": "https://" + registryHost(tx),
				"authorizationToken": base64.StdEncoding.EncodeToString([]byte("AWS:" + password)),
				"expiresAt":          time.Now().UTC().Add(12 * time.Hour).Format(time.RFC3339),
			}, nil
		},
	})
}

func registryHost(tx *Tx) string { return AccountID + ".dkr.ecr." + tx.Region + ".amazonaws.com" }

// lifecyclePolicy is the document of ECR's user guide, "Lifecycle policy properties".
type lifecyclePolicy struct {
	Rules []struct {
		Priority    int    `json:"rulePriority"`
		Description string `json:"description"`
		Selection   struct {
			TagStatus      string   `json:"tagStatus"`
			TagPrefixList  []string `json:"tagPrefixList"`
			TagPatternList []string `json:"tagPatternList"`
			CountType      string   `json:"countType"`
			CountUnit      string   `json:"countUnit"`
			CountNumber    int      `json:"countNumber"`
		} `json:"selection"`
		Action struct {
			Type string `json:"type"`
		} `json:"action"`
	} `json:"rules"`
}

func checkLifecyclePolicy(in Inputs) []Problem {
	doc := in.Object().Str("policy")
	if !in.Known("policy") || !json.Valid([]byte(doc)) {
		return nil
	}
	var out []Problem
	addf := func(format string, a ...any) {
		out = append(out, Problem{"policy", "failed to satisfy constraint: 'Lifecycle policy validation failure: " + fmt.Sprintf(format, a...) + "' (InvalidParameterException)"})
	}
	var p lifecyclePolicy
	d := json.NewDecoder(strings.NewReader(doc))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		addf("%s", strings.TrimPrefix(err.Error(), "json: "))
		return out
	}
	if len(p.Rules) == 0 || len(p.Rules) > 50 {
		addf("rules has %d elements, must have 1 to 50", len(p.Rules))
	}
	seen, highest, untagged := map[int]bool{}, 0, 0
	for _, r := range p.Rules {
		highest = max(highest, r.Priority)
	}
	for i, r := range p.Rules {
		s := r.Selection
		if r.Priority < 1 || seen[r.Priority] {
			addf("rules[%d].rulePriority is %d, must be at least 1 and used once", i, r.Priority)
		}
		seen[r.Priority] = true
		switch s.TagStatus {
		case "tagged":
			if (len(s.TagPrefixList) == 0) == (len(s.TagPatternList) == 0) {
				addf("rules[%d].selection needs tagPrefixList or tagPatternList, one of them, where tagStatus is tagged", i)
			}
		case "untagged", "any":
			if len(s.TagPrefixList)+len(s.TagPatternList) > 0 {
				addf("rules[%d].selection takes no tagPrefixList or tagPatternList where tagStatus is %s", i, s.TagStatus)
			}
			if s.TagStatus == "any" && r.Priority != highest {
				addf("rules[%d].rulePriority is %d: the rule with tagStatus any must have the highest number", i, r.Priority)
			}
			if s.TagStatus == "untagged" {
				if untagged++; untagged > 1 {
					addf("rules[%d].selection.tagStatus: only one rule may have untagged", i)
				}
			}
		default:
			addf("rules[%d].selection.tagStatus is %q, must be one of tagged, untagged, any", i, s.TagStatus)
		}
		switch {
		case s.CountType == "imageCountMoreThan" && s.CountUnit != "":
			addf("rules[%d].selection.countUnit is not taken where countType is imageCountMoreThan", i)
		case s.CountType == "sinceImagePushed" && s.CountUnit != "days":
			addf("rules[%d].selection.countUnit is %q, must be days where countType is sinceImagePushed", i, s.CountUnit)
		case s.CountType != "imageCountMoreThan" && s.CountType != "sinceImagePushed":
			addf("rules[%d].selection.countType is %q, must be one of imageCountMoreThan, sinceImagePushed", i, s.CountType)
		}
		if s.CountNumber < 1 {
			addf("rules[%d].selection.countNumber is %d, must be at least 1", i, s.CountNumber)
		}
		if r.Action.Type != "expire" {
			addf("rules[%d].action.type is %q, must be expire", i, r.Action.Type)
		}
	}
	return out
}

func checkRepositoryPolicy(in Inputs) []Problem {
	doc := in.Object().Str("policy")
	if !in.Known("policy") || !json.Valid([]byte(doc)) {
		return nil
	}
	var p struct {
		Statement []struct{ Effect string }
	}
	if err := json.Unmarshal([]byte(doc), &p); err != nil || len(p.Statement) == 0 {
		return []Problem{{"policy", "must be a policy document with at least one Statement (InvalidParameterException)"}}
	}
	for i, s := range p.Statement {
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return []Problem{{"policy", fmt.Sprintf("Statement[%d].Effect is %q, must be Allow or Deny (InvalidParameterException)", i, s.Effect)}}
		}
	}
	return nil
}
