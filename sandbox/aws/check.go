package aws

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// unknown stands for a value that a preview does not know yet.
type unknown struct{}

// plain turns properties into what JSON can hold, with unknown where the engine does not know yet. Nulls are left out.
func plain(m resource.PropertyMap) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if strings.HasPrefix(string(k), "__") {
			continue
		}
		if p := plainValue(v); p != nil {
			out[string(k)] = p
		}
	}
	return out
}

func plainValue(v resource.PropertyValue) any {
	switch {
	case v.IsNull():
		return nil
	case v.IsSecret():
		return plainValue(v.SecretValue().Element)
	case v.IsComputed():
		return unknown{}
	case v.IsOutput():
		if !v.OutputValue().Known {
			return unknown{}
		}
		return plainValue(v.OutputValue().Element)
	case v.IsArray():
		out := []any{}
		for _, e := range v.ArrayValue() {
			out = append(out, plainValue(e))
		}
		return out
	case v.IsObject():
		return plain(v.ObjectValue())
	case v.IsResourceReference():
		if id, ok := v.ResourceReferenceValue().IDString(); ok {
			return id
		}
		return unknown{}
	}
	return v.V
}

// property is the way back from plain.
func property(v any) resource.PropertyValue {
	switch v := v.(type) {
	case nil:
		return resource.NewNullProperty()
	case unknown:
		return resource.MakeComputed(resource.NewStringProperty(""))
	case map[string]any:
		return resource.NewObjectProperty(properties(v))
	case []any:
		l := make([]resource.PropertyValue, len(v))
		for i, e := range v {
			l[i] = property(e)
		}
		return resource.NewArrayProperty(l)
	}
	return resource.NewPropertyValue(v)
}

func properties(m map[string]any) resource.PropertyMap {
	out := resource.PropertyMap{}
	for k, v := range m {
		if v != nil {
			out[resource.PropertyKey(k)] = property(v)
		}
	}
	return out
}

// holdsUnknown tells whether any part of a value is unknown.
func holdsUnknown(v any) bool {
	switch v := v.(type) {
	case unknown:
		return true
	case map[string]any:
		for _, e := range v {
			if holdsUnknown(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, holdsUnknown)
	}
	return false
}

// inputs makes what Check functions read.
func inputs(values map[string]any) Inputs {
	in := Inputs{Values: map[string]any{}, unknown: map[string]bool{}}
	for k, v := range values {
		if holdsUnknown(v) {
			in.unknown[k] = true
			continue
		}
		in.Values[k] = v
	}
	return in
}

// checker collects what is wrong with one resource's inputs.
type checker struct{ problems []Problem }

func (c *checker) addf(path, format string, a ...any) {
	c.problems = append(c.problems, Problem{path, fmt.Sprintf(format, a...)})
}

// fields checks the values of an object and fills defaults in.
func (c *checker) fields(path string, props map[string]Prop, values map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p, ok := props[name]
		if !ok {
			c.addf(join(path, name), "is no property that the sandbox knows here; it knows %s", strings.Join(slices.Sorted(maps.Keys(props)), ", "))
			continue
		}
		if m, ok := values[name].(map[string]any); ok && p.Kind == JSON && !holdsUnknown(m) {
			values[name] = describe(m) // policies may be given as objects too
		}
		c.value(join(path, name), p, values[name])
	}
	for _, name := range slices.Sorted(maps.Keys(props)) {
		p := props[name]
		if _, given := values[name]; given {
			for _, other := range p.Without {
				if _, both := values[other]; both && name < other {
					c.addf(join(path, name), "conflicts with %s: give one of them", other)
				}
			}
			if len(p.With) > 0 && !slices.ContainsFunc(p.With, func(o string) bool { _, ok := values[o]; return ok }) {
				c.addf(join(path, name), "needs %s", strings.Join(p.With, " or "))
			}
			continue
		}
		if p.Default != nil && !slices.ContainsFunc(p.Without, func(o string) bool { _, ok := values[o]; return ok }) {
			values[name] = p.Default
		} else if p.Required {
			c.addf(join(path, name), "is required")
		}
	}
}

