package workload_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/workload"
)

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	r := cluster()
	err := deploy(r, "Front_End", &workload.AppDeploymentArgs{
		Namespace:               pulumi.String("Example"),
		Image:                   pulumi.String("frontend:latest"),
		Port:                    80,
		Environment:             map[string]pulumi.StringInput{"A=B": pulumi.String(""), "BOTH": pulumi.String("")},
		Secrets:                 map[string]pulumi.StringInput{"BOTH": pulumi.String("hidden"), "NONE": nil},
		Resources:               &workload.Resources{Requests: workload.Amounts{CPU: "2", Memory: "64m"}, Limits: workload.Amounts{CPU: "1", Memory: "1X"}},
		RunAsUser:               -1,
		Scratch:                 []workload.Scratch{{Path: "tmp"}, {Path: "/a", Size: "2Gi"}, {Path: "/a"}},
		HealthPath:              "health",
		ReadinessProbe:          &workload.Probe{HTTP: &workload.HTTPProbe{}, TCP: &workload.TCPProbe{Port: 70000}},
		LivenessProbe:           &workload.Probe{PeriodSeconds: 1, TimeoutSeconds: 2, FailureThreshold: 1},
		StartupProbe:            &workload.Probe{Exec: []string{}, SoonerThanReadiness: true},
		Replicas:                3,
		Autoscaling:             &workload.Autoscaling{Min: 2, Max: 1, CPUPercent: 60, ScaleUpWindowSeconds: 400},
		Rollout:                 &workload.Rollout{MaxSurge: "0", MaxUnavailable: "25%"},
		DisruptionBudget:        "0",
		Spread:                  &workload.Spread{Zones: "Never"},
		DrainSeconds:            60,
		TerminationGraceSeconds: 60,
		ProgressDeadlineSeconds: 60,
		Service:                 &workload.Service{Name: "0", Port: 100000, NodePort: 80, Type: "LoadBalancer"},
	})
	want := `slipway:index:AppDeployment "Front_End" has 33 invalid argument(s):
  name is "Front_End", must be 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last: it becomes a label and the container's name
  namespace is "Example", must be 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last
  image is "frontend:latest", must be a fixed tag or a digest: pushing "latest" again rolls nothing out
  port is 80, must be 1024 to 65535: the process is not root and cannot listen below; service.port may be 80
  environment[A=B] has the name "A=B", must be printable ASCII characters but "="
  secrets[BOTH] stands in environment too, must be in one of them
  secrets[NONE] has no value, must be a string; an empty one is allowed
  resources.requests.memory is "64m", must be whole bytes such as "128Mi": the suffix "m" is a thousandth, "Mi" is 1024 × 1024
  resources.limits.memory is "1X", must be a quantity of bytes such as "128Mi" or "1Gi"
  resources.requests.cpu is "2", must be at most resources.limits.cpu ("1")
  runAsUser is -1, must be 1 to 2147483647
  scratch[0].path is "tmp", must be an absolute path without ":", "..", or a slash at its end, and not "/"
  scratch[2] is "/a", the same as scratch[1]
  scratch on disk comes to 2176Mi, must be at most resources.limits.ephemeralStorage (1Gi), else the pod ends before its scratch is full
  healthPath is "health", must be a path that starts with "/"
  readinessProbe has http and tcp, must have one of them: a probe asks one question
  readinessProbe.tcp.port is 70000, must be 1 to 65535
  livenessProbe.timeoutSeconds is 2, must be 1 to periodSeconds (1): the next question waits for the answer
  startupProbe.exec is empty, must be a command and its arguments, for example ["curl", "-f", "http://localhost:8000/"]
  startupProbe.soonerThanReadiness is true, must be unset: it is for the livenessProbe
  livenessProbe restarts a pod after 1 s (periodSeconds 1 × failureThreshold 1), must not be before readiness takes it out of service after 30 s (10 × 3): under load it would restart pods in a cascade; soonerThanReadiness allows it
  replicas is 3, must be unset with autoscaling, which sets the number (2 to 1)
  autoscaling.max is 1, must be at least autoscaling.min (2)
  autoscaling.scaleDownWindowSeconds is 300, must be 1 to 3600 and not less than scaleUpWindowSeconds (400): pods that go sooner than they come make the number swing
  rollout.maxUnavailable is "25%" and maxSurge "0", together they let no pod be replaced: maxSurge is 0, maxUnavailable is 25% of 2 = 0.5, rounded down to 0; one must come to 1 or more
  disruptionBudget is "0", must let one pod go at least: with none, no node with such a pod can be drained or updated
  spread.zones is "Never", must be one of "ScheduleAnyway", "DoNotSchedule", "Off"
  terminationGraceSeconds is 60, must be more than drainSeconds (60) + slowestRequestSeconds (20) = 80: the pod would be killed with requests in flight
  progressDeadlineSeconds is 60, must be more than 130: a pod may take 120 s to start (startup and readiness probes) and counts after 10 s (minReadySeconds)
  service.name is "0", must be 1 to 63 lower-case letters, digits and hyphens, a letter first: it is a host name
  service.port is 100000, must be 1 to 65535
  service.type is "LoadBalancer", must be one of "ClusterIP", "NodePort"
  service.nodePort is 80, must be unset with type "LoadBalancer"`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if got := r.Tree(); strings.Contains(got, "slipway") {
		t.Errorf("registered in spite of the errors:\n%s", got)
	}
}

