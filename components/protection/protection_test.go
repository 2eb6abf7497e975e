package protection_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/protection"
	"github.com/slipway-iac/slipway/internal/recorder"
)

type box struct{ pulumi.ResourceState }

func program(enabled bool) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		outer, inner := &box{}, &box{}
		if err := ctx.RegisterComponentResource("t:index:Outer", "outer", outer); err != nil {
			return err
		}
		if err := ctx.RegisterComponentResource("t:index:Inner", "inner", inner, pulumi.Parent(outer)); err != nil {
			return err
		}
		var leaf pulumi.CustomResourceState
		if err := ctx.RegisterResource("t:index:Leaf", "leaf", pulumi.Map{}, &leaf, pulumi.Parent(inner)); err != nil {
			return err
		}
		// The SDK notes a child with its parent in the background: wait until it has, as a stack of any size does by itself.
		registered := make(chan struct{})
		leaf.URN().ApplyT(func(pulumi.URN) string { close(registered); return "" })
		<-registered
		_, err := protection.NewProtection(ctx, "keep", &protection.ProtectionArgs{Enabled: enabled, Of: []pulumi.Resource{outer}})
		return err
	}
}

func TestDependsOnAllThatItProtects(t *testing.T) {
	for _, enabled := range []bool{true, false} {
		r := &recorder.Recorder{}
		if err := r.Run(program(enabled)); err != nil {
			t.Fatal(err)
		}
		got := r.Find(t, protection.ProtectionType, "keep").RegisterRPC
		if got.GetProtect() != enabled {
			t.Errorf("enabled %v: protect is %v", enabled, got.GetProtect())
		}
		leaf := "urn:pulumi:stack::proj::t:index:Outer$t:index:Inner$t:index:Leaf::leaf"
		found := false
		for _, d := range got.GetDependencies() {
			found = found || d == leaf
		}
		if !found {
			t.Errorf("a destroy may delete %s before it is refused; it depends on %v", leaf, got.GetDependencies())
		}
	}
}
