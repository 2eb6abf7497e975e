package review

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf16"
)

// document is what `pulumi preview --json` prints at its end: pkg/display.PreviewDigest of the CLI.
type document struct {
	Config        map[string]string `json:"config"`
	Steps         []documentStep    `json:"steps"`
	Diagnostics   []diagnosticJSON  `json:"diagnostics"`
	Duration      *json.Number      `json:"duration"`
	ChangeSummary map[string]int    `json:"changeSummary"`
}

type documentStep struct {
	Op             string     `json:"op"`
	URN            URN        `json:"urn"`
	OldState       *stateJSON `json:"oldState"`
	NewState       *stateJSON `json:"newState"`
	DiffReasons    []string   `json:"diffReasons"`
	ReplaceReasons []string   `json:"replaceReasons"`
	DetailedDiff   map[string]struct {
		Kind string `json:"kind"`
	} `json:"detailedDiff"`
}

type diagnosticJSON struct {
	URN       URN    `json:"urn"`
	Prefix    string `json:"prefix"`
	Message   string `json:"message"`
	Severity  string `json:"severity"`
	Ephemeral bool   `json:"ephemeral"`
}

// stateJSON is a resource in either format.
type stateJSON struct {
	ID                      string           `json:"id"`
	Custom                  bool             `json:"custom"`
	Protect                 bool             `json:"protect"`
	RetainOnDelete          bool             `json:"retainOnDelete"`
	Delete                  bool             `json:"delete"`
	External                bool             `json:"external"`
	Parent                  URN              `json:"parent"`
	Inputs                  map[string]any   `json:"inputs"`
	Outputs                 map[string]any   `json:"outputs"`
	Dependencies            []URN            `json:"dependencies"`
	PropertyDependencies    map[string][]URN `json:"propertyDependencies"`
	AdditionalSecretOutputs []string         `json:"additionalSecretOutputs"`
	IgnoreChanges           []string         `json:"ignoreChanges"`
}

func (s *stateJSON) state() *State {
	if s == nil {
		return nil
	}
	return &State{
		ID: s.ID, Custom: s.Custom, Protect: s.Protect, Retain: s.RetainOnDelete, Pending: s.Delete, External: s.External, Parent: s.Parent,
		Inputs: cleanMap(s.Inputs), Outputs: cleanMap(s.Outputs), Dependencies: s.Dependencies, PropertyDependencies: s.PropertyDependencies,
		secretOutputs: s.AdditionalSecretOutputs, ignored: s.IgnoreChanges,
	}
}

