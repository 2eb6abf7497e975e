package registry

import (
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html and image-push-iam.html; what scans found
// is read before an image is promoted to another account.
var (
	pullActions = []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImageScanFindings", "ecr:GetDownloadUrlForLayer"}
	pushActions = []string{
		"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload",
		"ecr:PutImage", "ecr:UploadLayerPart",
	}
)

type statement struct {
	Sid       string              `json:"Sid"`
	Effect    string              `json:"Effect"`
	Principal map[string][]string `json:"Principal"`
	Action    []string            `json:"Action"`
}

// access is the policy of a repository that others may use.
func (r Repository) access() pulumi.StringOutput {
	return pulumi.All(pulumi.StringArray(r.PullFrom), pulumi.StringArray(r.PushFrom)).ApplyT(func(all []any) (string, error) {
		var statements []statement
		for i, s := range []statement{{Sid: "Pull", Action: pullActions}, {Sid: "Push", Action: pushActions}} {
			if who := all[i].([]string); len(who) > 0 {
				s.Effect, s.Principal = "Allow", map[string][]string{"AWS": who}
				statements = append(statements, s)
			}
		}
		text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
		return string(text), err
	}).(pulumi.StringOutput)
}
