package registry

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/slipway-iac/slipway/sandbox/gobuild"
)

// TestPromote takes an image for two platforms, with a signature, into a repository whose tags do not move, by the command that a
// pipeline runs.
func TestPromote(t *testing.T) {
	slipway := filepath.Join(t.TempDir(), "slipway")
	if err := gobuild.Build(t.Context(), gobuild.Program{Dir: "../..", Package: "./cmd/slipway", Out: slipway}, func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := serve(t)
	digest, signature := s.pushIndex("team/loose:1.4.0")
	promote := func(args ...string) (code int, stdout, stderr string) {
		var out, errOut strings.Builder
		host := strings.TrimPrefix(s.server.URL, "http://")
		c := exec.CommandContext(t.Context(), slipway, append([]string{"promote", host + "/team/loose:1.4.0", host + "/fixed", "--env", "production"}, args...)...)
		c.Stdout, c.Stderr = &out, &errOut
		err := c.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return c.ProcessState.ExitCode(), out.String(), errOut.String()
	}
	// The tag's writing takes effect, and its answer is lost.
	s.cut(http.MethodPut, "/v2/fixed/manifests/production-1.4.0")
	code, stdout, stderr := promote("--platform", "linux/amd64,linux/arm64")
	if want := digest + "\nroll it out with one changed line of the stack's configuration:\n  pulumi config set --path 'slipway:images.fixed' " + digest + "\n"; code != 0 || stdout != want {
		t.Fatalf("ended with %d\n%s%s\nwant\n%s", code, stdout, stderr, want)
	}
	s.server.Close()
	s.start()
	for _, ref := range []string{"fixed:production-1.4.0", "fixed@" + signature} {
		if _, err := remote.Get(s.ref(ref)); err != nil {
			t.Errorf("after a restart: %v", err)
		}
	}
	if code, _, stderr := promote(); code != 0 || !strings.Contains(stderr, "where it is already") || !strings.Contains(stderr, "0 of 4 manifests and 0 of") {
		t.Errorf("again: %d\n%s", code, stderr)
	}
	// It lists itself what refers to an image, and needs no tag for that.
	if tags, err := remote.List(s.ref("fixed:any").Context()); err != nil || len(tags) != 1 {
		t.Errorf("tags %v, %v", tags, err)
	}
	moved, _ := s.pushIndex("team/loose:1.4.0")
	if code, _, stderr := promote(); code != 1 || !strings.Contains(stderr, "is at "+digest+", and would have to move to "+moved) {
		t.Errorf("another image under the same version: %d\n%s", code, stderr)
	}
	if code, _, stderr := promote("--platform", "linux/s390x", "--version", "1.4.1"); code != 1 || !strings.Contains(stderr, "the image lacks linux/s390x; it has linux/amd64, linux/arm64") {
		t.Errorf("a platform that is not there: %d\n%s", code, stderr)
	}
}

// cut has the first request of its kind answered by a connection that is closed.
func (s *served) cut(method, path string) {
	inner := s.server.Config.Handler
	var done atomic.Bool
	s.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == method && req.URL.Path == path && done.CompareAndSwap(false, true) {
			inner.ServeHTTP(httptest.NewRecorder(), req)
			panic(http.ErrAbortHandler)
		}
		inner.ServeHTTP(w, req)
	})
}

// pushIndex pushes an image for two platforms, and something that refers to it.
func (s *served) pushIndex(ref string) (digest, referrer string) {
	s.t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		i, _ := image(s.t)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: i, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	if err := remote.WriteIndex(s.ref(ref), index); err != nil {
		s.t.Fatal(err)
	}
	d, err := index.Digest()
	if err != nil {
		s.t.Fatal(err)
	}
	i, _ := image(s.t)
	signature := mutate.Subject(mutate.MediaType(i, types.OCIManifestSchema1), v1.Descriptor{Digest: d, MediaType: types.OCIImageIndex}).(v1.Image)
	of, err := signature.Digest()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := remote.Write(s.ref(strings.Split(ref, ":")[0]+"@"+of.String()), signature); err != nil {
		s.t.Fatal(err)
	}
	return d.String(), of.String()
}
