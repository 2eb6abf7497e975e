package aws

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws/accountfile"
)

// AccountID is the number of the account that the sandbox models.
const AccountID = "123456789012"

// Account is an AWS account kept in one file. Any number of processes may use it at once: each operation holds the
// file's lock, and what it changed is on disk before it returns.
type Account struct {
	dir string
	// Kubernetes tells where the control plane of an EKS cluster answers, and its certificate authority in PEM.
	Kubernetes func() (server, caPEM string, err error)
	// Changed is told after every change that is on disk, while the lock is still held.
	Changed func(*Tx) error
	// noted are the lines of the record of actions, which noting guards.
	noted  map[string]bool
	noting sync.Mutex
}

// Object is one thing in the account.
type Object struct {
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	Region  string         `json:"region,omitempty"`
	Inputs  map[string]any `json:"inputs"`
	Outputs map[string]any `json:"outputs,omitempty"`
	Created time.Time      `json:"created"`
	// URN is the resource of a stack for which the object was made.
	URN string `json:"urn,omitempty"`
	// Owner is the object that made this one by itself, as EKS makes the auto scaling group of a node group; such
	// objects go with their owner and are no resources of any stack. OwnerAccount owns what was there before any stack.
	Owner string `json:"owner,omitempty"`
}

// OwnerAccount is the owner of what the account holds before any stack, such as its domains.
const OwnerAccount = "account"

func (o *Object) clone() *Object {
	c := *o
	c.Inputs, c.Outputs = maps.Clone(o.Inputs), maps.Clone(o.Outputs)
	return &c
}

// Get is an attribute of the object: its id, an output or an input.
func (o *Object) Get(name string) any {
	if name == "id" {
		return o.ID
	}
	if v, ok := o.Outputs[name]; ok {
		return v
	}
	return o.Inputs[name]
}

// Str is Get for text; "" where there is none.
func (o *Object) Str(name string) string { s, _ := o.Get(name).(string); return s }

// Num is Get for a number; 0 where there is none.
func (o *Object) Num(name string) int { f, _ := o.Get(name).(float64); return int(f) }

// Bool is Get for a truth value; false where there is none.
func (o *Object) Bool(name string) bool { b, _ := o.Get(name).(bool); return b }

// List is Get for a list of texts; other elements are left out.
func (o *Object) List(name string) []string { return Strings(o.Get(name)) }

// Set stores an output.
func (o *Object) Set(name string, v any) {
	if o.Outputs == nil {
		o.Outputs = map[string]any{}
	}
	o.Outputs[name] = v
}

