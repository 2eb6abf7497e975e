// Package dryrun runs a Pulumi program without any cloud and without Pulumi's engine, and collects the resources that it asks for.
// Nothing is looked up: what only a provider knows stays unknown, as in a first preview of a stack that is not there.
package dryrun

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Resource is one that the program registers.
type Resource struct {
	// Type is its token, Name its name in the program.
	Type, Name string
	// Inputs as JSON has them, with numbers as float64, and Unknown for what is not known or secret.
	Inputs map[string]any
}

// Unknown stands for a value that only a provider knows, or that is secret.
type Unknown struct{}

// Result is what a program asks for.
type Result struct {
	// Resources in the order of their types and names.
	Resources []Resource
	// Config is what the program was given, with secrets as a placeholder.
	Config map[string]string
}

// ProgramError is that the program has failed: its text is what the program said.
type ProgramError struct{ Text string }

// Error is the program's own text.
func (e *ProgramError) Error() string { return e.Text }

// Run builds the program of the project that configFile belongs to, such as Pulumi.prod.yaml beside Pulumi.yaml, and runs it with
// the configuration in it.
func Run(ctx context.Context, configFile string) (*Result, error) {
	project, err := readProject(configFile)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "slipway-dryrun-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder that stays harms nothing
	program := filepath.Join(dir, "program")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Dir = project.main
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the program in %s does not build: %w\n%s", project.main, err, bytes.TrimSpace(out))
	}

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &monitor{project: project.name, stack: project.stack, region: project.config["aws:region"], later: map[string]bool{}}
	e := &engine{}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(messageSize), grpc.MaxSendMsgSize(messageSize))
	pulumirpc.RegisterResourceMonitorServer(server, m)
	pulumirpc.RegisterEngineServer(server, e)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() { server.Stop(); <-served }()

	run := exec.CommandContext(ctx, program)
	run.Dir = project.dir
	if run.Env, err = project.environment(listener.Addr().String()); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	run.Stdout, run.Stderr = &out, &out
	runErr := run.Run()
	said := e.all()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if runErr != nil || len(said) > 0 {
		text := strings.Join(said, "\n")
		if text == "" {
			text = strings.TrimSpace(fmt.Sprintf("%s\nthe program ended with %v", out.String(), runErr))
		}
		return nil, &ProgramError{text}
	}
	return &Result{Resources: m.all(), Config: project.config}, nil
}

// messageSize is the engine's own limit of a message: 400 MiB, sdk/go/common/util/rpcutil.
const messageSize = 1024 * 1024 * 400

// environment is what the Go SDK reads. SLIPWAY_RESOLVER keeps a door from asking the internet whether its zone is delegated, and
// without credentials nothing in the program can reach an account.
func (p project) environment(address string) ([]string, error) {
	config, err := json.Marshal(p.config)
	if err != nil {
		return nil, err
	}
	secrets, err := json.Marshal(p.secrets)
	if err != nil {
		return nil, err
	}
	env := slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "PULUMI_") || strings.HasPrefix(s, "AWS_")
	})
	return append(env,
		"PULUMI_ORGANIZATION=organization", "PULUMI_PROJECT="+p.name, "PULUMI_STACK="+p.stack, "PULUMI_ROOT_DIRECTORY="+p.dir,
		"PULUMI_CONFIG="+string(config), "PULUMI_CONFIG_SECRET_KEYS="+string(secrets), "PULUMI_DRY_RUN=true", "PULUMI_PARALLEL=16",
		"PULUMI_MONITOR="+address, "PULUMI_ENGINE="+address, "SLIPWAY_RESOLVER=off"), nil
}

var errName = errors.New("must be called Pulumi.STACK.yaml")
