package promotion_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/promotion"
)

func TestReports(t *testing.T) {
	for file, want := range map[string]string{
		"ecr.json":   "{sha256:" + strings.Repeat("a", 64) + " map[unjudged:2 medium:3 high:1] }",
		"sarif.json": "{ map[low:1 medium:2 high:1 critical:1] }",
	} {
		b, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := promotion.ParseReport(b)
		if got := fmt.Sprint(r); err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", file, got, err, want)
		}
	}
	for text, words := range map[string]string{
		`{`:   "no report of a scan",
		`{}`:  "must be SARIF, or what `aws ecr describe-image-scan-findings",
		`[1]`: "no report of a scan",
		`{"imageScanStatus":{"status":"COMPLETE"},"imageScanFindings":{"findingSeverityCounts":{"AWFUL":1}}}`: `severity "AWFUL"`,
	} {
		if _, err := promotion.ParseReport([]byte(text)); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want %q", text, err, words)
		}
	}
	for text, want := range map[string]string{
		`{"imageScanStatus":{"status":"IN_PROGRESS"}}`:                               "IN_PROGRESS",
		`{"imageScanStatus":{"status":"UNSUPPORTED_IMAGE","description":"scratch"}}`: "UNSUPPORTED_IMAGE: scratch",
		`{"imageScanStatus":{"status":"ACTIVE"}}`:                                    "",
		`{"runs":[]}`:                 "SARIF without a run",
		`{"runs":[{"results":[]}]}`:   "",
		`{"runs":[{}]}`:               "SARIF with a run that has no results, not even an empty list of them",
		`{"runs":[{"results":null}]}`: "SARIF with a run that has no results, not even an empty list of them",
		`{"runs":[{"results":[],"invocations":[{"executionSuccessful":true}]}]}`:                               "",
		`{"runs":[{"results":[],"invocations":[{"executionSuccessful":true},{"executionSuccessful":false}]}]}`: "SARIF with a run that did not succeed",
	} {
		if r, err := promotion.ParseReport([]byte(text)); err != nil || r.Unfinished != want {
			t.Errorf("%s: %+v, %v, want %q", text, r, err, want)
		}
	}
}

func TestTheGate(t *testing.T) {
	w := newWorld(t)
	amd64, arm64, index := w.image.amd64, w.image.arm64, w.image.digest
	found := func(digest string, s promotion.Severity, n int) promotion.Report {
		return promotion.Report{Digest: digest, Findings: map[promotion.Severity]int{s: n, promotion.Low: 7}}
	}
	none := func(context.Context, string, string, string) (promotion.Report, error) {
		return promotion.Report{}, errors.New("ScanNotFoundException")
	}
	for name, c := range map[string]struct {
		gate promotion.Gate
		want string
	}{
		"one above":              {promotion.Gate{Max: promotion.Medium, Reports: []promotion.Report{found(amd64, promotion.High, 2), found(arm64, promotion.Medium, 1)}}, "the scan of linux/amd64 (" + amd64 + ") found 2 high, and nothing above medium is let through"},
		"all above, worst first": {promotion.Gate{Max: promotion.Informational, Reports: []promotion.Report{found("", promotion.Critical, 1)}}, "found 1 critical, 7 low,"},
		"as bad as allowed":      {promotion.Gate{Max: promotion.High, Reports: []promotion.Report{found(index, promotion.High, 9)}}, ""},
		"one platform only":      {promotion.Gate{Max: promotion.High, Reports: []promotion.Report{found(amd64, promotion.Low, 1)}}, "no scan is of linux/arm64/v8 (" + arm64 + ")"},
		"of something else":      {promotion.Gate{Max: promotion.High, Reports: []promotion.Report{found("sha256:1", promotion.Low, 1), found(index, promotion.Low, 1)}}, "a scan is of sha256:1, which is not the image"},
		"unfinished":             {promotion.Gate{Max: promotion.High, Reports: []promotion.Report{{Digest: index, Unfinished: "PENDING"}}}, "says nothing: PENDING"},
		"not looked up":          {promotion.Gate{Max: promotion.High, Lookup: none}, "the scan of linux/amd64 (" + amd64 + "): ScanNotFoundException"},
		"looked up": {promotion.Gate{Max: promotion.High, Lookup: func(_ context.Context, host, repository, digest string) (promotion.Report, error) {
			if host != buildHost || repository != "team/frontend" {
				return promotion.Report{}, fmt.Errorf("asked for %s/%s", host, repository)
			}
			return found(digest, promotion.High, 1), nil
		}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w.request.Gate = &c.gate
			_, err := promotion.Prepare(t.Context(), w.request)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got  %v\nwant %q", err, c.want)
			}
		})
	}
}

// An image of an index that names no platform for it is scanned as all others: its own configuration tells which it is for.
func TestTheGateLooksAtImagesWithoutAPlatform(t *testing.T) {
	w := newWorld(t)
	index := plainly(t, w.from.manifests["team/frontend@"+w.image.digest])
	put(t, w.wire, "1.4.1", "application/vnd.oci.image.index.v1+json", index)
	w.request.Source = buildHost + "/team/frontend:1.4.1"
	plan, err := promotion.Prepare(t.Context(), w.request)
	if err != nil || strings.Join(plan.Platforms, " ") != "linux/amd64 linux/arm64/v8" {
		t.Errorf("platforms %v, %v", plan, err)
	}
	w.request.Gate = &promotion.Gate{Max: promotion.Medium, Reports: []promotion.Report{{Digest: w.image.amd64, Findings: map[promotion.Severity]int{}}}}
	want := "no scan is of linux/arm64/v8 (" + w.image.arm64 + ")"
	if _, err := promotion.Prepare(t.Context(), w.request); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %q", err, want)
	}
}

func FuzzParseReport(f *testing.F) {
	for _, file := range []string{"ecr.json", "sarif.json"} {
		b, err := os.ReadFile("testdata/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := promotion.ParseReport(b)
		if err == nil && r.Unfinished == "" && r.Findings == nil {
			t.Errorf("a report that says nothing: %+v", r)
		}
		for s, n := range r.Findings {
			if n < 0 {
				t.Errorf("%d findings of severity %s", n, s)
			}
		}
	})
}

// What could make up for findings that there are is no report.
func TestCountsBelowZeroAreRefused(t *testing.T) {
	_, err := promotion.ParseReport([]byte(`{"imageScanStatus":{"status":"COMPLETE"},"imageScanFindings":{"findingSeverityCounts":{"UNDEFINED":1,"UNTRIAGED":-1}}}`))
	if want := `has -1 findings of severity "UNTRIAGED", must be 0 or more`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}
