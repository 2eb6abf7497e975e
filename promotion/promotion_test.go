package promotion_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/promotion"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

const tag = "production-1.4.0"

func TestAgainChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.must(t)
	before := w.state()
	w.to.set(nil)
	p := w.must(t)
	if !p.Tagged || p.Manifests.ToCopy != 0 || p.Blobs.ToCopy != 0 || p.Bytes != 0 {
		t.Errorf("there is something to copy: %+v", p)
	}
	if n := w.to.asked("^(PUT|POST|PATCH)"); n > 0 || w.state() != before {
		t.Errorf("%d writes", n)
	}
}

func TestPrepareWritesNothing(t *testing.T) {
	w := newWorld(t)
	p, err := promotion.Prepare(t.Context(), w.request)
	if err != nil {
		t.Fatal(err)
	}
	if n := w.to.asked("^(PUT|POST|PATCH|DELETE)") + w.from.asked("^(PUT|POST|PATCH|DELETE)"); n > 0 {
		t.Errorf("%d writes", n)
	}
	if p.Manifests.ToCopy != p.Manifests.Total || p.Manifests.Total != 16 || p.Blobs.ToCopy != p.Blobs.Total || p.Blobs.Total < 10 {
		t.Errorf("manifests %v, blobs %v", p.Manifests, p.Blobs)
	}
}

// A rolled back environment is promoted anew under the version that it had: the tag is there.
func TestWithinOneRegistryNothingIsCopied(t *testing.T) {
	w := newWorld(t)
	w.must(t)
	w.request.Source, w.request.Environment = ecrHost+"/frontend@"+w.image.digest, "staging"
	w.to.set(nil)
	p := w.must(t)
	if p.Tag != "staging-"+w.image.digest[7:19] || p.Bytes != 0 || w.to.tags["frontend:"+p.Tag] != w.image.digest {
		t.Errorf("%s, %d bytes", p.Tag, p.Bytes)
	}
	if n := w.to.asked("^(POST|PATCH)"); n > 0 {
		t.Errorf("%d uploads", n)
	}
}

func TestTagsDoNotMove(t *testing.T) {
	w := newWorld(t)
	w.must(t)
	first := w.image.digest
	w.image = push(t, w.wire) // 1.4.0 is another image now
	_, err := w.promote(t.Context())
	want := fmt.Sprintf(`the tag "production-1.4.0" of %s/frontend is at %s, and would have to move to %s: tags do not move`, ecrHost, first, w.image.digest)
	if err == nil || !contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if got := w.to.tags["frontend:"+tag]; got != first {
		t.Errorf("it is at %s", got)
	}
}

func TestATagThatMovedFromItsDigestIsRefused(t *testing.T) {
	w := newWorld(t)
	w.request.Source += "@" + w.image.amd64
	w.refuses(t, `the source's tag "1.4.0" has moved: it is at `+w.image.digest, w.image.amd64)
	w.request.Source = buildHost + "/team/frontend:1.4.0@" + w.image.digest
	if p := w.must(t); p.Digest != w.image.digest || p.Tag != tag {
		t.Errorf("%s at %s", p.Digest, p.Tag)
	}
}

