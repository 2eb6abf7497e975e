// Package demo puts the sandbox's demonstration service into images without any base, and those into a registry.
package demo

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Image is one file, the executable, also under the name of curl, and the variables of its version.
func Image(executable string, variables ...string) (v1.Image, error) {
	program, err := os.ReadFile(executable)
	if err != nil {
		return nil, err
	}
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	for _, h := range []*tar.Header{
		{Name: "demo", Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg},
		{Name: "usr/bin/curl", Linkname: "/demo", Typeflag: tar.TypeSymlink},
	} {
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(program); err != nil {
				return nil, err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files.Bytes())), nil })
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config = v1.Config{Entrypoint: []string{"/demo"}, Env: append([]string{"PATH=/usr/bin"}, variables...), ExposedPorts: map[string]struct{}{"8000/tcp": {}}}
	return mutate.ConfigFile(image, config)
}

// Push puts the image into a repository of the registry that answers at address, and returns its digest.
func Push(ctx context.Context, image v1.Image, address, repository, tag string) (digest string, err error) {
	to, err := name.NewTag(address+"/"+repository+":"+tag, name.Insecure, name.StrictValidation)
	if err != nil {
		return "", err
	}
	if err := remote.Write(to, image, remote.WithContext(ctx)); err != nil {
		return "", fmt.Errorf("pushing %s: %w", to, err)
	}
	d, err := image.Digest()
	return d.String(), err
}
