package cluster

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func TestCreatorIsNoAdmin(t *testing.T) {
	for _, access := range []pulumi.Input{nil, pulumi.Map{
		"authenticationMode": pulumi.String("API"), "bootstrapClusterCreatorAdminPermissions": pulumi.Bool(true),
	}} {
		got := withoutCreatorAsAdmin(t.Context(), &pulumi.ResourceTransformArgs{
			Type:  "aws:eks/cluster:Cluster",
			Props: pulumi.Map{"name": pulumi.String("c"), "accessConfig": access},
			Opts:  pulumi.ResourceOptions{Protect: true},
		})
		set := got.Props["accessConfig"].(pulumi.Map)
		if set["authenticationMode"] != pulumi.String("API") || set["bootstrapClusterCreatorAdminPermissions"] != pulumi.Bool(false) {
			t.Errorf("from %v: access is %v", access, set)
		}
		if got.Props["name"] != pulumi.String("c") || !got.Opts.Protect {
			t.Errorf("the rest is lost: %+v", got)
		}
	}
	if got := withoutCreatorAsAdmin(t.Context(), &pulumi.ResourceTransformArgs{Type: "aws:iam/role:Role"}); got != nil {
		t.Errorf("a role is changed: %+v", got)
	}
}

func TestProcessor(t *testing.T) {
	for typ, want := range map[string]string{
		"m5.large": "x86_64", "c6gn.2xlarge": "ARM_64", "im4gn.large": "ARM_64", "a1.large": "ARM_64", "m6id.metal": "x86_64", "is4gen.medium": "ARM_64",
		"x2iedn.xlarge": "x86_64", "t4g.small": "ARM_64", "r7iz.metal-16xl": "x86_64", "u7i-12tb.224xlarge": "x86_64", "hpc7g.16xlarge": "ARM_64",
		"c7i-flex.large": "x86_64", "m8g.48xlarge": "ARM_64",
	} {
		if !instanceType.MatchString(typ) {
			t.Errorf("%s is not taken for an instance type", typ)
		} else if got := processor(typ); got != want {
			t.Errorf("%s is %s, want %s", typ, got, want)
		}
	}
}
