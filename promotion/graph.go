package promotion

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// manifest is one that is copied as it is, byte by byte.
type manifest struct {
	v1.Descriptor
	raw     []byte
	subject *v1.Hash
	// tags are those by whose names cosign attaches it: one for each thing that it is attached to.
	tags  []string
	blobs []v1.Descriptor
	// config is an image's configuration, or what an artifact has in its place; nil of an index.
	config *v1.Descriptor
	// platform is that of an image; none of an index or an artifact. asks says that only the image's configuration tells it: no index does.
	platform *v1.Platform
	asks     bool
	there    bool
}

// RawManifest implements remote.Taggable.
func (m *manifest) RawManifest() ([]byte, error) { return m.raw, nil }

// MediaType is what the manifest is sent as.
func (m *manifest) MediaType() (types.MediaType, error) { return m.Descriptor.MediaType, nil }

// graph is an image and all that hangs on it, children before parents.
type graph struct {
	from      name.Repository
	puller    *remote.Puller
	patience  Patience
	manifests []*manifest
	seen      map[v1.Hash]*manifest
	// listed is what the source says about what refers to a manifest.
	listed map[v1.Hash][]v1.Descriptor
}

// maxManifests is more than belongs to any image, so that a registry that names ever more does not keep anybody.
const maxManifests = 10000

// add fetches a manifest by digest, what it consists of, and then what refers to it.
func (g *graph) add(ctx context.Context, d v1.Hash, platform *v1.Platform, what string) (*manifest, error) {
	if m := g.seen[d]; m != nil {
		return m, nil
	}
	if len(g.seen) == maxManifests {
		return nil, fmt.Errorf("more than %d manifests belong to the image: %s names more and more of them", maxManifests, g.from.RegistryStr())
	}
	m, err := g.fetch(ctx, d, what)
	if err != nil {
		return nil, err
	}
	g.seen[d] = m
	m.platform = platform
	if err := g.consistsOf(ctx, m, what); err != nil {
		return nil, err
	}
	g.manifests = append(g.manifests, m)
	return m, g.refersTo(ctx, m, what)
}

func (g *graph) fetch(ctx context.Context, d v1.Hash, what string) (*manifest, error) {
	got, err := get(ctx, g.patience, g.puller, g.from.Digest(d.String()))
	if err != nil {
		return nil, explain(err, g.from, what)
	}
	// Read by digest, an answer of other bytes is an error there; an old kind of manifest goes by another digest than its bytes'.
	if got.MediaType.IsSchema1() {
		return nil, fmt.Errorf("%s is a manifest of Docker's schema 1, whose digest does not cover its bytes: build the image anew", what)
	}
	return &manifest{Descriptor: got.Descriptor, raw: got.Manifest}, nil
}

// consistsOf reads the parts of an index, an image or an artifact.
func (g *graph) consistsOf(ctx context.Context, m *manifest, what string) error {
	var parts struct {
		Subject   *v1.Descriptor  `json:"subject"`
		Manifests []v1.Descriptor `json:"manifests"`
		Config    *v1.Descriptor  `json:"config"`
		Layers    []v1.Descriptor `json:"layers"`
	}
	if err := json.Unmarshal(m.raw, &parts); err != nil {
		return fmt.Errorf("%s is no manifest: %w", what, err)
	}
	if parts.Subject != nil {
		m.subject = &parts.Subject.Digest
	}
	for _, c := range parts.Manifests {
		if !c.MediaType.IsIndex() && !c.MediaType.IsImage() {
			m.blobs = append(m.blobs, c)
			continue
		}
		of := what + ": " + c.Digest.String()
		platform := c.Platform
		if platform != nil && platform.OS == "unknown" { // what BuildKit puts beside images: attestations
			platform = nil
		}
		if platform != nil {
			of = what + " for " + platform.String()
		}
		part, err := g.add(ctx, c.Digest, platform, of)
		if err != nil {
			return err
		}
		part.asks = part.asks || c.Platform == nil && part.config != nil && part.config.MediaType.IsConfig()
	}
	if parts.Config != nil {
		m.blobs = append(m.blobs, *parts.Config)
		m.config = parts.Config
	}
	for _, l := range parts.Layers {
		// Layers that stay where they are: https://github.com/opencontainers/image-spec/blob/main/layer.md#non-distributable-layers
		if l.MediaType.IsDistributable() || len(l.URLs) == 0 {
			m.blobs = append(m.blobs, l)
		}
	}
	return nil
}

