package aws

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

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
	o := &Object{Type: t.Token, Inputs: in, URN: r.GetUrn()}
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
			return tx.note(t.Token, "create", o, nil)
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
		return tx.withFaults(t, "read", func() error { return tx.read(t, r, resp) })
	})
	if err != nil {
		return nil, t.wrap("reading", "Describe", err)
	}
	return resp, nil
}

// read is what is there now; of what is not there nothing, so that the engine takes it for gone.
func (tx *Tx) read(t *Type, r *pulumirpc.ReadRequest, into *pulumirpc.ReadResponse) (err error) {
	o := tx.find(t, r.GetId(), r.GetProperties())
	if o == nil && t.Import != nil {
		o = t.Import(tx, r.GetId())
	}
	if o == nil {
		return nil
	}
	if err := tx.note(t.Token, "read", o, nil); err != nil {
		return err
	}
	into.Id = o.ID
	if into.Properties, err = marshal(t.state(o)); err != nil {
		return err
	}
	in := maps.Clone(o.Inputs)
	if d := r.GetInputs().GetFields()["__defaults"]; d != nil {
		in["__defaults"] = d.GetListValue().AsSlice()
	}
	into.Inputs, err = marshal(in)
	return err
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
			return tx.note(t.Token, "update", o, &old)
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
		time.Sleep(100 * time.Millisecond) // what is in the way goes by another call, maybe of another process, which makes no event
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
			return tx.note(t.Token, "delete", o, nil)
		})
	})
}
