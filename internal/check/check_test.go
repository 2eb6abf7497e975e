package check_test

import (
	"errors"
	"fmt"
	"regexp"
	"testing"

	perrors "github.com/pulumi/pulumi/sdk/v3/go/pulumi/errors"

	"github.com/slipway-iac/slipway/internal/check"
)

func problems() *check.Problems {
	p := &check.Problems{}
	p.Required("vpcId", false, "the vpcId of a Vpc")
	g := p.At("groups[%d]", 1)
	g.Between("min", 70, 1, 50)
	g.At("disk").OneOf("type", "floppy", "gp3", "io2")
	g.Required("port", false, "80")
	p.Match("name", "A b", regexp.MustCompile(`^[a-z]+$`), "lower-case letters")
	p.Unique("zones", []string{"a", "b", "a"})
	return p
}

func TestErrorListsEveryProblemOnALineOfItsOwn(t *testing.T) {
	got := problems().Err("slipway:index:Thing", "main").Error()
	want := `slipway:index:Thing "main" has 6 invalid argument(s):
  vpcId is required, for example the vpcId of a Vpc
  groups[1].min is 70, must be 1 to 50
  groups[1].disk.type is "floppy", must be one of "gp3", "io2"
  groups[1].port is required, for example 80
  name is "A b", must be lower-case letters
  zones[2] is "a", the same as zones[0]`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNoProblemIsNoError(t *testing.T) {
	p := &check.Problems{}
	p.Between("min", 3, 1, 50)
	if err := p.Err("slipway:index:Thing", "main"); err != nil {
		t.Error(err)
	}
}

func TestPluginHostsFindEachPath(t *testing.T) {
	var e *perrors.InputPropertiesError
	if !errors.As(problems().Err("slipway:index:Thing", "main"), &e) || len(e.Errors) != 6 || e.Errors[1].PropertyPath != "groups[1].min" {
		t.Errorf("got %+v", e)
	}
}

func TestBeforeLeavesOutOnlyWhatFlowsIn(t *testing.T) {
	got := check.Before(problems().Err("slipway:index:Thing", "main"), "vpcId", "groups[].port", "name").Error()
	want := `slipway:index:Thing "main" has 4 invalid argument(s):
  groups[1].min is 70, must be 1 to 50
  groups[1].disk.type is "floppy", must be one of "gp3", "io2"
  name is "A b", must be lower-case letters
  zones[2] is "a", the same as zones[0]`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	p := &check.Problems{}
	p.Required("vpcId", false, "x")
	if err := check.Before(p.Err("t", "n"), "vpcId"); err != nil {
		t.Error(err)
	}
}

func TestAllJoinsTheErrorsOfSeveralComponents(t *testing.T) {
	if err := check.All(nil, nil); err != nil {
		t.Error(err)
	}
	if got := check.All(errors.New("one"), nil, errors.New("two")).Error(); got != "one\ntwo" {
		t.Errorf("got %q", got)
	}
}

func TestCodes(t *testing.T) {
	const form = `codes is %q, must be codes of 200 to 499, like "200", "200,204" or "200-399"`
	for codes, want := range map[string]string{
		"200": "", "200,204": "", "200-399": "", "200-200": "", "200,301-399,404": "", "200-499": "",
		"": form, "199": form, "503": form, "200-": form, "200,": form, "200-300-400": form, "200 204": form,
		"399-200":             `codes is %q, must have ranges from the lower code to the higher, like "200-399"`,
		"200,400-399,402-401": `codes is %q, must have ranges from the lower code to the higher, like "399-400"`,
	} {
		p := &check.Problems{}
		p.Codes("codes", codes)
		if want != "" {
			want = fmt.Sprintf("x \"y\" has 1 invalid argument(s):\n  "+want, codes)
		}
		got := ""
		if err := p.Err("x", "y"); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
