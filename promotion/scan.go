package promotion

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Severity is how bad a finding is, from Informational to Critical.
type Severity int

// The severities of ECR's scans; one that nobody has judged yet counts as none.
const (
	Unjudged Severity = iota
	Informational
	Low
	Medium
	High
	Critical
)

var severities = []string{"unjudged", "informational", "low", "medium", "high", "critical"}

// String is the severity in lower case.
func (s Severity) String() string { return severities[s] }

// ParseSeverity reads what --max-severity takes.
func ParseSeverity(s string) (Severity, error) {
	if i := slices.Index(severities, strings.ToLower(s)); i > 0 {
		return Severity(i), nil
	}
	return 0, fmt.Errorf("the severity is %q, must be one of %s", s, strings.Join(severities[1:], ", "))
}

// Gate refuses an image with findings above a severity.
type Gate struct {
	// Max is the worst severity that is let through.
	Max Severity
	// Reports are scans of the image, or of each of its platforms.
	Reports []Report
	// Lookup asks for the scan of one platform's image that no report is about. Default: one without a report is refused.
	Lookup func(ctx context.Context, host, repository, digest string) (Report, error)
}

// Report is what one scan found.
type Report struct {
	// Digest is what was scanned: an index stands for all its platforms. "" where the report does not say, which is taken for all.
	Digest string
	// Findings are how many there are of each severity.
	Findings map[Severity]int
	// Unfinished is why the scan says nothing yet.
	Unfinished string
}

func (g *Gate) check(ctx context.Context, from name.Repository, root *manifest, all []*manifest) error {
	if g == nil {
		return nil
	}
	var images []*manifest
	known := []string{root.Digest.String()}
	for _, m := range all {
		if m.platform != nil {
			images = append(images, m)
			known = append(known, m.Digest.String())
		}
	}
	if len(images) == 0 {
		images = []*manifest{root}
	}
	var problems []error
	for _, r := range g.Reports {
		if r.Digest != "" && !slices.Contains(known, r.Digest) {
			problems = append(problems, fmt.Errorf("a scan is of %s, which is not the image or one of its platforms", r.Digest))
		}
	}
	for _, m := range images {
		problems = append(problems, g.one(ctx, from, m, root))
	}
	return errors.Join(problems...)
}

// one looks at the scans of one platform's image.
func (g *Gate) one(ctx context.Context, from name.Repository, m, root *manifest) error {
	what := m.Digest.String()
	if m.platform != nil {
		what = m.platform.String() + " (" + what + ")"
	}
	var about []Report
	for _, r := range g.Reports {
		if r.Digest == "" || r.Digest == m.Digest.String() || r.Digest == root.Digest.String() {
			about = append(about, r)
		}
	}
	if len(about) == 0 {
		if g.Lookup == nil {
			return fmt.Errorf("no scan is of %s, and findings above %s are to be refused", what, g.Max)
		}
		r, err := g.Lookup(ctx, from.RegistryStr(), from.RepositoryStr(), m.Digest.String())
		if err != nil {
			return fmt.Errorf("the scan of %s: %w", what, err)
		}
		about = []Report{r}
	}
	for _, r := range about {
		if r.Unfinished != "" {
			return fmt.Errorf("the scan of %s says nothing: %s", what, r.Unfinished)
		}
		if above := r.above(g.Max); above != "" {
			return fmt.Errorf("the scan of %s found %s, and nothing above %s is let through", what, above, g.Max)
		}
	}
	return nil
}

// above are the findings worse than a severity, the worst first.
func (r Report) above(most Severity) string {
	var out []string
	for _, s := range slices.Backward(slices.Sorted(maps.Keys(r.Findings))) {
		if s > most && r.Findings[s] > 0 {
			out = append(out, fmt.Sprintf("%d %s", r.Findings[s], s))
		}
	}
	return strings.Join(out, ", ")
}

// ParseReport reads the answer of `aws ecr describe-image-scan-findings`, or SARIF as scanners write it.
func ParseReport(b []byte) (Report, error) {
	var kind struct {
		Runs   json.RawMessage `json:"runs"`
		Status json.RawMessage `json:"imageScanStatus"`
	}
	if err := json.Unmarshal(b, &kind); err != nil {
		return Report{}, fmt.Errorf("no report of a scan: %w", err)
	}
	switch {
	case kind.Runs != nil:
		return parseSarif(b)
	case kind.Status != nil:
		return parseEcr(b)
	}
	return Report{}, errors.New("no report of a scan: must be SARIF, or what `aws ecr describe-image-scan-findings --output json` prints")
}

// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html
func parseEcr(b []byte) (Report, error) {
	var doc struct {
		ImageID struct {
			ImageDigest string `json:"imageDigest"`
		} `json:"imageId"`
		Status struct {
			Status      string `json:"status"`
			Description string `json:"description"`
		} `json:"imageScanStatus"`
		Findings struct {
			Counts map[string]int `json:"findingSeverityCounts"`
		} `json:"imageScanFindings"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return Report{}, fmt.Errorf("a scan of ECR: %w", err)
	}
	r := Report{Digest: doc.ImageID.ImageDigest, Findings: map[Severity]int{}}
	// A basic scan is COMPLETE, an enhanced one goes on as ACTIVE.
	if s := doc.Status.Status; s != "COMPLETE" && s != "ACTIVE" {
		r.Unfinished = strings.TrimSuffix(s+": "+doc.Status.Description, ": ")
	}
	for _, s := range slices.Sorted(maps.Keys(doc.Findings.Counts)) {
		n := doc.Findings.Counts[s]
		switch i := slices.Index(severities, strings.ToLower(s)); {
		case n < 0: // it could make up for findings that there are
			return Report{}, fmt.Errorf("a scan of ECR has %d findings of severity %q, must be 0 or more: scan the image again", n, s)
		case i > 0:
			r.Findings[Severity(i)] += n
		case s == "UNDEFINED" || s == "UNTRIAGED":
			r.Findings[Unjudged] += n
		default:
			return Report{}, fmt.Errorf("a scan of ECR has findings of severity %q, which is not known here", s)
		}
	}
	return r, nil
}

// parseSarif goes by the score that scanners give a rule as "security-severity", with the bounds of
// https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning#reportingdescriptor-object,
// and where there is none by the result's level. SARIF does not say which image it is about.
func parseSarif(b []byte) (Report, error) {
	type rule struct {
		ID            string `json:"id"`
		Configuration struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
		Properties struct {
			Score any `json:"security-severity"`
		} `json:"properties"`
	}
	var doc struct {
		Runs []struct {
			Invocations []struct {
				Successful *bool `json:"executionSuccessful"`
			} `json:"invocations"`
			Tool struct {
				Driver struct {
					Rules []rule `json:"rules"`
				} `json:"driver"`
			} `json:"tool"`
			Results []struct {
				RuleID    string `json:"ruleId"`
				RuleIndex *int   `json:"ruleIndex"`
				Level     string `json:"level"`
				Kind      string `json:"kind"`
			} `json:"results"`
		} `json:"runs"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return Report{}, fmt.Errorf("SARIF: %w", err)
	}
	if len(doc.Runs) == 0 {
		return Report{Unfinished: "SARIF without a run"}, nil
	}
	r := Report{Findings: map[Severity]int{}}
	for _, run := range doc.Runs {
		// https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html, 3.14.23 and 3.20.14: no list is not an empty one.
		if run.Results == nil {
			return Report{Unfinished: "SARIF with a run that has no results, not even an empty list of them"}, nil
		}
		for _, i := range run.Invocations {
			if i.Successful != nil && !*i.Successful {
				return Report{Unfinished: "SARIF with a run that did not succeed"}, nil
			}
		}
		byID := map[string]rule{}
		for _, d := range run.Tool.Driver.Rules {
			byID[d.ID] = d
		}
		for _, found := range run.Results {
			if found.Kind != "" && found.Kind != "fail" {
				continue
			}
			d := byID[found.RuleID]
			if i := found.RuleIndex; i != nil && *i >= 0 && *i < len(run.Tool.Driver.Rules) {
				d = run.Tool.Driver.Rules[*i]
			}
			// A result without a level has its rule's, and that is "warning" by default.
			r.Findings[sarifSeverity(d.Properties.Score, cmp.Or(found.Level, d.Configuration.Level, "warning"))]++
		}
	}
	return r, nil
}

func sarifSeverity(score any, level string) Severity {
	if f, err := strconv.ParseFloat(fmt.Sprint(score), 64); err == nil {
		switch {
		case f >= 9:
			return Critical
		case f >= 7:
			return High
		case f >= 4:
			return Medium
		case f > 0:
			return Low
		}
		return Informational
	}
	switch level {
	case "error":
		return High
	case "warning":
		return Medium
	}
	return Low
}
