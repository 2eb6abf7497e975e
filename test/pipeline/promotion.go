package pipeline

import (
	"io"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// promote has a registry of what was tested, and one that production pulls from, and starts promote.yml. The sandbox's own registry comes
// with real pods only.
func (s *story) promote() (digest string, r *Run, err error) {
	serve := func() *httptest.Server {
		return httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	}
	from, to := serve(), serve()
	defer from.Close()
	defer to.Close()
	source := strings.TrimPrefix(from.URL, "http://") + "/tested/frontend:1.1.0"
	image, err := random.Image(30_000, 2)
	if err != nil {
		return "", nil, err
	}
	hash, err := image.Digest()
	if err != nil {
		return "", nil, err
	}
	ref, err := name.ParseReference(source)
	if err != nil {
		return "", nil, err
	}
	if err := remote.Write(ref, image); err != nil {
		return "", nil, err
	}
	main, err := s.repo.head("main")
	if err != nil {
		return "", nil, err
	}
	target := strings.TrimPrefix(to.URL, "http://") + "/frontend"
	r, err = s.workflow(order{file: "promote.yml", on: "workflow_dispatch", commit: main, event: dispatched(map[string]any{
		"image": "frontend", "from": source, "to": target, "environment": "production",
	})})
	if err != nil {
		return "", nil, err
	}
	tagged, err := name.ParseReference(target + ":production-1.1.0")
	if err != nil {
		return "", nil, err
	}
	there, err := remote.Head(tagged)
	s.expect(err == nil && there != nil && there.Digest == hash, "the image that was tested is where production pulls from, by its digest, tagged for production", "%v: %v, want %s", err, there, hash)
	return hash.String(), r, nil
}
