package access

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/slipway-iac/slipway/sandbox/kube/token"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

const (
	role = "arn:aws:iam::123456789012:role/Dev"
	base = "arn:aws:eks::aws:cluster-access-policy/"
)

// entries is an account whose role Dev has the given policies and user name.
func entries(t *testing.T, username string, policies ...view.AccessPolicy) *Entries {
	t.Helper()
	file := filepath.Join(t.TempDir(), view.FileName)
	if _, err := view.Write(file, &view.View{Clusters: []view.Cluster{{
		ID: "prod-1", Name: "prod", Region: "us-west-2",
		AccessEntries: []view.AccessEntry{{PrincipalArn: role, Username: username, Groups: []string{"devs"}, Policies: policies}},
	}}}); err != nil {
		t.Fatal(err)
	}
	key, err := token.LoadKey(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	return &Entries{Account: view.NewWatcher(file), Key: key, Open: func() string { return "prod-1" }}
}

// nobody stands for RBAC, which knows none of these users.
type nobody struct{}

func (nobody) Authorize(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
	return authorizer.DecisionNoOpinion, "", nil
}

func dev() user.Info {
	return &user.DefaultInfo{Name: "dev", Extra: map[string][]string{extraCanonicalArn: {role}, extraCluster: {"prod-1"}}}
}

func TestPolicies(t *testing.T) {
	on := func(verb, group, resource, namespace string) authorizer.AttributesRecord {
		return authorizer.AttributesRecord{User: dev(), Verb: verb, APIGroup: group, Resource: resource, Namespace: namespace, ResourceRequest: true}
	}
	readPods, makeDeployment := on("list", "", "pods", "shop"), on("create", "apps", "deployments", "shop")
	readSecret, makeRole := on("get", "", "secrets", "shop"), on("create", "rbac.authorization.k8s.io", "rolebindings", "shop")
	makeNamespace, readNodes := on("create", "", "namespaces", ""), on("list", "", "nodes", "")
	metrics := authorizer.AttributesRecord{User: dev(), Verb: "get", Path: "/metrics"}
	all := []authorizer.AttributesRecord{readPods, makeDeployment, readSecret, makeRole, makeNamespace, readNodes, metrics}
	for policy, want := range map[string]string{
		"AmazonEKSViewPolicy":         "+------",
		"AmazonEKSEditPolicy":         "+++----",
		"AmazonEKSAdminPolicy":        "++++---",
		"AmazonEKSAdminViewPolicy":    "+-+--+-",
		"AmazonEKSClusterAdminPolicy": "+++++++",
		"AmazonEKSSecretReaderPolicy": "--+----",
		"NoSuchPolicy":                "-------",
	} {
		a := entries(t, "", view.AccessPolicy{Arn: base + policy, ScopeType: view.ScopeCluster}).Authorizer(nobody{})
		got := ""
		for _, attributes := range all {
			decision, _, err := a.Authorize(t.Context(), attributes)
			switch {
			case err != nil:
				t.Error(err)
			case decision == authorizer.DecisionAllow:
				got += "+"
			default:
				got += "-"
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s (pods, deployments, secrets, rolebindings, namespaces, nodes, /metrics)", policy, got, want)
		}
		if KnownPolicy(base+policy) != (policy != "NoSuchPolicy") {
			t.Errorf("%s known: %t", policy, KnownPolicy(base+policy))
		}
	}
}

func TestAnotherClustersUserHasNothing(t *testing.T) {
	a := entries(t, "", view.AccessPolicy{Arn: base + "AmazonEKSClusterAdminPolicy", ScopeType: view.ScopeCluster}).Authorizer(nobody{})
	for name, extra := range map[string]map[string][]string{
		"of a deleted cluster": {extraCanonicalArn: {role}, extraCluster: {"prod-0"}},
		"of no entry":          {extraCanonicalArn: {role + "2"}, extraCluster: {"prod-1"}},
		"without any":          nil,
	} {
		decision, _, err := a.Authorize(t.Context(), authorizer.AttributesRecord{
			User: &user.DefaultInfo{Name: "dev", Extra: extra}, Verb: "list", Resource: "pods", ResourceRequest: true,
		})
		if err != nil || decision != authorizer.DecisionNoOpinion {
			t.Errorf("%s: %v, %v", name, decision, err)
		}
	}
}

// metrics-server learns of the user by headers, whose names have no case, and asks the API server with what it read there.
func TestBehindAnAggregatedAPI(t *testing.T) {
	a := entries(t, "", view.AccessPolicy{Arn: base + "AmazonEKSClusterAdminPolicy", ScopeType: view.ScopeCluster}).Authorizer(nobody{})
	asked := &user.DefaultInfo{Name: "dev", Extra: map[string][]string{strings.ToLower(extraCanonicalArn): {role}, strings.ToLower(extraCluster): {"prod-1"}}}
	decision, _, err := a.Authorize(t.Context(), authorizer.AttributesRecord{User: asked, Verb: "list", APIGroup: "metrics.k8s.io", Resource: "pods", ResourceRequest: true})
	if err != nil || decision != authorizer.DecisionAllow {
		t.Errorf("%v, %v, want it allowed", decision, err)
	}
}

func TestWhoTheBearerIs(t *testing.T) {
	e := entries(t, "dev:{{SessionName}}")
	ask := func(header string) (*authenticator.Response, bool, error) {
		next := authenticator.RequestFunc(func(r *http.Request) (*authenticator.Response, bool, error) {
			return &authenticator.Response{User: &user.DefaultInfo{Name: "next"}}, true, nil
		})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", header)
		return e.Authenticator(next).AuthenticateRequest(req)
	}
	bearer := e.Key.Make("prod", "us-west-2", "arn:aws:sts::123456789012:assumed-role/Dev/ann", time.Now())
	r, ok, err := ask("Bearer " + bearer)
	if err != nil || !ok || r.User.GetName() != "dev:ann" || len(r.User.GetGroups()) != 2 || r.User.GetGroups()[1] != "devs" {
		t.Errorf("%+v, %t, %v", r, ok, err)
	}
	if r, _, err := ask("Bearer eyJhbGciOi"); err != nil || r.User.GetName() != "next" {
		t.Errorf("a service account's token: %+v, %v", r, err)
	}
	e.Open = func() string { return "" }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if u, err := e.user(ctx, bearer); err == nil {
		t.Errorf("a cluster that is not open yet let %v in", u)
	}
}
