package workload

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Container runs in the app's pods beside its own, under the same user and the same bounds, with the same Scratch directories
// and Volumes at the same paths. A change rolls the pods.
type Container struct {
	// Name, unlike the app's and any other container's: 1 to 63 lower-case letters, digits and hyphens. Required.
	Name string `pulumi:"name"`
	// Image by fixed tag or digest, never "latest". Required.
	Image pulumi.StringInput `pulumi:"image"`
	// Command replaces the image's entry point; no shell. Default the image's own.
	Command []string `pulumi:"command,optional"`
	// Arguments replace the image's; default its own.
	Arguments []string `pulumi:"arguments,optional"`
	// Environment are the container's variables, as the app's; default none: the app's are not there.
	Environment map[string]pulumi.StringInput `pulumi:"environment,optional"`
	// Secrets are variables whose values are kept in the app's Secret, as the app's. Default none.
	Secrets map[string]pulumi.StringInput `pulumi:"secrets,optional"`
	// Resources of the container; default as for an app.
	Resources *Resources `pulumi:"resources,optional"`
	// Port that a sidecar listens on, 1024 to 65535, and no other container of the pod: the app's own container starts only once it
	// takes connections. Default 0, which waits for nothing. Not for InitContainers.
	Port int `pulumi:"port,optional"`
}

// companion is a Container after the checks.
type companion struct {
	Container
	image     pulumi.StringInput
	resources resources
}

// checkedCompanions judges sidecars and init containers together: all names of a pod's containers differ.
func (a *app) checkedCompanions(p *check.Problems) {
	names, ports := map[string]string{a.name: "the app"}, map[int]string{a.Port: "the app"}
	for _, k := range []struct {
		path  string
		given []Container
		into  *[]companion
	}{{"initContainers", a.InitContainers, &a.initContainers}, {"sidecars", a.Sidecars, &a.sidecars}} {
		for i, c := range k.given {
			at := p.At("%s[%d]", k.path, i)
			at.Match("name", c.Name, label, labelSays)
			if other, taken := names[c.Name]; taken {
				at.Addf("name", "is %q, the same as of %s", c.Name, other)
			}
			names[c.Name] = at.Path("")
			checkedEnvironment(at, c.Environment, c.Secrets)
			switch {
			case c.Port == 0:
			case k.path == "initContainers":
				at.Addf("port", "is %d, must be unset: an init container ends before the app starts", c.Port)
			default:
				at.Between("port", c.Port, 1024, 65535)
				if other, taken := ports[c.Port]; taken {
					at.Addf("port", "is %d, the same as of %s: the containers of a pod share its ports", c.Port, other)
				}
				ports[c.Port] = at.Path("")
			}
			*k.into = append(*k.into, companion{c, checkedImage(at, a.name, c.Image), c.Resources.checked(at.At("resources"))})
		}
	}
}

// companions are init containers as Kubernetes takes them. One that is restarted always is a sidecar: it starts before the app
// and ends after it, so that the app can use it to its last request.
// https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
func (a *app) companions(to refers, all []companion, volumes corev1.VolumeMountArray, sidecar bool) (out corev1.ContainerArray) {
	_, scratch := a.scratchMounts()
	for _, k := range all {
		c := secured(k.Name, k.image)
		c.Command, c.Args = words(k.Command), words(k.Arguments)
		c.Env = variables(k.Environment, k.Secrets, to.secret, companionKey(k.Name))
		c.Resources = k.resources.requirements()
		c.VolumeMounts = append(scratch[:len(scratch):len(scratch)], volumes...)
		if sidecar {
			c.RestartPolicy = pulumi.String("Always")
		}
		if k.Port != 0 {
			started := &Probe{TCP: &TCPProbe{Port: k.Port}, PeriodSeconds: 1, TimeoutSeconds: 1, FailureThreshold: 120}
			c.StartupProbe = started.input()
		}
		out = append(out, c)
	}
	return out
}
