// Program slipway is the production stack: read it from top to bottom as data flows.
package main

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/cluster"
	"github.com/slipway-iac/slipway/components/edge"
	"github.com/slipway-iac/slipway/components/network"
	"github.com/slipway-iac/slipway/components/registry"
	"github.com/slipway-iac/slipway/components/scaling"
	"github.com/slipway-iac/slipway/components/workload"
	"github.com/slipway-iac/slipway/internal/config"
)

func main() { pulumi.Run(stack) }
