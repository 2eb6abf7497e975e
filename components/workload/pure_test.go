package workload

import (
	"errors"
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipway-iac/slipway/internal/check"
)

// The canonical forms are those of k8s.io/apimachinery's own tests of Quantity.
func TestQuantities(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "0.0": "0", "1": "1", "100m": "100m", "0.1": "100m", ".5": "500m", "1.": "1", "1.5": "1500m", "+2": "2", "-1": "-1",
		"1000m": "1", "1000": "1k", "1500": "1500", "1000000": "1M", "0.5Gi": "512Mi", "1024Mi": "1Gi", "1000Ki": "1000Ki", "1024": "1024",
		"1023Ki": "1023Ki", "512Ki": "512Ki", "1Ki": "1Ki", "0.5Ki": "512", "1e3": "1e3", "1E3": "1e3", "1E": "", "1k": "1k", "12e6": "12e6",
		"1e-3": "1e-3", "100e-3": "100e-3", "1e0": "1", "1T": "1T", "2P": "2P", "1Pi": "1Pi",
	} {
		q, err := parseQuantity(in)
		if want == "" {
			if !errors.Is(err, errQuantityRange) {
				t.Errorf("%q: %v %v", in, q, err)
			}
			continue
		}
		if err != nil || q.String() != want {
			t.Errorf("%q: %q %v, want %q", in, q, err, want)
		}
	}
	for _, in := range []string{"", "m", "1 Gi", "1gi", "1KI", "1K", "1ki", "1mi", "1e", "1e+", "0x10", "1,5", "--1", "1..5", ".", "1Gi ", "1_000", "Inf", "1/2", "٣"} {
		if q, err := parseQuantity(in); !errors.Is(err, errNotQuantity) {
			t.Errorf("%q: %v %v", in, q, err)
		}
	}
	if _, err := parseQuantity("1e999999999"); !errors.Is(err, errQuantityRange) {
		t.Errorf("1e999999999: %v", err)
	}
}

func TestQuantityIsWorthWhatItsSuffixSays(t *testing.T) {
	powers := map[string]*big.Rat{"m": big.NewRat(1, 1000), "": big.NewRat(1, 1), "k": big.NewRat(1000, 1), "M": big.NewRat(1e6, 1), "G": big.NewRat(1e9, 1),
		"Ki": big.NewRat(1<<10, 1), "Mi": big.NewRat(1<<20, 1), "Gi": big.NewRat(1<<30, 1), "e3": big.NewRat(1000, 1), "E-2": big.NewRat(1, 100)}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1e6).Draw(t, "n")
		tenths := rapid.Int64Range(0, 9).Draw(t, "tenths")
		suffix := rapid.SampledFrom([]string{"m", "", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "E-2"}).Draw(t, "suffix")
		q, err := parseQuantity(fmt.Sprintf("%d.%d%s", n, tenths, suffix))
		want := new(big.Rat).Mul(big.NewRat(10*n+tenths, 10), powers[suffix])
		if err != nil || q.value.Cmp(want) != 0 {
			t.Fatalf("%v %v, want %v", q.value, err, want)
		}
	})
}

func FuzzQuantity(f *testing.F) {
	for _, s := range []string{"100m", "1.5Gi", "1e3", "12E-2", "-0.5Ki", "1E", ".5k"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := parseQuantity(s)
		if err != nil {
			return
		}
		if _, whole := q.times(1000); !whole {
			return
		}
		again, err := parseQuantity(q.String())
		if err != nil || again.value.Cmp(q.value) != 0 || again.String() != q.String() {
			t.Errorf("%q is written %q, which is read as %v (%v)", s, q, again, err)
		}
	})
}

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
		works := s+u > 0 && u < n && !(unavailable.percent && unavailable.value > 100)
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
			HealthPath: "/", Port: 8000,
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
		start := probes.startup.PeriodSeconds * probes.startup.FailureThreshold
		switch pods := rapid.IntRange(1, 50).Draw(t, "pods"); {
		case timing.preStop != args.DrainSeconds:
			t.Fatal("drains for another time", timing)
		case timing.grace <= args.DrainSeconds+args.SlowestRequestSeconds:
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
