package command

import (
	"testing"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

func TestActionTable(t *testing.T) {
	got := actionTable([]aws.Asked{
		{Action: "kms:ListAliases", Resource: "*", Type: "aws:kms/alias:Alias", Op: "read"},
		{Action: "kms:CreateAlias", Resource: "arn:a", Type: "aws:kms/alias:Alias", Op: "create"},
		{Action: "kms:CreateAlias", Resource: "arn:k", Type: "aws:kms/alias:Alias", Op: "create"},
		{Action: "kms:ListAliases", Resource: "*", Type: "aws:kms/alias:Alias", Op: "create"},
	})
	want := "kms:CreateAlias     2  aws:kms/alias:Alias create\nkms:ListAliases     1  aws:kms/alias:Alias read, aws:kms/alias:Alias create\n"
	if got != want {
		t.Errorf("it says\n%swant\n%s", got, want)
	}
	if got := actionTable(nil); got != "Nothing was asked for yet.\n" {
		t.Errorf("of nothing it says %q", got)
	}
}
