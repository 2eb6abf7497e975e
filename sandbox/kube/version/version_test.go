package version

import (
	"os"
	"strings"
	"testing"
)

func TestVersionIsTheOneInGoMod(t *testing.T) {
	b, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "\tk8s.io/kubernetes "+Kubernetes+"\n") {
		t.Errorf("go.mod does not require k8s.io/kubernetes %s", Kubernetes)
	}
	if want := "k8s.io/component-base/version.gitMinor=36"; !strings.Contains(LDFlags(), want) {
		t.Errorf("LDFlags() = %q, lacks %s", LDFlags(), want)
	}
}
