// Package eks stands in for pulumi-resource-eks: the components of package eks, with the children and outputs of the real
// plugin, for what this project uses of it. The real one is a Node.js program; anything that it can do and this one cannot is
// an error that names the argument.
package eks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Version is the version of the eks provider that this one stands in for.
const Version = "3.9.1"

// Versions of the providers that the children ask for.
const (
	awsVersion        = "6.83.2"
	kubernetesVersion = "4.30.0"
)

// constructors by component type.
var constructors = map[string]func(*build, provider.ConstructInputs) (pulumi.ComponentResource, error){
	clusterType:          newCluster,
	managedNodeGroupType: newManagedNodeGroup,
	addonType:            newAddon,
}

// New is a provider of package eks.
func New() pulumirpc.ResourceProviderServer { return &server{} }

type server struct {
	pulumirpc.UnimplementedResourceProviderServer
	engine *grpc.ClientConn
}

func (s *server) Handshake(_ context.Context, r *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	if err := s.dial(r.GetEngineAddress()); err != nil {
		return nil, err
	}
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true, AcceptOutputs: true}, nil
}

// Attach is called instead of Handshake by an engine that found this provider running.
func (s *server) Attach(_ context.Context, r *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, s.dial(r.GetAddress())
}

func (s *server) dial(address string) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("the engine at %s: %w", address, err)
	}
	s.engine = conn
	return nil
}

func (s *server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

func (s *server) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: `{"name":"eks","version":"` + Version + `"}`}, nil
}

func (s *server) CheckConfig(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: r.GetNews()}, nil
}

func (s *server) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{}, nil
}

func (s *server) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, SupportsPreview: true, AcceptResources: true, AcceptOutputs: true}, nil
}

// Cancel has nothing to cut off: the engine ends what a component waits for.
func (s *server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (s *server) Construct(ctx context.Context, r *pulumirpc.ConstructRequest) (*pulumirpc.ConstructResponse, error) {
	return provider.Construct(ctx, r, s.engine, func(ctx *pulumi.Context, typ, name string, inputs provider.ConstructInputs, options pulumi.ResourceOption) (*provider.ConstructResult, error) {
		construct := constructors[typ]
		if construct == nil {
			return nil, status.Errorf(codes.Unimplemented, "the sandbox's stand-in for pulumi-resource-eks does not know the component %s; it knows %s. %s",
				typ, strings.Join(slices.Sorted(maps.Keys(constructors)), ", "), realPlugin)
		}
		component, err := construct(&build{ctx: ctx, typ: typ, name: name, dryRun: r.GetDryRun(), options: options}, inputs)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", typ, name, err)
		}
		return provider.NewConstructResult(component)
	})
}

// realPlugin is the way out where this stand-in ends.
const realPlugin = "Where the real plugin is installed (`pulumi plugin install resource eks " + Version + "`), it is used instead"

func (s *server) Call(ctx context.Context, r *pulumirpc.CallRequest) (*pulumirpc.CallResponse, error) {
	return provider.Call(ctx, r, s.engine, func(_ *pulumi.Context, tok string, args provider.CallArgs) (*provider.CallResult, error) {
		if tok != clusterType+"/getKubeconfig" {
			return nil, status.Errorf(codes.Unimplemented, "the sandbox's stand-in for pulumi-resource-eks does not know the method %s; it knows %s/getKubeconfig. %s", tok, clusterType, realPlugin)
		}
		return getKubeconfig(args)
	})
}

func (s *server) Invoke(_ context.Context, r *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	return nil, status.Errorf(codes.Unimplemented, "package eks has no function %s", r.GetTok())
}

// build is one component while it is made.
type build struct {
	ctx       *pulumi.Context
	typ, name string
	dryRun    bool
	options   pulumi.ResourceOption
	// self is the component once it is registered.
	self pulumi.ComponentResource
}

// unknownArguments refuses arguments that only the real plugin understands: they must not be dropped in silence.
func (b *build) unknownArguments(inputs provider.ConstructInputs, known ...string) error {
	given, err := inputs.Map()
	if err != nil {
		return err
	}
	var unknown []string
	for _, k := range slices.Sorted(maps.Keys(given)) {
		if given[k] != nil && !slices.Contains(known, k) {
			unknown = append(unknown, k)
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("the sandbox's stand-in for pulumi-resource-eks does not know the argument(s) %s. %s", strings.Join(unknown, ", "), realPlugin)
	}
	return nil
}

// register makes the component itself; its children follow.
func (b *build) register(c pulumi.ComponentResource) error {
	b.self = c
	return b.ctx.RegisterComponentResource(b.typ, b.name, c, b.options)
}

// aws makes a child in the AWS account.
func (b *build) aws(token, name string, props pulumi.Map, child pulumi.CustomResource, opts ...pulumi.ResourceOption) error {
	opts = append([]pulumi.ResourceOption{pulumi.Parent(b.self), pulumi.Version(awsVersion)}, opts...)
	for k, v := range props {
		if v == nil {
			delete(props, k)
		}
	}
	if err := b.ctx.RegisterResource(token, name, props, child, opts...); err != nil {
		return fmt.Errorf("%s %q: %w", token, name, err)
	}
	return nil
}
