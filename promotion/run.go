package promotion

import (
	"context"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

// Run copies what the plan says, in an order in which nothing refers to what is not there yet: blobs, the manifests of the
// platforms, the index, what refers to it, what is attached by tag with what refers to that, and at last the environment's tag.
func (p *Plan) Run(ctx context.Context) error {
	if err := p.copyBlobs(ctx); err != nil {
		return err
	}
	if err := p.putAll(ctx); err != nil {
		return err
	}
	if err := p.describeReferrers(ctx); err != nil {
		return err
	}
	return p.mark(ctx)
}

// putAll writes manifests in the order in which they were read: each after its parts, and after what it refers to or is attached to.
func (p *Plan) putAll(ctx context.Context) error {
	for _, m := range p.graph.manifests {
		if m.there {
			continue
		}
		if err := p.put(ctx, m); err != nil {
			return err
		}
		m.there = true
	}
	return nil
}

func (p *Plan) copyBlobs(ctx context.Context) error {
	each, ctx := errgroup.WithContext(ctx)
	each.SetLimit(workers)
	for _, b := range p.toCopy {
		each.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return p.copyBlob(ctx, b)
		})
	}
	return each.Wait()
}

// copyBlob begins a blob anew where its copy breaks off; registries keep no half blobs that could be relied on.
func (p *Plan) copyBlob(ctx context.Context, b v1.Descriptor) error {
	ref := p.from.Digest(b.Digest.String())
	c := &blob{desc: b, tell: p.request.Progress, open: func() (io.ReadCloser, error) {
		l, err := p.puller.Layer(ctx, ref)
		if err != nil {
			return nil, err
		}
		return l.Compressed()
	}}
	var layer v1.Layer = c
	if p.from.RegistryStr() == p.to.RegistryStr() {
		layer = &remote.MountableLayer{Layer: c, Reference: ref}
	}
	err := p.request.Patience.again(ctx, func() error {
		c.restart()
		err := p.pusher.Upload(ctx, p.to, layer)
		if broken := c.broken(); err != nil && broken != nil {
			return broken // what the target says of a copy that the source broke off is no use
		}
		return err
	})
	if err == nil {
		c.whole()
		return nil
	}
	side := p.to
	if c.broken() != nil {
		side = p.from
	}
	return explain(err, side, fmt.Sprintf("copying blob %s from %s to %s", b.Digest, p.from.Name(), p.to.Name()))
}

// put writes a manifest under its digest, or under its tags.
func (p *Plan) put(ctx context.Context, m *manifest) error {
	for _, tag := range m.tags {
		if err := p.setTag(ctx, tag, m); err != nil {
			return err
		}
	}
	if len(m.tags) > 0 {
		return nil
	}
	to := p.to.Digest(m.Digest.String())
	what := "writing " + to.Name()
	if m.subject != nil {
		what += ", which refers to " + m.subject.String()
	}
	return explain(p.pusher.Put(ctx, to, m), p.to, what)
}

// setTag writes a manifest under a tag. Where tags do not move, one that was written without the answer having come through is
// refused at the next attempt: it is there then.
func (p *Plan) setTag(ctx context.Context, tag string, m *manifest) error {
	err := p.pusher.Put(ctx, p.to.Tag(tag), m)
	if err == nil {
		return nil
	}
	if there, moved := p.tagged(ctx, tag, m.Digest); there && moved == nil {
		return nil
	}
	return explain(err, p.to, "writing "+p.to.Tag(tag).Name())
}

// mark sets the environment's tag, once the target gives back what was written.
func (p *Plan) mark(ctx context.Context) error {
	if _, err := p.get(ctx, p.to.Digest(p.Digest)); err != nil {
		return explain(err, p.to, "reading back "+p.to.Digest(p.Digest).Name())
	}
	// Somebody else may have set it since the plan was made.
	tagged, err := p.tagged(ctx, p.Tag, p.root.Digest)
	if err != nil {
		return err
	}
	tag := p.to.Tag(p.Tag)
	if !tagged {
		if err := p.setTag(ctx, p.Tag, p.root); err != nil {
			return err
		}
	}
	got, err := p.get(ctx, tag)
	if err != nil {
		return explain(err, p.to, "reading back "+tag.Name())
	}
	if got.Digest != p.root.Digest {
		return fmt.Errorf("%s answers with the digest %s, after %s was written: it is not to be trusted with images", tag.Name(), got.Digest, p.Digest)
	}
	return nil
}
