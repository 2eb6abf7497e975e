package registry

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

var digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// checkRunning refuses rules that could expire what an environment runs.
func (args EcrReposArgs) checkRunning(ctx *pulumi.Context, name string, opts ...pulumi.InvokeOption) error {
	var p check.Problems
	// In the order of the repositories, not of the map.
	for _, repository := range args.Repositories {
		rules := args.rules(args.of(repository))
		for i, reference := range args.Running[repository] {
			tags, known, err := tagsOf(ctx, repository, reference, opts...)
			if err != nil {
				return fmt.Errorf("%s %q: looking up what runs from %q: %w", EcrReposType, name, repository, err)
			}
			what := fmt.Sprintf("%q", reference)
			switch {
			case !known && len(args.Environments) == 0:
				continue
			case !known: // promoted is the best that it can be
				what += ", not there yet"
				tags = []string{args.Environments[0] + "-"}
			case digest.MatchString(reference):
				what += ", tagged " + cmp.Or(strings.Join(tags, ", "), "nothing")
			}
			if r := rules.couldExpire(tags); r != nil {
				p.Addf(fmt.Sprintf("running[%q][%d]", repository, i), "is %s, which rule %d of its repository could expire (%s): %s", what, r.RulePriority, r.Description, args.remedy(r))
			}
		}
	}
	return p.Err(EcrReposType, name)
}

// remedy is how an image is kept that a rule could expire.
func (args EcrReposArgs) remedy(r *rule) string {
	if r.RulePriority <= len(args.Environments) {
		return "leave keepPromoted out; it counts from the image that was pushed last, and after a roll-back what runs is older than all that was promoted since"
	}
	if len(args.Environments) == 0 {
		return "give the environments that images are promoted to, whose images are kept"
	}
	return fmt.Sprintf(`promote it, so that it has a tag that begins with "%s-"`, strings.Join(args.Environments, `-" or "`))
}

// tagsOf are the tags of an image, those of ECR where the image is there; without it a tag is all that is known, and of a digest
// nothing.
func tagsOf(ctx *pulumi.Context, repository, reference string, opts ...pulumi.InvokeOption) (tags []string, known bool, err error) {
	args := &ecr.GetImageArgs{RepositoryName: repository, ImageTag: &reference}
	byDigest := digest.MatchString(reference)
	if byDigest {
		args.ImageTag, args.ImageDigest = nil, &reference
	}
	found, err := ecr.GetImage(ctx, args, opts...)
	switch {
	case err == nil:
		slices.Sort(found.ImageTags)
		return found.ImageTags, true, nil
	case strings.Contains(err.Error(), "RepositoryNotFoundException"), strings.Contains(err.Error(), "ImageNotFoundException"):
		return []string{reference}, !byDigest, nil
	}
	return nil, false, err
}
