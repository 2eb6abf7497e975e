package eks

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// serviceRole is a role for an AWS service, with policies that AWS keeps.
func (b *build) serviceRole(name, service, description string, tags pulumi.StringMapInput, policies ...string) (*serviceRole, error) {
	var partition struct {
		Partition string `pulumi:"partition"`
	}
	if err := b.ctx.Invoke("aws:index/getPartition:getPartition", &struct{}{}, &partition, pulumi.Parent(b.self), pulumi.Version(awsVersion)); err != nil {
		return nil, fmt.Errorf("the partition of AWS: %w", err)
	}
	s := &serviceRole{role: &role{}}
	if err := b.ctx.RegisterComponentResource("eks:index:ServiceRole", name, s, pulumi.Parent(b.self)); err != nil {
		return nil, fmt.Errorf("eks:index:ServiceRole %q: %w", name, err)
	}
	trust, err := json.Marshal(trustPolicy{"2012-10-17", []trustStatement{{
		Action: []string{"sts:AssumeRole", "sts:TagSession"}, Effect: "Allow", Principal: map[string][]string{"Service": {service}},
	}}})
	if err != nil {
		return nil, err
	}
	props := pulumi.Map{"description": pulumi.String(description), "assumeRolePolicy": pulumi.String(trust)}
	if tags != nil {
		props["tags"] = tags
	}
	if err := b.aws("aws:iam/role:Role", name+"-role", props, s.role, pulumi.Parent(s)); err != nil {
		return nil, err
	}
	for _, p := range policies {
		// The name is made of the ARN in the common partition, wherever the stack runs.
		a := &other{}
		if err := b.aws("aws:iam/rolePolicyAttachment:RolePolicyAttachment", name+"-"+shortHash("arn:aws:iam::aws:policy/"+p), pulumi.Map{
			"policyArn": pulumi.String("arn:" + partition.Partition + ":iam::aws:policy/" + p), "role": s.role.Name,
		}, a, pulumi.Parent(s)); err != nil {
			return nil, err
		}
		s.attachments = append(s.attachments, a)
	}
	reference := pulumi.NewResourceOutput(s.role)
	return s, b.ctx.RegisterResourceOutputs(s, pulumi.Map{"resolvedRole": reference, "directRole": reference})
}

type trustPolicy struct {
	Version   string
	Statement []trustStatement
}

type trustStatement struct {
	Action    []string
	Effect    string
	Principal map[string][]string
}

// shortHash is the first eight digits of a text's SHA-1, as the real plugin names attachments.
func shortHash(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])[:8]
}
