package aws

import (
	"net/netip"
	"regexp"
	"slices"
)

// The values of which most inputs are made.
var (
	text   = Prop{Kind: String}
	number = Prop{Kind: Number}
	flag   = Prop{Kind: Bool}
	tagMap = Prop{Kind: Map, Max: 50, Elem: &Prop{Kind: String, Max: 256}}
)

func listOf(e Prop) Prop                { return Prop{Kind: List, Elem: &e} }
func setOf(e Prop) Prop                 { return Prop{Kind: Set, Elem: &e} }
func fields(f map[string]Prop) Prop     { return Prop{Kind: Nested, Fields: f} }
func (p Prop) must() Prop               { p.Required = true; return p }
func (p Prop) optional() Prop           { p.Required = false; return p }
func (p Prop) fixed() Prop              { p.Replace = true; return p }
func (p Prop) filled() Prop             { p.Computed = true; return p }
func (p Prop) secret() Prop             { p.Secret = true; return p }
func (p Prop) or(v any) Prop            { p.Default = v; return p }
func (p Prop) in(values ...string) Prop { p.OneOf = values; return p }
func (p Prop) to(r *Ref) Prop           { p.Ref = r; return p }
func (p Prop) not(names ...string) Prop { p.Without = names; return p }

// within bounds a number, or the length of anything else.
func (p Prop) within(low, high float64) Prop { p.Min, p.Max = low, high; return p }

// like says what a text must look like, as a pattern and in words.
func (p Prop) like(pattern, says string) Prop {
	p.Match, p.Says = regexp.MustCompile(pattern), says
	return p
}

// anys is texts as JSON holds them.
func anys(s []string) []any {
	out := make([]any, len(s))
	for i, e := range s {
		out[i] = e
	}
	return out
}

// fill stores an output under the name of an input that the program left to AWS.
func (o *Object) fill(name string, v any) {
	if _, given := o.Inputs[name]; !given {
		o.Set(name, v)
	}
}

// has tells whether the object has the attribute.
func (o *Object) has(name string) bool { return o.Get(name) != nil }

// objects is the nested objects of a list.
func objects(v any) []map[string]any {
	var out []map[string]any
	l, _ := v.([]any)
	for _, e := range l {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// removeWhere takes the objects of a type for which f is true out of the account.
func (tx *Tx) removeWhere(token string, f func(*Object) bool) {
	for _, o := range slices.Clone(tx.Objects) {
		if o.Type == token && f(o) {
			tx.Remove(o)
		}
	}
}

// cidrProblem is why a text is no network of that family; "" if it is one.
func cidrProblem(s string, v6 bool) string {
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return "must be a network such as 10.0.0.0/16"
	case p.Addr().Is4() == v6:
		if v6 {
			return "must be an IPv6 network"
		}
		return "must be an IPv4 network"
	case p.Masked() != p:
		return "has host bits set: did you mean " + p.Masked().String() + "?"
	}
	return ""
}

// prefix is a network that was checked before.
func prefix(s string) netip.Prefix {
	p, _ := netip.ParsePrefix(s)
	return p
}

// inside tells whether network a lies in network b.
func inside(a, b netip.Prefix) bool {
	return a.IsValid() && b.IsValid() && b.Bits() <= a.Bits() && b.Contains(a.Addr())
}