// Strings is the texts of a list as JSON holds it.
func Strings(v any) []string {
	var out []string
	l, _ := v.([]any)
	for _, e := range l {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Tx is the account during one operation.
type Tx struct {
	*Account `json:"-"`
	// Region in which the operation runs.
	Region  string `json:"-"`
	Version int    `json:"version"`
	Number  string `json:"account"`
	// Clock is where `sandbox clock` has put the account's time; nil is the machine's time.
	Clock   *time.Time `json:"clock,omitempty"`
	Objects []*Object  `json:"objects"`

	changed     bool
	defaultTags map[string]any
	// timeout is how long the program lets a create take; 0 where it leaves that to the provider.
	timeout time.Duration
	// was is what the stack knew of the inputs before an update. The account's own may differ: somebody else may have
	// changed it.
	was map[string]any
}

// OpenAccount is the account whose file lies in dir; the file appears with the first thing created.
func OpenAccount(dir string) (*Account, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the account's folder: %w", err)
	}
	return &Account{dir: dir}, nil
}

// File is where the account is kept.
func (a *Account) File() string { return accountfile.Path(a.dir) }

// Do runs f alone on the account, and saves what f changed if f returns no error.
func (a *Account) Do(region string, f func(*Tx) error) error {
	unlock, err := accountfile.Lock(a.dir)
	if err != nil {
		return err
	}
	defer unlock()
	tx, err := a.load()
	if err != nil {
		return err
	}
	tx.Region = region
	if err := f(tx); err != nil {
		return err
	}
	if !tx.changed {
		return nil
	}
	if err := a.save(tx); err != nil {
		return err
	}
	if a.Changed != nil {
		return a.Changed(tx)
	}
	return nil
}

func (a *Account) load() (*Tx, error) {
	tx := &Tx{Account: a, Version: accountfile.FormatVersion, Number: AccountID}
	b, err := os.ReadFile(a.File())
	if errors.Is(err, fs.ErrNotExist) {
		for _, o := range given {
			tx.Objects = append(tx.Objects, o.clone())
		}
		return tx, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the account's file: %w", err)
	}
	if err := json.Unmarshal(b, tx); err != nil {
		return nil, fmt.Errorf("the account's file %s cannot be read (%d bytes, %w): it was cut short or edited; nothing was changed. "+
			"Put the state before the last change back with `cp %s %s`, or begin with an empty account with `sandbox reset`",
			a.File(), len(b), err, accountfile.Previous(a.dir), a.File())
	}
	if tx.Version != accountfile.FormatVersion {
		return nil, fmt.Errorf("the account's file %s has format %d and this sandbox reads %d: use the sandbox that wrote it, or begin anew with `sandbox reset`", a.File(), tx.Version, accountfile.FormatVersion)
	}
	return tx, nil
}

func (a *Account) save(tx *Tx) error {
	b, err := json.MarshalIndent(tx, "", " ")
	if err != nil {
		return err
	}
	return accountfile.Replace(a.dir, append(b, '\n'))
}

// Find is the object of that type whose attribute by has that value, in the operation's region; nil where there is none.
func (tx *Tx) Find(token, by, value string) *Object {
	for _, o := range tx.Objects {
		if o.Type == token && (o.Region == "" || o.Region == tx.Region) && o.Str(by) == value {
			return o
		}
	}
	return nil
}

// All is the objects of that type in the operation's region, oldest first.
func (tx *Tx) All(token string) []*Object {
	var out []*Object
	for _, o := range tx.Objects {
		if o.Type == token && (o.Region == "" || o.Region == tx.Region) {
			out = append(out, o)
		}
	}
	return out
}

// Add puts an object into the account.
func (tx *Tx) Add(o *Object) {
	o.Created = time.Now().UTC()
	tx.Objects = append(tx.Objects, o)
	tx.changed = true
}

// Remove takes an object, and what it made by itself, out of the account.
func (tx *Tx) Remove(o *Object) {
	owned := func(e *Object) bool { return e == o || (e.Owner != "" && e.Owner == o.Key()) }
	tx.Objects = slices.DeleteFunc(tx.Objects, owned)
	tx.changed = true
}

// Key names the object within the account.
func (o *Object) Key() string { return o.Type + " " + o.ID }

// Touch says that an object of the account was changed in place, so that it is saved.
func (tx *Tx) Touch() { tx.changed = true }

// NewID is a fresh id as EC2 writes them: prefix, "-0" and 16 hexadecimal digits.
func (tx *Tx) NewID(prefix string) string { return prefix + "-0" + Hex(16) }

// Hex is n random hexadecimal digits.
func Hex(n int) string {
	b := make([]byte, (n+1)/2)
	_, _ = rand.Read(b) // never fails: crypto/rand aborts the program instead
	return hex.EncodeToString(b)[:n]
}

// ARN is arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE in the operation's region.
func (tx *Tx) ARN(service, resource string) string {
	return "arn:aws:" + service + ":" + tx.Region + ":" + AccountID + ":" + resource
}

// GlobalARN is ARN for services without regions, such as IAM.
func (tx *Tx) GlobalARN(service, resource string) string {
	return "arn:aws:" + service + "::" + AccountID + ":" + resource
}
