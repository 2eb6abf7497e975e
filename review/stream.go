package review

import (
	"encoding/json"
	"regexp"
)

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// eventJSON is one line of the stream: sdk/go/common/apitype.EngineEvent.
type eventJSON struct {
	PreludeEvent *struct {
		Config map[string]string `json:"config"`
	} `json:"preludeEvent"`
	DiagnosticEvent  *diagnosticJSON `json:"diagnosticEvent"`
	ResourcePreEvent *struct {
		Metadata stepJSON `json:"metadata"`
	} `json:"resourcePreEvent"`
	ResOutputsEvent *struct {
		Metadata stepJSON `json:"metadata"`
	} `json:"resOutputsEvent"`
	SummaryEvent *struct {
		ResourceChanges map[string]int `json:"resourceChanges"`
		Result          string         `json:"result"`
	} `json:"summaryEvent"`
	PolicyEvent *struct {
		ResourceURN      URN    `json:"resourceUrn"`
		Message          string `json:"message"`
		PolicyName       string `json:"policyName"`
		EnforcementLevel string `json:"enforcementLevel"`
	} `json:"policyEvent"`
}

type stepJSON struct {
	Op           string     `json:"op"`
	URN          URN        `json:"urn"`
	Old          *stateJSON `json:"old"`
	New          *stateJSON `json:"new"`
	Keys         []string   `json:"keys"`
	DetailedDiff map[string]struct {
		Kind string `json:"diffKind"`
	} `json:"detailedDiff"`
}

func (m stepJSON) step() Step {
	s := Step{Op: m.Op, URN: m.URN, Old: m.Old.state(), New: m.New.state(), Reasons: m.Keys, Detailed: map[string]string{}}
	for path, d := range m.DetailedDiff {
		s.Detailed[path] = d.Kind
	}
	return s
}

// event takes one line of the stream. Kinds that say nothing about the preview are passed over.
func (p *Preview) event(raw json.RawMessage, sames *int, ended *bool) error {
	var e eventJSON
	if err := decode(raw, &e); err != nil {
		return err
	}
	switch {
	case e.PreludeEvent != nil:
		if e.PreludeEvent.Config != nil {
			p.Config = e.PreludeEvent.Config
		}
	case e.DiagnosticEvent != nil:
		p.diagnostic(*e.DiagnosticEvent)
	case e.ResourcePreEvent != nil:
		p.Steps = append(p.Steps, e.ResourcePreEvent.Metadata.step())
	case e.ResOutputsEvent != nil:
		p.results = append(p.results, e.ResOutputsEvent.Metadata.step())
	case e.SummaryEvent != nil:
		p.summary, *sames, *ended = e.SummaryEvent.ResourceChanges, e.SummaryEvent.ResourceChanges["same"], true
		p.Failed = p.Failed || e.SummaryEvent.Result == "failed" || e.SummaryEvent.Result == "canceled"
	case e.PolicyEvent != nil:
		severity := "warning"
		if e.PolicyEvent.EnforcementLevel == "mandatory" {
			severity = "error"
		}
		p.diagnostic(diagnosticJSON{URN: e.PolicyEvent.ResourceURN, Message: "policy " + e.PolicyEvent.PolicyName + ": " + e.PolicyEvent.Message, Severity: severity})
	}
	return nil
}
