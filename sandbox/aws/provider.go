package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Version is the version of the aws provider that this one stands in for.
const Version = "6.83.2"

// Provider answers the Pulumi engine for package aws from an account in a file.
type Provider struct {
	pulumirpc.UnimplementedResourceProviderServer
	account *Account
	region  string
	tags    map[string]any
	// patience is how long a delete is repeated that the AWS provider would repeat; here what it waits for takes seconds.
	patience time.Duration
	// failure is why the provider cannot work as it is configured; it is said by whatever is asked first.
	failure error
}

// New is a provider on that account.
func New(a *Account) *Provider { return &Provider{account: a, patience: 20 * time.Second} }

// Handshake implements pulumirpc.ResourceProviderServer.
func (p *Provider) Handshake(context.Context, *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{SupportsAutonamingConfiguration: true}, nil
}

// GetPluginInfo implements pulumirpc.ResourceProviderServer.
func (p *Provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

// GetSchema implements pulumirpc.ResourceProviderServer.
func (p *Provider) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: `{"name":"aws","version":"` + Version + `"}`}, nil
}

// CheckConfig implements pulumirpc.ResourceProviderServer.
func (p *Provider) CheckConfig(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: r.GetNews()}, nil
}

// DiffConfig implements pulumirpc.ResourceProviderServer. Another region is another set of resources.
func (p *Provider) DiffConfig(_ context.Context, r *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, news := r.GetOldInputs().GetFields(), r.GetNews().GetFields()
	if olds["region"].GetStringValue() != news["region"].GetStringValue() {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_SOME, Replaces: []string{"region"}, Diffs: []string{"region"}}, nil
	}
	return &pulumirpc.DiffResponse{}, nil
}

// Configure implements pulumirpc.ResourceProviderServer.
func (p *Provider) Configure(_ context.Context, r *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	args, err := unmarshal(r.GetArgs())
	if err != nil {
		return nil, err
	}
	p.region, _ = args["region"].(string)
	if len(zonesOf(p.region)) == 0 {
		p.failure = fmt.Errorf("invalid AWS Region: %q. Set it with `pulumi config set aws:region us-west-2`", p.region)
	}
	if t, ok := nested(args["defaultTags"])["tags"]; ok {
		p.tags = nested(t)
	}
	if ids := Strings(fromJSON(args["allowedAccountIds"])); len(ids) > 0 && !slices.Contains(ids, AccountID) {
		p.failure = fmt.Errorf("AWS account ID not allowed: %s (aws:allowedAccountIds is %s)", AccountID, strings.Join(ids, ", "))
	}
	return &pulumirpc.ConfigureResponse{SupportsPreview: true, SupportsAutonamingConfiguration: true}, nil
}

// Cancel implements pulumirpc.ResourceProviderServer: every operation is short, there is nothing to cut off.
func (p *Provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// lookUp is the resource type that a URN names.
func (p *Provider) lookUp(u string) (*Type, string, error) {
	if p.failure != nil {
		return nil, "", status.Error(codes.FailedPrecondition, p.failure.Error())
	}
	parsed, err := urn.Parse(u)
	if err != nil {
		return nil, "", err
	}
	t := types[string(parsed.Type())]
	if t == nil {
		return nil, "", status.Errorf(codes.Unimplemented, "the sandbox's AWS account does not know the resource type %s; it knows %d types (`sandbox types` lists them)",
			parsed.Type(), len(types))
	}
	return t, parsed.Name(), nil
}

// Invoke implements pulumirpc.ResourceProviderServer.
func (p *Provider) Invoke(_ context.Context, r *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	if p.failure != nil {
		return nil, status.Error(codes.FailedPrecondition, p.failure.Error())
	}
	f := functions[r.GetTok()]
	if f == nil {
		return nil, status.Errorf(codes.Unimplemented, "the sandbox's AWS account does not know the function %s; it knows %s", r.GetTok(),
			strings.Join(slices.Sorted(maps.Keys(functions)), ", "))
	}
	args, err := unmarshal(r.GetArgs())
	if err != nil {
		return nil, err
	}
	var c checker
	c.fields("", f.Props, args)
	if len(c.problems) > 0 {
		resp := &pulumirpc.InvokeResponse{}
		for _, f := range c.problems {
			resp.Failures = append(resp.Failures, &pulumirpc.CheckFailure{Property: f.Path, Reason: f.Path + " " + f.Reason})
		}
		return resp, nil
	}
	var out map[string]any
	err = p.account.Do(p.region, func(tx *Tx) error {
		tx.defaultTags = p.tags
		var err error
		if out, err = f.Call(tx, inputs(args)); err != nil {
			return err
		}
		return tx.note(f.Token, "invoke", &Object{Type: f.Token, Region: p.region, Inputs: args, Outputs: out}, nil)
	})
	if err != nil {
		return nil, fmt.Errorf("invoking %s: %w", r.GetTok(), err)
	}
	ret, err := marshal(out)
	return &pulumirpc.InvokeResponse{Return: ret}, err
}
