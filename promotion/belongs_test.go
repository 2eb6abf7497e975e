package promotion_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-iac/slipway/promotion"
)

func TestAllThatBelongsToTheImageArrives(t *testing.T) {
	for name, opts := range map[string][]ggcr.Option{"with the referrers API": nil, "without": {ggcr.WithReferrersSupport(false)}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, opts...)
			var copied int64
			w.request.Progress = func(n int64) { w.mu.Lock(); copied += n; w.mu.Unlock() }
			p := w.must(t)
			if p.Digest != w.image.digest || p.Tag != tag || w.to.tags["frontend:"+tag] != w.image.digest {
				t.Errorf("digest %s, tag %s at %s; want %s", p.Digest, p.Tag, w.to.tags["frontend:"+tag], w.image.digest)
			}
			if got := strings.Join(p.Platforms, " "); got != "linux/amd64 linux/arm64/v8" {
				t.Errorf("platforms %s", got)
			}
			for _, d := range append([]string{w.image.digest, w.image.amd64, w.image.arm64}, w.image.referrers...) {
				if w.to.manifests["frontend@"+d] == nil {
					t.Errorf("%s is missing", d)
				}
			}
			for cosign, d := range w.image.cosign {
				if w.to.tags["frontend:"+cosign] != d {
					t.Errorf("%s is at %q, want %s", cosign, w.to.tags["frontend:"+cosign], d)
				}
			}
			for _, b := range w.image.blobs {
				if !contains(w.state(), "blob "+b) {
					t.Errorf("blob %s is missing", b)
				}
			}
			if copied != p.Bytes || copied < 120000 {
				t.Errorf("%d bytes were told of, %d planned", copied, p.Bytes)
			}
			w.whole(t)
		})
	}
}

