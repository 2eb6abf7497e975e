package aws

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
)

func init() {
	list := listOf(text)
	who := listOf(fields(map[string]Prop{"identifiers": list.must(), "type": text.must()}))
	registerFunctions(&Function{Token: "aws:iam/getPolicyDocument:getPolicyDocument", Props: map[string]Prop{
		"overrideJson": text, "overridePolicyDocuments": list, "policyId": text, "sourceJson": text, "sourcePolicyDocuments": list,
		"version": text.in("2008-10-17", "2012-10-17"),
		"statements": listOf(fields(map[string]Prop{
			"actions": list, "effect": text.in("Allow", "Deny"), "notActions": list, "notPrincipals": who, "notResources": list,
			"principals": who, "resources": list, "sid": text,
			"conditions": listOf(fields(map[string]Prop{"test": text.must(), "values": list.must(), "variable": text.must()})),
		})),
	}, Call: getPolicyDocument})
}

// rendered is a document as the AWS provider writes it: one text stands alone, more are a list.
type rendered struct {
	Version   string           `json:"Version"`
	ID        string           `json:"Id,omitempty"`
	Statement []map[string]any `json:"Statement,omitempty"`
}

func getPolicyDocument(_ *Tx, in Inputs) (map[string]any, error) {
	o := in.Object()
	doc := rendered{Version: "2012-10-17", ID: o.Str("policyId")}
	if v := o.Str("version"); v != "" {
		doc.Version = v
	}
	for _, source := range append(o.List("sourcePolicyDocuments"), o.Str("sourceJson")) {
		if err := doc.merge(source, false); err != nil {
			return nil, err
		}
	}
	for i, s := range objects(o.Get("statements")) {
		st, err := renderStatement(s)
		if err != nil {
			return nil, fmt.Errorf("statements[%d]: %w", i, err)
		}
		doc.put(st)
	}
	for _, over := range append(o.List("overridePolicyDocuments"), o.Str("overrideJson")) {
		if err := doc.merge(over, true); err != nil {
			return nil, err
		}
	}
	pretty, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, err
	}
	short, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"id": strconv.FormatUint(uint64(crc32.ChecksumIEEE(pretty)), 10), "json": string(pretty), "minifiedJson": string(short), "version": doc.Version}
	for k, v := range in.Values {
		out[k] = v
	}
	return out, nil
}

// merge takes the statements of another document in; of two with the same Sid the later one stays.
func (d *rendered) merge(text string, override bool) error {
	if text == "" {
		return nil
	}
	var other rendered
	if err := json.Unmarshal([]byte(text), &other); err != nil {
		return fmt.Errorf("a policy document to merge is no JSON: %w", err)
	}
	for _, s := range other.Statement {
		sid, _ := s["Sid"].(string)
		if !override && sid != "" && d.withSid(sid) >= 0 {
			return fmt.Errorf("duplicate Sid (%s) in source_policy_documents", sid)
		}
		d.put(s)
	}
	return nil
}

func (d *rendered) withSid(sid string) int {
	return slices.IndexFunc(d.Statement, func(s map[string]any) bool { return s["Sid"] == sid })
}

func (d *rendered) put(s map[string]any) {
	if sid, _ := s["Sid"].(string); sid != "" {
		if i := d.withSid(sid); i >= 0 {
			d.Statement[i] = s
			return
		}
	}
	d.Statement = append(d.Statement, s)
}

func renderStatement(s map[string]any) (map[string]any, error) {
	out := map[string]any{"Effect": "Allow"}
	if e, ok := s["effect"].(string); ok {
		out["Effect"] = e
	}
	if sid, _ := s["sid"].(string); sid != "" {
		out["Sid"] = sid
	}
	for from, to := range map[string]string{"actions": "Action", "notActions": "NotAction", "resources": "Resource", "notResources": "NotResource"} {
		if l := Strings(s[from]); len(l) > 0 {
			out[to] = oneOrMany(l)
		}
	}
	for from, to := range map[string]string{"principals": "Principal", "notPrincipals": "NotPrincipal"} {
		if p := renderPrincipals(objects(s[from])); p != nil {
			out[to] = p
		}
	}
	conditions := map[string]map[string]any{}
	for _, c := range objects(s["conditions"]) {
		test, _ := c["test"].(string)
		variable, _ := c["variable"].(string)
		if conditions[test] == nil {
			conditions[test] = map[string]any{}
		}
		if conditions[test][variable] != nil {
			return nil, fmt.Errorf("condition %s on %s is given twice: give its values in one list", test, variable)
		}
		conditions[test][variable] = oneOrMany(Strings(c["values"]))
	}
	if len(conditions) > 0 {
		out["Condition"] = conditions
	}
	return out, nil
}

func renderPrincipals(list []map[string]any) any {
	out := map[string]any{}
	for _, p := range list {
		kind, _ := p["type"].(string)
		ids := Strings(p["identifiers"])
		if kind == "*" && slices.Equal(ids, []string{"*"}) {
			return "*"
		}
		out[kind] = oneOrMany(append(textOrTexts(out[kind]), ids...))
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// oneOrMany is a text alone, or several sorted, the last first: that is how the AWS provider writes them.
func oneOrMany(l []string) any {
	if len(l) == 1 {
		return l[0]
	}
	l = slices.Clone(l)
	slices.SortFunc(l, func(a, b string) int { return strings.Compare(b, a) })
	return anys(slices.Compact(l))
}
