package aws

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// Version is the version of the aws provider that this one stands in for.
const Version = "6.83.2"

// Provider answers the Pulumi engine for package aws from an account in a file.
type Provider struct {
	pulumirpc.UnimplementedResourceProviderServer
	account *Account
	region  string
	tags    map[string]any
	// patience is how long a delete is repeated that the AWS provider would repeat; here what it waits for takes seconds.
	patience time.Duration
	// failure is why the provider cannot work as it is configured; it is said by whatever is asked first.
	failure error
}

// New is a provider on that account.
func New(a *Account) *Provider { return &Provider{account: a, patience: 20 * time.Second} }

// Handshake implements pulumirpc.ResourceProviderServer.
func (p *Provider) Handshake(context.Context, *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{SupportsAutonamingConfiguration: true}, nil
}

// GetPluginInfo implements pulumirpc.ResourceProviderServer.
func (p *Provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

// GetSchema implements pulumirpc.ResourceProviderServer.
func (p *Provider) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: `{"name":"aws","version":"` + Version + `"}`}, nil
}

// CheckConfig implements pulumirpc.ResourceProviderServer.
func (p *Provider) CheckConfig(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: r.GetNews()}, nil
}

// DiffConfig implements pulumirpc.ResourceProviderServer. Another region is another set of resources.
func (p *Provider) DiffConfig(_ context.Context, r *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, news := r.GetOldInputs().GetFields(), r.GetNews().GetFields()
	if olds["region"].GetStringValue() != news["region"].GetStringValue() {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_SOME, Replaces: []string{"region"}, Diffs: []string{"region"}}, nil
	}
	return &pulumirpc.DiffResponse{}, nil
}

// Configure implements pulumirpc.ResourceProviderServer.
func (p *Provider) Configure(_ context.Context, r *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	args, err := unmarshal(r.GetArgs())
	if err != nil {
		return nil, err
	}
	p.region, _ = args["region"].(string)
	if len(zonesOf(p.region)) == 0 {
		p.failure = fmt.Errorf("invalid AWS Region: %q. Set it with `pulumi config set aws:region us-west-2`", p.region)
	}
	if t, ok := nested(args["defaultTags"])["tags"]; ok {
		p.tags = nested(t)
	}
	if ids := Strings(fromJSON(args["allowedAccountIds"])); len(ids) > 0 && !slices.Contains(ids, AccountID) {
		p.failure = fmt.Errorf("AWS account ID not allowed: %s (aws:allowedAccountIds is %s)", AccountID, strings.Join(ids, ", "))
	}
	return &pulumirpc.ConfigureResponse{SupportsPreview: true, SupportsAutonamingConfiguration: true}, nil
}

