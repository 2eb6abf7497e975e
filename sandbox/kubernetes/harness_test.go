package kubernetes

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// engineLog is an engine that only takes messages.
type engineLog struct {
	pulumirpc.UnimplementedEngineServer
	mu       sync.Mutex
	messages []string
}

func (e *engineLog) Log(_ context.Context, req *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.messages = append(e.messages, req.GetMessage())
	return &emptypb.Empty{}, nil
}

func (e *engineLog) said(text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.messages {
		if strings.Contains(m, text) {
			return true
		}
	}
	return false
}

// stack drives a provider over its protocol, as an engine does for one stack.
type stack struct {
	t      *testing.T
	client pulumirpc.ResourceProviderClient
	engine *engineLog
}

func listen(t *testing.T, register func(*grpc.Server)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	register(s)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

// newStack starts a provider with these arguments of the provider resource.
func newStack(t *testing.T, args map[string]string) *stack {
	t.Helper()
	log := &engineLog{}
	engineAddress := listen(t, func(s *grpc.Server) { pulumirpc.RegisterEngineServer(s, log) })
	address := listen(t, func(s *grpc.Server) { pulumirpc.RegisterResourceProviderServer(s, New()) })
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s := &stack{t: t, client: pulumirpc.NewResourceProviderClient(conn), engine: log}
	if _, err := s.client.Handshake(t.Context(), &pulumirpc.ProviderHandshakeRequest{EngineAddress: engineAddress}); err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{}
	for k, v := range args {
		variables["kubernetes:config:"+k] = v
	}
	if _, err := s.client.Configure(t.Context(), &pulumirpc.ConfigureRequest{Variables: variables, AcceptSecrets: true}); err != nil {
		t.Fatal(err)
	}
	return s
}

func urn(typ, name string) string { return "urn:pulumi:dev::proj::" + typ + "::" + name }

// props writes properties as a program would; computed and secret values are resource.PropertyValues in it.
func props(t *testing.T, m map[string]any) *structpb.Struct {
	t.Helper()
	out, err := plugin.MarshalProperties(resource.NewPropertyMapFromMap(m),
		plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, s *structpb.Struct) resource.PropertyMap {
	t.Helper()
	out, err := plugin.UnmarshalProperties(s, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// at follows a path such as "metadata.name"; a missing value is null.
func at(t *testing.T, s *structpb.Struct, text string) resource.PropertyValue {
	t.Helper()
	p, err := resource.ParsePropertyPath(text)
	if err != nil {
		t.Fatal(err)
	}
	v, _ := p.Get(resource.NewObjectProperty(read(t, s)))
	return v
}

func (s *stack) check(typ, name string, olds *structpb.Struct, news map[string]any) *structpb.Struct {
	s.t.Helper()
	resp, err := s.client.Check(s.t.Context(), &pulumirpc.CheckRequest{
		Urn: urn(typ, name), Olds: olds, News: props(s.t, news), RandomSeed: []byte(s.t.Name() + name),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(resp.GetFailures()) > 0 {
		s.t.Fatal(resp.GetFailures())
	}
	return resp.GetInputs()
}

// object is what the engine keeps of a resource.
type object struct {
	typ, name, id string
	inputs, state *structpb.Struct
}

func (s *stack) create(typ, name string, news map[string]any) *object {
	s.t.Helper()
	o, err := s.tryCreate(typ, name, 60, news)
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

func (s *stack) tryCreate(typ, name string, timeout float64, news map[string]any) (*object, error) {
	s.t.Helper()
	o := &object{typ: typ, name: name, inputs: s.check(typ, name, nil, news)}
	resp, err := s.client.Create(s.t.Context(), &pulumirpc.CreateRequest{Urn: urn(typ, name), Properties: o.inputs, Timeout: timeout})
	if err != nil {
		return o, err
	}
	o.id, o.state = resp.GetId(), resp.GetProperties()
	s.t.Cleanup(func() { s.discard(o) })
	return o, nil
}

func (s *stack) discard(o *object) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, _ = s.client.Delete(ctx, &pulumirpc.DeleteRequest{Urn: urn(o.typ, o.name), Id: o.id, Properties: o.state, Timeout: 30})
}

func (s *stack) diff(o *object, news map[string]any, ignore ...string) *pulumirpc.DiffResponse {
	s.t.Helper()
	resp, err := s.client.Diff(s.t.Context(), &pulumirpc.DiffRequest{
		Urn: urn(o.typ, o.name), Id: o.id, Olds: o.state, OldInputs: o.inputs,
		News: s.check(o.typ, o.name, o.inputs, news), IgnoreChanges: ignore,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return resp
}

func (s *stack) update(o *object, news map[string]any, ignore ...string) error {
	s.t.Helper()
	inputs := s.check(o.typ, o.name, o.inputs, news)
	resp, err := s.client.Update(s.t.Context(), &pulumirpc.UpdateRequest{
		Urn: urn(o.typ, o.name), Id: o.id, Olds: o.state, OldInputs: o.inputs, News: inputs, IgnoreChanges: ignore, Timeout: 60,
	})
	if err != nil {
		return err
	}
	o.inputs, o.state = inputs, resp.GetProperties()
	return nil
}

func (s *stack) refresh(o *object) (*pulumirpc.ReadResponse, error) {
	s.t.Helper()
	return s.client.Read(s.t.Context(), &pulumirpc.ReadRequest{Urn: urn(o.typ, o.name), Id: o.id, Properties: o.state, Inputs: o.inputs})
}

func (s *stack) delete(o *object) error {
	s.t.Helper()
	_, err := s.client.Delete(s.t.Context(), &pulumirpc.DeleteRequest{Urn: urn(o.typ, o.name), Id: o.id, Properties: o.state, Timeout: 60})
	return err
}

// until waits for a condition, a minute at most.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("after a minute still not: %s", what)
		case <-tick.C:
		}
	}
}
