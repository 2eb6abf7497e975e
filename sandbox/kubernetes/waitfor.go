package kubernetes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/jsonpath"
)

// parseWaitFor reads the annotation pulumi.com/waitFor: "jsonpath={.status.phase}=Running", "condition=Ready" or
// "condition=Synced=True", or a JSON list of these, all of which must hold.
func parseWaitFor(text string) (func(view) verdict, error) {
	var exprs []string
	if json.Unmarshal([]byte(text), &exprs) != nil {
		exprs = []string{text}
	}
	if len(exprs) == 0 {
		return nil, errors.New("at least one condition must be specified")
	}
	var holds []func(*unstructured.Unstructured) bool
	for _, expr := range exprs {
		var hold func(*unstructured.Unstructured) bool
		var err error
		if rest, is := strings.CutPrefix(expr, "jsonpath="); is {
			hold, err = byJSONPath(rest)
		} else if rest, is := strings.CutPrefix(expr, "condition="); is {
			hold = byCondition(rest)
		} else {
			err = fmt.Errorf(`expected a "jsonpath=" or "condition=" prefix, got %q`, expr)
		}
		if err != nil {
			return nil, err
		}
		holds = append(holds, hold)
	}
	return func(v view) verdict {
		var out verdict
		for i, hold := range holds {
			if !hold(v.object) {
				out.problems = append(out.problems, fmt.Sprintf("Waiting for condition %q", exprs[i]))
			}
		}
		if out.ready = len(out.problems) == 0; !out.ready {
			out.status = out.problems[0]
		}
		return out
	}, nil
}

func byJSONPath(text string) (func(*unstructured.Unstructured) bool, error) {
	end := strings.LastIndex(text, "}")
	if !strings.HasPrefix(text, "{") || end < 0 {
		return nil, fmt.Errorf("jsonpath must be of the form {.path} or {.path}=value, got %q", text)
	}
	want, hasWant := strings.CutPrefix(text[end+1:], "=")
	want = strings.Trim(want, `'"`)
	parser := jsonpath.New("waitFor").AllowMissingKeys(true)
	if err := parser.Parse(text[:end+1]); err != nil {
		return nil, err
	}
	return func(obj *unstructured.Unstructured) bool {
		var out bytes.Buffer
		if err := parser.Execute(&out, obj.Object); err != nil || out.Len() == 0 {
			return false
		}
		return !hasWant || out.String() == want
	}, nil
}

func byCondition(text string) func(*unstructured.Unstructured) bool {
	kind, want, given := strings.Cut(text, "=")
	if !given {
		want = "True"
	}
	return func(obj *unstructured.Unstructured) bool {
		conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
		for _, c := range conditions {
			m, is := c.(map[string]any)
			if !is || !strings.EqualFold(fmt.Sprint(m["type"]), kind) {
				continue
			}
			return strings.EqualFold(fmt.Sprint(m["status"]), want)
		}
		return false
	}
}
