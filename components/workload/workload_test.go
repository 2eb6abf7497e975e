package workload_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/workload"
	"github.com/slipway-iac/slipway/internal/recorder"
)

const (
	image          = "123456789012.dkr.ecr.us-west-2.amazonaws.com/frontend:1.4.2"
	deploymentType = "kubernetes:apps/v1:Deployment"
)

// cluster is a recorder that names and numbers as an API server does.
func cluster() *recorder.Recorder {
	named := func(a pulumi.MockResourceArgs) resource.PropertyMap {
		metadata := a.Inputs["metadata"].ObjectValue().Copy()
		if !metadata.HasValue("name") {
			metadata["name"] = resource.NewStringProperty(a.Name + "-1a2b3c4d")
		}
		return resource.PropertyMap{"metadata": resource.NewObjectProperty(metadata)}
	}
	return &recorder.Recorder{Outputs: map[string]func(pulumi.MockResourceArgs) resource.PropertyMap{
		deploymentType:                      named,
		"kubernetes:core/v1:Secret":         named,
		"kubernetes:core/v1:Namespace":      named,
		"kubernetes:core/v1:ConfigMap":      named,
		"kubernetes:core/v1:ServiceAccount": named,
		"kubernetes:core/v1:Service": func(a pulumi.MockResourceArgs) resource.PropertyMap {
			out := named(a)
			spec := a.Inputs["spec"].ObjectValue().Copy()
			if !spec.HasValue("ports") {
				return out // an ExternalName
			}
			port := spec["ports"].ArrayValue()[0].ObjectValue().Copy()
			if spec["type"].StringValue() == workload.NodePort && !port.HasValue("nodePort") {
				port["nodePort"] = resource.NewNumberProperty(31234)
			}
			spec["ports"] = resource.NewArrayProperty([]resource.PropertyValue{resource.NewObjectProperty(port)})
			out["spec"] = resource.NewObjectProperty(spec)
			return out
		},
	}}
}

// deploy runs one AppDeployment with a provider of its own; its error is the constructor's if that has one, else the run's.
func deploy(r *recorder.Recorder, name string, args *workload.AppDeploymentArgs, then ...func(*workload.AppDeployment)) error {
	var refused error
	err := r.Run(func(ctx *pulumi.Context) error {
		provider, err := kubernetes.NewProvider(ctx, "cluster", nil)
		if err != nil {
			return err
		}
		c, err := workload.NewAppDeployment(ctx, name, args, pulumi.Provider(provider))
		if refused = err; err != nil {
			return err
		}
		for _, f := range then {
			f(c)
		}
		return nil
	})
	if refused != nil {
		return refused
	}
	return err
}

