package ci

import (
	"slices"
	"strings"
	"testing"
)

// TestEveryRightIsHeldToSomething, or says why it cannot be.
func TestEveryRightIsHeldToSomething(t *testing.T) {
	sids := map[string]bool{}
	for _, r := range rights() {
		wide := slices.Equal(r.on, everything)
		if wide != (r.why != "") {
			t.Errorf("%s: %q on %v", r.sid, r.why, r.on)
		}
		if key := r.part + " " + r.sid; sids[key] {
			t.Errorf("%s is there twice", key)
		} else {
			sids[key] = true
		}
		if strings.ContainsAny(r.actions+r.service, "*?") {
			t.Errorf("%s allows what it does not name: %s", r.sid, r.actions)
		}
		if descriptions[r.part] == "" {
			t.Errorf("%s is in no part: %q", r.sid, r.part)
		}
		words := strings.Fields(r.actions)
		if !slices.IsSorted(words) || len(slices.Compact(slices.Clone(words))) != len(words) {
			t.Errorf("%s: its actions are not in order, or twice there: %s", r.sid, r.actions)
		}
		// EC2, the load balancers and Auto Scaling hold no reading action to a resource.
		for _, a := range words {
			if !wide && strings.HasPrefix(a, "Describe") && slices.Contains([]string{"ec2", "elasticloadbalancing", "autoscaling"}, r.service) {
				t.Errorf("%s: %s:%s is never allowed on anything but *", r.sid, r.service, a)
			}
		}
	}
}

// TestReadingWrites nothing: what the roles of pull requests and of drift may do begins with a word for looking, or is named here.
func TestReadingWritesNothing(t *testing.T) {
	exceptions := map[string]string{
		"kms:Decrypt": "the state's secrets are opened; the key gives nothing away, and changes nothing",
	}
	for _, r := range rights() {
		if r.part != partRead || r.deny {
			continue
		}
		for _, a := range strings.Fields(r.actions) {
			looks := slices.ContainsFunc([]string{"BatchGet", "Describe", "Get", "List"}, func(verb string) bool { return strings.HasPrefix(a, verb) })
			if !looks && exceptions[r.service+":"+a] == "" {
				t.Errorf("%s:%s does not only read", r.service, a)
			}
		}
	}
}
