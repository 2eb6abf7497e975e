// Package token makes and reads the bearer tokens of EKS: "k8s-aws-v1." and a base64url URL that looks like a presigned
// sts:GetCallerIdentity request, as `aws eks get-token` prints it. On AWS the signature is checked by STS; in the sandbox it
// is an HMAC with a key that lies beside the account, so that a token of another sandbox or one that was edited is refused.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Prefix of every token, by which EKS tells it from a service account's.
const Prefix = "k8s-aws-v1."

// Lifetime of a token on EKS, counted from X-Amz-Date. The X-Amz-Expires=60 in the URL is what `aws` writes; the cluster
// does not go by it (aws-iam-authenticator, pkg/token).
const Lifetime = 15 * time.Minute

// maxSkew is how far the clock of the maker may be ahead.
const maxSkew = 5 * time.Minute

const dateFormat = "20060102T150405Z"

// Parameters in which the sandbox carries what STS would find out: who signed, and for which cluster. On AWS the cluster is
// a signed header that the server repeats.
const (
	principalParam = "X-Slipway-Principal"
	clusterParam   = "X-K8s-Aws-Id"
)

// Claims are what a token says, once its signature is checked.
type Claims struct {
	// Cluster is the name of the EKS cluster that the token is for.
	Cluster string
	// PrincipalArn is the caller as sts:GetCallerIdentity would print it: a user's ARN or an assumed role's.
	PrincipalArn string
}

// Make is a token for cluster by principalArn (an IAM user, IAM role or STS assumed-role ARN), valid for Lifetime from now.
func (k Key) Make(cluster, region, principalArn string, now time.Time) string {
	now = now.UTC()
	q := url.Values{
		"Action":              {"GetCallerIdentity"},
		"Version":             {"2011-06-15"},
		"X-Amz-Algorithm":     {"AWS4-HMAC-SHA256"},
		"X-Amz-Credential":    {"ASIASANDBOX000000000/" + now.Format("20060102") + "/" + region + "/sts/aws4_request"},
		"X-Amz-Date":          {now.Format(dateFormat)},
		"X-Amz-Expires":       {"60"},
		"X-Amz-SignedHeaders": {"host;x-k8s-aws-id"},
		clusterParam:          {cluster},
		principalParam:        {principalArn},
	}
	host := "sts." + region + ".amazonaws.com"
	q.Set("X-Amz-Signature", k.sign(host, q))
	u := url.URL{Scheme: "https", Host: host, Path: "/", RawQuery: q.Encode()}
	return Prefix + base64.RawURLEncoding.EncodeToString([]byte(u.String()))
}

// Errors of Parse, to be told apart with errors.Is.
var (
	ErrMalformed = errors.New("token is malformed")
	ErrSignature = errors.New("token has a wrong signature: it was made by another sandbox, or edited")
	ErrExpired   = errors.New("token has expired")
)

// Parse checks token at the time now and returns what it claims.
func (k Key) Parse(token string, now time.Time) (Claims, error) {
	enc, ok := strings.CutPrefix(token, Prefix)
	if !ok {
		return Claims{}, fmt.Errorf("%w: it does not begin with %q", ErrMalformed, Prefix)
	}
	raw, err := base64.RawURLEncoding.DecodeString(enc)
	if err != nil {
		return Claims{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	u, err := url.Parse(string(raw))
	if err != nil {
		return Claims{}, fmt.Errorf("%w: not a URL", ErrMalformed)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.Scheme != "https" || u.Path != "/" || q.Get("Action") != "GetCallerIdentity" {
		return Claims{}, fmt.Errorf("%w: not a presigned GetCallerIdentity request", ErrMalformed)
	}
	got := q.Get("X-Amz-Signature")
	q.Del("X-Amz-Signature")
	if !hmac.Equal([]byte(got), []byte(k.sign(u.Host, q))) {
		return Claims{}, ErrSignature
	}
	made, err := time.Parse(dateFormat, q.Get("X-Amz-Date"))
	if err != nil {
		return Claims{}, fmt.Errorf("%w: X-Amz-Date is %q", ErrMalformed, q.Get("X-Amz-Date"))
	}
	if made.After(now.Add(maxSkew)) {
		return Claims{}, fmt.Errorf("%w: it is dated %s, in the future", ErrMalformed, made.Format(time.RFC3339))
	}
	if now.After(made.Add(Lifetime)) {
		return Claims{}, fmt.Errorf("%w at %s", ErrExpired, made.Add(Lifetime).Format(time.RFC3339))
	}
	c := Claims{Cluster: q.Get(clusterParam), PrincipalArn: q.Get(principalParam)}
	if c.Cluster == "" || c.PrincipalArn == "" {
		return Claims{}, fmt.Errorf("%w: it names no cluster or no principal", ErrMalformed)
	}
	return c, nil
}

// sign is the HMAC over everything that the URL says; Encode sorts the parameters.
func (k Key) sign(host string, q url.Values) string {
	m := hmac.New(sha256.New, k.secret)
	m.Write([]byte(host + "\n" + q.Encode()))
	return hex.EncodeToString(m.Sum(nil))
}
