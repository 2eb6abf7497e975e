package registry

import (
	"encoding/json"
	"fmt"
)

// The document that PutLifecyclePolicy takes: https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html.
type policy struct {
	Rules []rule `json:"rules"`
}

type rule struct {
	RulePriority int       `json:"rulePriority"`
	Description  string    `json:"description"`
	Selection    selection `json:"selection"`
	Action       action    `json:"action"`
}

type selection struct {
	TagStatus      string   `json:"tagStatus"`
	TagPatternList []string `json:"tagPatternList,omitempty"`
	CountType      string   `json:"countType"`
	CountUnit      string   `json:"countUnit,omitempty"`
	CountNumber    int      `json:"countNumber"`
}

type action struct {
	Type string `json:"type"`
}

// maxRules is ECR's quota of rules in one lifecycle policy.
const maxRules = 50

// attachedTags are what cosign gives to signatures and attestations; they would count as releases, and expire before their image.
const attachedTags = "sha256-*"

// document is the policy as JSON that ECR gives back as it was.
func (p policy) document() (string, error) {
	text, err := json.Marshal(p)
	return string(text), err
}

// add appends a rule, which comes after those that are there: an image that a rule selects by its tags is not expired by a later one.
func (p *policy) add(description string, s selection) {
	p.Rules = append(p.Rules, rule{RulePriority: len(p.Rules) + 1, Description: description, Selection: s, Action: action{Type: "expire"}})
}

// A rule for each pattern: an image must carry a tag for every pattern of one rule's list.
func (p *policy) keep(number int, what, pattern string) {
	p.add(fmt.Sprintf("the last %d %s tagged %s stay", number, what, pattern),
		selection{TagStatus: "tagged", TagPatternList: []string{pattern}, CountType: "imageCountMoreThan", CountNumber: number})
}

func (p *policy) expire(days int, what, status string, patterns ...string) {
	p.add(fmt.Sprintf("%s live %d days", what, days),
		selection{TagStatus: status, TagPatternList: patterns, CountType: "sinceImagePushed", CountUnit: "days", CountNumber: days})
}

// rules are what expires in a repository. What an environment runs comes first, so that nothing after it can expire that, and
// branches last, so that an image of one that became a release stays as such.
func (args EcrReposArgs) rules(r Repository) (p policy) {
	for _, environment := range args.Environments {
		p.keep(args.KeepPromoted, "images", environment+"-*")
	}
	if len(args.Environments) > 0 {
		p.keep(args.KeepPromoted, "signatures", attachedTags)
	}
	p.expire(r.ExpireUntaggedDays, "untagged images", "untagged")
	if len(r.ReleaseTagPrefixes) == 0 {
		p.keep(r.KeepReleases, "releases", "*")
	}
	for _, prefix := range r.ReleaseTagPrefixes {
		p.keep(r.KeepReleases, "releases", prefix+"*")
	}
	for _, prefix := range r.BranchTagPrefixes {
		p.expire(r.ExpireBranchDays, "images tagged "+prefix+"*", "tagged", prefix+"*")
	}
	return p
}
