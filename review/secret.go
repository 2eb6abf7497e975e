package review

import (
	"encoding/json"
	"regexp"
	"strings"
)

// secrets knows which paths of a resource must not be shown: those that either of its states has as secret, in inputs or outputs, with
// any index for each index, since lists shift.
type secrets struct {
	paths map[string]bool
}

var (
	index = regexp.MustCompile(`\[\d+\]`)
	// secretName is a property whose value nobody wants to see, whatever the state says.
	secretName = regexp.MustCompile(`(?i)(password|passwd|passphrase|secret_?string|secret_?binary|client_?secret|private_?key|secret_?key|auth_?token|access_?token|api_?key)$`)
)

func anyIndex(path string) string { return index.ReplaceAllString(path, "[*]") }

func secretsOf(s Step) secrets {
	x := secrets{paths: map[string]bool{}}
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
	case []any:
		for _, e := range v {
			x.collect(path+"[*]", e)
		}
	case string:
		if inner, ok := inJSON(v); ok {
			x.collect(path, inner)
		} else if strings.Contains(v, hiddenText) {
			x.paths[anyIndex(path)] = true
		}
	}
}

// covers says whether what is at the path must not be shown.
func (x secrets) covers(path string) bool {
	p := anyIndex(path)
	last := p[strings.LastIndexAny(p, ".]")+1:]
	return x.paths[p] || secretName.MatchString(last) || strings.HasSuffix(p, `"]`) && secretName.MatchString(strings.TrimSuffix(p, `"]`))
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
		// A variable of a container: {name: DB_PASSWORD, value: …}.
		if name, ok := v["name"].(string); ok && v["value"] != nil && secretName.MatchString(name) {
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
