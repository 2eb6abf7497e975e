package review

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Outcome is what a run of `pulumi up` did, and how it left the stack.
type Outcome struct {
	// Update has the steps that the run began, and what was said.
	Update *Preview
	// Ended says that the run came to an end of its own and said how; not where it was killed.
	Ended bool
	// Changes are the steps that make, change or delete something of a provider, in the order in which they began.
	Changes []Change
	// Pending are operations of which the stack's state does not know how they ended: the half-done. PendingKnown says that the state was there to look.
	Pending      []Pending
	PendingKnown bool
	// Outputs are the stack's, secrets hidden.
	Outputs map[string]any
}

// Change is one step of a run.
type Change struct {
	Step
	// Done and Failed say how it ended; neither where the run ended first.
	Done, Failed bool
	// Why is what was said about a change that failed.
	Why []string
	// Gone says that the resource was deleted to be made anew, and is not there.
	Gone bool
}

// Pending is an operation in a stack's state without an end.
type Pending struct {
	// Operation is the engine's word: creating, updating, deleting, reading, importing.
	Operation string
	URN       URN
	// ID is the resource's, empty for one that was being created.
	ID string
}

// Succeeded says that everything was done.
func (o *Outcome) Succeeded() bool {
	return o.Ended && !o.Update.Failed && !slices.ContainsFunc(o.Changes, func(c Change) bool { return c.Failed })
}

// ReadOutcome takes the events of `pulumi up --event-log FILE`, and what `pulumi stack export` printed afterwards. Either may be empty, as
// where the run did not begin, or broken off. An error is one of reading.
func ReadOutcome(events, state io.Reader) (*Outcome, error) {
	all, err := io.ReadAll(events)
	if err != nil {
		return nil, fmt.Errorf("the events: %w", err)
	}
	o := &Outcome{}
	if o.Update, err = Read(bytes.NewReader(all)); err != nil {
		return nil, fmt.Errorf("the events: %w", err)
	}
	o.events(all)
	kept, err := io.ReadAll(state)
	if err != nil {
		return nil, fmt.Errorf("the state: %w", err)
	}
	o.state(kept)
	return o, nil
}

// updateEvent is what the stream says beyond a preview's.
type updateEvent struct {
	ResourcePreEvent, ResOutputsEvent, ResOpFailedEvent *struct {
		Metadata stepJSON `json:"metadata"`
	}
	SummaryEvent *struct {
		Result string `json:"result"`
	}
}

func (o *Outcome) events(all []byte) {
	for line := range bytes.SplitSeq(all, []byte("\n")) {
		var e updateEvent
		if len(line) == 0 || decode(line, &e) != nil {
			continue // Read has said what is wrong with it
		}
		switch {
		case e.ResourcePreEvent != nil:
			m := e.ResourcePreEvent.Metadata
			s := Step{Op: m.Op, URN: m.URN, Old: m.Old.state(), New: m.New.state()}
			if changesSomething(s) {
				o.Changes = append(o.Changes, Change{Step: s})
			}
		case e.ResOutputsEvent != nil:
			if c := o.change(e.ResOutputsEvent.Metadata); c != nil {
				c.Done = true
			}
		case e.ResOpFailedEvent != nil:
			if c := o.change(e.ResOpFailedEvent.Metadata); c != nil {
				c.Failed = true
			}
		case e.SummaryEvent != nil:
			o.Ended = true
		}
	}
	deleted := map[URN]bool{}
	for _, c := range o.Changes {
		deleted[c.URN] = deleted[c.URN] || c.Op == "delete-replaced" && c.Done
	}
	for i := range o.Changes {
		c := &o.Changes[i]
		c.Gone = deleted[c.URN] && c.Op == "create-replacement" && !c.Done
		for _, d := range o.Update.Diagnostics {
			if c.Failed && d.URN == c.URN && d.Severity == "error" {
				c.Why = append(c.Why, strings.TrimPrefix(d.Message, "error: "))
			}
		}
	}
}

// changesSomething leaves out components, which exist in the state only, and the engine's plan of a replacement, whose parts follow.
func changesSomething(s Step) bool {
	return s.custom() && !slices.Contains([]string{"same", "replace", "read", "refresh", "discard", "discard-replaced", "read-discard"}, s.Op)
}

func (o *Outcome) change(m stepJSON) *Change {
	i := slices.IndexFunc(o.Changes, func(c Change) bool { return c.URN == m.URN && c.Op == m.Op && !c.Done && !c.Failed })
	if i < 0 {
		return nil
	}
	return &o.Changes[i]
}

// state reads what `pulumi stack export` prints.
func (o *Outcome) state(kept []byte) {
	var export struct {
		Deployment *struct {
			Resources []struct {
				URN     URN            `json:"urn"`
				Outputs map[string]any `json:"outputs"`
			} `json:"resources"`
			Pending []struct {
				Type     string `json:"type"`
				Resource struct {
					URN URN    `json:"urn"`
					ID  string `json:"id"`
				} `json:"resource"`
			} `json:"pending_operations"`
		} `json:"deployment"`
	}
	if json.Unmarshal(kept, &export) != nil || export.Deployment == nil {
		return
	}
	o.PendingKnown = true
	for _, p := range export.Deployment.Pending {
		o.Pending = append(o.Pending, Pending{p.Type, p.Resource.URN, p.Resource.ID})
	}
	for _, r := range export.Deployment.Resources {
		if r.URN.Type() == stackType {
			o.Outputs = cleanMap(r.Outputs)
		}
	}
}