// refersTo adds the manifests whose subject is m: by the referrers API, or by the tag that stands in for it.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
func (g *graph) refersTo(ctx context.Context, m *manifest, what string) error {
	listed, err := referrers(ctx, g.patience, g.puller, g.from, m.Digest)
	if err != nil {
		return explain(err, g.from, "what refers to "+what)
	}
	for _, d := range listed {
		r, err := g.add(ctx, d.Digest, nil, what+": referrer "+d.Digest.String())
		if err != nil {
			return err
		}
		if r.subject == nil || *r.subject != m.Digest {
			return fmt.Errorf("%s lists %s as what refers to %s, which it does not", g.from.RegistryStr(), d.Digest, m.Digest)
		}
	}
	if len(listed) > 0 {
		g.listed[m.Digest] = listed
	}
	return nil
}

// attached adds what cosign attaches by tag to the manifests that are there so far, and to what is attached itself: an SBOM may be signed. Each
// manifest is looked at once, whatever its tags lead to.
// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#tag-based-discovery
func (g *graph) attached(ctx context.Context) error {
	for i := 0; i < len(g.manifests); i++ {
		for _, suffix := range []string{"sig", "att", "sbom"} {
			tag := strings.Replace(g.manifests[i].Digest.String(), ":", "-", 1) + "." + suffix
			got, err := g.puller.Head(ctx, g.from.Tag(tag))
			if missing(err) {
				continue
			}
			if err != nil {
				return explain(err, g.from, "tag "+tag)
			}
			a, err := g.add(ctx, got.Digest, nil, "tag "+tag)
			if err != nil {
				return err
			}
			a.tags = append(a.tags, tag)
		}
	}
	return nil
}

// blobs are all of the manifests', each once.
func (g *graph) blobs() (out []v1.Descriptor) {
	seen := map[v1.Hash]bool{}
	for _, m := range g.manifests {
		for _, b := range m.blobs {
			if !seen[b.Digest] {
				seen[b.Digest] = true
				out = append(out, b)
			}
		}
	}
	return out
}

// platforms are those that there are, from the index or, of an image that none tells of, from its configuration.
func (g *graph) platforms(ctx context.Context, root *manifest) ([]v1.Platform, error) {
	root.asks = root.Descriptor.MediaType.IsImage() && root.config != nil
	var out []v1.Platform
	for _, m := range g.manifests {
		if m.asks && m.platform == nil {
			p, err := g.configured(ctx, m)
			if err != nil {
				return nil, err
			}
			m.platform = p
		}
		if m.platform != nil && !slices.ContainsFunc(out, m.platform.Equals) {
			out = append(out, *m.platform)
		}
	}
	return out, nil
}

// configured is the platform that an image's configuration says; nil for what BuildKit puts beside images.
func (g *graph) configured(ctx context.Context, m *manifest) (*v1.Platform, error) {
	what := "the configuration of image " + m.Digest.String()
	layer, err := g.puller.Layer(ctx, g.from.Digest(m.config.Digest.String()))
	if err != nil {
		return nil, explain(err, g.from, what)
	}
	content, err := layer.Compressed()
	if err != nil {
		return nil, explain(err, g.from, what)
	}
	defer content.Close()
	config, err := v1.ParseConfigFile(content)
	if err != nil {
		return nil, wrapped(err, what)
	}
	if p := config.Platform(); p != nil && p.OS != "unknown" {
		return p, nil
	}
	return nil, nil
}

// lacking says which of the wanted platforms are not there.
func lacking(wanted []string, there []v1.Platform) error {
	var without, has []string
	for _, p := range there {
		has = append(has, p.String())
	}
	for _, w := range wanted {
		p, err := v1.ParsePlatform(w)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(there, func(t v1.Platform) bool { return t.Satisfies(*p) }) {
			without = append(without, w)
		}
	}
	if len(without) == 0 {
		return nil
	}
	return fmt.Errorf("the image lacks %s; it has %s", strings.Join(without, ", "), cmp.Or(strings.Join(has, ", "), "none"))
}
