package review

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// written says who wrote a field of an object of Kubernetes last: the API server keeps that in metadata.managedFields.
// https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
type written struct {
	manager, at string
	// holds says that the field is not given back: an apply by the stack is refused unless it is forced.
	holds bool
}

// yields are the field managers from which the Kubernetes provider takes fields over before it applies: pulumi-kubernetes 4, await.go,
// fixCSAFieldManagers. All others, kubectl's edit, patch, set and scale among them, make its apply fail.
var yields = []string{"kubectl", "before-first-apply", "pulumi-kubernetes", "pulumi-kubernetes.exe", "pulumi-resource-kubernetes"}

// wrote are the managers that hold what was found, the last one first.
func (f *stray) wrote() []written {
	if !strings.HasPrefix(f.URN.Type(), "kubernetes:") {
		return nil
	}
	own := text(f.New.Outputs, "__fieldManager")
	entries, _ := at(f.New.Outputs, "metadata", "managedFields").([]any)
	var all []written
	for _, e := range entries {
		manager, sub := text(e, "manager"), text(e, "subresource")
		if manager == own || !slices.ContainsFunc(f.values, func(d Difference) bool { return owns(at(e, "fieldsV1"), f.New.Outputs, d.Path) }) {
			continue
		}
		all = append(all, written{manager, text(e, "time"), sub != "" || !slices.Contains(yields, manager)})
	}
	slices.SortStableFunc(all, func(a, b written) int {
		return cmp.Or(strings.Compare(b.at, a.at), strings.Compare(a.manager, b.manager))
	})
	return all
}

// owns says whether a set of fields, as managedFields has it, has the one at a path of the object, what is above it as a whole, or something
// below it.
func owns(fields, object any, path string) bool {
	for path != "" {
		set, _ := fields.(map[string]any)
		if set == nil {
			return false
		}
		if len(set) == 0 {
			return true
		}
		step, rest := firstStep(path)
		object, path = lookup(object, step), rest
		switch {
		case strings.HasPrefix(step, `["`):
			var name string
			if json.Unmarshal([]byte(strings.Trim(step, "[]")), &name) != nil {
				return false
			}
			fields = set["f:"+name]
		case step[0] == '[':
			fields = nil
			for k, below := range set {
				if element(k, object) {
					fields = below
				}
			}
		default:
			fields = set["f:"+strings.TrimPrefix(step, ".")]
		}
	}
	return fields != nil
}

// firstStep cuts a written path behind its first key or index.
func firstStep(path string) (step, rest string) {
	end := len(path)
	switch {
	case strings.HasPrefix(path, `["`):
		if i := strings.Index(path, `"]`); i >= 0 {
			end = i + 2
		}
	case path[0] == '[':
		if i := strings.IndexByte(path, ']'); i >= 0 {
			end = i + 1
		}
	default:
		if i := strings.IndexAny(path[1:], ".["); i >= 0 {
			end = i + 1
		}
	}
	return path[:end], path[end:]
}

// element says whether a key of managedFields names the element of a list: k:{"name":"x"} by its keys, v:"x" by its value.
func element(k string, v any) bool {
	kind, what, _ := strings.Cut(k, ":")
	var want any
	d := json.NewDecoder(strings.NewReader(what))
	d.UseNumber()
	if d.Decode(&want) != nil {
		return false
	}
	switch kind {
	case "k":
		keys, _ := want.(map[string]any)
		for name, value := range keys {
			if shown(at(v, name)) != shown(value) {
				return false
			}
		}
		return len(keys) > 0
	case "v":
		return shown(v) == shown(want)
	}
	return false
}
