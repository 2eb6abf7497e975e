package aws

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// askedFile holds what was asked for, a line of JSON each, each once. It is only added to, so that whoever is killed leaves a line that is
// cut short at worst, which is passed over. It is not flushed to the disk: it is a record of what happened, not the account.
func (a *Account) askedFile() string { return filepath.Join(a.dir, "asked.jsonl") }

// note adds what an operation asks for. The caller holds the account's lock.
func (a *Account) note(token, op string, o, old *Object) error {
	all := asks[token].asked(token, op, o, old)
	if len(all) == 0 {
		return nil
	}
	a.noting.Lock()
	defer a.noting.Unlock()
	var b bytes.Buffer
	if a.noted == nil {
		have, err := a.readAsked()
		if err != nil {
			return err
		}
		a.noted = map[string]bool{}
		for line := range bytes.Lines(have) {
			a.noted[string(bytes.TrimSuffix(line, []byte("\n")))] = true
		}
		if len(have) > 0 && have[len(have)-1] != '\n' {
			b.WriteByte('\n') // so that the next line does not go on where somebody was killed
		}
	}
	for _, asked := range all {
		line, err := json.Marshal(asked)
		if err != nil {
			return err
		}
		if !a.noted[string(line)] {
			a.noted[string(line)] = true
			b.Write(append(line, '\n'))
		}
	}
	if b.Len() == 0 {
		return nil
	}
	f, err := os.OpenFile(a.askedFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("the record of actions: %w", err)
	}
	_, err = f.Write(b.Bytes())
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("the record of actions: %w", err)
	}
	return nil
}

func (a *Account) readAsked() ([]byte, error) {
	b, err := os.ReadFile(a.askedFile())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the record of actions: %w", err)
	}
	return b, nil
}

// Asked is what the AWS provider would have asked IAM for since the account began, or since ForgetAsked: each action on each resource
// once for each type and operation, sorted.
func (a *Account) Asked() ([]Asked, error) {
	b, err := a.readAsked()
	if err != nil {
		return nil, err
	}
	var out []Asked
	for line := range bytes.Lines(b) {
		var asked Asked
		if json.Unmarshal(line, &asked) == nil && asked.Action != "" {
			out = append(out, asked)
		}
	}
	slices.SortFunc(out, func(x, y Asked) int {
		return strings.Compare(x.Action+" "+x.Type+" "+x.Op+" "+x.Resource, y.Action+" "+y.Type+" "+y.Op+" "+y.Resource)
	})
	return out, nil
}

// ForgetAsked begins the record anew.
func (a *Account) ForgetAsked() error {
	if err := os.Remove(a.askedFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the record of actions: %w", err)
	}
	a.noting.Lock()
	defer a.noting.Unlock()
	a.noted = nil
	return nil
}
