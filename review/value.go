package review

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// hidden is a value that the state says is secret, unknown one that is known only when what it depends on exists.
type (
	hidden  struct{}
	unknown struct{}
)

const hiddenText = "[secret]"

// The marks with which Pulumi writes values that JSON has no word for: sdk/go/common/resource/sig and .../plugin/rpc.go.
const (
	signature         = "4dabf18193072939515e22adb298388d"
	resourceReference = "5cf8f73096256a8f31e491e813e4eb8e"
	outputValue       = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
	assetValue        = "c44067f5952c0a294b673a41bacd8c17"
	archiveValue      = "0def7320c3a5731c473e5ecbe6d01bc7"
)

var unknownValues = map[string]bool{
	"1c4a061d-8072-4f0a-a4cb-0ff528b18fe7": true, "3eeb2bf0-c639-47a8-9e75-3b44932eb421": true, "04da6b54-80e4-46f7-96ec-b56ff0331ba9": true,
	"6a19a0b0-7e62-4c92-b797-7f8e31da9cc2": true, "030794c1-ac77-496b-92df-f27374a8bd58": true, "e48ece36-62e2-4504-bad9-02848725956a": true,
	"dd056dcd-154b-4c76-9bd3-c8f88648b5ff": true,
}

// clean is a value of a state with its secrets and unknown parts told apart.
func clean(v any) any {
	switch v := v.(type) {
	case string:
		if unknownValues[v] {
			return unknown{}
		}
		if v == hiddenText {
			return hidden{}
		}
	case []any:
		for i := range v {
			v[i] = clean(v[i])
		}
	case map[string]any:
		if kind, marked := v[signature]; marked {
			return cleanMarked(kind, v)
		}
		for k := range v {
			v[k] = clean(v[k])
		}
	}
	return v
}

// cleanMarked reads what Pulumi has marked; what it does not know is taken for a secret.
func cleanMarked(kind any, v map[string]any) any {
	switch kind {
	case resourceReference:
		if id, ok := v["id"].(string); ok && id != "" {
			return clean(id)
		}
		return fmt.Sprint(v["urn"])
	case outputValue:
		if secret, _ := v["secret"].(bool); secret {
			return hidden{}
		}
		if inner, known := v["value"]; known {
			return clean(inner)
		}
		return unknown{}
	case assetValue:
		return fmt.Sprintf("asset %v", v["hash"])
	case archiveValue:
		return fmt.Sprintf("archive %v", v["hash"])
	}
	return hidden{}
}

// cleanMap is clean for the inputs or outputs of a resource.
func cleanMap(m map[string]any) map[string]any {
	for k, v := range m {
		m[k] = clean(v)
	}
	return m
}

// at is the value below m at a path of keys and indices, nil where there is none.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// text is the value at a path where it is a string.
func text(v any, path ...any) string { s, _ := at(v, path...).(string); return s }

// number is the value at a path where it is a number.
func number(v any, path ...any) (float64, bool) {
	n, ok := at(v, path...).(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// shown is a value in words: a string as it is, all else as JSON with secrets and unknown parts named.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case hidden:
		return hiddenText
	case unknown:
		return "known later"
	case string:
		if strings.Contains(v, hiddenText) {
			return hiddenText
		}
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(plain(v)); err != nil {
		return hiddenText
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// plain is v in values that JSON knows.
func plain(v any) any {
	switch v := v.(type) {
	case hidden, unknown:
		return shown(v)
	case string:
		return shown(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = plain(v[k])
		}
		return out
	}
	return v
}
