// Package langhost is a language host for Pulumi programs in Go: it builds the program and runs it with the environment
// that the Go SDK reads. The CLI's Go module does not bring one along.
package langhost

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/slipway-iac/slipway/sandbox/gobuild"
)

// Version of the language host that ships with the CLI and that this one stands in for.
const Version = "3.259.0"

// bailed is the code with which a program of the Go SDK ends after it has told the engine its errors.
const bailed = 32

// Host is a language host.
type Host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	// engine is the address that the CLI gave on the command line, or in the handshake.
	engine string
	// programs is where built programs are kept.
	programs string
}

// New is a host that keeps what it builds in the folder programs; args are the command line's.
func New(programs string, args []string) *Host {
	h := &Host{programs: programs}
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			h.engine = a
		}
	}
	return h
}

// Handshake implements pulumirpc.LanguageRuntimeServer.
func (h *Host) Handshake(_ context.Context, r *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engine = r.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo implements pulumirpc.LanguageRuntimeServer.
func (h *Host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

// GetRequiredPlugins implements pulumirpc.LanguageRuntimeServer: the sandbox's providers are installed already.
func (h *Host) GetRequiredPlugins(context.Context, *pulumirpc.GetRequiredPluginsRequest) (*pulumirpc.GetRequiredPluginsResponse, error) {
	return &pulumirpc.GetRequiredPluginsResponse{}, nil
}

// GetRequiredPackages implements pulumirpc.LanguageRuntimeServer, as GetRequiredPlugins.
func (h *Host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// RuntimeOptionsPrompts implements pulumirpc.LanguageRuntimeServer: there is nothing to ask.
func (h *Host) RuntimeOptionsPrompts(context.Context, *pulumirpc.RuntimeOptionsRequest) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

// About implements pulumirpc.LanguageRuntimeServer.
func (h *Host) About(ctx context.Context, _ *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, path, "version").Output()
	return &pulumirpc.AboutResponse{Executable: path, Version: strings.TrimSpace(string(out))}, err
}

// GetProgramDependencies implements pulumirpc.LanguageRuntimeServer.
func (h *Host) GetProgramDependencies(ctx context.Context, r *pulumirpc.GetProgramDependenciesRequest) (*pulumirpc.GetProgramDependenciesResponse, error) {
	format := "{{if not (or .Main .Indirect)}}{{.Path}} {{.Version}}{{end}}"
	if r.GetTransitiveDependencies() {
		format = "{{if not .Main}}{{.Path}} {{.Version}}{{end}}"
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", format, "all")
	cmd.Dir = r.GetInfo().GetProgramDirectory()
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	resp := &pulumirpc.GetProgramDependenciesResponse{}
	for line := range strings.Lines(string(out)) {
		if name, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			resp.Dependencies = append(resp.Dependencies, &pulumirpc.DependencyInfo{Name: name, Version: version})
		}
	}
	return resp, nil
}

// InstallDependencies implements pulumirpc.LanguageRuntimeServer.
func (h *Host) InstallDependencies(r *pulumirpc.InstallDependenciesRequest, s grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse]) error {
	cmd := exec.CommandContext(s.Context(), "go", "mod", "download")
	cmd.Dir = r.GetInfo().GetProgramDirectory()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go mod download: %w\n%s", err, out)
	}
	return s.Send(&pulumirpc.InstallDependenciesResponse{Stdout: out})
}

// Run implements pulumirpc.LanguageRuntimeServer.
func (h *Host) Run(ctx context.Context, r *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	bin, err := Build(ctx, h.programs, filepath.Join(r.GetInfo().GetProgramDirectory(), r.GetInfo().GetEntryPoint()), func(int, int) {})
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	env, err := h.environment(r)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, bin, r.GetArgs()...)
	cmd.Dir = r.GetPwd()
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	var exit *exec.ExitError
	switch err := cmd.Run(); {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == bailed:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case errors.As(err, &exit):
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended with %s; what it printed stands above", exit)}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program did not start: %s", err)}, nil
	}
}

func (h *Host) environment(r *pulumirpc.RunRequest) ([]string, error) {
	cfg, err := json.Marshal(r.GetConfig())
	if err != nil {
		return nil, err
	}
	secrets, err := json.Marshal(r.GetConfigSecretKeys())
	if err != nil {
		return nil, err
	}
	return []string{
		"PULUMI_ORGANIZATION=" + r.GetOrganization(), "PULUMI_PROJECT=" + r.GetProject(), "PULUMI_STACK=" + r.GetStack(),
		"PULUMI_CONFIG=" + string(cfg), "PULUMI_CONFIG_SECRET_KEYS=" + string(secrets),
		"PULUMI_DRY_RUN=" + strconv.FormatBool(r.GetDryRun()), "PULUMI_PARALLEL=" + strconv.Itoa(int(r.GetParallel())),
		"PULUMI_MONITOR=" + r.GetMonitorAddress(), "PULUMI_ENGINE=" + h.engine,
	}, nil
}

// Build builds the Go program in dir, telling at how far it is, and returns its executable, kept in the folder programs under a
// name of its own.
func Build(ctx context.Context, programs, dir string, at func(done, total int)) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(programs, 0o700); err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(abs))
	bin := filepath.Join(programs, filepath.Base(abs)+"-"+hex.EncodeToString(sum[:4]))
	// Linked as by Pulumi's own host.
	if err := gobuild.Build(ctx, gobuild.Program{Dir: abs, Package: ".", LDFlags: "-w -s", Out: bin}, at); err != nil {
		return "", fmt.Errorf("the program in %s does not build: %w", dir, err)
	}
	return bin, nil
}
