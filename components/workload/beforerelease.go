package workload

import (
	"cmp"
	"fmt"

	batchv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/batch/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// BeforeRelease is a command, such as a database migration, that runs to its end in a pod of its own before the pods that serve
// are changed. It has the app's image, environment, secrets, files, scratch directories, sidecars, resources, user and service
// account. It runs for the first deployment and again whenever one of those, the command or the app's name changes, also on the
// way back to an earlier image: it has to bear a second run. If it fails, so does `pulumi up`, with its last lines, and the old pods
// go on serving; the next `pulumi up` runs it anew.
type BeforeRelease struct {
	// Command to run and its arguments; no shell. Required.
	Command []string `pulumi:"command"`
	// TimeoutSeconds is when it has failed, the pull of its image included, 1 to 7200; default 600.
	TimeoutSeconds int `pulumi:"timeoutSeconds,optional"`
	// Retries is how often a failed run is begun anew, 0 to 10; default 0, since half a migration may not bear a second one.
	Retries int `pulumi:"retries,optional"`
}

const (
	defaultJobTimeout = 600
	beforeRelease     = "-before-release"
	// longestJobName is what a Job's pods can carry in a label, without Pulumi's hyphen and eight characters.
	longestJobName = longestLabel - 9
)

func (args *BeforeRelease) checked(p *check.Problems, app string) *BeforeRelease {
	if args == nil {
		return nil
	}
	j := *args
	j.TimeoutSeconds = cmp.Or(j.TimeoutSeconds, defaultJobTimeout)
	if len(j.Command) == 0 || j.Command[0] == "" {
		p.Required("command", false, `["/app/migrate", "up"]`)
	}
	p.Between("timeoutSeconds", j.TimeoutSeconds, 1, 7200)
	p.Between("retries", j.Retries, 0, 10)
	if n := len(app + beforeRelease); n > longestJobName {
		p.Addf("", "makes the Job's name %d characters long, must be at most %d: the app's name (%q) must be at most %d with it", n, longestJobName, app, longestJobName-len(beforeRelease))
	}
	return &j
}

// job runs before the Deployment. It stays when it is done: one that Kubernetes takes away would be made, and run, anew.
func (c *AppDeployment) job(ctx *pulumi.Context, a *app, to refers, after []pulumi.Resource) ([]pulumi.Resource, error) {
	pod, container := a.podAndContainer(to)
	container.Command = words(a.BeforeRelease.Command)
	pod.Containers = corev1.ContainerArray{container}
	if all := a.companions(to, a.sidecars, nil, true); len(all) > 0 {
		pod.InitContainers = all
	}
	// A failed run keeps its pod, and with it what it said.
	pod.RestartPolicy = pulumi.String("Never")
	name := a.name + beforeRelease
	j, err := batchv1.NewJob(ctx, name, &batchv1.JobArgs{
		Metadata: &metav1.ObjectMetaArgs{
			Namespace: a.Namespace, Labels: labels(name),
			// One that failed is run anew by the next `pulumi up`, and not only looked at again.
			Annotations: pulumi.StringMap{"pulumi.com/replaceUnready": pulumi.String("true")},
		},
		Spec: &batchv1.JobSpecArgs{
			BackoffLimit:          pulumi.Int(a.BeforeRelease.Retries),
			ActiveDeadlineSeconds: pulumi.Int(a.BeforeRelease.TimeoutSeconds),
			Template: &corev1.PodTemplateSpecArgs{Metadata: &metav1.ObjectMetaArgs{
				// Its own name: the app's Service must not send requests to it.
				Labels: labels(name),
				// A cluster autoscaler that takes its node away would fail the release.
				Annotations: pulumi.StringMap{"cluster-autoscaler.kubernetes.io/safe-to-evict": pulumi.String("false")},
			}, Spec: pod},
		},
	}, pulumi.Parent(c), pulumi.DependsOn(after), pulumi.Timeouts(&pulumi.CustomTimeouts{Create: fmt.Sprintf("%ds", a.BeforeRelease.TimeoutSeconds+60)}))
	return append(after, j), err
}
