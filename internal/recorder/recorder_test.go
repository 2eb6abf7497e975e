package recorder_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/recorder"
)

type box struct{ pulumi.ResourceState }

func TestTreeShowsChildrenBelowTheirParent(t *testing.T) {
	r := &recorder.Recorder{}
	err := r.Run(func(ctx *pulumi.Context) error {
		outer, inner := &box{}, &box{}
		if err := ctx.RegisterComponentResource("t:index:Outer", "o", outer); err != nil {
			return err
		}
		return ctx.RegisterComponentResource("t:index:Inner", "i", inner, pulumi.Parent(outer))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Tree(), "t:index:Outer o\n  t:index:Inner i\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
