package workload

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

const (
	// RollingUpdate replaces pods a few at a time; old and new serve side by side meanwhile.
	RollingUpdate = "RollingUpdate"
	// Recreate ends every old pod before the first new one starts: nothing serves in between.
	Recreate = "Recreate"
)

// Rollout is how a new version takes the old one's place.
type Rollout struct {
	// Strategy is RollingUpdate (the default) or Recreate.
	Strategy string `pulumi:"strategy,optional"`
	// MaxSurge is how many pods may run beyond the wanted number: a number ("1") or a percentage ("25%") of the replicas, which
	// rounds up. Default "25%". Not with Recreate.
	MaxSurge string `pulumi:"maxSurge,optional"`
	// MaxUnavailable is how many of the wanted pods may be missing: a number or a percentage of the replicas, which rounds down.
	// Default "0", so that a release never serves with fewer pods than usual. Not with Recreate.
	MaxUnavailable string `pulumi:"maxUnavailable,optional"`
}

const (
	defaultMaxSurge       = "25%"
	defaultMaxUnavailable = "0"
)

// amount is a number of pods, or a share of them.
type amount struct {
	value   int
	percent bool
}

var amountPattern = regexp.MustCompile(`^(0|[1-9][0-9]{0,5})(%?)$`)

func parseAmount(s string) (amount, bool) {
	m := amountPattern.FindStringSubmatch(s)
	if m == nil {
		return amount{}, false
	}
	n, err := strconv.Atoi(m[1])
	return amount{value: n, percent: m[2] != ""}, err == nil
}

// ofUp and ofDown are how many of n pods a is; a share that is no whole number rounds up or down.
func (a amount) ofUp(n int) int {
	if a.percent {
		return (a.value*n + 99) / 100
	}
	return a.value
}

func (a amount) ofDown(n int) int {
	if a.percent {
		return a.value * n / 100
	}
	return a.value
}

func (a amount) String() string {
	if a.percent {
		return strconv.Itoa(a.value) + "%"
	}
	return strconv.Itoa(a.value)
}

// share shows the arithmetic of one side: "25% of 2 = 0.5, rounded down to 0", or the plain number.
func (a amount) share(n, rounded int, direction string) string {
	switch {
	case !a.percent:
		return a.String()
	case a.value*n%100 == 0:
		return fmt.Sprintf("%s of %d = %d", a, n, rounded)
	}
	exact := strings.TrimRight(fmt.Sprintf("%.2f", float64(a.value*n)/100), "0")
	return fmt.Sprintf("%s of %d = %s, rounded %s to %d", a, n, exact, direction, rounded)
}

// input is an IntOrString as Kubernetes takes it.
func (a amount) input() pulumi.Input {
	if a.percent {
		return pulumi.String(a.String())
	}
	return pulumi.Int(a.value)
}

// rollout is Rollout after the checks.
type rollout struct {
	recreate           bool
	surge, unavailable amount
}

// checked judges the rollout for the smallest number of pods that may run, where rounding bites.
func (args *Rollout) checked(p *check.Problems, pods int) (r rollout) {
	if args == nil {
		args = &Rollout{}
	}
	if args.Strategy != "" {
		p.OneOf("strategy", args.Strategy, RollingUpdate, Recreate)
	}
	if r.recreate = args.Strategy == Recreate; r.recreate {
		for _, f := range []struct{ path, value string }{{"maxSurge", args.MaxSurge}, {"maxUnavailable", args.MaxUnavailable}} {
			if f.value != "" {
				p.Addf(f.path, "is %q, must be unset with strategy %q, which ends all old pods first", f.value, Recreate)
			}
		}
		return r
	}
	var surgeOk, unavailableOk bool
	r.surge, surgeOk = checkedAmount(p, "maxSurge", args.MaxSurge, defaultMaxSurge)
	r.unavailable, unavailableOk = checkedAmount(p, "maxUnavailable", args.MaxUnavailable, defaultMaxUnavailable)
	if r.unavailable.percent && r.unavailable.value > 100 {
		p.Addf("maxUnavailable", "is %q, must be at most 100%%", args.MaxUnavailable)
		unavailableOk = false
	}
	if surgeOk && unavailableOk && pods > 0 {
		r.possible(p, pods)
	}
	return r
}

func checkedAmount(p *check.Problems, path, given, byDefault string) (amount, bool) {
	if given == "" {
		given = byDefault
	}
	a, ok := parseAmount(given)
	if !ok {
		p.Addf(path, `is %q, must be a number of pods such as "1" or a percentage such as "25%%"`, given)
	}
	return a, ok
}

func (r rollout) possible(p *check.Problems, pods int) {
	surge, unavailable := r.at(pods)
	switch {
	case surge == 0 && unavailable == 0:
		p.Addf("maxUnavailable", "is %q and maxSurge %q, together they let no pod be replaced: maxSurge is %s, maxUnavailable is %s; one must come to 1 or more",
			r.unavailable, r.surge, r.surge.share(pods, surge, "up"), r.unavailable.share(pods, unavailable, "down"))
	case unavailable >= pods:
		p.Addf("maxUnavailable", "is %q, must leave a pod serving: %s of %d replica(s) may be missing; for a release with a gap say strategy %q",
			r.unavailable, r.unavailable.share(pods, unavailable, "down"), pods, Recreate)
	}
}

// at is how many pods more and how many fewer than n a rolling update may run.
func (r rollout) at(n int) (surge, unavailable int) {
	return r.surge.ofUp(n), r.unavailable.ofDown(n)
}

// waves is how often the update has to wait for new pods, at most, while n pods are replaced.
func (r rollout) waves(n int) int {
	if r.recreate {
		return 1
	}
	surge, unavailable := r.at(n)
	step := max(surge+unavailable, 1)
	return (n + step - 1) / step
}

// summary says in words what a release does to n pods.
func (r rollout) summary(n int) string {
	if r.recreate {
		return fmt.Sprintf("%d pod(s): all old ones end before new ones start, nothing serves meanwhile", n)
	}
	surge, unavailable := r.at(n)
	return fmt.Sprintf("%d pod(s): at most %d at once (maxSurge %s), at least %d serving (maxUnavailable %s)",
		n, n+surge, r.surge.share(n, surge, "up"), n-unavailable, r.unavailable.share(n, unavailable, "down"))
}

func (r rollout) strategy() *appsv1.DeploymentStrategyArgs {
	if r.recreate {
		return &appsv1.DeploymentStrategyArgs{Type: pulumi.String(Recreate)}
	}
	return &appsv1.DeploymentStrategyArgs{
		Type:          pulumi.String(RollingUpdate),
		RollingUpdate: &appsv1.RollingUpdateDeploymentArgs{MaxSurge: r.surge.input(), MaxUnavailable: r.unavailable.input()},
	}
}
