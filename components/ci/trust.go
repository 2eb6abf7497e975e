package ci

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

const (
	// issuer is where GitHub's tokens come from, and how IAM names their claims.
	issuer = "token.actions.githubusercontent.com"
	// audience is whom a token is for; aws-actions/configure-aws-credentials asks for this one.
	audience = "sts.amazonaws.com"
)

// claims are what a token has to say, word for word, for a role to be given to its job. STS compares aud and sub, and since January
// 2026 some claims of GitHub alone, among them ref, job_workflow_ref and repository_id, but not repository_owner_id
// (https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims).
type claims map[string][]string

// claims of a job whose token's subject ends with context, on the branch and of the workflow, where these are given. The subject of
// a job with an environment does not name its branch, so ref does.
func (args *RolesArgs) claims(context, branch, workflow string) claims {
	c := claims{"aud": {audience}, "sub": {"repo:" + args.Repository + ":" + context}}
	if args.RepositoryID != 0 {
		owner, name, _ := strings.Cut(args.Repository, "/")
		c["sub"] = append(c["sub"], fmt.Sprintf("repo:%s@%d/%s@%d:%s", owner, args.OwnerID, name, args.RepositoryID, context))
		c["repository_id"] = []string{strconv.Itoa(args.RepositoryID)}
	}
	if branch != "" {
		c["ref"] = []string{"refs/heads/" + branch}
	}
	if workflow != "" {
		c["job_workflow_ref"] = []string{args.Repository + "/.github/workflows/" + workflow + "@refs/heads/" + branch}
	}
	return c
}

// document is the trust policy of a role for tokens of the provider.
func (c claims) document(providerArn string) (string, error) {
	equals := map[string]any{}
	for claim, values := range c {
		equals[issuer+":"+claim] = oneOrMany(values)
	}
	text, err := json.Marshal(document{Version: "2012-10-17", Statement: []statement{{
		Effect: "Allow", Principal: map[string]string{"Federated": providerArn}, Action: "sts:AssumeRoleWithWebIdentity",
		Condition: map[string]map[string]any{"StringEquals": equals},
	}}})
	return string(text), err
}
