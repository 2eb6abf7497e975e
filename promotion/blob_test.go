package promotion

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// An upload that was given up goes on reading for a moment: what it reads, and how it ends, is not the next one's.
func TestAnAttemptThatWasGivenUpCountsNoMore(t *testing.T) {
	var told int64
	content := io.MultiReader(strings.NewReader("half"), strings.NewReader("more"), iotest.ErrReader(errors.New("closed")))
	b := &blob{desc: v1.Descriptor{Size: 12}, tell: func(n int64) { told += n }, open: func() (io.ReadCloser, error) { return io.NopCloser(content), nil }}
	b.restart()
	first, err := b.Compressed()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Read(make([]byte, 4)); err != nil || told != 4 {
		t.Fatalf("told of %d, %v", told, err)
	}
	b.restart()
	if _, err := io.ReadAll(first); err == nil || b.broken() != nil || told != 0 {
		t.Errorf("read with %v; told of %d, broken by %v", err, told, b.broken())
	}
	if b.whole(); told != 12 {
		t.Errorf("told of %d of 12", told)
	}
}
