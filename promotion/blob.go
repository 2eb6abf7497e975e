package promotion

import (
	"errors"
	"io"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// blob is one of the source's, as a layer whose bytes are counted.
type blob struct {
	desc v1.Descriptor
	open func() (io.ReadCloser, error)
	tell func(int64)

	// An upload that was given up may go on reading for a moment beside the next one, which counts alone.
	mu      sync.Mutex
	attempt int
	told    int64
	failed  error
}

var errUnpacked = errors.New("a blob is copied as it is, and never unpacked")

// Digest implements v1.Layer.
func (b *blob) Digest() (v1.Hash, error) { return b.desc.Digest, nil }

// DiffID implements v1.Layer.
func (b *blob) DiffID() (v1.Hash, error) { return v1.Hash{}, errUnpacked }

// Size implements v1.Layer.
func (b *blob) Size() (int64, error) { return b.desc.Size, nil }

// MediaType implements v1.Layer: one that is copied, whatever the blob is.
func (b *blob) MediaType() (types.MediaType, error) { return types.OCILayer, nil }

// Uncompressed implements v1.Layer.
func (b *blob) Uncompressed() (io.ReadCloser, error) { return nil, errUnpacked }

// Compressed implements v1.Layer.
func (b *blob) Compressed() (io.ReadCloser, error) {
	b.mu.Lock()
	attempt := b.attempt
	b.mu.Unlock()
	content, err := b.open()
	if err != nil {
		b.read(attempt, 0, err)
		return nil, err
	}
	return &reading{content, b, attempt}, nil
}

// restart begins another attempt, of which nothing is read yet.
func (b *blob) restart() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attempt, b.failed = b.attempt+1, nil
	b.add(-b.told)
}

// whole counts what was mounted, or there already.
func (b *blob) whole() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attempt++
	b.add(b.desc.Size - b.told)
}

// broken is what went wrong with reading the blob; nil where the target is to blame.
func (b *blob) broken() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

func (b *blob) read(attempt, n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if attempt != b.attempt {
		return
	}
	b.add(int64(n))
	if err != nil {
		b.failed = err
	}
}

func (b *blob) add(n int64) {
	if b.told += n; b.tell != nil && n != 0 {
		b.tell(n)
	}
}

type reading struct {
	content io.ReadCloser
	b       *blob
	attempt int
}

// Read implements io.Reader.
func (r *reading) Read(p []byte) (int, error) {
	n, err := r.content.Read(p)
	if errors.Is(err, io.EOF) {
		r.b.read(r.attempt, n, nil)
	} else {
		r.b.read(r.attempt, n, err)
	}
	return n, err
}

// Close implements io.Closer.
func (r *reading) Close() error { return r.content.Close() }
