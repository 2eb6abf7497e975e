package promotion

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

// workers is how many blobs are asked for or copied at once.
const workers = 4

// Plan is what a promotion would do.
type Plan struct {
	// Source is the image, by tag where it was given so, and by the digest that was found.
	Source string
	// Digest is the image's: of the index, where it is for several platforms.
	Digest string
	// Target is the repository, Tag the tag that it gets there.
	Target, Tag string
	// Platforms are those that are copied.
	Platforms []string
	// Manifests and Blobs are how many of them there are, attestations and signatures included; ToCopy counts those that the target
	// does not have yet, and Bytes their size.
	Manifests, Blobs Count
	// Bytes is how much is copied at most: less where the target can mount a blob from another of its repositories.
	Bytes int64
	// Tagged tells that the tag is there already, on this digest.
	Tagged bool

	request  Request
	from, to name.Repository
	puller   *remote.Puller
	pusher   *remote.Pusher
	root     *manifest
	graph    *graph
	toCopy   []v1.Descriptor
}

// Count is how many there are, and how many of them the target does not have.
type Count struct{ Total, ToCopy int }

// Prepare resolves the source, reads all that belongs to it, and compares with the target; it writes nothing. It refuses a tag
// that has moved, platforms that are missing, what a scan found, and a tag of the target that is taken by another digest.
func Prepare(ctx context.Context, r Request) (*Plan, error) {
	from, to, err := r.parse()
	if err != nil {
		return nil, err
	}
	r.Patience = r.Patience.filled()
	if r.Keychain == nil {
		r.Keychain = authn.DefaultKeychain
	}
	p := &Plan{request: r, from: from.repository, to: to, Target: to.Name()}
	if err := p.connect(); err != nil {
		return nil, err
	}
	digest, err := p.resolve(ctx, from)
	if err != nil {
		return nil, err
	}
	from.digest = digest.String()
	p.Source, p.Digest = from.String(), digest.String()
	if p.Tag, err = r.tag(from, digest); err != nil {
		return nil, err
	}
	// The tag first: where it is taken nothing else has to be read.
	if p.Tagged, err = p.tagged(ctx, p.Tag, digest); err != nil {
		return nil, err
	}
	if !p.Tagged {
		if err := p.exists(ctx); err != nil {
			return nil, err
		}
	}
	if err := p.read(ctx, digest); err != nil {
		return nil, err
	}
	return p, p.compare(ctx)
}

// connect makes the clients of both registries.
func (p *Plan) connect() (err error) {
	next := p.request.Transport
	if next == nil {
		next = remote.DefaultTransport
	}
	opts := []remote.Option{
		remote.WithAuthFromKeychain(p.request.Keychain),
		remote.WithTransport(wholeLists{&patient{Patience: p.request.Patience, next: next}}),
		remote.WithUserAgent("slipway"),
		// The library's own retries do not look at Retry-After.
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}), remote.WithRetryPredicate(func(error) bool { return false }), remote.WithRetryStatusCodes(),
	}
	if p.puller, err = remote.NewPuller(opts...); err != nil {
		return err
	}
	p.pusher, err = remote.NewPusher(opts...)
	return err
}

func (p *Plan) get(ctx context.Context, ref name.Reference) (*remote.Descriptor, error) {
	return get(ctx, p.request.Patience, p.puller, ref)
}

// get reads a manifest, and again where the answer breaks off, which who asks for answers again cannot see.
func get(ctx context.Context, patience Patience, puller *remote.Puller, ref name.Reference) (d *remote.Descriptor, err error) {
	err = patience.again(ctx, func() error {
		d, err = puller.Get(ctx, ref)
		return err
	})
	return d, err
}

// resolve is the digest of the source, which a tag has to be at still if both were given.
func (p *Plan) resolve(ctx context.Context, from source) (v1.Hash, error) {
	if from.tag == "" {
		return v1.NewHash(from.digest)
	}
	got, err := p.get(ctx, from.repository.Tag(from.tag))
	if err != nil {
		return v1.Hash{}, explain(err, from.repository, "source "+from.String())
	}
	if from.digest != "" && got.Digest.String() != from.digest {
		return v1.Hash{}, fmt.Errorf("the source's tag %q has moved: it is at %s, and the promotion is of %s", from.tag, got.Digest, from.digest)
	}
	return got.Digest, nil
}

