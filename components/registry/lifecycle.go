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

// lifecyclePolicy is what expires, as JSON that ECR gives back as it was.
func (args *EcrReposArgs) lifecyclePolicy() (string, error) {
	patterns := []string{"*"}
	if len(args.ReleaseTagPrefixes) > 0 {
		patterns = nil
		for _, prefix := range args.ReleaseTagPrefixes {
			patterns = append(patterns, prefix+"*")
		}
	}
	rules := []rule{{
		RulePriority: 1,
		Description:  fmt.Sprintf("untagged images live %d days", args.ExpireUntaggedDays),
		Selection:    selection{TagStatus: "untagged", CountType: "sinceImagePushed", CountUnit: "days", CountNumber: args.ExpireUntaggedDays},
		Action:       action{Type: "expire"},
	}}
	// A rule for each pattern: an image must carry a tag for every pattern of one rule's list.
	for i, pattern := range patterns {
		rules = append(rules, rule{
			RulePriority: i + 2,
			Description:  fmt.Sprintf("the last %d releases tagged %s stay", args.KeepReleases, pattern),
			Selection:    selection{TagStatus: "tagged", TagPatternList: []string{pattern}, CountType: "imageCountMoreThan", CountNumber: args.KeepReleases},
			Action:       action{Type: "expire"},
		})
	}
	text, err := json.Marshal(policy{Rules: rules})
	return string(text), err
}
