package review

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Difference is one value that differs between two states. Secrets are hidden already.
type Difference struct {
	// Path is written as Pulumi does: spec.containers[0].image.
	Path string
	// Old and New are nil where there is no value.
	Old, New any
}

var simpleKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// key is the path of a key below path.
func key(path, k string) string {
	switch {
	case !simpleKey.MatchString(k):
		return path + fmt.Sprintf("[%q]", k)
	case path == "":
		return k
	}
	return path + "." + k
}

// differences are the inputs of a step that differ, in the order of their paths.
func (s Step) differences() []Difference {
	var before, after map[string]any
	if s.Old != nil {
		before = s.Old.Inputs
	}
	if s.New != nil {
		after = s.New.Inputs
	}
	d := differ{secrets: secretsOf(s)}
	d.object("", before, after)
	return d.found
}

type differ struct {
	secrets secrets
	found   []Difference
}

func (d *differ) object(path string, before, after map[string]any) {
	keys := maps.Clone(after)
	if keys == nil {
		keys = map[string]any{}
	}
	maps.Copy(keys, before)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		// What a provider notes for itself: __defaults, __internal, __fieldManager.
		if !strings.HasPrefix(k, "__") {
			d.value(key(path, k), before[k], after[k])
		}
	}
}

func (d *differ) value(path string, before, after any) {
	if reflect.DeepEqual(before, after) {
		return
	}
	if !d.secrets.covers(path) {
		switch b := before.(type) {
		case map[string]any:
			if a, ok := after.(map[string]any); ok {
				d.object(path, b, a)
				return
			}
		case []any:
			if a, ok := after.([]any); ok && len(a) == len(b) {
				for i := range a {
					d.value(fmt.Sprintf("%s[%d]", path, i), b[i], a[i])
				}
				return
			} else if ok && scalars(a) && scalars(b) {
				d.elements(path, b, a)
				return
			}
		case string:
			a, _ := after.(string)
			x, xok := inJSON(b)
			y, yok := inJSON(a)
			if xok && yok && reflect.TypeOf(x) == reflect.TypeOf(y) {
				if reflect.DeepEqual(x, y) {
					return // the same but for spaces
				}
				d.value(path, x, y)
				return
			}
		}
	}
	d.found = append(d.found, Difference{path, d.secrets.masked(path, before), d.secrets.masked(path, after)})
}

// elements are those that left a list, by their old index, and those that came, by their new one.
func (d *differ) elements(path string, before, after []any) {
	gone := func(from, of []any) (at []int) {
		count := map[any]int{}
		for _, v := range of {
			count[v]++
		}
		for i, v := range from {
			if count[v]--; count[v] < 0 {
				at = append(at, i)
			}
		}
		return at
	}
	for _, i := range gone(before, after) {
		d.value(fmt.Sprintf("%s[%d]", path, i), before[i], nil)
	}
	for _, i := range gone(after, before) {
		d.value(fmt.Sprintf("%s[%d]", path, i), nil, after[i])
	}
}

func scalars(l []any) bool {
	return !slices.ContainsFunc(l, func(v any) bool {
		switch v.(type) {
		case map[string]any, []any:
			return true
		}
		return false
	})
}

// under says whether path a is at or under path b.
func under(a, b string) bool {
	return strings.HasPrefix(a, b) && (len(a) == len(b) || a[len(b)] == '.' || a[len(b)] == '[')
}

// below says whether path is at or under top, or top under it.
func below(path, top string) bool { return under(path, top) || under(top, path) }

// causes are the differences that force a replacement. Where a provider found the difference against what it has made, not against the
// old inputs, the old value is the resource's output.
func (s Step) causes() []Difference {
	var tops []string
	for path, kind := range s.Detailed {
		if strings.HasSuffix(kind, "-replace") {
			tops = append(tops, path)
		}
	}
	for _, r := range s.Reasons {
		if !slices.ContainsFunc(tops, func(t string) bool { return below(t, r) }) {
			tops = append(tops, r)
		}
	}
	slices.Sort(tops)
	all := s.differences()
	if len(tops) == 0 {
		return s.withoutMadeUp(all)
	}
	var found []Difference
	for _, top := range tops {
		n := len(found)
		for _, d := range all {
			if below(d.Path, top) && !slices.ContainsFunc(found, func(f Difference) bool { return f.Path == d.Path }) {
				found = append(found, d)
			}
		}
		if len(found) == n && !slices.ContainsFunc(found, func(f Difference) bool { return below(f.Path, top) }) {
			found = append(found, s.against(top))
		}
	}
	return s.withoutMadeUp(found)
}

// withoutMadeUp leaves out names that the engine makes up anew for the new resource, where there is another cause.
func (s Step) withoutMadeUp(all []Difference) []Difference {
	made := func(st *State, path string) bool {
		l, _ := at(st.Inputs, "__defaults").([]any)
		return slices.ContainsFunc(l, func(v any) bool { return v == path })
	}
	var rest []Difference
	for _, d := range all {
		if s.Old == nil || s.New == nil || !made(s.Old, d.Path) || !made(s.New, d.Path) {
			rest = append(rest, d)
		}
	}
	if len(rest) == 0 {
		return all
	}
	return rest
}

// against is the difference at a path between what is there and what is asked for.
func (s Step) against(path string) Difference {
	x := secretsOf(s)
	d := Difference{Path: path}
	if s.Old != nil {
		d.Old = lookup(s.Old.Outputs, path)
		if d.Old == nil {
			d.Old = lookup(s.Old.Inputs, path)
		}
	}
	if s.New != nil {
		d.New = lookup(s.New.Inputs, path)
	}
	d.Old, d.New = x.masked(path, d.Old), x.masked(path, d.New)
	return d
}

// lookup is the value at a written path. What is below a secret or an unknown value is that.
func lookup(v any, path string) any {
	for path != "" {
		switch v.(type) {
		case hidden, unknown:
			return v
		}
		var next any
		switch {
		case strings.HasPrefix(path, `["`):
			end := strings.Index(path, `"]`)
			if end < 0 {
				return nil
			}
			var k string
			if json.Unmarshal([]byte(path[1:end+1]), &k) != nil {
				return nil
			}
			next, path = at(v, k), path[end+2:]
		case path[0] == '[':
			var i int
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return nil
			}
			if _, err := fmt.Sscanf(path[:end+1], "[%d]", &i); err != nil || i < 0 {
				return nil
			}
			next, path = at(v, i), path[end+1:]
		default:
			path = strings.TrimPrefix(path, ".")
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			next, path = at(v, path[:end]), path[end:]
		}
		v = next
	}
	return v
}
