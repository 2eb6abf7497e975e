package promotion_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/promotion"
)

func TestRecords(t *testing.T) {
	w := newWorld(t)
	w.request.Gate = &promotion.Gate{Max: promotion.Medium, Reports: []promotion.Report{{}}}
	p := w.must(t)
	file := filepath.Join(t.TempDir(), "promotions.jsonl")
	at := time.Date(2026, 11, 2, 9, 30, 0, 5, time.FixedZone("", 3600))
	keep := func(r promotion.Record) {
		t.Helper()
		if err := r.Keep(file); err != nil {
			t.Fatal(err)
		}
	}
	keep(p.Record(at, "alice"))
	keep(p.Record(at.Add(time.Hour), "bob")) // run again
	first := `{"time":"2026-11-02T08:30:00Z","by":"alice","environment":"production","source":"build.example.com/team/frontend:1.4.0@` + p.Digest +
		`","target":"` + ecrHost + `/frontend","tag":"production-1.4.0","digest":"` + p.Digest + `","platforms":["linux/amd64","linux/arm64/v8"],"maxSeverity":"medium"}` + "\n"
	if got := read(t, file); got != first {
		t.Errorf("got\n%swant\n%s", got, first)
	}
	// The writing of the second was cut off.
	if err := os.WriteFile(file, []byte(first+`{"time":"2026`), 0o600); err != nil {
		t.Fatal(err)
	}
	other := p.Record(at, "alice")
	other.Tag = "production-1.5.0"
	keep(other)
	keep(other)
	if got := strings.Split(read(t, file), "\n"); len(got) != 3 || got[0]+"\n" != first || !strings.Contains(got[1], "production-1.5.0") {
		t.Errorf("got %q", got)
	}
	if err := os.WriteFile(file, []byte(strings.TrimSuffix(first, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	keep(other)
	if got := strings.Split(read(t, file), "\n"); len(got) != 3 || got[0]+"\n" != first {
		t.Errorf("after a line without an end: %q", got)
	}
	if err := os.WriteFile(file, []byte("promoted yesterday\n"+first), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := other.Keep(file); err == nil || !strings.Contains(err.Error(), "promotions.jsonl:1 is no record of a promotion") {
		t.Errorf("got %v", err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheCommandThatRollsItOut(t *testing.T) {
	p := &promotion.Plan{Target: ecrHost + "/team/users_server", Digest: "sha256:12"}
	for image, want := range map[string]string{
		"":          "pulumi config set --path 'slipway:images.users_server' sha256:12",
		"frontend":  "pulumi config set --path 'slipway:images.frontend' sha256:12",
		"front-end": `pulumi config set --path 'slipway:images["front-end"]' sha256:12`,
	} {
		if got := p.ConfigCommand(image); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestHosts(t *testing.T) {
	for host, want := range map[string]promotion.Ecr{
		ecrHost: {Account: "123456789012", Region: "us-west-2"},
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn":      {Account: "123456789012", Region: "cn-north-1"},
		"123456789012.dkr.ecr-fips.us-gov-east-1.amazonaws.com": {Account: "123456789012", Region: "us-gov-east-1"},
		"123456789012.dkr-ecr.eu-west-1.on.aws":                 {Account: "123456789012", Region: "eu-west-1"},
		"public.ecr.aws":                                        {},
		"example.com":                                           {},
	} {
		if got, ok := promotion.EcrOf(host); got != want || ok != (want.Account != "") {
			t.Errorf("%s is %+v, %v", host, got, ok)
		}
	}
}
