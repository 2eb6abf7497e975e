package review

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const plaintext = "hunter2-hunter2"

// TestSecretsAreNeverShown: where either state has a path as secret, in whatever way, no value at it is printed.
func TestSecretsAreNeverShown(t *testing.T) {
	marked := object{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": plaintext}
	up := func(before, after object, more ...object) object {
		return step("update", "aws:a/b:B", "x", before, after, more...)
	}
	for name, s := range map[string]object{
		"secret before":               up(object{"a": "[secret]"}, object{"a": plaintext}),
		"secret after":                up(object{"a": plaintext}, object{"a": "[secret]"}),
		"marked as the stream does":   up(object{"a": marked}, object{"a": plaintext}),
		"in a mark that is not known": up(object{"a": object{"4dabf18193072939515e22adb298388d": "new", "value": plaintext}}, object{"a": "x"}),
		"an output value":             up(object{"a": "x"}, object{"a": object{"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4", "value": plaintext, "secret": true}}),
		"deep":                        up(object{"a": object{"b": []any{object{"c": "[secret]"}}}}, object{"a": object{"b": []any{object{"c": plaintext}}}}),
		"in a list that grew":         up(object{"a": []any{"[secret]"}}, object{"a": []any{"x", plaintext}}),
		"in a list of another order":  up(object{"a": []any{object{"v": "[secret]"}, object{"v": "x"}}}, object{"a": []any{object{"v": "y"}, object{"v": plaintext}}}),
		"in JSON in a string":         up(object{"a": `{"user": "u", "key": "[secret]"}`}, object{"a": `{"user": "u", "key": "` + plaintext + `"}`}),
		"in JSON that is new":         up(object{"b": "x"}, object{"b": "y", "a": `{"password": "` + plaintext + `"}`}),
		"a whole object":              up(object{"a": "[secret]"}, object{"a": object{"b": plaintext}}),
		"an object that is new":       up(object{}, object{"a": object{"b": plaintext}}, object{"outputs": object{"a": object{"b": "[secret]"}}}),
		"secret in the outputs":       up(object{"a": "x"}, object{"a": plaintext}, object{"outputs": object{"a": "[secret]"}}),
		"an additional secret":        up(object{"a": "x"}, object{"a": plaintext}, object{"additionalSecretOutputs": []any{"a"}}),
		"by its name":                 up(object{"masterPassword": "x"}, object{"masterPassword": plaintext}),
		"a variable by its name":      up(object{"env": []any{object{"name": "DB_PASSWORD", "value": "x"}}}, object{"env": []any{object{"name": "DB_PASSWORD", "value": plaintext}}}),
		"a variable that is new":      up(object{"env": []any{}}, object{"env": []any{object{"name": "DB_PASSWORD", "value": plaintext}}}),
		"a variable that goes":        up(object{"env": []any{object{"name": "DB_PASSWORD", "value": plaintext}}}, object{"env": []any{object{"name": "LEVEL", "value": "x"}}}),
		"a variable with a token":     up(object{"env": []any{object{"name": "GITHUB_TOKEN", "value": "x"}}}, object{"env": []any{object{"name": "GITHUB_TOKEN", "value": plaintext}}}),
		"a Secret of Kubernetes":      step("update", "kubernetes:core/v1:Secret", "x", object{"data": object{"a": "x"}}, object{"data": object{"a": plaintext}}),
		"a new Secret's key":          step("update", "kubernetes:core/v1:Secret", "x", object{"data": object{}}, object{"data": object{"a": plaintext}}),
		"replaced for it": func() object {
			s := step("replace", "aws:a/b:B", "x", object{"a": "[secret]"}, object{"a": plaintext})
			s["replaceReasons"], s["detailedDiff"] = []any{"a"}, object{"a": object{"kind": "update-replace"}}
			return s
		}(),
		"found by the provider": func() object {
			s := step("update", "aws:a/b:B", "x", object{}, object{}, object{"outputs": object{"a": plaintext}, "additionalSecretOutputs": []any{"a"}})
			s["detailedDiff"] = object{"a": object{"kind": "update"}}
			return s
		}(),
		"a Secret's key found by the provider": func() object {
			s := step("update", "kubernetes:core/v1:Secret", "x", object{}, object{}, object{"outputs": object{"data": object{"a": plaintext}}})
			s["detailedDiff"] = object{"data.a": object{"kind": "update"}}
			return s
		}(),
		"an image": func() object {
			return step("update", appType, "x", object{"image": "[secret]"}, object{"image": plaintext}, object{"custom": false})
		}(),
	} {
		r := reviewed(t, Options{}, s)
		for _, text := range []string{r.Markdown, r.Full} {
			if strings.Contains(text, plaintext) {
				t.Errorf("%s: it is in\n%s", name, text)
			}
		}
		if !strings.Contains(r.Full, "secret") {
			t.Errorf("%s: nothing is said of it:\n%s", name, r.Full)
		}
	}
}

// TestDriftShowsNoSecrets: a provider names each key that differs by itself.
func TestDriftShowsNoSecrets(t *testing.T) {
	const secret, applied = "kubernetes:core/v1:Secret", "kubectl.kubernetes.io/last-applied-configuration"
	env := func(value string) object { return object{"env": []any{object{"name": "DB_PASSWORD", "value": value}}} }
	for name, s := range map[string]object{
		"a Secret's key":             changed(secret, "x", object{"data": object{"a": "x"}}, object{"data": object{"a": plaintext}}, "data.a"),
		"a Secret's key in brackets": changed(secret, "x", object{"stringData": object{"a.b": "x"}}, object{"stringData": object{"a.b": plaintext}}, `stringData["a.b"]`),
		"what kubectl applied": changed(secret, "x", object{}, object{"metadata": object{"annotations": object{applied: `{"data": {"a": "` + plaintext + `"}}`}}},
			`metadata.annotations["`+applied+`"] add`),
		"below what is secret":   changed("aws:a/b:B", "x", object{"a": "[secret]"}, object{"a": object{"b": plaintext}}, "a.b"),
		"a variable by its name": changed("kubernetes:apps/v1:Deployment", "x", env("x"), env(plaintext), "env[0].value"),
	} {
		r := driftOf(t, DriftOptions{}, s)
		if r.Code != Drifted {
			t.Errorf("%s: the exit code is %d", name, r.Code)
		}
		for _, text := range []string{r.Text, r.Markdown, r.Issue} {
			if strings.Contains(text, plaintext) || !strings.Contains(text, "secret") {
				t.Errorf("%s: it is in, or nothing is said of it in\n%s", name, text)
			}
		}
	}
}

// TestSecretNumbersAreNeverShown, though no text can be looked for.
func TestSecretNumbersAreNeverShown(t *testing.T) {
	for name, more := range map[string]object{
		"outputs": {"outputs": object{"pin": "[secret]"}}, "additional": {"additionalSecretOutputs": []any{"pin"}},
	} {
		r := reviewed(t, Options{}, step("update", "aws:a/b:B", "x", object{"pin": 1111, "on": true}, object{"pin": 98765, "on": false}, more))
		has(t, r.Full, "`pin` changes; it is secret", "`on`: `true` → `false`", "not 98765")
		if t.Failed() {
			t.Log(name)
		}
	}
}

// TestWhatOneStateHidesIsHiddenEverywhere: a value that is becoming a secret, in other resources, names and messages too.
func TestWhatOneStateHidesIsHiddenEverywhere(t *testing.T) {
	document := object{"steps": []any{
		step("update", "aws:a/b:B", "x", object{"a": plaintext}, object{"a": "[secret]"}),
		step("update", "aws:a/b:B", "y", object{"url": "old"}, object{"url": "https://u:" + plaintext + "@example.com"}),
		step("delete", "aws:ecr/repository:Repository", plaintext, object{"b": "1"}, nil),
	}, "diagnostics": []any{object{"message": "cannot log in with " + plaintext, "severity": "error"}}}
	r := Review(readPreview(t, jsonOf(t, document)), Options{Allow: []string{plaintext + "x"}})
	for _, text := range append(r.Problems, r.Markdown, r.Full) {
		if strings.Contains(text, plaintext) {
			t.Errorf("it is in\n%s", text)
		}
	}
	has(t, r.Full, "`https://u:[secret]@example.com`")
}

// TestSecretPathsAreHiddenAnywhere: a random object with a secret at a random path on one side.
func TestSecretPathsAreHiddenAnywhere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		path := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b c", "d.e", "[]", `f"`, "json"}), 1, 4).Draw(rt, "path")
		side := func(leaf any) object {
			for i := len(path) - 1; i >= 0; i-- {
				switch path[i] {
				case "[]":
					leaf = []any{leaf, "other"}
				case "json":
					leaf = jsonOf(t, object{"k": leaf})
				default:
					leaf = object{path[i]: leaf, "z": "1"}
				}
			}
			return object{"root": leaf}
		}
		sides := []object{side("[secret]"), side(plaintext)}
		if rapid.Bool().Draw(rt, "swap") {
			sides[0], sides[1] = sides[1], sides[0]
		}
		r := reviewed(t, Options{}, step("update", "aws:a/b:B", "x", sides[0], sides[1]))
		if strings.Contains(r.Full, plaintext) {
			rt.Fatalf("at %q it is in\n%s", path, r.Full)
		}
	})
}

func TestDifferences(t *testing.T) {
	s := step("update", "aws:a/b:B", "x",
		object{"same": "1", "list": []any{"a", "b"}, "gone": true, "policy": `{"n": 30, "same": 1}`, "spaces": `{"a":1}`, "__defaults": []any{"x"}},
		object{"same": "1", "list": []any{"a", "c"}, "odd.key": json.Number("1.50"), "policy": `{"n":40,"same":1}`, "spaces": `{ "a": 1 }`, "later": "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "__defaults": []any{}})
	has(t, reviewed(t, Options{}, s).Markdown,
		"  - `gone`: `true` → not set\n  - `later`: not set → known later\n  - `list[1]`: `b` → `c`\n  - `[\"odd.key\"]`: not set → `1.50`\n  - `policy.n`: `30` → `40`\n",
		"not spaces", "not __defaults", "not same")
	lists := step("update", "aws:a/b:B", "x", object{"l": []any{"a", "b", "c", "b"}}, object{"l": []any{"b", "d", "e"}})
	has(t, reviewed(t, Options{}, lists).Markdown,
		"  - `l[0]`: `a` → not set\n  - `l[2]`: `c` → not set\n  - `l[3]`: `b` → not set\n  - `l[1]`: not set → `d`\n  - `l[2]`: not set → `e`\n")
}
