package workload_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/workload"
	"github.com/slipway-iac/slipway/internal/recorder"
)

func database() *workload.DatabaseArgs {
	return &workload.DatabaseArgs{
		Namespace: pulumi.String("example"), Host: "db.internal", Name: "thoughts", User: "app", Password: pulumi.String("swordfish"),
		Cidrs: []string{"10.20.0.0/16"},
	}
}

// backend has every part that an app can have.
func backend() *workload.AppDeploymentArgs {
	args := minimal()
	args.Command, args.Arguments = []string{"/app/serve"}, []string{"--port", "8000"}
	args.Files = map[string]pulumi.StringInput{"/etc/app/b.conf": pulumi.String("b"), "/etc/app/a.conf": pulumi.String("a")}
	args.SecretFiles = map[string]pulumi.StringInput{"/etc/app/key.pem": pulumi.String("swordfish")}
	args.BeforeRelease = &workload.BeforeRelease{Command: []string{"/app/migrate", "up"}}
	args.InitContainers = []workload.Container{{Name: "warm", Image: pulumi.String("warm:1"), Secrets: map[string]pulumi.StringInput{"TOKEN": pulumi.String("swordfish")}}}
	args.Sidecars = []workload.Container{{Name: "proxy", Image: pulumi.String("proxy:1"), Port: 15432, Secrets: map[string]pulumi.StringInput{"TOKEN": pulumi.String("marzipan")}}}
	args.Volumes = []workload.Volume{
		{Path: "/uploads", Claim: "uploads", AccessMode: workload.ReadWriteMany}, {Path: "/ca", ConfigMap: "ca"}, {Path: "/tls", Secret: "tls"},
	}
	args.Resources = &workload.Resources{Requests: workload.Amounts{CPU: "60m"}}
	args.Autoscaling = &workload.Autoscaling{
		Min: 2, Max: 8, CPUPercent: 60,
		Metrics: []workload.Metric{{Name: "requests", AveragePerPod: "100"}, {Name: "queue", AveragePerPod: "30", External: true, Labels: map[string]string{"queue": "mail"}}},
	}
	args.ReadinessProbe = &workload.Probe{GRPC: &workload.GRPCProbe{Service: "app"}}
	args.Near = []workload.Neighbour{{App: "cache"}}
	args.AwayFrom = []workload.Neighbour{{App: "batch", Within: workload.WithinNode, Required: true}}
	args.PriorityClass = "high"
	args.Service = &workload.Service{}
	args.Network = &workload.Network{
		From: []workload.Peer{{App: "frontend"}, {Namespace: "monitoring"}, {App: "ingress", Namespace: "edge"}},
		To:   []workload.Destination{{App: "cache", Port: 6379}, {Cidr: "203.0.113.0/24", Port: 443}},
	}
	args.ServiceAccount = &workload.ServiceAccount{}
	return args
}

// bound runs a Database and an AppDeployment that uses it.
func bound(r *recorder.Recorder, d *workload.DatabaseArgs, args *workload.AppDeploymentArgs) error {
	var refused error
	err := r.Run(func(ctx *pulumi.Context) error {
		provider, err := kubernetes.NewProvider(ctx, "cluster", nil)
		if err != nil {
			return err
		}
		db, err := workload.NewDatabase(ctx, "database", d, pulumi.Provider(provider))
		if refused = err; err != nil {
			return err
		}
		args.Database = db.Binding
		_, refused = workload.NewAppDeployment(ctx, "backend", args, pulumi.Provider(provider))
		return refused
	})
	if refused != nil {
		return refused
	}
	return err
}

func TestEveryPartGolden(t *testing.T) {
	full, address := cluster(), cluster()
	if err := bound(full, database(), backend()); err != nil {
		t.Fatal(err)
	}
	d := database()
	d.Host, d.Cidrs, d.ServiceName, d.HostInVariables = "10.20.0.7", nil, "postgres", true
	d.Variables = &workload.DatabaseVariables{Host: "PGHOST", Port: "PGPORT", Name: "PGDATABASE", User: "PGUSER", Password: "PGPASSWORD"}
	if err := bound(address, d, minimal()); err != nil {
		t.Fatal(err)
	}
	full.Golden(t, "parts")
	address.Golden(t, "address")
	recorder.CheckDocTree(t, "database.go", "Database", full, address)
}

