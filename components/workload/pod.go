package workload

import (
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// portName is the container's port, for the Service.
const portName = "http"

// refers holds the names that other objects of the app got in the cluster, for its pods to refer to.
type refers struct {
	secret, files, account pulumi.StringInput
}

func (c *AppDeployment) deployment(ctx *pulumi.Context, a *app, to refers, after []pulumi.Resource) error {
	spec := &appsv1.DeploymentSpecArgs{
		Selector:                &metav1.LabelSelectorArgs{MatchLabels: selector(a.name)},
		Strategy:                a.rollout.strategy(),
		MinReadySeconds:         pulumi.Int(a.timing.minReady),
		ProgressDeadlineSeconds: pulumi.Int(a.timing.progress),
		Template: &corev1.PodTemplateSpecArgs{
			Metadata: &metav1.ObjectMetaArgs{Labels: labels(a.name), Annotations: a.evictable()},
			Spec:     a.pod(to),
		},
	}
	opts := []pulumi.ResourceOption{pulumi.Parent(c), a.timing.timeouts(a.rollout, a.mostPods()), pulumi.DependsOn(after)}
	if a.Autoscaling == nil {
		spec.Replicas = pulumi.Int(a.Replicas)
	} else {
		// Left out from the first apply on, so that Pulumi never owns the field: one that is taken away later falls to 1 once.
		// https://github.com/pulumi/pulumi-kubernetes/issues/2491
		opts = append(opts, pulumi.IgnoreChanges([]string{"spec.replicas"}))
	}
	d, err := appsv1.NewDeployment(ctx, a.name+"-deployment", &appsv1.DeploymentArgs{
		Metadata: &metav1.ObjectMetaArgs{Namespace: a.Namespace, Labels: labels(a.name)},
		Spec:     spec,
	}, opts...)
	if err != nil {
		return err
	}
	c.DeploymentName = d.Metadata.Name().Elem()
	return nil
}

// pod serves.
func (a *app) pod(to refers) *corev1.PodSpecArgs {
	pod, c := a.podAndContainer(to)
	pod.TerminationGracePeriodSeconds = pulumi.Int(a.timing.grace)
	pod.TopologySpreadConstraints = a.spread.constraints(a.name)
	pod.Affinity = a.affinity()
	if a.PriorityClass != "" {
		pod.PriorityClassName = pulumi.String(a.PriorityClass)
	}
	volumes, mounts := a.volumeMounts()
	pod.Volumes = append(pod.Volumes.(corev1.VolumeArray), volumes...)
	c.VolumeMounts = append(c.VolumeMounts.(corev1.VolumeMountArray), mounts...)
	c.Command, c.Args = words(a.Command), words(a.Arguments)
	c.Ports = corev1.ContainerPortArray{&corev1.ContainerPortArgs{Name: pulumi.String(portName), ContainerPort: pulumi.Int(a.Port), Protocol: pulumi.String("TCP")}}
	c.ReadinessProbe, c.LivenessProbe, c.StartupProbe = a.probes.readiness.input(), a.probes.liveness.input(), a.probes.startup.input()
	// The pod goes on serving until every node and load balancer has learnt that it ends; SIGTERM comes after.
	c.Lifecycle = &corev1.LifecycleArgs{PreStop: &corev1.LifecycleHandlerArgs{Sleep: &corev1.SleepActionArgs{Seconds: pulumi.Int(a.timing.preStop)}}}
	before := a.companions(to, a.initContainers, mounts, false)
	if all := append(before, a.companions(to, a.sidecars, mounts, true)...); len(all) > 0 {
		pod.InitContainers = all
	}
	pod.Containers = corev1.ContainerArray{c}
	return pod
}

// podAndContainer is what the pods that serve and those that run before a release have in common. It meets Pod Security
// "restricted". https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
func (a *app) podAndContainer(to refers) (*corev1.PodSpecArgs, *corev1.ContainerArgs) {
	volumes, mounts := a.scratchMounts()
	fileVolumes, fileMounts := a.fileMounts(to)
	pod := &corev1.PodSpecArgs{
		AutomountServiceAccountToken: pulumi.Bool(a.ServiceAccount != nil && a.ServiceAccount.MountToken),
		// Else each Service of the namespace adds variables, and a pod's environment depends on when it started.
		EnableServiceLinks: pulumi.Bool(false),
		SecurityContext: &corev1.PodSecurityContextArgs{
			RunAsNonRoot: pulumi.Bool(true),
			// By number: the kubelet cannot tell whether a user that the image gives by name is root, and refuses to start it.
			RunAsUser:           pulumi.Int(a.RunAsUser),
			RunAsGroup:          pulumi.Int(a.RunAsUser),
			FsGroup:             pulumi.Int(a.RunAsUser),
			FsGroupChangePolicy: pulumi.String("OnRootMismatch"),
			SeccompProfile:      &corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
		},
		Volumes: append(volumes, fileVolumes...),
	}
	if to.account != nil {
		pod.ServiceAccountName = to.account.ToStringOutput()
	}
	c := secured(a.name, a.image)
	c.Env = variables(a.Environment, a.Secrets, to.secret, "")
	c.Resources = a.resources.requirements()
	c.VolumeMounts = append(mounts, fileMounts...)
	return pod, c
}

// secured is a container with nothing but its image and the bounds that all have.
func secured(name string, image pulumi.StringInput) *corev1.ContainerArgs {
	return &corev1.ContainerArgs{
		Name:  pulumi.String(name),
		Image: image.ToStringOutput(),
		// The tag is fixed: a node that has the image needs no registry to restart a pod.
		ImagePullPolicy: pulumi.String("IfNotPresent"),
		SecurityContext: &corev1.SecurityContextArgs{
			AllowPrivilegeEscalation: pulumi.Bool(false),
			Privileged:               pulumi.Bool(false),
			ReadOnlyRootFilesystem:   pulumi.Bool(true),
			RunAsNonRoot:             pulumi.Bool(true),
			Capabilities:             &corev1.CapabilitiesArgs{Drop: pulumi.ToStringArray([]string{"ALL"})},
		},
		// A crash shows its last lines of log in the pod's status, and with that in the error of a failed rollout.
		TerminationMessagePolicy: pulumi.String("FallbackToLogsOnError"),
	}
}

// words leaves an empty list out, so that the image's own command runs.
func words(list []string) pulumi.StringArrayInput {
	if len(list) == 0 {
		return nil
	}
	return pulumi.ToStringArray(list)
}
