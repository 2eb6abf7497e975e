package kubernetes

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// step is one step of a path: a key, or an index of a list.
type step struct {
	key   string
	index int
	list  bool
}

type path []step

func (p path) String() string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case s.list:
			fmt.Fprintf(&b, "[%d]", s.index)
		case strings.ContainsAny(s.key, `."[]`):
			fmt.Fprintf(&b, `["%s"]`, strings.ReplaceAll(s.key, `"`, `\"`))
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.key)
		}
	}
	return b.String()
}

func (p path) key(k string) path { return append(slices.Clip(p), step{key: k}) }

func (p path) at(i int) path { return append(slices.Clip(p), step{index: i, list: true}) }

// comparison collects differences between two objects by path.
type comparison struct {
	forceNew [][]string
	found    map[string]*pulumirpc.PropertyDiff
}

// compare tells what differs, property by property; forceNew are the fields whose change makes a new object.
func compare(before, after map[string]any, forceNew []string) map[string]*pulumirpc.PropertyDiff {
	c := &comparison{found: map[string]*pulumirpc.PropertyDiff{}}
	for _, f := range forceNew {
		c.forceNew = append(c.forceNew, strings.Split(strings.ReplaceAll(f, "[*]", ".*"), "."))
	}
	c.maps(nil, before, after)
	return c.found
}

func (c *comparison) maps(p path, before, after map[string]any) {
	for _, k := range slices.Sorted(maps.Keys(after)) {
		if old, ok := before[k]; ok {
			c.values(p.key(k), old, after[k])
		} else {
			c.add(p.key(k), pulumirpc.PropertyDiff_ADD, after[k])
		}
	}
	for _, k := range slices.Sorted(maps.Keys(before)) {
		if _, ok := after[k]; !ok {
			c.add(p.key(k), pulumirpc.PropertyDiff_DELETE, before[k])
		}
	}
}

func (c *comparison) lists(p path, before, after []any) {
	for i := range min(len(before), len(after)) {
		c.values(p.at(i), before[i], after[i])
	}
	for i := len(before); i < len(after); i++ {
		c.add(p.at(i), pulumirpc.PropertyDiff_ADD, after[i])
	}
	for i := len(after); i < len(before); i++ {
		c.add(p.at(i), pulumirpc.PropertyDiff_DELETE, before[i])
	}
}

func (c *comparison) values(p path, before, after any) {
	switch next := after.(type) {
	case map[string]any:
		if old, is := before.(map[string]any); is {
			c.maps(p, old, next)
			return
		}
	case []any:
		if old, is := before.([]any); is {
			c.lists(p, old, next)
			return
		}
	default:
		if equal(before, after) {
			return
		}
	}
	c.add(p, pulumirpc.PropertyDiff_UPDATE, after)
}

func (c *comparison) add(p path, kind pulumirpc.PropertyDiff_Kind, value any) {
	d := &pulumirpc.PropertyDiff{Kind: kind, InputDiff: kind == pulumirpc.PropertyDiff_DELETE}
	for _, field := range c.forceNew {
		if touches(field, p, value) {
			d.Kind = map[pulumirpc.PropertyDiff_Kind]pulumirpc.PropertyDiff_Kind{
				pulumirpc.PropertyDiff_ADD:    pulumirpc.PropertyDiff_ADD_REPLACE,
				pulumirpc.PropertyDiff_DELETE: pulumirpc.PropertyDiff_DELETE_REPLACE,
				pulumirpc.PropertyDiff_UPDATE: pulumirpc.PropertyDiff_UPDATE_REPLACE,
			}[kind]
			break
		}
	}
	c.found[p.String()] = d
}

// touches tells whether a change of value at a path changes the field: it lies in the field, or contains it.
func touches(field []string, p path, value any) bool {
	for i, f := range field {
		if i < len(p) {
			if f == "*" && p[i].list || !p[i].list && p[i].key == f {
				continue
			}
			return false
		}
		switch v := value.(type) {
		case map[string]any:
			inner, ok := v[f]
			if !ok {
				return false
			}
			value = inner
		case []any:
			if f != "*" {
				return false
			}
			return slices.ContainsFunc(v, func(e any) bool { return touches(field[i+1:], nil, e) })
		default:
			return false
		}
	}
	return true
}

func equal(a, b any) bool {
	x, isX := number(a)
	y, isY := number(b)
	if isX && isY {
		return x == y
	}
	return reflect.DeepEqual(a, b)
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	default:
		return 0, false
	}
}
