package token

import (
	"fmt"
	"strings"
)

// Principal is a caller as IAM and Kubernetes know it.
type Principal struct {
	// Account number.
	Account string
	// Kind is "user", "role" or "root".
	Kind string
	// Name without its path.
	Name string
	// Arn is the IAM ARN; for an assumed role that of the role, whose path STS does not tell.
	Arn string
	// Session is the name of an assumed role's session; "" for a user.
	Session string
}

// ParsePrincipal reads an IAM user, IAM role or STS assumed-role ARN. A role's ARN stands for a session of it.
func ParsePrincipal(arn string) (Principal, error) {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[4] == "" {
		return Principal{}, fmt.Errorf("%q is no ARN of an IAM principal", arn)
	}
	service, account, resource := p[2], p[4], p[5]
	parts := strings.Split(resource, "/")
	switch {
	case service == "sts" && parts[0] == "assumed-role" && len(parts) == 3 && parts[1] != "" && parts[2] != "":
		return Principal{
			Account: account, Kind: "role", Name: parts[1], Session: parts[2],
			Arn: fmt.Sprintf("arn:%s:iam::%s:role/%s", p[1], account, parts[1]),
		}, nil
	case service == "iam" && (parts[0] == "user" || parts[0] == "role") && len(parts) >= 2 && parts[len(parts)-1] != "":
		return Principal{Account: account, Kind: parts[0], Name: parts[len(parts)-1], Arn: arn}, nil
	case service == "iam" && resource == "root":
		return Principal{Account: account, Kind: "root", Name: "root", Arn: arn}, nil
	}
	return Principal{}, fmt.Errorf("%q is no ARN of an IAM user, an IAM role or an assumed role", arn)
}

// Is tells whether the caller is the principal of an access entry. Paths are left out of the comparison for an assumed role,
// because STS does not tell them; role names are unique in an account.
func (p Principal) Is(entryArn string) bool {
	e, err := ParsePrincipal(entryArn)
	if err != nil {
		return false
	}
	if p.Session != "" {
		return e.Kind == "role" && e.Account == p.Account && e.Name == p.Name
	}
	return e.Arn == p.Arn
}

// Username is the default of an access entry, as EKS makes it.
func (p Principal) Username() string {
	if p.Kind != "role" {
		return p.Arn
	}
	session := p.Session
	if session == "" {
		session = "sandbox"
	}
	return fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", p.Account, p.Name, session)
}
