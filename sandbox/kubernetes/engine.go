package kubernetes

import (
	"context"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// engine is the way back to the Pulumi engine, for messages. Without an address it says nothing.
type engine struct {
	mu     sync.Mutex
	client pulumirpc.EngineClient
}

func (e *engine) connect(address string) error {
	if address == "" {
		return nil
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.client = pulumirpc.NewEngineClient(conn)
	return nil
}

// status shows a message beside the resource until the next one.
func (e *engine) status(ctx context.Context, urn, message string) {
	e.send(ctx, pulumirpc.LogSeverity_INFO, urn, message, true)
}

// warn leaves a warning in the output.
func (e *engine) warn(ctx context.Context, urn, message string) {
	e.send(ctx, pulumirpc.LogSeverity_WARNING, urn, message, false)
}

// info leaves a message in the output.
func (e *engine) info(ctx context.Context, urn, message string) {
	e.send(ctx, pulumirpc.LogSeverity_INFO, urn, message, false)
}

func (e *engine) send(ctx context.Context, severity pulumirpc.LogSeverity, urn, message string, ephemeral bool) {
	e.mu.Lock()
	client := e.client
	e.mu.Unlock()
	if client == nil {
		return
	}
	// A message that cannot be delivered must not fail the operation that it tells of.
	_, _ = client.Log(ctx, &pulumirpc.LogRequest{Severity: severity, Urn: urn, Message: message, Ephemeral: ephemeral})
}

// progress tells of one resource, each message once.
type progress struct {
	engine *engine
	urn    string
	last   string
}

func (g *progress) status(ctx context.Context, message string) {
	if message == g.last {
		return
	}
	g.last = message
	g.engine.status(ctx, g.urn, message)
}
