package review

import (
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

type object = map[string]any

// taken is a preview from testdata, as the CLI has printed it.
func taken(t testing.TB, name string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func readPreview(t testing.TB, text string) *Preview {
	t.Helper()
	p, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// urnOf is the name of a resource of the test's stack.
func urnOf(token, name string) string { return "urn:pulumi:prod::shop::" + token + "::" + name }

// step is one of a document; before and after are inputs, nil for no state, and more goes into both states.
func step(op, token, name string, before, after object, more ...object) object {
	s := object{"op": op, "urn": urnOf(token, name)}
	state := func(inputs object) object {
		st := object{"urn": s["urn"], "type": token, "custom": true, "inputs": inputs, "parent": urnOf(stackType, "shop-prod")}
		for _, m := range more {
			maps.Copy(st, m)
		}
		return st
	}
	if before != nil {
		s["oldState"] = state(before)
	}
	if after != nil {
		s["newState"] = state(after)
	}
	return s
}

// printed is a document as the CLI prints it, with all that does not change.
func printed(t testing.TB, steps ...object) string {
	t.Helper()
	counts := map[string]int{}
	for _, s := range steps {
		counts[s["op"].(string)]++
	}
	b, err := json.MarshalIndent(object{"config": object{"aws:region": "us-west-2"}, "steps": steps, "duration": 1, "changeSummary": counts}, "", "    ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

func reviewed(t testing.TB, o Options, steps ...object) Report {
	t.Helper()
	return Review(readPreview(t, printed(t, steps...)), o)
}

// has fails for each text that is not in the review, or is and begins with "not ".
func has(t *testing.T, in string, texts ...string) {
	t.Helper()
	for _, want := range texts {
		absent, not := strings.CutPrefix(want, "not ")
		if not && strings.Contains(in, absent) {
			t.Errorf("%q is in\n%s", absent, in)
		} else if !not && !strings.Contains(in, want) {
			t.Errorf("%q is not in\n%s", want, in)
		}
	}
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