// list is the index that stands for the referrers API.
func (w *world) list(t *testing.T, subject string) (m v1.IndexManifest) {
	t.Helper()
	digest := w.to.tags["frontend:"+strings.Replace(subject, ":", "-", 1)]
	if err := json.Unmarshal(w.to.manifests["frontend@"+digest], &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// What tells signatures from other things, where a registry's list of referrers is an index under a tag: the library leaves it out.
func TestListsOfReferrersSayWhatTheyAre(t *testing.T) {
	w := newWorld(t, ggcr.WithReferrersSupport(false))
	w.from.set(on(http.MethodGet, "/referrers/", 1, 0, func(rw http.ResponseWriter, req *http.Request, next http.Handler) {
		said := answered(req, next)
		rw.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		_, _ = rw.Write(bytes.ReplaceAll(said.Body.Bytes(), []byte(`"artifactType":"`), []byte(`"annotations":{"of":"the source"},"artifactType":"typed/`)))
	}))
	w.must(t)
	var got []string
	for _, d := range w.list(t, w.image.digest).Manifests {
		got = append(got, d.ArtifactType+" "+d.Annotations["of"])
	}
	slices.Sort(got)
	if fmt.Sprint(got) != "[typed/application/spdx+json the source typed/application/vnd.example.signature the source]" {
		t.Errorf("got %v", got)
	}
	before := w.state()
	w.to.set(nil)
	if w.must(t); w.state() != before || w.to.asked("^PUT") > 0 {
		t.Error("written again")
	}
}

// A run that ends between a signature and the list that it is found by.
func TestASignatureThatIsNotListedIsWrittenAgain(t *testing.T) {
	w := newWorld(t, ggcr.WithReferrersSupport(false))
	w.to.set(on(http.MethodPut, "/manifests/sha256-", 1, 0, status(403, "")))
	w.refuses(t, "refuses it")
	w.to.set(nil)
	w.must(t)
	for subject, want := range map[string]int{w.image.amd64: 1, w.image.digest: 2} {
		if n := len(w.list(t, subject).Manifests); n != want {
			t.Errorf("%d are listed for %s, want %d", n, subject, want)
		}
	}
}

// A list that comes in pages, as of a type with a parameter, is read to its end.
func TestAllPagesOfReferrersAreRead(t *testing.T) {
	page := func(rw http.ResponseWriter, req *http.Request, next http.Handler) {
		var list v1.IndexManifest
		if err := json.Unmarshal(answered(req, next).Body.Bytes(), &list); err != nil {
			t.Error(err)
		}
		// This registry lists in another order each time, and pages of another order each are no list.
		slices.SortFunc(list.Manifests, func(a, b v1.Descriptor) int { return strings.Compare(a.Digest.String(), b.Digest.String()) })
		n, _ := strconv.Atoi(req.URL.Query().Get("n"))
		if n+1 < len(list.Manifests) {
			rw.Header().Set("Link", fmt.Sprintf(`<%s?n=%d>; rel="next"`, req.URL.Path, n+1))
		}
		list.Manifests = list.Manifests[min(n, len(list.Manifests)):min(n+1, len(list.Manifests))]
		rw.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json; charset=utf-8")
		_ = json.NewEncoder(rw).Encode(list)
	}
	w := newWorld(t)
	w.from.set(on(http.MethodGet, "/referrers/", 1, 0, page))
	w.must(t)
	for _, d := range w.image.referrers {
		if w.to.manifests["frontend@"+d] == nil {
			t.Errorf("%s stayed behind", d)
		}
	}
	for name, c := range map[string]struct {
		fault fault
		words string
	}{
		"another host": {func(rw http.ResponseWriter, req *http.Request, next http.Handler) {
			rw.Header().Set("Link", `<https://evil.example.com`+req.URL.Path+`?n=1>; rel="next"`)
			next.ServeHTTP(rw, req)
		}, "is not the same list"},
		"a circle": {func(rw http.ResponseWriter, req *http.Request, next http.Handler) {
			rw.Header().Set("Link", "<"+req.URL.Path+`>; rel="next"`)
			next.ServeHTTP(rw, req)
		}, "more than 1000 pages"},
		"a page that is not there": {func(rw http.ResponseWriter, req *http.Request, next http.Handler) {
			if req.URL.RawQuery != "" {
				rw.WriteHeader(http.StatusNotFound)
				return
			}
			rw.Header().Set("Link", "<"+req.URL.Path+`?n=1>; rel="next"`)
			next.ServeHTTP(rw, req)
		}, "what refers to"},
	} {
		w := newWorld(t)
		w.from.set(on(http.MethodGet, "/referrers/", 1, 0, c.fault))
		_, err := promotion.Prepare(t.Context(), w.request)
		if err == nil || !contains(err.Error(), c.words) {
			t.Errorf("%s: got %v, want %q", name, err, c.words)
		}
	}
}

// One list of parts may be attached to an image and to its index alike.
func TestWhatIsAttachedTwiceGetsBothTags(t *testing.T) {
	w := newWorld(t)
	for _, of := range []string{w.image.digest, w.image.arm64} {
		d := w.image.cosign[strings.Replace(w.image.digest, ":", "-", 1)+".sig"]
		put(t, w.wire, strings.Replace(of, ":", "-", 1)+".sbom", "application/vnd.oci.image.manifest.v1+json", w.from.manifests["team/frontend@"+d])
	}
	w.must(t)
	for _, tag := range []string{w.image.digest + ".sig", w.image.digest + ".sbom", w.image.arm64 + ".sbom"} {
		if w.to.tags["frontend:"+strings.Replace(tag, ":", "-", 1)] == "" {
			t.Errorf("%s stayed behind", tag)
		}
	}
	w.to.set(nil)
	if w.must(t); w.to.asked("^PUT") > 0 {
		t.Error("written again")
	}
}

// A tag may lead back to what it is attached to.
func TestWhatIsAttachedInACircleEnds(t *testing.T) {
	w := newWorld(t)
	const kind = "application/vnd.oci.image.manifest.v1+json"
	tagOf := func(d, suffix string) string { return strings.Replace(d, ":", "-", 1) + "." + suffix }
	put(t, w.wire, tagOf(w.image.arm64, "sig"), kind, w.from.manifests["team/frontend@"+w.image.amd64])
	put(t, w.wire, tagOf(w.image.amd64, "sig"), kind, w.from.manifests["team/frontend@"+w.image.arm64])
	w.must(t)
	for of, at := range map[string]string{w.image.arm64: w.image.amd64, w.image.amd64: w.image.arm64} {
		if got := w.to.tags["frontend:"+tagOf(of, "sig")]; got != at {
			t.Errorf("the signature of %s is at %q, want %s", of, got, at)
		}
	}
	w.whole(t)
}

// Another signature is in another manifest under the same tag, and no other version of the image would help.
func TestASignatureThatWasAddedSaysWhatToDo(t *testing.T) {
	w := newWorld(t)
	w.must(t)
	tag := strings.Replace(w.image.digest, ":", "-", 1) + ".sig"
	put(t, w.wire, tag, "application/vnd.oci.image.manifest.v1+json", w.from.manifests["team/frontend@"+w.image.amd64])
	w.request.Environment = "staging"
	_, err := w.promote(t.Context())
	if err == nil || !contains(err.Error(), tag) || !contains(err.Error(), "delete the tag there") || contains(err.Error(), "another version") {
		t.Errorf("got %v", err)
	}
}
