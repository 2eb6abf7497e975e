package workload

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

const imageExample = `"123456789012.dkr.ecr.us-west-2.amazonaws.com/frontend:1.4.2"`

// The grammar of image references: https://pkg.go.dev/github.com/distribution/reference
var (
	imageHost       = regexp.MustCompile(`^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]{1,5})?$`)
	imageRepository = regexp.MustCompile(`^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$`)
	imageTag        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	imageDigest     = regexp.MustCompile(`^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`)
)

// checkedImage refuses an image that does not say which build runs. A plain string is checked now; what is an output can
// only be checked when it is known, and then the error stops the component before any of its objects exists.
func checkedImage(p *check.Problems, name string, image pulumi.StringInput) pulumi.StringInput {
	switch v := image.(type) {
	case nil:
		p.Required("image", false, imageExample)
		return nil
	case pulumi.String:
		if _, must := imageProblem(string(v)); must != "" {
			p.Addf("image", "is %q, must be %s", string(v), must)
		}
		return v
	}
	return image.ToStringOutput().ApplyT(func(s string) (string, error) {
		found, must := imageProblem(s)
		if must == "" {
			return s, nil
		}
		// Without the image itself: the output may be secret.
		return "", fmt.Errorf("%s %q: image %s, must be %s", AppDeploymentType, name, found, must)
	}).(pulumi.StringOutput)
}

// imageProblem is what was found in the reference, without quoting it, and what it must be instead; both empty if it is good.
func imageProblem(ref string) (found, must string) {
	const fixed = "a fixed tag or a digest"
	if ref == "" {
		return "is empty", "a repository with a fixed tag or a digest, for example " + imageExample
	}
	rest, digest, hasDigest := strings.Cut(ref, "@")
	if hasDigest && !imageDigest.MatchString(digest) {
		return "has a malformed digest", `a repository followed by "@sha256:" and 64 hexadecimal digits`
	}
	repository, tag := rest, ""
	colon := strings.LastIndex(rest, ":")
	hasTag := colon > strings.LastIndex(rest, "/")
	if hasTag {
		repository, tag = rest[:colon], rest[colon+1:]
	}
	switch {
	case hasTag && !imageTag.MatchString(tag):
		return "has a malformed tag", "a repository and a tag of up to 128 letters, digits, underscores, periods and hyphens"
	case !validRepository(repository):
		return "has a malformed repository", "a host and a path of lower-case letters, digits and . _ - between slashes, for example " + imageExample
	case hasDigest:
		return "", ""
	case !hasTag:
		return "has no tag", fixed + `: without one the runtime takes "latest", and pushing "latest" again rolls nothing out`
	case tag == "latest":
		return `has the tag "latest"`, fixed + `: pushing "latest" again rolls nothing out`
	}
	return "", ""
}

func validRepository(repository string) bool {
	host, path, cut := strings.Cut(repository, "/")
	// As in Docker: the first part is a host only if it looks like one.
	if cut && (strings.ContainsAny(host, ".:") || host == "localhost" || host != strings.ToLower(host)) {
		return imageHost.MatchString(host) && imageRepository.MatchString(path) && len(path) <= 255
	}
	return imageRepository.MatchString(repository) && len(repository) <= 255
}
