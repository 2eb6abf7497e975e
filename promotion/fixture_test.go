package promotion_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// fixture is an index of two platforms and an attestation of BuildKit, with: a signature and an SBOM that refer to it, a signature
// of that SBOM, a signature of one platform, and by tag, of cosign's kind, a signature and an attestation, and an SBOM with a signature, which has
// one too, and something that refers to it.
type fixture struct {
	digest       string
	amd64, arm64 string
	referrers    []string
	cosign       map[string]string // tag to digest
	blobs        []string
}

type pushing struct {
	t    failer
	repo name.Repository
	opts []remote.Option
	f    *fixture
}

func push(t failer, w wire) *fixture {
	t.Helper()
	repo, err := name.NewRepository(buildHost + "/team/frontend")
	if err != nil {
		t.Fatal(err)
	}
	p := &pushing{t, repo, []remote.Option{remote.WithTransport(w), remote.WithAuth(authn.Anonymous)}, &fixture{cosign: map[string]string{}}}
	amd64, arm64 := p.platform(1, "amd64", ""), p.platform(2, "arm64", "v8")
	attestation := p.small("application/vnd.in-toto+json")
	index := mutate.IndexMediaType(mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: amd64, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: arm64, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}}},
		mutate.IndexAddendum{Add: attestation, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}},
	), types.OCIImageIndex)
	if err := remote.WriteIndex(repo.Tag("1.4.0"), index, p.opts...); err != nil {
		t.Fatal(err)
	}
	p.f.digest, p.f.amd64, p.f.arm64 = p.digest(index), p.digest(amd64), p.digest(arm64)
	p.blobsOf(attestation)
	p.refer("application/vnd.example.signature", index)
	sbom := p.refer("application/spdx+json", index)
	p.refer("application/vnd.example.signature.of-sbom", sbom)
	p.refer("application/vnd.example.signature.of-amd64", amd64)
	p.cosign(p.f.digest, "sig")
	p.cosign(p.f.amd64, "att")
	p.cosign(p.digest(p.cosign(p.digest(sbom), "att")), "sig")
	listed := p.cosign(p.f.digest, "sbom")
	p.cosign(p.digest(p.cosign(p.digest(listed), "sig")), "sig")
	p.refer("application/vnd.example.signature.of-listed", listed)
	return p.f
}

func (p *pushing) digest(d interface{ Digest() (v1.Hash, error) }) string {
	h, err := d.Digest()
	if err != nil {
		p.t.Fatal(err)
	}
	return h.String()
}

func (p *pushing) blobsOf(i v1.Image) {
	m, err := i.Manifest()
	if err != nil {
		p.t.Fatal(err)
	}
	for _, d := range append(m.Layers, m.Config) {
		p.f.blobs = append(p.f.blobs, d.Digest.String())
	}
}

func (p *pushing) platform(seed int64, arch, variant string) v1.Image {
	i, err := random.Image(40000*seed, 2)
	if err != nil {
		p.t.Fatal(err)
	}
	c, err := i.ConfigFile()
	if err != nil {
		p.t.Fatal(err)
	}
	c = c.DeepCopy()
	c.OS, c.Architecture, c.Variant = "linux", arch, variant
	if i, err = mutate.ConfigFile(i, c); err != nil {
		p.t.Fatal(err)
	}
	i = mutate.MediaType(i, types.OCIManifestSchema1)
	p.blobsOf(i)
	return i
}

func (p *pushing) small(kind types.MediaType) v1.Image {
	i, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), static.NewLayer([]byte(`{"kind":"`+string(kind)+`"}`), kind))
	if err != nil {
		p.t.Fatal(err)
	}
	return i
}

// refer pushes an artifact of a type that only its artifactType tells, with an annotation.
func (p *pushing) refer(kind string, subject interface {
	Digest() (v1.Hash, error)
	Size() (int64, error)
	MediaType() (types.MediaType, error)
},
) v1.Image {
	digest, err := subject.Digest()
	if err != nil {
		p.t.Fatal(err)
	}
	size, _ := subject.Size()
	media, _ := subject.MediaType()
	i := mutate.ConfigMediaType(p.small(types.MediaType(kind)), types.MediaType(kind))
	i = mutate.Annotations(i, map[string]string{"example": kind}).(v1.Image)
	i = mutate.Subject(i, v1.Descriptor{Digest: digest, Size: size, MediaType: media}).(v1.Image)
	if err := remote.Write(p.repo.Digest(p.digest(i)), i, p.opts...); err != nil {
		p.t.Fatal(err)
	}
	p.f.referrers = append(p.f.referrers, p.digest(i))
	p.blobsOf(i)
	return i
}

func (p *pushing) cosign(of, suffix string) v1.Image {
	i := p.small(types.MediaType("application/vnd.dev.cosign." + suffix + ".of-" + of[7:15]))
	tag := strings.Replace(of, ":", "-", 1) + "." + suffix
	if err := remote.Write(p.repo.Tag(tag), i, p.opts...); err != nil {
		p.t.Fatal(err)
	}
	p.f.cosign[tag] = p.digest(i)
	p.blobsOf(i)
	return i
}

// without is the manifest of an index that lacks a platform.
func without(t failer, index []byte, arch string) []byte {
	t.Helper()
	var m v1.IndexManifest
	if err := json.Unmarshal(index, &m); err != nil {
		t.Fatal(err)
	}
	var rest []v1.Descriptor
	for _, d := range m.Manifests {
		if d.Platform == nil || d.Platform.Architecture != arch {
			rest = append(rest, d)
		}
	}
	m.Manifests = rest
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// plainly is the manifest of an index that says no platform of what it has, but for what is none.
func plainly(t failer, index []byte) []byte {
	t.Helper()
	var m v1.IndexManifest
	if err := json.Unmarshal(index, &m); err != nil {
		t.Fatal(err)
	}
	for i, d := range m.Manifests {
		if d.Platform.OS != "unknown" {
			m.Manifests[i].Platform = nil
		}
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// put writes a manifest as it is into the repository of builds.
func put(t failer, w wire, reference, kind string, content []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, "http://"+buildHost+"/v2/team/frontend/manifests/"+reference, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	resp, err := w.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s", reference, resp.Status)
	}
}