func TestDatabaseMistakes(t *testing.T) {
	r := cluster()
	d := &workload.DatabaseArgs{
		Namespace: pulumi.String("Example"), Host: "db.internal:5432", Port: 70000, ServiceName: "Db", Cidrs: []string{"10.20.0.1/16", "x"},
		Variables: &workload.DatabaseVariables{Host: "1HOST", User: "POSTGRES_DB"},
	}
	err := bound(r, d, minimal())
	want := `slipway:index:Database "database" has 11 invalid argument(s):
  namespace is "Example", must be 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last
  host is "db.internal:5432", must be an IP address or a DNS name of lower-case letters, digits, hyphens and periods, without a port
  port is 70000, must be 1 to 65535
  name is required, for example "thoughts"
  user is required, for example "postgres"
  password is required, for example cfg.RequireSecret("databasePassword")
  serviceName is "Db", must be 1 to 63 lower-case letters, digits and hyphens, a letter first: it is a host name
  cidrs[0] is "10.20.0.1/16", must have no bits beyond its mask: "10.20.0.0/16"
  cidrs[1] is "x", must be a range of addresses such as "10.20.0.0/16" or "10.20.0.7/32"
  variables.host is "1HOST", must be letters, digits, underscores, periods and hyphens, at most 253, no digit or ".." first
  variables.user is "POSTGRES_DB", the same as variables.name`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if got := r.Tree(); strings.Contains(got, "slipway") {
		t.Errorf("registered in spite of the errors:\n%s", got)
	}
	d = database()
	d.Host = "127.0.0.1"
	if err := bound(cluster(), d, minimal()); err == nil || !strings.Contains(err.Error(), `host is "127.0.0.1", must be an address that every node reaches`) {
		t.Errorf("got %v", err)
	}
}

