package workload_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/workload"
	"github.com/slipway-iac/slipway/internal/recorder"
	"github.com/slipway-iac/slipway/target"
)

// behind is an app in a namespace, both behind a load balancer with targets of one type.
func behind(t *testing.T, kind target.Type, change func(*workload.AppDeploymentArgs)) (*recorder.Recorder, error) {
	t.Helper()
	r := cluster()
	return r, r.Run(func(ctx *pulumi.Context) error {
		provider, err := kubernetes.NewProvider(ctx, "cluster", nil)
		if err != nil {
			return err
		}
		if _, err := workload.NewAppNamespace(ctx, "example", &workload.AppNamespaceArgs{TargetType: kind}, pulumi.Provider(provider)); err != nil {
			return err
		}
		args := frontend()
		args.TargetType, args.Service, args.Network = kind, &workload.Service{}, nil
		if change != nil {
			change(args)
		}
		_, err = workload.NewAppDeployment(ctx, "frontend", args, pulumi.Provider(provider))
		return err
	})
}

// One value decides how pods end, how they are reached, who may connect, and what they wait for.
func TestTargetType(t *testing.T) {
	for _, c := range []struct {
		kind           target.Type
		service, label string
		sleep, grace   float64
	}{
		{target.Instance, "NodePort", "", 30, 60},
		{target.IP, "ClusterIP", "elbv2.k8s.aws/pod-readiness-gate-inject", 40, 70},
		{target.AutoModeIP, "ClusterIP", "eks.amazonaws.com/pod-readiness-gate-inject", 40, 70},
	} {
		r, err := behind(t, c.kind, nil)
		if err != nil {
			t.Fatal(c.kind, err)
		}
		for _, a := range r.Seen() {
			in := resource.NewObjectProperty(a.Inputs)
			get := func(path ...any) any {
				v, _ := resource.PropertyPath(path).Get(in)
				return v.V
			}
			switch a.TypeToken {
			case "kubernetes:core/v1:Namespace":
				var waits []string
				for k, v := range a.Inputs["metadata"].ObjectValue()["labels"].ObjectValue() {
					if strings.Contains(string(k), "readiness-gate") && v.StringValue() == "enabled" {
						waits = append(waits, string(k))
					}
				}
				if strings.Join(waits, " ") != c.label {
					t.Errorf("%s: pods of the namespace wait by %q", c.kind, waits)
				}
			case "kubernetes:core/v1:Service":
				if got := get("spec", "type"); got != c.service {
					t.Errorf("%s: Service of type %v", c.kind, got)
				}
			case "kubernetes:apps/v1:Deployment":
				spec := []any{"spec", "template", "spec"}
				if got := get(append(spec, "containers", 0, "lifecycle", "preStop", "sleep", "seconds")...); got != c.sleep {
					t.Errorf("%s: serves on for %v s", c.kind, got)
				}
				if got := get(append(spec, "terminationGracePeriodSeconds")...); got != c.grace {
					t.Errorf("%s: is killed after %v s", c.kind, got)
				}
			case "kubernetes:networking.k8s.io/v1:NetworkPolicy":
				if a.Name == "frontend-network" && get("spec", "ingress", 0, "from") != nil {
					t.Errorf("%s: closed to the load balancer", c.kind)
				}
			}
		}
	}
}

func TestTargetTypeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		kind   target.Type
		change func(*workload.AppDeploymentArgs)
		want   []string
	}{
		"a closed app": {target.IP, func(a *workload.AppDeploymentArgs) { a.Network = &workload.Network{From: []workload.Peer{{App: "x"}}} }, []string{
			`network.from is given, must be unset with targetType "ip": the load balancer connects under its own addresses, which change; the nodes' security group says who may connect`,
		}},
		"nobody to reach": {target.AutoModeIP, func(a *workload.AppDeploymentArgs) { a.Service = nil }, []string{
			`service is required, for example &workload.Service{}, with targetType: it says which pods the load balancer sends to`,
		}},
		"a Service without a port on the nodes": {target.Instance, func(a *workload.AppDeploymentArgs) { a.Service.Type = workload.ClusterIP }, []string{
			`service.type is "ClusterIP", must be "NodePort" with targetType "instance": the load balancer sends to a port of the nodes`,
		}},
		"times that leave none for the registration": {target.IP, func(a *workload.AppDeploymentArgs) {
			a.TerminationGraceSeconds, a.ProgressDeadlineSeconds = 60, 100
		}, []string{
			`terminationGraceSeconds is 60, must be more than drainSeconds (30) + 10 to deregister the pod + slowestRequestSeconds (20) = 60: the pod would be killed with requests in flight`,
			`progressDeadlineSeconds is 100, must be more than 220: a pod may take 210 s to start (startup and readiness probes and the load balancer's check) and counts after 10 s (minReadySeconds)`,
		}},
	} {
		_, err := behind(t, c.kind, c.change)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v\nwant %s", name, err, want)
			}
		}
	}
	if _, err := behind(t, "pods", nil); err == nil || !strings.Contains(err.Error(), `targetType is "pods", must be one of "instance", "ip", "auto-mode-ip"`) {
		t.Errorf("got %v", err)
	}
}

func TestHealthCheckIsTheReadinessProbes(t *testing.T) {
	for name, c := range map[string]struct {
		args workload.AppDeploymentArgs
		want target.HealthCheck
	}{
		"default":             {workload.AppDeploymentArgs{Port: 8000}, target.HealthCheck{Path: "/", Codes: "200-399", IntervalSeconds: 5}},
		"a slow drain":        {workload.AppDeploymentArgs{Port: 8000, DrainSeconds: 60, HealthPath: "/up"}, target.HealthCheck{Path: "/up", Codes: "200-399", IntervalSeconds: 10}},
		"a page of the probe": {workload.AppDeploymentArgs{Port: 8000, ReadinessProbe: &workload.Probe{HTTP: &workload.HTTPProbe{Path: "/ready"}, PeriodSeconds: 7}}, target.HealthCheck{Path: "/ready", Codes: "200-399", IntervalSeconds: 7}},
		"at another port":     {workload.AppDeploymentArgs{Port: 8000, ReadinessProbe: &workload.Probe{HTTP: &workload.HTTPProbe{Path: "/ready", Port: 9000}}}, target.HealthCheck{Path: "/", Codes: "200-399", IntervalSeconds: 5}},
		"no page":             {workload.AppDeploymentArgs{Port: 8000, HealthPath: "/up", ReadinessProbe: &workload.Probe{Exec: []string{"true"}, PeriodSeconds: 1}}, target.HealthCheck{Path: "/up", Codes: "200-399", IntervalSeconds: 5}},
	} {
		if got := c.args.HealthCheck(); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
