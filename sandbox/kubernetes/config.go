package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	clientapi "k8s.io/client-go/tools/clientcmd/api"
)

// CheckConfig refuses arguments of the provider resource that contradict each other, and in strict mode a provider that
// does not say which cluster it means.
func (p *provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	news, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("CheckConfig failed because of malformed resource inputs: %w", err)
	}
	resp := &pulumirpc.CheckResponse{Inputs: req.GetNews()}
	fail := func(property, reason string) {
		resp.Failures = append(resp.Failures, &pulumirpc.CheckFailure{Property: property, Reason: reason})
	}
	if strict(news) {
		if strings.HasPrefix(resource.URN(req.GetUrn()).Name(), "default") {
			fail("", "strict mode prohibits default provider")
		}
		for _, key := range []string{"kubeconfig", "context"} {
			if !given(news[resource.PropertyKey(key)]) {
				fail(key, fmt.Sprintf("strict mode requires Provider %q argument", key))
			}
		}
	}
	if given(news["renderYamlToDirectory"]) {
		for _, key := range []string{"cluster", "context", "kubeconfig"} {
			if given(news[resource.PropertyKey(key)]) {
				fail(key, fmt.Sprintf(`%q arg is not compatible with "renderYamlToDirectory" arg`, key))
			}
		}
	}
	return resp, nil
}

func given(v resource.PropertyValue) bool {
	v = plain(v)
	return v.IsComputed() || v.IsOutput() || v.IsObject() || v.IsString() && v.StringValue() != "" || v.IsBool() && v.BoolValue()
}

func plain(v resource.PropertyValue) resource.PropertyValue {
	for v.IsSecret() {
		v = v.SecretValue().Element
	}
	return v
}

func strict(news resource.PropertyMap) bool {
	if v := plain(news["strictMode"]); v.IsString() {
		return v.StringValue() == "true"
	} else if v.IsBool() {
		return v.BoolValue()
	}
	var config map[string]any
	if json.Unmarshal([]byte(os.Getenv("PULUMI_CONFIG")), &config) != nil {
		return false
	}
	return config["strictMode"] == "true"
}

// DiffConfig decides whether a change of the provider means another cluster, so that everything on it is to be made anew.
// With an unchanged clusterIdentifier it never does. Without one, the server and credentials of the active cluster decide,
// and an unknown kubeconfig counts as another cluster.
func (p *provider) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, err := unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("DiffConfig failed because of malformed resource inputs: %w", err)
	}
	for _, m := range []resource.PropertyMap{olds, news} {
		for k, v := range m {
			m[k] = plain(v)
		}
	}
	diff := olds.Diff(news)
	if diff == nil {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	resp := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_SOME}
	const identifier = "clusterIdentifier"
	pinned := diff.Same(identifier) && news.HasValue(identifier)
	replace := func(key string) {
		if !pinned && !slices.Contains(resp.Replaces, key) {
			resp.Replaces = append(resp.Replaces, key)
		}
	}
	// Adding or removing the identifier replaces nothing, so that one can start and stop using it.
	if diff.Updated(identifier) {
		replace(identifier)
	}
	where := []resource.PropertyKey{"kubeconfig", "context", "cluster"}
	for _, key := range where {
		if news[key].IsComputed() || news[key].IsOutput() {
			resp.Diffs = []string{string(key)}
			replace(string(key))
			return resp, nil
		}
	}
	for _, key := range diff.ChangedKeys() {
		resp.Diffs = append(resp.Diffs, string(key))
		if key == "renderYamlToDirectory" {
			replace(string(key))
		}
	}
	before, err := activeCluster(olds)
	if err != nil {
		return nil, err
	}
	after, err := activeCluster(news)
	if err != nil {
		return nil, err
	}
	if before != nil && after != nil && !reflect.DeepEqual(before, after) {
		for _, key := range where {
			if slices.Contains(resp.Diffs, string(key)) {
				replace(string(key))
			}
		}
	}
	return resp, nil
}

// activeCluster is the cluster that the kubeconfig points to, or nil if it names none.
func activeCluster(args resource.PropertyMap) (*clientapi.Cluster, error) {
	var text string
	switch v := args["kubeconfig"]; {
	case v.IsNull():
		return nil, nil
	case v.IsString():
		text = v.StringValue()
	case v.IsObject():
		raw, err := json.Marshal(toMap(v.ObjectValue()))
		if err != nil {
			return nil, fmt.Errorf("failed to unmarshal kubeconfig: %w", err)
		}
		text = string(raw)
	default:
		return nil, fmt.Errorf("unexpected kubeconfig format, type: %v", v.TypeString())
	}
	if text == "" {
		return nil, nil
	}
	config, err := parseKubeconfig(text)
	if err != nil {
		return nil, fmt.Errorf("failed to parse kubeconfig: %w", err)
	}
	current := config.CurrentContext
	if v := args["context"]; v.IsString() {
		current = v.StringValue()
	}
	name := ""
	if chosen := config.Contexts[current]; chosen != nil {
		name = chosen.Cluster
	}
	if v := args["cluster"]; v.IsString() && name != "" {
		name = v.StringValue()
	}
	return config.Clusters[name], nil
}
