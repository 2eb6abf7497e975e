package aws

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// Check implements pulumirpc.ResourceProviderServer.
func (p *Provider) Check(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	t, name, err := p.lookUp(r.GetUrn())
	if err != nil {
		return nil, err
	}
	news, err := unmarshal(r.GetNews())
	if err != nil {
		return nil, err
	}
	olds, err := rawUnmarshal(r.GetOlds())
	if err != nil {
		return nil, err
	}
	given := maps.Clone(news)
	var c checker
	if t.AutoName != nil {
		if err := t.autoName(news, olds, name, r); err != nil {
			c.addf(t.AutoName.Prop, "cannot be made up of the resource's: %s", err)
		}
	}
	c.fields("", t.Props, news)
	if t.tagged() {
		for _, key := range slices.Sorted(maps.Keys(nested(news["tags"]))) {
			c.problems = append(c.problems, tagKeyProblems("tags."+key, key)...)
		}
	}
	if t.Check != nil {
		c.problems = append(c.problems, t.Check(inputs(news))...)
	}
	var defaults []any
	for _, k := range slices.Sorted(maps.Keys(news)) {
		if _, ok := given[k]; !ok {
			defaults = append(defaults, k)
		}
	}
	news["__defaults"] = append([]any{}, defaults...)
	out, err := marshal(news)
	if err != nil {
		return nil, err
	}
	resp := &pulumirpc.CheckResponse{Inputs: out}
	for _, f := range c.problems {
		resp.Failures = append(resp.Failures, &pulumirpc.CheckFailure{Property: f.Path, Reason: f.Path + " " + f.Reason})
	}
	return resp, nil
}

// autoName gives the resource the name it had, or makes one up.
func (t *Type) autoName(news map[string]any, olds resource.PropertyMap, name string, r *pulumirpc.CheckRequest) error {
	prop := t.AutoName.Prop
	for _, name := range append(t.Props[prop].Without, prop) {
		if _, given := news[name]; given {
			return nil
		}
	}
	if v, ok := olds["__defaults"]; ok && v.IsArray() {
		for _, d := range v.ArrayValue() {
			if d.IsString() && d.StringValue() == prop && olds[resource.PropertyKey(prop)].IsString() {
				news[prop] = olds[resource.PropertyKey(prop)].StringValue()
				return nil
			}
		}
	}
	if a := r.GetAutonaming(); a != nil {
		switch a.GetMode() {
		case pulumirpc.CheckRequest_AutonamingOptions_DISABLE:
			return nil
		case pulumirpc.CheckRequest_AutonamingOptions_ENFORCE, pulumirpc.CheckRequest_AutonamingOptions_PROPOSE:
			news[prop] = a.GetProposedName()
			return nil
		}
	}
	n, err := resource.NewUniqueName(r.GetRandomSeed(), t.AutoName.Prefix+name+"-", 7, t.AutoName.Max, nil)
	if err != nil {
		return err
	}
	if t.AutoName.Lower {
		n = strings.ToLower(n)
	}
	news[prop] = n
	return nil
}

// Diff implements pulumirpc.ResourceProviderServer.
func (p *Provider) Diff(_ context.Context, r *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	t, _, err := p.lookUp(r.GetUrn())
	if err != nil {
		return nil, err
	}
	olds, err := unmarshal(r.GetOldInputs())
	if err != nil {
		return nil, err
	}
	news, err := unmarshal(r.GetNews())
	if err != nil {
		return nil, err
	}
	state, err := unmarshal(r.GetOlds())
	if err != nil {
		return nil, err
	}
	for name, p := range t.Props {
		if _, given := olds[name]; !given && p.Computed && state[name] != nil {
			olds[name] = state[name] // what AWS chose is what the program changes now
		}
	}
	resp := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true, DetailedDiff: map[string]*pulumirpc.PropertyDiff{}}
	for _, c := range changes("", t.Props, olds, news, false) {
		if ignored, err := ignores(r.GetIgnoreChanges(), c.path); err != nil {
			return nil, err
		} else if ignored {
			continue
		}
		resp.Changes = pulumirpc.DiffResponse_DIFF_SOME
		top, _, _ := strings.Cut(c.path, ".")
		top, _, _ = strings.Cut(top, "[")
		resp.Diffs = append(resp.Diffs, top)
		if c.replace {
			resp.Replaces = append(resp.Replaces, top)
			c.kind++ // each kind is followed by its replacing variant
		}
		resp.DetailedDiff[c.path] = &pulumirpc.PropertyDiff{Kind: c.kind, InputDiff: true}
	}
	if len(resp.Replaces) > 0 && t.AutoName != nil {
		resp.DeleteBeforeReplace = named(r.GetNews(), t.AutoName.Prop)
	}
	return resp, nil
}

// ignores tells whether a change is one that the program ignores. In an update the engine has put the old value back by then; in a refresh it
// leaves it to the provider.
func ignores(paths []string, changed string) (bool, error) {
	at, err := resource.ParsePropertyPath(changed)
	if err != nil {
		return false, err
	}
	for _, text := range paths {
		ignored, err := resource.ParsePropertyPath(text)
		if err != nil {
			return false, err
		}
		if ignored.Contains(at) {
			return true, nil
		}
	}
	return false, nil
}

// named tells whether the program chose the name: two of that name cannot exist at once.
func named(inputs *structpb.Struct, prop string) bool {
	if inputs.GetFields()[prop] == nil {
		return false
	}
	for _, d := range inputs.GetFields()["__defaults"].GetListValue().GetValues() {
		if d.GetStringValue() == prop {
			return false
		}
	}
	return true
}
