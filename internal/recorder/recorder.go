// Package recorder runs a Pulumi program against a recording of the engine, for the components' tests: what would be
// registered, with which parent, provider, options and inputs, and how it behaves while outputs are still unknown.
package recorder

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Recorder is an engine that registers nothing and remembers everything.
type Recorder struct {
	// Outputs gives the outputs of a resource beyond its inputs, by type token; none by default.
	Outputs map[string]func(pulumi.MockResourceArgs) resource.PropertyMap
	// Calls answers invokes, by function token; a function not named here is an error.
	Calls map[string]func(resource.PropertyMap) resource.PropertyMap
	// Refuse is why a function that Calls names gives no answer; nil where it gives one.
	Refuse func(token string, args resource.PropertyMap) error
	// Preview leaves ids and Outputs unknown, as the engine does before anything exists.
	Preview bool

	mu   sync.Mutex
	seen []pulumi.MockResourceArgs
}

// Run runs program as the engine would, and returns its error.
func (r *Recorder) Run(program pulumi.RunFunc) error {
	return pulumi.RunErr(program, pulumi.WithMocks("proj", "stack", r), func(i *pulumi.RunInfo) { i.DryRun = r.Preview })
}

// NewResource implements pulumi.MockResourceMonitor.
func (r *Recorder) NewResource(a pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	r.seen = append(r.seen, a)
	r.mu.Unlock()
	out := a.Inputs.Copy()
	if f := r.Outputs[a.TypeToken]; f != nil {
		for k, v := range f(a) {
			if r.Preview {
				v = resource.MakeComputed(resource.NewStringProperty(""))
			}
			out[k] = v
		}
	}
	if r.Preview && a.Custom {
		return "", out, nil
	}
	return a.Name + "_id", out, nil
}

// Call implements pulumi.MockResourceMonitor.
func (r *Recorder) Call(a pulumi.MockCallArgs) (resource.PropertyMap, error) {
	if f := r.Calls[a.Token]; f != nil {
		if r.Refuse != nil {
			if err := r.Refuse(a.Token, a.Args); err != nil {
				return nil, err
			}
		}
		return f(a.Args), nil
	}
	return nil, fmt.Errorf("the test answers no call of %s", a.Token)
}

// Seen is what was registered, sorted by type and name.
func (r *Recorder) Seen() []pulumi.MockResourceArgs {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.seen)
	slices.SortFunc(out, func(a, b pulumi.MockResourceArgs) int {
		return strings.Compare(a.TypeToken+" "+a.Name, b.TypeToken+" "+b.Name)
	})
	return out
}

// Find is the one resource of that type token and name; the test fails where there is none.
func (r *Recorder) Find(t testing.TB, token, name string) pulumi.MockResourceArgs {
	t.Helper()
	for _, a := range r.Seen() {
		if a.TypeToken == token && a.Name == name {
			return a
		}
	}
	t.Fatalf("no %s %q was registered; there are:\n%s", token, name, r.Tree())
	panic("unreachable")
}

// Tree draws what was registered under what: a line a resource, "TYPE NAME", children indented below their parent.
func (r *Recorder) Tree() string {
	children := map[string][]pulumi.MockResourceArgs{}
	for _, a := range r.Seen() {
		parent := nameOf(a.RegisterRPC.GetParent())
		children[parent] = append(children[parent], a)
	}
	var b strings.Builder
	var draw func(parent, indent string)
	draw = func(parent, indent string) {
		for _, a := range children[parent] {
			fmt.Fprintf(&b, "%s%s %s\n", indent, a.TypeToken, a.Name)
			if a.TypeToken+" "+a.Name != parent {
				draw(a.TypeToken+" "+a.Name, indent+"  ")
			}
		}
	}
	draw("", "")
	for parent := range children {
		if strings.HasPrefix(parent, "pulumi:pulumi:Stack ") {
			draw(parent, "")
		}
	}
	return b.String()
}

