package aws

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"google.golang.org/protobuf/types/known/structpb"
)

// find is the object with that id and, where ids repeat, with the other attributes that the engine's state gives.
func (tx *Tx) find(t *Type, id string, state *structpb.Struct) *Object {
	for _, o := range tx.All(t.Token) {
		if o.ID == id && !slices.ContainsFunc(t.Within, func(name string) bool {
			v := state.GetFields()[name]
			return v == nil || v.GetStringValue() != o.Str(name)
		}) {
			return o
		}
	}
	return nil
}

// state is what the engine keeps of an object: inputs and outputs together.
func (t *Type) state(o *Object) map[string]any {
	s := maps.Clone(o.Inputs)
	maps.Copy(s, o.Outputs)
	return s
}

// expected is what a preview can tell of the outputs: inputs as given, what AWS computes unknown unless olds holds it and
// the update does not touch it.
func (t *Type) expected(in, olds map[string]any) map[string]any {
	s := maps.Clone(in)
	fill := func(name string) {
		if _, ok := s[name]; ok {
			return
		}
		if v, ok := olds[name]; ok {
			s[name] = v
			return
		}
		if olds == nil {
			s[name] = unknown{}
		}
	}
	for _, name := range t.Outputs {
		fill(name)
	}
	for name, p := range t.Props {
		if p.Computed {
			fill(name)
		}
		if given, ok := s[name].(map[string]any); ok && p.Kind == Nested {
			was, known := olds[name].(map[string]any)
			if known || olds == nil {
				s[name] = (&Type{Props: p.Fields}).expected(given, was)
			}
		}
	}
	return s
}

// withTags shows tagsAll in a preview.
func (p *Provider) withTags(t *Type, in map[string]any) map[string]any {
	if !t.tagged() {
		return in
	}
	out := maps.Clone(in)
	out["tagsAll"] = p.allTags(in)
	return out
}

func (p *Provider) setTags(t *Type, o *Object) {
	if t.tagged() {
		o.Set("tagsAll", p.allTags(o.Inputs))
	}
}

// tagged tells whether the type takes tags as a map, and so the default tags of the provider.
func (t *Type) tagged() bool { return t.Props["tags"].Kind == Map }

func (p *Provider) allTags(in map[string]any) map[string]any {
	all := map[string]any{}
	maps.Copy(all, p.tags)
	maps.Copy(all, nested(in["tags"]))
	return all
}

// nested is a value as an object; empty where it is none.
func nested(v any) map[string]any {
	m, _ := fromJSON(v).(map[string]any)
	return m
}

func unmarshal(s *structpb.Struct) (map[string]any, error) {
	m, err := rawUnmarshal(s)
	return plain(m), err
}

func rawUnmarshal(s *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(s, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, SkipNulls: true})
}

func marshal(m map[string]any) (*structpb.Struct, error) {
	return plugin.MarshalProperties(properties(m), plugin.MarshalOptions{KeepUnknowns: true, SkipNulls: true})
}
