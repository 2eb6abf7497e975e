package review

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// secrets knows which paths of a resource must not be shown: those that either of its states has as secret, in inputs or outputs, with
// any index for each index, since lists shift.
type secrets struct {
	paths map[string]bool
	// values are where a variable has its value whose name says that it is secret, by the index that it has in either state.
	values map[string]bool
}

var (
	index = regexp.MustCompile(`\[\d+\]`)
	// secretName is a property whose value nobody wants to see, whatever the state says.
	secretName = regexp.MustCompile(`(?i)(password|passwd|passphrase|secret_?string|secret_?binary|client_?secret|private_?key|secret_?key|auth_?token|access_?token|api_?key)$`)
	// secretVariable is the same for a variable's name, which means more: a field that is called "secret" or "token" names one elsewhere.
	secretVariable = regexp.MustCompile(`(?i)(^|_)(pass|pwd|secret|secret_key_base|token|credentials?)$`)
)

func isSecretVariable(name string) bool {
	return secretName.MatchString(name) || secretVariable.MatchString(name)
}

func anyIndex(path string) string { return index.ReplaceAllString(path, "[*]") }

func secretsOf(s Step) secrets {
	x := secrets{paths: map[string]bool{}, values: map[string]bool{}}
	for _, st := range []*State{s.Old, s.New} {
		if st == nil {
			continue
		}
		for _, m := range []map[string]any{st.Inputs, st.Outputs} {
			x.collect("", m)
		}
		for _, name := range st.secretOutputs {
			x.paths[key("", name)] = true
		}
	}
	// Pulumi marks the data of a Secret only where the program has.
	if s.URN.Type() == "kubernetes:core/v1:Secret" {
		x.paths["data"], x.paths["stringData"] = true, true
		x.paths[key("metadata.annotations", "kubectl.kubernetes.io/last-applied-configuration")] = true // what kubectl has applied, whole
	}
	return x
}

func (x secrets) collect(path string, v any) {
	switch v := v.(type) {
	case hidden:
		x.paths[anyIndex(path)] = true
	case map[string]any:
		for k := range v {
			x.collect(key(path, k), v[k])
		}
		// A variable of a container: {name: DB_PASSWORD, value: …}.
		if name, ok := v["name"].(string); ok && isSecretVariable(name) {
			x.values[key(path, "value")] = true
		}
	case []any:
		for i, e := range v {
			x.collect(fmt.Sprintf("%s[%d]", path, i), e)
		}
	case string:
		if inner, ok := inJSON(v); ok {
			x.collect(path, inner)
		} else if strings.Contains(v, hiddenText) {
			x.paths[anyIndex(path)] = true
		}
	}
}

// covers says whether what is at the path must not be shown, itself or with what it is a part of.
func (x secrets) covers(path string) bool {
	if x.values[path] {
		return true
	}
	p := anyIndex(path)
	for secret := range x.paths {
		if under(p, secret) {
			return true
		}
	}
	last := p[strings.LastIndexAny(p, ".]")+1:]
	return secretName.MatchString(last) || strings.HasSuffix(p, `"]`) && secretName.MatchString(strings.TrimSuffix(p, `"]`))
}

// masked is v, which is at the path, with secrets hidden.
func (x secrets) masked(path string, v any) any {
	if v == nil {
		return nil
	}
	if x.covers(path) {
		return hidden{}
	}
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = x.masked(key(path, k), v[k])
		}
		if name, ok := v["name"].(string); ok && v["value"] != nil && isSecretVariable(name) {
			out["value"] = hidden{}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = x.masked(path+"[*]", v[i])
		}
		return out
	case string:
		if inner, ok := inJSON(v); ok {
			return shown(x.masked(path, inner))
		}
	}
	return v
}

// inJSON is the JSON document in a string, as policies and the like have it.
func inJSON(s string) (any, bool) {
	t := strings.TrimSpace(s)
	if t == "" || t[0] != '{' && t[0] != '[' {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(t))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return nil, false
	}
	return clean(v), true
}
