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
				"registryId":    resource.NewProperty("123456789012"),
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
}

// Everything that there is, with one repository that is different.
func TestEverythingRegistered(t *testing.T) {
	r := answers{}.ask(&recorder.Recorder{})
	if err := run(r, everything(), nil); err != nil {
		t.Fatal(err)
	}
	r.Golden(t, "everything")
	recorder.CheckDocTree(t, "repos.go", "EcrRepos", r)
}

func everything() *registry.EcrReposArgs {
	return &registry.EcrReposArgs{
		Repositories: []string{"frontend", "users"}, Environments: []string{"production", "staging"}, KeepPromoted: 500,
		KeepReleases: 20, ReleaseTagPrefixes: []string{"v"}, BranchTagPrefixes: []string{"branch-"}, ExpireBranchDays: 7, ExpireUntaggedDays: 3,
		PullFrom: []pulumi.StringInput{pulumi.String("210987654321")}, PushFrom: []pulumi.StringInput{pulumi.String("arn:aws:iam::210987654321:role/ci")},
		Each: map[string]registry.Repository{"users": {
			KeepReleases: 40, ReleaseTagPrefixes: []string{"r"}, ExpireUntaggedDays: 30, MutableTags: true, NoScanOnPush: true,
			PullFrom:  []pulumi.StringInput{pulumi.String("arn:aws:iam::210987654321:role/nodes")},
			KmsKeyArn: pulumi.String("arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"), Tags: map[string]string{"team": "users"},
		}},
		Registry: &registry.Registry{
			EnhancedScanning: "continuous",
			Replication:      []registry.Replication{{Region: "eu-west-1"}, {Region: "us-west-2", Account: "210987654321"}},
			PullThrough: []registry.PullThrough{
				{Prefix: "k8s", Upstream: "registry.k8s.io"},
				{Prefix: "docker-hub", Upstream: "registry-1.docker.io", CredentialArn: pulumi.String("arn:aws:secretsmanager:us-west-2:123456789012:secret:ecr-pullthroughcache/docker-hub-Ab12Cd")},
			},
		},
	}
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

func TestEverythingElseWrongAtOnce(t *testing.T) {
	a := everything()
	a.Environments = []string{"production", "Live", "production-eu", "v"}
	a.KeepPromoted, a.ExpireBranchDays = 20, 400
	a.ReleaseTagPrefixes, a.BranchTagPrefixes = []string{"v-", "v1", "v"}, []string{"v", "staging-"}
	a.PullFrom = []pulumi.StringInput{pulumi.String("*"), pulumi.String("arn:aws:iam::1:role/x")}
	a.Each = map[string]registry.Repository{"nowhere": {ExpireUntaggedDays: 999}, "users": {KeepReleases: 1, BranchTagPrefixes: []string{"b", "bb"}, KmsKeyArn: pulumi.String("alias/x")}}
	a.Running = map[string][]string{"elsewhere": {"v1"}, "users": {"v:1", "sha256:12"}}
	a.Registry = &registry.Registry{
		EnhancedScanning: "always", Replication: []registry.Replication{{Region: "mars"}, {Region: "eu-west-1", Account: "1"}, {Region: "eu-west-1", Account: "1"}},
		PullThrough: []registry.PullThrough{{Prefix: "A", Upstream: "example.com"}, {Prefix: "hub", Upstream: "ghcr.io"}, {Prefix: "hub", Upstream: "quay.io", CredentialArn: pulumi.String("secret")}},
	}
	want := `slipway:index:EcrRepos "images" has 31 invalid argument(s):
  environments[1] is "Live", must be lower-case letters and digits with single "-" between them, like "production"
  environments[2] is "production-eu", must not begin with environments[0] ("production") and "-": its images would count for both
  releaseTagPrefixes[0] is "v-", must not begin with releaseTagPrefixes[2] ("v"): its images would count for both
  releaseTagPrefixes[1] is "v1", must not begin with releaseTagPrefixes[2] ("v"): its images would count for both
  expireBranchDays is 400, must be 1 to 365
  pullFrom[0] is "*", must be an account by its 12 digits, or the ARN of an IAM role or user, like "arn:aws:iam::123456789012:role/ci"
  pullFrom[1] is "arn:aws:iam::1:role/x", must be an account by its 12 digits, or the ARN of an IAM role or user, like "arn:aws:iam::123456789012:role/ci"
  branchTagPrefixes[0] is "v", must not begin with a prefix of releases ("v"): its images would be kept as such
  releaseTagPrefixes[0] is "v-", which is how the images of environment "v" are tagged
  keepReleases is 20, must be less than keepPromoted (20)
  each["nowhere"] is of none of the repositories: frontend, users
  each["nowhere"].expireUntaggedDays is 999, must be 1 to 365
  each["users"].keepReleases is 1, must be 2 to 1000: the release that runs is not always the newest one pushed
  each["users"].branchTagPrefixes[1] is "bb", must not begin with each["users"].branchTagPrefixes[0] ("b"): its images would count for both
  each["users"].kmsKeyArn is "alias/x", must be the ARN of a key, like "arn:aws:kms:us-west-2:123456789012:key/1234abcd-…": ECR turns an alias into its key, which then differs on every run
  each["users"].releaseTagPrefixes[0] is "v-", which is how the images of environment "v" are tagged
  running["elsewhere"] is of none of the repositories: frontend, users
  running["users"][0] is "v:1", must be a tag or a digest, like "1.4.0" or "sha256:…"
  running["users"][1] is "sha256:12", must be a tag or a digest, like "1.4.0" or "sha256:…"
  registry.enhancedScanning is "always", must be one of "on-push", "continuous"
  registry.replication[0].region is "mars", must be a region, like "eu-west-1"
  registry.replication[1].account is "1", must be an account by its 12 digits
  registry.replication[2].account is "1", must be an account by its 12 digits
  registry.replication[2] is "eu-west-1 1", the same as registry.replication[1]
  registry.pullThrough[0].prefix is "A", must be the beginning of a repository's name, like "docker-hub"
  registry.pullThrough[0].prefix is 1 characters long, must be 2 to 30
  registry.pullThrough[0].upstream is "example.com", must be one of public.ecr.aws, quay.io, registry.k8s.io, ghcr.io, registry-1.docker.io, registry.gitlab.com or "NAME.azurecr.io"
  registry.pullThrough[1].credentialArn is required, for example "arn:aws:secretsmanager:us-west-2:123456789012:secret:ecr-pullthroughcache/docker-hub-Ab12Cd"
  registry.pullThrough[2].credentialArn is given, must not be with quay.io, which takes none
  registry.pullThrough[2].credentialArn is "secret", must be the ARN of a secret whose name begins with "ecr-pullthroughcache/"
  registry.pullThrough[2] is "hub", the same as registry.pullThrough[1]`
	if err := run(&recorder.Recorder{}, a, nil); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
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