// Cancel implements pulumirpc.ResourceProviderServer: every operation is short, there is nothing to cut off.
func (p *Provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// lookUp is the resource type that a URN names.
func (p *Provider) lookUp(u string) (*Type, string, error) {
	if p.failure != nil {
		return nil, "", status.Error(codes.FailedPrecondition, p.failure.Error())
	}
	parsed, err := urn.Parse(u)
	if err != nil {
		return nil, "", err
	}
	t := types[string(parsed.Type())]
	if t == nil {
		return nil, "", status.Errorf(codes.Unimplemented, "the sandbox's AWS account does not know the resource type %s; it knows %d types (`sandbox types` lists them)",
			parsed.Type(), len(types))
	}
	return t, parsed.Name(), nil
}

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

// Create implements pulumirpc.ResourceProviderServer.
func (p *Provider) Create(_ context.Context, r *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	t, _, err := p.lookUp(r.GetUrn())
	if err != nil {
		return nil, err
	}
	in, err := unmarshal(r.GetProperties())
	if err != nil {
		return nil, err
	}
	if r.GetPreview() {
		out, err := marshal(t.expected(p.withTags(t, in), nil))
		return &pulumirpc.CreateResponse{Properties: out}, err
	}
	o := &Object{Type: t.Token, Inputs: in}
	err = p.account.Do(p.region, func(tx *Tx) error {
		tx.timeout = time.Duration(r.GetTimeout() * float64(time.Second))
		return tx.withFaults(t, "create", func() error {
			if !t.Global {
				o.Region = p.region
			}
			if err := tx.references(t.Props, in); err != nil {
				return err
			}
			if t.Validate != nil {
				if err := t.Validate(tx, o, nil); err != nil {
					return err
				}
			}
			p.setTags(t, o)
			if err := t.Create(tx, o); err != nil {
				return err
			}
			if o.ID == "" {
				return fmt.Errorf("%s: the sandbox made no id", t.Token)
			}
			tx.Add(o)
			return nil
		})
	})
	if err != nil {
		return nil, t.wrap("creating", t.Ops.Create, err)
	}
	out, err := marshal(t.state(o))
	return &pulumirpc.CreateResponse{Id: o.ID, Properties: out}, err
}

// Read implements pulumirpc.ResourceProviderServer.
func (p *Provider) Read(_ context.Context, r *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	t, _, err := p.lookUp(r.GetUrn())
	if err != nil {
		return nil, err
	}
	resp := &pulumirpc.ReadResponse{}
	err = p.account.Do(p.region, func(tx *Tx) error {
		o := tx.find(t, r.GetId(), r.GetProperties())
		if o == nil && t.Import != nil {
			o = t.Import(tx, r.GetId())
		}
		if o == nil {
			return nil
		}
		resp.Id = o.ID
		if resp.Properties, err = marshal(t.state(o)); err != nil {
			return err
		}
		in := maps.Clone(o.Inputs)
		if d := r.GetInputs().GetFields()["__defaults"]; d != nil {
			in["__defaults"] = d.GetListValue().AsSlice()
		}
		resp.Inputs, err = marshal(in)
		return err
	})
	return resp, err
}

// Update implements pulumirpc.ResourceProviderServer.
func (p *Provider) Update(_ context.Context, r *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	t, _, err := p.lookUp(r.GetUrn())
	if err != nil {
		return nil, err
	}
	news, err := unmarshal(r.GetNews())
	if err != nil {
		return nil, err
	}
	if r.GetPreview() {
		olds, err := unmarshal(r.GetOlds())
		if err != nil {
			return nil, err
		}
		expected := t.expected(p.withTags(t, news), olds)
		if was, err := unmarshal(r.GetOldInputs()); err == nil && t.recomputes(was, news) {
			for _, name := range t.Recomputed {
				expected[name] = unknown{}
			}
		}
		out, err := marshal(expected)
		return &pulumirpc.UpdateResponse{Properties: out}, err
	}
	was, err := unmarshal(r.GetOldInputs())
	if err != nil {
		return nil, err
	}
	var state map[string]any
	err = p.account.Do(p.region, func(tx *Tx) error {
		return tx.withFaults(t, "update", func() error {
			o := tx.find(t, r.GetId(), r.GetOlds())
			if o == nil {
				return Errorf("NotFoundException", "%s %s is gone from the account; `pulumi refresh` lets the state know", t.Label, r.GetId())
			}
			old := *o
			old.Outputs = maps.Clone(o.Outputs)
			next := *o
			next.Outputs = maps.Clone(o.Outputs)
			next.Inputs = news
			for name, prop := range t.Props {
				if _, ok := news[name]; ok {
					delete(next.Outputs, name) // what the program says now takes the place of what AWS chose
				} else if prop.Computed && old.Inputs[name] != nil {
					next.Inputs[name] = old.Inputs[name] // what the program leaves to AWS stays as it is
				}
			}
			tx.was = was
			if err := tx.references(t.Props, news); err != nil {
				return err
			}
			if t.Validate != nil {
				if err := t.Validate(tx, &next, &old); err != nil {
					return err
				}
			}
			p.setTags(t, &next)
			if t.Update != nil {
				if err := t.Update(tx, &next, &old); err != nil {
					return err
				}
			}
			*o = next
			tx.Touch()
			state = t.state(o)
			return nil
		})
	})
	if err != nil {
		return nil, t.wrap("updating", t.Ops.Update, err)
	}
	out, err := marshal(state)
	return &pulumirpc.UpdateResponse{Properties: out}, err
}

// recomputes tells whether an update changes more than tags.
func (t *Type) recomputes(was, now map[string]any) bool {
	return slices.ContainsFunc(changes("", t.Props, was, now, false), func(c change) bool { return c.path != "tags" && !strings.HasPrefix(c.path, "tags.") })
}

// Delete implements pulumirpc.ResourceProviderServer. What is gone already is deleted.
func (p *Provider) Delete(ctx context.Context, r *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	t, _, err := p.lookUp(r.GetUrn())
	if err != nil {
		return nil, err
	}
	err = p.delete(t, r)
	for deadline := time.Now().Add(p.patience); t.inUse(err) && time.Now().Before(deadline) && ctx.Err() == nil; err = p.delete(t, r) {
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		return nil, t.wrap("deleting", t.Ops.Delete, err)
	}
	return &emptypb.Empty{}, nil
}

// inUse tells whether a delete was refused for a reason that the AWS provider waits out.
func (t *Type) inUse(err error) bool {
	var e *Error
	return t.Waits && errors.As(err, &e) && (e.Code == t.Held.Code || e.Code == "DependencyViolation")
}

func (p *Provider) delete(t *Type, r *pulumirpc.DeleteRequest) error {
	return p.account.Do(p.region, func(tx *Tx) error {
		return tx.withFaults(t, "delete", func() error {
			o := tx.find(t, r.GetId(), r.GetProperties())
			if o == nil {
				return nil
			}
			if h := tx.holder(o); h != nil {
				e := Errorf(t.Held.Code, t.Held.Message, o.ID)
				e.Message += fmt.Sprintf(" (in use by %s %s)", h.Type, h.ID)
				return e
			}
			if t.Delete != nil {
				if err := t.Delete(tx, o); err != nil {
					return err
				}
			}
			tx.Remove(o)
			return nil
		})
	})
}

// Invoke implements pulumirpc.ResourceProviderServer.
func (p *Provider) Invoke(_ context.Context, r *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	if p.failure != nil {
		return nil, status.Error(codes.FailedPrecondition, p.failure.Error())
	}
	f := functions[r.GetTok()]
	if f == nil {
		return nil, status.Errorf(codes.Unimplemented, "the sandbox's AWS account does not know the function %s; it knows %s", r.GetTok(),
			strings.Join(slices.Sorted(maps.Keys(functions)), ", "))
	}
	args, err := unmarshal(r.GetArgs())
	if err != nil {
		return nil, err
	}
	var c checker
	c.fields("", f.Props, args)
	if len(c.problems) > 0 {
		resp := &pulumirpc.InvokeResponse{}
		for _, f := range c.problems {
			resp.Failures = append(resp.Failures, &pulumirpc.CheckFailure{Property: f.Path, Reason: f.Path + " " + f.Reason})
		}
		return resp, nil
	}
	var out map[string]any
	err = p.account.Do(p.region, func(tx *Tx) error {
		tx.defaultTags = p.tags
		var err error
		out, err = f.Call(tx, inputs(args))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("invoking %s: %w", r.GetTok(), err)
	}
	ret, err := marshal(out)
	return &pulumirpc.InvokeResponse{Return: ret}, err
}

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