// tagged tells whether the target's tag is there; one on another digest is an error.
func (p *Plan) tagged(ctx context.Context, tag string, digest v1.Hash) (bool, error) {
	got, err := p.puller.Head(ctx, p.to.Tag(tag))
	switch {
	case missing(err):
		return false, nil
	case err != nil:
		return false, explain(err, p.to, "target "+p.to.Tag(tag).Name())
	case got.Digest != digest:
		what := "promote under another version"
		if tag != p.Tag { // cosign's, which has the image's digest for a name
			what = "what is attached by it has changed since it was copied; delete the tag there, and run the same command again"
		}
		return false, fmt.Errorf("the tag %q of %s is at %s, and would have to move to %s: tags do not move, %s", tag, p.to.Name(), got.Digest, digest, what)
	}
	return true, nil
}

// exists refuses a target that ECR says is not there. Whether a tag is missing or its repository is only in the body of an answer, which HEAD has
// not; one that says neither is for what is written later to find out.
func (p *Plan) exists(ctx context.Context) error {
	host := p.to.RegistryStr()
	if _, private := EcrOf(host); !private && host != publicEcr {
		return nil
	}
	if _, err := p.get(ctx, p.to.Tag(p.Tag)); noRepository(err) {
		return explain(err, p.to, "target "+p.to.Name())
	}
	return nil
}

// read collects the image and all that hangs on it.
func (p *Plan) read(ctx context.Context, digest v1.Hash) (err error) {
	g := &graph{from: p.from, puller: p.puller, patience: p.request.Patience, seen: map[v1.Hash]*manifest{}, listed: map[v1.Hash][]v1.Descriptor{}}
	if p.root, err = g.add(ctx, digest, nil, p.Source); err != nil {
		return err
	}
	platforms, err := g.platforms(ctx, p.root)
	if err != nil {
		return err
	}
	for _, pl := range platforms {
		p.Platforms = append(p.Platforms, pl.String())
	}
	if err := lacking(p.request.Platforms, platforms); err != nil {
		return err
	}
	if err := p.request.Gate.check(ctx, p.from, p.root, g.manifests); err != nil {
		return err
	}
	p.graph = g
	return g.attached(ctx)
}

// compare asks the target what it has.
func (p *Plan) compare(ctx context.Context) error {
	for _, m := range p.graph.manifests {
		there, err := p.has(ctx, m)
		if err != nil {
			return err
		}
		m.there = there
		p.Manifests.Total++
		if !there {
			p.Manifests.ToCopy++
		}
	}
	blobs := p.graph.blobs()
	absent := make([]bool, len(blobs))
	each, ctx := errgroup.WithContext(ctx)
	each.SetLimit(workers)
	for i, b := range blobs {
		each.Go(func() error {
			there, err := p.hasBlob(ctx, b.Digest)
			absent[i] = !there
			return err
		})
	}
	if err := each.Wait(); err != nil {
		return err
	}
	p.Blobs.Total = len(blobs)
	for i, b := range blobs {
		if absent[i] {
			p.toCopy = append(p.toCopy, b)
			p.Bytes += b.Size
		}
	}
	// The largest first, so that none of them is what everybody waits for at the end.
	slices.SortStableFunc(p.toCopy, func(a, b v1.Descriptor) int { return cmp.Compare(b.Size, a.Size) })
	p.Blobs.ToCopy = len(p.toCopy)
	return nil
}

// has tells whether the target has a manifest, under its tags where it has some, and lists it where it refers to something: a
// registry without the referrers API has a list of its own for that, which is written after the manifest.
func (p *Plan) has(ctx context.Context, m *manifest) (bool, error) {
	for _, tag := range m.tags {
		if there, err := p.tagged(ctx, tag, m.Digest); err != nil || !there {
			return false, err
		}
	}
	if len(m.tags) > 0 && m.subject == nil {
		return true, nil
	}
	if _, err := p.puller.Head(ctx, p.to.Digest(m.Digest.String())); missing(err) {
		return false, nil
	} else if err != nil {
		return false, explain(err, p.to, "target "+m.Digest.String())
	}
	if m.subject == nil {
		return true, nil
	}
	listed, err := referrers(ctx, p.request.Patience, p.puller, p.to, *m.subject)
	return slices.ContainsFunc(listed, func(d v1.Descriptor) bool { return d.Digest == m.Digest }), explain(err, p.to, "what refers to "+m.subject.String())
}

func (p *Plan) hasBlob(ctx context.Context, d v1.Hash) (bool, error) {
	layer, err := p.puller.Layer(ctx, p.to.Digest(d.String()))
	if err != nil {
		return false, explain(err, p.to, "target")
	}
	there, err := partial.Exists(layer)
	if missing(err) {
		return false, nil
	}
	return there, explain(err, p.to, "target "+d.String())
}
