package ci

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/slipway-iac/slipway/internal/check"
)

// maxPolicy is how long a managed policy may be, without white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
const maxPolicy = 6144

type document struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid       string                    `json:"Sid,omitempty"`
	Effect    string                    `json:"Effect"`
	Principal map[string]string         `json:"Principal,omitempty"`
	Action    any                       `json:"Action"`
	Resource  any                       `json:"Resource,omitempty"`
	Condition map[string]map[string]any `json:"Condition,omitempty"`
}

// values are what stands in place of "{…}", each one or many.
type values map[string][]string

// values of the stack in a place, with the state's.
func (args *RolesArgs) values(in place, state map[string]string) values {
	arn := func(service string) string {
		return fmt.Sprintf("arn:%s:%s:%s:%s", in.partition, service, in.region, in.account)
	}
	v := values{
		"partition": {in.partition}, "region": {in.region}, "suffix": {"amazonaws.com"}, "iam": {fmt.Sprintf("arn:%s:iam::%s", in.partition, in.account)},
		"s3": {"arn:" + in.partition + ":s3::"}, "cluster": {args.Stack.Cluster}, "role": args.Stack.RolePrefixes, "bucket": args.Stack.BucketPrefixes,
	}
	if in.partition == "aws-cn" {
		v["suffix"] = []string{"amazonaws.com.cn"}
	}
	for _, service := range []string{"acm", "autoscaling", "ec2", "eks", "elasticloadbalancing", "kms", "logs"} {
		v[service] = []string{arn(service)}
	}
	for _, r := range args.Stack.Repositories {
		v["repository"] = append(v["repository"], arn("ecr")+":repository/"+r)
	}
	for _, z := range args.Stack.HostedZoneIds {
		v["zone"] = append(v["zone"], "arn:"+in.partition+":route53:::hostedzone/"+z)
	}
	if args.PermissionsBoundaryArn != "" {
		v["boundary"] = []string{args.PermissionsBoundaryArn}
	}
	if args.Promote != nil {
		v["from"], v["to"] = args.Promote.From, args.Promote.To
	}
	for k, arn := range state {
		v[k] = []string{arn}
	}
	return v
}

// parts are those that there is a policy of.
func (args *RolesArgs) parts() []string {
	all := []string{partRead, partState, partNetwork, partCluster, partEdge, partIdentity}
	if args.Promote != nil {
		all = append(all, partPromote)
	}
	return all
}

// document is the policy of a part.
func (args *RolesArgs) document(part string, v values) (string, error) {
	d := document{Version: "2012-10-17"}
	bounded := args.PermissionsBoundaryArn != ""
	for _, r := range rights() {
		if r.part != part || r.bounded && !bounded || r.unbounded && bounded || r.optional != "" && len(v[r.optional]) == 0 {
			continue
		}
		if s, some := r.statement(v); some {
			d.Statement = append(d.Statement, s)
		}
	}
	text, err := json.Marshal(d)
	if err == nil && len(text) > maxPolicy {
		err = fmt.Errorf("the policy %q is %d characters long, IAM takes %d", part, len(text), maxPolicy)
	}
	return string(text), err
}

// statement of the right; none where there is nothing that it could be about.
func (r right) statement(v values) (statement, bool) {
	s := statement{Sid: r.sid, Effect: "Allow"}
	if r.deny {
		s.Effect = "Deny"
	}
	var actions, on []string
	for _, a := range strings.Fields(r.actions) {
		actions = append(actions, r.service+":"+a)
	}
	for _, pattern := range r.on {
		on = append(on, v.fill(pattern)...)
	}
	if len(on) == 0 {
		return statement{}, false
	}
	s.Action, s.Resource = oneOrMany(actions), oneOrMany(on)
	for operator, keys := range r.when {
		for key, patterns := range keys {
			var allowed []string
			for _, pattern := range patterns {
				allowed = append(allowed, v.fill(pattern)...)
			}
			if s.Condition == nil {
				s.Condition = map[string]map[string]any{}
			}
			if s.Condition[operator] == nil {
				s.Condition[operator] = map[string]any{}
			}
			s.Condition[operator][key] = oneOrMany(allowed)
		}
	}
	return s, true
}

var placeholder = regexp.MustCompile(`\{[A-Za-z0-9]+\}`)

// fill makes a text for each value of each placeholder in the pattern, so none where one has no value.
func (v values) fill(pattern string) []string {
	hole := placeholder.FindStringIndex(pattern)
	if hole == nil {
		return []string{pattern}
	}
	var out []string
	for _, value := range v[pattern[hole[0]+1:hole[1]-1]] {
		out = append(out, v.fill(pattern[:hole[0]]+value+pattern[hole[1]:])...)
	}
	return out
}

func oneOrMany(texts []string) any {
	if len(texts) == 1 {
		return texts[0]
	}
	return texts
}

// checkSizes finds policies that would be too long, with names as long as those of the state can be: no preview knows these.
func (args *RolesArgs) checkSizes(p *check.Problems) {
	longest := place{"aws-us-gov", strings.Repeat("1", 12), "ap-northeast-1"}
	key := "arn:aws-us-gov:kms:ap-northeast-1:111111111111:key/mrk-" + strings.Repeat("0", 32)
	v := args.values(longest, map[string]string{"stateBucket": "arn:aws-us-gov:s3:::" + strings.Repeat("b", 63), "secretsKey": key, "stateKey": key})
	for _, part := range args.parts() {
		if _, err := args.document(part, v); err != nil {
			p.Addf("stack", "names too much: %s; longer and fewer prefixes make it shorter, and another set of Roles takes the rest", err)
		}
	}
}
