package main

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/capacity"
	"github.com/slipway-iac/slipway/components/cluster"
	"github.com/slipway-iac/slipway/components/workload"
	"github.com/slipway-iac/slipway/internal/config"
)

// fits refuses a week in which the fewest pods do not fit the nodes, and warns of everything else that does not. It is for a system
// that was checked.
func (s *system) fits(ctx *pulumi.Context, cfg *config.Config) error {
	weeks, err := s.week.Calendar().Weeks(time.Now())
	if err != nil {
		return err
	}
	in := capacity.Input{Weeks: weeks, TimeZone: cfg.Schedule.TimeZone}
	for _, g := range s.cluster.NodeGroups {
		group := capacity.NodeGroup{
			Name: g.Name, Owner: g.DesiredSizeOwner, Size: s.week.Base, DiskGiB: g.DiskSizeGiB, PrefixDelegation: s.cluster.PrefixDelegation,
			MaxPods: g.Kubelet.MaxPods, SubnetAddresses: s.network.PrivateSubnetAddresses(),
		}
		for z := range cfg.Network.Zones {
			group.Zones = append(group.Zones, string(rune('a'+z)))
		}
		for _, name := range g.InstanceTypes {
			t, err := g.Instance(name)
			if err != nil {
				return ctx.Log.Warn(fmt.Sprintf("whether the pods fit the nodes is not looked at: %v (slipway:cluster.nodes.instanceSizes)", err), nil)
			}
			group.Instances = append(group.Instances, t)
		}
		in.Groups = append(in.Groups, group)
	}
	for _, app := range []struct {
		name string
		args *workload.AppDeploymentArgs
	}{{"thoughts-backend", s.thoughts}, {"users-backend", s.users}, {"frontend", s.frontend}} {
		demand, err := app.args.Demand(app.name)
		if err != nil {
			return err
		}
		in.Apps = append(in.Apps, demand)
	}
	plan, err := capacity.Plan(in)
	if err != nil {
		return err
	}
	for _, w := range plan.Warnings() {
		if err := ctx.Log.Warn(w, nil); err != nil {
			return err
		}
	}
	return plan.Err()
}

// instanceSizes are the numbers of instance types that no table has.
func instanceSizes(cfg *config.Config) map[string]cluster.InstanceSize {
	sizes := map[string]cluster.InstanceSize{}
	for name, s := range cfg.Cluster.Nodes.InstanceSizes {
		sizes[name] = cluster.InstanceSize(s)
	}
	return sizes
}
