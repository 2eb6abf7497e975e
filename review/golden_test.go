package review

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReviews holds the reviews of real previews to their files, with their exit codes.
func TestReviews(t *testing.T) {
	for name, code := range map[string]int{
		"first": Fine, "unchanged": Fine, "release": Fine, "release-stream": Fine, "release-changes-only": Fine, "migration": Fine, "schedule": Fine, "secret": Fine,
		"replacement": Refused, "network": Refused, "deleted": Refused, "thousand": Refused,
		"mistake": Failed, "provider": Failed, "protected": Failed,
	} {
		t.Run(name, func(t *testing.T) {
			r := Review(readPreview(t, taken(t, name)), Options{FullAt: "https://example.com/artifact"})
			if r.Code != code {
				t.Errorf("the exit code is %d, want %d: %q", r.Code, code, r.Problems)
			}
			file := filepath.Join("testdata", name+".md")
			if *update {
				if err := os.WriteFile(file, []byte(r.Markdown), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if r.Markdown != string(want) {
				t.Errorf("%s is\n%s\nwant\n%s", file, r.Markdown, want)
			}
			if len(r.Markdown) > CommentLimit {
				t.Errorf("%d bytes", len(r.Markdown))
			}
		})
	}
}

// TestTheOrderOfStepsSaysNothing: resources are previewed at once, and end in any order.
func TestTheOrderOfStepsSaysNothing(t *testing.T) {
	var v map[string]any
	if err := decode([]byte(taken(t, "network")), &v); err != nil {
		t.Fatal(err)
	}
	want := Review(readPreview(t, jsonOf(t, v)), Options{})
	slices.Reverse(v["steps"].([]any))
	if got := Review(readPreview(t, jsonOf(t, v)), Options{}); got.Markdown != want.Markdown || got.Full != want.Full {
		t.Errorf("the other way round it is\n%s\nwant\n%s", got.Markdown, want.Markdown)
	}
}

// TestBothFormatsSayTheSame: the stream lacks what depends on what, which a release does not need.
func TestBothFormatsSayTheSame(t *testing.T) {
	document := Review(readPreview(t, taken(t, "release")), Options{})
	stream := Review(readPreview(t, taken(t, "release-stream")), Options{})
	if document.Markdown != stream.Markdown {
		t.Errorf("the document gives\n%s\nthe stream\n%s", document.Markdown, stream.Markdown)
	}
}

// TestPreviewsHoldNoSecret: neither what Pulumi prints nor what is made of it has the password that the test which takes the previews sets.
func TestPreviewsHoldNoSecret(t *testing.T) {
	text := taken(t, "secret")
	r := Review(readPreview(t, text), Options{})
	has(t, r.Markdown, "`data.POSTGRES_PASSWORD` changes; it is secret")
	for _, secret := range []string{"another-password", base64.StdEncoding.EncodeToString([]byte("another-password"))} {
		for _, in := range []string{text, r.Markdown, r.Full} {
			if strings.Contains(in, secret) {
				t.Errorf("%q is there", secret)
			}
		}
	}
}
