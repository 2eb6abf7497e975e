package workload

import (
	"cmp"
	"math"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/internal/provider"
)

// app is AppDeploymentArgs with every default filled in and every text read.
type app struct {
	AppDeploymentArgs
	name      string
	image     pulumi.StringInput
	resources resources
	// initContainers and sidecars after the checks.
	initContainers, sidecars []companion
	scratch                  []Scratch
	probes                   probes
	rollout                  rollout
	budget                   amount
	spread                   Spread
	timing                   timing
}

const (
	defaultReplicas  = 2
	defaultRunAsUser = 10001
)

var httpPath = regexp.MustCompile(`^/[^\s]*$`)

// checked collects every problem; it accepts nil.
func (args *AppDeploymentArgs) checked(name string, opts []pulumi.ResourceOption) (*app, error) {
	a := &app{name: name}
	if args != nil {
		a.AppDeploymentArgs = *args
	}
	var p check.Problems
	p.Match("name", name, label, labelSays+": it becomes a label and the container's name")
	if err := provider.RequireKubernetes(&p, opts); err != nil {
		return nil, err
	}
	checkedNamespace(&p, a.Namespace)
	a.image = checkedImage(&p, name, a.Image)
	switch {
	case a.Port == 0:
		p.Required("port", false, "8000")
	case a.Port >= 1 && a.Port < 1024:
		p.Addf("port", "is %d, must be 1024 to 65535: the process is not root and cannot listen below; service.port may be %d", a.Port, a.Port)
	default:
		p.Between("port", a.Port, 1024, 65535)
	}
	checkedEnvironment(&p, a.Environment, a.Secrets)
	a.bindDatabase(&p)
	a.resources = a.Resources.checked(p.At("resources"))
	a.RunAsUser = cmp.Or(a.RunAsUser, defaultRunAsUser)
	p.Between("runAsUser", a.RunAsUser, 1, math.MaxInt32)
	a.scratch = a.checkedScratch(&p, a.resources)
	a.checkedVolumes(&p)
	a.checkedFiles(&p)
	a.checkedCompanions(&p)
	a.BeforeRelease = a.BeforeRelease.checked(p.At("beforeRelease"), name)

	a.HealthPath = cmp.Or(a.HealthPath, "/")
	a.DrainSeconds = cmp.Or(a.DrainSeconds, defaultDrainSeconds)
	a.SlowestRequestSeconds = cmp.Or(a.SlowestRequestSeconds, defaultSlowestRequestSeconds)
	a.probes = a.checkedProbes(&p)

	if as := a.Autoscaling; as == nil {
		a.Replicas = cmp.Or(a.Replicas, defaultReplicas)
		p.Between("replicas", a.Replicas, 1, mostPods)
	} else {
		if a.Replicas != 0 {
			p.Addf("replicas", "is %d, must be unset with autoscaling, which sets the number (%d to %d)", a.Replicas, as.Min, as.Max)
		}
		checked := as.checked(p.At("autoscaling"), a.Resources, a.resources)
		a.Autoscaling = &checked
	}
	a.rollout = a.Rollout.checked(p.At("rollout"), a.fewestPods())
	a.checkedAlone(&p)
	a.budget = a.checkedBudget(&p, a.fewestPods())
	a.spread = a.Spread.checked(p.At("spread"))
	a.checkedPlacement(&p)
	a.timing = a.checkedTiming(&p, a.probes)
	a.Service = a.checkedService(&p, name)
	a.checkedNetwork(p.At("network"))
	a.ServiceAccount = a.ServiceAccount.checked(p.At("serviceAccount"), name)
	return a, p.Err(AppDeploymentType, name)
}

// checkedNamespace can judge a plain string only; for an output the API server does.
func checkedNamespace(p *check.Problems, namespace pulumi.StringInput) {
	switch v := namespace.(type) {
	case nil:
		p.Required("namespace", false, "namespace.Name")
	case pulumi.String:
		p.Match("namespace", string(v), label, labelSays)
	}
}

// fewestPods is where rounding bites.
func (a *app) fewestPods() int {
	if a.Autoscaling != nil {
		return a.Autoscaling.Min
	}
	return a.Replicas
}

func (a *app) mostPods() int {
	if a.Autoscaling != nil {
		return a.Autoscaling.Max
	}
	return a.Replicas
}
