// Program many is a stack of a thousand resources, for what has to stay readable with them. With LATER set every policy changes, and a
// third of the repositories go.
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/registry"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		later := os.Getenv("LATER") != ""
		for team := range 10 {
			args := &registry.EcrReposArgs{KeepReleases: 30}
			repositories := 50
			if later {
				args.KeepReleases, repositories = 40, 33
			}
			for i := range repositories {
				args.Repositories = append(args.Repositories, fmt.Sprintf("team-%d/service-%02d", team, i))
			}
			if _, err := registry.NewEcrRepos(ctx, fmt.Sprintf("team-%d", team), args); err != nil {
				return err
			}
		}
		return nil
	})
}
