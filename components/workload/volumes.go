package workload

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

const (
	// ReadWriteOnce is a volume that one node at a time can mount, as an EBS volume is.
	ReadWriteOnce = "ReadWriteOnce"
	// ReadWriteMany is a volume that all nodes can mount and write to, as an EFS file system is.
	ReadWriteMany = "ReadWriteMany"
	// ReadOnlyMany is a volume that all nodes can mount and only read.
	ReadOnlyMany = "ReadOnlyMany"
)

// Volume mounts something that exists in the namespace. Give one of Claim, ConfigMap and Secret. A change rolls the pods; what
// changes inside it does not.
type Volume struct {
	// Path in every container, absolute. Required.
	Path string `pulumi:"path"`
	// Claim is the name of a PersistentVolumeClaim.
	Claim string `pulumi:"claim,optional"`
	// AccessMode of the Claim: ReadWriteOnce (the default), ReadWriteMany or ReadOnlyMany. An app with a ReadWriteOnce volume is
	// one pod, and its rollout.strategy is Recreate.
	AccessMode string `pulumi:"accessMode,optional"`
	// ConfigMap is the name of one; each key is a file below Path.
	ConfigMap string `pulumi:"configMap,optional"`
	// Secret is the name of one; each key is a file below Path.
	Secret string `pulumi:"secret,optional"`
	// ReadOnly mounts a Claim for reading only; default false. ConfigMap and Secret always are.
	ReadOnly bool `pulumi:"readOnly,optional"`
}

// objectName is a DNS subdomain, as the names of most objects are.
var objectName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)

const objectNameSays = "1 to 253 lower-case letters, digits, hyphens and periods"

func (a *app) checkedVolumes(p *check.Problems) {
	paths := map[string]string{}
	for i, s := range a.scratch {
		paths[s.Path] = fmt.Sprintf("scratch[%d]", i)
	}
	for i, v := range a.Volumes {
		at := p.At("volumes[%d]", i)
		checkedPath(at, "path", v.Path)
		if other, twice := paths[v.Path]; twice {
			at.Addf("path", "is %q, the same as of %s", v.Path, other)
		}
		paths[v.Path] = at.Path("")
		var kinds []string
		for _, k := range []struct{ path, name string }{{"claim", v.Claim}, {"configMap", v.ConfigMap}, {"secret", v.Secret}} {
			if k.name != "" {
				kinds = append(kinds, k.path)
				at.Match(k.path, k.name, objectName, objectNameSays)
			}
		}
		if len(kinds) != 1 {
			at.Addf("", "has %s, must have one of claim, configMap and secret", strings.Join(append(kinds, "none")[:max(len(kinds), 1)], " and "))
		}
		switch {
		case v.AccessMode != "" && v.Claim == "":
			at.Addf("accessMode", "is %q, must be unset without a claim", v.AccessMode)
		case v.AccessMode != "":
			at.OneOf("accessMode", v.AccessMode, ReadWriteOnce, ReadWriteMany, ReadOnlyMany)
		}
	}
}

// databases are images that keep data of their own.
var databases = regexp.MustCompile(`(^|/)(postgres|postgresql|postgis|timescaledb|mysql|mariadb|percona|mongo|mongodb|cassandra|cockroach|elasticsearch|opensearch)([:@]|$)`)

// checkedAlone refuses more than one pod for an app whose pods cannot share what they keep.
func (a *app) checkedAlone(p *check.Problems) {
	var why string
	for i, v := range a.Volumes {
		if v.Claim == "" || v.AccessMode != "" && v.AccessMode != ReadWriteOnce {
			continue
		}
		why = fmt.Sprintf("volumes[%d] (claim %q, %s) can be mounted by one node at a time", i, v.Claim, ReadWriteOnce)
		if !a.rollout.recreate {
			p.Addf("rollout.strategy", "is %q, must be %q: %s, and a new pod would wait for the old one's", RollingUpdate, Recreate, why)
		}
	}
	containers := map[string]pulumi.StringInput{"image": a.Image}
	for i, c := range a.Sidecars {
		containers[fmt.Sprintf("sidecars[%d]", i)] = c.Image
	}
	for _, at := range slices.Sorted(maps.Keys(containers)) {
		if image, plain := containers[at].(pulumi.String); plain && databases.MatchString(string(image)) {
			why = fmt.Sprintf("%s is a database (%s): every pod would have data of its own, and lose it; a Database outside can be shared", at, image)
		}
	}
	switch {
	case why == "":
	case a.Autoscaling != nil:
		p.Addf("autoscaling", "is given, must be unset: %s", why)
	case a.Replicas > 1:
		p.Addf("replicas", "is %d, must be 1: %s", a.Replicas, why)
	}
}

func (a *app) volumeMounts() (volumes corev1.VolumeArray, mounts corev1.VolumeMountArray) {
	for i, v := range a.Volumes {
		name := pulumi.String(fmt.Sprintf("volume-%d", i))
		volume := &corev1.VolumeArgs{Name: name}
		switch {
		case v.Claim != "":
			volume.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSourceArgs{ClaimName: pulumi.String(v.Claim)}
		case v.ConfigMap != "":
			volume.ConfigMap = &corev1.ConfigMapVolumeSourceArgs{Name: pulumi.String(v.ConfigMap)}
		default:
			volume.Secret = &corev1.SecretVolumeSourceArgs{SecretName: pulumi.String(v.Secret), DefaultMode: pulumi.Int(0o440)}
		}
		volumes = append(volumes, volume)
		mounts = append(mounts, &corev1.VolumeMountArgs{Name: name, MountPath: pulumi.String(v.Path), ReadOnly: pulumi.Bool(v.ReadOnly || v.Claim == "" || v.AccessMode == ReadOnlyMany)})
	}
	return volumes, mounts
}
