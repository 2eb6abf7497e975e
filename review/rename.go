package review

import (
	"reflect"
	"slices"
	"strings"
)

// rename finds resources that are deleted and made again elsewhere: the same name below another parent, the same address in the cloud, or
// the same inputs under another name. Each is one resource for which an alias was forgotten. Where more than one fits nothing is said.
func (p *plan) rename() {
	var gone, made []*change
	for _, c := range p.changes {
		switch c.kind {
		case deleted:
			gone = append(gone, c)
		case created:
			made = append(made, c)
		}
	}
	taken := map[*change]bool{}
	for _, same := range []func(old, new *change) bool{
		func(old, new *change) bool { return old.URN.Name() == new.URN.Name() },
		func(old, new *change) bool { return address(old.Old) != "" && address(old.Old) == address(new.New) },
		func(old, new *change) bool { return alike(old.Old, new.New) },
	} {
		pairs := map[*change][]*change{}
		back := map[*change]int{}
		for _, old := range gone {
			for _, new := range made {
				if old.moved == "" && !taken[new] && old.URN.Type() == new.URN.Type() && same(old, new) {
					pairs[old] = append(pairs[old], new)
					back[new]++
				}
			}
		}
		for _, old := range gone {
			if fits := pairs[old]; len(fits) == 1 && back[fits[0]] == 1 {
				old.moved, taken[fits[0]] = fits[0].URN, true
			}
		}
	}
}

// address is the name by which the cloud knows a resource, where the program gave it one.
func address(s *State) string {
	if s == nil {
		return ""
	}
	given := func(k string) bool {
		made, _ := s.Inputs["__defaults"].([]any)
		return text(s.Inputs, k) != "" && !slices.ContainsFunc(made, func(v any) bool { return v == k })
	}
	for _, k := range []string{"name", "bucket", "clusterName", "nodeGroupName", "identifier", "clusterIdentifier"} {
		if given(k) {
			return k + " " + text(s.Inputs, k)
		}
	}
	if name := text(s.Inputs, "metadata", "name"); name != "" {
		return text(s.Inputs, "metadata", "namespace") + "/" + name
	}
	return ""
}

// alike says whether two resources have the same inputs, but for names that were made up, tags, and what is known of the new one only
// later. At least one input has to be there to be the same.
func alike(old, new *State) bool {
	if old == nil || new == nil {
		return false
	}
	skip := map[string]bool{"tags": true, "tagsAll": true}
	for _, s := range []*State{old, new} {
		made, _ := s.Inputs["__defaults"].([]any)
		for _, k := range made {
			skip[shown(k)] = true
		}
	}
	same := 0
	for k, v := range new.Inputs {
		if _, later := v.(unknown); skip[k] || strings.HasPrefix(k, "__") || later {
			continue
		}
		if !reflect.DeepEqual(v, old.Inputs[k]) {
			return false
		}
		same++
	}
	for k := range old.Inputs {
		if _, there := new.Inputs[k]; !there && !skip[k] && !strings.HasPrefix(k, "__") {
			return false
		}
	}
	return same > 0
}
