package workload

import (
	"reflect"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/capacity"
)

func TestDemand(t *testing.T) {
	const mib = 1 << 20
	asks := func(cpu, memory, disk string) *Resources {
		return &Resources{Requests: Amounts{CPU: cpu, Memory: memory, EphemeralStorage: disk}}
	}
	spread := capacity.Spread{Zones: capacity.SpreadPreferred, Nodes: capacity.SpreadPreferred}
	for name, tc := range map[string]struct {
		args AppDeploymentArgs
		want capacity.App
	}{
		"defaults": {AppDeploymentArgs{}, capacity.App{
			Requests: capacity.Resources{MilliCPU: 100, Memory: 128 * mib, Ephemeral: 128 * mib}, Min: 2, Max: 2, SurgeAtMin: 1, SurgeAtMax: 1, Spread: spread,
		}},
		"an autoscaler": {AppDeploymentArgs{
			Resources: asks("250m", "1Gi", "2Gi"), Autoscaling: &Autoscaling{Min: 3, Max: 10, CPUPercent: 60}, Rollout: &Rollout{MaxSurge: "50%"},
			Spread: &Spread{Zones: SpreadRequired, Nodes: SpreadOff},
		}, capacity.App{
			Requests: capacity.Resources{MilliCPU: 250, Memory: 1024 * mib, Ephemeral: 2048 * mib}, Min: 3, Max: 10, SurgeAtMin: 2, SurgeAtMax: 5,
			Spread: capacity.Spread{Zones: capacity.SpreadRequired, Nodes: capacity.SpreadOff},
		}},
		"sidecars add up, the largest init container counts where it is more": {AppDeploymentArgs{
			Resources:      asks("100m", "128Mi", "128Mi"),
			Sidecars:       []Container{{Name: "proxy", Image: pulumi.String("p:1"), Resources: asks("50m", "64Mi", "128Mi")}},
			InitContainers: []Container{{Name: "a", Image: pulumi.String("a:1"), Resources: asks("500m", "64Mi", "10Mi")}, {Name: "b", Image: pulumi.String("b:1"), Resources: asks("10m", "256Mi", "10Mi")}},
			Replicas:       1,
		}, capacity.App{Requests: capacity.Resources{MilliCPU: 500, Memory: 256 * mib, Ephemeral: 256 * mib}, Min: 1, Max: 1, SurgeAtMin: 1, SurgeAtMax: 1, Spread: spread}},
		"all pods end before new ones start": {AppDeploymentArgs{Rollout: &Rollout{Strategy: Recreate}}, capacity.App{
			Requests: capacity.Resources{MilliCPU: 100, Memory: 128 * mib, Ephemeral: 128 * mib}, Min: 2, Max: 2, Spread: spread,
		}},
		"a job before": {AppDeploymentArgs{Rollout: &Rollout{Strategy: Recreate}, BeforeRelease: &BeforeRelease{Command: []string{"/migrate"}}}, capacity.App{
			Requests: capacity.Resources{MilliCPU: 100, Memory: 128 * mib, Ephemeral: 128 * mib}, Min: 2, Max: 2, SurgeAtMin: 1, SurgeAtMax: 1, Spread: spread,
		}},
		"neighbours": {AppDeploymentArgs{
			AwayFrom: []Neighbour{{App: "noisy", Within: WithinNode, Required: true}, {App: "twin", Required: true}}, Near: []Neighbour{{App: "cache", Required: true}},
			PriorityClass: "high", Replicas: 1, Rollout: &Rollout{Strategy: Recreate}, Volumes: []Volume{{Path: "/data", Claim: "data"}},
		}, capacity.App{
			Requests: capacity.Resources{MilliCPU: 100, Memory: 128 * mib, Ephemeral: 128 * mib}, Min: 1, Max: 1, Spread: spread,
			AwayFrom: []string{"noisy"}, AwayFromInZone: []string{"twin"}, Loose: true,
			Unmodelled: []string{"a required nearness to cache", "a priority class", "a volume, which may be in one zone only"},
		}},
		"a mild dislike": {AppDeploymentArgs{AwayFrom: []Neighbour{{App: "noisy"}}}, capacity.App{
			Requests: capacity.Resources{MilliCPU: 100, Memory: 128 * mib, Ephemeral: 128 * mib}, Min: 2, Max: 2, SurgeAtMin: 1, SurgeAtMax: 1, Spread: spread, Loose: true,
		}},
	} {
		tc.args.Port, tc.want.Name = 8000, "web"
		got, err := tc.args.Demand("web")
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %v\n%+v\nwant\n%+v", name, err, got, tc.want)
		}
	}
	if _, err := (&AppDeploymentArgs{}).Demand("web"); err == nil {
		t.Error("no port, and no error")
	}
}
