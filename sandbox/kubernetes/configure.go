package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientapi "k8s.io/client-go/tools/clientcmd/api"
)

// settings are what the provider resource asks for.
type settings struct {
	// secrets tells that the engine takes secret values.
	secrets   bool
	namespace string

	serverSideApply       bool
	upsert                bool
	patchForce            bool
	deleteUnreachable     bool
	skipUpdateUnreachable bool
	mutableConfigMaps     bool
	mutableSecrets        bool
	rejectUnknown         bool
}

// variables are the arguments of the provider resource as the engine sends them: everything a string.
type variables map[string]string

func (v variables) get(key string) string { return v["kubernetes:config:"+key] }

// flag reads a switch: the argument, else the environment, else the default.
func (v variables) flag(key, env string, otherwise bool) bool {
	if s, ok := v["kubernetes:config:"+key]; ok {
		return s == "true"
	}
	if s, ok := os.LookupEnv(env); ok && env != "" {
		return s == "true"
	}
	return otherwise
}

func settingsFrom(req *pulumirpc.ConfigureRequest) (settings, error) {
	v := variables(req.GetVariables()) //nolint:staticcheck // the engine sends the configuration here as text; the Args beside it hold it typed
	if v.get("renderYamlToDirectory") != "" {
		return settings{}, errors.New(unsupported("argument", "renderYamlToDirectory"))
	}
	return settings{
		secrets:               req.GetAcceptSecrets(),
		namespace:             v.get("namespace"),
		serverSideApply:       v.flag("enableServerSideApply", "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", true),
		upsert:                v.flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS", false),
		patchForce:            v.flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE", false),
		deleteUnreachable:     v.flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE", false),
		skipUpdateUnreachable: v.flag("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE", false),
		mutableConfigMaps:     v.flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE", false),
		mutableSecrets:        v.flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE", false),
		rejectUnknown:         v.flag("rejectUnknownResources", "", false),
	}, nil
}

// Configure makes the clients. A cluster that cannot be had is no error here: what needs it fails then, and says why.
func (p *provider) Configure(_ context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	s, err := settingsFrom(req)
	if err != nil {
		return nil, err
	}
	v := variables(req.GetVariables()) //nolint:staticcheck // the engine sends the configuration here as text; the Args beside it hold it typed
	var unreachable string
	var reached *cluster
	config, namespace, reason := restConfig(v)
	switch {
	case reason != "":
		unreachable = reason
	default:
		if s.namespace = namespace; s.namespace == "" {
			s.namespace = "default"
		}
		if err := tune(config, v); err != nil {
			return nil, err
		}
		if reached, err = connect(config); err != nil {
			return nil, err
		}
		if err := reached.probe(); err != nil {
			unreachable = "unable to load schema information from the API server: " + err.Error()
		}
	}
	p.mu.Lock()
	p.settings, p.cluster, p.unreachable = s, reached, unreachable
	p.mu.Unlock()
	return &pulumirpc.ConfigureResponse{
		AcceptSecrets:                   true,
		SupportsPreview:                 true,
		SupportsAutonamingConfiguration: true,
	}, nil
}

// restConfig reads the kubeconfig that was given, or the ambient one if none was; reason tells why it could not.
func restConfig(v variables) (config *rest.Config, namespace, reason string) {
	overrides := &clientcmd.ConfigOverrides{
		Context:        clientapi.Context{Cluster: v.get("cluster"), Namespace: v.get("namespace")},
		CurrentContext: v.get("context"),
	}
	var source clientcmd.ClientConfig
	if given := v.get("kubeconfig"); given != "" {
		parsed, err := parseKubeconfig(given)
		if err != nil {
			return nil, "", fmt.Sprintf("failed to parse kubeconfig data in `kubernetes:config:kubeconfig`- %v", err)
		}
		source = clientcmd.NewDefaultClientConfig(*parsed, overrides)
	} else {
		rules := clientcmd.NewDefaultClientConfigLoadingRules()
		source = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	}
	config, err := source.ClientConfig()
	if err != nil {
		return nil, "", fmt.Sprintf("unable to load Kubernetes client configuration from kubeconfig file. Make sure you have: \n\n"+
			" \t • set up the provider as per https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ \n\n %v", err)
	}
	namespace, _, err = source.Namespace()
	if err != nil {
		namespace = v.get("namespace")
	}
	return config, namespace, ""
}

// parseKubeconfig takes a path or the text itself.
func parseKubeconfig(pathOrText string) (*clientapi.Config, error) {
	if rest, is := strings.CutPrefix(pathOrText, "~"); is && (rest == "" || strings.HasPrefix(rest, "/")) {
		if u, err := user.Current(); err == nil {
			pathOrText = filepath.Join(u.HomeDir, rest)
		}
	}
	text := []byte(pathOrText)
	if _, err := os.Stat(pathOrText); err == nil {
		if text, err = os.ReadFile(pathOrText); err != nil {
			return nil, err
		}
	}
	return clientcmd.Load(text)
}

// tune sets how many requests the clients may make, and how long one may take.
func tune(config *rest.Config, v variables) error {
	var limits struct {
		Burst   *int     `json:"burst"`
		QPS     *float64 `json:"qps"`
		Timeout *int     `json:"timeout"`
	}
	if given := v.get("kubeClientSettings"); given != "" {
		if err := json.Unmarshal([]byte(given), &limits); err != nil {
			return fmt.Errorf("failed to unmarshal kubeClientSettings option: %w", err)
		}
	}
	config.Burst, config.QPS = 120, 50
	for _, from := range []struct {
		env string
		set func(float64)
	}{
		{"PULUMI_K8S_CLIENT_BURST", func(n float64) { config.Burst = int(n) }},
		{"PULUMI_K8S_CLIENT_QPS", func(n float64) { config.QPS = float32(n) }},
		{"PULUMI_K8S_CLIENT_TIMEOUT", func(n float64) { config.Timeout = time.Duration(n) * time.Second }},
	} {
		if s := os.Getenv(from.env); s != "" {
			n, err := strconv.ParseFloat(s, 64)
			if err != nil {
				return fmt.Errorf("invalid value specified for %s: %w", from.env, err)
			}
			from.set(n)
		}
	}
	if limits.Burst != nil {
		config.Burst = *limits.Burst
	}
	if limits.QPS != nil {
		config.QPS = float32(*limits.QPS)
	}
	if limits.Timeout != nil {
		config.Timeout = time.Duration(*limits.Timeout) * time.Second
	}
	config.WarningHandler = rest.NoWarnings{}
	config.UserAgent = "pulumi-kubernetes/" + Version
	return nil
}
