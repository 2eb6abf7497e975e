// Package kubernetes is a Pulumi resource provider for the package "kubernetes", version 4.30.0. It stands in for
// pulumi-resource-kubernetes where that is not installed: the same checks, names, diffs, waits, states and words, against
// any API server. Charts, kustomizations and patch resources are not in it; asking for them is an error that says so.
package kubernetes

import (
	"context"
	"fmt"
	"sync"

	"github.com/go-logr/logr"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"k8s.io/klog/v2"
)

// Version is the release of pulumi-kubernetes that the provider stands in for.
const Version = "4.30.0"

const packageSchema = `{"name":"kubernetes","version":"` + Version + `","displayName":"Kubernetes","resources":{},"functions":{}}`

// provider serves one provider resource of a stack: the engine starts a process for each.
type provider struct {
	pulumirpc.UnimplementedResourceProviderServer

	engine engine

	mu       sync.Mutex
	settings settings
	cluster  *cluster
	// unreachable says why there is no cluster; empty where there is one.
	unreachable string
	// crds are the custom resource definitions of this program, which may not be in the cluster yet.
	crds map[groupKind]bool
	stop context.CancelFunc
	life context.Context
}

// New makes the provider. It silences client-go's own log, which the engine would show as output of the program.
func New() pulumirpc.ResourceProviderServer {
	klog.SetLogger(logr.Discard())
	p := &provider{crds: map[groupKind]bool{}}
	p.life, p.stop = context.WithCancel(context.Background())
	return p
}

func (p *provider) Handshake(_ context.Context, req *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	if err := p.engine.connect(req.GetEngineAddress()); err != nil {
		return nil, err
	}
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: true, SupportsAutonamingConfiguration: true}, nil
}

func (p *provider) Attach(_ context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, p.engine.connect(req.GetAddress())
}

func (p *provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

func (p *provider) GetSchema(_ context.Context, req *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	if v := req.GetVersion(); v != 0 {
		return nil, fmt.Errorf("unsupported schema version %d", v)
	}
	return &pulumirpc.GetSchemaResponse{Schema: packageSchema}, nil
}

func (p *provider) GetMapping(context.Context, *pulumirpc.GetMappingRequest) (*pulumirpc.GetMappingResponse, error) {
	return &pulumirpc.GetMappingResponse{}, nil
}

func (p *provider) GetMappings(context.Context, *pulumirpc.GetMappingsRequest) (*pulumirpc.GetMappingsResponse, error) {
	return &pulumirpc.GetMappingsResponse{}, nil
}

func (p *provider) Construct(_ context.Context, req *pulumirpc.ConstructRequest) (*pulumirpc.ConstructResponse, error) {
	return nil, status.Error(codes.Unimplemented, unsupported("component", req.GetType()))
}

func (p *provider) Call(_ context.Context, req *pulumirpc.CallRequest) (*pulumirpc.CallResponse, error) {
	return nil, status.Error(codes.Unimplemented, unsupported("method", req.GetTok()))
}

func (p *provider) Parameterize(context.Context, *pulumirpc.ParameterizeRequest) (*pulumirpc.ParameterizeResponse, error) {
	return nil, status.Error(codes.Unimplemented, unsupported("parameterization by", "custom resource definitions"))
}

// Cancel ends the waits that are under way; they report what exists by then. Later calls work again, since an engine that
// attached to the provider sends Cancel at the end of its preview, before the update.
func (p *provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	p.life, p.stop = context.WithCancel(context.Background())
	return &emptypb.Empty{}, nil
}

// operation is a context that ends with the request or with Cancel.
func (p *provider) operation(request context.Context) (context.Context, func()) {
	p.mu.Lock()
	ctx, cancel := context.WithCancel(p.life)
	p.mu.Unlock()
	release := context.AfterFunc(request, cancel)
	return ctx, func() { release(); cancel() }
}

// at is the configuration that a call works with.
func (p *provider) at() (settings, *cluster, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.settings, p.cluster, p.unreachable
}

func unsupported(what, token string) string {
	return fmt.Sprintf("the sandbox's kubernetes provider does not support the %s %q; "+
		"install the plugin with `pulumi plugin install resource kubernetes %s`", what, token, Version)
}
