package eks

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// engine stands in for Pulumi's: it takes registrations of resources and has the sandbox's AWS account make them.
type engine struct {
	pulumirpc.UnimplementedResourceMonitorServer
	t       *testing.T
	address string
	server  pulumirpc.ResourceProviderServer
	account *aws.Provider
	dryRun  bool

	mu        sync.Mutex
	resources map[string]*registered
}

type registered struct {
	*pulumirpc.RegisterResourceRequest
	urn, id string
	state   *structpb.Struct
	outputs *structpb.Struct
}

func newEngine(t *testing.T, kubernetes string) *engine {
	t.Helper()
	a, err := aws.OpenAccount(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a.Kubernetes = func() (string, string, error) { return kubernetes, "CA", nil }
	e := &engine{t: t, account: aws.New(a), server: New(), resources: map[string]*registered{}}
	region, err := structpb.NewStruct(map[string]any{"region": "us-west-2"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.account.Configure(context.Background(), &pulumirpc.ConfigureRequest{Args: region}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	pulumirpc.RegisterResourceMonitorServer(s, e)
	pulumirpc.RegisterEngineServer(s, logs{})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	e.address = l.Addr().String()
	if _, err := e.server.Handshake(context.Background(), &pulumirpc.ProviderHandshakeRequest{EngineAddress: e.address}); err != nil {
		t.Fatal(err)
	}
	return e
}

// logs takes what components log.
type logs struct {
	pulumirpc.UnimplementedEngineServer
}

func (logs) Log(context.Context, *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (e *engine) SupportsFeature(_ context.Context, r *pulumirpc.SupportsFeatureRequest) (*pulumirpc.SupportsFeatureResponse, error) {
	return &pulumirpc.SupportsFeatureResponse{HasSupport: slices.Contains([]string{"secrets", "resourceReferences", "outputValues"}, r.GetId())}, nil
}

func (e *engine) RegisterResource(ctx context.Context, r *pulumirpc.RegisterResourceRequest) (*pulumirpc.RegisterResourceResponse, error) {
	qualified := r.GetType()
	if p := r.GetParent(); p != "" {
		qualified = strings.Split(p, "::")[2] + "$" + r.GetType()
	}
	n := &registered{RegisterResourceRequest: r, urn: "urn:pulumi:dev::test::" + qualified + "::" + r.GetName(), state: r.GetObject()}
	switch {
	case !r.GetCustom():
	case strings.HasPrefix(r.GetType(), "aws:"):
		if err := e.make(ctx, n); err != nil {
			return nil, err
		}
	default:
		n.id = "made"
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.resources[r.GetName()+" "+r.GetType()] = n
	return &pulumirpc.RegisterResourceResponse{Urn: n.urn, Id: n.id, Object: n.state}, nil
}

func (e *engine) make(ctx context.Context, n *registered) error {
	c, err := e.account.Check(ctx, &pulumirpc.CheckRequest{Urn: n.urn, News: n.GetObject(), RandomSeed: []byte(n.urn)})
	if err != nil {
		return err
	}
	if f := c.GetFailures(); len(f) > 0 {
		return fmt.Errorf("%s: %s", n.urn, f[0].GetReason())
	}
	made, err := e.account.Create(ctx, &pulumirpc.CreateRequest{Urn: n.urn, Properties: c.GetInputs(), Preview: e.dryRun})
	if err != nil {
		return err
	}
	n.id, n.state = made.GetId(), made.GetProperties()
	return nil
}

func (e *engine) RegisterResourceOutputs(_ context.Context, r *pulumirpc.RegisterResourceOutputsRequest) (*emptypb.Empty, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, n := range e.resources {
		if n.urn == r.GetUrn() {
			n.outputs = r.GetOutputs()
		}
	}
	return &emptypb.Empty{}, nil
}

func (e *engine) Invoke(ctx context.Context, r *pulumirpc.ResourceInvokeRequest) (*pulumirpc.ResourceInvokeResponse, error) {
	if r.GetTok() != "pulumi:pulumi:getResource" {
		out, err := e.account.Invoke(ctx, &pulumirpc.InvokeRequest{Tok: r.GetTok(), Args: r.GetArgs()})
		return &pulumirpc.ResourceInvokeResponse{Return: out.GetReturn(), Failures: out.GetFailures()}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, n := range e.resources {
		if n.urn == r.GetArgs().GetFields()["urn"].GetStringValue() {
			state := n.state
			if n.outputs != nil {
				state = n.outputs
			}
			return &pulumirpc.ResourceInvokeResponse{Return: &structpb.Struct{Fields: map[string]*structpb.Value{
				"urn": structpb.NewStringValue(n.urn), "id": structpb.NewStringValue(n.id), "state": structpb.NewStructValue(state),
			}}}, nil
		}
	}
	return nil, fmt.Errorf("no resource %v", r.GetArgs())
}

// create makes a resource of the program's own.
func (e *engine) create(token, name string, in map[string]any) (id string, out map[string]any) {
	e.t.Helper()
	r, err := e.RegisterResource(context.Background(), &pulumirpc.RegisterResourceRequest{Type: token, Name: name, Custom: true, Object: properties(e.t, in)})
	if err != nil {
		e.t.Fatal(err)
	}
	return r.GetId(), r.GetObject().AsMap()
}

// reference is what stands for a resource in arguments.
func (e *engine) reference(key string) resource.PropertyValue {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.resources[key]
	if n == nil {
		e.t.Fatalf("no %q among %q", key, slices.Sorted(maps.Keys(e.resources)))
	}
	if n.id == "" {
		return resource.MakeComponentResourceReference(resource.URN(n.urn), "")
	}
	return resource.MakeCustomResourceReference(resource.URN(n.urn), resource.ID(n.id), "")
}

func properties(t *testing.T, in map[string]any) *structpb.Struct {
	t.Helper()
	m := resource.PropertyMap{}
	for k, v := range in {
		if p, ok := v.(resource.PropertyValue); ok {
			m[resource.PropertyKey(k)] = p
			continue
		}
		m[resource.PropertyKey(k)] = resource.NewPropertyValue(v)
	}
	s, err := plugin.MarshalProperties(m, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true, KeepOutputValues: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// construct makes a component; the outputs are as the engine gets them.
func (e *engine) construct(typ, name string, in map[string]any, change func(*pulumirpc.ConstructRequest)) (resource.PropertyMap, error) {
	e.t.Helper()
	r := &pulumirpc.ConstructRequest{
		Project: "test", Stack: "dev", Type: typ, Name: name, Inputs: properties(e.t, in), DryRun: e.dryRun, MonitorEndpoint: e.address, Parallel: 16,
	}
	if change != nil {
		change(r)
	}
	resp, err := e.server.Construct(context.Background(), r)
	if err != nil {
		return nil, err
	}
	out, err := plugin.UnmarshalProperties(resp.GetState(), plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true})
	if err != nil {
		e.t.Fatal(err)
	}
	return out, nil
}

// tree is the resources below a component, one a line: type, name, parent, what they wait for and ignore.
func (e *engine) tree(below string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := func(urn string) string { return urn[strings.LastIndex(urn, "::")+2:] }
	var lines []string
	for _, n := range e.resources {
		if !strings.Contains(n.urn, below+"$") {
			continue
		}
		line := n.GetType() + " " + n.GetName() + " in " + name(n.GetParent())
		if v := n.GetVersion(); v != "" {
			line += " v" + v
		}
		if l := n.GetIgnoreChanges(); len(l) > 0 {
			line += " ignores " + strings.Join(l, ", ")
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// inputs of a child.
func (e *engine) inputs(key string) map[string]any {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.resources[key]
	if n == nil {
		e.t.Fatalf("no %q among %q", key, slices.Sorted(maps.Keys(e.resources)))
	}
	return n.GetObject().AsMap()
}
