package aws

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// harness drives the provider as the engine does.
type harness struct {
	t *testing.T
	p *Provider
}

// made is a resource in the harness's account.
type made struct {
	Token, Name, ID string
	in              *structpb.Struct
	Out             map[string]any
}

type object = map[string]any

// list is a list as properties hold it.
func list(v ...any) []any { return v }

func newHarness(t *testing.T) *harness {
	t.Helper()
	a, err := OpenAccount(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a.Kubernetes = func() (string, string, error) { return "https://127.0.0.1:6443", "-----BEGIN CERTIFICATE-----", nil }
	h := &harness{t: t, p: New(a)}
	h.p.patience = 0
	args, err := structpb.NewStruct(object{"region": "us-west-2"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.p.Configure(context.Background(), &pulumirpc.ConfigureRequest{Args: args}); err != nil {
		t.Fatal(err)
	}
	return h
}

func urnOf(token, name string) string { return "urn:pulumi:stack::proj::" + token + "::" + name }

// check is the checked inputs, or what is wrong with them.
func (h *harness) check(token, name string, olds *structpb.Struct, in object) (*structpb.Struct, string) {
	h.t.Helper()
	news, err := marshal(in)
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := h.p.Check(context.Background(), &pulumirpc.CheckRequest{Urn: urnOf(token, name), Olds: olds, News: news, RandomSeed: []byte(name)})
	if err != nil {
		return nil, err.Error()
	}
	var wrong []string
	for _, f := range r.GetFailures() {
		wrong = append(wrong, f.GetReason())
	}
	return r.GetInputs(), strings.Join(wrong, "\n")
}

// create makes a resource; the test fails if it is refused.
func (h *harness) create(token, name string, in object) *made {
	h.t.Helper()
	m, refused := h.try(token, name, in)
	if refused != "" {
		h.t.Fatalf("%s %s: refused: %s", token, name, refused)
	}
	return m
}

// refused is why a resource is not made; the test fails if it is.
func (h *harness) refused(token, name string, in object) string {
	h.t.Helper()
	_, refused := h.try(token, name, in)
	if refused == "" {
		h.t.Fatalf("%s %s: accepted, must be refused", token, name)
	}
	return refused
}

func (h *harness) try(token, name string, in object) (*made, string) {
	h.t.Helper()
	checked, wrong := h.check(token, name, nil, in)
	if wrong != "" {
		return nil, wrong
	}
	r, err := h.p.Create(context.Background(), &pulumirpc.CreateRequest{Urn: urnOf(token, name), Properties: checked})
	if err != nil {
		return nil, err.Error()
	}
	out, err := unmarshal(r.GetProperties())
	if err != nil {
		h.t.Fatal(err)
	}
	return &made{Token: token, Name: name, ID: r.GetId(), in: checked, Out: out}, ""
}

// diff is the properties that differ, and of these those that force a replacement.
func (h *harness) diff(m *made, in object) (diffs, replaces []string) {
	h.t.Helper()
	checked, wrong := h.check(m.Token, m.Name, m.in, in)
	if wrong != "" {
		h.t.Fatalf("%s %s: %s", m.Token, m.Name, wrong)
	}
	r, err := h.p.Diff(context.Background(), &pulumirpc.DiffRequest{Urn: urnOf(m.Token, m.Name), Id: m.ID, Olds: mustMarshal(h.t, m.Out), OldInputs: m.in, News: checked})
	if err != nil {
		h.t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(r.GetDetailedDiff())), r.GetReplaces()
}

// update changes a resource's inputs; it returns why that is refused.
func (h *harness) update(m *made, in object) string {
	h.t.Helper()
	checked, wrong := h.check(m.Token, m.Name, m.in, in)
	if wrong != "" {
		return wrong
	}
	olds, err := marshal(m.Out)
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := h.p.Update(context.Background(), &pulumirpc.UpdateRequest{Urn: urnOf(m.Token, m.Name), Id: m.ID, Olds: olds, OldInputs: m.in, News: checked})
	if err != nil {
		return err.Error()
	}
	m.in = checked
	if m.Out, err = unmarshal(r.GetProperties()); err != nil {
		h.t.Fatal(err)
	}
	return ""
}

// delete removes a resource; it returns why that is refused.
func (h *harness) delete(m *made) string {
	h.t.Helper()
	state, err := marshal(m.Out)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.p.Delete(context.Background(), &pulumirpc.DeleteRequest{Urn: urnOf(m.Token, m.Name), Id: m.ID, Properties: state, OldInputs: m.in}); err != nil {
		return err.Error()
	}
	return ""
}

// invoke calls a function; it returns its result, or why it is refused.
func (h *harness) invoke(token string, args object) (object, string) {
	h.t.Helper()
	in, err := marshal(args)
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := h.p.Invoke(context.Background(), &pulumirpc.InvokeRequest{Tok: token, Args: in})
	if err != nil {
		return nil, err.Error()
	}
	if f := r.GetFailures(); len(f) > 0 {
		return nil, f[0].GetReason()
	}
	out, err := unmarshal(r.GetReturn())
	if err != nil {
		h.t.Fatal(err)
	}
	return out, ""
}

func mustMarshal(t *testing.T, m object) *structpb.Struct {
	t.Helper()
	s, err := marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustUnmarshal(t *testing.T, s *structpb.Struct) object {
	t.Helper()
	m, err := unmarshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
