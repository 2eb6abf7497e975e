// Package promotion copies an image by its digest from one registry to another, with all its platforms and what is signed and
// attested about it, and gives it a tag that says which environment it is for.
//
//	plan, err := promotion.Prepare(ctx, promotion.Request{Source: "…/frontend:1.4.0", Target: "…/frontend", Environment: "production"})
//	…
//	result, err := plan.Run(ctx)
//
// Prepare only reads. Run can be cut off at any point and be run again: what is there is not copied twice, and no tag is set
// before everything that it refers to is there.
package promotion

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Request is one promotion.
type Request struct {
	// Source is the image: REGISTRY/REPOSITORY:TAG, REGISTRY/REPOSITORY@sha256:…, or both, which is refused where the tag has moved
	// from the digest. A tag is resolved once; from then on the digest counts. Required.
	Source string
	// Target is the repository that gets it, without a tag: REGISTRY/REPOSITORY. It may be the source's. Required.
	Target string
	// Environment is what the image is for: lower-case letters and digits with single "-" between them, like "production". Required.
	Environment string
	// Version is what comes after the environment in the target's tag. Default: the source's tag, or the first 12 digits of the
	// digest where there is none.
	Version string
	// Platforms must all be there, like "linux/amd64", "linux/arm64". Default: whatever there is, all of which is copied anyway.
	Platforms []string
	// Gate refuses an image for what a scan found. Default: none.
	Gate *Gate
	// Keychain logs in to the registries. Default: Docker's configuration and credential helpers.
	Keychain authn.Keychain
	// Transport is what requests go through. Default: that of net/http.
	Transport http.RoundTripper
	// Patience is for registries that are down or busy.
	Patience Patience
	// Progress is told, from several goroutines, of bytes that have been copied; fewer than 0 where a copy of them broke off.
	Progress func(bytes int64)
}

var (
	environmentName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
	tagName      = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	platformName = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$`)
)

// source is where an image is looked for: by tag, by digest, or by a tag that must still be at the digest.
type source struct {
	repository name.Repository
	tag        string
	digest     string
}

func (s source) String() string {
	out := s.repository.Name()
	if s.tag != "" {
		out += ":" + s.tag
	}
	if s.digest != "" {
		out += "@" + s.digest
	}
	return out
}

// Check finds everything wrong with the request that can be seen without asking a registry, as Prepare does before it asks one.
func (r *Request) Check() error {
	_, _, err := r.parse()
	return err
}

// parse is Check, with the addresses that it has read.
func (r *Request) parse() (from source, to name.Repository, err error) {
	var problems []error
	addf := func(format string, a ...any) { problems = append(problems, fmt.Errorf(format, a...)) }
	if from, err = parseSource(r.Source); err != nil {
		problems = append(problems, err)
	}
	if to, err = name.NewRepository(r.Target, name.StrictValidation); err != nil {
		addf("the target is %q, must be a repository without a tag, like 123456789012.dkr.ecr.us-west-2.amazonaws.com/frontend", r.Target)
	}
	if !environmentName.MatchString(r.Environment) {
		addf(`the environment is %q, must be lower-case letters and digits with single "-" between them, like "production"`, r.Environment)
	}
	if r.Version != "" && !tagName.MatchString(r.Version) {
		addf(`the version is %q, must be part of a tag: letters, digits, "_", "." and "-", at most 128`, r.Version)
	}
	for i, p := range r.Platforms {
		if !platformName.MatchString(p) {
			addf(`platform %d is %q, must be like "linux/amd64" or "linux/arm/v7"`, i+1, p)
		} else if slices.Contains(r.Platforms[:i], p) {
			addf("platform %d is %q for the second time", i+1, p)
		}
	}
	return from, to, errors.Join(problems...)
}

func parseSource(s string) (source, error) {
	wrong := func() error {
		return fmt.Errorf("the source is %q, must be an image by tag or digest, like 123456789012.dkr.ecr.us-west-2.amazonaws.com/frontend:1.4.0", s)
	}
	rest, digest, byDigest := strings.Cut(s, "@")
	if byDigest {
		if h, err := v1.NewHash(digest); err != nil || h.Algorithm != "sha256" {
			return source{}, wrong()
		}
	}
	if i := strings.LastIndex(rest, ":"); i > strings.LastIndex(rest, "/") {
		t, err := name.NewTag(rest, name.StrictValidation)
		if err != nil {
			return source{}, wrong()
		}
		return source{t.Repository, t.TagStr(), digest}, nil
	}
	repository, err := name.NewRepository(rest, name.StrictValidation)
	if err != nil || !byDigest {
		return source{}, wrong()
	}
	return source{repository: repository, digest: digest}, nil
}

// TagPrefix is what the tags of all images that were promoted to an environment begin with; retention goes by it.
func TagPrefix(environment string) string { return environment + "-" }

// tag is the target's: one for each promotion, because a tag such as "production" would have to move, and immutable ones do not.
func (r *Request) tag(from source, digest v1.Hash) (string, error) {
	version := r.Version
	switch {
	case version != "":
	case from.tag != "":
		version = from.tag
	default:
		version = digest.Hex[:12]
	}
	tag := TagPrefix(r.Environment) + version
	if !tagName.MatchString(tag) {
		return "", fmt.Errorf("the tag would be %q, %d characters long, must be at most 128: give a shorter version", tag, len(tag))
	}
	return tag, nil
}
