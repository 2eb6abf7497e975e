package registry_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	perrors "github.com/pulumi/pulumi/sdk/v3/go/pulumi/errors"

	"github.com/slipway-iac/slipway/components/registry"
	"github.com/slipway-iac/slipway/internal/recorder"
)

const (
	repositoryType = "aws:ecr/repository:Repository"
	lifecycleType  = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
)

// run makes the repositories against a recorder that answers as ECR does, and hands them to use.
func run(r *recorder.Recorder, args *registry.EcrReposArgs, use func(*registry.EcrRepos), opts ...pulumi.ResourceOption) error {
	r.Outputs = map[string]func(pulumi.MockResourceArgs) resource.PropertyMap{
		repositoryType: func(a pulumi.MockResourceArgs) resource.PropertyMap {
			name := a.Inputs["name"].StringValue()
			return resource.PropertyMap{
				"repositoryUrl": resource.NewProperty("123456789012.dkr.ecr.us-west-2.amazonaws.com/" + name),
				"arn":           resource.NewProperty("arn:aws:ecr:us-west-2:123456789012:repository/" + name),
			}
		},
	}
	return r.Run(func(ctx *pulumi.Context) error {
		c, err := registry.NewEcrRepos(ctx, "images", args, opts...)
		if err == nil && use != nil {
			use(c)
		}
		return err
	})
}

