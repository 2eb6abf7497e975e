package dryrun

import (
	"context"
	"strings"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// engine keeps the errors that the program says.
type engine struct {
	pulumirpc.UnimplementedEngineServer

	mu     sync.Mutex
	root   string
	errors []string
}

// all is what the program has said of errors.
func (e *engine) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.errors
}

// Log implements pulumirpc.EngineServer.
func (e *engine) Log(_ context.Context, r *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.GetSeverity() == pulumirpc.LogSeverity_ERROR {
		e.errors = append(e.errors, strings.TrimSpace(r.GetMessage()))
	}
	return &emptypb.Empty{}, nil
}

// GetRootResource implements pulumirpc.EngineServer.
func (e *engine) GetRootResource(context.Context, *pulumirpc.GetRootResourceRequest) (*pulumirpc.GetRootResourceResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return &pulumirpc.GetRootResourceResponse{Urn: e.root}, nil
}

// SetRootResource implements pulumirpc.EngineServer.
func (e *engine) SetRootResource(_ context.Context, r *pulumirpc.SetRootResourceRequest) (*pulumirpc.SetRootResourceResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.root = r.GetUrn()
	return &pulumirpc.SetRootResourceResponse{}, nil
}

// StartDebugging implements pulumirpc.EngineServer.
func (e *engine) StartDebugging(context.Context, *pulumirpc.StartDebuggingRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// RequirePulumiVersion implements pulumirpc.EngineServer: there is no CLI whose version could matter.
func (e *engine) RequirePulumiVersion(context.Context, *pulumirpc.RequirePulumiVersionRequest) (*pulumirpc.RequirePulumiVersionResponse, error) {
	return &pulumirpc.RequirePulumiVersionResponse{}, nil
}
