// Package test holds what no single package can show: who may import whom, and the whole stack on the sandbox.
package test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/slipway-iac/slipway"

// closure is every package that an importer of pkg compiles.
func closure(t *testing.T, pkg string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", pkg).Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}

// TestImportersCompileOnlyWhatTheyUse holds the reason why each component is a package of its own: the ec2 package alone takes
// 3 GB of memory and a minute and a half to compile.
func TestImportersCompileOnlyWhatTheyUse(t *testing.T) {
	everywhere := []string{"github.com/pulumi/pulumi/pkg/", "github.com/pulumi/pulumi-go-provider", "k8s.io/", "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2", "github.com/google/go-containerregistry", "github.com/docker/"}
	for pkg, never := range map[string][]string{
		"registry":  {"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2", "github.com/pulumi/pulumi-kubernetes", "github.com/pulumi/pulumi-eks"},
		"network":   {"github.com/pulumi/pulumi-kubernetes", "github.com/pulumi/pulumi-eks"},
		"cluster":   nil,
		"ci":        {"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2", "github.com/pulumi/pulumi-kubernetes", "github.com/pulumi/pulumi-eks"},
		"workload":  {"github.com/pulumi/pulumi-aws", "github.com/pulumi/pulumi-eks"},
		"edge":      {"github.com/pulumi/pulumi-kubernetes", "github.com/pulumi/pulumi-eks"},
		"migration": {"github.com/pulumi/pulumi-kubernetes", "github.com/pulumi/pulumi-eks"},
		"scaling":   {"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2", "github.com/pulumi/pulumi-kubernetes", "github.com/pulumi/pulumi-eks"},
	} {
		self := module + "/components/" + pkg
		for _, dep := range closure(t, self) {
			for _, bad := range append(never, everywhere...) {
				if strings.HasPrefix(dep, bad) {
					t.Errorf("%s reaches %s, so whoever imports it compiles that too", pkg, dep)
				}
			}
			if strings.HasPrefix(dep, module+"/components/") && dep != self && !strings.HasPrefix(dep, self+"/") {
				t.Errorf("%s reaches %s: components meet through inputs, none imports another", pkg, dep)
			}
		}
	}
}

// TestPurePackagesKnowNoCloud holds what needs none to plain Go: of Pulumi only the form in which problems are reported.
func TestPurePackagesKnowNoCloud(t *testing.T) {
	for _, pkg := range []string{"calendar", "capacity", "week"} {
		for _, dep := range closure(t, module+"/"+pkg) {
			if strings.HasPrefix(dep, "github.com/pulumi/") && dep != "github.com/pulumi/pulumi/sdk/v3/go/pulumi/errors" || strings.HasPrefix(dep, module+"/components/") {
				t.Errorf("%s reaches %s", pkg, dep)
			}
		}
	}
}

// TestWeekKnowsNoReview: what feeds it is the caller's choice.
func TestWeekKnowsNoReview(t *testing.T) {
	for _, dep := range closure(t, module+"/week") {
		if strings.HasPrefix(dep, module+"/review") || strings.HasPrefix(dep, module+"/dryrun") {
			t.Errorf("week reaches %s", dep)
		}
	}
}

// TestDryrunSpeaksTheProtocolOnly: of Pulumi it compiles what is generated from the protocol, not the SDK.
func TestDryrunSpeaksTheProtocolOnly(t *testing.T) {
	for _, dep := range closure(t, module+"/dryrun") {
		if strings.HasPrefix(dep, module) && dep != module+"/dryrun" ||
			strings.HasPrefix(dep, "github.com/pulumi/") && !strings.HasPrefix(dep, "github.com/pulumi/pulumi/sdk/v3/proto/go") {
			t.Errorf("dryrun reaches %s", dep)
		}
	}
}

// TestReviewIsOfTheStandardLibrary alone, so that a pipeline compiles it in seconds.
func TestReviewIsOfTheStandardLibrary(t *testing.T) {
	for _, dep := range closure(t, module+"/review/...") {
		if first, _, _ := strings.Cut(dep, "/"); strings.Contains(first, ".") && !strings.HasPrefix(dep, module+"/review") {
			t.Errorf("review reaches %s", dep)
		}
	}
}

// TestPromotionCompilesWithoutPulumi: a pipeline that promotes images builds one small program. Who imports the whole stack does
// not compile it.
func TestPromotionCompilesWithoutPulumi(t *testing.T) {
	for _, dep := range closure(t, module+"/promotion") {
		if strings.HasPrefix(dep, "github.com/pulumi/") || strings.HasPrefix(dep, "github.com/aws/") || strings.HasPrefix(dep, module+"/components/") {
			t.Errorf("promotion reaches %s", dep)
		}
	}
	for _, dep := range closure(t, module) {
		if strings.HasPrefix(dep, "github.com/google/go-containerregistry") || dep == module+"/promotion" {
			t.Errorf("the stack reaches %s", dep)
		}
	}
}
