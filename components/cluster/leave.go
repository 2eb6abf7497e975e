package cluster

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	awseks "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// wordSeconds is what AWS takes to tell a load balancer's nodes that an instance has left a target group.
	wordSeconds = 15
	// shortestHook is the shortest time-out that AWS takes; the longest, 7200, is beyond what DrainSeconds may be.
	// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html
	shortestHook = 30
)

// stayUntilForgotten keeps each instance that AWS is about to end until load balancers have forgotten it. A node without pods still
// passes on requests that came to its node ports, and whoever is ended with such a request in hand drops it. AWS waits by itself only
// while the group is attached to the target group, and an attachment goes before the group that it names.
func (b *builder) stayUntilForgotten(g NodeGroup, group *awseks.NodeGroup, instances pulumi.StringOutput) (pulumi.Resource, error) {
	return autoscaling.NewLifecycleHook(b.ctx, b.name+"-"+g.Name+"-drain", &autoscaling.LifecycleHookArgs{
		AutoscalingGroupName: instances,
		LifecycleTransition:  pulumi.String("autoscaling:EC2_INSTANCE_TERMINATING"),
		HeartbeatTimeout:     pulumi.Int(max(b.DrainSeconds+wordSeconds, shortestHook)),
		DefaultResult:        pulumi.String("CONTINUE"),
		// It has to be there until the group is gone, and goes with it.
	}, b.below, pulumi.DeletedWith(group))
}
