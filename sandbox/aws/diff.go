package aws

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// change is one difference between the inputs of before and now.
type change struct {
	path    string
	kind    pulumirpc.PropertyDiff_Kind
	replace bool
}

// changes compares objects property by property.
func changes(path string, props map[string]Prop, before, now map[string]any, replace bool) []change {
	names := map[string]bool{}
	for k := range before {
		names[k] = true
	}
	for k := range now {
		names[k] = true
	}
	var out []change
	for _, name := range slices.Sorted(maps.Keys(names)) {
		p := props[name]
		b, n := before[name], now[name]
		if n == nil && p.Computed {
			continue // left to AWS now: what AWS has stays
		}
		out = append(out, valueChanges(join(path, name), p, b, n, replace || p.Replace)...)
	}
	return out
}

func valueChanges(path string, p Prop, b, n any, replace bool) []change {
	switch {
	case same(p, b, n):
		return nil
	case b == nil:
		return []change{{path, pulumirpc.PropertyDiff_ADD, replace}}
	case n == nil:
		return []change{{path, pulumirpc.PropertyDiff_DELETE, replace || p.ReplaceIfRemoved}}
	}
	bm, bok := b.(map[string]any)
	nm, nok := n.(map[string]any)
	if bok && nok {
		props := p.Fields
		if props == nil {
			props = map[string]Prop{}
			for _, m := range []map[string]any{bm, nm} {
				for k := range m {
					if p.Elem != nil {
						props[k] = *p.Elem
					}
				}
			}
		}
		return changes(path, props, bm, nm, replace)
	}
	bl, bok := b.([]any)
	nl, nok := n.([]any)
	if bok && nok && p.Kind == List {
		var elem Prop
		if p.Elem != nil {
			elem = *p.Elem
		}
		var out []change
		for i := range max(len(bl), len(nl)) {
			var be, ne any
			if i < len(bl) {
				be = bl[i]
			}
			if i < len(nl) {
				ne = nl[i]
			}
			out = append(out, valueChanges(fmt.Sprintf("%s[%d]", path, i), elem, be, ne, replace || elem.Replace)...)
		}
		return out
	}
	return []change{{path, pulumirpc.PropertyDiff_UPDATE, replace}}
}

// same tells whether two values mean the same to AWS.
func same(p Prop, b, n any) bool {
	if _, ok := n.(unknown); ok {
		return false
	}
	switch p.Kind {
	case JSON:
		bs, bok := b.(string)
		ns, nok := n.(string)
		var bv, nv any
		if bok && nok && json.Unmarshal([]byte(bs), &bv) == nil && json.Unmarshal([]byte(ns), &nv) == nil {
			return reflect.DeepEqual(bv, nv)
		}
	case Set:
		bl, bok := b.([]any)
		nl, nok := n.([]any)
		if bok && nok {
			return len(bl) == len(nl) && subset(bl, nl) && subset(nl, bl)
		}
	}
	return reflect.DeepEqual(b, n)
}

func subset(a, b []any) bool {
	return !slices.ContainsFunc(a, func(x any) bool {
		return !slices.ContainsFunc(b, func(y any) bool { return reflect.DeepEqual(x, y) })
	})
}