// Somebody else promotes another image under the same version, between the plan and the tag.
func TestATagTakenMeanwhileDoesNotMove(t *testing.T) {
	w := newWorld(t)
	other := ""
	w.to.set(func(req *http.Request) fault {
		if req.Method == http.MethodPut && other == "" {
			other = "on its way"
			return func(rw http.ResponseWriter, req *http.Request, next http.Handler) {
				content := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`)
				put, _ := http.NewRequest(http.MethodPut, "/v2/frontend/manifests/"+tag, strings.NewReader(string(content)))
				put.Header.Set("Content-Type", "application/vnd.oci.image.index.v1+json")
				answered(put, next)
				other = digestOf(content)
				next.ServeHTTP(rw, req)
			}
		}
		return nil
	})
	_, err := w.promote(t.Context())
	if err == nil || !contains(err.Error(), "tags do not move") || w.to.tags["frontend:"+tag] != other {
		t.Errorf("got %v, tag at %s, want %s", err, w.to.tags["frontend:"+tag], other)
	}
}

func TestMissingPlatformsAreNamed(t *testing.T) {
	w := newWorld(t)
	w.request.Platforms = []string{"linux/amd64", "linux/arm/v7", "windows/amd64"}
	w.refuses(t, "the image lacks linux/arm/v7, windows/amd64; it has linux/amd64, linux/arm64/v8")
	if n := w.to.asked("^(PUT|POST|PATCH)"); n > 0 {
		t.Errorf("%d writes", n)
	}
	w.from.set(on(http.MethodGet, "/manifests/"+w.image.arm64, 1, 0, status(404, `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`)))
	w.request.Platforms = nil
	w.refuses(t, "for linux/arm64/v8", "MANIFEST_UNKNOWN")
	w.from.set(nil)
	w.request.Source, w.request.Platforms = buildHost+"/team/frontend@"+w.image.amd64, []string{"linux/arm64"}
	w.refuses(t, "the image lacks linux/arm64; it has linux/amd64")
	w.request.Platforms = []string{"linux/amd64"}
	if p := w.must(t); p.Digest != w.image.amd64 {
		t.Errorf("a single image: %+v", p)
	}
}

func TestOtherBytesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		source bool
		method string
		part   string
		words  string
	}{
		"a platform's manifest": {true, http.MethodGet, "/manifests/sha256:", "does not match requested digest"},
		"a blob":                {true, http.MethodGet, "/blobs/", "error verifying sha256 checksum"},
		"what was written":      {false, http.MethodGet, "/manifests/sha256:", "does not match requested digest"},
		"the tag":               {false, http.MethodGet, "/manifests/" + tag, "is not to be trusted with images"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			hub := w.to
			if c.source {
				hub = w.from
			}
			hub.set(on(c.method, c.part, 1, 0, otherBytes))
			_, err := w.promote(t.Context())
			if err == nil || !contains(err.Error(), c.words) {
				t.Errorf("got %v, want %q", err, c.words)
			}
			if d := w.to.tags["frontend:"+tag]; d != "" && name != "the tag" {
				t.Errorf("tagged all the same: %s", d)
			}
			if len(w.waited) > 0 {
				t.Errorf("tried again after %v: wrong bytes do not pass", w.waited)
			}
		})
	}
}

func TestWhatPassesIsTriedAgain(t *testing.T) {
	const uploads, blobs = "/blobs/uploads/", "/blobs/sha256:"
	for name, c := range map[string]struct {
		source bool
		fault  func(*http.Request) fault
	}{
		"500 of a blob":                {true, on(http.MethodGet, blobs, 1, 3, status(500, ""))},
		"503 of a manifest":            {true, on(http.MethodGet, "/manifests/", 2, 2, status(503, ""))},
		"429 without a time":           {true, on(http.MethodGet, "/manifests/", 1, 1, status(429, `{"errors":[{"code":"TOOMANYREQUESTS"}]}`))},
		"a blob cut off":               {true, on(http.MethodGet, blobs, 2, 2, cutAnswer)},
		"a manifest cut off":           {true, on(http.MethodGet, "/manifests/", 3, 1, cutAnswer)},
		"a list cut off":               {true, on(http.MethodGet, "/referrers/", 1, 2, cutAnswer)},
		"an upload cut off":            {false, on(http.MethodPatch, uploads, 1, 3, cutUpload)},
		"an upload refused":            {false, on(http.MethodPatch, uploads, 2, 2, status(502, ""))},
		"an upload's beginning":        {false, on(http.MethodPost, uploads, 1, 5, status(500, ""))},
		"an upload's end":              {false, on(http.MethodPut, uploads, 1, 2, status(504, ""))},
		"a manifest's writing":         {false, on(http.MethodPut, "/manifests/", 1, 2, status(503, ""))},
		"a manifest written unheard":   {false, on(http.MethodPut, "/manifests/", 2, 1, cutAfter)},
		"the tag's writing":            {false, on(http.MethodPut, "/manifests/"+tag, 1, 2, status(500, ""))},
		"the tag written unheard":      {false, on(http.MethodPut, "/manifests/"+tag, 1, 1, cutAfter)},
		"the question for the tag":     {false, on(http.MethodHead, "/manifests/"+tag, 1, 2, status(500, ""))},
		"the question for the version": {false, on(http.MethodGet, "/v2/", 1, 1, status(503, ""))},
	} {
		t.Run(name, func(t *testing.T) {
			calm, w := newWorld(t), newWorld(t)
			w.request.Source += "@" + w.image.digest
			calm.must(t)
			hub := w.to
			if c.source {
				hub = w.from
			}
			hub.set(c.fault)
			var told int64
			w.request.Progress = func(n int64) { w.mu.Lock(); told += n; w.mu.Unlock() }
			p := w.must(t)
			if told != p.Bytes {
				t.Errorf("%d bytes were told of, %d planned", told, p.Bytes)
			}
			if w.to.tags["frontend:"+tag] != p.Digest || len(strings.Split(w.state(), "\n")) != len(strings.Split(calm.state(), "\n")) {
				t.Errorf("ended with\n%s\nwant as much as\n%s", w.state(), calm.state())
			}
			if len(w.waited) == 0 {
				t.Error("nothing was waited for: was there a fault?")
			}
			w.whole(t)
		})
	}
}

// A tag that does not move is refused at the second attempt, where the first was not heard.
func TestAnImmutableTagWrittenUnheardIsThere(t *testing.T) {
	for _, part := range []string{tag, ".sig"} {
		w := newWorld(t)
		w.to.set(w.to.immutable(func(req *http.Request) fault {
			if req.Method == http.MethodPut && strings.HasSuffix(req.URL.Path, part) {
				return cutAfter
			}
			return nil
		}))
		p := w.must(t)
		if w.to.tags["frontend:"+tag] != p.Digest || len(w.waited) == 0 {
			t.Errorf("%s: the tag is at %s, after waiting %v", part, w.to.tags["frontend:"+tag], w.waited)
		}
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		w := newWorld(t)
		hub, part := w.from, "/manifests/"
		if method == http.MethodPatch {
			hub, part = w.to, "/blobs/"
		}
		hub.set(on(method, part, 1, 1, status(429, "", "Retry-After", "17")))
		w.must(t)
		if !slices.Contains(w.waited, 17*time.Second) {
			t.Errorf("%s: waited %v, want 17s among them", method, w.waited)
		}
	}
	w := newWorld(t)
	w.from.set(on(http.MethodGet, "/manifests/", 1, 0, status(429, "", "Retry-After", "4000")))
	w.refuses(t, buildHost+" wants to be asked again in 1h6m40s only: run the same command then")
	if len(w.waited) > 0 {
		t.Errorf("waited %v", w.waited)
	}
}

func TestWhatDoesNotPassEnds(t *testing.T) {
	w := newWorld(t)
	w.to.set(on(http.MethodPatch, "/blobs/", 1, 0, status(503, "")))
	w.refuses(t, "after 6 attempts", ecrHost+" is down or busy; run the same command again later")
	w.from.set(on(http.MethodGet, "/manifests/1.4.0", 1, 0, status(500, "")))
	w.refuses(t, "source "+buildHost+"/team/frontend:1.4.0", "is down or busy")
	if n := w.from.asked("GET .*/manifests/1.4.0"); n != 6 {
		t.Errorf("%d attempts, want 6", n)
	}
	delete(w.wire, buildHost)
	w.refuses(t, "no such host")
}

func TestExpiredCredentialsSayHowToLogIn(t *testing.T) {
	w := newWorld(t)
	const ecr = "`aws ecr get-login-password --region us-west-2 | docker login --username AWS --password-stdin " + ecrHost + "`"
	w.to.set(on(http.MethodPut, "/manifests/", 3, 0, status(403, `{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}`)))
	w.refuses(t, "writing "+ecrHost, "token has expired", ecr, "it goes on from here")
	w.to.set(on(http.MethodPost, "/blobs/", 1, 0, status(401, `{"errors":[{"code":"UNAUTHORIZED"}]}`)))
	w.request.Source = buildHost + "/team/frontend@" + push(t, w.wire).digest
	w.refuses(t, "copying blob", ecr)
	w.from.set(on(http.MethodGet, "/v2/", 1, 0, status(401, "", "WWW-Authenticate", `Basic realm="x"`)))
	w.refuses(t, buildHost+" knows no credentials of yours, or they have expired; log in with `docker login "+buildHost+"`")
	w.from.set(nil)
	w.to.set(on(http.MethodPost, "/blobs/", 1, 0, status(404, `{"errors":[{"code":"NAME_UNKNOWN","message":"not found"}]}`)))
	w.refuses(t, ecrHost+` has no repository "frontend"; a stack's EcrRepos makes it`)
}

// ECR makes no repository when something is written; whether it has one no answer to HEAD tells.
func TestARepositoryThatIsNotThereIsRefused(t *testing.T) {
	w := newWorld(t)
	w.to.lacks = "frontend"
	const gone = ecrHost + `/frontend: ` + ecrHost + ` has no repository "frontend"; a stack's EcrRepos makes it`
	if _, err := promotion.Prepare(t.Context(), w.request); err == nil || !contains(err.Error(), gone) {
		t.Errorf("got  %v\nwant %s", err, gone)
	}
	if n := w.from.asked("/blobs/|referrers"); n > 0 {
		t.Errorf("%d requests of what cannot be copied", n)
	}
	w.to.lacks = ""
	w.to.set(on(http.MethodGet, "/manifests/"+tag, 1, 1, status(404, `{"errors":[{"code":"X","message":"RepositoryNotFoundException: it does not exist"}]}`)))
	if _, err := promotion.Prepare(t.Context(), w.request); err == nil || !contains(err.Error(), gone) {
		t.Errorf("got  %v\nwant %s", err, gone)
	}
	for name, f := range map[string]fault{"without a body": status(404, ""), "not to be read": status(403, ""), "of a tag": status(404, `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`)} {
		w.to.set(on(http.MethodGet, "/manifests/"+tag, 1, 1, f))
		if _, err := promotion.Prepare(t.Context(), w.request); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A registry that makes repositories by itself says so of each before the first.
	w.wire["registry.example.com"], w.request.Target = w.to, "registry.example.com/new"
	w.to.lacks = "new"
	w.to.set(nil)
	w.must(t)
}

// https://github.com/aws/containers-roadmap/issues/2783
func TestAReferrerThatEcrDoesNotTakeSaysWhatToDo(t *testing.T) {
	w := newWorld(t)
	refused := w.image.referrers[1]
	w.to.set(on(http.MethodPut, "/manifests/"+refused, 1, 0, status(405, `{"errors":[{"code":"UNSUPPORTED","message":"Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"}]}`)))
	w.refuses(t, "writing "+ecrHost+"/frontend@"+refused+", which refers to "+w.image.digest, ecrHost+" takes no manifest of this form", "oci-artifact=false", "Invalid JSON syntax")
}

func TestACancelledPromotionEnds(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.to.set(func(req *http.Request) fault {
		if req.Method == http.MethodPatch {
			cancel()
			return cutUpload
		}
		return nil
	})
	if _, err := w.promote(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	w.to.set(nil)
	w.must(t)
}

func TestEverythingWrongWithTheRequestAtOnce(t *testing.T) {
	_, err := promotion.Prepare(t.Context(), promotion.Request{
		Source: "frontend", Target: "x/frontend:1", Environment: "Production", Version: "a/b", Platforms: []string{"linux", "linux/amd64", "linux/amd64"},
	})
	want := `the source is "frontend", must be an image by tag or digest, like 123456789012.dkr.ecr.us-west-2.amazonaws.com/frontend:1.4.0
the target is "x/frontend:1", must be a repository without a tag, like 123456789012.dkr.ecr.us-west-2.amazonaws.com/frontend
the environment is "Production", must be lower-case letters and digits with single "-" between them, like "production"
the version is "a/b", must be part of a tag: letters, digits, "_", "." and "-", at most 128
platform 1 is "linux", must be like "linux/amd64" or "linux/arm/v7"
platform 3 is "linux/amd64" for the second time`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	for _, s := range []string{"", "h/r@sha256:12", "h/r:t@md5:" + strings.Repeat("a", 32), "h/R:t", "h/r:"} {
		if _, err := promotion.Prepare(t.Context(), promotion.Request{Source: s, Target: "example.com/r", Environment: "e"}); err == nil || !contains(err.Error(), "the source is") {
			t.Errorf("%q: %v", s, err)
		}
	}
}
