package aws

import "regexp"

// Type is one resource type: what it accepts, what it computes, and what AWS refuses.
type Type struct {
	// Token is the Pulumi type, for example "aws:ec2/vpc:Vpc".
	Token string
	// Label and Service name it in errors, as the AWS provider does: "EC2 VPC", "EC2".
	Label, Service string
	// Ops are the API operations that errors name.
	Ops Ops
	// Global types have no region (IAM, Route 53).
	Global bool
	// Within are attributes that together with the id tell objects apart, where AWS uses an id more than once.
	Within []string
	// AutoName is how a name is made up where the program gives none; nil where the type has none.
	AutoName *AutoName
	// Props are the inputs. An input that is not here is an error.
	Props map[string]Prop
	// Outputs are the attributes that AWS computes, beyond inputs that are Computed.
	Outputs []string
	// Recomputed are outputs that an update of anything but tags changes: its preview does not know them.
	Recomputed []string
	// Check finds what is wrong with known inputs across properties, without the account.
	Check func(in Inputs) []Problem
	// Validate finds what AWS refuses on create and on update, before anything changes: limits, uniqueness, states.
	// o holds the new inputs; old is nil on create.
	Validate func(tx *Tx, o, old *Object) error
	// Create sets o.ID and o.Outputs. It may Add further objects with o as Owner.
	Create func(tx *Tx, o *Object) error
	// Update adapts o.Outputs after o.Inputs changed; nil where nothing computed depends on inputs.
	Update func(tx *Tx, o, old *Object) error
	// Waits: the AWS provider repeats, for minutes, a delete that is refused because another object is still there.
	Waits bool
	// Held words the refusal to delete while another object holds this one: code and message, with the id as %s.
	Held Held
	// Delete finds what AWS refuses on delete beyond Held, and cleans up.
	Delete func(tx *Tx, o *Object) error
	// Import accepts ids that `pulumi import` users write where they differ from ID; nil: the same.
	Import func(tx *Tx, id string) *Object
}

// Ops are names of API operations, as "CreateVpc".
type Ops struct{ Create, Update, Delete string }

// Held is how AWS refuses to delete what is in use.
type Held struct{ Code, Message string }

// AutoName is how a physical name is made up: the logical name, "-", and seven random characters.
type AutoName struct {
	// Prop that holds the name, usually "name".
	Prop string
	// Max is the longest name that AWS takes.
	Max int
	// Lower: AWS takes lower case only.
	Lower bool
	// Prefix that AWS demands, such as "alias/".
	Prefix string
}

// Kind is the shape of a property's value.
type Kind string

// The kinds of values. JSON is a text that holds JSON, compared by meaning. Set is a List in which order means nothing.
const (
	String Kind = "string"
	Number Kind = "number"
	Bool   Kind = "boolean"
	List   Kind = "list"
	Set    Kind = "set"
	Map    Kind = "map"
	Nested Kind = "object"
	JSON   Kind = "json"
	Any    Kind = "any"
)

// Prop is what one input accepts.
type Prop struct {
	Kind     Kind
	Required bool
	// Replace: a change makes a new resource.
	Replace bool
	// ReplaceIfRemoved: taking the value away makes a new resource, other changes do not.
	ReplaceIfRemoved bool
	// Computed: AWS fills it in where the program gives none.
	Computed bool
	// Default stands in where the program gives none.
	Default any
	// OneOf are the allowed texts.
	OneOf []string
	// Match is what a text must look like; Says tells it in words.
	Match *regexp.Regexp
	Says  string
	// Min and Max bound a number, or the length of a text, list or map; both 0: no bound.
	Min, Max float64
	// Elem is what each element of a List, Set or Map accepts.
	Elem *Prop
	// Fields are what a Nested value accepts.
	Fields map[string]Prop
	// Ref: the value names something that must exist.
	Ref *Ref
	// Secret: the value never shows in a plan or error.
	Secret bool
	// With are other properties of which at least one must be given together with this one; Without, none.
	With, Without []string
}

// Ref is a reference to another object of the account.
type Ref struct {
	// Types that it may name.
	Types []string
	// By is the attribute that the value is: "id" (the default), "arn", "name".
	By string
	// Code and Message of AWS where it does not exist, with the value as %s.
	Code, Message string
	// Holds: what is named cannot be deleted before this object.
	Holds bool
	// Outside accepts values that are not the account's own, such as the ARN of a policy that AWS manages.
	Outside func(value string) bool
}

// Inputs are checked inputs; what is not known yet in a preview is absent and Unknown.
type Inputs struct {
	Values  map[string]any
	unknown map[string]bool
}

// Has tells whether the property is given, known or not.
func (in Inputs) Has(name string) bool { _, ok := in.Values[name]; return ok || in.unknown[name] }

// Known tells whether the property's whole value is known, or absent.
func (in Inputs) Known(name string) bool { return !in.unknown[name] }

// Object makes the accessors of Object available for inputs.
func (in Inputs) Object() *Object { return &Object{Inputs: in.Values} }

// Problem is one thing wrong with the inputs.
type Problem struct{ Path, Reason string }

// Function is one invoke.
type Function struct {
	Token string
	Props map[string]Prop
	// Call answers; the account must not be changed.
	Call func(tx *Tx, in Inputs) (map[string]any, error)
}

var (
	types     = map[string]*Type{}
	functions = map[string]*Function{}
	// given is what the account holds before any stack; each service's file adds to it from init.
	given []*Object
)

// register makes types known; each service's file calls it from init.
func register(ts ...*Type) {
	for _, t := range ts {
		if types[t.Token] != nil {
			panic("registered twice: " + t.Token)
		}
		types[t.Token] = t
	}
}

func registerFunctions(fs ...*Function) {
	for _, f := range fs {
		if functions[f.Token] != nil {
			panic("registered twice: " + f.Token)
		}
		functions[f.Token] = f
	}
}