// Read takes the output of `pulumi preview --json`, in either of its formats: one document at the end, or, with
// PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true, an event a line. Text before, between and after is passed over. What is no whole preview
// is returned as far as it goes, with Broken set; an error is one of reading.
func Read(r io.Reader) (*Preview, error) {
	all, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	all = utf8Of(all)
	p := &Preview{Config: map[string]string{}}
	var documents, events, torn int
	sames, ended := 0, false
	for at := 0; at < len(all); {
		start := at
		end := len(all)
		if i := bytes.IndexByte(all[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		at = end
		line := bytes.TrimLeft(all[start:end], " \t\r")
		if len(line) == 0 || line[0] != '{' {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(all[start:]))
		d.UseNumber()
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			if looksLikePreview(all[start:]) {
				torn++
			}
			continue
		}
		switch keys := keysOf(raw); {
		case isEvent(keys):
			events++
			if err := p.event(raw, &sames, &ended); err != nil {
				torn++
			}
		case isDocument(keys):
			documents++
			if documents > 1 {
				break
			}
			var doc document
			if err := decode(raw, &doc); err != nil {
				torn++
				break
			}
			p.document(doc)
			p.summary, sames = doc.ChangeSummary, doc.ChangeSummary["same"]
		default:
			continue // some other JSON that was printed
		}
		at = start + int(d.InputOffset())
	}
	switch {
	case torn > 0:
		p.Broken = "the input breaks off in the middle of a preview: the Pulumi CLI was stopped before its end, or its output was cut"
	case documents+events == 0 && len(bytes.TrimSpace(all)) == 0:
		p.Broken = "the input is empty: the Pulumi CLI ended before its preview began, and says why on its standard error"
	case documents+events == 0:
		p.Broken = "the input has no preview: it has to be what `pulumi preview --json` prints"
	case documents > 1 || documents > 0 && events > 0:
		p.Broken = "the input has more than one preview: give one at a time"
	case events > 0 && !ended:
		p.Broken = "the stream of events ends without a summary: the Pulumi CLI was stopped before its end"
	}
	if p.Broken != "" && p.Stack == "" {
		p.guessStack(all)
	}
	p.finish(sames)
	return p, nil
}

func (p *Preview) document(doc document) {
	if doc.Config != nil {
		p.Config = doc.Config
	}
	for _, s := range doc.Steps {
		step := Step{Op: s.Op, URN: s.URN, Old: s.OldState.state(), New: s.NewState.state(), Reasons: s.ReplaceReasons, Detailed: map[string]string{}}
		for path, d := range s.DetailedDiff {
			step.Detailed[path] = d.Kind
		}
		p.Steps = append(p.Steps, step)
	}
	for _, d := range doc.Diagnostics {
		p.diagnostic(d)
	}
}

func (p *Preview) diagnostic(d diagnosticJSON) {
	if d.Ephemeral || d.Severity == "debug" {
		return
	}
	p.Diagnostics = append(p.Diagnostics, Diagnostic{d.URN, strings.TrimSpace(uncolored(d.Prefix + d.Message)), d.Severity})
}

// guessStack looks for a URN in what cannot be read.
func (p *Preview) guessStack(all []byte) {
	i := bytes.Index(all, []byte(`"urn:pulumi:`))
	if i < 0 {
		return
	}
	if j := bytes.IndexByte(all[i+1:], '"'); j >= 0 {
		u := URN(all[i+1 : i+1+j])
		p.Stack, p.Project = u.Stack(), u.Project()
	}
}

func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into)
}

func keysOf(raw []byte) map[string]json.RawMessage {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(raw, &keys); err != nil {
		return nil
	}
	return keys
}

func isDocument(keys map[string]json.RawMessage) bool {
	for _, k := range []string{"steps", "changeSummary", "diagnostics", "duration"} {
		if _, ok := keys[k]; ok {
			return true
		}
	}
	return false
}

func isEvent(keys map[string]json.RawMessage) bool {
	_, sequence := keys["sequence"]
	_, timestamp := keys["timestamp"]
	return sequence && timestamp
}

// looksLikePreview tells the beginning of a preview from other text in braces.
func looksLikePreview(rest []byte) bool {
	head := strings.Join(strings.Fields(string(rest[:min(len(rest), 200)])), "")
	if head == "{" {
		return true
	}
	for _, begins := range []string{`{"config"`, `{"steps"`, `{"diagnostics"`, `{"duration"`, `{"changeSummary"`, `{"sequence"`} {
		if strings.HasPrefix(head, begins) || strings.HasPrefix(begins, head) {
			return true
		}
	}
	return false
}

// utf8Of is the input in UTF-8: PowerShell's > writes UTF-16 with a byte order mark.
func utf8Of(b []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(b, []byte{0xef, 0xbb, 0xbf}):
		return b[3:]
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return b
	}
	units := make([]uint16, 0, len(b)/2)
	for i := 2; i+1 < len(b); i += 2 {
		units = append(units, order.Uint16(b[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

// uncolored takes Pulumi's <{%…%}> and a terminal's colours out of a message.
func uncolored(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "<{%")
		if i < 0 {
			break
		}
		j := strings.Index(s[i:], "%}>")
		if j < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i+j+len("%}>"):]
	}
	b.WriteString(s)
	return ansi.ReplaceAllString(b.String(), "")
}
