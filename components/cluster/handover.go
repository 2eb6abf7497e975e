package cluster

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/drain"
)

const (
	// drainPoll is the time between two looks at the nodes that leave.
	drainPoll = 3 * time.Second
	// settle is what load balancers get to find new nodes healthy, from the first one's being ready on.
	settle = time.Minute
)

// handOver records the node groups that carry the pods, by name. When one of them is no longer there, because another replaces it or
// the configuration has it no more, the record changes, and before it does the nodes that leave are drained. Pulumi deletes what was
// replaced or removed at the end of an update, and only of one in which nothing has failed: so a drain that fails keeps the old group,
// and the record still says so to the next run. A hook before the deletion itself would not do: `pulumi destroy` runs no program that
// could answer it (docs/decisions/0007-nodes-are-drained-by-the-update.md).
func (b *builder) handOver(c *EksCluster, control *eks.Cluster, groups madeGroups, after []pulumi.Resource) error {
	kubeconfig := make(chan string, 1)
	control.KubeconfigJson.ApplyT(func(config string) string {
		kubeconfig <- config
		return config
	})
	hook, err := b.ctx.RegisterResourceHook(b.name+"-drain", func(change *pulumi.ResourceHookArgs) error {
		before, now := carriers(change.OldInputs), carriers(change.NewInputs)
		move := b.move(before, now)
		if move == nil {
			return nil
		}
		select {
		case config := <-kubeconfig:
			kubeconfig <- config // for another update of it
			api, err := drain.NewClient(config)
			if err != nil {
				return err
			}
			move.API = api
		case <-b.ctx.Context().Done():
			return context.Cause(b.ctx.Context())
		}
		move.Say = func(text string) {
			_ = b.ctx.Log.Info(text, &pulumi.LogArgs{Resource: c}) // whether it is read or not, the drain goes on
		}
		// The engine does not tell hooks that it was interrupted; but when it has ended, it takes no lines any more.
		move.Wanted = func() error { return b.ctx.Log.Debug("nodes are drained", nil) }
		return move.Run(b.ctx.Context())
	}, nil)
	if err != nil {
		return err
	}
	_, err = pulumi.NewStash(b.ctx, b.name+"-nodes", &pulumi.StashArgs{Input: groups.names},
		b.below.(pulumi.ResourceOption), pulumi.DependsOn(slices.Concat(after, groups.resources)),
		pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeUpdate: []*pulumi.ResourceHook{hook}}))
	return err
}

// move is the drain that a change of the record takes; nil where no group goes.
func (b *builder) move(before, now map[string]string) *drain.Drain {
	stays := map[string]bool{}
	for _, group := range now {
		stays[group] = true
	}
	var gone []string
	for _, group := range before {
		if !stays[group] {
			gone = append(gone, group)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	// Every new group, also one of another name, takes the place of those that go; but one that begins without a node never has one
	// that is ready, and an autoscaler makes it only for pods that wait.
	var arriving []string
	for key, group := range now {
		empty := slices.ContainsFunc(b.NodeGroups, func(g NodeGroup) bool { return g.Name == key && g.DesiredSize == 0 })
		if before[key] != group && !empty {
			arriving = append(arriving, group)
		}
	}
	slices.Sort(arriving)
	// After an update that failed the configuration may have changed again, names too: then there are groups between, in no record, that
	// go too. What is drained are nodes of this component's own cluster, so the names are of no other component's groups.
	between := regexp.MustCompile("^" + regexp.QuoteMeta(b.name) + "-[a-z][a-z0-9-]*-[0-9a-f]{7}$")
	return &drain.Drain{
		Leaving: func(group string) bool {
			return !stays[group] && (slices.Contains(gone, group) || between.MatchString(group))
		},
		Arriving: arriving, Patience: time.Duration(b.DrainMinutes) * time.Minute, Settle: settle, Poll: drainPoll,
	}
}

// carriers are the node groups of a record.
func carriers(inputs resource.PropertyMap) map[string]string {
	groups := map[string]string{}
	in := inputs["input"]
	if in.IsSecret() {
		in = in.SecretValue().Element
	}
	if !in.IsObject() {
		return groups
	}
	for key, group := range in.ObjectValue() {
		if group.IsString() {
			groups[string(key)] = group.StringValue()
		}
	}
	return groups
}