func TestRegistered(t *testing.T) {
	r := &recorder.Recorder{}
	got := make(chan [2]string, 1)
	err := run(r, &registry.EcrReposArgs{
		Repositories: []string{"frontend", "team/users_server"}, ReleaseTagPrefixes: []string{"v", "hotfix-"},
		KmsKeyArn: pulumi.String("arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"), Tags: map[string]string{"team": "thoughts"},
	}, func(c *registry.EcrRepos) {
		pulumi.All(c.RepositoryUrls, c.RepositoryArns).ApplyT(func(all []any) string {
			got <- [2]string{all[0].(map[string]string)["team/users_server"], all[1].(map[string]string)["frontend"]}
			return ""
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	want := [2]string{"123456789012.dkr.ecr.us-west-2.amazonaws.com/team/users_server", "arn:aws:ecr:us-west-2:123456789012:repository/frontend"}
	if got := <-got; got != want {
		t.Errorf("URL and ARN are %q, want %q", got, want)
	}
	r.Golden(t, "repos")
	recorder.CheckDocTree(t, "repos.go", "EcrRepos", r)
}

func TestSafeByDefault(t *testing.T) {
	r := &recorder.Recorder{}
	if err := run(r, &registry.EcrReposArgs{Repositories: []string{"frontend"}}, nil); err != nil {
		t.Fatal(err)
	}
	in := r.Find(t, repositoryType, "images-frontend").Inputs
	want := `{"encryptionConfigurations":[{"encryptionType":"AES256"}],"forceDelete":false,"imageScanningConfiguration":{"scanOnPush":true},"imageTagMutability":"IMMUTABLE","name":"frontend"}`
	got, err := json.Marshal(in.Mappable())
	if err != nil || string(got) != want {
		t.Errorf("got  %s %v\nwant %s", got, err, want)
	}
	var policy struct {
		Rules []struct {
			RulePriority int
			Selection    map[string]any
			Action       struct{ Type string }
		}
	}
	if err := json.Unmarshal([]byte(r.Find(t, lifecycleType, "images-frontend-lifecycle").Inputs["policy"].StringValue()), &policy); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(policy.Rules), "[{1 map[countNumber:14 countType:sinceImagePushed countUnit:days tagStatus:untagged] {expire}}"+
		" {2 map[countNumber:30 countType:imageCountMoreThan tagPatternList:[*] tagStatus:tagged] {expire}}]"; got != want {
		t.Errorf("rules\n%s\nwant\n%s", got, want)
	}
}

func TestProtectReachesTheRepositories(t *testing.T) {
	for _, protect := range []bool{true, false} {
		r := &recorder.Recorder{}
		if err := run(r, &registry.EcrReposArgs{Repositories: []string{"frontend"}}, nil, pulumi.Protect(protect)); err != nil {
			t.Fatal(err)
		}
		if got := r.Find(t, repositoryType, "images-frontend").RegisterRPC.GetProtect(); got != protect {
			t.Errorf("protect is %v, want %v", got, protect)
		}
	}
}

// A repository that is replaced or renamed loses its images: nothing about the others may show in what is registered for one.
func TestTakingOneOutLeavesTheOthersAlone(t *testing.T) {
	all, rest := &recorder.Recorder{}, &recorder.Recorder{}
	if err := run(all, &registry.EcrReposArgs{Repositories: []string{"frontend", "users", "thoughts"}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := run(rest, &registry.EcrReposArgs{Repositories: []string{"thoughts", "frontend"}}, nil); err != nil {
		t.Fatal(err)
	}
	for _, repository := range []string{"frontend", "thoughts"} {
		a, b := all.Find(t, repositoryType, "images-"+repository), rest.Find(t, repositoryType, "images-"+repository)
		if !a.Inputs.DeepEquals(b.Inputs) {
			t.Errorf("%s: %v became %v", repository, a.Inputs, b.Inputs)
		}
	}
}

func TestEverythingWrongAtOnce(t *testing.T) {
	r := &recorder.Recorder{}
	err := run(r, &registry.EcrReposArgs{
		Repositories: []string{"Frontend", "a", "users", "users", "team//x", strings.Repeat("a", 257)},
		KeepReleases: 1, ExpireUntaggedDays: -3, ReleaseTagPrefixes: []string{"v", "v1", "*"},
		KmsKeyArn: pulumi.String("alias/images"), Tags: map[string]string{"aws:x": strings.Repeat("v", 257)},
	}, nil)
	const name = `must be lower-case letters and digits, with single ".", "_", "-" or "/" between them, like "team/frontend"`
	want := `slipway:index:EcrRepos "images" has 12 invalid argument(s):
  repositories[0] is "Frontend", ` + name + `
  repositories[1] is 1 characters long, must be 2 to 256
  repositories[4] is "team//x", ` + name + `
  repositories[5] is 257 characters long, must be 2 to 256
  repositories[3] is "users", the same as repositories[2]
  keepReleases is 1, must be 2 to 1000: the release that runs is not always the newest one pushed
  releaseTagPrefixes[1] is "v1", must not begin with releaseTagPrefixes[0] ("v"): its images would count for both
  releaseTagPrefixes[2] is "*", must be the beginning of a tag: letters, digits, "_", "." and "-", like "v"
  expireUntaggedDays is -3, must be 1 to 365
  kmsKeyArn is "alias/images", must be the ARN of a key, like "arn:aws:kms:us-west-2:123456789012:key/1234abcd-…": ECR turns an alias into its key, which then differs on every run
  tags["aws:x"] has a key that begins with "aws:", which AWS keeps for itself
  tags["aws:x"] has a value of 257 characters, must be at most 256`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	var typed *perrors.InputPropertiesError
	if !errors.As(err, &typed) {
		t.Errorf("%T does not tell a host of other languages which inputs are wrong", err)
	}
	if seen := r.Tree(); strings.Contains(seen, "slipway:") || strings.Contains(seen, "aws:") {
		t.Errorf("registered in spite of it:\n%s", seen)
	}
}

func TestNothingGiven(t *testing.T) {
	want := "slipway:index:EcrRepos \"images\" has 1 invalid argument(s):\n  repositories is required, for example [\"frontend\"]"
	if err := run(&recorder.Recorder{}, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

func TestPreviewLeavesAddressesUnknown(t *testing.T) {
	r := &recorder.Recorder{Preview: true}
	err := run(r, &registry.EcrReposArgs{Repositories: []string{"frontend"}}, func(c *registry.EcrRepos) {
		c.RepositoryUrls.ApplyT(func(m map[string]string) string {
			t.Errorf("the address is %v before the repository exists", m)
			return ""
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Find(t, lifecycleType, "images-frontend-lifecycle")
}
