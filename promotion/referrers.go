package promotion

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// referrers lists what refers to a manifest, in the registry's order. It asks again where an answer breaks off, as get does.
func referrers(ctx context.Context, patience Patience, puller *remote.Puller, in name.Repository, d v1.Hash) (list []v1.Descriptor, err error) {
	err = patience.again(ctx, func() error {
		index, err := remote.Referrers(in.Digest(d.String()), remote.WithContext(ctx), remote.Reuse(puller))
		if err != nil {
			return err
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			return err
		}
		list = manifest.Manifests
		return nil
	})
	return list, err
}

// describeReferrers completes the lists that stand, under a tag, for the referrers API where the target has none: the library
// that writes them leaves out annotations, and the type of artifacts without a configuration, by which signatures are found.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests-with-subject
func (p *Plan) describeReferrers(ctx context.Context) error {
	for _, m := range p.graph.manifests {
		if len(p.graph.listed[m.Digest]) == 0 {
			continue
		}
		tag := p.to.Tag(strings.Replace(m.Digest.String(), ":", "-", 1))
		got, err := p.get(ctx, tag)
		if missing(err) {
			continue // the registry keeps the list itself
		}
		if err != nil {
			return explain(err, p.to, "reading "+tag.Name())
		}
		list, err := v1.ParseIndexManifest(bytes.NewReader(got.Manifest))
		if err != nil {
			return wrapped(err, tag.Name())
		}
		changed := false
		for i, have := range list.Manifests {
			for _, d := range p.graph.listed[m.Digest] {
				if have.Digest == d.Digest && !reflect.DeepEqual(have, d) {
					list.Manifests[i], changed = d, true
				}
			}
		}
		if !changed {
			continue
		}
		raw, err := json.Marshal(list)
		if err != nil {
			return err
		}
		if err := p.pusher.Put(ctx, tag, &manifest{Descriptor: got.Descriptor, raw: raw}); err != nil {
			return explain(err, p.to, "writing "+tag.Name())
		}
	}
	return nil
}