// addresses are a deployment's outputs: its name, the Service's, the node port, and the rollout in words.
func addresses(t *testing.T, name string, args *workload.AppDeploymentArgs) []any {
	t.Helper()
	got := make(chan []any, 1)
	err := deploy(cluster(), name, args, func(c *workload.AppDeployment) {
		pulumi.All(c.DeploymentName, c.ServiceName, c.NodePort, c.RolloutSummary).ApplyT(func(all []any) string {
			got <- all
			return ""
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return <-got
}

func minimal() *workload.AppDeploymentArgs {
	return &workload.AppDeploymentArgs{Namespace: pulumi.String("example"), Image: pulumi.String(image), Port: 8000}
}

// frontend is the service of the story.
func frontend() *workload.AppDeploymentArgs {
	return &workload.AppDeploymentArgs{
		Namespace: pulumi.String("example"), Image: pulumi.String(image), Port: 8000,
		Environment: map[string]pulumi.StringInput{
			"USER_BACKEND_URL": pulumi.String("http://users-service"), "THOUGHTS_BACKEND_URL": pulumi.String("http://thoughts-service"),
		},
		Secrets: map[string]pulumi.StringInput{"SESSION_KEY": pulumi.String("swordfish"), "API_KEY": pulumi.String("marzipan")},
		Resources: &workload.Resources{
			Requests: workload.Amounts{CPU: "60m", Memory: "64Mi"}, Limits: workload.Amounts{CPU: "0.070", Memory: "128Mi"},
		},
		ReadinessProbe: &workload.Probe{PeriodSeconds: 10},
		LivenessProbe:  &workload.Probe{HTTP: &workload.HTTPProbe{Path: "/alive", Host: "frontend.example.local"}, InitialDelaySeconds: 5},
		StartupProbe:   &workload.Probe{Exec: []string{"/bin/started"}, PeriodSeconds: 5, FailureThreshold: 30},
		Autoscaling:    &workload.Autoscaling{Min: 2, Max: 8, CPUPercent: 10},
		Rollout:        &workload.Rollout{MaxSurge: "1", MaxUnavailable: "25%"},
		Spread:         &workload.Spread{Zones: workload.SpreadRequired},
		Scratch:        []workload.Scratch{{Path: "/tmp"}, {Path: "/run/app", Size: "1024Ki", InMemory: true}},
		Service:        &workload.Service{Name: "frontend-service", Type: workload.NodePort},
	}
}

func TestAppDeploymentGolden(t *testing.T) {
	full, plain, parts := cluster(), cluster(), cluster()
	if err := deploy(full, "frontend", frontend()); err != nil {
		t.Fatal(err)
	}
	if err := deploy(parts, "backend", backend()); err != nil {
		t.Fatal(err)
	}
	args := minimal()
	args.Rollout = &workload.Rollout{Strategy: workload.Recreate}
	args.Spread = &workload.Spread{Zones: workload.SpreadOff, Nodes: workload.SpreadOff}
	args.Scratch = []workload.Scratch{}
	if err := deploy(plain, "worker", args); err != nil {
		t.Fatal(err)
	}
	full.Golden(t, "frontend")
	plain.Golden(t, "worker")
	recorder.CheckDocTree(t, "appdeployment.go", "AppDeployment", full, plain, parts)
}

func TestOutputsAreTheClustersNames(t *testing.T) {
	got := addresses(t, "frontend", frontend())
	want := []any{
		"frontend-deployment-1a2b3c4d", "frontend-service", 31234,
		"2 pod(s): at most 3 at once (maxSurge 1), at least 2 serving (maxUnavailable 25% of 2 = 0.5, rounded down to 0)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestWithoutAServiceThereIsNoAddress(t *testing.T) {
	if got := addresses(t, "worker", minimal()); got[1] != "" || got[2] != 0 {
		t.Errorf("service %q, node port %d", got[1], got[2])
	}
}

func TestPreviewWithUnknownInputsAndOutputs(t *testing.T) {
	full, previewed := cluster(), cluster()
	if err := deploy(full, "frontend", frontend()); err != nil {
		t.Fatal(err)
	}
	previewed.Preview = true
	err := previewed.Run(func(ctx *pulumi.Context) error {
		provider, err := kubernetes.NewProvider(ctx, "cluster", nil)
		if err != nil {
			return err
		}
		unknown := pulumi.UnsafeUnknownOutput(nil).ApplyT(func(any) string { return "" }).(pulumi.StringOutput)
		args := frontend()
		args.Namespace, args.Image = unknown, unknown
		// Not in Secrets too: the SDK's mocks drop an unknown value out of a secret and then call the rest malformed.
		args.Environment["LATER"] = unknown
		c, err := workload.NewAppDeployment(ctx, "frontend", args, pulumi.Provider(provider))
		if err != nil {
			return err
		}
		pulumi.All(c.DeploymentName, c.NodePort).ApplyT(func([]any) string {
			t.Error("the Deployment's name and node port are known before they exist")
			return ""
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if full.Tree() != previewed.Tree() {
		t.Errorf("the preview shows other resources than the update makes:\n%s\nand\n%s", previewed.Tree(), full.Tree())
	}
}

func TestAnImageOutputThatTurnsOutBadStopsEverything(t *testing.T) {
	r := cluster()
	args := frontend()
	args.Image = pulumi.ToSecret(pulumi.String("registry.internal/hidden:latest")).(pulumi.StringOutput)
	err := deploy(r, "frontend", args)
	if err == nil || !strings.Contains(err.Error(),
		`slipway:index:AppDeployment "frontend": image has the tag "latest", must be a fixed tag or a digest: pushing "latest" again rolls nothing out`) {
		t.Errorf("got %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "hidden") {
		t.Errorf("the error shows a secret: %v", err)
	}
	if got := r.Tree(); strings.Contains(got, "frontend") {
		t.Errorf("registered in spite of the error:\n%s", got)
	}
}

func TestAGoodImageOutputPasses(t *testing.T) {
	r := cluster()
	args := minimal()
	args.Image = pulumi.String(image).ToStringOutput()
	if err := deploy(r, "worker", args); err != nil {
		t.Fatal(err)
	}
	if got := container(t, r, "worker")["image"].StringValue(); got != image {
		t.Errorf("got %q", got)
	}
}

func container(t *testing.T, r *recorder.Recorder, app string) resource.PropertyMap {
	t.Helper()
	return podSpec(t, r, app)["containers"].ArrayValue()[0].ObjectValue()
}

func podSpec(t *testing.T, r *recorder.Recorder, app string) resource.PropertyMap {
	t.Helper()
	spec := r.Find(t, deploymentType, app+"-deployment").Inputs["spec"].ObjectValue()
	return spec["template"].ObjectValue()["spec"].ObjectValue()
}

// plainText is every string of v that is not inside a secret.
func plainText(v resource.PropertyValue) (all []string) {
	switch {
	case v.IsSecret() || v.IsOutput() && v.OutputValue().Secret:
	case v.IsOutput():
		all = plainText(v.OutputValue().Element)
	case v.IsString():
		all = []string{v.StringValue()}
	case v.IsArray():
		for _, e := range v.ArrayValue() {
			all = append(all, plainText(e)...)
		}
	case v.IsObject():
		for _, e := range v.ObjectValue() {
			all = append(all, plainText(e)...)
		}
	}
	return all
}

func TestSecretsAreNeverPlain(t *testing.T) {
	r := cluster()
	if err := deploy(r, "frontend", frontend()); err != nil {
		t.Fatal(err)
	}
	for _, a := range r.Seen() {
		for _, text := range plainText(resource.NewObjectProperty(a.Inputs)) {
			for _, secret := range []string{"swordfish", base64.StdEncoding.EncodeToString([]byte("swordfish"))} {
				if strings.Contains(text, secret) {
					t.Errorf("%s %s shows %q", a.TypeToken, a.Name, text)
				}
			}
		}
	}
	data := r.Find(t, "kubernetes:core/v1:Secret", "frontend-secret").Inputs["data"]
	if !data.IsSecret() && !data.IsOutput() {
		t.Errorf("the Secret's data is plain in the state: %v", data)
	}
}

// A changed secret makes a Secret with a new name; the pods must start with that one.
func TestPodsReferToTheSecretByTheNameItGot(t *testing.T) {
	r := cluster()
	if err := deploy(r, "frontend", frontend()); err != nil {
		t.Fatal(err)
	}
	secret := r.Find(t, "kubernetes:core/v1:Secret", "frontend-secret").Inputs
	if !secret["immutable"].BoolValue() || secret["metadata"].ObjectValue().HasValue("name") {
		t.Errorf("the Secret could be changed in place, which reaches no running pod: %v", secret)
	}
	var got []string
	for _, e := range container(t, r, "frontend")["env"].ArrayValue() {
		line := e.ObjectValue()["name"].StringValue()
		if from, ok := e.ObjectValue()["valueFrom"]; ok {
			line += " " + from.ObjectValue()["secretKeyRef"].ObjectValue()["name"].StringValue()
		}
		got = append(got, line)
	}
	want := []string{"THOUGHTS_BACKEND_URL", "USER_BACKEND_URL", "API_KEY frontend-secret-1a2b3c4d", "SESSION_KEY frontend-secret-1a2b3c4d"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestTheAutoscalerOwnsTheReplicas(t *testing.T) {
	r := cluster()
	if err := deploy(r, "frontend", frontend()); err != nil {
		t.Fatal(err)
	}
	d := r.Find(t, deploymentType, "frontend-deployment")
	if d.Inputs["spec"].ObjectValue().HasValue("replicas") || !slices.Equal(d.RegisterRPC.GetIgnoreChanges(), []string{"spec.replicas"}) {
		t.Errorf("replicas are set, or their changes are not ignored: %v", d.RegisterRPC.GetIgnoreChanges())
	}
	hpa := r.Find(t, "kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "frontend-autoscaler").Inputs["spec"].ObjectValue()
	if got := hpa["scaleTargetRef"].ObjectValue()["name"].StringValue(); got != "frontend-deployment-1a2b3c4d" {
		t.Errorf("it scales %q", got)
	}
	fixed := cluster()
	if err := deploy(fixed, "worker", minimal()); err != nil {
		t.Fatal(err)
	}
	d = fixed.Find(t, deploymentType, "worker-deployment")
	if d.Inputs["spec"].ObjectValue()["replicas"].NumberValue() != 2 || len(d.RegisterRPC.GetIgnoreChanges()) != 0 {
		t.Errorf("without an autoscaler a change by hand would stay: %v", d.RegisterRPC.GetIgnoreChanges())
	}
}

// What the API server's admission asks of a pod at level "restricted".
func TestPodsMeetPodSecurityRestricted(t *testing.T) {
	r := cluster()
	if err := deploy(r, "frontend", frontend()); err != nil {
		t.Fatal(err)
	}
	pod, c := podSpec(t, r, "frontend"), container(t, r, "frontend")
	podContext, context := pod["securityContext"].ObjectValue(), c["securityContext"].ObjectValue()
	for rule, ok := range map[string]bool{
		"runAsNonRoot":             podContext["runAsNonRoot"].BoolValue() && context["runAsNonRoot"].BoolValue(),
		"runAsUser":                podContext["runAsUser"].NumberValue() > 0,
		"seccomp":                  podContext["seccompProfile"].ObjectValue()["type"].StringValue() == "RuntimeDefault",
		"allowPrivilegeEscalation": !context["allowPrivilegeEscalation"].BoolValue(),
		"privileged":               !context["privileged"].BoolValue(),
		"capabilities":             context["capabilities"].ObjectValue()["drop"].ArrayValue()[0].StringValue() == "ALL",
		"host namespaces":          !pod.HasValue("hostNetwork") && !pod.HasValue("hostPID") && !pod.HasValue("hostIPC"),
		"no probe of another host": !c["livenessProbe"].ObjectValue()["httpGet"].ObjectValue().HasValue("host"),
		"read-only root":           context["readOnlyRootFilesystem"].BoolValue(),
		"no token":                 !pod["automountServiceAccountToken"].BoolValue(),
	} {
		if !ok {
			t.Errorf("%s: pod %v, container %v", rule, podContext, context)
		}
	}
	for _, v := range pod["volumes"].ArrayValue() {
		if !v.ObjectValue().HasValue("emptyDir") {
			t.Errorf("volume %v", v)
		}
	}
}

// The selector of a Deployment cannot change: what a release changes must not stand in it.
func TestSelectorsDoNotDependOnTheRelease(t *testing.T) {
	selectors := func(image string) (all []string) {
		r := cluster()
		args := frontend()
		args.Image = pulumi.String(image)
		if err := deploy(r, "frontend", args); err != nil {
			t.Fatal(err)
		}
		for token, name := range map[string]string{deploymentType: "deployment", "kubernetes:policy/v1:PodDisruptionBudget": "budget"} {
			all = append(all, r.Find(t, token, "frontend-"+name).Inputs["spec"].ObjectValue()["selector"].ObjectValue()["matchLabels"].String())
		}
		all = append(all, r.Find(t, "kubernetes:core/v1:Service", "frontend-service").Inputs["spec"].ObjectValue()["selector"].String())
		slices.Sort(all)
		return all
	}
	one, other := selectors("frontend:1"), selectors("frontend@sha256:"+strings.Repeat("0a", 32))
	if !slices.Equal(one, other) || one[0] != one[2] {
		t.Errorf("%q\n%q", one, other)
	}
}
