package aws

import (
	"fmt"
	"slices"
	"strings"
)

const (
	scanningToken    = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
	replicationToken = "aws:ecr/replicationConfiguration:ReplicationConfiguration"
	pullThroughToken = "aws:ecr/pullThroughCacheRule:PullThroughCacheRule"
)

// The registries of https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html; those that are closed take credentials.
var upstreams = map[string]bool{
	"public.ecr.aws": false, "quay.io": false, "registry.k8s.io": false, "ghcr.io": true, "registry-1.docker.io": true, "registry.gitlab.com": true,
}

func init() {
	// AWS has one of each in a region: a second would replace the first without a word, so it is refused here.
	once := func(token, label string, ops Ops, props map[string]Prop, check func(Inputs) []Problem) *Type {
		return &Type{
			Token: token, Label: label, Service: "ECR", Ops: ops, Props: props, Outputs: []string{"registryId"}, Check: check,
			Validate: func(tx *Tx, _, old *Object) error {
				if old == nil && len(tx.All(token)) > 0 {
					return Errorf("InvalidParameterException", "the registry %s has one already, and a second would replace it", AccountID)
				}
				return nil
			},
			Create: func(_ *Tx, o *Object) error {
				o.ID = AccountID
				o.Set("registryId", AccountID)
				return nil
			},
		}
	}
	filterOf := func(pattern string, kinds ...string) Prop {
		return listOf(fields(map[string]Prop{"filter": text.must().within(1, 256).like(pattern, "part of repositories' names"), "filterType": text.must().in(kinds...)}))
	}
	register(
		once(scanningToken, "ECR Registry Scanning Configuration", Ops{"PutRegistryScanningConfiguration", "PutRegistryScanningConfiguration", "PutRegistryScanningConfiguration"}, map[string]Prop{
			"scanType": text.must().in("BASIC", "ENHANCED"),
			"rules": listOf(fields(map[string]Prop{
				"scanFrequency": text.must().in("SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"), "repositoryFilters": filterOf(`^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$`, "WILDCARD").must().within(1, 100),
			})).within(0, 2),
		}, func(in Inputs) []Problem {
			for i, r := range objects(in.Values["rules"]) {
				if in.Object().Str("scanType") == "BASIC" && r["scanFrequency"] == "CONTINUOUS_SCAN" {
					return []Problem{{fmt.Sprintf("rules[%d].scanFrequency", i), "is CONTINUOUS_SCAN, which scanType BASIC does not have (InvalidParameterException)"}}
				}
			}
			return nil
		}),
		once(replicationToken, "ECR Replication Configuration", Ops{"PutReplicationConfiguration", "PutReplicationConfiguration", "PutReplicationConfiguration"}, map[string]Prop{
			"replicationConfiguration": fields(map[string]Prop{"rules": listOf(fields(map[string]Prop{
				"destinations": listOf(fields(map[string]Prop{
					"region": text.must().like(`^[a-z]{2}(-[a-z]+)+-[0-9]$`, "a region"), "registryId": text.must().like(`^[0-9]{12}$`, "12 digits"),
				})).must().within(1, 25),
				"repositoryFilters": filterOf(`^(?:[a-z0-9]+(?:[._-][a-z0-9]*)*/)*[a-z0-9]*(?:[._-][a-z0-9]*)*$`, "PREFIX_MATCH").within(1, 100),
			})).must().within(1, 10)}),
		}, nil),
		&Type{
			Token: pullThroughToken, Label: "ECR Pull Through Cache Rule", Service: "ECR",
			Ops: Ops{"CreatePullThroughCacheRule", "UpdatePullThroughCacheRule", "DeletePullThroughCacheRule"},
			Props: map[string]Prop{
				"credentialArn": text.like(`^arn:aws:secretsmanager:[a-zA-Z0-9:-]+:secret:ecr-pullthroughcache/[a-zA-Z0-9/_+=.@-]+$`, "the ARN of a secret called ecr-pullthroughcache/…"),
				"customRoleArn": text, "upstreamRepositoryPrefix": text.filled().fixed(),
				"ecrRepositoryPrefix": text.must().fixed().within(2, 30).like(repositoryName[:len(repositoryName)-1]+`/?$`, "the beginning of a repository's name (InvalidParameterException)"),
				"upstreamRegistryUrl": text.must().fixed(),
			},
			Outputs: []string{"registryId"},
			Check: func(in Inputs) []Problem {
				o := in.Object()
				closed, known := upstreams[o.Str("upstreamRegistryUrl")]
				azure := strings.HasSuffix(o.Str("upstreamRegistryUrl"), ".azurecr.io")
				switch {
				case !in.Known("upstreamRegistryUrl") || strings.Contains(o.Str("upstreamRegistryUrl"), ".dkr.ecr."):
				case !known && !azure:
					return []Problem{{"upstreamRegistryUrl", "is not a supported upstream registry (UnsupportedUpstreamRegistryException)"}}
				case (closed || azure) && !in.Has("credentialArn"):
					return []Problem{{"credentialArn", "is required for this upstream registry (InvalidParameterException)"}}
				}
				return nil
			},
			Validate: func(tx *Tx, o, old *Object) error {
				if prefix := o.Str("ecrRepositoryPrefix"); old == nil && tx.Find(pullThroughToken, "ecrRepositoryPrefix", prefix) != nil {
					return Errorf("PullThroughCacheRuleAlreadyExistsException", "The pull through cache rule with prefix '%s' already exists in the registry with id '%s'", prefix, AccountID)
				}
				return nil
			},
			Create: func(_ *Tx, o *Object) error {
				o.ID = o.Str("ecrRepositoryPrefix")
				o.fill("upstreamRepositoryPrefix", "ROOT")
				o.Set("registryId", AccountID)
				return nil
			},
		},
	)
	registerFunctions(&Function{
		Token: "aws:ecr/getImage:getImage",
		Props: map[string]Prop{"imageDigest": text, "imageTag": text, "mostRecent": flag, "registryId": text, "repositoryName": text.must()},
		Call:  getImage,
	})
}

// getImage is the image by tag or digest, with all its tags.
func getImage(tx *Tx, in Inputs) (map[string]any, error) {
	o := in.Object()
	repository, tag, digest := o.Str("repositoryName"), o.Str("imageTag"), o.Str("imageDigest")
	r, err := tx.repository(repository)
	if err != nil {
		return nil, err
	}
	if tag == "" && digest == "" {
		return nil, Errorf("InvalidParameterException", "the sandbox looks an image up by imageTag or imageDigest; neither is given")
	}
	var tags []string
	found := ""
	for _, i := range tx.imagesIn(repository) {
		if (tag == "" || i.Str("tag") == tag) && (digest == "" || i.Str("digest") == digest) {
			found = i.Str("digest")
		}
	}
	for _, i := range tx.imagesIn(repository) {
		if i.Str("digest") == found && i.Str("tag") != "" {
			tags = append(tags, i.Str("tag"))
		}
	}
	if found == "" {
		return nil, Errorf("ImageNotFoundException", "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'", digest, tag, repository, AccountID)
	}
	slices.Sort(tags)
	return map[string]any{
		"id": found, "imageDigest": found, "imageTags": anys(tags), "imageUri": AccountID + ".dkr.ecr." + r.Region + ".amazonaws.com/" + repository + "@" + found,
		"registryId": AccountID, "repositoryName": repository, "imagePushedAt": 0.0, "imageSizeInBytes": 0.0,
	}, nil
}
