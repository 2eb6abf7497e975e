package promotion

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Ecr is a private registry of AWS.
type Ecr struct{ Account, Region string }

// https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
var ecrHost = regexp.MustCompile(`^([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$`)

// EcrOf is the account and the region of a registry's host, where that is ECR's.
func EcrOf(host string) (Ecr, bool) {
	m := ecrHost.FindStringSubmatch(host)
	if m == nil {
		return Ecr{}, false
	}
	return Ecr{m[1], m[2]}, true
}

const publicEcr = "public.ecr.aws"

// logIn is the command that logs in to a registry.
func logIn(host string) string {
	if e, ok := EcrOf(host); ok {
		return fmt.Sprintf("aws ecr get-login-password --region %s | docker login --username AWS --password-stdin %s", e.Region, host)
	}
	if host == publicEcr {
		return "aws ecr-public get-login-password --region us-east-1 | docker login --username AWS --password-stdin public.ecr.aws"
	}
	return "docker login " + host
}

// missing tells whether a registry says that it does not have something.
func missing(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound
}

// noRepository tells whether a registry says that it has no such repository, which no answer to HEAD does.
func noRepository(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound && slices.ContainsFunc(answer.Errors, func(d transport.Diagnostic) bool {
		return d.Code == transport.NameUnknownErrorCode || strings.Contains(d.Message, "RepositoryNotFoundException")
	})
}

// explain says what to do about a registry's answer; what names the thing that was asked for.
func explain(err error, repository name.Repository, what string) error {
	var answer *transport.Error
	if err == nil || !errors.As(err, &answer) {
		return wrapped(err, what)
	}
	host := repository.RegistryStr()
	switch {
	case answer.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%s: %s knows no credentials of yours, or they have expired; log in with `%s` and run the same command again, it goes on from here: %w", what, host, logIn(host), err)
	case answer.StatusCode == http.StatusForbidden:
		// ECR says so of a token that is older than 12 hours, and of a principal that may not.
		return fmt.Errorf("%s: %s refuses it: the credentials may not do this to %s, or they have expired; log in with `%s` and run the same command again, it goes on from here: %w",
			what, host, repository.RepositoryStr(), logIn(host), err)
	case noRepository(err):
		return fmt.Errorf("%s: %s has no repository %q; a stack's EcrRepos makes it: %w", what, host, repository.RepositoryStr(), err)
	case answer.StatusCode == http.StatusMethodNotAllowed:
		// https://github.com/aws/containers-roadmap/issues/2783, https://github.com/moby/buildkit/issues/5747
		return fmt.Errorf("%s: %s takes no manifest of this form, as ECR does not take some that refer to another or have an artifactType; "+
			"make it in another form (cosign without OCI 1.1 referrers, which attaches by tag; BuildKit with oci-artifact=false), or promote from a repository that does not have it: %w", what, host, err)
	case busy(answer.StatusCode):
		return fmt.Errorf("%s: %s is down or busy; run the same command again later, it goes on from here: %w", what, host, err)
	}
	return wrapped(err, what)
}

func wrapped(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
