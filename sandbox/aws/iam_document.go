package aws

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// policyDocument is a policy in IAM's language. An element may be one text or a list of them.
type policyDocument struct {
	Version   string      `json:"Version,omitempty"`
	ID        string      `json:"Id,omitempty"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid          string         `json:"Sid,omitempty"`
	Effect       string         `json:"Effect,omitempty"`
	Principal    any            `json:"Principal,omitempty"`
	NotPrincipal any            `json:"NotPrincipal,omitempty"`
	Action       texts          `json:"Action,omitempty"`
	NotAction    texts          `json:"NotAction,omitempty"`
	Resource     texts          `json:"Resource,omitempty"`
	NotResource  texts          `json:"NotResource,omitempty"`
	Condition    map[string]any `json:"Condition,omitempty"`
}

// texts is a text or a list of them.
type texts []string

func (t *texts) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// actionForm is VENDOR:ACTION, with wildcards.
var actionForm = regexp.MustCompile(`^(\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+)$`)

// serviceForm is a service as principals name it.
var serviceForm = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$`)

func malformed(format string, a ...any) error {
	return Errorf("MalformedPolicyDocument", format, a...)
}

// parsePolicy reads a policy and finds what all kinds of policies have in common.
func parsePolicy(doc string) (*policyDocument, error) {
	var raw struct {
		Version, ID string
		Statement   json.RawMessage
	}
	if err := json.Unmarshal([]byte(doc), &raw); err != nil {
		return nil, malformed("This policy contains invalid Json")
	}
	d := json.NewDecoder(strings.NewReader(doc))
	d.DisallowUnknownFields()
	p := &policyDocument{}
	list := strings.HasPrefix(strings.TrimSpace(string(raw.Statement)), "[")
	var err error
	if list {
		err = d.Decode(p)
	} else {
		// One statement may stand without a list.
		one := struct {
			Version   string
			ID        string `json:"Id"`
			Statement statement
		}{}
		err = d.Decode(&one)
		p.Version, p.ID, p.Statement = one.Version, one.ID, []statement{one.Statement}
	}
	if err != nil {
		return nil, malformed("Syntax errors in policy. (%v)", err)
	}
	if p.Version != "" && p.Version != "2012-10-17" && p.Version != "2008-10-17" {
		return nil, malformed("Syntax errors in policy. (Version is %q, must be 2012-10-17)", p.Version)
	}
	if len(raw.Statement) == 0 || len(p.Statement) == 0 {
		return nil, malformed("Syntax errors in policy. (no Statement)")
	}
	sids := map[string]bool{}
	for _, s := range p.Statement {
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return nil, malformed("Syntax errors in policy. (Effect is %q, must be Allow or Deny)", s.Effect)
		}
		if (len(s.Action) == 0) == (len(s.NotAction) == 0) {
			return nil, malformed("Policy statement must contain actions.")
		}
		for _, a := range append(slices.Clone(s.Action), s.NotAction...) {
			if !actionForm.MatchString(a) {
				return nil, malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. (%s)", a)
			}
		}
		if s.Sid != "" && sids[s.Sid] {
			return nil, malformed("Statement IDs (SID) in a single policy must be unique. (%s)", s.Sid)
		}
		sids[s.Sid] = true
	}
	return p, nil
}

// trustPolicy finds what IAM refuses in the policy that says who may assume a role.
func trustPolicy(doc string) error {
	if len(doc) > 2048 {
		return &Error{"LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", 409}
	}
	p, err := parsePolicy(doc)
	if err != nil {
		return err
	}
	for _, s := range p.Statement {
		if len(s.Resource)+len(s.NotResource) > 0 {
			return malformed("Has prohibited field Resource")
		}
		if s.Principal == nil && s.NotPrincipal == nil {
			return malformed("Missing required field Principal")
		}
		for _, a := range s.Action {
			if !strings.HasPrefix(strings.ToLower(a), "sts:") {
				return malformed("AssumeRole policy may only specify STS AssumeRole actions.")
			}
		}
		if err := principals(s.Principal); err != nil {
			return err
		}
	}
	return nil
}

var principalForm = map[string]*regexp.Regexp{
	"AWS":           regexp.MustCompile(`^(\*|\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)/.+))$`),
	"Service":       serviceForm,
	"Federated":     regexp.MustCompile(`^(arn:aws[a-z-]*:iam::\d{12}:(oidc|saml)-provider/.+|[a-z0-9.-]+)$`),
	"CanonicalUser": regexp.MustCompile(`^[0-9a-f]{64}$`),
}

func principals(v any) error {
	if v == nil || v == "*" {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		return malformed("Invalid principal in policy.")
	}
	for kind, names := range m {
		form := principalForm[kind]
		if form == nil {
			return malformed("Invalid principal in policy: %q", kind)
		}
		for _, name := range textOrTexts(names) {
			if !form.MatchString(name) {
				return malformed("Invalid principal in policy: %q:%q", kind, name)
			}
		}
	}
	return nil
}

// textOrTexts is the texts of a value that may be one of them or a list.
func textOrTexts(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	return Strings(v)
}

// identityPolicy finds what IAM refuses in a policy of a role, user or group.
func identityPolicy(doc string) error {
	if n := len(strings.Join(strings.Fields(doc), "")); n > 6144 {
		return &Error{"LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409}
	}
	p, err := parsePolicy(doc)
	if err != nil {
		return err
	}
	for _, s := range p.Statement {
		if s.Principal != nil || s.NotPrincipal != nil {
			return malformed("Policy document should not specify a principal.")
		}
		if (len(s.Resource) == 0) == (len(s.NotResource) == 0) {
			return malformed("Policy statement must contain resources.")
		}
		for _, r := range append(slices.Clone(s.Resource), s.NotResource...) {
			if r != "*" && !strings.HasPrefix(r, "arn:") && !strings.HasPrefix(r, "*") {
				return malformed("Resource %s must be in ARN format or \"*\".", r)
			}
		}
	}
	return nil
}

// trusts tells whether a role's trust policy lets the service assume it.
func trusts(role *Object, service, action string) bool {
	p, err := parsePolicy(role.Str("assumeRolePolicy"))
	if err != nil {
		return false
	}
	for _, s := range p.Statement {
		m, _ := s.Principal.(map[string]any)
		if s.Effect != "Allow" || !(s.Principal == "*" || slices.Contains(textOrTexts(m["Service"]), service)) {
			continue
		}
		if slices.ContainsFunc(s.Action, func(a string) bool { return strings.EqualFold(a, action) || a == "sts:*" || a == "*" }) {
			return true
		}
	}
	return false
}
