package node

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
)

// pauseImage holds a pod's namespaces open while its containers come and go.
const pauseImage = "sandbox.slipway-iac.github.io/pause:1"

// writePause writes the image of that program as an archive that containerd imports.
func writePause(executable, to string) error {
	program, err := os.ReadFile(executable)
	if err != nil {
		return err
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	put := func(w *tar.Writer, name string, mode int64, content []byte) error {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		_, err := w.Write(content)
		return err
	}
	if err := put(w, "pause", 0o755, program); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/pause"}, "User": "65535:65535"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer.Bytes()))}},
	})
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%x.json", sha256.Sum256(config))
	manifest, err := json.Marshal([]any{map[string]any{"Config": name, "RepoTags": []string{pauseImage}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	defer file.Close()
	w = tar.NewWriter(file)
	for _, e := range []struct {
		name    string
		content []byte
	}{{name, config}, {"layer.tar", layer.Bytes()}, {"manifest.json", manifest}} {
		if err := put(w, e.name, 0o644, e.content); err != nil {
			return err
		}
	}
	return w.Close()
}
