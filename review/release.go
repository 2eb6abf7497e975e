package review

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Types of this library whose inputs say what the program decides.
const (
	appType      = "slipway:index:AppDeployment"
	doorType     = "slipway:index:HttpsLoadBalancer"
	fleetType    = "slipway:index:HaproxyFleet"
	scheduleType = "slipway:index:NodeScalingSchedule"
	clusterType  = "slipway:index:EksCluster"
)

// move is one thing of a release, before and after.
type move struct {
	// what it is, in our words or by the path of an input, and of which resource.
	what, path string
	of         string
	old, new   string
	// in is the repository of an image that does not change.
	in string
	// note is what that means, in plain words.
	note string
}

// release is what the program decides anew: images, the stage of a migration, node groups and their schedule. It returns the number of
// images that stay as they are too.
func (p *plan) release() (moves []move, same int) {
	inApps := map[URN]bool{}
	for _, s := range p.Steps {
		if s.URN.Type() == appType {
			inApps[s.URN] = true
		}
	}
	for _, s := range p.Steps {
		switch s.URN.Type() {
		case appType:
			m, n := imagesOf(s, "")
			moves, same = append(moves, m...), same+n
		case "kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet", "kubernetes:apps/v1:DaemonSet":
			if st := s.state(); st != nil && !inApps[st.Parent] {
				m, n := imagesOf(s, "spec.template.spec.")
				moves, same = append(moves, m...), same+n
			}
		}
	}
	for _, s := range p.Steps {
		if t := s.URN.Type(); t == doorType || t == fleetType {
			moves = append(moves, stagesOf(s)...)
		}
	}
	for _, s := range p.Steps {
		if s.Op != "update" {
			continue
		}
		switch s.URN.Type() {
		case clusterType:
			for _, d := range s.differences() {
				if below(d.Path, "nodeGroups") || d.Path == "version" {
					moves = append(moves, move{path: d.Path, of: s.URN.Name(), old: shown(d.Old), new: shown(d.New)})
				}
			}
		case scheduleType:
			for _, d := range s.differences() {
				if d.Path != "autoScalingGroupName" {
					moves = append(moves, move{path: d.Path, of: s.URN.Name(), old: shown(d.Old), new: shown(d.New)})
				}
			}
		}
	}
	return moves, same
}

// imagesOf are the images of an app or a workload that are not the same before and after.
func imagesOf(s Step, prefix string) (moves []move, same int) {
	before, after := images(s, s.Old, prefix), images(s, s.New, prefix)
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, of := range slices.Sorted(maps.Keys(names)) {
		if before[of] == after[of] {
			same++
			continue
		}
		m := move{what: "image", of: of, old: orNone(before[of]), new: orNone(after[of])}
		if strings.Contains(m.new, ":") && !strings.Contains(m.new, "@") {
			m.note = "a tag, not a digest"
		}
		if r := repository(m.old); r != "" && r == repository(m.new) {
			m.in, m.old, m.new = r, strings.TrimPrefix(m.old, r)[1:], strings.TrimPrefix(m.new, r)[1:]
		}
		moves = append(moves, m)
	}
	return moves, same
}

func images(s Step, st *State, prefix string) map[string]string {
	found := map[string]string{}
	if st == nil {
		return found
	}
	x := secretsOf(s)
	add := func(of, path string) {
		if v := lookup(st.Inputs, path); v != nil {
			found[of] = shown(x.masked(path, v))
		}
	}
	name := s.URN.Name()
	if prefix == "" {
		add(name, "image")
	}
	for _, list := range []string{"containers", "initContainers", "sidecars"} {
		all, _ := lookup(st.Inputs, prefix+list).([]any)
		for i, c := range all {
			add(name+" "+shown(at(c, "name")), fmt.Sprintf("%s%s[%d].image", prefix, list, i))
		}
	}
	return found
}

// repository is an image's reference without its tag and digest, empty where it has neither.
func repository(image string) string {
	r, _, digest := strings.Cut(image, "@")
	if i := strings.LastIndex(r, ":"); i > strings.LastIndex(r, "/") {
		return r[:i]
	}
	if digest {
		return r
	}
	return ""
}

// stagesOf are the stages of a migration that move: the whole system's, and those of routes that have their own.
func stagesOf(s Step) []move {
	stages := func(st *State) map[string]string {
		found := map[string]string{}
		if st == nil {
			return found
		}
		if v := at(st.Inputs, "migration", "stage"); v != nil {
			found[s.URN.Name()] = shown(v)
		}
		routes, _ := at(st.Inputs, "migration", "routes").(map[string]any)
		for k, v := range routes {
			found[s.URN.Name()+" route "+k] = shown(v)
		}
		return found
	}
	before, after := stages(s.Old), stages(s.New)
	names := maps.Clone(before)
	maps.Copy(names, after)
	var moves []move
	for _, of := range slices.Sorted(maps.Keys(names)) {
		if before[of] != after[of] {
			moves = append(moves, move{what: "migration", of: of, old: orNone(before[of]), new: orNone(after[of]), note: stageNote(after[of])})
		}
	}
	return moves
}

func orNone(s string) string {
	if s == "" {
		return shown(nil)
	}
	return s
}

// stageNote says where the requests go at a stage.
func stageNote(stage string) string {
	word, share, _ := strings.Cut(stage, " ")
	switch word {
	case "legacy":
		return "all requests go to the old system"
	case "canary", "split":
		if n, err := strconv.Atoi(share); err == nil {
			return fmt.Sprintf("%d %% of the requests go to the new system, %d %% to the old one", n, 100-n)
		}
	case "drain-legacy":
		return "all requests go to the new system; the old one is still there to go back to"
	case "done", "":
		return "the old system is out of the door"
	}
	return ""
}
