package test

import (
	"os"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/dryrun"
	"github.com/slipway-iac/slipway/week"
)

// TestCalendarOfThisStack: run without a cloud, the stack's own program gives the week that a preview of it gives.
func TestCalendarOfThisStack(t *testing.T) {
	got, err := dryrun.Run(t.Context(), "../Pulumi.prod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var resources []week.Resource
	for _, r := range got.Resources {
		resources = append(resources, week.Resource{Type: r.Type, Name: r.Name, Inputs: r.Inputs})
	}
	s, err := week.Read(resources)
	if err != nil {
		t.Fatal(err)
	}
	r, err := week.Look(s, week.Options{Now: time.Date(2026, 8, 12, 9, 0, 0, 0, time.UTC), Hour: 0.096, Source: "of a test"})
	if err != nil {
		t.Fatal(err)
	}
	for ending, text := range map[string]string{"txt": r.Text(), "md": r.Markdown(), "svg": r.SVG()} {
		want, err := os.ReadFile("../week/testdata/first." + ending)
		if err != nil || text != string(want) {
			t.Errorf("%v, the week is\n%s\nand by its first preview\n%s", err, text, want)
		}
	}
	if got.Config["aws:region"] != "us-west-2" || got.Config["slipway:databasePassword"] != "[secret]" {
		t.Errorf("the configuration is %v", got.Config)
	}
}
