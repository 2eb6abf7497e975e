// A stack of nothing but an output, for tests of where its state is kept.
package main

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		ctx.Export("made", pulumi.ToSecret(pulumi.String("nothing")))
		return nil
	})
}
