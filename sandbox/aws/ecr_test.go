package aws

import (
	"fmt"
	"strings"
	"testing"
)

// expireUntagged is a lifecycle policy of one rule.
func expireUntagged(priority int, status string, days int) string {
	return fmt.Sprintf(`{"rules":[{"rulePriority":%d,"selection":{"tagStatus":%q,"countType":"sinceImagePushed","countUnit":"days","countNumber":%d},"action":{"type":"expire"}}]}`,
		priority, status, days)
}

func TestEcrRefusals(t *testing.T) {
	w := newRegistry(t)
	w.refuses([]refusal{
		{"repository", object{"name": "Frontend"}, `name is "Frontend", must be lower-case letters`},
		{"repository", object{"name": "a"}, "must have 2 to 256"},
		{"repository", object{"name": w.id("repository")}, "api error RepositoryAlreadyExistsException: The repository with name '" + w.id("repository") + "' already exists in the registry with id '123456789012'"},
		{"repository", object{"imageTagMutability": "FROZEN"}, "must be one of MUTABLE, IMMUTABLE"},
		{"repository", object{"imageScanningConfiguration": object{}}, "imageScanningConfiguration.scanOnPush is required"},
		{"repository", object{"encryptionConfigurations": list(object{"encryptionType": "KMS", "kmsKey": "arn:aws:kms:us-west-2:123456789012:key/none"})}, "NotFoundException"},
		{"repository", object{"encryptionConfigurations": list(object{"kmsKey": "k"})}, "is not taken where encryptionType is AES256"},
		{"lifecycle", object{"repository": "none"}, "RepositoryNotFoundException"},
		{"lifecycle", nil, "has a policy of this kind already"},
		{"lifecycle", object{"policy": "{"}, "must be JSON"},
		{"lifecycle", object{"policy": `{"rules":[]}`}, "must have 1 to 50"},
		{"lifecycle", object{"policy": `{"rules":[],"rule":1}`}, `unknown field "rule"`},
		{"lifecycle", object{"policy": expireUntagged(0, "untagged", 7)}, "rules[0].rulePriority is 0"},
		{"lifecycle", object{"policy": expireUntagged(1, "tagged", 7)}, "rules[0].selection needs tagPrefixList or tagPatternList"},
		{"lifecycle", object{"policy": expireUntagged(1, "old", 7)}, "tagStatus is \"old\", must be one of tagged, untagged, any"},
		{"lifecycle", object{"policy": expireUntagged(1, "untagged", 0)}, "countNumber is 0, must be at least 1"},
		{"lifecycle", object{"policy": strings.Replace(expireUntagged(1, "untagged", 7), "days", "weeks", 1)}, "countUnit is \"weeks\", must be days"},
		{"lifecycle", object{"policy": strings.Replace(expireUntagged(1, "untagged", 7), "sinceImagePushed", "imageCountMoreThan", 1)}, "countUnit is not taken where countType is imageCountMoreThan"},
		{"lifecycle", object{"policy": strings.Replace(expireUntagged(1, "untagged", 7), "sinceImagePushed", "age", 1)}, "countType is \"age\""},
		{"lifecycle", object{"policy": strings.Replace(expireUntagged(1, "untagged", 7), "expire", "archive", 1)}, "action.type is \"archive\", must be expire"},
		{"lifecycle", object{"policy": object{"rules": list(
			object{"rulePriority": 1.0, "selection": object{"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5.0}, "action": object{"type": "expire"}},
			object{"rulePriority": 2.0, "selection": object{"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5.0}, "action": object{"type": "expire"}},
		)}}, "the rule with tagStatus any must have the highest number"},
		{"repositoryPolicy", object{"policy": `{"Statement":[]}`}, "at least one Statement"},
		{"repositoryPolicy", object{"policy": `{"Statement":[{"Effect":"Permit"}]}`}, "must be Allow or Deny"},
		{"scanning", nil, "has one already, and a second would replace it"},
		{"scanning", object{"scanType": "DEEP"}, "must be one of BASIC, ENHANCED"},
		{"scanning", object{"scanType": "BASIC"}, "which scanType BASIC does not have"},
		{"replication", nil, "has one already, and a second would replace it"},
		{"replication", object{"replicationConfiguration": object{"rules": list(object{"destinations": list(object{"region": "mars", "registryId": "210987654321"})})}}, "must be a region"},
		{"replication", object{"replicationConfiguration": object{"rules": list(object{"destinations": list(object{"region": "eu-west-1"})})}}, "registryId is required"},
		{"pullThrough", nil, "PullThroughCacheRuleAlreadyExistsException"},
		{"pullThrough", object{"ecrRepositoryPrefix": "K8s"}, "must be the beginning of a repository's name"},
		{"pullThrough", object{"upstreamRegistryUrl": "example.com"}, "UnsupportedUpstreamRegistryException"},
		{"pullThrough", object{"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io"}, "credentialArn is required for this upstream registry"},
		{"pullThrough", object{"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "ghcr.io", "credentialArn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:hub"}, "must be the ARN of a secret called ecr-pullthroughcache/"},
	})
}

func TestEcrRevisions(t *testing.T) {
	w := newRegistry(t)
	w.revises([]revision{
		{"repository", object{"imageTagMutability": "MUTABLE"}, nil},
		{"repository", object{"encryptionConfigurations": list(object{"encryptionType": "KMS"})}, []string{"encryptionConfigurations"}},
		{"repository", object{"name": "other"}, []string{"name"}},
		{"lifecycle", object{"policy": expireUntagged(1, "untagged", 14)}, nil},
		{"lifecycle", object{"repository": "other"}, []string{"repository"}},
		{"scanning", object{"scanType": "BASIC", "rules": nil}, nil},
		{"pullThrough", object{"upstreamRegistryUrl": "quay.io"}, []string{"upstreamRegistryUrl"}},
		{"pullThrough", object{"ecrRepositoryPrefix": "other"}, []string{"ecrRepositoryPrefix"}},
	})
	if diffs, _ := w.diff(w.by["lifecycle"], object{"repository": w.id("repository"), "policy": " " + expireUntagged(1, "untagged", 14)}); len(diffs) > 0 {
		t.Errorf("blanks in a policy are a change: %q", diffs)
	}
}

func TestRepositoryNameIsLowerCaseAndItsAddressFollows(t *testing.T) {
	h := newHarness(t)
	m := h.create(repositoryToken, "Images", object{})
	if !strings.HasPrefix(m.ID, "images-") || m.Out["repositoryUrl"] != "123456789012.dkr.ecr.us-west-2.amazonaws.com/"+m.ID {
		t.Errorf("%s at %v", m.ID, m.Out["repositoryUrl"])
	}
}

func TestRepositoryWithImages(t *testing.T) {
	w := newRegistry(t)
	push := func() error {
		return w.p.account.Do("us-west-2", func(tx *Tx) error { return tx.PushImage(w.id("repository"), "v1", "sha256:1") })
	}
	if err := push(); err != nil {
		t.Fatal(err)
	}
	if err := push(); err == nil || !strings.Contains(err.Error(), "ImageTagAlreadyExistsException") {
		t.Errorf("an immutable tag was pushed again: %v", err)
	}
	w.keeps("repository", "RepositoryNotEmptyException")
	w.revises([]revision{{"repository", object{"forceDelete": true}, nil}})
	if refused := w.delete(w.by["repository"]); refused != "" {
		t.Error(refused)
	}
	w.create(repositoryToken, "again", object{"name": w.out("repository", "name")})
	if refused := w.delete(w.create(repositoryToken, "empty", object{"name": "empty"})); refused != "" {
		t.Error(refused)
	}
}

func TestAnImageHasAllItsTags(t *testing.T) {
	w := newRegistry(t)
	repository := w.id("repository")
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
		for tag, digest := range map[string]string{"v1": "sha256:1", "production-v1": "sha256:1", "v2": "sha256:2", "": "sha256:3"} {
			if err := tx.PushImage(repository, tag, digest); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	const token = "aws:ecr/getImage:getImage"
	for _, by := range []object{{"imageTag": "v1"}, {"imageDigest": "sha256:1"}} {
		by["repositoryName"] = repository
		got, refused := w.invoke(token, by)
		if refused != "" || fmt.Sprintf("%v %v", got["imageTags"], got["imageDigest"]) != "[production-v1 v1] sha256:1" {
			t.Errorf("%v: %v %s", by, got, refused)
		}
	}
	if got, refused := w.invoke(token, object{"repositoryName": repository, "imageDigest": "sha256:3"}); refused != "" || len(got["imageTags"].([]any)) > 0 {
		t.Errorf("without a tag: %v %s", got, refused)
	}
	for refusal, in := range map[string]object{
		"ImageNotFoundException":      {"repositoryName": repository, "imageTag": "v3"},
		"RepositoryNotFoundException": {"repositoryName": "nowhere", "imageTag": "v1"},
		"neither is given":            {"repositoryName": repository},
	} {
		if _, refused := w.invoke(token, in); !strings.Contains(refused, refusal) {
			t.Errorf("%v: %q, want %s", in, refused, refusal)
		}
	}
}
