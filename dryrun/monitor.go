package dryrun

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// monitor takes what the program registers, and gives back what was put in: all else stays unknown in a dry run.
type monitor struct {
	pulumirpc.UnimplementedResourceMonitorServer
	project, stack, region string

	mu        sync.Mutex
	resources []Resource
	// later are the URNs of providers that are configured with something unknown, as the one of a cluster that is not there.
	later map[string]bool
}

// all is what was registered, in the order of names.
func (m *monitor) all() []Resource {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := slices.Clone(m.resources)
	slices.SortStableFunc(all, func(a, b Resource) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Name, b.Name))
	})
	return all
}

// features that this monitor has: without outputValues, so that inputs come as plain values.
var features = map[string]pulumirpc.ResourceMonitorFeature{
	"secrets":            pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_SECRETS,
	"resourceReferences": pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
	"aliasSpecs":         pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
	"deletedWith":        pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_DELETED_WITH,
	"replaceWith":        pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
	"replacementTrigger": pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
	"transforms":         pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_TRANSFORMS,
	"invokeTransforms":   pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
	"parameterization":   pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
	"resourceHooks":      pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
	"errorHooks":         pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
}

// SupportsFeature implements pulumirpc.ResourceMonitorServer.
func (m *monitor) SupportsFeature(_ context.Context, r *pulumirpc.SupportsFeatureRequest) (*pulumirpc.SupportsFeatureResponse, error) {
	_, has := features[r.GetId()]
	return &pulumirpc.SupportsFeatureResponse{HasSupport: has}, nil
}

// GetDeploymentInfo implements pulumirpc.ResourceMonitorServer.
func (m *monitor) GetDeploymentInfo(context.Context, *emptypb.Empty) (*pulumirpc.DeploymentInfo, error) {
	info := &pulumirpc.DeploymentInfo{Project: m.project, Stack: m.stack, Organization: "organization"}
	for _, f := range features {
		info.SupportedFeatures = append(info.SupportedFeatures, f)
	}
	return info, nil
}

// RegisterResource implements pulumirpc.ResourceMonitorServer. As the engine has it, all outputs of a resource are unknown where its
// provider's configuration is.
func (m *monitor) RegisterResource(_ context.Context, r *pulumirpc.RegisterResourceRequest) (*pulumirpc.RegisterResourceResponse, error) {
	inputs, _ := plain(structpb.NewStructValue(r.GetObject())).(map[string]any)
	answer := &pulumirpc.RegisterResourceResponse{Urn: m.urn(r.GetParent(), r.GetType(), r.GetName()), Object: r.GetObject()}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.resources = append(m.resources, Resource{Type: r.GetType(), Name: r.GetName(), Inputs: inputs})
	if strings.HasPrefix(r.GetType(), "pulumi:providers:") && hasUnknown(inputs) {
		m.later[answer.Urn] = true
	}
	provider := r.GetProvider() // URN::ID
	if i := strings.LastIndex(provider, "::"); i >= 0 && m.later[provider[:i]] {
		answer.Object = &structpb.Struct{}
	}
	return answer, nil
}

// ReadResource implements pulumirpc.ResourceMonitorServer: nothing is read.
func (m *monitor) ReadResource(_ context.Context, r *pulumirpc.ReadResourceRequest) (*pulumirpc.ReadResourceResponse, error) {
	return &pulumirpc.ReadResourceResponse{Urn: m.urn(r.GetParent(), r.GetType(), r.GetName()), Properties: r.GetProperties()}, nil
}

func (m *monitor) urn(parent, token, name string) string {
	if parts := strings.SplitN(parent, "::", 4); len(parts) == 4 && parts[2] != "pulumi:pulumi:Stack" {
		token = parts[2] + "$" + token
	}
	return fmt.Sprintf("urn:pulumi:%s::%s::%s::%s", m.stack, m.project, token, name)
}

// RegisterResourceOutputs implements pulumirpc.ResourceMonitorServer.
func (m *monitor) RegisterResourceOutputs(context.Context, *pulumirpc.RegisterResourceOutputsRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// RegisterStackTransform implements pulumirpc.ResourceMonitorServer: a transform is not called.
func (m *monitor) RegisterStackTransform(context.Context, *pulumirpc.Callback) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// RegisterStackInvokeTransform implements pulumirpc.ResourceMonitorServer.
func (m *monitor) RegisterStackInvokeTransform(context.Context, *pulumirpc.Callback) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// RegisterResourceHook implements pulumirpc.ResourceMonitorServer: nothing is made, so no hook runs.
func (m *monitor) RegisterResourceHook(context.Context, *pulumirpc.RegisterResourceHookRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// RegisterErrorHook implements pulumirpc.ResourceMonitorServer.
func (m *monitor) RegisterErrorHook(context.Context, *pulumirpc.RegisterErrorHookRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// RegisterPackage implements pulumirpc.ResourceMonitorServer.
func (m *monitor) RegisterPackage(context.Context, *pulumirpc.RegisterPackageRequest) (*pulumirpc.RegisterPackageResponse, error) {
	return &pulumirpc.RegisterPackageResponse{Ref: "dryrun"}, nil
}

// SignalAndWaitForShutdown implements pulumirpc.ResourceMonitorServer.
func (m *monitor) SignalAndWaitForShutdown(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Call implements pulumirpc.ResourceMonitorServer: what a method gives is not known.
func (m *monitor) Call(context.Context, *pulumirpc.ResourceCallRequest) (*pulumirpc.CallResponse, error) {
	return &pulumirpc.CallResponse{Return: &structpb.Struct{}}, nil
}

// The marks of the Pulumi SDK, sdk/go/common/resource/sig and .../plugin/rpc.go.
const signature = "4dabf18193072939515e22adb298388d"

var unknowns = map[string]bool{
	"1c4a061d-8072-4f0a-a4cb-0ff528b18fe7": true, "3eeb2bf0-c639-47a8-9e75-3b44932eb421": true, "04da6b54-80e4-46f7-96ec-b56ff0331ba9": true,
	"6a19a0b0-7e62-4c92-b797-7f8e31da9cc2": true, "030794c1-ac77-496b-92df-f27374a8bd58": true, "e48ece36-62e2-4504-bad9-02848725956a": true,
	"dd056dcd-154b-4c76-9bd3-c8f88648b5ff": true,
}

// plain is a value with Unknown for what is not known or secret.
func plain(v *structpb.Value) any {
	switch v := v.GetKind().(type) {
	case *structpb.Value_StringValue:
		if unknowns[v.StringValue] {
			return Unknown{}
		}
		return v.StringValue
	case *structpb.Value_NumberValue:
		return v.NumberValue
	case *structpb.Value_BoolValue:
		return v.BoolValue
	case *structpb.Value_ListValue:
		all := []any{}
		for _, one := range v.ListValue.GetValues() {
			all = append(all, plain(one))
		}
		return all
	case *structpb.Value_StructValue:
		if _, marked := v.StructValue.GetFields()[signature]; marked {
			return Unknown{}
		}
		all := map[string]any{}
		for k, one := range v.StructValue.GetFields() {
			all[k] = plain(one)
		}
		return all
	default:
		return nil
	}
}

func hasUnknown(v any) bool {
	switch v := v.(type) {
	case Unknown:
		return true
	case []any:
		return slices.ContainsFunc(v, hasUnknown)
	case map[string]any:
		for _, one := range v {
			if hasUnknown(one) {
				return true
			}
		}
	}
	return false
}
