// Program flat registers as many resources as it is told, each by itself: what the engine and the providers cost without any
// component, dependency or wait.
package main

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

type component struct{ pulumi.ResourceState }

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		cfg := config.New(ctx, "")
		for i := range cfg.RequireInt("components") {
			if err := ctx.RegisterComponentResource("flat:index:Component", fmt.Sprintf("component-%d", i), &component{}); err != nil {
				return err
			}
		}
		for i := range cfg.RequireInt("aws") {
			var r pulumi.CustomResourceState
			err := ctx.RegisterResource("aws:ecr/repository:Repository", fmt.Sprintf("repository-%d", i), pulumi.Map{}, &r, pulumi.Version("6.83.2"))
			if err != nil {
				return err
			}
		}
		var provider pulumi.ProviderResourceState
		err := ctx.RegisterResource("pulumi:providers:kubernetes", "cluster", pulumi.Map{"kubeconfig": pulumi.String(cfg.Require("kubeconfig"))}, &provider, pulumi.Version("4.30.0"))
		if err != nil {
			return err
		}
		for i := range cfg.RequireInt("kubernetes") {
			var r pulumi.CustomResourceState
			err := ctx.RegisterResource("kubernetes:core/v1:ConfigMap", fmt.Sprintf("config-%d", i), pulumi.Map{"data": pulumi.StringMap{"n": pulumi.Sprintf("%d", i)}}, &r,
				pulumi.Provider(&provider))
			if err != nil {
				return err
			}
		}
		return nil
	})
}
