package promotion

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"
)

// Record is what was promoted, when, from where and by whom: one line of a file in which nothing is ever changed.
type Record struct {
	Time        time.Time `json:"time"`
	By          string    `json:"by"`
	Environment string    `json:"environment"`
	Source      string    `json:"source"`
	Target      string    `json:"target"`
	Tag         string    `json:"tag"`
	Digest      string    `json:"digest"`
	Platforms   []string  `json:"platforms,omitempty"`
	// MaxSeverity is the worst finding that was let through; "" where no scan was asked for.
	MaxSeverity string `json:"maxSeverity,omitempty"`
}

// Record is what to write down of the plan.
func (p *Plan) Record(at time.Time, by string) Record {
	r := Record{
		Time: at.UTC().Truncate(time.Second), By: by, Environment: p.request.Environment, Source: p.Source, Target: p.Target, Tag: p.Tag,
		Digest: p.Digest, Platforms: p.Platforms,
	}
	if g := p.request.Gate; g != nil {
		r.MaxSeverity = g.Max.String()
	}
	return r
}

// Keep appends the record to a file of JSON lines, which it makes where there is none. A promotion that is there already is not
// written twice: it is run again after it was cut off, between the tag and this for example.
func (r Record) Keep(file string) (err error) {
	have, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	whole := len(have)
	for i, line := range bytes.SplitAfter(have, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var there Record
		if err := json.Unmarshal(line, &there); err != nil {
			if line[len(line)-1] != '\n' {
				whole -= len(line) // its writing was cut off
				break
			}
			return fmt.Errorf("%s:%d is no record of a promotion: %w", file, i+1, err)
		}
		if there.Target == r.Target && there.Tag == r.Tag && there.Digest == r.Digest {
			return nil
		}
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if whole < len(have) {
		if err := os.Truncate(file, int64(whole)); err != nil {
			return err
		}
	} else if whole > 0 && have[whole-1] != '\n' {
		line = append([]byte("\n"), line...)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(append(line, '\n')); err != nil {
		return err
	}
	return f.Sync()
}

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ConfigCommand is what puts the digest into a stack's configuration, below slipway:images under the name of the image: the
// repository's last part where it is "".
func (p *Plan) ConfigCommand(image string) string {
	if image == "" {
		image = p.Target[strings.LastIndex(p.Target, "/")+1:]
	}
	path := "slipway:images." + image
	if !plainKey.MatchString(image) {
		path = fmt.Sprintf("slipway:images[%q]", image)
	}
	return fmt.Sprintf("pulumi config set --path '%s' %s", path, p.Digest)
}