// Each is one change of good arguments, and what is said to it; nothing is said to the empty ones.
func TestProblemsWithParts(t *testing.T) {
	type args = workload.AppDeploymentArgs
	const once = `volumes[0] (claim "data", ReadWriteOnce) can be mounted by one node at a time`
	data := []workload.Volume{{Path: "/data", Claim: "data"}}
	for name, c := range map[string]struct {
		change func(*args)
		want   []string
	}{
		"a volume of one node": {func(a *args) { a.Volumes = data }, []string{
			`rollout.strategy is "RollingUpdate", must be "Recreate": ` + once + `, and a new pod would wait for the old one's`,
			`replicas is 2, must be 1: ` + once,
		}},
		"a volume of one node, and one pod": {func(a *args) {
			a.Volumes, a.Replicas, a.Rollout = data, 1, &workload.Rollout{Strategy: workload.Recreate}
		}, nil},
		"a volume of one node under an autoscaler": {func(a *args) {
			a.Volumes, a.Rollout = data, &workload.Rollout{Strategy: workload.Recreate}
			a.Resources, a.Autoscaling = &workload.Resources{Requests: workload.Amounts{CPU: "60m"}}, &workload.Autoscaling{Min: 2, Max: 4, CPUPercent: 60}
		}, []string{"autoscaling is given, must be unset: " + once}},
		"a database of its own": {func(a *args) {
			a.Sidecars = []workload.Container{{Name: "db", Image: pulumi.String("docker.io/library/postgres:16.4")}}
		}, []string{`replicas is 2, must be 1: sidecars[0] is a database (docker.io/library/postgres:16.4): every pod would have data of its own, and lose it; a Database outside can be shared`}},
		"nothing but a database": {func(a *args) { a.Image = pulumi.String("postgres:16.4") }, []string{
			`replicas is 2, must be 1: image is a database (postgres:16.4): every pod would have data of its own, and lose it; a Database outside can be shared`,
		}},
		"one database": {func(a *args) { a.Image, a.Replicas = pulumi.String("postgres:16.4"), 1 }, nil},
		"a proxy to a database": {func(a *args) {
			a.Sidecars = []workload.Container{{Name: "db", Image: pulumi.String("postgres-exporter:1")}}
		}, nil},
		"two kinds of volume, and none": {func(a *args) {
			a.Volumes = []workload.Volume{{Path: "/a", ConfigMap: "a", Secret: "a"}, {Path: "/tmp"}, {Path: "a", Secret: "A", AccessMode: "x"}}
		}, []string{
			`volumes[0] has configMap and secret, must have one of claim, configMap and secret`,
			`volumes[1].path is "/tmp", the same as of scratch[0]`,
			`volumes[1] has none, must have one of claim, configMap and secret`,
			`volumes[2].path is "a", must be an absolute path without ":", "..", or a slash at its end, and not "/"`,
			`volumes[2].secret is "A", must be 1 to 253 lower-case letters, digits, hyphens and periods`,
			`volumes[2].accessMode is "x", must be unset without a claim`,
		}},
		"files": {func(a *args) {
			a.Files = map[string]pulumi.StringInput{"etc": pulumi.String(""), "/both": pulumi.String(""), "/tmp": nil}
			a.SecretFiles = map[string]pulumi.StringInput{"/both": pulumi.String("")}
		}, []string{
			`files[/tmp] is at the same path as scratch[0]`,
			`files[/tmp] has no content, must be a string; an empty one is allowed`,
			`files[etc] is "etc", must be an absolute path without ":", "..", or a slash at its end, and not "/"`,
			`secretFiles[/both] is at the same path as files[/both]`,
		}},
		"files below a file": {func(a *args) {
			a.Files = map[string]pulumi.StringInput{"/etc/app": pulumi.String(""), "/etc/app/b/a.conf": pulumi.String(""), "/etc/app.conf": pulumi.String("")}
			a.SecretFiles = map[string]pulumi.StringInput{"/run/key": pulumi.String("")}
			a.Scratch = []workload.Scratch{{Path: "/run/key/x"}}
		}, []string{
			`files[/etc/app/b/a.conf] is at "/etc/app/b/a.conf", must not be below files[/etc/app], which is a file`,
			`scratch[0] is at "/run/key/x", must not be below secretFiles[/run/key], which is a file`,
		}},
		"too much": {func(a *args) {
			a.Files = map[string]pulumi.StringInput{"/big": pulumi.String(strings.Repeat("x", 1<<20)), "/bit": pulumi.String("x")}
		}, []string{`files come to 1048577 bytes, must be at most 1048576 together: they are kept in one object; larger ones belong into the image or a volume`}},
		"containers": {func(a *args) {
			a.InitContainers = []workload.Container{{Name: "worker", Image: pulumi.String("x:latest"), Port: 8080}}
			a.Sidecars = []workload.Container{
				{Name: "Proxy"},
				{Name: "p", Image: pulumi.String("p:1"), Port: 80, Resources: &workload.Resources{Requests: workload.Amounts{CPU: "x"}}},
				{Name: "p", Image: pulumi.String("p:1")},
				{Name: "q", Image: pulumi.String("q:1"), Port: 8000},
				{Name: "r", Image: pulumi.String("r:1"), Port: 9000},
				{Name: "s", Image: pulumi.String("s:1"), Port: 9000},
			}
		}, []string{
			`initContainers[0].name is "worker", the same as of the app`,
			`initContainers[0].port is 8080, must be unset: an init container ends before the app starts`,
			`initContainers[0].image is "x:latest", must be a fixed tag or a digest: pushing "latest" again rolls nothing out`,
			`sidecars[0].name is "Proxy", must be 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last`,
			`sidecars[0].image is required, for example "123456789012.dkr.ecr.us-west-2.amazonaws.com/frontend:1.4.2"`,
			`sidecars[1].port is 80, must be 1024 to 65535`,
			`sidecars[1].resources.requests.cpu is "x", must be a quantity of cores such as "250m" or "2"`,
			`sidecars[2].name is "p", the same as of sidecars[1]`,
			`sidecars[3].port is 8000, the same as of the app: the containers of a pod share its ports`,
			`sidecars[5].port is 9000, the same as of sidecars[4]: the containers of a pod share its ports`,
		}},
		"before a release": {func(a *args) { a.BeforeRelease = &workload.BeforeRelease{TimeoutSeconds: 7201, Retries: 11} }, []string{
			`beforeRelease.command is required, for example ["/app/migrate", "up"]`,
			`beforeRelease.timeoutSeconds is 7201, must be 1 to 7200`,
			`beforeRelease.retries is 11, must be 0 to 10`,
		}},
		"neighbours": {func(a *args) {
			a.Near = []workload.Neighbour{{App: "worker"}, {App: "x", Within: "Rack"}}
			a.AwayFrom = []workload.Neighbour{{App: "y"}, {App: "y", Within: workload.WithinZone}}
			a.PriorityClass = "High"
		}, []string{
			`near[0].app is "worker", the app itself, must be another: spread says how its own pods are kept apart`,
			`near[1].within is "Rack", must be one of "Zone", "Node"`,
			`awayFrom[1] names "y" within a Zone, as awayFrom[0] does`,
			`priorityClass is "High", must be 1 to 253 lower-case letters, digits, hyphens and periods`,
		}},
		"routes": {func(a *args) {
			a.Network = &workload.Network{
				From: []workload.Peer{{}, {App: "x", Cidr: "10.0.0.0/8"}, {Cidr: "10.0.0.1/8"}},
				To:   []workload.Destination{{App: "X"}, {Namespace: "Y", Port: 70000}},
			}
		}, []string{
			`network.from[0] names nobody, must have app, namespace or cidr`,
			`network.from[1].cidr is "10.0.0.0/8", must be unset with app or namespace`,
			`network.from[2].cidr is "10.0.0.1/8", must have no bits beyond its mask: "10.0.0.0/8"`,
			`network.to[0].app is "X", must be 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last`,
			`network.to[0].port is required, for example 8000`,
			`network.to[1].namespace is "Y", must be 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last`,
			`network.to[1].port is 70000, must be 1 to 65535`,
		}},
		"a guarded node port": {func(a *args) {
			a.Service, a.Network = &workload.Service{Type: workload.NodePort}, &workload.Network{From: []workload.Peer{}}
		}, []string{`network.from is given, must be unset with service.type "NodePort": the nodes pass requests on under their own addresses; the nodes' security group says who may connect`}},
		"metrics": {func(a *args) {
			a.Autoscaling = &workload.Autoscaling{Min: 1, Max: 2, Metrics: []workload.Metric{{}, {Name: "x", AveragePerPod: "0"}, {Name: "x", AveragePerPod: "ten"}, {Name: "queue/length", AveragePerPod: "1"}, {Name: "..", AveragePerPod: "1"}}}
		}, []string{
			`autoscaling.metrics[0].name is required, for example "http_requests_per_second"`,
			`autoscaling.metrics[0].averagePerPod is required, for example "100"`,
			`autoscaling.metrics[1].averagePerPod is "0", must be at least 1m`,
			`autoscaling.metrics[2].averagePerPod is "ten", must be a quantity such as "100" or "500m"`,
			`autoscaling.metrics[3].name is "queue/length", must be a name without "/" and "%", and not "." or "..": it stands in a path of the metrics API`,
			`autoscaling.metrics[4].name is "..", must be a name without "/" and "%", and not "." or "..": it stands in a path of the metrics API`,
		}},
		"the namespace's own account": {func(a *args) { a.ServiceAccount = &workload.ServiceAccount{Name: "default"} }, []string{
			`serviceAccount.name is "default", must be another: that one is the namespace's own`,
		}},
		"a grpc probe": {func(a *args) {
			a.LivenessProbe = &workload.Probe{GRPC: &workload.GRPCProbe{Port: -1}}
			a.StartupProbe = &workload.Probe{GRPC: &workload.GRPCProbe{}, TCP: &workload.TCPProbe{}}
		}, []string{
			`livenessProbe.grpc.port is -1, must be 1 to 65535`,
			`startupProbe has tcp and grpc, must have one of them: a probe asks one question`,
		}},
		"names of variables": {func(a *args) {
			a.Environment = map[string]pulumi.StringInput{"": pulumi.String(""), "é": pulumi.String(""), "1..A:b c": pulumi.String("")}
			a.Secrets = map[string]pulumi.StringInput{".": pulumi.String(""), "..A": pulumi.String(""), "1A": pulumi.String(""), ".A": pulumi.String(""), "A..": pulumi.String("")}
		}, []string{
			`environment[] has the name "", must be printable ASCII characters but "="`,
			`environment[é] has the name "é", must be printable ASCII characters but "="`,
			`secrets[.] has the name ".", must be letters, digits, underscores, periods and hyphens, at most 253, no digit or ".." first`,
			`secrets[..A] has the name "..A", must be letters, digits, underscores, periods and hyphens, at most 253, no digit or ".." first`,
			`secrets[1A] has the name "1A", must be letters, digits, underscores, periods and hyphens, at most 253, no digit or ".." first`,
		}},
		"a variable twice": {func(a *args) {
			a.Environment = map[string]pulumi.StringInput{"HOST": pulumi.String("x")}
			a.Database = &workload.DatabaseBinding{Environment: map[string]pulumi.StringInput{"HOST": pulumi.String("y")}}
		}, []string{`environment[HOST] stands in database too, must be in one of them`}},
	} {
		t.Run(name, func(t *testing.T) {
			a := minimal()
			c.change(a)
			err := deploy(cluster(), "worker", a)
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			_, got, _ := strings.Cut(err.Error(), ":\n  ")
			if want := strings.Join(c.want, "\n  "); got != want {
				t.Errorf("got\n  %v\nwant\n  %s", got, want)
			}
		})
	}
}

