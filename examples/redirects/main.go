// A site that only sends on to where its parts have gone, without a cluster. What has moved stands in the configuration, in any order:
// a line more is one rule more, and no other changes.
package main

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"github.com/slipway-iac/slipway/components/edge"
	"github.com/slipway-iac/slipway/components/network"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		var lines []string
		config.RequireObject(ctx, "moved", &lines)
		routes := []edge.Route{{Name: "rest", Redirect: &edge.Redirect{Host: "www.example.com", Path: "/"}}}
		for _, line := range lines {
			var name, path, host string
			if _, err := fmt.Sscan(line, &name, &path, &host); err != nil {
				return fmt.Errorf(`redirects:moved has %q, must be NAME PATH HOST, like "blog /blog/* blog.example.com": %w`, line, err)
			}
			routes = append(routes, edge.Route{Name: name, Paths: []string{path}, Redirect: &edge.Redirect{Host: host, Permanent: true}})
		}
		vpc, err := network.NewVpc(ctx, "network", &network.VpcArgs{Cidr: "10.61.0.0/16", Zones: 2, NatGateways: "one"})
		if err != nil {
			return err
		}
		door, err := edge.NewHttpsLoadBalancer(ctx, "old", &edge.HttpsLoadBalancerArgs{
			Domain: "old.example.com", ZoneName: "example.com", VpcId: vpc.VpcId, PublicSubnetIds: vpc.PublicSubnetIds,
			Routes: routes, AllowDeletion: true,
		})
		if err != nil {
			return err
		}
		ctx.Export("site", door.Url)
		ctx.Export("routes", pulumi.String(strings.Join(lines, ", ")))
		return nil
	})
}
