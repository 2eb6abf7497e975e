package access

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"

	"github.com/slipway-iac/slipway/sandbox/kube/token"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// Keys of what EKS tells of a user beside name and groups, as aws-iam-authenticator does.
const (
	extraArn          = "arn"
	extraCanonicalArn = "canonicalArn"
	extraSessionName  = "sessionName"
	extraCluster      = "sandbox.slipway-iac.github.io/cluster"
)

// openWait is how long a request for a cluster that exists in the account, but is not open yet, is held.
const openWait = 10 * time.Second

// Entries admits callers by the access entries of the account.
type Entries struct {
	// Account to read; a change holds from the next request on.
	Account *view.Watcher
	// Key of the account's tokens.
	Key token.Key
	// Open is the id of the cluster to which the control plane belongs at this moment; "" if none.
	Open func() string
}

// Authenticator answers for requests with an EKS token, and leaves all others to next.
func (e *Entries) Authenticator(next authenticator.Request) authenticator.Request {
	return authenticator.RequestFunc(func(req *http.Request) (*authenticator.Response, bool, error) {
		scheme, bearer, _ := strings.Cut(strings.TrimSpace(req.Header.Get("Authorization")), " ")
		bearer = strings.TrimSpace(bearer)
		if !strings.EqualFold(scheme, "bearer") || !strings.HasPrefix(bearer, token.Prefix) {
			return next.AuthenticateRequest(req)
		}
		info, err := e.user(req.Context(), bearer)
		if err != nil {
			klog.InfoS("EKS token refused", "reason", err.Error())
			return nil, false, err
		}
		// The credential must not reach an aggregated API; the other authenticators take it out as well.
		req.Header.Del("Authorization")
		return &authenticator.Response{User: info}, true, nil
	})
}

// user is who the token's bearer is in Kubernetes.
func (e *Entries) user(ctx context.Context, bearer string) (user.Info, error) {
	claims, err := e.Key.Parse(bearer, time.Now())
	if err != nil {
		return nil, err
	}
	cluster, err := e.cluster(ctx, claims.Cluster)
	if err != nil {
		return nil, err
	}
	caller, err := token.ParsePrincipal(claims.PrincipalArn)
	if err != nil {
		return nil, err
	}
	for _, entry := range cluster.AccessEntries {
		if !caller.Is(entry.PrincipalArn) {
			continue
		}
		name := caller.Username()
		if entry.Username != "" {
			name = strings.NewReplacer("{{SessionName}}", caller.Session, "{{SessionNameRaw}}", caller.Session,
				"{{AccountID}}", caller.Account).Replace(entry.Username)
		}
		return &user.DefaultInfo{
			Name: name, UID: "aws-iam-authenticator:" + caller.Account + ":" + caller.Name,
			Groups: append([]string{user.AllAuthenticated}, entry.Groups...),
			Extra: map[string][]string{
				extraArn: {claims.PrincipalArn}, extraCanonicalArn: {entry.PrincipalArn},
				extraSessionName: {caller.Session}, extraCluster: {cluster.ID},
			},
		}, nil
	}
	return nil, fmt.Errorf("%s has no access entry in cluster %s", claims.PrincipalArn, cluster.Name)
}

// cluster is the cluster of that name, once the control plane belongs to it.
func (e *Entries) cluster(ctx context.Context, name string) (*view.Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, openWait)
	defer cancel()
	for {
		// The account may have changed a moment ago.
		e.Account.Refresh()
		v, _, _ := e.Account.Current()
		var c *view.Cluster
		if v != nil {
			c = v.Cluster(name)
		}
		if c == nil {
			return nil, fmt.Errorf("there is no cluster %q in the account", name)
		}
		open := e.Open()
		if open == c.ID {
			return c, nil
		}
		if v.ClusterByID(open) != nil {
			return nil, fmt.Errorf("the sandbox runs one control plane, and it belongs to another cluster than %q until that is deleted", name)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("cluster %q is not open yet", name)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Authorizer allows what access policies allow, and leaves all else to next. EKS, too, keeps its access policies beside
// RBAC: no role binding shows them.
func (e *Entries) Authorizer(next authorizer.Authorizer) authorizer.Authorizer {
	return &policyAuthorizer{Authorizer: next, entries: e}
}

type policyAuthorizer struct {
	authorizer.Authorizer
	entries *Entries
}

// Authorize implements authorizer.Authorizer.
func (p *policyAuthorizer) Authorize(ctx context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	if reason := p.entries.allows(a); reason != "" {
		return authorizer.DecisionAllow, reason, nil
	}
	return p.Authorizer.Authorize(ctx, a)
}

// allows names the access policy that allows the request; "" if none does.
func (e *Entries) allows(a authorizer.Attributes) string {
	u := a.GetUser()
	if u == nil {
		return ""
	}
	principal, cluster := extra(u, extraCanonicalArn), extra(u, extraCluster)
	if principal == "" || cluster == "" {
		return ""
	}
	v, _, _ := e.Account.Current()
	if v == nil {
		return ""
	}
	c := v.ClusterByID(cluster)
	if c == nil {
		return ""
	}
	for _, entry := range c.AccessEntries {
		if entry.PrincipalArn != principal {
			continue
		}
		for _, policy := range entry.Policies {
			if covers(policy, a) && rbac.RulesAllow(a, policyRules[policyName(policy.Arn)]...) {
				return "EKS access policy " + policy.Arn
			}
		}
	}
	return ""
}

// extra is what the user carries under a key. An aggregated API such as metrics-server's learns of it by a header, and asks again
// with the key in lower case.
func extra(u user.Info, key string) string {
	for _, k := range []string{key, strings.ToLower(key)} {
		if v := u.GetExtra()[k]; len(v) == 1 {
			return v[0]
		}
	}
	return ""
}

func covers(p view.AccessPolicy, a authorizer.Attributes) bool {
	if p.ScopeType != view.ScopeNamespace {
		return true
	}
	for _, n := range p.Namespaces {
		if a.GetNamespace() != "" && matchesNamespace(n, a.GetNamespace()) {
			return true
		}
	}
	return false
}