// Golden compares all that was registered with testdata/NAME.golden.json; UPDATE=1 writes it anew.
func (r *Recorder) Golden(t testing.TB, name string) {
	t.Helper()
	type entry struct {
		Type, Name, Parent    string
		Provider              string         `json:",omitempty"`
		Protect               bool           `json:",omitempty"`
		IgnoreChanges         []string       `json:",omitempty"`
		ReplaceOnChanges      []string       `json:",omitempty"`
		DeleteBeforeReplace   bool           `json:",omitempty"`
		DeletedWith           string         `json:",omitempty"`
		DependsOn             []string       `json:",omitempty"`
		AdditionalSecretNames []string       `json:",omitempty"`
		CustomTimeouts        map[string]any `json:",omitempty"`
		Inputs                map[string]any
	}
	var all []entry
	for _, a := range r.Seen() {
		rpc := a.RegisterRPC
		e := entry{
			Type: a.TypeToken, Name: a.Name, Parent: nameOf(rpc.GetParent()), Provider: providerName(rpc.GetProvider()), Protect: rpc.GetProtect(),
			IgnoreChanges: rpc.GetIgnoreChanges(), ReplaceOnChanges: rpc.GetReplaceOnChanges(), DeleteBeforeReplace: rpc.GetDeleteBeforeReplace(),
			AdditionalSecretNames: rpc.GetAdditionalSecretOutputs(), Inputs: Plain(resource.NewObjectProperty(a.Inputs)).(map[string]any),
		}
		if c := rpc.GetCustomTimeouts(); c != nil {
			e.CustomTimeouts = map[string]any{"create": c.Create, "update": c.Update, "delete": c.Delete}
		}
		if with := rpc.GetDeletedWith(); with != "" {
			e.DeletedWith = nameOf(with)
		}
		for _, d := range rpc.GetDependencies() {
			e.DependsOn = append(e.DependsOn, nameOf(d))
		}
		slices.Sort(e.DependsOn)
		all = append(all, e)
	}
	got, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	file := filepath.Join("testdata", name+".golden.json")
	if os.Getenv("UPDATE") == "1" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with UPDATE=1 go test", err)
	}
	if string(want) != string(got) {
		t.Errorf("what is registered differs from %s (UPDATE=1 go test writes it anew; review the diff):\n%s", file, lineDiff(string(want), string(got)))
	}
}

// Plain turns a property into what JSON can hold; a secret becomes {"secret": …}, an unknown "<unknown>".
func Plain(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return map[string]any{"secret": Plain(v.SecretValue().Element)}
	case v.IsOutput():
		if !v.OutputValue().Known {
			return "<unknown>"
		}
		e := Plain(v.OutputValue().Element)
		if v.OutputValue().Secret {
			return map[string]any{"secret": e}
		}
		return e
	case v.IsComputed():
		return "<unknown>"
	case v.IsObject():
		m := map[string]any{}
		for _, k := range slices.Sorted(maps.Keys(v.ObjectValue())) {
			m[string(k)] = Plain(v.ObjectValue()[k])
		}
		return m
	case v.IsArray():
		l := []any{}
		for _, e := range v.ArrayValue() {
			l = append(l, Plain(e))
		}
		return l
	case v.IsResourceReference():
		return nameOf(string(v.ResourceReferenceValue().URN))
	case v.IsAsset() || v.IsArchive():
		return "<asset>"
	}
	return v.V
}

func nameOf(u string) string {
	if u == "" {
		return ""
	}
	p, err := urn.Parse(u)
	if err != nil {
		return u
	}
	return string(p.Type()) + " " + p.Name()
}

// providerName is the URN part of "URN::ID".
func providerName(ref string) string {
	if i := strings.LastIndex(ref, "::"); i > 0 {
		return nameOf(ref[:i])
	}
	return ref
}

func lineDiff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	i, j := 0, 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	for j < len(w)-i && j < len(g)-i && w[len(w)-1-j] == g[len(g)-1-j] {
		j++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "from line %d:\n", i+1)
	for _, l := range w[i : len(w)-j] {
		fmt.Fprintf(&b, "- %s\n", l)
	}
	for _, l := range g[i : len(g)-j] {
		fmt.Fprintf(&b, "+ %s\n", l)
	}
	return b.String()
}
