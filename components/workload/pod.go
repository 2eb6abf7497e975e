package workload

import (
	"fmt"
	"path"
	"regexp"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/workload/internal/quantity"
	"github.com/slipway-iac/slipway/internal/check"
)

// portName is the container's port, for the Service.
const portName = "http"

// Scratch is a directory that the container may write to; the rest of its file system is read-only. It is empty when a pod
// starts and gone when it ends.
type Scratch struct {
	// Path in the container, absolute, for example "/tmp". Required.
	Path string `pulumi:"path"`
	// Size is a quantity of bytes; a pod that writes more is evicted. Default "64Mi".
	Size string `pulumi:"size,optional"`
	// InMemory keeps the files in the pod's memory, where they count against resources.limits.memory; default false, on the node's
	// disk, where they count against resources.limits.ephemeralStorage.
	InMemory bool `pulumi:"inMemory,optional"`
}

const defaultScratchSize = "64Mi"

var scratchPath = regexp.MustCompile(`^/[^:]+$`)

// checkedScratch is nil and an empty list apart: nobody who gave no list has thought of /tmp.
func (args *AppDeploymentArgs) checkedScratch(p *check.Problems, r resources) []Scratch {
	if args.Scratch == nil {
		return []Scratch{{Path: "/tmp", Size: defaultScratchSize}}
	}
	checked := make([]Scratch, len(args.Scratch))
	paths := make([]string, len(args.Scratch))
	var memory, disk int64
	for i, s := range args.Scratch {
		at := p.At("scratch[%d]", i)
		if s.Path == "" || !scratchPath.MatchString(s.Path) || path.Clean(s.Path) != s.Path {
			at.Addf("path", `is %q, must be an absolute path without ":", "..", or a slash at its end, and not "/"`, s.Path)
		}
		if s.Size == "" {
			s.Size = defaultScratchSize
		}
		size := bytes(at, "size", s.Size, 4096)
		if s.Size = size.text; s.InMemory {
			memory += size.number
		} else {
			disk += size.number
		}
		checked[i], paths[i] = s, s.Path
	}
	p.Unique("scratch", paths)
	for _, k := range []struct {
		what, limitPath string
		sum             int64
		limit           kept
	}{{"in memory", "resources.limits.memory", memory, r.memoryLimit}, {"on disk", "resources.limits.ephemeralStorage", disk, r.ephemeralLimit}} {
		if k.limit.given() && k.sum > k.limit.number {
			p.Addf("scratch", "%s comes to %s, must be at most %s (%s), else the pod ends before its scratch is full", k.what, quantity.Bytes(k.sum), k.limitPath, k.limit.text)
		}
	}
	return checked
}

func (c *AppDeployment) deployment(ctx *pulumi.Context, a *app, secretName pulumi.StringInput) error {
	spec := &appsv1.DeploymentSpecArgs{
		Selector:                &metav1.LabelSelectorArgs{MatchLabels: selector(a.name)},
		Strategy:                a.rollout.strategy(),
		MinReadySeconds:         pulumi.Int(a.timing.minReady),
		ProgressDeadlineSeconds: pulumi.Int(a.timing.progress),
		Template: &corev1.PodTemplateSpecArgs{
			Metadata: &metav1.ObjectMetaArgs{Labels: labels(a.name)},
			Spec:     a.pod(secretName),
		},
	}
	opts := []pulumi.ResourceOption{pulumi.Parent(c), a.timing.timeouts(a.rollout, a.mostPods())}
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

// pod meets Pod Security "restricted". https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
func (a *app) pod(secretName pulumi.StringInput) *corev1.PodSpecArgs {
	var volumes corev1.VolumeArray
	var mounts corev1.VolumeMountArray
	for i, s := range a.scratch {
		name := fmt.Sprintf("scratch-%d", i)
		dir := &corev1.EmptyDirVolumeSourceArgs{SizeLimit: pulumi.String(s.Size)}
		if s.InMemory {
			dir.Medium = pulumi.String("Memory")
		}
		volumes = append(volumes, &corev1.VolumeArgs{Name: pulumi.String(name), EmptyDir: dir})
		mounts = append(mounts, &corev1.VolumeMountArgs{Name: pulumi.String(name), MountPath: pulumi.String(s.Path)})
	}
	return &corev1.PodSpecArgs{
		AutomountServiceAccountToken: pulumi.Bool(false),
		// Else each Service of the namespace adds variables, and a pod's environment depends on when it started.
		EnableServiceLinks:            pulumi.Bool(false),
		TerminationGracePeriodSeconds: pulumi.Int(a.timing.grace),
		TopologySpreadConstraints:     a.spread.constraints(a.name),
		SecurityContext: &corev1.PodSecurityContextArgs{
			RunAsNonRoot: pulumi.Bool(true),
			// By number: the kubelet cannot tell whether a user that the image gives by name is root, and refuses to start it.
			RunAsUser:           pulumi.Int(a.RunAsUser),
			RunAsGroup:          pulumi.Int(a.RunAsUser),
			FsGroup:             pulumi.Int(a.RunAsUser),
			FsGroupChangePolicy: pulumi.String("OnRootMismatch"),
			SeccompProfile:      &corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
		},
		Volumes: volumes,
		Containers: corev1.ContainerArray{&corev1.ContainerArgs{
			Name:  pulumi.String(a.name),
			Image: a.image.ToStringOutput(),
			// The tag is fixed: a node that has the image needs no registry to restart a pod.
			ImagePullPolicy: pulumi.String("IfNotPresent"),
			Ports:           corev1.ContainerPortArray{&corev1.ContainerPortArgs{Name: pulumi.String(portName), ContainerPort: pulumi.Int(a.Port), Protocol: pulumi.String("TCP")}},
			Env:             a.variables(secretName),
			Resources:       a.resources.requirements(),
			ReadinessProbe:  a.probes.readiness.input(),
			LivenessProbe:   a.probes.liveness.input(),
			StartupProbe:    a.probes.startup.input(),
			// The pod goes on serving until every node and load balancer has learnt that it ends; SIGTERM comes after.
			Lifecycle: &corev1.LifecycleArgs{PreStop: &corev1.LifecycleHandlerArgs{Sleep: &corev1.SleepActionArgs{Seconds: pulumi.Int(a.timing.preStop)}}},
			SecurityContext: &corev1.SecurityContextArgs{
				AllowPrivilegeEscalation: pulumi.Bool(false),
				Privileged:               pulumi.Bool(false),
				ReadOnlyRootFilesystem:   pulumi.Bool(true),
				RunAsNonRoot:             pulumi.Bool(true),
				Capabilities:             &corev1.CapabilitiesArgs{Drop: pulumi.ToStringArray([]string{"ALL"})},
			},
			VolumeMounts: mounts,
			// A crash shows its last lines of log in the pod's status, and with that in the error of a failed rollout.
			TerminationMessagePolicy: pulumi.String("FallbackToLogsOnError"),
		}},
	}
}