func TestALongNameHasNoRoomForTheJob(t *testing.T) {
	args := minimal()
	args.BeforeRelease = &workload.BeforeRelease{Command: []string{"/migrate"}}
	if err := deploy(cluster(), strings.Repeat("a", 39), args); err != nil {
		t.Error(err)
	}
	err := deploy(cluster(), strings.Repeat("a", 40), args)
	if err == nil || !strings.Contains(err.Error(), "beforeRelease makes the Job's name 55 characters long, must be at most 54") {
		t.Errorf("got %v", err)
	}
}

// The API server refuses a policy that selects what no label can be, and an app's name may be as long as a label.
func TestALongNameHasAPolicy(t *testing.T) {
	r, args := cluster(), minimal()
	args.Network = &workload.Network{
		From: []workload.Peer{{App: strings.Repeat("b", 63)}}, To: []workload.Destination{{App: strings.Repeat("c", 49), Port: 8000}, {App: strings.Repeat("d", 48), Port: 8000}},
	}
	if err := deploy(r, strings.Repeat("a", 63), args); err != nil {
		t.Fatal(err)
	}
	var selected []string
	for _, m := range regexp.MustCompile(`values:\{\[([^\]]*)\]`).FindAllStringSubmatch(resource.NewObjectProperty(policy(t, r, strings.Repeat("a", 63)+"-network")).String(), -1) {
		for _, v := range strings.Fields(m[1]) {
			if v = strings.Trim(v, "{}"); len(v) > 63 {
				t.Errorf("selects %q, of %d characters", v, len(v))
			}
			selected = append(selected, v)
		}
	}
	want := []string{strings.Repeat("a", 63), strings.Repeat("b", 63), strings.Repeat("c", 49), strings.Repeat("d", 48), strings.Repeat("d", 48) + "-before-release"}
	slices.Sort(selected)
	if !slices.Equal(selected, want) {
		t.Errorf("selects %q, want %q", selected, want)
	}
}