func (c *checker) value(path string, p Prop, v any) {
	if _, ok := v.(unknown); ok || p.Kind == Any {
		return
	}
	switch p.Kind {
	case String, JSON:
		s, ok := v.(string)
		if !ok {
			c.addf(path, "is %s, must be a text", describe(v))
			return
		}
		c.text(path, p, s)
	case Number:
		n, ok := v.(float64)
		if !ok {
			c.addf(path, "is %s, must be a number", describe(v))
		} else if (p.Min != 0 || p.Max != 0) && (n < p.Min || n > p.Max) {
			c.addf(path, "is %v, must be %v to %v", n, p.Min, p.Max)
		}
	case Bool:
		if _, ok := v.(bool); !ok {
			c.addf(path, "is %s, must be true or false", describe(v))
		}
	case List, Set:
		l, ok := v.([]any)
		if !ok {
			c.addf(path, "is %s, must be a list", describe(v))
			return
		}
		c.size(path, p, len(l), "elements")
		for i, e := range l {
			if p.Elem != nil {
				c.value(fmt.Sprintf("%s[%d]", path, i), *p.Elem, e)
			}
		}
	case Map:
		m, ok := v.(map[string]any)
		if !ok {
			c.addf(path, "is %s, must be a map", describe(v))
			return
		}
		c.size(path, p, len(m), "entries")
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if p.Elem != nil {
				c.value(join(path, k), *p.Elem, m[k])
			}
		}
	case Nested:
		m, ok := v.(map[string]any)
		if !ok {
			c.addf(path, "is %s, must be an object", describe(v))
			return
		}
		c.fields(path, p.Fields, m)
	}
}

func (c *checker) text(path string, p Prop, s string) {
	shown := fmt.Sprintf("%q", s)
	if p.Secret {
		shown = "[secret]"
	}
	if len(p.OneOf) > 0 && !slices.Contains(p.OneOf, s) {
		c.addf(path, "is %s, must be one of %s", shown, strings.Join(p.OneOf, ", "))
		return
	}
	c.size(path, p, len(s), "characters")
	if p.Match != nil && !p.Match.MatchString(s) {
		c.addf(path, "is %s, must be %s", shown, p.Says)
	}
	if p.Kind == JSON && !json.Valid([]byte(s)) {
		c.addf(path, "is %s, must be JSON", shown)
	}
}

func (c *checker) size(path string, p Prop, n int, of string) {
	if (p.Min != 0 || p.Max != 0) && (float64(n) < p.Min || float64(n) > p.Max) {
		c.addf(path, "has %d %s, must have %v to %v", n, of, p.Min, p.Max)
	}
}

func describe(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%v", v)
	}
	return string(b)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// references finds what known values name that is not in the account.
func (tx *Tx) references(props map[string]Prop, values map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if p, ok := props[name]; ok {
			if err := tx.reference(p, values[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (tx *Tx) reference(p Prop, v any) error {
	switch v := v.(type) {
	case string:
		if r := p.Ref; r != nil && v != "" && (r.Outside == nil || !r.Outside(v)) && tx.target(r, v) == nil {
			return Errorf(r.Code, r.Message, v)
		}
	case []any:
		if p.Elem != nil {
			for _, e := range v {
				if err := tx.reference(*p.Elem, e); err != nil {
					return err
				}
			}
		}
	case map[string]any:
		if p.Fields != nil {
			return tx.references(p.Fields, v)
		}
		if p.Elem != nil {
			for _, k := range slices.Sorted(maps.Keys(v)) {
				if err := tx.reference(*p.Elem, v[k]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (tx *Tx) target(r *Ref, value string) *Object {
	by := r.By
	if by == "" {
		by = "id"
	}
	for _, token := range r.Types {
		if o := tx.Find(token, by, value); o != nil {
			return o
		}
	}
	return nil
}

// holder is an object that refers to o in a way that forbids to delete o; nil where there is none.
func (tx *Tx) holder(o *Object) *Object {
	for _, e := range tx.Objects {
		if e != o && e.Owner != o.Key() && types[e.Type] != nil && tx.holds(types[e.Type].Props, e.Inputs, o) {
			return e
		}
	}
	return nil
}

func (tx *Tx) holds(props map[string]Prop, values map[string]any, o *Object) bool {
	for name, v := range values {
		if p, ok := props[name]; ok && tx.valueHolds(p, v, o) {
			return true
		}
	}
	return false
}

func (tx *Tx) valueHolds(p Prop, v any, o *Object) bool {
	switch v := v.(type) {
	case string:
		return p.Ref != nil && p.Ref.Holds && slices.Contains(p.Ref.Types, o.Type) && tx.target(p.Ref, v) == o
	case []any:
		return p.Elem != nil && slices.ContainsFunc(v, func(e any) bool { return tx.valueHolds(*p.Elem, e, o) })
	case map[string]any:
		if p.Fields != nil {
			return tx.holds(p.Fields, v, o)
		}
		for _, e := range v {
			if p.Elem != nil && tx.valueHolds(*p.Elem, e, o) {
				return true
			}
		}
	}
	return false
}

// fromJSON is the value that a provider's configuration holds as JSON text; other values stay as they are.
func fromJSON(v any) any {
	if s, ok := v.(string); ok {
		var out any
		if json.Unmarshal([]byte(s), &out) == nil {
			return out
		}
	}
	return v
}
