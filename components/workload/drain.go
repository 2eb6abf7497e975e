package workload

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/target"
)

const (
	defaultDrainSeconds          = 30
	defaultSlowestRequestSeconds = 20
	// exitSeconds is what a process has, after its last request, to close and exit.
	exitSeconds = 10
	// longestGrace is how long a managed node group waits for a node's pods to leave before its update fails.
	// https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html
	longestGrace = 900
	// defaultProgressDeadline is Kubernetes' own.
	defaultProgressDeadline = 600
	// arrivalSeconds is for a new pod to be placed, on a new node if need be, and its image to be pulled.
	arrivalSeconds = 300
)

// timing is every number of seconds that has to agree with the others, in a pod's end and in its start.
type timing struct {
	// preStop is how long a pod goes on serving after it was told to end, until nobody sends to it any more.
	preStop int
	// grace is when it is killed.
	grace int
	// startup is how long a new pod may take to answer at all, and to be found healthy by a load balancer that it waits for.
	startup int
	// minReady is how long a new pod must stay ready before an old one may go.
	minReady int
	// progress is how long a rollout may stand still before it counts as failed.
	progress int
}

// checkedTiming needs DrainSeconds and SlowestRequestSeconds with their defaults.
func (args *AppDeploymentArgs) checkedTiming(p *check.Problems, c probes) (t timing) {
	p.Between("drainSeconds", args.DrainSeconds, 1, longestGrace)
	p.Between("slowestRequestSeconds", args.SlowestRequestSeconds, 1, longestGrace)

	t.preStop = args.TargetType.Drain(args.DrainSeconds)
	busy := t.preStop + args.SlowestRequestSeconds
	sum := fmt.Sprintf("drainSeconds (%d) + slowestRequestSeconds (%d)", args.DrainSeconds, args.SlowestRequestSeconds)
	if more := t.preStop - args.DrainSeconds; more > 0 {
		sum = fmt.Sprintf("drainSeconds (%d) + %d to deregister the pod + slowestRequestSeconds (%d)", args.DrainSeconds, more, args.SlowestRequestSeconds)
	}
	const why = "a node group's update waits 15 minutes for pods to leave a node, then fails"
	switch t.grace = args.TerminationGraceSeconds; {
	case t.grace == 0:
		if t.grace = busy + exitSeconds; t.grace > longestGrace {
			p.Addf("terminationGraceSeconds", "comes to %s + %d to exit = %d, must be at most %d: %s", sum, exitSeconds, t.grace, longestGrace, why)
		}
	case t.grace > longestGrace:
		p.Addf("terminationGraceSeconds", "is %d, must be at most %d: %s", t.grace, longestGrace, why)
	case t.grace <= busy:
		p.Addf("terminationGraceSeconds", "is %d, must be more than %s = %d: the pod would be killed with requests in flight", t.grace, sum, busy)
	}

	if c.startup != nil {
		t.startup = c.startup.InitialDelaySeconds + c.startup.detects()
	}
	if c.readiness != nil {
		t.startup += c.readiness.InitialDelaySeconds
		// Ready for one more question at least: a pod that answers once and crashes does not take an old one's place.
		t.minReady = c.readiness.PeriodSeconds
	}
	gate := ""
	if args.TargetType.Pods() {
		t.startup += int(target.Registration.Seconds())
		gate = " and the load balancer's check"
	}
	if args.MinReadySeconds != 0 {
		t.minReady = args.MinReadySeconds
		p.Between("minReadySeconds", t.minReady, 1, 3600)
	}
	least := t.startup + t.minReady
	switch t.progress = args.ProgressDeadlineSeconds; {
	case t.progress == 0:
		t.progress = max(defaultProgressDeadline, least+arrivalSeconds)
	case t.progress <= least:
		p.Addf("progressDeadlineSeconds", "is %d, must be more than %d: a pod may take %d s to start (startup and readiness probes%s) and counts after %d s (minReadySeconds)",
			t.progress, least, t.startup, gate, t.minReady)
	case t.progress > 7200:
		p.Addf("progressDeadlineSeconds", "is %d, must be at most 7200", t.progress)
	}
	return t
}

// rolloutSeconds is how long Pulumi waits: a rollout that stands still has passed its deadline by then, and one that only
// takes many waves is not cut off. The provider ends a failed rollout at this time, not at the deadline.
func (t timing) rolloutSeconds(r rollout, pods int) int {
	seconds := t.progress + (r.waves(pods)-1)*(t.startup+t.minReady) + 60
	if r.recreate {
		seconds += t.grace
	}
	return seconds
}

func (t timing) timeouts(r rollout, pods int) pulumi.ResourceOption {
	rolling := fmt.Sprintf("%ds", t.rolloutSeconds(r, pods))
	return pulumi.Timeouts(&pulumi.CustomTimeouts{Create: rolling, Update: rolling, Delete: fmt.Sprintf("%ds", t.grace+300)})
}
