package toolchain

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// OldestPulumi is the oldest CLI that is taken from PATH.
const OldestPulumi = "v3.250.0"

const pulumiModule = "github.com/pulumi/pulumi/pkg/v3"

// Pulumi is a CLI, and where it came from.
type Pulumi struct {
	Path, Version string
	// OnPath: installed by the user, with the language hosts beside it.
	OnPath bool
}

// Pulumi is the CLI on PATH if that is new enough, else one that is built once from its Go module.
func (t Tools) Pulumi(ctx context.Context) (Pulumi, error) {
	if p, ok := t.installedPulumi(ctx); ok {
		return p, nil
	}
	src, err := Source()
	if err != nil {
		return Pulumi{}, err
	}
	version, err := pulumiVersion(src)
	if err != nil {
		return Pulumi{}, err
	}
	path, err := t.ensure(ctx, built{
		name: "pulumi", pkg: pulumiModule + "/cmd/pulumi",
		title:   "building the Pulumi CLI " + version + " from its Go module, as none ≥ " + OldestPulumi + " is on PATH",
		hint:    "once, about 4 minutes on 2 cores",
		ldflags: "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=" + version,
	})
	return Pulumi{Path: path, Version: version}, err
}

// BuiltPulumi is the CLI without building one; false where there is none yet.
func (t Tools) BuiltPulumi(ctx context.Context) (Pulumi, bool) {
	if p, ok := t.installedPulumi(ctx); ok {
		return p, true
	}
	if _, err := os.Stat(t.Home.Tool("pulumi")); err != nil {
		return Pulumi{}, false
	}
	return Pulumi{Path: t.Home.Tool("pulumi")}, true
}

func (t Tools) installedPulumi(ctx context.Context) (Pulumi, bool) {
	path := t.installed("pulumi")
	if path == "" {
		return Pulumi{}, false
	}
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Env = append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=true", "PULUMI_HOME="+t.Home.PulumiHome())
	out, err := cmd.Output()
	version := strings.TrimSpace(string(out))
	if err != nil || semver.Compare(version, OldestPulumi) < 0 {
		return Pulumi{}, false
	}
	return Pulumi{Path: path, Version: version, OnPath: true}, true
}

// pulumiVersion is the version of the CLI's module that the sandbox's go.mod names.
func pulumiVersion(src string) (string, error) {
	path := filepath.Join(src, "go.mod")
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	mod, err := modfile.ParseLax(path, b, nil)
	if err != nil {
		return "", err
	}
	for _, r := range mod.Require {
		if r.Mod.Path == pulumiModule {
			return r.Mod.Version, nil
		}
	}
	return "", fmt.Errorf("%s does not require %s", path, pulumiModule)
}
