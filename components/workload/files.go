package workload

import (
	"fmt"
	"maps"
	"path"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// mostFileBytes is what one ConfigMap or Secret can hold. https://kubernetes.io/docs/concepts/configuration/configmap/
const mostFileBytes = 1 << 20

func (a *app) checkedFiles(p *check.Problems) {
	taken := map[string]string{}
	for i, s := range a.scratch {
		taken[s.Path] = fmt.Sprintf("scratch[%d]", i)
	}
	for i, v := range a.Volumes {
		taken[v.Path] = fmt.Sprintf("volumes[%d]", i)
	}
	for _, m := range []struct {
		path  string
		files map[string]pulumi.StringInput
	}{{"files", a.Files}, {"secretFiles", a.SecretFiles}} {
		size := 0
		for _, file := range slices.Sorted(maps.Keys(m.files)) {
			at := m.path + "[" + file + "]"
			checkedPath(p, at, file)
			if other, twice := taken[file]; twice {
				p.Addf(at, "is at the same path as %s", other)
			}
			taken[file] = p.Path(at)
			if m.files[file] == nil {
				p.Addf(at, "has no content, must be a string; an empty one is allowed")
			}
			if s, plain := m.files[file].(pulumi.String); plain {
				size += len(s)
			}
		}
		if size > mostFileBytes {
			p.Addf(m.path, "come to %d bytes, must be at most %d together: they are kept in one object; larger ones belong into the image or a volume", size, mostFileBytes)
		}
	}
	// The runtime cannot make a directory where a file is, and no container would start.
	for _, at := range slices.Sorted(maps.Keys(taken)) {
		for above := path.Dir(at); above != "/" && above != "."; above = path.Dir(above) {
			_, plain := a.Files[above]
			if _, secret := a.SecretFiles[above]; plain || secret {
				p.Addf(taken[at], "is at %q, must not be below %s, which is a file", at, taken[above])
			}
		}
	}
}

// configFiles holds the contents of Files. A changed one makes a ConfigMap with a new name, and the name in the pod template
// rolls the pods; changed in place it would reach no mounted file.
func (c *AppDeployment) configFiles(ctx *pulumi.Context, a *app) (name pulumi.StringOutput, err error) {
	data := pulumi.StringMap{}
	for i, path := range slices.Sorted(maps.Keys(a.Files)) {
		data[fileKey(i)] = a.Files[path].ToStringOutput()
	}
	m, err := corev1.NewConfigMap(ctx, a.name+"-files", &corev1.ConfigMapArgs{
		Metadata:  &metav1.ObjectMetaArgs{Namespace: a.Namespace, Labels: labels(a.name)},
		Data:      data,
		Immutable: pulumi.Bool(true),
	}, pulumi.Parent(c))
	if err != nil {
		return name, err
	}
	return m.Metadata.Name().Elem(), nil
}

// fileKey names the content of the nth path: a path has slashes, which a key may not have.
func fileKey(n int) string { return fmt.Sprintf("file-%d", n) }

// fileMounts puts each file where it belongs and hides nothing else of its directory.
func (a *app) fileMounts(to refers) (volumes corev1.VolumeArray, mounts corev1.VolumeMountArray) {
	mount := func(volume, key, path string) *corev1.VolumeMountArgs {
		return &corev1.VolumeMountArgs{Name: pulumi.String(volume), MountPath: pulumi.String(path), SubPath: pulumi.String(key), ReadOnly: pulumi.Bool(true)}
	}
	if len(a.Files) > 0 {
		volumes = append(volumes, &corev1.VolumeArgs{
			Name: pulumi.String("files"), ConfigMap: &corev1.ConfigMapVolumeSourceArgs{Name: to.files, DefaultMode: pulumi.Int(0o444)},
		})
		for i, path := range slices.Sorted(maps.Keys(a.Files)) {
			mounts = append(mounts, mount("files", fileKey(i), path))
		}
	}
	if len(a.SecretFiles) > 0 {
		// Only the files: the same Secret holds the variables.
		var items corev1.KeyToPathArray
		for i, path := range slices.Sorted(maps.Keys(a.SecretFiles)) {
			items = append(items, &corev1.KeyToPathArgs{Key: pulumi.String(secretFileKey(i)), Path: pulumi.String(fileKey(i))})
			mounts = append(mounts, mount("secret-files", fileKey(i), path))
		}
		volumes = append(volumes, &corev1.VolumeArgs{
			Name: pulumi.String("secret-files"), Secret: &corev1.SecretVolumeSourceArgs{SecretName: to.secret, Items: items, DefaultMode: pulumi.Int(0o440)},
		})
	}
	return volumes, mounts
}
