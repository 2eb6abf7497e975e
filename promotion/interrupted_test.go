package promotion_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"pgregory.net/rapid"
)

// Whatever runs are cut off, and however, one undisturbed run then leaves what it would have left alone, and at no time was
// anything written before what it refers to.
func TestInterruptedRunsEndAsOneUndisturbed(t *testing.T) {
	w := newWorld(t)
	empty := func(api bool) {
		w.to = newHub(ggcr.WithReferrersSupport(api))
		w.wire[ecrHost] = w.to
	}
	undisturbed := map[bool]string{}
	for _, api := range []bool{true, false} {
		empty(api)
		w.must(t)
		undisturbed[api] = w.state()
		w.to.server.Close()
	}
	rapid.Check(t, func(t *rapid.T) {
		api := rapid.Bool().Draw(t, "referrers API")
		empty(api)
		defer w.to.server.Close()
		for range rapid.IntRange(1, 3).Draw(t, "runs") {
			w.disturbed(t)
		}
		w.from.set(nil)
		w.to.set(nil)
		w.must(t)
		w.whole(t)
		if got, want := w.state(), undisturbed[api]; got != want {
			t.Fatalf("after interruptions\n%s\nundisturbed\n%s", got, want)
		}
	})
}

// disturbed is a run in which one request fails in some way, and perhaps all that follow.
func (w *world) disturbed(t *rapid.T) {
	at := rapid.IntRange(0, 130).Draw(t, "at request")
	kinds := map[string]fault{
		"500": status(500, ""), "403": status(403, ""), "429": status(429, "", "Retry-After", "9000"),
		"cut upload": cutUpload, "cut answer": cutAnswer, "cut after": cutAfter, "other bytes": otherBytes,
	}
	how := rapid.SampledFrom(slices.Sorted(maps.Keys(kinds))).Draw(t, "how")
	forever := rapid.Bool().Draw(t, "for ever")
	killed := rapid.Bool().Draw(t, "killed")
	source := rapid.Bool().Draw(t, "source")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	f := func(req *http.Request) fault {
		if n++; n != at && (n < at || !forever) {
			return nil
		}
		if killed {
			cancel()
		}
		// A list of referrers and a tag have no digest of their own: what a registry says of them can only be believed.
		if how == "other bytes" && (!contains(req.URL.Path, "sha256:") || contains(req.URL.Path, "/referrers/")) {
			return nil
		}
		return kinds[how]
	}
	w.from.set(nil)
	w.to.set(f)
	if source {
		w.to.set(nil)
		w.from.set(f)
	}
	tagged := w.to.tags["frontend:"+tag]
	_, err := w.promote(ctx)
	if err == nil && w.to.tags["frontend:"+tag] == "" {
		t.Fatal("it says that it is done, and there is no tag")
	}
	if tagged == "" && w.to.tags["frontend:"+tag] != "" {
		w.complete(t)
	}
}

// complete wants everything to be there by the time that the tag is.
func (w *world) complete(t failer) {
	t.Helper()
	for _, d := range append([]string{w.image.digest, w.image.amd64, w.image.arm64}, w.image.referrers...) {
		if w.to.manifests["frontend@"+d] == nil {
			t.Errorf("tagged without %s", d)
		}
	}
	for cosign := range w.image.cosign {
		if w.to.tags["frontend:"+cosign] == "" {
			t.Errorf("tagged without %s", cosign)
		}
	}
}
