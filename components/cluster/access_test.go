package cluster_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/cluster"
	"github.com/slipway-iac/slipway/internal/recorder"
)

// problems is what is said about args, a line each, without the head.
func problems(args *cluster.EksClusterArgs) string {
	if err := run(&recorder.Recorder{}, "cluster", args, nil); err != nil {
		_, lines, _ := strings.Cut(err.Error(), "\n")
		return lines
	}
	return ""
}

func TestBadAccess(t *testing.T) {
	args := typical()
	args.Viewers = []string{deploy, "arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/a", "arn:aws-cn:iam::123456789012:role/b"}
	args.Auditors = []string{deploy, "arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/d", "arn:aws:iam::123456789012:role/d"}
	args.Developers = []cluster.Developer{
		{Principal: "arn:aws:iam::123456789012:role/a"},
		{Principal: "arn:aws:iam::123456789012:role/a", Namespaces: []string{"x", "x", "kube-system", "No"}},
		{Principal: "me", Namespaces: []string{"x"}},
	}
	args.CiRole = "arn:aws:iam::123456789012:user/robot"
	want := `  viewers[0] is "arn:aws:iam::123456789012:role/deploy", the same as admins[0], which may do everything already
  viewers[3] is "arn:aws-cn:iam::123456789012:role/b", must be of the same partition as admins[0] (aws)
  viewers[2] is "arn:aws:iam::123456789012:role/a", the same as viewers[1]
  auditors[0] is "arn:aws:iam::123456789012:role/deploy", the same as admins[0], which may do everything already
  auditors[1] is "arn:aws:iam::123456789012:role/a", the same as viewers[1]: name it in one place
  auditors[3] is "arn:aws:iam::123456789012:role/d", the same as auditors[2]
  developers[0].namespaces is required, for example ["example"]
  developers[1].namespaces[2] is "kube-system", must be no namespace of Kubernetes itself: whoever may change its pods may do everything
  developers[1].namespaces[3] is "No", must be the name of a namespace: 1 to 63 lower-case letters, digits and "-", from a letter or digit to one, or to a "*" for all that begin so
  developers[1].namespaces[1] is "x", the same as developers[1].namespaces[0]
  developers[1].principal is "arn:aws:iam::123456789012:role/a", the same as developers[0].principal: name all its namespaces there
  developers[2].principal is "me", must be the ARN of an IAM role or user, like "arn:aws:iam::123456789012:role/deploy"
  ciRole is "arn:aws:iam::123456789012:user/robot", must be a role: a user's keys do not expire, and a pipeline loses them
  ciNamespaces is required, for example ["example"]`
	if got := problems(args); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	args = typical()
	args.CiNamespaces = []string{"example"}
	if got, want := problems(args), `  ciRole is required, for example "arn:aws:iam::123456789012:role/release", since there are ciNamespaces`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The pattern of a scope is a name's beginning and "*", and must not reach what Kubernetes itself runs.
func TestNamespacesByPattern(t *testing.T) {
	args := typical()
	args.Developers = []cluster.Developer{{Principal: "arn:aws:iam::123456789012:role/a", Namespaces: []string{"dev-*", "dev*", "kubeflow*", "d"}}}
	if got := problems(args); got != "" {
		t.Errorf("got\n%s", got)
	}
	args.Developers[0].Namespaces = []string{"*", "*-dev", "d*v", "kube*", "k*", "kube-s*"}
	const must = `, must be the name of a namespace: 1 to 63 lower-case letters, digits and "-", from a letter or digit to one, or to a "*" for all that begin so
`
	want := `  developers[0].namespaces[0] is "*"` + must + `  developers[0].namespaces[1] is "*-dev"` + must + `  developers[0].namespaces[2] is "d*v"` + must +
		`  developers[0].namespaces[3] is "kube*", must not be namespaces of Kubernetes itself too, like kube-system: whoever may change its pods may do everything
  developers[0].namespaces[4] is "k*", must not be namespaces of Kubernetes itself too, like kube-system: whoever may change its pods may do everything
  developers[0].namespaces[5] is "kube-s*", must be no namespace of Kubernetes itself: whoever may change its pods may do everything`
	if got := problems(args); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBadAppRoles(t *testing.T) {
	args := typical()
	args.AppRoles = []cluster.AppRole{
		{Namespace: "Example", ServiceAccount: "a_b"},
		{Namespace: "x", ServiceAccount: "a", Policy: pulumi.String("{")},
		{Namespace: "x", ServiceAccount: "a", ManagedPolicyArns: []string{"AmazonS3ReadOnlyAccess"}},
		{Namespace: "x", ServiceAccount: "b", Policy: pulumi.String(`"` + strings.Repeat("x", 10240) + `"`)},
		{Namespace: "x", ServiceAccount: "c", Policy: pulumi.String("{" + strings.Repeat(" ", 10240) + "}")}, // IAM counts no white space
	}
	want := `  appRoles[0].namespace is "Example", must be the name of a namespace, like "example"
  appRoles[0].serviceAccount is "a_b", must be the name of a service account, like "frontend"
  appRoles[0].policy is required, for example a document with what these pods may do, or managedPolicyArns: a role without rights does nothing
  appRoles[1].policy is not JSON, must be an IAM policy document
  appRoles[2].managedPolicyArns[0] is "AmazonS3ReadOnlyAccess", must be the ARN of an IAM policy, like "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
  appRoles[2].serviceAccount is "a" of namespace "x", the same as appRoles[1]: a service account has one role
  appRoles[3].policy has 10242 characters without white space, must have at most 10240: make a policy of its own and name it in managedPolicyArns`
	if got := problems(args); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A cluster that only whoever made it gets into is lost with that role. Nothing is made then, but for the component.
func TestOnlyAdminIsNotWhoeverRunsIt(t *testing.T) {
	for _, c := range []struct {
		caller  string
		admins  []string
		refused bool
	}{
		{"arn:aws:sts::123456789012:assumed-role/deploy/someone", []string{deploy}, true},
		{"arn:aws:sts::123456789012:assumed-role/Ops/me@example.com", []string{"arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/Ops"}, true},
		{"arn:aws:iam::123456789012:user/me", []string{"arn:aws:iam::123456789012:user/me"}, true},
		{"arn:aws:sts::123456789012:assumed-role/deploy/someone", []string{deploy, "arn:aws:iam::123456789012:role/break-glass"}, false},
		{"arn:aws:sts::999999999999:assumed-role/deploy/someone", []string{deploy}, false},
		{"arn:aws:sts::123456789012:assumed-role/deploy/someone", []string{"arn:aws:iam::123456789012:user/deploy"}, false},
		{"arn:aws:sts::123456789012:assumed-role/deployer/someone", []string{deploy}, false},
	} {
		args := typical()
		args.Admins = c.admins
		caller := map[string]func(resource.PropertyMap) resource.PropertyMap{
			"aws:index/getCallerIdentity:getCallerIdentity": func(resource.PropertyMap) resource.PropertyMap {
				return resource.PropertyMap{"arn": resource.NewProperty(c.caller)}
			},
		}
		want := ""
		if c.refused {
			want = "slipway:index:EksCluster \"cluster\" has 1 invalid argument(s):\n  admins is only \"" + c.admins[0] + "\", which runs this, must name a second role or user: with the only one the cluster would be lost, and nobody could give anybody rights in it"
		}
		r := &recorder.Recorder{Calls: caller}
		if err := run(r, "cluster", args, nil); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s as %v: got %v, want %q", c.caller, c.admins, err, want)
		}
		for _, a := range r.Seen() {
			if c.refused && a.TypeToken != cluster.EksClusterType && a.TypeToken != "pulumi:pulumi:Stack" {
				t.Errorf("%s %s was registered all the same", a.TypeToken, a.Name)
			}
		}
		// A stack that checks its parts first registers not even the component.
		r = &recorder.Recorder{Calls: caller}
		var early error
		if err := r.Run(func(ctx *pulumi.Context) error {
			early = args.Check(ctx, "cluster")
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if (early == nil) != (want == "") || early != nil && early.Error() != want {
			t.Errorf("%s as %v: Check says %v, want %q", c.caller, c.admins, early, want)
		}
	}
}

// Developers have rights where they are named, and nowhere else.
func TestDevelopersStayInTheirNamespaces(t *testing.T) {
	args := typical()
	args.Developers = []cluster.Developer{{Principal: "arn:aws:iam::123456789012:role/shop", Namespaces: []string{"shop"}}}
	scope := mustRun(t, args).Find(t, associationType, "cluster-edit-123456789012:role/shop").Inputs["accessScope"].ObjectValue()
	if scope["type"].StringValue() != "namespace" || len(scope["namespaces"].ArrayValue()) != 1 {
		t.Errorf("the scope is %v", scope)
	}
}
