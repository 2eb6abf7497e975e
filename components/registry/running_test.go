package registry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/registry"
	"github.com/slipway-iac/slipway/internal/recorder"
)

const getImage = "aws:ecr/getImage:getImage"

var digest = "sha256:" + strings.Repeat("a", 64)

// answers is ECR with images, by tag or digest, each with all its tags; it says of others that they are not there.
type answers map[string][]string

// ask has a recorder answer so.
func (a answers) ask(r *recorder.Recorder) *recorder.Recorder {
	reference := func(in resource.PropertyMap) string {
		if in.HasValue("imageDigest") {
			return in["imageDigest"].StringValue()
		}
		return in["imageTag"].StringValue()
	}
	r.Refuse = func(_ string, in resource.PropertyMap) error {
		if _, there := a[reference(in)]; !there {
			return errors.New("reading ECR Image: operation error ECR: DescribeImages, api error ImageNotFoundException: The image does not exist")
		}
		return nil
	}
	r.Calls = map[string]func(resource.PropertyMap) resource.PropertyMap{getImage: func(in resource.PropertyMap) resource.PropertyMap {
		out := []resource.PropertyValue{}
		for _, t := range a[reference(in)] {
			out = append(out, resource.NewProperty(t))
		}
		return resource.PropertyMap{"imageTags": resource.NewProperty(out)}
	}}
	return r
}

// few keeps fewer promoted images than there can be.
func few(a *registry.EcrReposArgs) { a.KeepPromoted = 500 }

func TestWhatRunsIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*registry.EcrReposArgs)
		runs   string
		there  answers
		want   string
	}{
		"promoted, not there yet":        {nil, "production-1.4.0", nil, ""},
		"promoted, by digest":            {nil, digest, answers{digest: {"v1.4.0", "production-1.4.0"}}, ""},
		"a digest that is not there yet": {nil, digest, nil, ""},
		"a release": {
			nil, "v1.4.0", nil,
			`running["frontend"][0] is "v1.4.0", which rule 5 of its repository could expire (the last 20 releases tagged v* stay): promote it, so that it has a tag that begins with "production-" or "staging-"`,
		},
		"a release that was promoted": {nil, "v1.4.0", answers{"v1.4.0": {"v1.4.0", "production-1.4.0"}}, ""},
		"a branch, by digest": {
			nil, digest,
			answers{digest: {"branch-b", "branch-a"}},
			`is "` + digest + `", tagged branch-a, branch-b, which rule 6 of its repository could expire (images tagged branch-* live 7 days)`,
		},
		"without a tag":      {nil, digest, answers{digest: nil}, `tagged nothing, which rule 4 of its repository could expire (untagged images live 3 days)`},
		"under another name": {nil, "stable", nil, ""}, // no rule is about it
		"a digest that is not there yet, where every tag is a release": {
			func(a *registry.EcrReposArgs) { a.ReleaseTagPrefixes, a.BranchTagPrefixes, a.Each = nil, nil, nil }, digest, nil, "",
		},
		// 500 newer ones may be promoted while it runs, rolled back to.
		"promoted, where fewer are kept than there can be": {
			few, "production-1.4.0", nil,
			`running["frontend"][0] is "production-1.4.0", which rule 1 of its repository could expire (the last 500 images tagged production-* stay): leave keepPromoted out;`,
		},
		"promoted to another environment, where fewer are kept": {few, digest, answers{digest: {"staging-1", "v1"}}, `tagged staging-1, v1, which rule 2 of its repository could expire (the last 500 images tagged staging-* stay): leave keepPromoted out;`},
		"a digest that is not there yet, where fewer are kept":  {few, digest, nil, `is "` + digest + `", not there yet, which rule 1 of its repository could expire`},
		"under another name, where fewer are kept":              {few, "stable", nil, ""},
		"no environments, not there yet": {
			func(a *registry.EcrReposArgs) {
				a.Environments, a.ReleaseTagPrefixes, a.BranchTagPrefixes, a.Each = nil, nil, nil, nil
			}, digest, nil, "",
		},
		"no environments": {
			func(a *registry.EcrReposArgs) {
				a.Environments, a.ReleaseTagPrefixes, a.BranchTagPrefixes, a.Each = nil, nil, nil, nil
			}, "1.0.0", nil,
			`which rule 2 of its repository could expire (the last 20 releases tagged * stay): give the environments that images are promoted to`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := everything()
			a.Running, a.KeepPromoted = map[string][]string{"frontend": {c.runs}}, 0
			if c.change != nil {
				c.change(a)
			}
			for how, program := range map[string]func(*recorder.Recorder) error{
				"New": func(r *recorder.Recorder) error { return run(r, a, nil) },
				"Check": func(r *recorder.Recorder) error {
					return r.Run(func(ctx *pulumi.Context) error { return a.Check(ctx, "images") })
				},
			} {
				r := c.there.ask(&recorder.Recorder{Preview: true})
				err := program(r)
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%s: got  %v\nwant %q", how, err, c.want)
				}
				if seen := r.Tree(); err != nil && strings.Contains(seen, "aws:ecr") {
					t.Errorf("%s: registered in spite of it:\n%s", how, seen)
				}
			}
		})
	}
}

func TestALookUpThatIsRefusedIsAnError(t *testing.T) {
	r := answers{}.ask(&recorder.Recorder{})
	r.Refuse = func(string, resource.PropertyMap) error { return errors.New("AccessDeniedException") }
	a := everything()
	a.Running = map[string][]string{"frontend": {"production-v1.4.0"}}
	if err := run(r, a, nil); err == nil || !strings.Contains(err.Error(), `looking up what runs from "frontend"`) || !strings.Contains(err.Error(), "AccessDeniedException") {
		t.Errorf("got %v", err)
	}
}
