package week

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// reader takes values out of recorded inputs, and keeps what is wrong with them.
type reader struct {
	of       string
	problems []string
}

func (r *reader) addf(path, format string, a ...any) {
	r.problems = append(r.problems, fmt.Sprintf("%s: %s %s", r.of, path, fmt.Sprintf(format, a...)))
}

// value is what stands at a key; ok is false where nothing does.
func value(m map[string]any, key string) (v any, ok bool) {
	v, ok = m[key]
	return v, ok && v != nil
}

// number wants a whole number. Where required is false, none is 0.
func (r *reader) number(m map[string]any, path, key string, required bool) int {
	v, ok := value(m, key)
	if !ok {
		if required {
			r.addf(path+key, "is not there")
		}
		return 0
	}
	var f float64
	switch v := v.(type) {
	case float64:
		f = v
	case int:
		f = float64(v)
	case json.Number:
		n, err := v.Float64()
		if err != nil {
			f = math.NaN()
		} else {
			f = n
		}
	case string, bool, []any, map[string]any:
		f = math.NaN()
	default:
		r.addf(path+key, "is not known before the stack is there, or secret")
		return 0
	}
	if f != math.Trunc(f) || math.Abs(f) > 1<<31 {
		r.addf(path+key, "is %q, must be a whole number", fmt.Sprint(v))
		return 0
	}
	return int(f)
}

// text wants a string. Where required is false, none is "".
func (r *reader) text(m map[string]any, path, key string, required bool) string {
	v, ok := value(m, key)
	if !ok {
		if required {
			r.addf(path+key, "is not there")
		}
		return ""
	}
	return r.asText(v, path+key)
}

func (r *reader) asText(v any, path string) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case int, bool, []any, map[string]any:
		r.addf(path, "is %q, must be a text", fmt.Sprint(v))
	default:
		r.addf(path, "is not known before the stack is there, or secret")
	}
	return ""
}

// object wants a map; ok is false where there is none.
func (r *reader) object(m map[string]any, path, key string) (o map[string]any, ok bool) {
	v, there := value(m, key)
	if !there {
		return nil, false
	}
	o, ok = v.(map[string]any)
	if !ok {
		r.addf(path+key, "is not known before the stack is there, or no object")
	}
	return o, ok
}

// list wants a list; none is an empty one.
func (r *reader) list(m map[string]any, path, key string) []any {
	v, there := value(m, key)
	if !there {
		return nil
	}
	l, ok := v.([]any)
	if !ok {
		r.addf(path+key, "is not known before the stack is there, or no list")
	}
	return l
}