func TestNothingGiven(t *testing.T) {
	var err error
	_ = cluster().Run(func(ctx *pulumi.Context) error {
		_, err = workload.NewAppDeployment(ctx, "frontend", nil)
		return err
	})
	want := `slipway:index:AppDeployment "frontend" has 4 invalid argument(s):
  provider is required: a Kubernetes provider, for example the option pulumi.Provider(cluster.Provider): without one the objects go to whatever cluster the kubeconfig at hand points to
  namespace is required, for example namespace.Name
  image is required, for example "123456789012.dkr.ecr.us-west-2.amazonaws.com/frontend:1.4.2"
  port is required, for example 8000`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// Each is one change of good arguments, and what is said to it; nothing is said to the empty ones.
func TestOneProblem(t *testing.T) {
	type args = workload.AppDeploymentArgs
	for name, c := range map[string]struct {
		change func(*args)
		want   string
	}{
		"surge 0 with a percentage that rounds to nothing": {
			func(a *args) { a.Rollout = &workload.Rollout{MaxSurge: "0", MaxUnavailable: "25%"} },
			`rollout.maxUnavailable is "25%" and maxSurge "0", together they let no pod be replaced: maxSurge is 0, maxUnavailable is 25% of 2 = 0.5, rounded down to 0; one must come to 1 or more`,
		},
		"surge 0 is honoured": {
			func(a *args) { a.Replicas, a.Rollout = 4, &workload.Rollout{MaxSurge: "0", MaxUnavailable: "25%"} }, "",
		},
		"both 0%": {
			func(a *args) { a.Rollout = &workload.Rollout{MaxSurge: "0%", MaxUnavailable: "0"} },
			`rollout.maxUnavailable is "0" and maxSurge "0%", together they let no pod be replaced: maxSurge is 0% of 2 = 0, maxUnavailable is 0; one must come to 1 or more`,
		},
		"no pod left": {
			func(a *args) { a.Replicas, a.Rollout = 1, &workload.Rollout{MaxUnavailable: "1"} },
			`rollout.maxUnavailable is "1", must leave a pod serving: 1 of 1 replica(s) may be missing; for a release with a gap say strategy "Recreate"`,
		},
		"recreate with a surge": {
			func(a *args) { a.Rollout = &workload.Rollout{Strategy: workload.Recreate, MaxSurge: "1"} },
			`rollout.maxSurge is "1", must be unset with strategy "Recreate", which ends all old pods first`,
		},
		"a negative surge": {
			func(a *args) { a.Rollout = &workload.Rollout{MaxSurge: "-1"} },
			`rollout.maxSurge is "-1", must be a number of pods such as "1" or a percentage such as "25%"`,
		},
		"grace too short": {
			func(a *args) { a.TerminationGraceSeconds = 50 },
			`terminationGraceSeconds is 50, must be more than drainSeconds (30) + slowestRequestSeconds (20) = 50: the pod would be killed with requests in flight`,
		},
		"grace just enough": {func(a *args) { a.TerminationGraceSeconds = 51 }, ""},
		"longer than a node's drain": {
			func(a *args) { a.DrainSeconds, a.SlowestRequestSeconds = 300, 600 },
			`terminationGraceSeconds comes to drainSeconds (300) + slowestRequestSeconds (600) + 10 to exit = 910, must be at most 900: a node group's update waits 15 minutes for pods to leave a node, then fails`,
		},
		"progress deadline within the start": {
			func(a *args) { a.ProgressDeadlineSeconds = 125 },
			`progressDeadlineSeconds is 125, must be more than 125: a pod may take 120 s to start (startup and readiness probes) and counts after 5 s (minReadySeconds)`,
		},
		"liveness sooner than readiness": {
			func(a *args) { a.LivenessProbe = &workload.Probe{PeriodSeconds: 5, FailureThreshold: 2} },
			`livenessProbe restarts a pod after 10 s (periodSeconds 5 × failureThreshold 2), must not be before readiness takes it out of service after 15 s (5 × 3): under load it would restart pods in a cascade; soonerThanReadiness allows it`,
		},
		"liveness sooner, and meant so": {
			func(a *args) {
				a.LivenessProbe = &workload.Probe{PeriodSeconds: 5, FailureThreshold: 2, SoonerThanReadiness: true}
			}, "",
		},
		"two kinds of probe": {
			func(a *args) {
				a.LivenessProbe = &workload.Probe{HTTP: &workload.HTTPProbe{}, Exec: []string{"/bin/true"}}
			},
			`livenessProbe has http and exec, must have one of them: a probe asks one question`,
		},
		"no readiness": {
			func(a *args) { a.ReadinessProbe = &workload.Probe{Off: true} },
			`readinessProbe.off is true, must be false: without a readiness probe a rolling update sends requests to pods that do not answer yet`,
		},
		"no liveness": {func(a *args) {
			a.LivenessProbe, a.StartupProbe = &workload.Probe{Off: true}, &workload.Probe{Off: true}
		}, ""},
		"a target of nothing chosen": {
			func(a *args) { a.Autoscaling = &workload.Autoscaling{Min: 1, Max: 3, MemoryPercent: 80} },
			`autoscaling.memoryPercent is 80, needs resources.requests.memory: the percentage refers to it`,
		},
		"a limit stands for the request": {
			func(a *args) {
				a.Resources = &workload.Resources{Limits: workload.Amounts{Memory: "64Mi"}}
				a.Autoscaling = &workload.Autoscaling{Min: 1, Max: 3, MemoryPercent: 80}
			}, "",
		},
		"a target beyond the limit": {
			func(a *args) {
				a.Resources = &workload.Resources{Requests: workload.Amounts{CPU: "60m"}, Limits: workload.Amounts{CPU: "70m"}}
				a.Autoscaling = &workload.Autoscaling{Min: 1, Max: 3, CPUPercent: 110}
			},
			`autoscaling.cpuPercent is 110, must be at most 105: the limit (70m) is 116 % of the request (60m), use cannot pass it, and the autoscaler waits for a tenth more than its target`,
		},
		"no metric": {
			func(a *args) { a.Autoscaling = &workload.Autoscaling{Min: 1, Max: 3} },
			`autoscaling.cpuPercent is not given and neither are memoryPercent and metrics, must be one of them at least, for example 60`,
		},
		"a budget that blocks drains": {
			func(a *args) { a.DisruptionBudget = "0%" },
			`disruptionBudget is "0%", must let one pod go at least: with none, no node with such a pod can be drained or updated`,
		},
		"a budget that protects nothing": {
			func(a *args) { a.DisruptionBudget = "51%" },
			`disruptionBudget is "51%", must leave a pod serving: 51% of 2 = 1.02, rounded up to 2 of 2 replicas may go at once`,
		},
		"scratch beyond the memory": {
			func(a *args) { a.Scratch = []workload.Scratch{{Path: "/x", Size: "129Mi", InMemory: true}} },
			`scratch in memory comes to 129Mi, must be at most resources.limits.memory (128Mi), else the pod ends before its scratch is full`,
		},
		"a node port without the type": {
			func(a *args) { a.Service = &workload.Service{NodePort: 30080} },
			`service.nodePort is 30080, must be unset with type "ClusterIP"`,
		},
		"a node port out of range": {
			func(a *args) { a.Service = &workload.Service{Type: workload.NodePort, NodePort: 8080} },
			`service.nodePort is 8080, must be 30000 to 32767`,
		},
		"memory in thousandths": {
			func(a *args) { a.Resources = &workload.Resources{Limits: workload.Amounts{Memory: "128m"}} },
			`resources.limits.memory is "128m", must be whole bytes such as "128Mi": the suffix "m" is a thousandth, "Mi" is 1024 × 1024`,
		},
		"memory without a unit": {
			func(a *args) { a.Resources = &workload.Resources{Limits: workload.Amounts{Memory: "128"}} },
			`resources.limits.memory is "128", which is 128 bytes, must be at least 6Mi`,
		},
		"a request beyond the limit in another unit": {
			func(a *args) {
				a.Resources = &workload.Resources{Requests: workload.Amounts{Memory: "1Gi"}, Limits: workload.Amounts{Memory: "1G"}}
			},
			`resources.requests.memory is "1Gi", must be at most resources.limits.memory ("1G")`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := minimal()
			c.change(a)
			err := deploy(cluster(), "worker", a)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			want := "slipway:index:AppDeployment \"worker\" has 1 invalid argument(s):\n  " + c.want
			if err == nil || err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

func TestImages(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0a", 32)
	for image, want := range map[string]string{
		"frontend:1.4.2":                     "",
		"localhost:5000/a/b_c/d-e:v1":        "",
		"frontend" + digest:                  "",
		"ghcr.io/team/frontend:1.4" + digest: "",
		"frontend:latest" + digest:           "",
		"":                                   `must be a repository with a fixed tag or a digest`,
		"frontend":                           `must be a fixed tag or a digest: without one the runtime takes "latest"`,
		"localhost:5000/frontend":            `must be a fixed tag or a digest: without one`,
		"frontend:latest":                    `must be a fixed tag or a digest: pushing "latest" again rolls nothing out`,
		"frontend:":                          `must be a repository and a tag of`,
		"Frontend:1":                         `must be a host and a path`,
		"https://ghcr.io/frontend:1":         `must be a host and a path`,
		" frontend:1":                        `must be a host and a path`,
		"frontend@sha256:123":                `must be a repository followed by "@sha256:"`,
		"frontend:1 ":                        `must be a repository and a tag of`,
		":1":                                 `must be a host and a path`,
	} {
		a := minimal()
		a.Image = pulumi.String(image)
		err := deploy(cluster(), "worker", a)
		if want == "" && err != nil {
			t.Errorf("%q: %v", image, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %s", image, err, want)
		}
	}
}