// What a refresh reads back is what was sent, so that no preview shows a change that is none.
func TestAMetricsTargetIsAsTheServerWritesIt(t *testing.T) {
	for given, want := range map[string]string{"1000": "1k", "0.5": "500m", "1.50": "1500m", "30": "30", "1500u": "1500u"} {
		r, args := cluster(), minimal()
		args.Autoscaling = &workload.Autoscaling{Min: 1, Max: 2, Metrics: []workload.Metric{{Name: "requests", AveragePerPod: given}}}
		if err := deploy(r, "worker", args); err != nil {
			t.Fatal(err)
		}
		spec := r.Find(t, "kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "worker-autoscaler").Inputs["spec"].ObjectValue()
		got := spec["metrics"].ArrayValue()[0].ObjectValue()["pods"].ObjectValue()["target"].ObjectValue()["averageValue"].StringValue()
		if got != want || args.Autoscaling.Metrics[0].AveragePerPod != given {
			t.Errorf("%q is sent as %q, want %q; the caller's is %q now", given, got, want, args.Autoscaling.Metrics[0].AveragePerPod)
		}
	}
}

// The pods of a release may come only after what it needs, and the requests of others may not reach what runs before it.
func TestTheJobComesFirstAndServesNobody(t *testing.T) {
	r := cluster()
	if err := bound(r, database(), backend()); err != nil {
		t.Fatal(err)
	}
	if d := r.Find(t, deploymentType, "backend-deployment"); !slices.ContainsFunc(d.RegisterRPC.GetDependencies(), func(urn string) bool {
		return strings.HasSuffix(urn, "backend-before-release")
	}) {
		t.Errorf("the Deployment does not wait for the Job: %v", d.RegisterRPC.GetDependencies())
	}
	// A new Service waits for pods, and would have given up by the time a long command ends.
	if s := r.Find(t, "kubernetes:core/v1:Service", "backend-service"); !slices.ContainsFunc(s.RegisterRPC.GetDependencies(), func(urn string) bool {
		return strings.HasSuffix(urn, "backend-before-release")
	}) {
		t.Errorf("the Service does not wait for the Job: %v", s.RegisterRPC.GetDependencies())
	}
	job := r.Find(t, "kubernetes:batch/v1:Job", "backend-before-release").Inputs
	template := job["spec"].ObjectValue()["template"].ObjectValue()
	selects := r.Find(t, "kubernetes:core/v1:Service", "backend-service").Inputs["spec"].ObjectValue()["selector"].ObjectValue()["app.kubernetes.io/name"].StringValue()
	if got := template["metadata"].ObjectValue()["labels"].ObjectValue()["app.kubernetes.io/name"].StringValue(); got == selects {
		t.Errorf("the Service selects the Job's pods: %q", got)
	}
	pod := template["spec"].ObjectValue()
	if c := pod["containers"].ArrayValue()[0].ObjectValue(); c.HasValue("readinessProbe") || c.HasValue("lifecycle") || c.HasValue("ports") {
		t.Errorf("a command that ends is asked whether it serves: %v", c)
	}
	if job["spec"].ObjectValue().HasValue("ttlSecondsAfterFinished") {
		t.Error("a Job that Kubernetes takes away is run anew by the next up")
	}
}

// policy is the named one's spec.
func policy(t *testing.T, r *recorder.Recorder, name string) resource.PropertyMap {
	t.Helper()
	return r.Find(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy", name).Inputs["spec"].ObjectValue()
}

func TestRoutesByDefault(t *testing.T) {
	for name, c := range map[string]struct {
		args  *workload.AppDeploymentArgs
		types int
		from  string
	}{
		"every pod of the namespace": {minimal(), 1, `{[{map[podSelector:{map[]}]}]}`},
		"anyone to a node port": {func() *workload.AppDeploymentArgs {
			a := minimal()
			a.Service = &workload.Service{Type: workload.NodePort}
			return a
		}(), 1, ""},
		"nobody": {func() *workload.AppDeploymentArgs {
			a := minimal()
			a.Network = &workload.Network{From: []workload.Peer{}, To: []workload.Destination{}}
			return a
		}(), 2, "none"},
	} {
		r := cluster()
		if err := deploy(r, "worker", c.args); err != nil {
			t.Fatal(err)
		}
		spec, from := policy(t, r, "worker-network"), "none"
		if in := spec["ingress"].ArrayValue(); len(in) == 1 {
			from = ""
			if f, given := in[0].ObjectValue()["from"]; given {
				from = f.String()
			}
		}
		if got := len(spec["policyTypes"].ArrayValue()); got != c.types || from != c.from {
			t.Errorf("%s: %d policy types, want %d; from %q, want %q", name, got, c.types, from, c.from)
		}
	}
}
