package workload

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/internal/quantity"
)

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

var absolute = regexp.MustCompile(`^/[^:]+$`)

// checkedPath records what the kubelet or the runtime would refuse as a place to mount at.
func checkedPath(p *check.Problems, at, given string) {
	if !absolute.MatchString(given) || path.Clean(given) != given {
		p.Addf(at, `is %q, must be an absolute path without ":", "..", or a slash at its end, and not "/"`, given)
	}
}

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
		checkedPath(at, "path", s.Path)
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

func scratchName(i int) string { return fmt.Sprintf("scratch-%d", i) }

// evictable tells the cluster autoscaler that the scratch directories may be lost: by default it takes no node away on which a pod
// has a local directory. Disruption budgets hold all the same.
// https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#what-types-of-pods-can-prevent-ca-from-removing-a-node
func (a *app) evictable() pulumi.StringMapInput {
	if len(a.scratch) == 0 {
		return nil
	}
	names := make([]string, len(a.scratch))
	for i := range a.scratch {
		names[i] = scratchName(i)
	}
	return pulumi.StringMap{"cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes": pulumi.String(strings.Join(names, ","))}
}

// scratchMounts are the directories, for every container of the pod.
func (a *app) scratchMounts() (volumes corev1.VolumeArray, mounts corev1.VolumeMountArray) {
	for i, s := range a.scratch {
		name := scratchName(i)
		dir := &corev1.EmptyDirVolumeSourceArgs{SizeLimit: pulumi.String(s.Size)}
		if s.InMemory {
			dir.Medium = pulumi.String("Memory")
		}
		volumes = append(volumes, &corev1.VolumeArgs{Name: pulumi.String(name), EmptyDir: dir})
		mounts = append(mounts, &corev1.VolumeMountArgs{Name: pulumi.String(name), MountPath: pulumi.String(s.Path)})
	}
	return volumes, mounts
}
