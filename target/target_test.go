package target_test

import (
	"testing"

	"github.com/slipway-iac/slipway/target"
)

// Each type says all that hangs at it, and nothing of it without the rest.
func TestTypes(t *testing.T) {
	for _, name := range append(target.Types(), "", "pods") {
		kind := target.Type(name)
		if kind.Pods() != (kind.Binding() != "") || kind.Pods() != (kind.ReadinessGate() != "") || kind.Pods() != (kind.Drain(30) > 30) {
			t.Errorf("%q: pods %v, binding %q, gate %q, drain %d", name, kind.Pods(), kind.Binding(), kind.ReadinessGate(), kind.Drain(30))
		}
	}
	if got := target.IP.Drain(30); got != 40 {
		t.Errorf("serves for %d s on the way out", got)
	}
}
