package workload

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/target"
)

// kubernetesFenceposts is ResolveFenceposts of Kubernetes' deployment controller, without its last resort.
func kubernetesFenceposts(surge, unavailable amount, n int) (int, int) {
	scaled := func(a amount, up bool) int {
		if !a.percent {
			return a.value
		}
		exact := new(big.Rat).Mul(big.NewRat(int64(a.value), 100), big.NewRat(int64(n), 1))
		whole := int(new(big.Int).Quo(exact.Num(), exact.Denom()).Int64())
		if up && !exact.IsInt() {
			whole++
		}
		return whole
	}
	return scaled(surge, true), scaled(unavailable, false)
}

func TestAnAcceptedRolloutMovesAndKeepsServing(t *testing.T) {
	anAmount := rapid.Custom(func(t *rapid.T) amount {
		return amount{value: rapid.IntRange(0, 120).Draw(t, "value"), percent: rapid.Bool().Draw(t, "percent")}
	})
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, mostPods).Draw(t, "pods")
		surge, unavailable := anAmount.Draw(t, "surge"), anAmount.Draw(t, "unavailable")
		var p check.Problems
		r := (&Rollout{MaxSurge: surge.String(), MaxUnavailable: unavailable.String()}).checked(&p, n)
		s, u := kubernetesFenceposts(surge, unavailable, n)
		works := s+u > 0 && u < n && (!unavailable.percent || unavailable.value <= 100)
		if p.None() != works {
			t.Fatalf("surge %d, unavailable %d of %d: %v", s, u, n, p.Err("t", "n"))
		}
		if !works {
			return
		}
		if gotS, gotU := r.at(n); gotS != s || gotU != u {
			t.Fatalf("got %d and %d, Kubernetes %d and %d", gotS, gotU, s, u)
		}
		replaced, waves := 0, 0
		for replaced < n {
			replaced, waves = replaced+s+u, waves+1
		}
		if r.waves(n) != waves {
			t.Fatalf("%d waves, not %d", r.waves(n), waves)
		}
	})
}

func TestAnAcceptedTimingKillsNoRequestAndCutsNoRollout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.IntRange(0, 1000)
		args := &AppDeploymentArgs{
			DrainSeconds: rapid.IntRange(1, 1000).Draw(t, "drain"), SlowestRequestSeconds: rapid.IntRange(1, 1000).Draw(t, "slowest"),
			TerminationGraceSeconds: seconds.Draw(t, "grace"), MinReadySeconds: seconds.Draw(t, "minReady"), ProgressDeadlineSeconds: seconds.Draw(t, "progress"),
			HealthPath: "/", Port: 8000, TargetType: target.Type(rapid.SampledFrom(append(target.Types(), "")).Draw(t, "target")),
		}
		deregistration, registration := 0, 0
		if args.TargetType.Pods() {
			deregistration, registration = 10, 60
		}
		if rapid.Bool().Draw(t, "startup") {
			args.StartupProbe = &Probe{PeriodSeconds: rapid.IntRange(1, 60).Draw(t, "period"), FailureThreshold: rapid.IntRange(1, 60).Draw(t, "threshold")}
		}
		var p check.Problems
		probes := args.checkedProbes(&p)
		timing := args.checkedTiming(&p, probes)
		if !p.None() {
			return
		}
		start := probes.startup.PeriodSeconds*probes.startup.FailureThreshold + registration
		switch pods := rapid.IntRange(1, 50).Draw(t, "pods"); {
		case timing.preStop != args.DrainSeconds+deregistration:
			t.Fatal("drains for another time", timing)
		case timing.grace <= args.DrainSeconds+deregistration+args.SlowestRequestSeconds:
			t.Fatal("killed with requests in flight", timing)
		case timing.grace > 900:
			t.Fatal("outlives the drain of a node", timing)
		case timing.progress <= start+timing.minReady:
			t.Fatal("a slow start counts as a failed rollout", timing)
		case timing.rolloutSeconds(rollout{surge: amount{value: 1}}, pods) < timing.progress+(pods-1)*(start+timing.minReady):
			t.Fatal("Pulumi gives up on a slow rollout", timing)
		}
	})
}

func TestReadinessIsSlowerWithALongerDrain(t *testing.T) {
	for drain, want := range map[int]int{1: 1, 6: 1, 30: 5, 60: 10, 600: 10} {
		var p check.Problems
		args := &AppDeploymentArgs{DrainSeconds: drain, HealthPath: "/", Port: 8000}
		if got := args.checkedProbes(&p).readiness; got.PeriodSeconds != want || got.detects() > max(drain, 3) || got.TimeoutSeconds > want || !p.None() {
			t.Errorf("drain %d: %+v %v", drain, got, p.Err("t", "n"))
		}
	}
}
